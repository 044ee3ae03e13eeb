"""Which approvals a policy lacks: without them it is a draft, and no firewall should run it (ZCR 7.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from zonewatch.rules.policy.lint.kinds import changing
from zonewatch.rules.policy.model import Flow, Policy


def pending(policy: Policy, day: dt.date) -> tuple[str, ...]:
    """What is missing or over on a day (UTC), in the order of the file."""
    return tuple(_pending(policy, day))


def _pending(policy: Policy, day: dt.date) -> Iterator[str]:
    owner = policy.suc.approval
    if owner is None or not owner.approved_by:
        yield f"nobody approved the policy of {policy.suc.id}"
    elif owner.valid_until is not None and owner.valid_until < day:
        yield f"the approval of {policy.suc.id} ended on {owner.valid_until.isoformat()}"
    elif owner.approved_on is not None and owner.approved_on > day:
        yield f"the approval of {policy.suc.id} begins on {owner.approved_on.isoformat()}"
    for conduit in policy.conduits:
        for flow in conduit.flows:
            if told := _of_flow(flow, day):
                yield f"flow {conduit.id}/{flow.id} {told}"
        for item in conduit.exceptions:
            missing = [key for key in ("approved_by", "ticket", "to") if not getattr(item, key)]
            if missing:
                yield f"exception {conduit.id}/{item.id} lacks {', '.join(missing)}"


def _of_flow(flow: Flow, day: dt.date) -> str:
    approved = flow.approved
    if flow.last_day is not None and flow.last_day < day:
        return f"ended on {flow.last_day.isoformat()}"
    if approved is not None and approved.on is not None and approved.on > day:
        return f"is approved from {approved.on.isoformat()} on only"
    if changing(flow) and (approved is None or not approved.by):
        return "changes state, and nobody approved it"
    return ""
