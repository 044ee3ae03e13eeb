"""Findings as alerts in the Elastic Common Schema: `alerts.ndjson`, one JSON object a line.

`event.id` is the finding's id, so a receiver that sees one twice keeps one. Times are packet times.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.inventory.model import Asset, Edge
from zonewatch.reports.codec import encode
from zonewatch.reports.result import AuditResult, FindingFlow, ordered
from zonewatch.reports.words import frames, iso_time
from zonewatch.rules.context import named_changes
from zonewatch.rules.findings import Finding, Severity
from zonewatch.rules.incidents import Incident

__all__ = [
    "Alerts",
    "alerts",
    "alerts_ndjson",
    "community_id",
    "event_id",
    "finding_flows",
    "health_alert",
    "telling",
]

ECS_VERSION: Final = "8.17.0"
SEVERITY_NUMBERS: Final[dict[Severity, int]] = {"info": 1, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""The numbers that SIEMs built on ECS map to these words; an ordinal of the word, and never added up."""
_IP_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "ipv6-icmp": 58, "sctp": 132}
_TWO_WAY_ICMP: Final = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
_TWO_WAY_ICMP6: Final = {
    128: 129,
    129: 128,
    133: 134,
    134: 133,
    135: 136,
    136: 135,
    130: 131,
    131: 130,
    139: 140,
    140: 139,
    144: 145,
    145: 144,
}

_FRAMES: Final = {"request_frames": "capture", "response_frames": "response_capture"}
"""Lists of frames of an event, with the column that names their capture."""
_FLOW: Final = ("transport", "client", "client_port", "server", "server_port")
_Found = dict[tuple[str, int], set[tuple[Any, ...]]]
"""Capture and frame → the flows that it belongs to, as `_FLOW` names them."""


def community_id(transport: str, client: str, server: str, client_port: int, server_port: int, seed: int = 0) -> str:
    """The Community ID flow hash, version 1; empty where an address or the transport has none.

    For ICMP, the ports are type and code of the first message.
    """
    addresses = _addresses(client, server)
    protocol = _IP_PROTOCOLS.get(transport)
    if addresses is None or protocol is None:
        return ""
    if protocol == 1 and addresses[0].version == 6:
        protocol = 58
    one_way = False
    if protocol in (1, 58):
        answers = _TWO_WAY_ICMP if protocol == 1 else _TWO_WAY_ICMP6
        one_way = client_port not in answers
        server_port = answers.get(client_port, server_port)
    ends = [(addresses[0].packed, client_port), (addresses[1].packed, server_port)]
    if not one_way:
        ends.sort()
    (first, first_port), (second, second_port) = ends
    ports = struct.pack("!HH", first_port, second_port)
    digest = hashlib.sha1(
        struct.pack("!H", seed) + first + second + bytes((protocol, 0)) + ports, usedforsecurity=False
    )
    return "1:" + base64.b64encode(digest.digest()).decode()


def _addresses(client: str, server: str) -> tuple[IPv4Address, IPv4Address] | tuple[IPv6Address, IPv6Address] | None:
    try:
        pair = (ip_address(client), ip_address(server))
    except ValueError:
        return None
    return pair if pair[0].version == pair[1].version else None  # type: ignore[return-value]


def finding_flows(
    findings: tuple[Finding, ...], events: pa.Table, flows: pa.Table | None = None
) -> tuple[FindingFlow, ...]:
    """The flow of each finding whose evidence lies in one flow only.

    Frames are looked up in the event table, and among the first and last frames of the flows table.
    """
    frames_wanted = pa.array(sorted({row.frame for finding in findings for row in finding.evidence}), pa.uint64())
    found: _Found = {}
    for column, capture in _FRAMES.items():
        lists: Any = events.column(column).combine_chunks()
        _look_up(events, capture, pc.list_flatten(lists), pc.list_parent_indices(lists), frames_wanted, found)
    if flows is not None:
        numbers = pa.array(list(range(flows.num_rows)), pa.int64())
        for column in ("first_frame", "last_frame"):
            _look_up(flows, "capture", flows.column(column), numbers, frames_wanted, found)
    return tuple(sorted(_only_flows(findings, found), key=lambda flow: flow.finding))


