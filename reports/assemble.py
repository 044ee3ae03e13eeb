"""An assessment and the engine's tables put together into the result that renderers show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import pyarrow as pa

from zonewatch.dissectors.schemas import TABLES
from zonewatch.inventory.tables import every_event
from zonewatch.inventory.unknown import UnknownProtocol
from zonewatch.reports.collect import captures, limits, oddity_counts, unread
from zonewatch.reports.declared import (
    asset_infos,
    basis_info,
    conduit_infos,
    permit_infos,
    remote_infos,
    requirement_infos,
    zone_levels,
    zone_record,
)
from zonewatch.reports.ecs import finding_flows
from zonewatch.reports.result import (
    EXTERNAL,
    AuditResult,
    MatrixCell,
    PolicyInfo,
    UnusedFlow,
    VerdictRow,
    ZoneInfo,
    ordered,
)
from zonewatch.rules.engine import Assessment
from zonewatch.rules.findings import Verdict
from zonewatch.rules.judge import VerdictRow as Judged
from zonewatch.rules.policy.model import Policy, Zone
from zonewatch.rules.policy.records import Signature
from zonewatch.rules.propose import draft_yaml

__all__ = ["assemble", "matrix_cells", "unused_flows", "verdict_rows", "zone_infos"]

MOST_EVIDENCE: Final = 4


def assemble(
    assessment: Assessment,
    tables: Mapping[str, pa.Table],
    *,
    version: str,
    title: str = "",
    policy_name: str = "",
    policy_sha256: str = "",
    unknown: tuple[UnknownProtocol, ...] = (),
    notes: Iterable[str] = (),
    known: Collection[str] = (),
) -> AuditResult:
    """The result. `tables` by the names of `schemas.TABLES`: coverage, oddities, events and flows are read.

    `policy_name` is the policy's file name; `unknown` are profiles of what nobody decodes; `notes` are further
    limits in words. Of the findings `known` by their ids the flows are left out.
    """
    wanted = ("coverage", "oddities", "events", "flows", "activities")
    table = {name: tables.get(name, TABLES[name].empty_table()) for name in wanted}
    rows = captures(table["coverage"])
    judged = not assessment.proposed
    policy = assessment.policy
    content = filter(None, (unread(table["flows"], table["activities"]),))
    new = tuple(finding for finding in assessment.findings if finding.id not in known)
    outside = frozenset(asset.id for asset in assessment.inventory.assets if asset.kind == EXTERNAL)
    return ordered(
        AuditResult(
            version=version,
            title=title or (policy.suc.name or policy.suc.id if judged else ""),
            as_of=assessment.as_of,
            captures=rows,
            inventory=assessment.inventory,
            policy=_policy_info(assessment, policy_name, policy_sha256),
            zones=zone_infos(policy, assessment.declared),
            verdicts=verdict_rows(assessment.verdicts) if judged else (),
            matrix=matrix_cells(assessment.verdicts, outside),
            findings=assessment.findings,
            incidents=assessment.incidents,
            flows=finding_flows(new, every_event({**tables, **table}), table["flows"]),
            oddities=oddity_counts(table["oddities"]),
            unknown=unknown,
            unused_flows=unused_flows(policy, assessment.unused) if judged else (),
            paths=assessment.paths,
            commands=assessment.commands,
            looked_for=assessment.looked_for,
            limits=tuple(dict.fromkeys((*limits(rows), *content, *map(_sentence, assessment.limits), *notes))),
        )
    )


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."


def _policy_info(assessment: Assessment, name: str, sha256: str) -> PolicyInfo:
    system = assessment.policy.suc
    if assessment.proposed:
        return PolicyInfo(proposal=draft_yaml(assessment.policy))
    approval = system.approval or Signature()
    return PolicyInfo(
        name=name or "policy",
        sha256=sha256,
        system=system.name or system.id,
        owner=str(system.owner or ""),
        approved_by=approval.approved_by or "",
        approved_on=approval.approved_on.isoformat() if approval.approved_on else "",
        valid_until=approval.valid_until.isoformat() if approval.valid_until else "",
        conduits=conduit_infos(assessment.policy),
        permits=permit_infos(assessment.policy),
        remote_access=remote_infos(assessment.policy),
        basis=basis_info(system),
        assets=asset_infos(assessment.policy),
    )


def zone_infos(policy: Policy, declared: Iterable[tuple[str, str]] = ()) -> tuple[ZoneInfo, ...]:
    """The zones of a policy, in its order; `declared` are assets by id, each with its zone."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for asset, place in declared:
        members[place].append(asset)
    return tuple(
        ZoneInfo(
            id=zone.id,
            name=zone.name,
            purdue=zone.purdue,
            target=_target(zone),
            members=(*zone.members.subnets, *zone.members.include),
            kind=zone.nature or "",
            safety=zone.safety.designation,
            levels=zone_levels(policy, zone),
            declared=tuple(sorted(members[zone.id])),
            requirements=requirement_infos(zone.requirements),
            parent=zone.parent or "",
            record=zone_record(zone),
        )
        for zone in policy.zones
    )


