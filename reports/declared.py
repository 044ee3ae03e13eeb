"""What a policy declares, as far as reports read it: conduits with their flows, exceptions, windows, remote access."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from zonewatch.rules.policy.model import Conduit, MaintenanceWindow, Policy, System, Zone
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS, Record, Requirement, SecurityLevels
from zonewatch.rules.policy.times import nanoseconds

__all__ = [
    "AssetInfo",
    "BasisInfo",
    "ConduitInfo",
    "FlowInfo",
    "PermitInfo",
    "RecordInfo",
    "RemoteInfo",
    "RequirementInfo",
    "asset_infos",
    "basis_info",
    "conduit_infos",
    "permit_infos",
    "record_info",
    "remote_infos",
    "requirement_infos",
    "security_levels",
    "zone_levels",
    "zone_record",
]


@dataclass(frozen=True, slots=True)
class FlowInfo:
    """A flow that a conduit allows."""

    id: str
    protocol: str
    operations: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    purpose: str = ""
    approved_by: str = ""
    until: str = ""  # ISO date of the approval's end
    ports: tuple[str, ...] = ()
    function_codes: tuple[int, ...] = ()
    objects: tuple[str, ...] = ()  # "holding-register 100-139"
    least: float | None = None  # of written values
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class RecordInfo:
    """What the record of a zone or conduit states beside what verdicts read (IEC 62443-3-2 ZCR 6.4)."""

    purpose: str = ""
    owner: str = ""
    trust: str = ""
    location: str = ""
    sil: int | None = None
    logical: tuple[str, ...] = ()  # access points
    physical: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    points: tuple[str, ...] = ()  # where it is captured


@dataclass(frozen=True, slots=True)
class AssetInfo:
    """What the policy states of a device beside its place: classification, value, consequence (ZCR 6.4 j)."""

    id: str
    classification: str = ""
    value: str = ""
    consequence: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BasisInfo:
    """What the policy states of the system for its requirements specification (ZCR 6.6 to 6.9, 7.1)."""

    tolerable_risk: str = ""
    regulations: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    threat_environment: str = ""
    approval_document: str = ""


@dataclass(frozen=True, slots=True)
class RequirementInfo:
    """What a zone or conduit says of a requirement (IEC 62443-3-2 ZCR 6.4 l)."""

    id: str
    status: str  # open, planned, in_place, compensated, excepted, not_applicable
    compensating: str = ""
    owner: str = ""
    due: str = ""  # ISO date


@dataclass(frozen=True, slots=True)
class ConduitInfo:
    """A conduit: from the zone of the protocol client to the zone of the server."""

    id: str
    name: str
    from_zone: str
    to_zone: str
    kind: str = "network"
    direction: str = "bidirectional"
    levels: tuple[tuple[str, int], ...] = ()  # SL-T by foundational requirement
    device: str = ""  # that enforces it
    deny_by_default: bool | None = None
    encryption: bool = False  # required
    authentication: bool = False  # required
    compensating: str = ""  # what stands in for authentication
    owner: str = ""
    flows: tuple[FlowInfo, ...] = ()
    requirements: tuple[RequirementInfo, ...] = ()
    ruleset: str = ""  # of the device that enforces it
    minimum: str = ""  # least version of TLS or SSH
    record: RecordInfo = RecordInfo()


@dataclass(frozen=True, slots=True)
class PermitInfo:
    """An exception of a conduit, or a maintenance window."""

    id: str
    sort: Literal["exception", "maintenance"]
    zones: tuple[str, ...]  # whose servers it is for
    conduit: str = ""
    operations: tuple[str, ...] = ()
    approved_by: str = ""
    ticket: str = ""
    reason: str = ""
    from_time: int = 0
    to_time: int = 0


@dataclass(frozen=True, slots=True)
class RemoteInfo:
    """How people outside reach a zone."""

    id: str
    entry_zone: str
    target_zone: str
    user_group: str = ""
    jump_host: str = ""
    protocols: tuple[str, ...] = ()
    mfa: bool | None = None
    max_minutes: float | None = None
    approval: str = ""
    purpose: str = ""


def security_levels(levels: SecurityLevels | None) -> tuple[tuple[str, int], ...]:
    """SL-T by foundational requirement, in their order; nothing where none is set."""
    return tuple((name, getattr(levels, name)) for name in FOUNDATIONAL_REQUIREMENTS) if levels is not None else ()


def zone_levels(policy: Policy, zone: Zone) -> tuple[tuple[str, int], ...]:
    """The SL-T of a zone: its own, else that of the nearest zone above it."""
    zones = {one.id: one for one in policy.zones}
    seen: set[str] = set()
    found: Zone | None = zone
    while found is not None and found.sl_t is None and found.id not in seen:
        seen.add(found.id)
        found = zones.get(found.parent or "")
    return security_levels(found.sl_t) if found is not None else ()


def conduit_infos(policy: Policy) -> tuple[ConduitInfo, ...]:
    """The conduits, in the order of the file."""
    return tuple(_conduit(conduit) for conduit in policy.conduits)


def _conduit(conduit: Conduit) -> ConduitInfo:
    return ConduitInfo(
        id=conduit.id,
        name=conduit.name,
        from_zone=conduit.from_,
        to_zone=conduit.to,
        kind=conduit.kind,
        direction=conduit.direction,
        levels=security_levels(conduit.sl_t),
        device=conduit.enforcement.device or "",
        deny_by_default=conduit.enforcement.deny_by_default,
        encryption=conduit.encryption.required,
        authentication=conduit.authentication.required,
        compensating=conduit.authentication.compensating or "",
        owner=str(conduit.owner or ""),
        flows=tuple(
            FlowInfo(
                id=flow.id,
                protocol=flow.protocol,
                operations=tuple(flow.operations),
                clients=flow.clients,
                servers=flow.servers,
                purpose=flow.purpose,
                approved_by=(flow.approved.by or "") if flow.approved is not None else "",
                until=_day(flow.last_day),
                ports=tuple(map(str, flow.ports)),
                function_codes=tuple(flow.function_codes),
                objects=tuple(map(str, flow.objects)),
                least=flow.values.min if flow.values is not None else None,
                greatest=flow.values.max if flow.values is not None else None,
            )
            for flow in conduit.flows
        ),
        requirements=requirement_infos(conduit.requirements),
        ruleset=conduit.enforcement.ruleset_ref or "",
        minimum=conduit.encryption.minimum or "",
        record=record_info(conduit),
    )


def record_info(record: Record) -> RecordInfo:
    """The record of a zone or conduit."""
    return RecordInfo(
        purpose=record.purpose,
        owner=str(record.owner or ""),
        logical=record.access_points.logical,
        physical=record.access_points.physical,
        policies=record.policies,
        assumptions=record.assumptions,
        dependencies=record.dependencies,
        points=record.coverage.sensor_points if record.coverage is not None else (),
    )


def zone_record(zone: Zone) -> RecordInfo:
    """The record of a zone, with its place and its trust."""
    place = zone.location
    parts = (place.site, place.building, place.room, place.cabinet, place.description) if place is not None else ()
    return replace(
        record_info(zone), trust=zone.trust or "", location=", ".join(filter(None, parts)), sil=zone.safety.sil
    )


def asset_infos(policy: Policy) -> tuple[AssetInfo, ...]:
    """The assets of which the policy states more than their place, in the order of the file."""
    rows = (
        AssetInfo(
            row.id, row.classification or "", row.business_value or "", row.consequence or "", str(row.owner or "")
        )
        for row in policy.assets
    )
    return tuple(row for row in rows if row != AssetInfo(row.id))


def basis_info(system: System) -> BasisInfo:
    """What is stated of the system."""
    return BasisInfo(
        tolerable_risk=system.tolerable_risk or "",
        regulations=system.regulations,
        policies=system.policies,
        threat_environment=system.threat_environment or "",
        approval_document=(system.approval.document or "") if system.approval is not None else "",
    )


def requirement_infos(rows: Iterable[Requirement]) -> tuple[RequirementInfo, ...]:
    """What a record says of requirements, in the order of the file."""
    return tuple(
        RequirementInfo(row.id, row.status, row.compensating or "", str(row.owner or ""), _day(row.due)) for row in rows
    )


def permit_infos(policy: Policy) -> tuple[PermitInfo, ...]:
    """Exceptions by conduit, then maintenance windows, in the order of the file."""
    return (*_exceptions(policy), *map(_window, policy.maintenance_windows))


def _exceptions(policy: Policy) -> Iterator[PermitInfo]:
    for conduit in policy.conduits:
        for item in conduit.exceptions:
            yield PermitInfo(
                id=item.id,
                sort="exception",
                zones=(conduit.to,),
                conduit=conduit.id,
                operations=tuple(item.match.operations),
                approved_by=item.approved_by or "",
                ticket=item.ticket or "",
                reason=item.reason,
                from_time=nanoseconds(item.from_) if item.from_ is not None else 0,
                to_time=nanoseconds(item.to) if item.to is not None else 0,
            )


def _window(window: MaintenanceWindow) -> PermitInfo:
    return PermitInfo(
        id=window.id,
        sort="maintenance",
        zones=window.zones,
        operations=tuple(window.allow),
        approved_by=window.approved_by or "",
        ticket=window.ticket or "",
        reason=window.purpose,
        from_time=nanoseconds(window.from_),
        to_time=nanoseconds(window.to),
    )


def remote_infos(policy: Policy) -> tuple[RemoteInfo, ...]:
    """The declared remote access, in the order of the file."""
    return tuple(
        RemoteInfo(
            id=access.id,
            entry_zone=access.entry_zone,
            target_zone=access.target_zone,
            user_group=access.user_group,
            jump_host=access.jump_host or "",
            protocols=tuple(access.protocols),
            mfa=access.mfa,
            max_minutes=access.max_minutes,
            approval=access.approval or "",
            purpose=access.purpose,
        )
        for access in policy.remote_access
    )


def _day(value: dt.date | None) -> str:
    return value.isoformat() if value is not None else ""
