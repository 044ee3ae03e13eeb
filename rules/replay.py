"""Recorded traffic under a policy that is not in force: what would break, by asset and function.

    rows = judge(policy, inventory, aggregates, events, as_of).rows     # captures
    rows = recorded_rows(policy, inventory, events, as_of)              # what an audit kept of them
    outcome = replayed(rows)

What the record is too coarse for is `cannot_conclude`. What never worked cannot break: it is counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Edge, Function, Inventory, Target
from zonewatch.rules.findings import Verdict
from zonewatch.rules.judge import Judge
from zonewatch.rules.observe import Observation, from_edges, state_changes, together
from zonewatch.rules.places import Places
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.words import hint
from zonewatch.rules.safeguards import Safeguards
from zonewatch.rules.targets import target_text
from zonewatch.rules.verdicts import Decision, VerdictRow, counted

STOPPED: Final[tuple[Verdict, ...]] = ("violation", "cannot_conclude", "unzoned")
MOST_OBJECTS: Final = 12
LINKED: Final = frozenset(("bacnet", "dnp3", "s7comm"))
"""Protocols with functions of the link, which a flow allows unasked. They have no objects; what an audit keeps does not
tell them from others without objects."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """One function of one asset that the policy would not let pass, or may not."""

    verdict: Verdict
    server: str
    client: str
    from_zone: str
    to_zone: str
    protocol: str
    function: str
    operation: str
    objects: tuple[str, ...]
    events: int
    first_time: int
    last_time: int
    conduit: str  # whose flow comes nearest, or allowed it before
    flow: str
    reason: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a policy would do to recorded traffic."""

    stopped: tuple[Stopped, ...]  # what breaks first, the most used first
    passed: int  # events and packets that pass
    failing: int  # combinations that the record shows failing already

    def count(self, verdict: Verdict) -> int:
        """How many of them."""
        return sum(item.verdict == verdict for item in self.stopped)


def without(policy: Policy, conduits: Iterable[str]) -> Policy:
    """The policy with these conduits taken away. Raises KeyError with what to say for one that is not in it."""
    away = set(conduits)
    known = {conduit.id for conduit in policy.conduits}
    for name in sorted(away - known):
        raise KeyError(f"no conduit {name!r} in the policy{hint(name, known)}")
    return policy.model_copy(update={"conduits": tuple(item for item in policy.conduits if item.id not in away)})


def replayed(rows: Iterable[VerdictRow], before: Iterable[VerdictRow] | None = None) -> Replayed:
    """What does not pass; where `before` is given, of what was allowed there only."""
    allowed = (
        None if before is None else {_key(row): row.decision for row in before if row.decision.verdict == "allowed"}
    )
    groups: defaultdict[tuple[object, ...], list[VerdictRow]] = defaultdict(list)
    passed = failing = 0
    for row in rows:
        if row.decision.verdict == "allowed":
            passed += row.seen.events
        elif row.attempted or (row.seen.events and not row.seen.obeyed):
            failing += 1
        elif allowed is None or _key(row) in allowed:
            kept = row if allowed is None else _by(row, allowed[_key(row)])
            groups[_group(kept)].append(kept)
    stopped = [_stopped(group) for group in groups.values()]
    return Replayed(tuple(sorted(stopped, key=_order)), passed, failing)


def _by(row: VerdictRow, decision: Decision) -> VerdictRow:
    """With the flow that allowed it before."""
    return replace(row, decision=replace(row.decision, conduit=decision.conduit, flow=decision.flow))


def _key(row: VerdictRow) -> tuple[object, ...]:
    return row.client.id, row.client.address, row.server.id, row.server.address, *row.seen[:19]


def _group(row: VerdictRow) -> tuple[object, ...]:
    seen, decision = row.seen, row.decision
    what = (seen.protocol, seen.function_name or seen.function, seen.operation)
    return decision.verdict, row.server.id, row.client.id, row.server_zone, *what, decision.conduit, decision.flow


def _order(item: Stopped) -> tuple[object, ...]:
    rest = (item.server, item.client, item.protocol, item.function, item.operation, item.flow)
    return STOPPED.index(item.verdict), item.operation not in STATE_CHANGING, -item.events, rest


