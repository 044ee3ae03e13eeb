"""The tables of a period: rows that are finished are added, open rows are made anew at each pass.

A period is one audit. Finished rows and open rows together are what one decode of the same packets gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import pyarrow as pa

from zonewatch.dissectors import schemas
from zonewatch.sensor.decoding import KEPT, AnyTables, joined

_PIECES: Final = 8
"""Tables taken before they are joined."""


class Rows(Protocol):
    """Tables by the names of `schemas.TABLES`."""

    def take(self, table: str) -> pa.Table:
        """Rows of one table."""


class Period:
    """What was decoded since the period began."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[pa.Table]] = {name: [] for name in KEPT}

    def add(self, rows: Rows) -> AnyTables:
        """Takes the finished rows; gives them too."""
        taken = {name: rows.take(name) for name in KEPT}
        for name, table in taken.items():
            pieces = self._pieces[name]
            if table.num_rows:
                pieces.append(table)
            if len(pieces) >= _PIECES:
                self._pieces[name] = [joined(pieces)]
        return taken

    def tables(self, open_rows: Iterable[Rows] = ()) -> AnyTables:
        """The audit's tables so far, with those open rows."""
        beside = list(open_rows)
        return {
            name: joined([*pieces, *(rows.take(name) for rows in beside)] or [schemas.TABLES[name].empty_table()])
            for name, pieces in self._pieces.items()
        }

    @property
    def rows(self) -> int:
        """Finished rows of all tables."""
        return sum(table.num_rows for pieces in self._pieces.values() for table in pieces)
