"""How often a flow may be used. What is counted together over a quarter of an hour is judged on its average."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.rules.observe import together
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.verdicts import Decision, VerdictRow, counted


def rated_protocols(policy: Policy) -> frozenset[str]:
    """The protocols whose events are to be told by the quarter of an hour."""
    named = {flow.protocol for conduit in policy.conduits for flow in conduit.flows if flow.rate_max_per_s is not None}
    return frozenset(named) if named <= set(PROTOCOLS) else frozenset(PROTOCOLS)


def within_rates(rows: list[VerdictRow], rates: Mapping[tuple[str, str], float]) -> list[VerdictRow]:
    """The rows in their order; what a flow allows, but not so often, is a violation.

    The rate is of one client and one server, over all that the flow lets them do. Rows that differ in their quarter of
    an hour only are one again.
    """
    if not rates:
        return rows
    used: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.decision.by == "flow" and row.decision.verdict == "allowed" and _name(row) in rates:
            used[*_name(row), row.client.id, row.server.id, row.seen.bucket].append(index)
    judged = list(rows)
    for found in used.values():
        most = rates[_name(rows[found[0]])]
        events = counted(rows[index] for index in found)
        first = min(rows[index].seen.first_time for index in found)
        last = max(rows[index].seen.last_time for index in found)
        seconds = max((last - first) / SECOND, 1.0)
        if events - 1 <= most * seconds:
            continue
        conduit, flow = _name(rows[found[0]])
        reason = f"{events / seconds:.3g} events per second (allowed: {most:g}) not in flow {flow} of conduit {conduit}"
        decision = Decision("violation", reason, conduit, flow, "flow", ("rate",))
        for index in found:
            judged[index] = replace(rows[index], decision=decision)
    return _merged(judged)


def _name(row: VerdictRow) -> tuple[str, str]:
    return row.decision.conduit, row.decision.flow


def _merged(rows: list[VerdictRow]) -> list[VerdictRow]:
    """Rows that differ in their quarter of an hour only, as one, at the place of the first."""
    found: dict[tuple[object, ...], list[VerdictRow]] = {}
    for row in rows:
        decision = row.decision
        ends = (row.client.id, row.client.address, row.server.id, row.server.address)
        found.setdefault((decision.verdict, decision.reason, decision.flow, *ends, *row.seen[:20]), []).append(row)
    return [
        group[0] if not group[0].seen.bucket else replace(group[0], seen=together(row.seen for row in group))
        for group in found.values()
    ]