def _target(zone: Zone) -> str:
    if zone.sl_t is None:
        return ""
    levels: dict[str, int] = zone.sl_t.model_dump()
    same = set(levels.values())
    return str(same.pop()) if len(same) == 1 else ", ".join(f"{name} {value}" for name, value in levels.items())


def verdict_rows(rows: Iterable[Judged]) -> tuple[VerdictRow, ...]:
    """Verdicts by function and flow: those that differ in objects, units or ports only are counted together."""
    groups: defaultdict[tuple[str, str, str, str, str, Verdict, str, str, str, str, str], list[Judged]]
    groups = defaultdict(list)
    for row in rows:
        seen, decision = row.seen, row.decision
        ends = (row.client.id, row.server.id, seen.protocol, seen.function_name, seen.operation)
        why = (decision.conduit, decision.flow, decision.reason)
        groups[*ends, decision.verdict, row.client_zone, row.server_zone, *why].append(row)
    return tuple(
        VerdictRow(
            *key,
            events=sum(row.seen.events for row in same),
            evidence=tuple(sorted({item for row in same for item in row.seen.evidence})[:MOST_EVIDENCE]),
            by=next((row.decision.by for row in same if row.decision.by), ""),
            differs=tuple(dict.fromkeys(aspect for row in same for aspect in row.decision.differs)),
            state=max((row.seen.state for row in same), key=_known),
            refused=sum(row.seen.refused for row in same),
            unanswered=sum(row.seen.unanswered for row in same),
            first_time=min(row.seen.first_time for row in same),
            last_time=max(row.seen.last_time for row in same),
        )
        for key, same in sorted(groups.items())
    )


_STATES: Final = ("", "attempted", "refused", "one_way", "two_way", "reset", "closed", "established")


def _known(state: str) -> int:
    """How much a state says of the other side's answer."""
    return _STATES.index(state)


def matrix_cells(rows: Iterable[Judged], outside: frozenset[str] = frozenset()) -> tuple[MatrixCell, ...]:
    """Zone by zone, each operation of each protocol; ends that are public addresses are in zone `external`."""
    counts: Counter[tuple[str, str, str, str, Verdict]] = Counter()
    for row in rows:
        client_zone = row.client_zone or (EXTERNAL if row.client.id in outside else "")
        server_zone = row.server_zone or (EXTERNAL if row.server.id in outside else "")
        seen = row.seen
        counts[client_zone, server_zone, seen.protocol, seen.operation, row.decision.verdict] += seen.events
    return tuple(MatrixCell(*key, events=count) for key, count in sorted(counts.items()))


def unused_flows(policy: Policy, unused: Iterable[tuple[str, str]]) -> tuple[UnusedFlow, ...]:
    """What the policy says of the flows that nothing was seen to use."""
    names = frozenset(unused)
    return tuple(
        UnusedFlow(
            conduit.id,
            flow.id,
            conduit.from_,
            conduit.to,
            flow.protocol,
            tuple(flow.operations),
            flow.purpose,
            flow.last_day.isoformat() if flow.last_day else "",
        )
        for conduit in policy.conduits
        for flow in conduit.flows
        if (conduit.id, flow.id) in names
    )
