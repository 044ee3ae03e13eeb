"""Zeek's logs to the engine's tables: the face of this package.

    tables = decode("plant", [LogFile("conn.log", path), …])

Logs are read a block at a time, connections first. A log that tells the objects of another one's events is read beside
it, up to the same time. Everything that is held has a bound; what does not fit is counted in `coverage`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.schemas import COVERAGE
from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.dissectors.zeek import NOT_READ, PREFIX
from zonewatch.dissectors.zeek.activities import of_events
from zonewatch.dissectors.zeek.exchanges import EXCHANGES, Messages, Pairing, as_events, with_objects
from zonewatch.dissectors.zeek.logs import BESIDE, KINDS, rank
from zonewatch.dissectors.zeek.names import Name, parts
from zonewatch.dissectors.zeek.point import Point
from zonewatch.dissectors.zeek.reading import Block, Log, blocks
from zonewatch.dissectors.zeek.rows import Rows, pc
from zonewatch.dissectors.zeek.streams import ahead, pieces
from zonewatch.dissectors.zeek.told import Found, Kind, Lines

MOST_BESIDE: Final = 500_000
"""Objects that wait for their events."""
STEP_BACK: Final = 3_600 * 10**9
"""Times of a log step back a little, for a line is written when all of it is known."""
Progress = Callable[[int, int], None]
"""Called with the lines and the octets of input read so far."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log: its name in results (without the prefix), and its path."""

    name: str
    path: Path


