"""How regularly something is asked for, and when it stops.

Whole events give every gap. Aggregates give a mean gap for each quarter of an hour, which hides how the single gaps
vary: they are taken to vary by the square root of their number more than their means do, so that random traffic,
whose means are steady, is not taken for polling.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.tables import plain
from zonewatch.inventory.traffic import ANSWERS
from zonewatch.rules.baseline.model import EdgeKey, FunctionKey, Points
from zonewatch.rules.baseline.rows import Names, Row, Talk

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

SECOND: Final = 1_000_000_000
BUCKET: Final = 900 * SECOND
FEWEST_GAPS: Final = 100
FEWEST_BEATS: Final = 4
"""Quarters of an hour that mean gaps must be known of."""
REGULAR: Final = 0.8
FEWEST_IN_A_ROW: Final = 10
NORMAL: Final = 1.4826
"""Times the median absolute deviation is the standard deviation of a normal distribution."""
HOLE: Final = 5 * SECOND
"""Files of one capture point with less than this between them go on without a break."""
LONG: Final = 30 * SECOND
"""A time this long without any packet is no observation."""
SILENT_PERIODS: Final = 5


class Line(NamedTuple):
    """What may come again and again."""

    edge: EdgeKey
    function: FunctionKey
    points: Points | None


class Beat(NamedTuple):
    """A line within a quarter of an hour."""

    source: str
    first: int
    last: int
    times: int
    gap: float  # nanoseconds: the median of its gaps, or their mean; 0 where there is none


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A line with its gaps."""

    beats: tuple[Beat, ...]
    gaps: int = 0
    period: float = 0.0  # nanoseconds
    mad: float = 0.0
    longest: float = 0.0  # of its gaps, and of the times before the first and after the last

    @property
    def regular(self) -> bool:
        """True for what is polled: the gaps are many and alike, and so all the time."""
        if self.gaps < FEWEST_GAPS or self.period <= 0 or 1 - NORMAL * self.mad / self.period < REGULAR:
            return False
        allowed = tolerance(self.period, self.mad)
        return all(abs(beat.gap - self.period) <= allowed for beat in self.beats if beat.times > FEWEST_IN_A_ROW)


def tolerance(period: float, mad: float) -> float:
    """How far the gaps of a quarter of an hour may be from the period."""
    return max(6 * NORMAL * mad, period / 4)


Times = dict[Line, list[tuple[str, int]]]
"""By line, the capture points and moments (UTC nanoseconds) at which it was answered."""


_LINE: Final = ("source", "client", "server", "protocol", "function", "function_name", "operation", "server_unit")
_OBJECT: Final = ("kind", "start", "count", "property_name")


def moments(events: pa.Table) -> pa.Table:
    """Of whole events no more than when what was answered: a row for each object of each, few octets a row."""
    status, message = (events[name].cast(pa.utf8()) for name in ("status", "kind"))
    answered = pc.or_(pc.is_in(status, value_set=pa.array(sorted(ANSWERS))), pc.equal(message, "unsolicited"))
    table = events.select((*_LINE, "time", "objects")).filter(answered).combine_chunks()
    lists: Any = pc.fill_null(pc.list_value_length(table["objects"]), 0)
    alone = table.filter(pc.equal(lists, 0)).drop_columns(["objects"])
    objects = table["objects"].combine_chunks()
    told = table.take(pc.list_parent_indices(objects)).drop_columns(["objects"])
    inner: Any = pc.list_flatten(objects)
    for name in _OBJECT:
        column = inner.field(name)
        told = told.append_column(f"object_{name}", column)
        alone = alone.append_column(f"object_{name}", pa.nulls(alone.num_rows, column.type))
    return pa.concat_tables([told, alone])


def times_of(found: pa.Table, names: Names) -> Times:
    """When each line came, out of `moments`."""
    told: Times = defaultdict(list)
    columns = (*_LINE, *(f"object_{name}" for name in _OBJECT))
    table = plain(found)
    lines: dict[tuple[Any, ...], tuple[str, Line]] = {}
    keys: Any = zip(*(table[name].to_pylist() for name in columns), strict=True)
    times: Any = table["time"].to_pylist()
    for key, time in zip(keys, times, strict=True):
        line = lines.get(key)
        if line is None:
            source, client, server, protocol, code, name, operation, unit, kind, start, count, prop = key
            edge = (names.at(source, client), names.at(source, server), protocol)
            points = Points.of(kind, start, count, prop) if kind else None
            line = lines[key] = (source, Line(edge, (code, name, operation, unit or ""), points))
        told[line[1]].append((line[0], time))
    return told


def exact(times: Times, windows: Windows) -> dict[Line, Rhythm]:
    """The rhythms out of every moment."""
    return {line: _exact(sorted(moments), windows) for line, moments in times.items()}


def _exact(moments: Sequence[tuple[str, int]], windows: Windows) -> Rhythm:
    pairs = [
        (source, one, other)
        for (source, one), (place, other) in itertools.pairwise(moments)
        if source == place and windows.together(source, one, other)
    ]
    gaps = [other - one for _, one, other in pairs]
    period = float(median(gaps)) if gaps else 0.0
    mad = float(median([abs(gap - period) for gap in gaps])) if gaps else 0.0
    going = {(source, other) for source, one, other in pairs if other - one <= max(SILENT_PERIODS * period, LONG)}
    beats: list[Beat] = []
    run: list[int] = []
    for index, (source, time) in enumerate(moments):
        run.append(time)
        following = moments[index + 1] if index + 1 < len(moments) else ("", 0)
        if following not in going or following[1] // BUCKET != time // BUCKET:
            inside = [other - one for one, other in itertools.pairwise(run)]
            beats.append(Beat(source, run[0], time, len(run), float(median(inside)) if inside else 0.0))
            run = []
    return Rhythm(tuple(beats), len(gaps), period, mad, windows.longest(beats, max(gaps, default=0)))


