"""Traffic to a baseline.

seen = observed(inventory, tables, known, times)   # rows, connections, rhythms
baseline = learned(seen, inventory, tables["coverage"])
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.addresses import order as address_order
from zonewatch.inventory.model import Asset, Inventory, Target
from zonewatch.inventory.tables import plain
from zonewatch.inventory.targets import merge_targets
from zonewatch.rules.baseline.model import (
    IDENTITY,
    SEVERAL,
    VALUED,
    VERSION,
    Baseline,
    Capture,
    Edge,
    EdgeKey,
    Function,
    FunctionKey,
    Habit,
    KnownAsset,
    Objects,
    Points,
    SeenRecord,
    Span,
    Transition,
)
from zonewatch.rules.baseline.rhythm import SECOND, Life, Line, Rhythm, Times, Windows, coarse, exact
from zonewatch.rules.baseline.rows import Names, Row, Talk, oriented, rows, talks
from zonewatch.rules.seen import DAY

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

HOUR: Final = 3_600 * SECOND
MOST_IN_VAIN: Final = 16
"""A client that asked more servers than this in vain is learned to ask several."""
MOST_OBJECTS: Final = 256
"""Ranges of one function that are told one by one; more are merged, without values and periods."""
SELECT: Final = {("dnp3", 3)}
DIRECT: Final = {("dnp3", 5), ("dnp3", 6)}
"""Function codes of IEEE 1815: select; direct operate with and without a response."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state-changing function in the order of time."""

    time: int
    label: str
    evidence: tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Observed:
    """Traffic as it is learned or compared."""

    names: Names
    rows: tuple[Row, ...]
    talks: tuple[Talk, ...]
    rhythms: Mapping[Line, Rhythm]
    windows: Windows
    life: Life
    steps: Mapping[EdgeKey, tuple[Step, ...]]
    exact: bool  # the rhythms are those of whole events


def observed(
    inventory: Inventory,
    tables: Mapping[str, pa.Table],
    known: Iterable[KnownAsset] = (),
    times: Times | None = None,
    names: Names | None = None,
) -> Observed:
    """The tables as rows. `times` are those of whole events; without them gaps come from the aggregates."""
    names = names or Names(inventory, known)
    found = tuple(rows(tables["aggregates"], names))
    spoken = tuple(talks(inventory, tables["flows"], names))
    windows = Windows(tables["coverage"])
    rhythms = coarse(found, windows) if times is None else exact(times, windows)
    return Observed(
        names=names,
        rows=found,
        talks=spoken,
        rhythms=rhythms,
        windows=windows,
        life=Life(rhythms, found, spoken),
        steps=steps(tables["events"], names),
        exact=times is not None,
    )


def steps(events: pa.Table, names: Names) -> dict[EdgeKey, tuple[Step, ...]]:
    """By edge, the functions that changed state, in the order of time."""
    columns = ("source", "client", "server", "protocol", "function", "function_name", "operation", "time", "capture")
    changing = pc.is_in(events["operation"].cast(pa.utf8()), value_set=pa.array(sorted(STATE_CHANGING)))
    table = plain(events.select((*columns, "request_frames", "response_frames")).filter(changing))
    table = table.sort_by([("time", "ascending")])
    found: defaultdict[EdgeKey, list[Step]] = defaultdict(list)
    for source, client, server, protocol, code, name, operation, time, capture, asked, told in zip(
        *(table[name].to_pylist() for name in (*columns, "request_frames", "response_frames")), strict=True
    ):
        frames = asked or told or [0]
        edge = (names.at(source, client), names.at(source, server), protocol)
        label = name or (f"function {code}" if code is not None else operation)
        found[edge].append(Step(time, label, (source, capture, frames[0])))
    return {edge: tuple(items) for edge, items in found.items()}


