"""What is observed, as observations: one for each zone that it concerns, those that say the same as one.

A large site has a million of them, of which a few thousand are told: what is only told is looked up for these alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from zonewatch.inventory.model import Activity, Edge, Evidence, Function
from zonewatch.reports.facts.model import MOST_FRAMES, MOST_OBSERVATIONS, OTHERS, WHOLE, Observation
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.result import VerdictRow
from zonewatch.reports.words import first_frames
from zonewatch.rules.findings import Finding

__all__ = ["Shown", "Sight", "Told", "frames", "joined", "of_activity", "of_edge", "of_finding", "of_row", "with_value"]


class Shown(NamedTuple):
    """What shows something that is no row of the result of its own: frames of several rows, or of a part of one."""

    client: str  # with the server: whose findings belong to it; empty: none do
    server: str
    rows: Sequence[Edge | VerdictRow | Function]


Row = Edge | VerdictRow | Activity | Shown | Observation


class Sight(NamedTuple):
    """A row of the result as an observation; its frames and findings are looked up when it is told."""

    zones: tuple[str, ...]  # that it concerns, each once; WHOLE: no zone, or all of them
    words: tuple[str, ...]  # values of the sentence
    exception: str
    names: tuple[str, ...]  # of the words
    key: str
    times: int
    first_time: int
    last_time: int
    row: Row
    rules: tuple[str, ...] = ()  # whose findings belong to it; none named: those of all


_WORDS: Final = attrgetter("words")
Told = Sight | Observation
"""What functions that measure give."""
_ENDS: Final = ("client", "server", "protocol")


def frames(*groups: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The first frames, each once, in their order."""
    found: list[Evidence] = []
    for group in groups:
        found += group
    return first_frames(found, MOST_FRAMES) if len(found) > 1 else tuple(found)


def of_edge(seen: Seen, key: str, edge: Edge, zones: Iterable[str], **values: str) -> Sight:
    """What an edge shows, in these zones."""
    names, words = (*_ENDS, *values), (seen.name(edge.client), seen.name(edge.server), edge.protocol, *values.values())
    times = edge.events or edge.packets
    return Sight(_once(zones), words, "", names, key, times, edge.first_time, edge.last_time, edge)


def of_row(
    seen: Seen, key: str, row: VerdictRow, zones: Iterable[str], rules: Iterable[str] = (), **values: str
) -> Sight:
    """What a verdict shows, in these zones; with the exception that covers it."""
    names = (*_ENDS, "operation", *values)
    words = (seen.name(row.client), seen.name(row.server), row.protocol, row.operation, *values.values())
    permit = seen.permit(row) if row.by else ""
    times = (row.events, row.first_time, row.last_time)
    return Sight(_once(zones), words, permit, names, key, *times, row, tuple(rules))


def of_activity(seen: Seen, key: str, activity: Activity, zones: Iterable[str], **values: str) -> Sight:
    """What an activity shows, in these zones."""
    names = (*_ENDS, *values)
    words = (seen.name(activity.client), seen.name(activity.server), activity.protocol, *values.values())
    times = (activity.count, activity.first_time, activity.last_time)
    return Sight(_once(zones), words, "", names, key, *times, activity)


def _once(zones: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(zones))


def of_finding(seen: Seen, key: str, finding: Finding) -> Iterator[Observation]:
    """What a finding shows, once for each zone that it names, or whose assets it is about."""
    zones = [zone for zone in finding.zones if zone in seen.zones]
    zones = zones or list(dict.fromkeys(zone for name in finding.assets if (zone := seen.zone(name)) != WHOLE))
    for zone in zones or [WHOLE]:
        yield Observation(
            zone=zone,
            key=key,
            values=(("rule", finding.rule), ("assets", ", ".join(map(seen.name, finding.assets[:MOST_FRAMES])))),
            count=finding.count,
            first_time=finding.first_time,
            last_time=finding.last_time,
            evidence=frames(finding.evidence),
            findings=(finding.id,),
        )


