"""Changes of what is declared: zones, conduits, flows, the approval of the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zonewatch.reports.compare.model import Change, Subject
from zonewatch.reports.declared import ConduitInfo, FlowInfo
from zonewatch.reports.result import AuditResult, PolicyInfo, ZoneInfo

__all__ = ["plan_changes"]

Aspects = tuple[tuple[str, Callable[[Any], str]], ...]

_ZONE: Final[Aspects] = (
    ("name", lambda zone: zone.name),
    ("level", lambda zone: "" if zone.purdue is None else f"{zone.purdue:g}"),
    ("target", lambda zone: zone.target),
    ("members", lambda zone: ", ".join(zone.members)),
    ("kind", lambda zone: zone.kind),
)
_CONDUIT: Final[Aspects] = (
    ("from", lambda one: one.from_zone),
    ("to", lambda one: one.to_zone),
    ("kind", lambda one: one.kind),
    ("direction", lambda one: one.direction),
    ("device", lambda one: one.device),
)
_FLOW: Final[Aspects] = (
    ("protocol", lambda flow: flow.protocol),
    ("operations", lambda flow: ", ".join(flow.operations)),
    ("clients", lambda flow: ", ".join(flow.clients)),
    ("servers", lambda flow: ", ".join(flow.servers)),
    ("approved_by", lambda flow: flow.approved_by),
    ("until", lambda flow: flow.until),
)
_POLICY: Final[Aspects] = (
    ("approved_by", lambda policy: policy.approved_by),
    ("approved_on", lambda policy: policy.approved_on),
    ("until", lambda policy: policy.valid_until),
    ("system", lambda policy: policy.system),
    ("owner", lambda policy: policy.owner),
)


def plan_changes(before: AuditResult, after: AuditResult) -> Iterator[Change]:
    """A proposal of zones is made anew by every audit: only what two policies declare is compared."""
    if not (before.policy.given and after.policy.given):
        return
    yield from _aspects("policy", after.policy.name, after.policy.name, before.policy, after.policy, _POLICY)
    yield from _rows("zone", _zones(before), _zones(after), _ZONE, lambda zone: zone.name or zone.id)
    yield from _rows("conduit", _conduits(before.policy), _conduits(after.policy), _CONDUIT, lambda one: one.id)
    yield from _rows("flow", _flows(before.policy), _flows(after.policy), _FLOW, lambda flow: flow.id)


def _zones(result: AuditResult) -> dict[str, ZoneInfo]:
    return {zone.id: zone for zone in result.zones}


def _conduits(policy: PolicyInfo) -> dict[str, ConduitInfo]:
    return {conduit.id: conduit for conduit in policy.conduits}


def _flows(policy: PolicyInfo) -> dict[str, FlowInfo]:
    return {f"{conduit.id}/{flow.id}": flow for conduit in policy.conduits for flow in conduit.flows}


def _rows(
    subject: Subject, was: Mapping[str, Any], now: Mapping[str, Any], aspects: Aspects, name: Callable[[Any], str]
) -> Iterator[Change]:
    for key in dict.fromkeys((*was, *now)):
        told = key if subject == "flow" else name(now.get(key, was.get(key)))
        if key not in was:
            yield Change(subject, "appeared", key, told)
        elif key not in now:
            yield Change(subject, "vanished", key, told)
        else:
            yield from _aspects(subject, key, told, was[key], now[key], aspects)


def _aspects(subject: Subject, key: str, name: str, was: Any, now: Any, aspects: Aspects) -> Iterator[Change]:
    for aspect, value in aspects:
        if value(was) != value(now):
            yield Change(subject, "changed", key, name, aspect, value(was), value(now))
