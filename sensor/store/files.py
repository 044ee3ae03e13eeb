"""`events/` and `evidence/`: written whole, kept by size and age, looked through at each start.

The table `files` names each of them with its size and hash. A file is written before its row, a row goes before its
file, so that after a crash what lies in the folders without a row is known to be new, or half removed.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa

from zonewatch.reports.evidence import FOLDER as EVIDENCE
from zonewatch.reports.evidence import file_name
from zonewatch.reports.words import counted, size
from zonewatch.sensor.store import durable
from zonewatch.sensor.store.segments import FOLDER as EVENTS
from zonewatch.sensor.store.segments import Segment, due, merged, octets
from zonewatch.sensor.store.settings import StoreSettings

__all__ = ["EVENTS", "EVIDENCE", "SET_ASIDE", "Files", "Kept", "digest", "wrong_with"]

SET_ASIDE: Final = "set-aside"
_MOST_SET_ASIDE: Final = 64
_MOST_REMOVED: Final = 100_000
"""Rows of the table of removals."""
_MAGIC: Final = {"events": (b"PAR1", b"PAR1"), "evidence": (b"\x0a\x0d\x0d\x0a", b"")}
"""How a file of a kind begins and ends."""
_LOG: Final = logging.getLogger("zonewatch.store")


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the table of files."""

    name: str  # from the store's folder on
    kind: Literal["events", "evidence"]
    subject: str
    bytes: int
    sha256: str
    at: int