def _look_up(
    table: pa.Table, capture: str, frames_held: Any, held_by: Any, wanted: pa.Array[Any], found: _Found
) -> None:
    """Adds the flows of the rows of `table` (by number in `held_by`) that hold a wanted frame of their `capture`."""
    mask: Any = pc.is_in(frames_held, value_set=wanted)
    rows = table.select((capture, *_FLOW)).take(held_by.filter(mask)).to_pylist()
    for frame, row in zip(frames_held.filter(mask).to_pylist(), rows, strict=True):
        found.setdefault((row[capture], frame), set()).add(tuple(row[name] for name in _FLOW))


def _only_flows(findings: tuple[Finding, ...], found: _Found) -> Iterator[FindingFlow]:
    for finding in findings:
        flows = {flow for row in finding.evidence for flow in found.get((row.capture, row.frame), ())}
        if len(flows) == 1:
            transport, client, client_port, server, server_port = flows.pop()
            yield FindingFlow(finding.id, transport, client, client_port, server, server_port)


class Alerts:
    """The alerts of a result, made one by one."""

    def __init__(self, result: AuditResult) -> None:
        self._result = result
        self._flows = {flow.finding: flow for flow in result.flows}
        self._assets = {asset.id: asset for asset in result.inventory.assets}
        self._edges: defaultdict[frozenset[str], list[Edge]] = defaultdict(list)
        for edge in result.inventory.edges:
            self._edges[frozenset((edge.client, edge.server))].append(edge)

    def of(self, told: Finding | Incident) -> dict[str, Any]:
        """The ECS document of a finding or an incident."""
        if isinstance(told, Incident):
            return _story(self._result, told, self._assets)
        between = self._edges.get(frozenset(told.assets), [])
        ends = _ends(told, self._flows.get(told.id), self._assets, between)
        return _alert(self._result, told, ends, self._assets)


def alerts(result: AuditResult) -> Iterator[dict[str, Any]]:
    """One ECS document a finding, the gravest first; then one an incident, which names its findings."""
    result = ordered(result)
    made = Alerts(result)
    yield from map(made.of, result.findings)
    yield from map(made.of, result.incidents)


def telling(alert: Mapping[str, Any], number: int, state: str) -> dict[str, Any]:
    """The alert as a sensor tells it for the `number`th time.

    `event.id` is that of the subject for the first time, `ID.2`, `ID.3` … for later ones; `zonewatch.subject` stays.
    """
    subject = alert["event"]["id"]
    about = {"subject": subject, "telling": number, "state": state}
    return {
        **alert,
        "event": {**alert["event"], "id": event_id(subject, number)},
        "zonewatch": {**alert["zonewatch"], **about},
    }


def event_id(subject: str, number: int) -> str:
    """`event.id` of the `number`th alert about a subject."""
    return subject if number == 1 else f"{subject}.{number}"


def health_alert(subject: str, severity: Severity, title: str, text: str, at: int, version: str) -> dict[str, Any]:
    """The ECS document of something that is wrong with the sensor itself, or with what it is given to see."""
    alert: dict[str, Any] = _compact(
        {
            **_always(at, version),
            "event": _event(subject, "health", severity, ["host"]) | {"start": _millis(at)},
            "message": title,
            "rule": {"id": subject, "name": rule_name(subject)},
            "zonewatch": {"severity": severity, "remedy": text},
        }
    )
    return alert


def alerts_ndjson(result: AuditResult) -> str:
    """`alerts.ndjson`, ASCII."""
    return "".join(json.dumps(alert, sort_keys=True, allow_nan=False) + "\n" for alert in alerts(result))


def _alert(result: AuditResult, finding: Finding, ends: dict[str, Any], assets: Mapping[str, Asset]) -> dict[str, Any]:
    alert: dict[str, Any] = _compact(
        {
            **_shared(result, finding, "findings", assets),
            "message": _message(finding),
            "rule": {
                "uuid": finding.uuid,
                "id": finding.rule,
                "name": rule_name(finding.rule),
                "description": finding.description,
            },
            **ends,
            "zonewatch": {
                "severity": finding.severity,
                "state": finding.state,
                "remedy": finding.remedy,
                "owner": finding.owner,
                "verdict": finding.verdict,
                "operation": finding.operation,
                "zones": list(finding.zones),
                "assets": list(finding.assets),
                "requirement": list(finding.requirement),
                "changes": [_compact(change) for change in encode(finding.changes)],
                "count": finding.count,
                "evidence": [f"{row.capture}:{row.frame}" for row in finding.evidence],
                "frames": frames(finding.evidence),
            },
        }
    )
    return alert


