"""The verdict of a policy on every edge, aggregate and event.

What a policy line reads is judged once per distinct combination; values on the aggregates' extremes and on whole
events; last days against `as_of`. A combination that the engine coalesced is `cannot_conclude` unless it is wholly
allowed or wholly outside.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from zonewatch.inventory.model import Evidence, Inventory
from zonewatch.rules.findings import Verdict
from zonewatch.rules.matching import Difference, Line, distance, fixed_differences, lines, object_differences, told
from zonewatch.rules.observe import (
    MOST_EVENTS,
    Observation,
    StateChange,
    from_aggregates,
    from_edges,
    state_changes,
)
from zonewatch.rules.places import End, Places
from zonewatch.rules.policy.model import Action, Policy

ATTEMPTED: Final = frozenset(("attempted", "refused"))
NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one combination."""

    verdict: Verdict
    reason: str
    conduit: str = ""  # of the flow that allows it, or would have had to
    flow: str = ""
    differs: tuple[str, ...] = ()  # aspects in which that flow differs
    reported: bool = False  # allowed by a default that asks to be told


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One distinct combination with its verdict."""

    client: End
    server: End
    client_zone: str
    server_zone: str
    seen: Observation
    decision: Decision

    @property
    def attempted(self) -> bool:
        """True for a connection that was refused or never answered."""
        return self.seen.state in ATTEMPTED


@dataclass(frozen=True, slots=True)
class JudgedChange:
    """An object of a state-changing event, with the verdict on it."""

    row: VerdictRow
    change: StateChange


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts, by first time; what was not judged is in `limits`."""

    rows: tuple[VerdictRow, ...]
    changes: tuple[JudgedChange, ...]
    unused: tuple[tuple[str, str], ...]  # (conduit, flow) that nothing was seen to use
    limits: tuple[str, ...]