def _stopped(rows: list[VerdictRow]) -> Stopped:
    first, seen = rows[0], rows[0].seen
    objects = dict.fromkeys(
        target_text(row.seen.object_kind, row.seen.object_start, row.seen.object_count, row.seen.property_name)
        for row in rows
    )
    listed = [text for text in objects if text]
    more = (f"and {len(listed) - MOST_OBJECTS} more",) if len(listed) > MOST_OBJECTS else ()
    named = seen.function_name or ("" if seen.function is None else str(seen.function))
    return Stopped(
        verdict=first.decision.verdict,
        server=first.server.label or first.server.id,
        client=first.client.label or first.client.id,
        from_zone=first.client_zone,
        to_zone=first.server_zone,
        protocol=seen.protocol,
        function=named,
        operation=seen.operation,
        objects=(*listed[:MOST_OBJECTS], *more),
        events=counted(rows),
        first_time=min(row.seen.first_time for row in rows),
        last_time=max(row.seen.last_time for row in rows),
        conduit=first.decision.conduit,
        flow=first.decision.flow,
        reason=first.decision.reason,
    )


def recorded_rows(policy: Policy, inventory: Inventory, events: pa.Table, as_of: int) -> list[VerdictRow]:
    """Verdicts on what an audit keeps: edges with merged objects, and state-changing events one by one."""
    places = Places(policy, inventory)
    judge = Judge(policy, places, as_of, Safeguards(policy, inventory))
    whole, _ = state_changes(events, judge.calendar)
    found: dict[tuple[object, ...], list[Observation]] = {}
    counts: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for change in whole:
        seen = change.observation
        found.setdefault(seen[:20], []).append(seen)
        counts[places.at(seen.source, seen.client).id, places.at(seen.source, seen.server).id, *_call(seen)] += 1
    rows = [judge.row(together(group)) for group in found.values()]
    for edge in inventory.edges:
        ends = places.of(edge.client, edge.client_address), places.of(edge.server, edge.server_address)
        for function in edge.functions:
            call = (edge.protocol, function.code, function.operation)
            if function.operation in STATE_CHANGING and counts[ends[0].id, ends[1].id, *call] >= function.events:
                continue  # each is known by itself
            held = judge.calendar.held(edge.first_time, edge.last_time)
            for seen in _observations(edge, function, held):
                row = judge.row(seen, *ends)
                if edge.protocol in LINKED and not function.targets and row.decision.verdict == "violation":
                    link = judge.row(seen._replace(kind="link"), *ends)
                    row = row if link.decision.verdict == "violation" else replace(row, decision=_UNTOLD)
                rows.append(row)
    rows += [
        judge.row(seen, places.of(edge.client, seen.client), places.of(edge.server, seen.server))
        for edge, seen in from_edges(inventory.edges, judge.calendar, {})
    ]
    return rows


_UNTOLD: Final = Decision("cannot_conclude", "cannot tell: the record does not say if it kept the link alone")


def _call(seen: Observation) -> tuple[str, int | None, str]:
    return seen.protocol, seen.function, seen.operation


def _observations(edge: Edge, function: Function, held: str) -> Iterator[Observation]:
    """One for each range of objects. Ranges are merged, so that an overlap with a flow's decides nothing."""
    statuses = dict(function.statuses)
    for number, target in enumerate(function.targets or (Target("", None, 0),)):
        yield Observation(
            source=edge.evidence[0].source if edge.evidence else "",
            client=edge.client_address,
            server=edge.server_address,
            protocol=edge.protocol,
            transport=edge.transport,
            server_port=edge.server_port,
            unit=function.unit,
            kind="request",
            function=function.code,
            function_name=function.name,
            operation=function.operation,
            object_kind=target.kind or None,
            object_start=target.start,
            object_count=target.count,
            property_name=target.property_name,
            coalesced=target.count > 1 or (not target.kind and bool(function.targets)),
            value_min=None,
            value_max=None,
            value_not_finite=False,
            when=held,
            events=function.events if number == 0 else 0,
            refused=statuses.get("error", 0) if number == 0 else 0,
            unanswered=statuses.get("no_response", 0) if number == 0 else 0,
            first_time=edge.first_time,
            last_time=edge.last_time,
            evidence=function.evidence,
        )