def coarse(rows: Iterable[Row], windows: Windows) -> dict[Line, Rhythm]:
    """The rhythms out of aggregates."""
    found: defaultdict[Line, dict[tuple[str, int], Beat]] = defaultdict(dict)
    for row in rows:
        if row.coalesced or not row.answered:
            continue
        line = Line(row.edge, row.function, row.points)
        times = row.times if row.points is not None else row.events
        known = found[line].get((row.source, row.bucket))
        first, last = row.first, row.last
        if known is not None:
            times, first, last = times + known.times, min(first, known.first), max(last, known.last)
        gap = (last - first) / (times - 1) if times > 1 else 0.0
        found[line][row.source, row.bucket] = Beat(row.source, first, last, times, gap)
    return {line: _coarse(tuple(sorted(beats.values())), windows) for line, beats in found.items()}


def _coarse(beats: tuple[Beat, ...], windows: Windows) -> Rhythm:
    told = [beat for beat in beats if beat.times > 1]
    longest = windows.longest(beats, max((beat.gap for beat in told), default=0.0))
    if len(told) < FEWEST_BEATS:
        return Rhythm(beats, longest=longest)
    period = float(median([beat.gap for beat in told]))
    spread = median([abs(beat.gap - period) * math.sqrt(beat.times - 1) for beat in told])
    return Rhythm(beats, sum(beat.times - 1 for beat in told), period, float(spread), longest)


class Windows:
    """When each capture point saw anything at all."""

    def __init__(self, coverage: pa.Table) -> None:
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        quiet: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        columns = ("source", "first_time", "last_time", "silence", "silence_start_time")
        table = plain(coverage.select(columns))
        for source, first, last, silence, start in zip(*(table[name].to_pylist() for name in columns), strict=True):
            if first is not None and last is not None:
                found[source].append((first, last))
            if silence >= LONG and start is not None:
                quiet[source].append((start, start + silence))
        self._spans = {source: tuple(_without(_merged(spans), quiet[source])) for source, spans in found.items()}

    def spans(self, source: str) -> tuple[tuple[int, int], ...]:
        """The times of observation, in their order."""
        return self._spans.get(source, ())

    @property
    def sources(self) -> tuple[str, ...]:
        """All capture points."""
        return tuple(sorted(self._spans))

    def silences(self, source: str, beats: Iterable[Beat]) -> Iterator[tuple[int, int]]:
        """The times of observation at a capture point in which a line was not seen."""
        own = sorted((beat.first, beat.last) for beat in beats if beat.source == source)
        for begin, end in self.spans(source):
            at = begin
            for first, last in own:
                if last < begin or first > end:
                    continue
                if first > at:
                    yield at, first
                at = max(at, last)
            if end > at:
                yield at, end

    def longest(self, beats: Sequence[Beat], gap: float) -> float:
        """The longest time in which a line was not seen at the points where it is, or this gap where that is longer."""
        points = {beat.source for beat in beats}
        silent = (last - first for source in sorted(points) for first, last in self.silences(source, beats))
        return float(max((*silent, gap)))

    def together(self, source: str, first: int, last: int) -> bool:
        """True where nothing was missed between two moments."""
        return any(start <= first and last <= end for start, end in self.spans(source))


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + HOLE:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _without(spans: Iterable[tuple[int, int]], quiet: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        begin = first
        for start, end in sorted(quiet):
            if begin <= start and end <= last:
                yield begin, start
                begin = end
        yield begin, last


class Life:
    """Signs of life on the wire, to tell a silent device from a silent wire."""

    def __init__(self, rhythms: Mapping[Line, Rhythm], rows: Iterable[Row], talks: Iterable[Talk]) -> None:
        moments: defaultdict[str, set[int]] = defaultdict(set)
        self._beats: defaultdict[str, list[Beat]] = defaultdict(list)
        for line, rhythm in rhythms.items():
            for beat in rhythm.beats:
                moments[line.edge[1]].update((beat.first, beat.last))
                self._beats[line.edge[1]].append(beat)
        for row in rows:
            if not row.answered:
                moments[f"asked by {row.client}"].update((row.first, row.last))
        for talk in talks:
            moments[f"{talk.protocol} of {talk.client}"].update(moment for span in talk.spans for moment in span)
        self._moments = {who: sorted(found) for who, found in moments.items()}

    def others(self, server: str, first: int, last: int) -> bool:
        """True where anything else was seen within the span."""
        return any(self.of(other, first, last) for other in self._moments if other != server)

    def of(self, server: str, first: int, last: int) -> bool:
        """True where this server answered within the span (both moments excluded)."""
        moments = self._moments.get(server, [])
        place = bisect_left(moments, first + 1)
        if place < len(moments) and moments[place] < last:
            return True
        return any(
            beat.first <= first and beat.last >= last and 0 < beat.gap < last - first
            for beat in self._beats.get(server, ())
        )
