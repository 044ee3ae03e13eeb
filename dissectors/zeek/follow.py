"""A folder that Zeek keeps writing, followed: what `live.Live` is for an interface.

A log is known by its beginning (headers and first row), whatever it is called and however it is packed: when Zeek
renames it, or packs it into a folder of the day, it is read on where it was left. What a pass was made of is remembered
(`position`) as soon as the next one is asked for, for by then its findings are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.extract import MiniCapture
from zonewatch.dissectors.live import Counts
from zonewatch.dissectors.schemas import TABLES
from zonewatch.dissectors.zeek.decoder import LogFile, Reading, is_superseded
from zonewatch.dissectors.zeek.logs import BESIDE, KINDS, rank
from zonewatch.dissectors.zeek.names import parts
from zonewatch.dissectors.zeek.point import Point
from zonewatch.dissectors.zeek.reading import Log, blocks
from zonewatch.dissectors.zeek.streams import DamagedError, beginning, pieces

MOST_FILES: Final = 100_000
"""Beginnings that are remembered."""
SETTLED: Final = 30.0
"""Seconds before a log is read that another one may tell better, so that the other one has come."""
_BEGINNING: Final = 65_536
_SEEN: Final = -1
"""Offset of a log that is not to be read: it was there, packed, when the folder was followed for the first time."""


@dataclass
class Place:
    """How far a log was read: octets of its text and lines."""

    offset: int = 0
    lines: int = 0


@dataclass
class _Open:
    """A log that is read on."""

    path: Path
    print: str
    reading: Reading
    place: Place
    inode: int
    size: int = 0


@dataclass
class _Position:
    """Where reading goes on, in a file of its own; written anew as a whole."""

    path: Path | None
    places: dict[str, Place] = field(default_factory=dict)
    is_new: bool = True

    def load(self) -> None:
        """What a run before left. A file that cannot be understood counts as none: all is read again."""
        if self.path is None or not self.path.is_file():
            return
        try:
            found = json.loads(self.path.read_text("utf-8"))
            self.places = {str(key): Place(int(offset), int(lines)) for key, (offset, lines) in found["logs"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        self.is_new = False

    def save(self, places: Mapping[str, Place]) -> None:
        """Writes it."""
        if self.path is None:
            return
        text = json.dumps({"version": 1, "logs": {key: [one.offset, one.lines] for key, one in places.items()}})
        beside = self.path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


class Followed:
    """A capture point whose packets Zeek sees: its logs are read as they are written.

    Made for one thread in `advance` and another one in all else. `position` is the file where its place is kept.
    """

    def __init__(
        self,
        source: str,
        folder: Path,
        position: Path | None = None,
        *,
        settled: float = SETTLED,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if not folder.is_dir():
            raise NotADirectoryError(20, "no folder that Zeek writes", str(folder))
        self._source, self._folder, self._settled = source, folder, settled
        self._clock = clock if clock is not None else _monotonic
        self._position = _Position(position)
        self._position.load()
        self._places = self._position.places
        self._open: dict[str, _Open] = {}
        self._first_seen: dict[str, float] = {}
        self._named: dict[tuple[int, int, int, int], str] = {}  # device, inode, size, change → beginning
        self._point = Point(source)
        self._finished: dict[str, pa.Table] = {}
        self._pending: dict[str, Place] | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._lines = self._octets = 0
        if self._position.is_new:
            self._pass_over()

    def __enter__(self) -> Followed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advance(self, milliseconds: int) -> bool:
        """Reads what has come, and waits so long; False where it was closed."""
        with self._lock:
            if not self._closed.is_set():
                self._read()
        return not self._closed.wait(milliseconds / 1_000)

    def take(self, table: str) -> pa.Table:
        """Rows of captures that were ended. Whoever asks has kept what was made of the snapshot before."""
        with self._lock:
            self._remember()
            return self._finished.pop(table, TABLES[table].empty_table())

    def snapshot(self) -> Snapshot:
        """All rows of the present capture, as if it ended now."""
        with self._lock:
            self._pending = {key: Place(one.offset, one.lines) for key, one in self._places.items()}
            return Snapshot(self._tables())

    def turn(self, capture: str) -> None:
        """Ends the present capture and begins another one, without losing a line."""
        del capture  # every log is a capture of its own
        with self._lock:
            self._end(goes_on=True)
            before, point = self._open, self._point
            self._open, self._point = {}, point.next()
            for key, one in before.items():
                self._open[key] = self._begun(one.path, key, one.place, one.inode)

    def close(self) -> None:
        """Reads what had come by then, and ends the capture: its last rows can be taken."""
        with self._lock:
            if self._closed.is_set():
                return
            self._read()
            self._end(goes_on=False)
            self._open = {}
            self._closed.set()

    def saved(self) -> None:
        """Says that what was made of the last rows is kept: their place is remembered."""
        with self._lock:
            self._position.save(self._places)

    def packets(
        self, frames: Sequence[tuple[int, int, int | None]], captures: int, most_octets: int
    ) -> tuple[MiniCapture, ...]:
        """None: a line is no packet."""
        del most_octets
        left = [0] * captures
        for _, number, _ in frames:
            left[number] += 1
        return tuple(MiniCapture(b"", 0, count) for count in left)

    def counts(self) -> Counts:
        """Lines and octets read, in place of packets."""
        return Counts(self._lines, self._octets, 0, 0, 0, (), ())

    def _tables(self) -> dict[str, pa.Table]:
        self._point.coverage = [one.reading.covered() for one in self._open.values() if one.reading.read is None]
        self._point.coverage += self._ended
        return self._point.tables()

    @property
    def _ended(self) -> list[dict[str, Any]]:
        return self._point.ended

    def _end(self, *, goes_on: bool) -> None:
        for one in self._open.values():
            one.reading.goes_on = goes_on
            one.reading.end()
        self._finished = self._tables()

    def _remember(self) -> None:
        if self._pending is not None:
            self._position.save(self._pending)
            self._pending = None

    def _pass_over(self) -> None:
        """Archives that are there when a folder is followed for the first time are of what was before."""
        for path in self._logs():
            if path.suffix in (".gz", ".zst", ".zstd") and (key := self._print(path)):
                self._places[key] = Place(_SEEN)
        self._position.save(self._places)

    def _logs(self) -> Iterator[Path]:
        """The logs of the folder, links in it followed, connections first."""
        found = []
        for base, folders, names in os.walk(self._folder, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))[:MOST_FILES]
            depth = len(Path(base).relative_to(self._folder).parts)
            if depth > 2:
                folders.clear()  # a link to a folder above would never end
            for name in sorted(names):
                known = parts(name)
                if known is not None and not name.startswith(".") and (known.kind in KINDS or known.kind in BESIDE):
                    found.append((rank(known.kind), known.kind in KINDS, Path(base) / name))
        return (path for _, _, path in sorted(found))

    def _print(self, path: Path) -> str:
        """By what a log is known: its kind, headers and first row; empty before that is written."""
        try:
            status = path.stat()
        except OSError:
            return ""
        same = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if same not in self._named:
            if len(self._named) > MOST_FILES:
                self._named.clear()
            found = _first_row(beginning(path, _BEGINNING))
            known = parts(path.name)
            kind = known.kind if known else ""
            self._named[same] = hashlib.sha256(kind.encode() + b"\n" + found).hexdigest() if found else ""
        return self._named[same]

    def _read(self) -> None:
        seen: set[str] = set()
        for path in self._logs():
            key = self._print(path)
            if not key or key in seen:
                continue  # nothing in it yet; or the same log under two names, as a link has them
            seen.add(key)
            if self._places.get(key, Place()).offset == _SEEN or not self._is_due(path, key):
                continue
            self._read_on(path, key)
        for key in [key for key in self._open if key not in seen]:
            one = self._open.pop(key)
            one.reading.goes_on = True
            one.reading.end()
            self._point.ended.append(one.reading.covered())
        if len(self._places) > MOST_FILES:
            for key in list(self._places)[: len(self._places) - MOST_FILES]:
                if key not in seen:
                    del self._places[key]

    def _is_due(self, path: Path, key: str) -> bool:
        known = parts(path.name)
        if known is None or known.kind not in KINDS or not KINDS[known.kind].instead:
            return True
        if is_superseded(path):
            self._open.pop(key, None)
            return False
        return self._clock() - self._first_seen.setdefault(key, self._clock()) >= self._settled

    def _read_on(self, path: Path, key: str) -> None:
        """What was written since."""
        try:
            status = path.stat()
        except OSError:
            return
        one = self._open.get(key)
        if one is not None and one.path == path and status.st_ino == one.inode and status.st_size == one.size:
            return
        if one is None:
            place = self._places.setdefault(key, Place())
            one = self._open[key] = self._begun(path, key, place, status.st_ino)
        one.path, one.inode, one.size = path, status.st_ino, status.st_size
        packed = path.suffix in (".gz", ".zst", ".zstd")
        counted = _Counted(_behind(path, one.place.offset), one.place.offset)
        reading = one.reading
        reading.log.rest = b""
        before = reading.log.lines
        try:
            reading.feed(counted, whole=False)
        except OSError:
            return  # it is gone between two looks; what it is called now is found at the next
        if packed and reading.log.rest:
            reading.feed((b"\n",), whole=False)  # what is packed has an end
        read = counted.offset - len(reading.log.rest)
        reading.log.rest = b""
        self._lines += reading.log.lines - before
        self._octets += read - one.place.offset
        one.place.offset, one.place.lines = read, reading.log.lines

    def _begun(self, path: Path, key: str, place: Place, inode: int) -> _Open:
        """A log from its place on; what its headers say is read anew."""
        known = parts(path.name)
        name = path.relative_to(self._folder).as_posix()
        kind = known.kind if known else ""
        main = KINDS.get(kind) or KINDS.get(BESIDE.get(kind, ""))
        reading = Reading(self._point, LogFile(f"{name} ({key[:8]})", path), main)
        if main is not None and kind not in KINDS:
            reading.read = main.beside[kind]
        if place.offset > 0:
            for _ in blocks((_headers(beginning(path, _BEGINNING)),), reading.log, (), whole=False):
                pass
            reading.log = Log(reading.log.header, reading.log.form, place.lines)
        reading.others = self._beside
        return _Open(path, key, reading, place, inode)

    def _beside(self, reading: Reading) -> tuple[Reading, ...]:
        """The logs of objects that are open now."""
        kind = reading.kind
        return tuple(one.reading for one in self._open.values() if one.reading.read and one.reading.kind is kind)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of a moment."""

    tables: Mapping[str, pa.Table]

    def take(self, table: str) -> pa.Table:
        """Rows of one table; as often as wanted."""
        return self.tables[table]