def _story(result: AuditResult, incident: Incident, assets: Mapping[str, Asset]) -> dict[str, Any]:
    story: dict[str, Any] = _compact(
        {
            **_shared(result, incident, "incidents", assets),
            "message": incident.title,
            "rule": {"id": "incident", "name": incident.pattern or "incident"},
            "zonewatch": {
                "severity": incident.severity,
                "owner": incident.owner,
                "assets": list(incident.assets),
                "findings": list(incident.findings),
                "steps": [f"{place}. {step.text}" for place, step in enumerate(incident.steps, 1)],
            },
        }
    )
    return story


def _shared(result: AuditResult, told: Finding | Incident, dataset: str, assets: Mapping[str, Asset]) -> dict[str, Any]:
    """What the alert of a finding and that of an incident both have."""
    return {
        **_always(told.last_time or told.first_time or result.as_of, result.version),
        "event": {
            **_event(told.id, dataset, told.severity, ["network", "intrusion_detection"]),
            "start": _millis(told.first_time),
            "end": _millis(told.last_time),
            "reason": "; ".join(told.reasons),
            "action": told.operation if isinstance(told, Finding) else "",
        },
        "threat": _threat(told.technique),
        "related": {
            "ip": sorted({address for name in told.assets if name in assets for address in assets[name].addresses})
        },
    }


def _always(at: int, version: str) -> dict[str, Any]:
    return {
        "@timestamp": _millis(at),
        "ecs": {"version": ECS_VERSION},
        "tags": ["ot", "zonewatch"],
        "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": version},
    }


def _event(subject: str, dataset: str, severity: Severity, category: list[str]) -> dict[str, Any]:
    return {
        "id": subject,
        "kind": "alert",
        "category": category,
        "type": ["info"],
        "module": "zonewatch",
        "dataset": f"zonewatch.{dataset}",
        "severity": SEVERITY_NUMBERS[severity],
    }


def _message(finding: Finding) -> str:
    """The title; where points with names were changed, what was changed comes after it."""
    sentences = named_changes(finding.changes)
    told = any(change.sentence in finding.title for change in finding.changes if change.name)
    return f"{finding.title}: {sentences}" if sentences and not told else finding.title


def rule_name(rule: str) -> str:
    """A rule's id in words: `policy: violation`."""
    return rule.replace(".", ": ").replace("_", " ")


def _millis(nanoseconds: int) -> str:
    return iso_time(nanoseconds)[:23] + "Z" if nanoseconds else ""


def _threat(technique: Sequence[str]) -> dict[str, Any]:
    return {"framework": "MITRE ATT&CK for ICS", "technique": {"id": list(technique)}} if technique else {}


def _ends(
    finding: Finding, flow: FindingFlow | None, assets: Mapping[str, Asset], between: Iterable[Edge]
) -> dict[str, Any]:
    """Source, destination and network: of the one flow, else of the one edge between the finding's two assets."""
    network: dict[str, Any] = {"protocol": finding.protocol}
    if flow is not None:
        network |= {
            "transport": flow.transport,
            "community_id": community_id(flow.transport, flow.client, flow.server, flow.client_port, flow.server_port),
        }
        return {
            "source": {**_end(flow.client), "port": flow.client_port},
            "destination": {**_end(flow.server), "port": flow.server_port},
            "network": network,
        }
    edges = [edge for edge in between if edge.protocol == (finding.protocol or edge.protocol)]
    pairs = sorted({(edge.client_address, edge.server_address) for edge in edges})
    if len(pairs) == 1:
        transports = sorted({edge.transport for edge in edges})
        ports = sorted({edge.server_port for edge in edges})
        if len(transports) == 1:
            network["transport"] = transports[0]
        destination = _end(pairs[0][1]) | ({"port": ports[0]} if len(ports) == 1 and ports[0] else {})
        return {"source": _end(pairs[0][0]), "destination": destination, "network": network}
    if len(finding.assets) == 1 and finding.assets[0] in assets:
        found = assets[finding.assets[0]]
        host = {"name": found.name, "ip": list(found.addresses), "mac": [_mac(mac) for mac in found.macs]}
        return {"host": host, "network": network}
    return {"network": network}


def _end(address: str) -> dict[str, Any]:
    try:
        return {"address": address, "ip": str(ip_address(address))}
    except ValueError:
        return {"address": address, **({"mac": _mac(address)} if address.count(":") == 5 else {})}


def _mac(mac: str) -> str:
    return mac.upper().replace(":", "-")


def _compact(value: Any) -> Any:
    """Without what says nothing: none, empty texts, empty lists and objects."""
    if isinstance(value, dict):
        kept = {key: _compact(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item not in ("", [], {})}
    return value
