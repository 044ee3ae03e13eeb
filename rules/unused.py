"""What the policy allows and nothing used, with the coverage that this rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from zonewatch.rules.context import Context, Detector, Fact, Told, listing, span, times
from zonewatch.rules.policy.model import Conduit, Flow
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.policy.zones import aliases


def unused(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """One finding for each conduit with flows that nothing used."""
    if context.proposed or not context.judgement.rows:
        return
    idle = frozenset(context.judgement.unused)
    coverage = list(_coverage(context))
    seen = frozenset(name for row in context.judgement.rows for end in (row.client, row.server) for name in end.names)
    for conduit in context.policy.conduits:
        flows = [flow for flow in conduit.flows if (conduit.id, flow.id) in idle]
        if flows:
            whole = len(flows) == len(conduit.flows)
            finding = detector.finding(
                (("conduit", conduit.id),),
                f"{times(len(flows), 'flow')} of conduit {conduit.id} saw no traffic"
                + (", all it has" if whole else ""),
                detector.severity,
                [*coverage, _between(context, conduit)],
                f"{listing(_told_of(flow, context, seen) for flow in flows)}.",
                (),
                zones=(conduit.from_, conduit.to),
                count=len(flows),
                when=span((row.seen.first_time, row.seen.last_time) for row in context.judgement.rows),
            )
            yield Told(replace(finding, verdict="allowed"))


def _coverage(context: Context) -> Iterator[str]:
    first, last = span((row.seen.first_time, row.seen.last_time) for row in context.judgement.rows)
    yield f"traffic of {times(context.days, 'day')}, {_moment(first)} to {_moment(last)}: what is rarer was not seen"
    for source in sorted(context.blind):
        yield f"at {source}: {context.blind[source]}"


def _between(context: Context, conduit: Conduit) -> str:
    pair = (conduit.from_, conduit.to)
    passed = sum((row.client_zone, row.server_zone) == pair for row in context.judgement.rows)
    if passed:
        return f"{times(passed, 'combination')} of other use seen on this way: the capture sees it"
    return "nothing at all was seen on this way: the capture may not see it"


def _told_of(flow: Flow, context: Context, seen: frozenset[str]) -> str:
    """The flow, and those of its ends that no packet showed."""
    ids = aliases(context.policy)
    known = {asset.id: {asset.id, *asset.addresses} for asset in context.policy.assets}
    ends = [text for text in (*flow.clients, *flow.servers) if ids.get(text, text) in known]
    silent = [text for text in ends if not known[ids.get(text, text)] & seen]
    return flow.id + (f" ({listing(silent, 4)} not seen at all)" if silent else "")


def _moment(nanoseconds: int) -> str:
    return dt.datetime.fromtimestamp(nanoseconds // SECOND, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