class Judge:
    """A policy on a day, with what it has decided already."""

    def __init__(self, policy: Policy, places: Places, as_of: int) -> None:
        self.policy = policy
        self.places = places
        self.today = dt.datetime.fromtimestamp(as_of // NANOSECONDS, dt.UTC).date()
        self._events: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        self._openings: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines(policy, self.today):
            pair = (line.conduit.from_, line.conduit.to)
            self._events[pair].append(line)
            if line.conduit.initiator in (None, line.conduit.from_):
                self._openings[pair].append(line)
            else:
                turned = replace(line, clients=line.servers, servers=line.clients, turned=True)
                self._openings[pair[1], pair[0]].append(turned)
        self._nearest: dict[tuple[object, ...], tuple[tuple[Line, tuple[Difference, ...]], ...]] = {}
        self._decided: dict[tuple[object, ...], tuple[str, str, Decision]] = {}

    def row(self, seen: Observation, client: End | None = None, server: End | None = None) -> VerdictRow:
        """The observation with its ends, their zones and the verdict."""
        client = client or self.places.at(seen.source, seen.client)
        server = server or self.places.at(seen.source, seen.server)
        key = (client.id, client.address, server.id, server.address, *seen[3:6], *seen[7:9], *seen[10:14], *seen[15:19])
        decided = self._decided.get(key)
        if decided is None:
            decided = self._decided[key] = self._decide(seen, client, server)
        return VerdictRow(client, server, decided[0], decided[1], seen, decided[2])

    def _decide(self, seen: Observation, client: End, server: End) -> tuple[str, str, Decision]:
        from_zone, to_zone = client.zone, server.zone
        if server.many:
            to_zone = self.places.of_broadcast(client, server)
        if client.many:
            from_zone = self.places.of_broadcast(server, client)
        if not from_zone or not to_zone:
            return from_zone, to_zone, _unzoned(client, server, from_zone, to_zone)
        return from_zone, to_zone, self._between(seen, client, server, from_zone, to_zone)

    def _between(self, seen: Observation, client: End, server: End, from_zone: str, to_zone: str) -> Decision:
        allowed: Decision | None = None
        doubtful: Decision | None = None
        nearest: tuple[int, Line, tuple[Difference, ...]] | None = None
        for line, fixed in self._candidates(seen, client, server, from_zone, to_zone):
            differences = (*fixed, *object_differences(line, seen))
            if not differences:
                if not seen.operation or not line.flow.operations or seen.operation in line.flow.operations:
                    return Decision("allowed", "", line.conduit.id, line.flow.id)
                allowed = allowed or Decision("allowed", "", line.conduit.id, line.flow.id)
                continue  # as housekeeping; another flow may name it
            if not any(difference.certain for difference in differences):
                doubtful = doubtful or _differing("cannot_conclude", line, differences)
            if nearest is None or distance(differences) < nearest[0]:
                nearest = (distance(differences), line, differences)
        if allowed is not None:
            return allowed
        same = from_zone == to_zone
        action = self.policy.defaults.within_zone if same else self.policy.defaults.between_zones
        if action == "deny" and doubtful is not None:
            return doubtful
        if action != "deny":
            return _by_default(action, from_zone, to_zone)
        if nearest is not None:
            return _differing("violation", nearest[1], nearest[2])
        return Decision("violation", self._no_conduit(from_zone, to_zone))

    def _candidates(
        self, seen: Observation, client: End, server: End, from_zone: str, to_zone: str
    ) -> tuple[tuple[Line, tuple[Difference, ...]], ...]:
        """The flows between two zones that differ least in all but objects, values and time."""
        housekeeping_kind = seen.kind == "link"
        ends = (from_zone, to_zone, client.id, client.address, server.id, server.address)
        key = (*ends, *seen[3:6], seen.function, seen.operation, housekeeping_kind)
        found = self._nearest.get(key)
        if found is None:
            table = self._events if seen.operation else self._openings
            all_lines = [
                (line, fixed_differences(line, seen, client, server)) for line in table.get((from_zone, to_zone), ())
            ]
            least = min((distance(differences) for _, differences in all_lines), default=0)
            found = tuple((line, differences) for line, differences in all_lines if distance(differences) == least)
            self._nearest[key] = found
        return found

    def _no_conduit(self, from_zone: str, to_zone: str) -> str:
        ends = [(conduit.from_, conduit.to, conduit) for conduit in self.policy.conduits]
        empty = [conduit.id for one, other, conduit in ends if (one, other) == (from_zone, to_zone)]
        if empty:
            return f"no flow in conduit {empty[0]} from {from_zone} to {to_zone}"
        if from_zone == to_zone:
            return f"no conduit within {from_zone}, and the policy denies traffic inside zones"
        reverse = [conduit.id for one, other, conduit in ends if (one, other) == (to_zone, from_zone)]
        other_way = f" (conduit {reverse[0]} goes the other way)" if reverse else ""
        return f"no conduit from {from_zone} to {to_zone}{other_way}"


def _differing(verdict: Verdict, line: Line, differences: tuple[Difference, ...]) -> Decision:
    aspects = tuple(difference.aspect for difference in differences)
    return Decision(verdict, told(differences, line), line.conduit.id, line.flow.id, aspects)


def _by_default(action: Action, from_zone: str, to_zone: str) -> Decision:
    where = f"inside zone {from_zone}" if from_zone == to_zone else f"from {from_zone} to {to_zone}"
    return Decision("allowed", f"{where} by default ({action})", reported=action == "report")


def _unzoned(client: End, server: End, from_zone: str, to_zone: str) -> Decision:
    outside = [end.address or end.id for end, zone in ((client, from_zone), (server, to_zone)) if not zone]
    outside = [address for address in outside if address]
    verb = "is" if len(outside) == 1 else "are"
    return Decision("unzoned", f"{' and '.join(outside)} {verb} in no zone" if outside else "in no zone")


def judge(
    policy: Policy,
    inventory: Inventory,
    aggregates: pa.Table,
    events: pa.Table,
    as_of: int,
    places: Places | None = None,
) -> Judgement:
    """Verdicts on everything seen. `as_of` is the moment (UTC nanoseconds) that last days are judged by."""
    places = places or Places(policy, inventory)
    judge_ = Judge(policy, places, as_of)
    limited = any(flow.values is not None for conduit in policy.conduits for flow in conduit.flows)
    rows = [judge_.row(seen) for seen in from_aggregates(aggregates, values=limited)]
    for edge, seen in from_edges(inventory.edges):
        rows.append(judge_.row(seen, places.of(edge.client, seen.client), places.of(edge.server, seen.server)))
    whole, left_out = state_changes(events)
    changes = tuple(JudgedChange(judge_.row(change.observation), change) for change in whole)
    rows.extend(_seen_in_events_only(rows, changes))
    used = {(row.decision.conduit, row.decision.flow) for row in rows if row.decision.verdict == "allowed"}
    limits = [*policy.not_judged, *_approved_later(policy, judge_.today)]
    if left_out:
        limits.append(f"{left_out} state-changing events beyond the first {MOST_EVENTS} were judged as aggregates only")
    return Judgement(
        rows=tuple(rows),
        changes=changes,
        unused=tuple(
            (conduit.id, flow.id)
            for conduit in policy.conduits
            for flow in conduit.flows
            if (conduit.id, flow.id) not in used
        ),
        limits=tuple(limits),
    )


def _approved_later(policy: Policy, today: dt.date) -> Iterator[str]:
    """Flows taken as valid though their approval begins after the day that is judged."""
    for conduit in policy.conduits:
        for flow in conduit.flows:
            if flow.approved is not None and flow.approved.on is not None and flow.approved.on > today:
                yield (
                    f"flow {flow.id} of conduit {conduit.id} was taken as valid on {today.isoformat()}, "
                    f"though approved.on is {flow.approved.on.isoformat()}: not judged"
                )


def _seen_in_events_only(rows: list[VerdictRow], changes: tuple[JudgedChange, ...]) -> Iterator[VerdictRow]:
    """Combinations that aggregates hold coalesced only, or not at all, but a whole event shows."""
    coalesced = {_function(row) for row in rows if row.seen.coalesced}
    whole = {_function(row) for row in rows} - coalesced
    known = {_target(row) for row in rows if not row.seen.coalesced}
    found: dict[tuple[object, ...], VerdictRow] = {}
    for change in changes:
        key = _target(change.row)
        if key in known or _function(change.row) in whole:
            continue
        row = found.get(key)
        found[key] = change.row if row is None else replace(row, seen=_added(row.seen, change.row.seen))
    yield from found.values()


def _function(row: VerdictRow) -> tuple[object, ...]:
    return (*row.seen[:7], row.seen.function, row.seen.operation)


def _target(row: VerdictRow) -> tuple[object, ...]:
    return (*_function(row), *row.seen[11:14])


def _added(one: Observation, other: Observation) -> Observation:
    evidence: tuple[Evidence, ...] = (*one.evidence[:3], *other.evidence) if len(one.evidence) < 4 else one.evidence
    return one._replace(
        events=one.events + other.events,
        refused=one.refused + other.refused,
        unanswered=one.unanswered + other.unanswered,
        last_time=max(one.last_time, other.last_time),
        evidence=evidence,
    )
