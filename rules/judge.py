"""The verdict of a policy on every edge, aggregate and event.

What a policy line reads is judged once per distinct combination; values on the aggregates' extremes and on whole
events; last days against `as_of`. A combination that the engine coalesced is `cannot_conclude` unless it is wholly
allowed or wholly outside.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from zonewatch.inventory.model import Activity, Inventory
from zonewatch.rules.calendar import Calendar
from zonewatch.rules.findings import Verdict
from zonewatch.rules.matching import (
    Difference,
    Line,
    Pair,
    distance,
    lines,
    object_differences,
    told,
)
from zonewatch.rules.nearest import Nearest
from zonewatch.rules.observe import (
    MOST_EVENTS,
    Observation,
    StateChange,
    from_edges,
    from_pieces,
    sessions_of,
    state_changes,
    together,
)
from zonewatch.rules.places import End, Places
from zonewatch.rules.policy.model import Action, Policy, Traffic
from zonewatch.rules.rates import rated_protocols, within_rates
from zonewatch.rules.remote import remote_decision
from zonewatch.rules.safeguards import SAFEGUARDS, Safeguards, openings_of
from zonewatch.rules.verdicts import Decision, VerdictRow

__all__ = ["Decision", "Judge", "JudgedChange", "Judgement", "VerdictRow", "judge"]

NANOSECONDS: Final = 1_000_000_000
NO_POLICY: Final = Decision("cannot_conclude", "no policy: the zones are a proposal")


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

    def __init__(
        self,
        policy: Policy,
        places: Places,
        as_of: int,
        safeguards: Safeguards | None = None,
        *,
        proposed: bool = False,
    ) -> None:
        self.policy, self.proposed = policy, proposed
        self.places = places
        self.safeguards = safeguards  # none: they are not judged
        self.today = dt.datetime.fromtimestamp(as_of // NANOSECONDS, dt.UTC).date()
        self.calendar = Calendar()
        self._events: defaultdict[Pair, list[Line]] = defaultdict(list)
        self._openings: defaultdict[Pair, list[Line]] = defaultdict(list)
        self.rates: dict[tuple[str, str], float] = {}
        for pair, conduit, line in lines(policy, self.today, self.calendar):
            self._events[pair].append(line)
            if line.rate is not None:
                self.rates[line.conduit, line.name] = line.rate
            if conduit is None or conduit.initiator in (None, conduit.from_):
                if line.opens:
                    self._openings[pair].append(line)
            elif line.opens:
                turned = replace(line, clients=line.servers, servers=line.clients, turned=True)
                self._openings[pair[1], pair[0]].append(turned)
        self._nearest = Nearest()
        self._decided: dict[tuple[object, ...], tuple[str, str, Decision]] = {}

    def row(self, seen: Observation, client: End | None = None, server: End | None = None) -> VerdictRow:
        """The observation with its ends, their zones and the verdict."""
        client = client or self.places.at(seen.source, seen.client)
        server = server or self.places.at(seen.source, seen.server)
        key = (
            client.id,
            client.address,
            server.id,
            server.address,
            *seen[3:6],
            *seen[7:15],
            *seen[15:20],
            seen.lasted,
        )
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
        if self.proposed:
            return from_zone, to_zone, NO_POLICY
        if not from_zone or not to_zone:
            return from_zone, to_zone, _unzoned(client, server, from_zone, to_zone)
        decision = self._between(seen, client, server, from_zone, to_zone)
        if decision.verdict == "allowed" and from_zone != to_zone:
            decision = remote_decision(self.policy, seen, client, from_zone, to_zone) or decision
        if decision.verdict == "allowed" and self.safeguards is not None:
            decision = self.safeguards.decision(decision, seen, client, server) or decision
        return from_zone, to_zone, decision

    def _between(self, seen: Observation, client: End, server: End, from_zone: str, to_zone: str) -> Decision:
        allowed: Decision | None = None
        doubtful: Decision | None = None
        nearest: tuple[int, Line, tuple[Difference, ...]] | None = None
        table = self._events if seen.operation else self._openings
        candidates = self._nearest.of(table.get((from_zone, to_zone), ()), seen, client, server)
        for line, fixed in candidates.lines:
            differences = (*fixed, *object_differences(line, seen))
            if not differences:
                decision = Decision("allowed", _told_of(line), line.conduit, line.name, line.sort)
                operations = line.traffic.operations
                if not seen.operation or not operations or seen.operation in operations:
                    return decision
                allowed = allowed or decision
                continue  # as housekeeping; another flow may name it
            if not any(difference.certain for difference in differences):
                doubtful = doubtful or _differing("cannot_conclude", line, differences)
            if line.sort != "flow" and any(difference.aspect != "schedule" for difference in differences):
                continue  # what was meant is a flow, unless the time alone is wrong
            if nearest is None or distance(differences) < nearest[0]:
                nearest = (distance(differences), line, differences)
                if candidates.hopeless and len(differences) == len(fixed):
                    break  # none comes nearer
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
    return Decision(verdict, told(differences, line), line.conduit, line.name, line.sort, aspects)


def _told_of(line: Line) -> str:
    """Nothing of a flow; of what holds only for a while, what it is."""
    return "" if line.sort == "flow" else f"by {line.label}"


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
    aggregates: pa.Table | Iterable[pa.Table],
    events: pa.Table,
    as_of: int,
    places: Places | None = None,
    flows: pa.Table | None = None,
    distinct: Sequence[Activity] | None = None,
    *,
    values: bool = False,
    proposed: bool = False,
) -> Judgement:
    """Verdicts on everything seen. `as_of` is the moment (UTC nanoseconds) that last days are judged by.

    `flows` tell when each connection was and who opened it, where the policy asks; `distinct` activities, if given,
    more than the inventory of how services are used. Aggregates may come in pieces, which are not kept. `values` are
    told apart where the policy limits them, or where asked for. Where the policy is `proposed` nothing is decided: by
    flows made from the traffic itself, everything would be allowed.
    """
    places = places or Places(policy, inventory)
    openings = (
        openings_of(flows, lambda source, address: places.at(source, address).id)
        if flows is not None and any(conduit.initiator is not None for conduit in policy.conduits)
        else None
    )
    safeguards = Safeguards(policy, inventory, openings, distinct)
    judge_ = Judge(policy, places, as_of, safeguards, proposed=proposed)
    limited = values or any(traffic.values is not None for traffic in _all_traffic(policy))
    pieces = (aggregates,) if isinstance(aggregates, pa.Table) else aggregates
    seen_in_aggregates = from_pieces(pieces, judge_.calendar, values=limited, rated=rated_protocols(policy))
    rows = within_rates([judge_.row(seen) for seen in seen_in_aggregates], judge_.rates)
    timed = bool(judge_.calendar) or any(access.max_minutes is not None for access in policy.remote_access)
    sessions = (
        sessions_of(flows, lambda source, address: places.at(source, address).id) if timed and flows is not None else {}
    )
    for edge, seen in from_edges(inventory.edges, judge_.calendar, sessions):
        rows.append(judge_.row(seen, places.of(edge.client, seen.client), places.of(edge.server, seen.server)))
    whole, left_out = state_changes(events, judge_.calendar)
    changes = tuple(JudgedChange(judge_.row(change.observation), change) for change in whole)
    rows.extend(_seen_in_events_only(rows, changes))
    used = {
        (row.decision.conduit, row.decision.flow)
        for row in rows
        if row.decision.verdict == "allowed" or SAFEGUARDS.intersection(row.decision.differs)
    }
    limits = [
        *_approved_later(policy, judge_.today),
        *_without_end(policy),
        *_averaged(judge_.rates),
        *safeguards.limits(),
    ]
    if left_out:
        limits.append(
            f"{left_out} of {left_out + MOST_EVENTS} state-changing events were judged as aggregates only: of each "
            "function of a client at a server, the last ones"
        )
    return Judgement(
        rows=tuple(rows),
        changes=changes,
        unused=tuple(
            (conduit.id, flow.id)
            for conduit in policy.conduits
            for flow in conduit.flows
            if not proposed and (conduit.id, flow.id) not in used
        ),
        limits=tuple(limits),
    )


def _all_traffic(policy: Policy) -> Iterator[Traffic]:
    for conduit in policy.conduits:
        yield from conduit.flows
        yield from (item.match for item in conduit.exceptions)


def _without_end(policy: Policy) -> Iterator[str]:
    """Exceptions that let nothing pass."""
    for conduit in policy.conduits:
        for item in conduit.exceptions:
            if item.span is None:
                yield f"exception {item.id} of conduit {conduit.id} has no end: it lets nothing pass"


def _averaged(rates: Mapping[tuple[str, str], float]) -> Iterator[str]:
    if rates:
        yield (
            "rate_max_per_s was judged on the average of a quarter of an hour, or of the time that the events took "
            "in it: shorter bursts are not seen"
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
        found[key] = change.row if row is None else replace(row, seen=together((row.seen, change.row.seen)))
    yield from found.values()


def _function(row: VerdictRow) -> tuple[object, ...]:
    return (*row.seen[:7], row.seen.function, row.seen.operation)


def _target(row: VerdictRow) -> tuple[object, ...]:
    return (*_function(row), *row.seen[11:15])
