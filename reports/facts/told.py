"""What is observed, as observations: one for each zone that it concerns, those that say the same as one.

A large site has a million of them, of which a few thousand are told: what is only told is looked up for these alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from zonewatch.inventory.model import Activity, Edge, Evidence
from zonewatch.reports.facts.model import MOST_FRAMES, MOST_OBSERVATIONS, OTHERS, WHOLE, Observation
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.result import VerdictRow
from zonewatch.reports.words import first_frames
from zonewatch.rules.findings import Finding

__all__ = ["Sight", "Told", "frames", "joined", "of_activity", "of_edge", "of_finding", "of_row", "with_value"]


class Sight(NamedTuple):
    """A row of the result as an observation in one zone; its frames and findings are looked up when it is told."""

    zone: str  # WHOLE: no zone, or all of them
    words: tuple[str, ...]  # values of the sentence
    exception: str
    names: tuple[str, ...]  # of the words
    key: str
    times: int
    first_time: int
    last_time: int
    row: Edge | VerdictRow | Activity | Observation
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


def of_edge(seen: Seen, key: str, edge: Edge, zones: Iterable[str], **values: str) -> Iterator[Sight]:
    """What an edge shows, once for each of these zones."""
    names = (*_ENDS, *values)
    words = (seen.name(edge.client), seen.name(edge.server), edge.protocol, *values.values())
    for zone in dict.fromkeys(zones):
        yield Sight(zone, words, "", names, key, edge.events or edge.packets, edge.first_time, edge.last_time, edge)


def of_row(
    seen: Seen, key: str, row: VerdictRow, zones: Iterable[str], rules: Iterable[str] = (), **values: str
) -> Iterator[Sight]:
    """What a verdict shows, once for each of these zones; with the exception that covers it."""
    names = (*_ENDS, "operation", *values)
    words = (seen.name(row.client), seen.name(row.server), row.protocol, row.operation, *values.values())
    permit = seen.permit(row)
    for zone in dict.fromkeys(zones):
        yield Sight(zone, words, permit, names, key, row.events, row.first_time, row.last_time, row, tuple(rules))


def of_activity(seen: Seen, key: str, activity: Activity, zones: Iterable[str], **values: str) -> Iterator[Sight]:
    """What an activity shows, once for each of these zones."""
    names = (*_ENDS, *values)
    words = (seen.name(activity.client), seen.name(activity.server), activity.protocol, *values.values())
    for zone in dict.fromkeys(zones):
        yield Sight(zone, words, "", names, key, activity.count, activity.first_time, activity.last_time, activity)


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
        places[sight.zone, sight.exception].append(sight)
    told: list[tuple[tuple[str, tuple[str, ...], str], list[Sight]]] = []
    rest: list[list[Sight]] = []
    for (zone, exception), sights in sorted(places.items()):
        sights.sort(key=_WORDS)
        groups = ((words, list(same)) for words, same in groupby(sights, key=_WORDS))
        first = [((zone, words, exception), same) for words, same in islice(groups, MOST_OBSERVATIONS)]
        told += first
        more = sights[sum(len(same) for _, same in first) :]
        if more:
            rest.append(more)
    told.sort(key=itemgetter(0))
    return tuple(_one(seen, same) for same in (*(same for _, same in told), *rest))


def _sight(one: Observation) -> Sight:
    names, words = tuple(name for name, _ in one.values), tuple(word for _, word in one.values)
    return Sight(one.zone, words, one.exception, names, one.key, one.count, one.first_time, one.last_time, one)


def _one(seen: Seen, same: list[Sight]) -> Observation:
    first = same[0]
    if len(same) == 1:
        return _alone(seen, first)
    alike = [len(set(column)) == 1 for column in zip(*(one.words for one in same), strict=True)]
    names = dict.fromkeys(islice((name for one in same for name in _findings(seen, one)), MOST_OBSERVATIONS))
    return Observation(
        first.zone,
        first.key,
        tuple(
            (name, word if shared else OTHERS)
            for name, word, shared in zip(first.names, first.words, alike, strict=True)
        ),
        sum(one.times for one in same),
        min((one.first_time for one in same if one.first_time), default=0),
        max(one.last_time for one in same),
        frames(*(_evidence(seen, one.row) for one in same[:MOST_OBSERVATIONS])),
        tuple(names),
        first.exception,
    )


def _alone(seen: Seen, one: Sight) -> Observation:
    if isinstance(one.row, Observation):
        return one.row
    return Observation(
        one.zone,
        one.key,
        tuple(zip(one.names, one.words, strict=True)),
        one.times,
        one.first_time,
        one.last_time,
        _evidence(seen, one.row),
        _findings(seen, one),
        one.exception,
    )


def _findings(seen: Seen, one: Sight) -> tuple[str, ...]:
    row = one.row
    return row.findings if isinstance(row, Observation) else seen.told_of(row.client, row.server, one.rules)


def _evidence(seen: Seen, row: Edge | VerdictRow | Activity | Observation) -> tuple[Evidence, ...]:
    """The first frames of a row; of an edge those of its functions, too."""
    known = seen.frames_known
    found = known.get(id(row))
    if found is None:
        if isinstance(row, Activity):
            found = (row.evidence,)
        else:
            more = [function.evidence for function in row.functions] if isinstance(row, Edge) else []
            found = frames(row.evidence, *more)
        if not isinstance(row, Observation):  # which is nobody's, and its place in memory another's later
            known[id(row)] = found
    return found