@dataclass
class Reading:
    """One log that is being read, whole or as far as it is written."""

    point: Point
    file: LogFile
    kind: Kind | None  # None: not known until its first line was read, or not read at all
    log: Log = field(default_factory=Log)
    beside: tuple[Reading, ...] = ()
    goes_on: bool = False  # a later log of the same name follows
    objects: list[pa.Table] = field(default_factory=list)  # of a log beside another one
    last_time: int = 0
    first_time: int | None = None
    untimed: int = 0
    jumps: int = 0
    rows: int = 0
    events: int = 0
    packets: int = 0
    octets: int = 0
    connections: int = 0
    gaps: tuple[int, int] = (0, 0)
    told: int = 0  # oddities handed over
    counted: int = 0
    lacking: str = ""
    requests_dropped: int = 0
    timeless: list[int] = field(default_factory=list)  # lines not told yet
    weird: int = 0  # messages that Zeek found odd
    read: Callable[[Lines], pa.Table] | None = None  # of a log beside another one
    progress: Progress | None = None
    others: Callable[[Reading], tuple[Reading, ...]] | None = None
    """Asked for the logs beside it, where those come and go."""

    @property
    def capture(self) -> str:
        """Its name in tables."""
        return PREFIX + self.file.name

    @property
    def pairing(self) -> Pairing:
        """Requests of this log, and of those of its name before, that wait."""
        return self.point.pairings.setdefault(self.kind.name if self.kind else "", Pairing())

    def feed(self, text: Iterable[bytes], *, whole: bool = True) -> None:
        """Reads on."""
        for lines in self.take(text, whole=whole):
            self._heed(lines)
        if whole:
            self.end()

    def take(self, text: Iterable[bytes], *, whole: bool = True) -> Iterator[Lines]:
        """The lines of the text, with times."""
        kind = self.kind
        wanted = frozenset(kind.columns if self.read is None else kind.beside_columns) if kind else frozenset()
        read = blocks(text, self.log, wanted, whole=whole)
        for block in ahead(read) if whole else read:
            if self.progress is not None:
                self.progress(self.point.lines, self.point.bytes_read)
            if kind is not None and not self._lacks(block, kind):
                yield self._timed(block)
        self._tell()

    def _lacks(self, block: Block, kind: Kind) -> bool:
        there = set(block.columns.column_names)
        for names in kind.needs if self.read is None else (("ts",),):
            if not there.intersection(names):
                self.lacking = f"has no column {' or '.join(names)}"
                return True
        return False

    def _timed(self, block: Block) -> Lines:
        rows = Rows(block)
        time = rows.time("ts")
        untimed = time.null_count
        if untimed:
            self.untimed += untimed
            if untimed < len(time):
                first = pc.index(pc.is_valid(time), True).as_py()
                self.timeless.append(rows.line[pc.index(pc.is_null(time), True).as_py()].as_py())
                filled = pc.fill_null_forward(time)
                time = pc.fill_null(filled, self.last_time or time[first].as_py())
            else:
                time = pa.repeat(pa.scalar(self.last_time, pa.int64()), len(time))
        if len(time):
            spread = pc.min_max(time).as_py()
            known = [one for one in (self.first_time, spread["min"]) if one is not None]
            if untimed < len(time):
                self.first_time = min(known)
            back = pc.less(time, pc.subtract(pc.cumulative_max(time), STEP_BACK))
            self.jumps += int(bool(pc.any(back).as_py()) or spread["max"] < self.last_time - STEP_BACK)
            self.last_time = max(self.last_time, spread["max"])
        self.rows += len(time)
        return Lines(rows, time, timed=untimed < max(len(time), 1), udp=self.point.flows.udp, learnt=self.point.learnt)

    def _heed(self, lines: Lines) -> None:
        kind, point = self.kind, self.point
        if kind is None:
            return
        if self.read is not None:
            self.objects.append(self.read(lines))
            return
        if kind.name == "conn":
            before = (point.flows.packets, point.flows.bytes, point.flows.gaps, point.flows.gap_bytes)
            point.flows.add(lines.rows, lines.time, self.capture)
            after = (point.flows.packets, point.flows.bytes, point.flows.gaps, point.flows.gap_bytes)
            self.packets += after[0] - before[0]
            self.octets += after[1] - before[1]
            self.gaps = (self.gaps[0] + after[2] - before[2], self.gaps[1] + after[3] - before[3])
            self.connections += len(lines)
            return
        found = kind.read(lines)
        point.learnt.learn(kind.name, found.learnt)
        self._events(found, lines)
        for table in found.activities:
            point.activities.add(table, self.capture)
        for table in found.claims:
            point.claims.add(table, self.capture)
        if found.flows is not None:
            point.flows.name(kind.protocol, self.capture, found.flows)
        if found.odd is not None:
            self._odd(found.odd)

    def _events(self, found: Found, lines: Lines) -> None:
        made = [found.events] if found.events is not None else []
        if found.messages is not None:
            made.append(self._paired(found.messages))
        if made and len(lines):
            self._count(pa.concat_tables(made), pc.max(lines.time).as_py() if lines.timed else None)

    def _paired(self, messages: Messages | None) -> pa.Table:
        """Events of this log; those that began in the one before it are counted there."""
        pairing = self.pairing
        dropped = pairing.dropped
        events, before, of_log = pairing.pair(messages, self.capture)
        self.requests_dropped += pairing.dropped - dropped
        if self.kind is not None and before.num_rows:
            before, left = with_objects(before, self.point.carried.pop(self.kind.name, EXCHANGES.empty_table()))
            self._add(before, of_log, self.capture)
            self._alone(left, "no_response")
        return events

    def _count(self, events: pa.Table, until: int | None, *, last: bool = False) -> None:
        for other in self.others(self) if self.others else self.beside:
            events, left = with_objects(events, other.waiting(until))
            other.keep(left, last=last)
        self._add(events, self.capture)

    def _add(self, events: pa.Table, capture: str, answered_in: str = "") -> None:
        if self.kind is not None and events.num_rows:
            if self.kind.protocol not in PROTOCOLS:
                self.point.activities.add(of_events(events, self.kind.protocol), capture)
                return
            counts = self.point.counts(self.kind.protocol)
            before = counts.events
            counts.add(events, capture, answered_in)
            self.events += counts.events - before

    def waiting(self, until: int | None) -> pa.Table:
        """The objects of events up to that time."""
        del until
        objects, self.objects = self.objects, []
        return pa.concat_tables([EXCHANGES.empty_table(), *objects]).combine_chunks()

    def keep(self, objects: pa.Table, *, last: bool) -> None:
        """Objects that were of no event yet. The oldest are given up: told as requests that nobody answered."""
        if last or objects.num_rows > MOST_BESIDE:
            self._let_go(objects)
        elif objects.num_rows:
            self.objects.insert(0, objects)

    def _let_go(self, objects: pa.Table) -> None:
        """Objects that are of no event of this log: of a request that waits, or of none."""
        if self.kind is not None and objects.num_rows and (pairing := self.point.pairings.get(self.kind.name)):
            waits = pairing.waits_for(objects)
            there = self.point.carried.get(self.kind.name, EXCHANGES.empty_table())
            self.point.carried[self.kind.name] = pa.concat_tables([there, objects.filter(waits)])
            objects = objects.filter(pc.invert(waits))
        self._alone(objects, "no_response")

    def _alone(self, objects: pa.Table, status: str) -> None:
        if objects.num_rows:
            self._add(as_events(objects, status), self.capture)

    def end(self) -> None:
        """The log is over: where no other one of its name follows, what waited has had no answer."""
        if self.read is not None:
            self._let_go(Reading.waiting(self, None))
            return
        left = EXCHANGES.empty_table() if self.goes_on else self._paired(None)
        for other in self.beside:
            other.exhaust()
        if left.num_rows or self.beside:
            self._count(left, None, last=not self.others)

    def exhaust(self) -> None:
        """Reads what is left of a log beside another one."""

    def _tell(self) -> None:
        """Hands over what was odd. The log itself is another thread's while it is read."""
        point = self.point
        for line in self.timeless:
            self.log.note(line, "invalid_value", "a time")
        self.timeless.clear()
        point.odd += self.log.odd - self.counted
        self.counted = self.log.odd
        for row in self.log.oddities[self.told :]:
            point.note(
                capture=self.capture, frame=row.line, time=self.last_time, layer="log", code=row.code,
                expected=row.expected,
            )  # fmt: skip
        self.told = len(self.log.oddities)

    def _odd(self, rows: pa.Table) -> None:
        """Messages that Zeek found odd; those without a code here are counted only."""
        self.weird += rows.num_rows
        rows = rows.filter(pc.is_valid(rows["code"]))
        self.point.odd += rows.num_rows
        for row in rows.slice(0, self.point.room_for_oddities).to_pylist():
            self.point.note(capture=self.capture, **row)

    def covered(self, sha256: str = "", problem: str = "", *, unreadable: bool = False) -> dict[str, Any]:
        """Its row of `coverage`."""
        known = parts(self.file.name)
        name = self.log.header.path or (known.kind if known else self.file.name)
        form = {"tsv": "tabs", "json": "JSON"}.get(self.log.form, "empty")
        read = f"({form}), {self.log.lines} lines" if self.kind else NOT_READ
        problem = problem or self.lacking or self.log.problem
        row: dict[str, Any] = {one.name: 0 for one in COVERAGE if not one.nullable and pa.types.is_integer(one.type)}
        return row | {
            "source": self.point.source,
            "capture": self.capture,
            "format": f"Zeek log {name} {read}",
            "sha256": sha256,
            "status": "unreadable" if unreadable or self.lacking else "partial" if problem else "whole",
            "problem": problem,
            "packets": self.packets,
            "bytes": self.octets,
            "first_time": self.first_time,
            "last_time": self.last_time if self.first_time is not None else None,
            "untimed_packets": self.untimed,
            "clock_jumps": self.jumps,
            "gaps": self.gaps[0],
            "gap_bytes": self.gaps[1],
            "flows": self.connections,
            "exchanges_dropped": self.requests_dropped,
            "events": self.events,
            "oddities": self.log.odd + self.weird,
            "undecoded": [],
            "unknown": [],
        }


