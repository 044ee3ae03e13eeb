"""The reading side of the outbox in `store.db`. Never writes there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.sensor.shipping.receiver import Row

STORE: Final = "store.db"


class OutboxError(Exception):
    """The store cannot be read now."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies behind a place of the outbox."""

    count: int
    oldest_at: int
    """0 where there is none."""


class Outbox:
    """The rows that the sensor promised to tell. A store that is not there yet has none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / STORE

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        if not self._path.exists():
            yield None
            return
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as opened:
                found = opened.execute("SELECT 1 FROM sqlite_schema WHERE name = 'outbox'").fetchone()
                yield opened if found else None
        except sqlite3.Error as error:
            raise OutboxError(f"{self._path}: {error}") from error

    def read(self, after: int, most: int, octets: int) -> list[Row]:
        """The next rows behind `after`: at most `most`, and no more than fit into `octets`, but one at least."""
        found: list[Row] = []
        with self._open() as opened:
            if opened is None:
                return found
            query = "SELECT seq, event_id, subject, at, document FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
            for values in opened.execute(query, (after, most)):
                row = Row(*values)
                octets -= len(row.document.encode())
                if found and octets < 0:
                    break
                found.append(row)
        return found

    def is_another(self, position: int, event_id: str) -> bool:
        """Whether the outbox is not the one of which `position` was kept: an older copy of it was put back."""
        if not position:
            return False
        with self._open() as opened:
            if opened is None:
                return False
            (last,) = opened.execute(
                "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'"
            ).fetchone()
            found = opened.execute("SELECT event_id FROM outbox WHERE seq = ?", (position,)).fetchone()
            return bool(last < position or (found is not None and found[0] != event_id))

    def last(self) -> tuple[int, str]:
        """The last row's place and event; 0 where there is none."""
        with self._open() as opened:
            found = None
            if opened is not None:
                found = opened.execute("SELECT seq, event_id FROM outbox ORDER BY seq DESC LIMIT 1").fetchone()
            return (int(found[0]), str(found[1])) if found else (0, "")

    def backlog(self, after: int) -> Backlog:
        """How much lies behind `after`, and since when."""
        with self._open() as opened:
            if opened is None:
                return Backlog(0, 0)
            query = "SELECT COUNT(*), COALESCE(MIN(at), 0) FROM outbox WHERE seq > ?"
            return Backlog(*opened.execute(query, (after,)).fetchone())
