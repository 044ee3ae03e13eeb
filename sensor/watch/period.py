"""The tables of a period: rows that are finished are added, open rows are made anew at each pass.

A period is one audit. Finished rows and open rows together are what one decode of the same packets gives; of whole
events, which grow the most, the newest can be had alone, and of what repeats a few rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors import schemas
from zonewatch.inventory.tables import EARLIER
from zonewatch.sensor.decoding import KEPT, PIECES, AnyTables, joined
from zonewatch.sensor.watch.thin import KINDS, Thin, parted, told_for_good

_PLACE: Final = "_place"
_LEAST: Final = 1_000
"""Rows of a table that are not thinned."""


class Rows(Protocol):
    """Tables by the names of `schemas.TABLES`."""

    def take(self, table: str) -> pa.Table:
        """Rows of one table."""


class Period:
    """What was decoded since the period began. Tables that are thinned are left whole up to `least` rows."""

    def __init__(self, least: int = _LEAST) -> None:
        self._thin = {name: Thin(kind, least) for name, kind in KINDS.items()}
        self._pieces: dict[str, list[pa.Table]] = {name: [] for name in KEPT}
        self._told: list[pa.Table] = []  # events that count for good, with their places among all

    def add(self, rows: Rows) -> AnyTables:
        """Takes the finished rows; gives them too."""
        taken = {name: rows.take(name) for name in KEPT}
        for name, table in taken.items():
            pieces = self._pieces[name]
            if table.num_rows:
                pieces.append(table)
                if name in self._thin:
                    self._thin[name].add(table)
            if len(pieces) >= PIECES:
                self._pieces[name] = [joined(pieces)]
        events = taken["events"].unify_dictionaries()
        places = pa.array(range(self.events - events.num_rows, self.events), pa.int64())
        fresh = events.append_column(_PLACE, places)
        if (told := told_for_good(fresh)).num_rows:
            self._told.append(told)
        if len(self._told) >= PIECES:
            self._told = [told_for_good(joined(self._told))]
        return taken

    def tables(self, open_rows: Iterable[Rows] = ()) -> AnyTables:
        """The audit's tables so far, with those open rows."""
        return _with(self._pieces, open_rows)

    def latest(self, most: int, open_rows: Iterable[Rows] = (), whole: Collection[str] = ()) -> AnyTables:
        """The same with the newest finished events alone, at most so many, and those that count for good; a table
        more has the changes before them.

        Of connections and aggregates that repeat there are a few rows, but for tables that are asked for `whole`.
        """
        events = self._pieces["events"]
        left, newest = most, list[pa.Table]()
        for piece in reversed(events):
            newest.insert(0, piece.slice(max(piece.num_rows - left, 0)))
            left -= newest[0].num_rows
        earlier = pc.field(_PLACE) < self.events - most
        told = [rows.filter(earlier).drop_columns([_PLACE]) for rows in self._told]
        judged, before = parted(joined(told or [schemas.EVENTS.empty_table()]))
        few = {name: thin.rows() for name, thin in self._thin.items() if name not in whole}
        return {**_with({**self._pieces, **few, "events": [judged, *newest]}, open_rows), EARLIER: before}

    @property
    def events(self) -> int:
        """Finished whole events."""
        return sum(table.num_rows for table in self._pieces["events"])

    @property
    def rows(self) -> int:
        """Finished rows of all tables."""
        return sum(table.num_rows for pieces in self._pieces.values() for table in pieces)


def _with(pieces: Mapping[str, list[pa.Table]], open_rows: Iterable[Rows]) -> AnyTables:
    beside = list(open_rows)
    return {
        name: joined([*some, *(rows.take(name) for rows in beside)] or [schemas.TABLES[name].empty_table()])
        for name, some in pieces.items()
    }