class _Beside(Reading):
    """A log that is read beside another one of a whole folder, up to the time of that."""

    lines: Iterator[Lines] | None = None
    reached: int = 0

    def waiting(self, until: int | None) -> pa.Table:
        while self.lines is not None and (until is None or self.reached <= until):
            lines = next(self.lines, None)
            if lines is None:
                self.lines = None
                break
            self._heed(lines)
            self.reached = self.last_time if lines.timed else -1
            if sum(table.num_rows for table in self.objects) > MOST_BESIDE:
                break
        return super().waiting(until)

    def exhaust(self) -> None:
        # All at once would have no bound.
        while self.lines is not None:
            self._let_go(super().waiting(None))
            lines = next(self.lines, None)
            if lines is None:
                self.lines = None
            else:
                self._heed(lines)


def decode(source: str, files: Sequence[LogFile], progress: Progress | None = None) -> dict[str, pa.Table]:
    """All tables of one pass over the logs of a capture point."""
    point = Point(source)
    groups = plan(files)
    last = {name: file for file, name, _ in groups}
    for group in groups:
        _read(point, group, progress, goes_on=last[group[1]] is not group[0])
    return point.tables()


def plan(files: Sequence[LogFile]) -> list[tuple[LogFile, str, tuple[LogFile, ...]]]:
    """The order of reading: connections first, then what others refer to, each log with those beside it; a log that
    another one tells better is left out (its kind is empty). Logs of one rotation belong together."""
    known = {file: name for file in files if (name := parts(file.name)) is not None}
    there = {(name.rotation, name.kind): file for file, name in known.items()}
    found: list[tuple[LogFile, str, tuple[LogFile, ...]]] = []
    for file in sorted(files, key=lambda one: _order(known.get(one))):
        name = known.get(file)
        kind = KINDS.get(name.kind) if name else None
        if name is not None and name.kind in BESIDE and name.kind not in KINDS:
            if (name.rotation, BESIDE[name.kind]) not in there:
                found.append((file, name.kind, ()))  # alone: read for itself
            continue
        instead = kind is not None and kind.instead and name and (name.rotation, kind.instead) in there
        if kind is None or name is None or instead:
            found.append((file, "", ()))
            continue
        beside = tuple(there[key] for other in kind.beside if (key := (name.rotation, other)) in there)
        found.append((file, kind.name, beside))
    return found


