"""Polling that stopped or changed its pace. Loss of capture looks the same: coverage first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from zonewatch.inventory.model import Evidence
from zonewatch.rules.baseline.deviation import Deviation
from zonewatch.rules.baseline.known import Known, surprise
from zonewatch.rules.baseline.learn import Observed
from zonewatch.rules.baseline.model import Edge, Function, Objects
from zonewatch.rules.baseline.rhythm import (
    FEWEST_IN_A_ROW,
    LONG,
    SECOND,
    SILENT_PERIODS,
    Beat,
    Line,
    tolerance,
)
from zonewatch.rules.baseline.tell import Tell, seconds, target
from zonewatch.rules.context import bounded, listing


class _Polled(NamedTuple):
    """A line of the baseline that is polled."""

    edge: Edge
    function: Function
    item: Objects

    @property
    def line(self) -> Line:
        return Line(self.edge.key, self.function.key, self.item.range)

    @property
    def period(self) -> float:
        return (self.item.period or 0.0) * SECOND

    @property
    def patience(self) -> float:
        """After this long without it, it is silent."""
        return max(SILENT_PERIODS * self.period, LONG, 2 * (self.item.longest or 0.0) * SECOND)

    @property
    def text(self) -> str:
        return f"{self.function.label} of {target(self.item.range)} every {seconds(self.period)}"


class _Pause(NamedTuple):
    polled: _Polled
    source: str
    first: int
    last: int
    whole: bool  # it was not seen at all


def pauses(
    known: Known, seen: Observed, tell: Tell, blind: Mapping[str, str]
) -> tuple[list[Deviation], tuple[str, ...]]:
    """What stopped and what changed its pace, and why nothing is said of some."""
    polled = [
        _Polled(edge, function, item)
        for edge in known.edges.values()
        for function in edge.functions
        for item in function.objects
        if item.period is not None
    ]
    stopped = [pause for one in polled if (pause := _longest(one, seen)) is not None]
    servers = {one.edge.server for one in polled}
    unseen = {pause.polled.edge.server for pause in stopped if pause.whole} - {
        one.edge.server for one in polled if seen.rhythms.get(one.line) is not None
    }
    limits: tuple[str, ...] = ()
    if 2 * len(unseen) > len(servers) and len(servers) > 1:
        limits = (
            f"{len(unseen)} of {len(servers)} polled devices were not seen at all: the capture is of another place, "
            "and of silence nothing is said",
        )
        stopped = [pause for pause in stopped if pause.polled.edge.server not in unseen]
    told = [*_silences(stopped, seen, tell, blind), *_paces(polled, seen, tell, blind)]
    return told, limits


def _points(one: _Polled, seen: Observed) -> tuple[str, ...]:
    """Capture points that see the line; where none does, those that see its client ask."""
    rhythm = seen.rhythms.get(one.line)
    if rhythm is not None and rhythm.beats:
        return tuple(sorted({beat.source for beat in rhythm.beats}))
    ends = {one.edge.client, one.edge.server}
    return tuple(sorted({row.source for row in seen.rows if ends & {row.client, row.server}}))


def _longest(one: _Polled, seen: Observed) -> _Pause | None:
    """The longest time of silence in which something else was seen."""
    rhythm = seen.rhythms.get(one.line)
    beats = rhythm.beats if rhythm is not None else ()
    found = [
        _Pause(one, source, first, last, not beats)
        for source in _points(one, seen)
        for first, last in seen.windows.silences(source, beats)
        if last - first > one.patience and seen.life.others(one.edge.server, first, last)
    ]
    return max(found, key=lambda pause: (pause.last - pause.first, -pause.first), default=None)


def _silences(stopped: list[_Pause], seen: Observed, tell: Tell, blind: Mapping[str, str]) -> Iterator[Deviation]:
    devices: defaultdict[str, list[_Pause]] = defaultdict(list)
    edges: defaultdict[tuple[str, str, str], list[_Pause]] = defaultdict(list)
    for pause in stopped:
        if seen.life.of(pause.polled.edge.server, pause.first, pause.last):
            edges[pause.polled.edge.key].append(pause)
        else:
            devices[pause.polled.edge.server].append(pause)
    for server, found in sorted(devices.items()):
        longest = max(found, key=lambda pause: (pause.last - pause.first, -pause.first))
        text = f"{tell.name(server)} was silent for {seconds(longest.last - longest.first)}"
        yield _deviation("silent_device", found, longest, text, (("asset", server),), seen, blind)
    for (client, server, protocol), found in sorted(edges.items()):
        longest = max(found, key=lambda pause: (pause.last - pause.first, -pause.first))
        text = (
            f"{tell.name(client)} did not ask {tell.name(server)} for {seconds(longest.last - longest.first)}, or was "
            "not answered, while others were"
        )
        identity = (("client", client), ("server", server), ("protocol", protocol), ("what", "stopped"))
        yield _deviation("changed_period", found, longest, text, identity, seen, blind)


def _deviation(
    kind: str,
    found: list[_Pause],
    longest: _Pause,
    text: str,
    identity: tuple[tuple[str, str], ...],
    seen: Observed,
    blind: Mapping[str, str],
) -> Deviation:
    polled = longest.polled
    lines = listing(dict.fromkeys(pause.polled.text for pause in found), 3)
    return Deviation(
        kind="silent_device" if kind == "silent_device" else "changed_period",
        identity=identity,
        text=f"{text}; learned: {lines}",
        bits=surprise(0, polled.item.gaps),
        days=polled.function.seen.days,
        learned=polled.item.gaps,
        count=len(found),
        first_time=longest.first,
        last_time=longest.last,
        evidence=_frames(polled, seen),
        client=polled.edge.client if kind != "silent_device" else "",
        server=polled.edge.server,
        protocol=polled.edge.protocol,
        function=polled.function.label,
        operation=polled.function.operation,
        target=target(polled.item.range),
        limits=_limits(longest.source, blind),
    )


def _frames(polled: _Polled, seen: Observed) -> tuple[Evidence, ...]:
    """Where the line was last seen; where it never was, where its client or server was."""
    own = [row for row in seen.rows if (row.edge, row.function, row.points) == polled.line]
    own = own or [row for row in seen.rows if row.edge == polled.edge.key]
    return bounded(row.evidence for row in sorted(own, key=lambda row: row.last)[-2:])


def _limits(source: str, blind: Mapping[str, str]) -> tuple[str, ...]:
    return (f"loss of capture looks the same: at {source} {blind[source]}",) if source in blind else ()


def _paces(polled: list[_Polled], seen: Observed, tell: Tell, blind: Mapping[str, str]) -> Iterator[Deviation]:
    """Lines whose gaps are others than learned, for ten of them in a row at least."""
    edges: defaultdict[tuple[str, str, str], list[tuple[_Polled, Beat]]] = defaultdict(list)
    for one in polled:
        rhythm = seen.rhythms.get(one.line)
        beats = rhythm.beats if rhythm is not None else ()
        other = [beat for beat in beats if beat.times > FEWEST_IN_A_ROW and _is_other(one, beat, exact=seen.exact)]
        if other:
            edges[one.edge.key].append((one, max(other, key=lambda beat: abs(beat.gap - one.period))))
    for (client, server, protocol), found in sorted(edges.items()):
        worst, beat = max(found, key=lambda item: abs(item[1].gap / item[0].period - 1))
        lines = listing((f"{one.text} now every {seconds(now.gap)}" for one, now in found), 3)
        yield Deviation(
            kind="changed_period",
            identity=(("client", client), ("server", server), ("protocol", protocol), ("what", "pace")),
            text=f"{tell.name(client)} polls {tell.name(server)} at another pace: {lines}",
            bits=surprise(0, worst.item.gaps),
            days=worst.function.seen.days,
            learned=worst.item.gaps,
            count=sum(now.times for _, now in found),
            first_time=min(now.first for _, now in found),
            last_time=max(now.last for _, now in found),
            evidence=_frames(worst, seen),
            client=client,
            server=server,
            protocol=protocol,
            function=worst.function.label,
            operation=worst.function.operation,
            target=target(worst.item.range),
            limits=_limits(beat.source, blind),
        )


def _is_other(one: _Polled, beat: Beat, *, exact: bool) -> bool:
    allowed = tolerance(one.period, (one.item.mad or 0.0) * SECOND)
    slow = beat.gap
    if not exact:
        # A mean gap holds the pauses, which are no change of pace as long as they are no longer than learned ones.
        pause = (one.item.longest or 0.0) * SECOND
        slow = max(beat.last - beat.first - pause, 0.0) / (beat.times - 1)
    return beat.gap < one.period - allowed or slow > one.period + allowed
