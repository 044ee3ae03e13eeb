"""IBM QRadar's Log Event Extended Format, version 2.0, from an ECS alert."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from zonewatch.sensor.shipping.formats.pick import grade, pick, text

SEVERITIES: Final[Mapping[str, int]] = {"info": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}
DELIMITER: Final = "\t"
_TIMES: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSX"


def _colons(value: Any) -> str:
    return text(value).replace("-", ":")


_ATTRIBUTES: Final[tuple[tuple[str, str, Callable[[Any], str]], ...]] = (
    ("cat", "event.dataset", text),
    ("devTime", "@timestamp", text),
    ("src", "source.ip", text),
    ("dst", "destination.ip", text),
    ("srcPort", "source.port", text),
    ("dstPort", "destination.port", text),
    ("srcMAC", "source.mac", _colons),
    ("dstMAC", "destination.mac", _colons),
    ("proto", "network.transport", text),
    ("eventId", "event.id", text),
    ("subject", "zonewatch.subject", text),
    ("state", "zonewatch.state", text),
    ("message", "message", text),
    ("reason", "event.reason", text),
    ("app", "network.protocol", text),
    ("action", "event.action", text),
    ("host", "host.name", text),
    ("zones", "zonewatch.zones", text),
    ("assets", "zonewatch.assets", text),
    ("technique", "threat.technique.id", text),
    ("requirement", "zonewatch.requirement", text),
    ("owner", "zonewatch.owner", text),
    ("eventCount", "zonewatch.count", text),
    ("packets", "zonewatch.frames", text),
    ("remedy", "zonewatch.remedy", text),
)
"""The first ones are LEEF's own; the others are the event's."""


def plain(value: str) -> str:
    """A value without the delimiter, line breaks and other control characters: LEEF has no escape for them."""
    return "".join(" " if ord(letter) < 32 or letter in "\x7f\x85\u2028\u2029" else letter for letter in value)


def leef(alert: Mapping[str, Any]) -> str:
    """The alert as one line of LEEF."""
    head = (
        "LEEF:2.0",
        _head(pick(alert, "observer.vendor")) or "zonewatch",
        _head(pick(alert, "observer.product")) or "zonewatch",
        _head(pick(alert, "observer.version")),
        _head(pick(alert, "rule.id")),
        "x09",
    )
    pairs = [(key, plain(write(pick(alert, path)))) for key, path, write in _ATTRIBUTES]
    pairs.append(("sev", str(grade(alert, SEVERITIES))))
    if any(key == "devTime" and value for key, value in pairs):
        pairs.append(("devTimeFormat", _TIMES))
    return "|".join((*head, DELIMITER.join(f"{key}={value}" for key, value in pairs if value)))


def _head(value: Any) -> str:
    return plain(text(value)).replace("|", "/")
