"""Changes of who speaks with whom, and saying what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Edge, Evidence
from zonewatch.reports.compare.model import Change, Move
from zonewatch.reports.compare.pairs import Pairs
from zonewatch.reports.compare.sight import Sight
from zonewatch.reports.result import VERDICT_ORDER, AuditResult, worst
from zonewatch.reports.words import named
from zonewatch.rules.findings import Verdict

__all__ = ["traffic_changes"]

Key = tuple[str, str, str]
"""Client, server and protocol, by the later ids."""


@dataclass(frozen=True, slots=True)
class _Line:
    """All edges of one pair and protocol."""

    ends: tuple[str, str]  # ids in its own edition
    operations: frozenset[str]
    evidence: tuple[Evidence, ...]
    verdict: Verdict | None


def _lines(result: AuditResult, ids: Mapping[str, str]) -> dict[Key, _Line]:
    edges: defaultdict[tuple[str, str, str], list[Edge]] = defaultdict(list)
    for edge in result.inventory.edges:
        edges[edge.client, edge.server, edge.protocol].append(edge)
    verdicts: defaultdict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
    for row in result.verdicts:
        verdicts[row.client, row.server, row.protocol].append(row.verdict)
    found = {}
    for key, rows in edges.items():
        client, server, protocol = key
        found[ids.get(client, client), ids.get(server, server), protocol] = _Line(
            (client, server),
            frozenset(operation for edge in rows for operation in edge.operations),
            rows[0].evidence,
            worst(verdicts.get(key, ())) if result.policy.given else None,
        )
    return found


def traffic_changes(
    before: AuditResult, after: AuditResult, pairs: Pairs, could_before: Sight, could_after: Sight
) -> Iterator[Change]:
    """Edges as a whole, their operations, and what the policy says of them."""
    was, now = _lines(before, pairs.later), _lines(after, {})
    names = {asset.id: named(asset) for result in (before, after) for asset in result.inventory.assets}
    zones = {asset.id: asset.zone for result in (before, after) for asset in result.inventory.assets}
    same_policy = before.policy.sha256 == after.policy.sha256
    for key in sorted({*was, *now}):
        client, server, protocol = key
        name = f"{names.get(client, client)} → {names.get(server, server)} {protocol}"
        places = " → ".join(dict.fromkeys(filter(None, (zones.get(client, ""), zones.get(server, "")))))
        told = f"{client} {server} {protocol}"
        if key not in was:
            yield _new(told, name, places, now[key], could_before, pairs)
        elif key not in now:
            reason = could_after.of(was[key].evidence, (client, server), _zones(zones, key))
            move: Move = "unclear" if reason else "vanished"
            operations = _words(was[key].operations)
            yield Change("edge", move, told, name, before=operations, place=places, reason=reason or "")
        else:
            yield from _operations(told, name, places, was[key], now[key], (could_before, could_after), zones)
            if same_policy:
                yield from _verdict(told, name, places, was[key].verdict, now[key].verdict)


def _zones(zones: Mapping[str, str], key: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, (zones.get(end, "") for end in key)))


def _words(operations: Iterable[str]) -> str:
    return ", ".join(sorted(operations))


def _new(told: str, name: str, places: str, line: _Line, could: Sight, pairs: Pairs) -> Change:
    earlier = {new.id: old.id for old, new in pairs.both if new.id in line.ends}
    reason = could.of(line.evidence, (earlier.get(end, "") for end in line.ends))
    move: Move = "worse" if line.verdict == "violation" else "appeared"
    return Change("edge", move, told, name, after=_words(line.operations), place=places, reason=reason or "")


def _operations(
    told: str,
    name: str,
    places: str,
    was: _Line,
    now: _Line,
    could: tuple[Sight, Sight],
    zones: Mapping[str, str],
) -> Iterator[Change]:
    for operation in sorted(now.operations - was.operations):
        move: Move = "worse" if operation in STATE_CHANGING and now.verdict != "allowed" else "appeared"
        reason = could[0].of(now.evidence, was.ends, _zones(zones, was.ends))
        yield Change("operation", move, f"{told} {operation}", name, after=operation, place=places, reason=reason or "")
    for operation in sorted(was.operations - now.operations):
        reason = could[1].of(was.evidence, now.ends, _zones(zones, now.ends))
        move = "unclear" if reason else "vanished"
        yield Change(
            "operation", move, f"{told} {operation}", name, before=operation, place=places, reason=reason or ""
        )


def _verdict(told: str, name: str, places: str, was: Verdict | None, now: Verdict | None) -> Iterator[Change]:
    """Only under the same policy: else it would be the policy that changed."""
    if was is None or now is None or was == now:
        return
    undecided = "cannot_conclude" in (was, now)
    better = VERDICT_ORDER.index(now) > VERDICT_ORDER.index(was)
    move: Move = "changed" if undecided else "better" if better else "worse"
    yield Change("edge", move, told, name, "verdict", was, now, places)