class _Counted:
    """Pieces of text, and how far they reach."""

    def __init__(self, text: Iterator[bytes], offset: int) -> None:
        self._text, self.offset = text, offset

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._text:
            self.offset += len(piece)
            yield piece


def _behind(path: Path, offset: int) -> Iterator[bytes]:
    """The text of a file from an octet on."""
    left = offset
    if path.suffix not in (".gz", ".zst", ".zstd"):
        with path.open("rb") as file:
            file.seek(offset)
            while piece := file.read(1 << 18):
                yield piece
        return
    try:
        for piece in pieces(path):
            if left >= len(piece):
                left -= len(piece)
                continue
            yield piece[left:]
            left = 0
    except DamagedError:
        return  # it is still being packed, or damaged: what there is was given


def _first_row(text: bytes) -> bytes:
    """Headers and the first row with its line end; nothing before that is whole."""
    at = 0
    while (end := text.find(b"\n", at) + 1) > 0:
        if not text[at:end].startswith(b"#") and text[at:end].strip():
            return text[:end]
        at = end
    return b""


def _headers(text: bytes) -> bytes:
    """The lines with `#` at the beginning, or the first of JSON."""
    if text.lstrip().startswith(b"{"):
        return text[: text.find(b"\n") + 1]
    row = _first_row(text)
    return row[: row.rstrip(b"\n").rfind(b"\n") + 1]


def _monotonic() -> float:
    import time

    return time.monotonic()