class Files:
    """The files of a store that is open."""

    def __init__(
        self, folder: Path, db: sqlite3.Connection, settings: StoreSettings, is_grave: Callable[[str], bool]
    ) -> None:
        self._folder, self._db, self._settings, self._is_grave = folder, db, settings, is_grave
        for name in (EVENTS, EVIDENCE):
            (folder / name).mkdir(exist_ok=True)
        rows = db.execute("SELECT name, kind, subject, bytes, sha256, at FROM files")
        self.kept: dict[str, Kept] = {row[0]: Kept(*row) for row in rows}
        self._next = 1 + max((part.last for part in self._segments()), default=0)
        self._unwritten: list[tuple[int, str, int, str]] = []  # removals while no row could be written

    def _segments(self) -> Iterator[Segment]:
        for name in self.kept:
            if (part := Segment.parse(name.removeprefix(f"{EVENTS}/"))) is not None:
                yield part

    # at the start

    def look_through(self, at: int, suspect_from: int | None) -> Iterator[str]:
        """Sentences on what is not as it was left. Files written from `suspect_from` on are read whole."""
        for row in list(self.kept.values()):
            path = self._folder / row.name
            if not path.exists():
                self._removed([row], at, "was gone")
                yield f"{row.name} was gone"
            elif (row.bytes, magic_ok(path, row.kind)) != (path.stat().st_size, True) or (
                suspect_from is not None and row.at >= suspect_from and digest(path) != row.sha256
            ):
                self._set_aside(row, at)
                yield f"{row.name} was torn or changed: set aside"
        for kind in (EVENTS, EVIDENCE):
            for path in sorted((self._folder / kind).iterdir()):
                if f"{kind}/{path.name}" not in self.kept:
                    yield from self._unknown(kind, path, at)
        self._next = 1 + max((part.last for part in self._segments()), default=self._next - 1)

    def _unknown(self, kind: Literal["events", "evidence"], path: Path, at: int) -> Iterator[str]:
        """A file without a row: being written, or being removed, when the last run ended."""
        name = f"{kind}/{path.name}"
        part = Segment.parse(path.name)
        known = (kind == EVIDENCE and path.suffix == ".pcapng") or part is not None
        double = part is not None and any(part.overlaps(other) for other in self._segments())
        gone = self._db.execute("SELECT 1 FROM removed WHERE name = ?", (name,)).fetchone()
        if path.name.endswith(durable.PART) or double or (gone and kind == EVENTS):
            path.unlink()
        elif known and magic_ok(path, kind):
            row = Kept(name, kind, path.stem if kind == EVIDENCE else "", path.stat().st_size, digest(path), at)
            self._register([row])
            yield f"{name} was written when the last run ended: taken over"
        elif known:
            self._set_aside(Kept(name, kind, "", path.stat().st_size, "", at), at)
            yield f"{name} was torn: set aside"

    def _set_aside(self, row: Kept, at: int) -> None:
        place = self._folder / SET_ASIDE
        place.mkdir(exist_ok=True)
        self._removed([row], at, "torn or changed: set aside")
        (self._folder / row.name).replace(place / Path(row.name).name)
        for old in sorted(place.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))[:-_MOST_SET_ASIDE]:
            old.unlink()

    # writing

    def keep_events(self, period: int, tables: Mapping[str, pa.Table], at: int) -> None:
        """Writes the rows of a pass. Raises OSError and sqlite3.Error."""
        made = []
        for table, rows in tables.items():
            if rows.num_rows:
                part = Segment(period, self._next, self._next, 0, table)
                made.append(self._write("events", f"{EVENTS}/{part.name}", "", octets(rows), at))
        if made:
            self._next += 1
            self._register(made)
        while parts := due(self._segments()):
            self._merge(parts, at)

    def _merge(self, parts: tuple[Segment, ...], at: int) -> None:
        part, data = merged(parts, self._folder / EVENTS)
        row = self._write("events", f"{EVENTS}/{part.name}", "", data, at)
        names = [f"{EVENTS}/{old.name}" for old in parts]
        self._register([row], gone=names)
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def keep_evidence(self, captures: Mapping[str, bytes], at: int) -> None:
        """Writes mini captures by the ids of their findings. Raises OSError and sqlite3.Error."""
        # A new one under the name of an old one must not look like the old one torn, should the writing end in between.
        known = [name for finding in captures if (name := file_name(finding)) in self.kept]
        if known:
            self._register([], gone=known)
        self._register(
            [self._write("evidence", file_name(finding), finding, data, at) for finding, data in captures.items()]
        )

    def _write(self, kind: Literal["events", "evidence"], name: str, subject: str, data: bytes, at: int) -> Kept:
        durable.write(self._folder / name, data)
        return Kept(name, kind, subject, len(data), hashlib.sha256(data).hexdigest(), at)

    def _register(self, rows: Iterable[Kept], gone: Iterable[str] = ()) -> None:
        rows, gone = list(rows), list(gone)
        with self._transaction():
            self._db.executemany("DELETE FROM files WHERE name = ?", ((name,) for name in gone))
            self._db.executemany(
                "INSERT OR REPLACE INTO files (name, kind, subject, bytes, sha256, at) VALUES (?, ?, ?, ?, ?, ?)",
                ((row.name, row.kind, row.subject, row.bytes, row.sha256, row.at) for row in rows),
            )
        for name in gone:
            self.kept.pop(name, None)
        self.kept.update((row.name, row) for row in rows)

    # removing

    def prune(self, at: int, *, by_age: bool) -> None:
        """Removes what is more than the settings allow. Raises sqlite3.Error."""
        settings = self._settings
        for kind, most, age in (
            ("events", settings.events_size, settings.events_age),
            ("evidence", settings.evidence_size, settings.evidence_age),
        ):
            rows = [row for row in self._order() if row.kind == kind]
            old = [row for row in rows if by_age and row.at < at - age]
            self._remove(old, at, "older than the settings keep")
            rows = [row for row in rows if row.name in self.kept]
            over = sum(row.bytes for row in rows) - most
            self._remove(list(_enough(rows, over)), at, f"{kind}/ was over {size(most)}")

    def make_room(self, wanted: int, at: int) -> int:
        """Removes files first and says so later: rows cannot be written now. Octets that are free now."""
        freed = 0
        for row in _enough(self._order(), wanted):
            (self._folder / row.name).unlink(missing_ok=True)
            self.kept.pop(row.name)
            self._unwritten.append((at, row.name, row.bytes, "the disk was full"))
            freed += row.bytes
        if freed:
            _LOG.warning("the disk was full: %s of evidence removed", size(freed))
        return freed

    def _order(self) -> list[Kept]:
        """In the order they go: the oldest first, mini captures of grave open findings last."""
        return sorted(
            self.kept.values(),
            key=lambda row: (row.kind == "evidence" and self._is_grave(row.subject), row.at, row.name),
        )

    def _remove(self, rows: list[Kept], at: int, why: str) -> None:
        if rows:
            self._removed(rows, at, why)
            for row in rows:
                (self._folder / row.name).unlink(missing_ok=True)
            _LOG.info("%s removed (%s): %s", counted(len(rows), "file"), size(sum(row.bytes for row in rows)), why)

    def _removed(self, rows: Iterable[Kept], at: int, why: str) -> None:
        rows = list(rows)
        with self._transaction():
            self.write_removals([(at, row.name, row.bytes, why) for row in rows])
        self.removals_written()
        for row in rows:
            self.kept.pop(row.name, None)

    def write_removals(self, removals: Iterable[tuple[int, str, int, str]] = ()) -> None:
        """Writes these and those that could not be written before, inside the transaction at hand."""
        rows = [*self._unwritten, *removals]
        if not rows:
            return
        self._db.executemany("DELETE FROM files WHERE name = ?", ((row[1],) for row in rows))
        self._db.executemany("INSERT INTO removed (at, name, bytes, why) VALUES (?, ?, ?, ?)", rows)
        self._db.execute("DELETE FROM removed WHERE number <= (SELECT max(number) FROM removed) - ?", (_MOST_REMOVED,))

    def removals_written(self) -> None:
        """They are on the disk."""
        self._unwritten.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _enough(rows: Iterable[Kept], wanted: int) -> Iterator[Kept]:
    """The first rows that hold as many octets together."""
    for row in rows:
        if wanted <= 0:
            return
        wanted -= row.bytes
        yield row


def magic_ok(path: Path, kind: str) -> bool:
    """Whether a file begins and ends as one of its kind does."""
    begin, end = _MAGIC[kind]
    try:
        with path.open("rb") as file:
            if file.read(len(begin)) != begin:
                return False
            file.seek(-len(end), 2)
            return file.read(len(end)) == end
    except OSError:
        return False


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wrong_with(folder: Path, row: Kept) -> str:
    """What is wrong with a file, in a word or two; empty: nothing."""
    path = folder / row.name
    try:
        return "" if digest(path) == row.sha256 else "is not as it was written"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
