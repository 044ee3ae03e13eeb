"""The fields of an alert, and the templates that give them their types in Elasticsearch and OpenSearch.

Fields that records have too are those of the taxonomy. What is not listed stays in the document, and is not indexed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Type = Literal["keyword", "text", "ip", "integer", "date"]
VERSION: Final = 1
"""Of the templates: a higher one is put over a lower one."""
NAME: Final = "zonewatch-alerts"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an alert."""

    name: str
    type: Type
    about: str


FIELDS: Final = (
    Field("@timestamp", "date", "when it was last seen"),
    Field("destination.address", "keyword", "the server's address as it was seen"),
    Field("destination.ip", "ip", "the server's IP address"),
    Field("destination.mac", "keyword", "the server's MAC address"),
    Field("destination.port", "integer", "the server's port"),
    Field("ecs.version", "keyword", "version of the Elastic Common Schema"),
    Field("event.action", "keyword", "the operation"),
    Field("event.category", "keyword", "network, intrusion_detection; host for the sensor's health"),
    Field("event.dataset", "keyword", "zonewatch.findings, zonewatch.incidents, zonewatch.health"),
    Field("event.end", "date", "when it was last seen"),
    Field("event.id", "keyword", "of this telling; the same again is the same alert"),
    Field("event.kind", "keyword", "alert"),
    Field("event.module", "keyword", "zonewatch"),
    Field("event.reason", "text", "why it is so severe"),
    Field("event.severity", "integer", "1 info, 21 low, 47 medium, 73 high, 99 critical"),
    Field("event.start", "date", "when it was first seen"),
    Field("event.type", "keyword", "info"),
    Field("host.ip", "ip", "the asset's addresses, where it is about one asset"),
    Field("host.mac", "keyword", "its MAC addresses"),
    Field("host.name", "keyword", "its name"),
    Field("message", "text", "what happened, in a sentence"),
    Field("network.community_id", "keyword", "community id, version 1"),
    Field("network.protocol", "keyword", "the protocol"),
    Field("network.transport", "keyword", "tcp, udp, …"),
    Field("observer.product", "keyword", "zonewatch"),
    Field("observer.type", "keyword", "ids"),
    Field("observer.vendor", "keyword", "zonewatch"),
    Field("observer.version", "keyword", "the sensor's version"),
    Field("related.ip", "ip", "every address of the assets"),
    Field("rule.description", "text", "what the rule found"),
    Field("rule.id", "keyword", "the rule"),
    Field("rule.name", "keyword", "its name"),
    Field("rule.uuid", "keyword", "its id as a Sigma rule"),
    Field("source.address", "keyword", "the client's address as it was seen"),
    Field("source.ip", "ip", "the client's IP address"),
    Field("source.mac", "keyword", "the client's MAC address"),
    Field("source.port", "integer", "the client's port"),
    Field("tags", "keyword", "ot, zonewatch; test of a test alert, shortened of one that is not whole"),
    Field("threat.framework", "keyword", "MITRE ATT&CK for ICS"),
    Field("threat.technique.id", "keyword", "techniques"),
    Field("zonewatch.assets", "keyword", "ids of the assets"),
    Field("zonewatch.count", "integer", "how often it was seen"),
    Field("zonewatch.evidence", "keyword", "capture and frame of each packet kept"),
    Field("zonewatch.findings", "keyword", "of an incident: its findings"),
    Field("zonewatch.operation", "keyword", "the operation"),
    Field("zonewatch.owner", "keyword", "who has to act: OT, IT, both"),
    Field("zonewatch.remedy", "text", "what to do"),
    Field("zonewatch.requirement", "keyword", "requirements of IEC 62443-3-3"),
    Field("zonewatch.severity", "keyword", "info, low, medium, high, critical"),
    Field("zonewatch.state", "keyword", "open, accepted, resolved"),
    Field("zonewatch.steps", "text", "of an incident: what happened in which order"),
    Field("zonewatch.subject", "keyword", "the finding or incident that all tellings are about"),
    Field("zonewatch.telling", "integer", "first telling, second, …"),
    Field("zonewatch.verdict", "keyword", "what the policy says"),
    Field("zonewatch.zones", "keyword", "zones of the assets"),
)
_TYPES: Final[Mapping[Type, Mapping[str, object]]] = {
    "keyword": {"type": "keyword", "ignore_above": 1024},
    "text": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}},
    "ip": {"type": "ip", "ignore_malformed": True},
    "integer": {"type": "long"},
    "date": {"type": "date"},
}


def templates(stream: str) -> tuple[tuple[Literal["component", "index"], str, dict[str, Any]], ...]:
    """Kind, name and content of each template for a data stream, in the order in which they are put.

    The index template is above that of records (`logs-zonewatch.*`, priority 300), whose streams it leaves alone.
    """
    fields = {field.name: dict(_TYPES[field.type]) for field in FIELDS}
    mappings = {"mappings": {"dynamic": False, "date_detection": False, "properties": fields}}
    settings = {"settings": {"index.auto_expand_replicas": "0-1"}}
    index = {
        "index_patterns": [stream],
        "priority": 400,
        "data_stream": {},
        "composed_of": [f"{NAME}-mappings", f"{NAME}-settings"],
    }
    return (
        ("component", f"{NAME}-mappings", {"version": VERSION, "template": mappings}),
        ("component", f"{NAME}-settings", {"version": VERSION, "template": settings}),
        ("index", stream, {"version": VERSION, **index}),
    )