def with_value(one: Sight, without: str, name: str, word: str) -> Sight:
    """The same with another value in the place of one."""
    kept = [pair for pair in zip(one.names, one.words, strict=True) if pair[0] != without]
    return one._replace(names=(*(pair[0] for pair in kept), name), words=(*(pair[1] for pair in kept), word))


def joined(seen: Seen, found: Iterable[Told]) -> tuple[Observation, ...]:
    """Those that differ in neither zone nor words as one, in their order by zone and words.

    Beyond MOST_OBSERVATIONS of a zone the rest is one, in which words that differ are OTHERS.
    """
    places: defaultdict[tuple[str, str], list[Sight]] = defaultdict(list)
    for one in found:
        sight = one if isinstance(one, Sight) else _sight(one)
        for zone in sight.zones:
            places[zone, sight.exception].append(sight)
    told: list[tuple[tuple[str, tuple[str, ...], str], list[Sight]]] = []
    rest: list[tuple[str, list[Sight]]] = []
    for (zone, exception), sights in sorted(places.items()):
        sights.sort(key=_WORDS)
        groups = ((words, list(same)) for words, same in groupby(sights, key=_WORDS))
        first = [((zone, words, exception), same) for words, same in islice(groups, MOST_OBSERVATIONS)]
        told += first
        more = sights[sum(len(same) for _, same in first) :]
        if more:
            rest.append((zone, more))
    told.sort(key=itemgetter(0))
    return (
        *[_one(seen, place[0], same) for place, same in told],
        *[_one(seen, zone, same) for zone, same in rest],
    )


def _sight(one: Observation) -> Sight:
    names, words = tuple([name for name, _ in one.values]), tuple([word for _, word in one.values])
    return Sight((one.zone,), words, one.exception, names, one.key, one.count, one.first_time, one.last_time, one)


def _one(seen: Seen, zone: str, same: list[Sight]) -> Observation:
    first = same[0]
    if len(same) == 1:
        return _alone(seen, zone, first)
    _, words, _, _, _, times, first_times, last_times, rows, _ = zip(*same, strict=True)
    alike = [len(set(column)) == 1 for column in zip(*words, strict=True)]
    names = dict.fromkeys(islice(_names(seen, same), MOST_OBSERVATIONS))
    return Observation(
        zone,
        first.key,
        tuple(
            [
                (name, word if shared else OTHERS)
                for name, word, shared in zip(first.names, first.words, alike, strict=True)
            ]
        ),
        sum(times),
        min(filter(None, first_times), default=0),
        max(last_times),
        frames(*[group for row in rows[:MOST_OBSERVATIONS] for group in _proof(row)]),
        tuple(names),
        first.exception,
    )


def _alone(seen: Seen, zone: str, one: Sight) -> Observation:
    if isinstance(one.row, Observation):
        return one.row
    return Observation(
        zone,
        one.key,
        tuple(zip(one.names, one.words, strict=True)),
        one.times,
        one.first_time,
        one.last_time,
        _evidence(seen, one.row),
        tuple(_names(seen, [one])),
        one.exception,
    )


def _names(seen: Seen, same: list[Sight]) -> Iterator[str]:
    """The findings that belong to them, in their order."""
    pairs = seen.pairs_told
    for one in same:
        row = one.row
        if isinstance(row, Observation):
            yield from row.findings
        elif (row.client, row.server) in pairs:
            yield from seen.told_of(row.client, row.server, one.rules)


def _evidence(seen: Seen, row: Row) -> tuple[Evidence, ...]:
    """The first frames of a row; those of rows of the result are asked for again and again."""
    if isinstance(row, Shown | Observation):
        return frames(*_proof(row))
    known = seen.frames_known
    found = known.get(id(row))
    if found is None:
        found = known[id(row)] = frames(*_proof(row))
    return found


def _proof(row: Row) -> Iterable[Iterable[Evidence]]:
    """All its frames; of an edge those of its functions, too."""
    if isinstance(row, Edge):
        return (row.evidence, *[function.evidence for function in row.functions]) if row.functions else (row.evidence,)
    if isinstance(row, Shown):
        return [part.evidence for part in row.rows]
    return ((row.evidence,),) if isinstance(row, Activity) else (row.evidence,)