def _order(name: Name | None) -> tuple[bool, str, str, int]:
    """Connections first; then by time, of which the log that is still written is the last."""
    if name is None:
        return (True, "", "", 0)
    folder, rest = name.rotation
    return (name.kind != "conn", folder, rest or chr(0x7F), rank(name.kind))


def is_superseded(path: Path) -> bool:
    """Whether a log lies beside this one that tells the same and more."""
    name = parts(path.name)
    instead = KINDS[name.kind].instead if name and name.kind in KINDS else ""
    return bool(instead) and path.with_name(path.name.replace(name.kind if name else "", instead, 1)).exists()


def _read(
    point: Point, planned: tuple[LogFile, str, tuple[LogFile, ...]], progress: Progress | None, *, goes_on: bool
) -> None:
    file, name, others = planned
    kind = KINDS.get(name) or KINDS.get(BESIDE.get(name, ""))
    if name and name not in KINDS and kind is not None:
        _alone(point, file, kind.beside[name], kind, progress)
        return
    beside = []
    for other in others:
        found = parts(other.name)
        if kind is not None and found is not None:
            one = _Beside(point, other, kind, read=kind.beside[found.kind], progress=progress)
            one.lines = one.take(_counted(point, other.path))
            beside.append(one)
    reading = Reading(point, file, kind, beside=tuple(beside), goes_on=goes_on, progress=progress)
    if kind is None:
        point.coverage.append(reading.covered())
        return
    _whole(reading, lambda: reading.feed(_counted(point, file.path)))
    for one in beside:
        twice = parts(one.file.name)
        if twice is None or twice.kind not in KINDS:
            point.coverage.append(one.covered(_sha256(one.file.path)))


def _alone(
    point: Point, file: LogFile, read: Callable[[Lines], pa.Table], kind: Kind, progress: Progress | None
) -> None:
    """A log of objects without the log of their events: each of its messages is an event of unknown outcome."""
    reading = Reading(point, file, kind, read=read, progress=progress)

    def go() -> None:
        for lines in reading.take(_counted(point, file.path)):
            reading._heed(lines)
            reading._alone(reading.waiting(None), "cut")

    _whole(reading, go)


def _whole(reading: Reading, read: Callable[[], None]) -> None:
    problem, unreadable = "", False
    try:
        read()
    except OSError as error:
        problem, unreadable = error.strerror or str(error), True
    else:
        unreadable = bool(reading.kind) and not reading.log.form and bool(reading.log.problem)
    sha256 = "" if unreadable else _sha256(reading.file.path)
    reading.point.coverage.append(reading.covered(sha256, problem, unreadable=unreadable))


def _counted(point: Point, path: Path) -> Iterator[bytes]:
    for piece in pieces(path):
        point.lines += piece.count(b"\n")
        point.bytes_read += len(piece)
        yield piece


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def joined(points: Iterable[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """The tables of several capture points."""
    found = list(points)
    return {name: pa.concat_tables([one[name] for one in found]) for name in found[0]} if found else {}
