"""OCSF 1.5.0: an alert as a Detection Finding (class 2004)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from zonewatch.sensor.shipping.formats.pick import grade, millis, pick, text

VERSION: Final = "1.5.0"
CLASS: Final = 2004
SEVERITIES: Final[Mapping[str, int]] = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_SEVERITY_WORDS: Final = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
_ACTIVITIES: Final[Mapping[int, str]] = {1: "Create", 2: "Update", 3: "Close"}
_STATES: Final[Mapping[str, tuple[int, str]]] = {
    "open": (1, "New"),
    "accepted": (3, "Suppressed"),
    "resolved": (4, "Resolved"),
}
_ATTACK_VERSION: Final = "19.1"
_PROTOCOL_NUMBERS: Final[Mapping[str, int]] = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58, "sctp": 132}


def ocsf(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The alert as a Detection Finding."""
    event = text(pick(alert, "event.id"))
    subject = text(pick(alert, "zonewatch.subject")) or event
    state = text(pick(alert, "zonewatch.state")) or "open"
    activity = 3 if state == "resolved" else 1 if event == subject else 2
    severity = grade(alert, SEVERITIES)
    status, status_word = _STATES.get(state, _STATES["open"])
    found: dict[str, Any] = {
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {_ACTIVITIES[activity]}",
        "time": millis(pick(alert, "@timestamp")) or 0,
        "start_time": millis(pick(alert, "event.start")),
        "end_time": millis(pick(alert, "event.end")),
        "severity_id": severity,
        "severity": _SEVERITY_WORDS[severity],
        "status_id": status,
        "status": status_word,
        "is_alert": True,
        "count": pick(alert, "zonewatch.count"),
        "message": text(pick(alert, "message")),
        "metadata": {
            "version": VERSION,
            "uid": event,
            "log_name": text(pick(alert, "event.dataset")),
            "product": {
                "name": "zonewatch",
                "vendor_name": "zonewatch",
                "version": text(pick(alert, "observer.version")),
            },
        },
        "finding_info": _info(alert, subject),
        "evidences": list(_evidences(alert)),
        "resources": [{"uid": text(name), "type": "OT asset"} for name in pick(alert, "zonewatch.assets") or ()],
        "remediation": {"desc": text(pick(alert, "zonewatch.remedy"))} if pick(alert, "zonewatch.remedy") else None,
        "unmapped": {"zonewatch": pick(alert, "zonewatch"), "tags": pick(alert, "tags")},
    }
    return dict(_kept(found))


def _info(alert: Mapping[str, Any], subject: str) -> dict[str, Any]:
    rule = text(pick(alert, "rule.id"))
    return {
        "uid": subject,
        "title": text(pick(alert, "message")),
        "desc": text(pick(alert, "rule.description")) or text(pick(alert, "event.reason")),
        "first_seen_time": millis(pick(alert, "event.start")),
        "last_seen_time": millis(pick(alert, "event.end")),
        "analytic": {
            "uid": text(pick(alert, "rule.uuid")) or rule,
            "name": text(pick(alert, "rule.name")) or rule,
            "type_id": 1,
            "type": "Rule",
        },
        "attacks": [
            {"version": _ATTACK_VERSION, "technique": {"uid": text(name)}}
            for name in pick(alert, "threat.technique.id") or ()
        ],
        "related_events": [{"uid": text(name)} for name in pick(alert, "zonewatch.findings") or ()],
    }


def _evidences(alert: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    source, destination = _endpoint(alert, "source"), _endpoint(alert, "destination")
    if source or destination:
        transport = text(pick(alert, "network.transport"))
        yield {
            "src_endpoint": source,
            "dst_endpoint": destination,
            "connection_info": {
                "direction_id": 0,
                "direction": "Unknown",
                "protocol_name": transport,
                "protocol_num": _PROTOCOL_NUMBERS.get(transport),
                "community_uid": text(pick(alert, "network.community_id")),
            },
        }


def _endpoint(alert: Mapping[str, Any], side: str) -> dict[str, Any]:
    found = {
        "ip": text(pick(alert, f"{side}.ip")),
        "mac": text(pick(alert, f"{side}.mac")).replace("-", ":"),
        "port": pick(alert, f"{side}.port"),
        "uid": text(pick(alert, f"{side}.address")),
    }
    if side == "destination":
        found["svc_name"] = text(pick(alert, "network.protocol"))
    return found if any(found[name] for name in ("ip", "mac", "uid")) else {}


def _kept(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, Mapping):
        kept = {key: _kept(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if _says(item)}
    if isinstance(value, list):
        return [item for item in map(_kept, value) if _says(item)]
    return value


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {})
