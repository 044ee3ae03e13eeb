"""What happened since the store was written last, in words."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.reports.words import clock, size
from zonewatch.sensor.store.wal import NOTHING, unfinished

__all__ = ["RESTORED", "LastRun", "last_run", "log_size", "notes", "suspect_from"]

_SUSPECT: Final = 600 * 1_000_000_000
"""Before the last record of a run that did not end in order: files since then are read whole."""
_SKIPPED: Final = 1_000_000
"""Numbers of the outbox that are left out where some may have been given already."""
_TELLINGS_SKIPPED: Final = 1_000
RESTORED: Final = "restored"
"""Set in copies: the one who opens it knows that more was told since."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run before."""

    number: int
    last: int
    ended: int | None


def log_size(path: Path) -> int:
    """Octets of the write-ahead log that lies beside the file."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def last_run(db: sqlite3.Connection) -> LastRun | None:
    """None of a new store."""
    row = db.execute("SELECT number, last, ended FROM runs ORDER BY number DESC LIMIT 1").fetchone()
    return LastRun(*row) if row else None


def suspect_from(last: LastRun | None) -> int | None:
    """From when on files may not be whole; none where the run before ended in order."""
    return last.last - _SUSPECT if last is not None and last.ended is None else None


def notes(db: sqlite3.Connection, path: Path, last: LastRun | None, log_left: int) -> list[str]:
    """Sentences on the end of the run before, and mends what follows from it."""
    found = []
    committed = int(db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])
    torn = unfinished(path.with_name(f"{path.name}-wal"), max(committed, 0)) if log_left else NOTHING
    if last is not None and last.ended is None:
        found.append(f"the last run ended without closing; it recorded last at {clock(last.last)}")
        if log_left:
            found.append(f"{size(log_left)} of changes were taken over from the write-ahead log")
    if torn.has_commit:
        found.append(f"{size(torn.octets)} at the end of the write-ahead log were torn: what they held is lost")
    elif torn.octets:
        found.append(f"{size(torn.octets)} at the end of the write-ahead log were of a pass that was not finished")
    copied = db.execute("SELECT value FROM meta WHERE name = ?", (RESTORED,)).fetchone()
    if copied:
        found.append(f"this is a backup of {copied[0]}: what was told since may be told again")
    if copied or (last is not None and last.ended is None):
        _skip_numbers(db, tellings=bool(copied) or torn.has_commit)
    for title, at in db.execute("SELECT title, last FROM health WHERE state = 'open' ORDER BY subject"):
        found.append(f"still to be mended when it ended: {title} ({clock(at)})")
    return found


def _skip_numbers(db: sqlite3.Connection, *, tellings: bool) -> None:
    """Alerts that were given out and are lost here must not lend their numbers to others: nobody would take those."""
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM meta WHERE name = ?", (RESTORED,))
    last = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'").fetchone()[0]
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)", (last + _SKIPPED,))
    for table in ("findings", "incidents", "health") if tellings else ():
        db.execute(f"UPDATE {table} SET told = told + ? WHERE told > 0", (_TELLINGS_SKIPPED,))
    db.execute("COMMIT")
