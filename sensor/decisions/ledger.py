"""`decisions.db`: the log of decisions as a file, and what exports add to it."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

from zonewatch.reports.words import iso_time
from zonewatch.sensor.decisions.chain import Decision, Kind, sealed
from zonewatch.sensor.store.database import StoreError, connect, migrate, read_only, refuse_newer, version_of

__all__ = ["NAME", "append", "log_export", "missing_guards", "read", "who_runs_this"]

NAME: Final = "decisions.db"
_GUARDS: Final[Mapping[str, str]] = {
    "decisions_are_not_changed": "BEFORE UPDATE ON decisions",
    "decisions_are_not_removed": "BEFORE DELETE ON decisions",
    "decisions_follow_the_last": """BEFORE INSERT ON decisions
    WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM decisions)
      OR NEW.previous IS NOT coalesce((SELECT hash FROM decisions ORDER BY number DESC LIMIT 1), '')""",
}
_SCHEMA: Final = """
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('acceptance', 'exception', 'withdrawal', 'export')),
    subject TEXT NOT NULL,
    until TEXT NOT NULL,         -- empty: none
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
""" + "".join(
    f"CREATE TRIGGER {name} {when}\nBEGIN SELECT RAISE(ABORT, '{name.replace('_', ' ')}'); END;\n"
    for name, when in _GUARDS.items()
)
MIGRATIONS: Final = (_SCHEMA,)
_COLUMNS: Final = "number, time, who, kind, subject, until, reason, document, previous, hash"


def append(
    folder: Path,
    now: Callable[[], int],
    who: str,
    kind: Kind,
    subject: str,
    reason: str,
    *,
    until: int = 0,
    document: Mapping[str, Any] | None = None,
) -> Decision:
    """Adds a decision; it is on the disk when this returns. One writes at a time, others wait. Raises StoreError."""
    path = folder / NAME
    with closing(connect(path, "DELETE")) as db:
        migrate(db, path, MIGRATIONS)
        try:
            db.execute("BEGIN IMMEDIATE")
            last = db.execute("SELECT number, hash FROM decisions ORDER BY number DESC LIMIT 1").fetchone() or (0, "")
            text = json.dumps(document or {}, sort_keys=True, separators=(",", ":"))
            decision = Decision(
                last[0] + 1, iso_time(now()), who, kind, subject, iso_time(until), reason, text, last[1]
            )
            made = sealed(decision)
            db.execute(f"INSERT INTO decisions ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", astuple(made))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{path}: the decision was not written: {error}") from None
    return made


def log_export(
    folder: Path, now: Callable[[], int], who: str, what: str, target: str, sha256: str = "", why: str = ""
) -> Decision:
    """Adds that somebody took something out of the store: a backup, a report, a conversion."""
    return append(folder, now, who, "export", what, why, document={"target": target, "sha256": sha256})


def who_runs_this() -> str:
    """The login name, for exports of which nobody says who asked for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def read(folder: Path) -> tuple[Decision, ...]:
    """All decisions, by number; none where there is no log yet. Raises StoreError."""
    path = folder / NAME
    if not path.exists():
        return ()
    if path.with_name(f"{NAME}-journal").exists():  # somebody writes, or was broken off: wait, or undo what he began
        with closing(connect(path, "DELETE")) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    with closing(read_only(path)) as db:
        refuse_newer(db, path, len(MIGRATIONS))
        if version_of(db) == 0:  # the first decision was broken off, and nothing of it was written
            return ()
        try:
            rows = db.execute(f"SELECT {_COLUMNS} FROM decisions ORDER BY number").fetchall()
            return tuple(Decision(*row) for row in rows)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: cannot be read: {error}") from None


def missing_guards(folder: Path) -> tuple[str, ...]:
    """Names of the triggers that somebody took out or changed."""
    with closing(read_only(folder / NAME)) as db:
        if version_of(db) == 0:
            return ()
        found = dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    return tuple(name for name, when in _GUARDS.items() if when not in str(found.get(name, "")))
