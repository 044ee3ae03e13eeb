"""Both readers' counts side by side: what is equal, what differs, in which frames and why."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from zonewatch.dissectors.vocabulary import PROTOCOLS, SERVICES
from zonewatch.reports.second_opinion import MOST_ROWS, Compared, Count, Difference, Named, SecondOpinion
from zonewatch.sensor.second_opinion.facts import MAIN, Key
from zonewatch.sensor.second_opinion.ours import Ours
from zonewatch.sensor.second_opinion.reasons import reason_of
from zonewatch.sensor.second_opinion.theirs import Conversation, Theirs

__all__ = ["Pair", "opinion"]

FIRST_FRAMES: Final = 4
_DECODED: Final = frozenset((*PROTOCOLS, *SERVICES))


@dataclass(frozen=True, slots=True)
class Pair:
    """One capture, read by both."""

    source: str
    capture: str
    ours: Ours
    theirs: Theirs


def opinion(version: str, pairs: Sequence[Pair], unread: Iterable[Compared] = ()) -> SecondOpinion:
    """The comparison of all captures."""
    rows = equal = 0
    differences: list[Difference] = []
    for pair in pairs:
        for key in sorted({*pair.ours.counts.total, *pair.theirs.counts.total}):
            rows += 1
            if pair.ours.counts.total[key] == pair.theirs.counts.total[key]:
                equal += 1
            else:
                differences.append(_difference(pair, key))
    functions, edges, named = _functions(pairs), _edges(pairs), _named(pairs)
    # What nobody can explain comes first: it is what is to be looked at.
    differences.sort(key=lambda row: (bool(row.reason), -abs(row.ours - row.theirs), row.protocol, row.capture))
    lists = (functions, edges, differences, named)
    return SecondOpinion(
        version=version,
        captures=(
            *(Compared(pair.source, pair.capture, pair.theirs.frames, _problem(pair)) for pair in pairs),
            *unread,
        ),
        protocols=_protocols(functions),
        functions=tuple(functions[:MOST_ROWS]),
        edges=tuple(edges[:MOST_ROWS]),
        rows=rows,
        equal_rows=equal,
        differences=tuple(differences[:MOST_ROWS]),
        named=tuple(named[:MOST_ROWS]),
        left_out=sum(max(len(found) - MOST_ROWS, 0) for found in lists),
    )


def _problem(pair: Pair) -> str:
    if pair.theirs.problem:
        return pair.theirs.problem
    cut = pair.ours.counts.is_cut or pair.theirs.counts.is_cut
    return "too many messages to remember the frames of each" if cut else ""


def _difference(pair: Pair, key: Key) -> Difference:
    ours, theirs = pair.ours.counts, pair.theirs.counts
    here, there = Counter(ours.frames.get(key, ())), Counter(theirs.frames.get(key, ()))
    only_ours, only_theirs = sorted((here - there).elements()), sorted((there - here).elements())
    name, _ = pair.ours.names.get((key.protocol, key.fact, key.code), ("", ""))
    return Difference(
        source=pair.source,
        capture=pair.capture,
        protocol=key.protocol,
        fact=key.fact,
        code=key.code,
        name=name,
        sender=key.sender,
        receiver=key.receiver,
        ours=ours.total[key],
        theirs=theirs.total[key],
        only_ours=tuple(dict.fromkeys(only_ours))[:FIRST_FRAMES],
        only_theirs=tuple(dict.fromkeys(only_theirs))[:FIRST_FRAMES],
        reason=reason_of(key, only_ours, only_theirs, pair.ours, pair.theirs),
    )


def _functions(pairs: Iterable[Pair]) -> list[Count]:
    """By protocol, fact and code."""
    found: dict[tuple[str, str, str], Count] = {}
    for pair in pairs:
        for key in {*pair.ours.counts.total, *pair.theirs.counts.total}:
            if key.fact == "unit":
                continue
            place = (key.protocol, key.fact, key.code)
            row = found.get(place) or Count(*place)
            name, operation = pair.ours.names.get(place, (row.name, row.operation))
            found[place] = replace(
                row,
                name=name or row.name,
                operation=operation or row.operation,
                ours=row.ours + pair.ours.counts.total[key],
                theirs=row.theirs + pair.theirs.counts.total[key],
            )
    return [found[place] for place in sorted(found, key=_by_number)]


def _by_number(place: tuple[str, str, str]) -> tuple[str, str, list[tuple[str, int]]]:
    words = [("", int(word)) if word.isdecimal() else (word, 0) for word in place[2].split()]
    return place[0], place[1], words


def _protocols(functions: Iterable[Count]) -> tuple[Count, ...]:
    """By the fact that every message has once."""
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for row in functions:
        if row.fact == MAIN[row.protocol]:
            ours[row.protocol] += row.ours
            theirs[row.protocol] += row.theirs
    return tuple(Count(name, ours=ours[name], theirs=theirs[name]) for name in sorted({*ours, *theirs}))


def _edges(pairs: Iterable[Pair]) -> list[Count]:
    """Messages from one address to another."""
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for pair in pairs:
        for side, counts in enumerate((pair.ours.counts, pair.theirs.counts)):
            for key, count in counts.total.items():
                if key.fact == MAIN[key.protocol]:
                    found[key.protocol, key.sender, key.receiver][side] += count
    return [
        Count(protocol, sender=sender, receiver=receiver, ours=ours, theirs=theirs)
        for (protocol, sender, receiver), (ours, theirs) in sorted(found.items())
    ]


@cache
def _aliases() -> Mapping[str, frozenset[str]]:
    text = (files("zonewatch.sensor.second_opinion") / "names.toml").read_text(encoding="utf-8")
    return {ours: frozenset(theirs) for ours, theirs in tomllib.loads(text).items()}


def _named(pairs: Iterable[Pair]) -> list[Named]:
    """Conversations that are not decoded here, by transport, port and both names."""
    found: dict[tuple[str, int, str, str], Named] = {}
    for pair in pairs:
        for flow in pair.ours.flows:
            if flow["service"] in _DECODED:
                continue
            talk = pair.theirs.talks.get(_conversation(flow))
            if talk is None or not talk.names:
                continue
            theirs = max(sorted(talk.names), key=lambda name: talk.names[name])
            ours, port = flow["service"], flow["server_port"]
            row = found.get(place := (flow["transport"], port, ours, theirs))
            packets = flow["packets_out"] + flow["packets_in"]
            if row is None:
                agrees = theirs == ours or theirs in _aliases().get(ours, ())
                found[place] = Named(*place, agrees, 1, packets, pair.capture, tuple(talk.frames))
            else:
                found[place] = replace(row, conversations=row.conversations + 1, packets=row.packets + packets)
    return sorted(found.values(), key=lambda row: (bool(row.ours), -row.packets, row.transport, row.port, row.theirs))


def _conversation(flow: Mapping[str, Any]) -> Conversation:
    ends = ((flow["client"], flow["client_port"]), (flow["server"], flow["server_port"]))
    if flow["transport"] == "ethernet":
        ends = ((flow["client"], flow["server_port"]), (flow["server"], flow["server_port"]))
    return flow["transport"], frozenset(ends)
