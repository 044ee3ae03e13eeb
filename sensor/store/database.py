"""A SQLite file of ours: opened, brought to this version's schema, checked, copied while it is in use."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from zonewatch.sensor.usage import UsageError

__all__ = [
    "NoRoom",
    "StoreError",
    "connect",
    "copy",
    "is_full",
    "migrate",
    "read_only",
    "refuse_damaged",
    "script",
    "sync_folder",
    "version_of",
]

OLDEST: Final = (3, 37, 0)
"""Of SQLite: STRICT tables."""
_WAIT: Final = 10.0
"""Seconds that one waits for another who writes."""
_FULL: Final = frozenset((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR))


class StoreError(UsageError):
    """The store cannot be used: one clear line."""


class NoRoom(StoreError):
    """The disk is so full that the store cannot even be opened."""

    def __init__(self, path: Path, error: sqlite3.Error) -> None:
        super().__init__(f"{path}: the disk has no room ({error}): free some in {path.parent}; nothing kept is lost")


def connect(path: Path, journal: Literal["WAL", "DELETE"]) -> sqlite3.Connection:
    """A connection that may write. Every commit is on the disk before it returns. Raises StoreError."""
    if sqlite3.sqlite_version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST[:2]))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old for the store: {wanted} or newer is needed")
    try:
        db = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from None
    try:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute("PRAGMA synchronous = FULL" if journal == "WAL" else "PRAGMA synchronous = EXTRA")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA journal_size_limit = 67108864")
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA temp_store = MEMORY")  # a confined process may write in the store's folder alone
    except sqlite3.DatabaseError as error:
        db.close()
        raise _unusable(path, error) from None
    return db


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that only looks. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"{path}: no such file; STORE is the folder of a sensor")
    # Without the log beside it a file on a read-only medium can be read as it is only.
    modes = ["mode=ro"] if path.with_name(f"{path.name}-wal").exists() else ["mode=ro", "mode=ro&immutable=1"]
    problem: sqlite3.DatabaseError | None = None
    for mode in modes:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=_WAIT, isolation_level=None)
        try:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            db.execute("PRAGMA trusted_schema = OFF")
        except sqlite3.DatabaseError as error:
            problem = error
            db.close()
        else:
            return db
    assert problem is not None
    raise _unusable(path, problem)


def _unusable(path: Path, error: sqlite3.Error) -> StoreError:
    if is_full(error):
        return NoRoom(path, error)
    return StoreError(f"{path}: cannot be used: {error}; restore a backup, or move it away to begin anew")


def refuse_damaged(db: sqlite3.Connection, path: Path) -> None:
    """Raises StoreError where SQLite finds pages or rows that cannot be."""
    try:
        found = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from None
    if found != ["ok"]:
        raise StoreError(f"{path}: is damaged: {'; '.join(found)}; restore a backup, or move it away to begin anew")


def version_of(db: sqlite3.Connection) -> int:
    """The version of its schema; 0 of an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(db: sqlite3.Connection, path: Path, known: int) -> None:
    """Raises StoreError where a later zonewatch made the schema."""
    if (found := version_of(db)) > known:
        raise StoreError(
            f"{path}: is of version {found}, made by a newer zonewatch; this one reads up to version {known}"
        )


def migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> int:
    """Brings the schema to the last version, all of it or nothing; the version it had. Raises StoreError.

    What was there before is kept beside it as `NAME.version-N`.
    """
    refuse_newer(db, path, len(migrations))
    had = version_of(db)
    if had == len(migrations):
        return had
    if had:
        copy(db, path.with_name(f"{path.name}.version-{had}"))
    db.execute("BEGIN IMMEDIATE")
    try:
        for text in migrations[version_of(db) :]:  # asked again: another may have been faster
            script(db, text)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        if broken := db.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to one of {broken[2]} that is not there")
        db.execute("COMMIT")
    except sqlite3.Error as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise StoreError(
            f"{path}: version {had} could not be brought to {len(migrations)}: {error}; it is as it was"
        ) from None
    return had


def script(db: sqlite3.Connection, text: str) -> None:
    """Runs the statements of a text inside the transaction at hand, which `executescript` would end."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def copy(db: sqlite3.Connection, target: Path) -> None:
    """A whole copy of the file, made while it is in use; on the disk, or not there."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        made = sqlite3.connect(part)
        try:
            db.backup(made, pages=4096)
            made.execute("PRAGMA journal_mode = DELETE")
        finally:
            made.close()
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Names of files in it are on the disk when this returns."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk had no room (or took no more, which a limit of the file's size looks like)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _FULL
