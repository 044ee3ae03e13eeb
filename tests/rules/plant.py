"""A plant in rows: a control room that polls and sets two controllers, an office, and a policy for them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from tests.inventory.network import Row, network, talk
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import EARLIER
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.sigma.detect import Detection
from zonewatch.rules.tags.model import Tag

HMI, ENGINEERING, LAPTOP = "10.20.1.15", "10.20.1.20", "10.20.1.77"
PLC_1, PLC_3, OFFICE_PC, INTERNET = "10.20.11.11", "10.20.11.13", "10.20.50.5", "45.83.64.10"

POLICY = """\
policy_version: 1
suc: {id: riverside}
zones:
  - {id: office, purdue: 4, members: {subnets: [10.20.50.0/24]}}
  - {id: supervision, purdue: 2, members: {subnets: [10.20.1.0/24]}}
  - {id: filtration, purdue: 1, members: {subnets: [10.20.11.0/24]}}
assets:
  - {id: hmi-1, zone: supervision, addresses: [10.20.1.15], role: hmi}
  - {id: eng-1, zone: supervision, addresses: [10.20.1.20], role: engineering_station}
  - {id: plc-1, zone: filtration, addresses: [10.20.11.11], role: plc, criticality: high}
  - {id: plc-3, zone: filtration, addresses: [10.20.11.13], role: plc, criticality: high}
  - {id: pc-1, zone: office, addresses: [10.20.50.5], role: pc}
conduits:
  - id: scada-to-filtration
    from: supervision
    to: filtration
    flows:
      - {id: poll, protocol: modbus, operations: [read], clients: [hmi-1, eng-1], purpose: process values}
      - id: setpoints
        protocol: modbus
        operations: [write]
        clients: [hmi-1]
        objects: [holding-register 100-139]
        values: {min: 0, max: 1000}
        purpose: setpoints are changed from HMI 1 only
        approved: {by: control engineering, on: 2026-03-01, until: 2027-03-01}
"""


def day(year: int, month: int, number: int) -> int:
    """Noon of a day, in UTC nanoseconds."""
    return int(dt.datetime(year, month, number, 12, tzinfo=dt.UTC).timestamp()) * 1_000_000_000


AS_OF = day(2026, 6, 1)
POLL: dict[str, Any] = dict(talk(HMI, PLC_1, events=100, object_start=100, object_count=8))


def policy(text: str = POLICY) -> Policy:
    return parse_policy(text)


def inventory(talks: Iterable[Row] = (), flows: Iterable[Row] = ()) -> Inventory:
    return build(network(talks=talks, flows=flows))


def write(client: str, server: str, start: int, values: list[float], **more: Any) -> dict[str, Any]:
    """An aggregate of one write."""
    finite = [value for value in values if math.isfinite(value)]
    told = {
        "object_start": start,
        "object_count": len(values),
        "value_min": min(finite, default=None),
        "value_max": max(finite, default=None),
        "value_not_finite": len(finite) < len(values),
    }
    return {**talk(client, server, "write", **more), **told}


def write_event(
    client: str, server: str, start: int, values: list[float], before: list[float], frame: int = 7, **more: Any
) -> Mapping[str, Any]:
    """The same write as a whole event."""
    item = {
        "kind": "holding-register",
        "type_number": None,
        "variation": None,
        "start": start,
        "count": len(values),
        "property": None,
        "property_name": "",
        "index": None,
        "priority": None,
        "values": values,
        "text": "",
        "before": before,
        "status": None,
    }
    row = {
        "event": frame,
        "source": "tap",
        "capture": "a.pcap",
        "time": frame,
        "protocol": "modbus",
        "transport": "tcp",
        "client": client,
        "server": server,
        "server_port": 502,
        "kind": "request",
        "function": 16,
        "function_name": "write_multiple_registers",
        "operation": "write",
        "status": "ok",
        "request_frames": [frame],
        "reason": "state_change",
        "objects": [item],
    }
    return row | more


def assess(
    talks: Iterable[Row] = (),
    flows: Iterable[Row] = (),
    events: Iterable[Mapping[str, Any]] = (),
    by: Policy | str | None = POLICY,
    as_of: int = AS_OF,
    oddities: Iterable[Mapping[str, Any]] = (),
    coverage: Mapping[str, Any] | None = None,
    activities: Iterable[Row] = (),
    seen: Iterable[Row] = (),
    claims: Iterable[Row] = (),
    tags: Iterable[Tag] = (),
    detection: Detection | None = None,
    earlier: Iterable[Mapping[str, Any]] = (),
) -> Assessment:
    """The audit of these rows."""
    tables = network(
        talks=tuple(talks),
        flows=tuple(flows),
        claims=tuple(claims),
        seen=tuple(seen),
        activities=tuple(activities),
    )
    given: dict[str, pa.Table] = {
        "aggregates": tables.aggregates,
        "flows": tables.flows,
        "activities": tables.activities,
        "addresses": tables.addresses,
        "events": rows(schemas.EVENTS, tuple(events)),
        EARLIER: rows(schemas.EVENTS, tuple(earlier)),
        "oddities": rows(schemas.ODDITIES, tuple(oddities)),
        "coverage": rows(schemas.COVERAGE, [{"source": "tap", "capture": "a.pcap"} | dict(coverage or {})]),
    }
    used = policy(by) if isinstance(by, str) else by
    return audit(
        build(tables, declared_assets(used) if used else ()), given, used, as_of, tags=tags, detection=detection
    )


def of_rule(assessment: Assessment, rule: str) -> list[Finding]:
    return [finding for finding in assessment.findings if finding.rule == rule]