@dataclass(slots=True)
class Tally:
    """Times, days and hours as they come."""

    times: int = 0
    days: set[int] = field(default_factory=set)
    hours: set[int] = field(default_factory=set)

    def add(self, times: int, first: int, last: int) -> None:
        """Counts something that went on from one moment to another."""
        self.times += times
        self.days.update(range(first // DAY, last // DAY + 1))
        self.hours.update(hour % 24 for hour in range(first // HOUR, min(last // HOUR, first // HOUR + 23) + 1))

    def seen(self) -> SeenRecord:
        """What the file says of it."""
        first, last = min(self.days, default=0), max(self.days, default=0)
        return SeenRecord(
            times=self.times, days=len(self.days), first=_day(first), last=_day(last), hours=tuple(sorted(self.hours))
        )


def _day(number: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=number)


@dataclass(slots=True)
class _Range:
    times: int = 0
    low: float | None = None
    high: float | None = None
    changes: int = 0

    def add(self, row: Row) -> None:
        self.times += row.times
        self.changes += row.changes
        if row.low is not None and row.high is not None:
            self.low = row.low if self.low is None else min(self.low, row.low)
            self.high = row.high if self.high is None else max(self.high, row.high)


@dataclass(slots=True)
class _Function:
    tally: Tally = field(default_factory=Tally)
    ranges: defaultdict[Points, _Range] = field(default_factory=lambda: defaultdict(_Range))
    wide: set[Points] = field(default_factory=set)  # stand for many


@dataclass(slots=True)
class _Edge:
    tally: Tally = field(default_factory=Tally)
    answered: bool = False
    units: set[str] = field(default_factory=set)
    functions: defaultdict[FunctionKey, _Function] = field(default_factory=lambda: defaultdict(_Function))


def learned(seen: Observed, inventory: Inventory, coverage: pa.Table) -> Baseline:
    """All of it, every asset at the stage learning."""
    edges: defaultdict[EdgeKey, _Edge] = defaultdict(_Edge)
    for row in seen.rows:
        edge = edges[row.edge]
        edge.tally.add(row.events, row.first, row.last)
        edge.answered = edge.answered or row.answered or row.status == "one_way"
        if row.client_unit:
            edge.units.add(row.client_unit)
        function = edge.functions[row.function]
        function.tally.add(row.events, row.first, row.last)
        if row.points is not None:
            function.ranges[row.points].add(row)
            if row.coalesced:
                function.wide.add(row.points)
    in_vain = Counter(talk.client for talk in seen.talks if not talk.answered)
    for talk in seen.talks:
        many = not talk.answered and in_vain[talk.client] > MOST_IN_VAIN
        edge = edges[(talk.client, SEVERAL, talk.protocol) if many else oriented(talk, edges)]
        edge.answered = edge.answered or talk.answered
        edge.tally.add(talk.connections, *talk.spans[0])
        for span in talk.spans[1:]:
            edge.tally.add(0, *span)
    return Baseline(
        baseline_version=VERSION,
        learned=captures(coverage),
        assets=tuple(_assets(seen.names, inventory, edges)),
        edges=tuple(_edge(key, edges[key], seen) for key in sorted(edges)),
    )


def _edge(key: EdgeKey, found: _Edge, seen: Observed) -> Edge:
    client, server, protocol = key
    functions = [_learned(key, name, item, seen.rhythms) for name, item in found.functions.items()]
    return Edge(
        client=client,
        server=server,
        protocol=protocol,
        answered=found.answered,
        client_units=tuple(sorted(found.units, key=lambda unit: (len(unit), unit))),
        seen=found.tally.seen(),
        select_before_operate=habit(protocol, functions),
        functions=tuple(sorted(functions, key=lambda function: function.order)),
        transitions=tuple(_transitions(step.label for step in seen.steps.get(key, ()))),
    )


def habit(protocol: str, functions: Iterable[Function]) -> Habit | None:
    """How often commands were selected first, and how often not; none where the protocol knows no selecting."""
    told = [((protocol, function.code or 0), function.seen.times) for function in functions]
    selected = sum(times for code, times in told if code in SELECT)
    direct = sum(times for code, times in told if code in DIRECT)
    return Habit(selected=selected, direct=direct) if selected or direct else None


def _transitions(labels: Iterable[str]) -> Iterable[Transition]:
    told = list(labels)
    counts = Counter(itertools.pairwise(told))
    for (before, after), times in sorted(counts.items()):
        yield Transition(before=before, after=after, times=times)


def _learned(edge: EdgeKey, key: FunctionKey, found: _Function, rhythms: Mapping[Line, Rhythm]) -> Function:
    code, name, operation, unit = key
    return Function(
        code=code,
        name=name,
        operation=operation,
        unit=unit,
        seen=found.tally.seen(),
        objects=tuple(sorted(_objects(edge, key, found, rhythms), key=lambda item: item.range.order)),
    )


def _objects(edge: EdgeKey, key: FunctionKey, found: _Function, rhythms: Mapping[Line, Rhythm]) -> Iterable[Objects]:
    if len(found.ranges) > MOST_OBJECTS:
        yield from _merged(found.ranges)
        return
    for points, item in found.ranges.items():
        valued = item.low is not None and item.high is not None and points.kind in VALUED
        rhythm = rhythms.get(Line(edge, key, points)) if points not in found.wide else None
        period = rhythm if rhythm is not None and rhythm.regular else None
        yield Objects(
            range=points,
            times=item.times,
            values=Span(item.low, item.high) if valued and item.low is not None and item.high is not None else None,
            changes=item.changes if valued else 0,
            period=_seconds(period.period) if period else None,
            mad=_seconds(period.mad) if period else None,
            longest=_seconds(period.longest) if period else None,
            gaps=period.gaps if period else 0,
        )


def _merged(ranges: Mapping[Points, _Range]) -> Iterable[Objects]:
    targets = merge_targets(
        (Target(points.kind, points.start, points.count, points.property_name) for points in ranges), MOST_OBJECTS
    )
    for target in targets:
        if target.kind:
            points = Points.of(target.kind, target.start, target.count, target.property_name)
            yield Objects(range=points, times=sum(item.times for one, item in ranges.items() if one.meets(points)))


def _seconds(nanoseconds: float) -> float:
    return float(f"{nanoseconds / SECOND:.4g}")


def _assets(names: Names, inventory: Inventory, edges: Mapping[EdgeKey, _Edge]) -> Iterable[KnownAsset]:
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for (client, server, _), edge in edges.items():
        for end in {client, server}:
            tallies[end].times += edge.tally.times
            tallies[end].days |= edge.tally.days
            tallies[end].hours |= edge.tally.hours
    found: defaultdict[str, list[Asset]] = defaultdict(list)
    for name, asset in names.assets(inventory):
        found[name].append(asset)
    for name in sorted(found):
        tally = tallies[name]
        for asset in found[name]:
            if asset.first_time:
                tally.add(0, asset.first_time, asset.first_time)
                tally.add(0, asset.last_time, asset.last_time)
        first = found[name][0]
        yield KnownAsset(
            id=name,
            role=first.role,
            addresses=tuple(sorted({item for asset in found[name] for item in asset.addresses}, key=address_order)),
            macs=tuple(sorted({item for asset in found[name] for item in asset.macs})),
            identity=identity(first),
            seen=tally.seen(),
        )


def identity(asset: Asset) -> dict[str, str]:
    """What a device says of itself, by attribute; of several values the first that is the winner."""
    found: dict[str, str] = {}
    for attribute in IDENTITY:
        said = [claim for claim in asset.claims if claim.attribute == attribute and is_said(claim.protocol)]
        best = next((claim for claim in said if claim.winner), said[0] if said else None)
        if best is not None:
            found[attribute] = best.value
    return found


def is_said(protocol: str) -> bool:
    """True for what the device said itself: neither the registry of vendors nor somebody's list."""
    return protocol not in ("oui", "asset-list", "policy", "")


def captures(coverage: pa.Table) -> tuple[Capture, ...]:
    """What was read."""
    columns = ("capture", "sha256", "packets", "first_time", "last_time")
    table = plain(coverage.select(columns))
    return tuple(
        Capture(capture=name, sha256=digest, packets=packets, first=_moment(first), last=_moment(last))
        for name, digest, packets, first, last in zip(*(table[name].to_pylist() for name in columns), strict=True)
    )


def _moment(nanoseconds: int | None) -> dt.datetime | None:
    if nanoseconds is None:
        return None
    return dt.datetime.fromtimestamp(nanoseconds // SECOND, dt.UTC)
