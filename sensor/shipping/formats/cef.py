"""ArcSight Common Event Format, version 0 (CEF implementation standard, revision 26), from an ECS alert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zonewatch.sensor.shipping.formats.pick import address, grade, millis, pick, text

SEVERITIES: Final[Mapping[str, int]] = {"info": 1, "low": 3, "medium": 6, "high": 8, "critical": 10}
"""0 to 3 is low there, 4 to 6 medium, 7 and 8 high, 9 and 10 very high."""


def _version(version: int) -> Callable[[Any], str]:
    return lambda value: address(value, version)


def _moment(value: Any) -> str:
    return text(millis(value))


def _colons(value: Any) -> str:
    return text(value).replace("-", ":")


_FIELDS: Final[tuple[tuple[str, str, Callable[[Any], str], int], ...]] = (
    ("externalId", "event.id", text, 40),
    ("rt", "@timestamp", _moment, 0),
    ("start", "event.start", _moment, 0),
    ("end", "event.end", _moment, 0),
    ("cat", "event.dataset", text, 1023),
    ("act", "event.action", text, 63),
    ("cnt", "zonewatch.count", text, 0),
    ("src", "source.ip", _version(4), 0),
    ("smac", "source.mac", _colons, 0),
    ("spt", "source.port", text, 0),
    ("dst", "destination.ip", _version(4), 0),
    ("dmac", "destination.mac", _colons, 0),
    ("dpt", "destination.port", text, 0),
    ("dhost", "host.name", text, 1023),
    ("proto", "network.transport", lambda value: text(value).upper(), 31),
    ("app", "network.protocol", text, 31),
    ("msg", "message", text, 1023),
    ("reason", "event.reason", text, 1023),
)
"""Key, field, how it is written, longest value (0: never longer)."""
_LABELLED: Final[tuple[tuple[str, str, str, Callable[[Any], str], int], ...]] = (
    ("c6a2", "Source IPv6 Address", "source.ip", _version(6), 0),
    ("c6a3", "Destination IPv6 Address", "destination.ip", _version(6), 0),
    ("cs1", "Zones", "zonewatch.zones", text, 4000),
    ("cs2", "Assets", "zonewatch.assets", text, 4000),
    ("cs3", "ATT&CK for ICS technique", "threat.technique.id", text, 4000),
    ("cs4", "IEC 62443 requirement", "zonewatch.requirement", text, 4000),
    ("cs5", "Remedy", "zonewatch.remedy", text, 4000),
    ("cs6", "Subject", "zonewatch.subject", text, 4000),
    ("flexString1", "State", "zonewatch.state", text, 1023),
    ("flexString2", "Packets", "zonewatch.frames", text, 1023),
)
"""Key, its label, field, how it is written, longest value."""


def header(value: str) -> str:
    """A field of the header: backslash and pipe escaped; it has one line."""
    return _one_line(value).replace("\\", "\\\\").replace("|", "\\|")


def extension(value: str) -> str:
    """A value of the extension: backslash, equals sign and line breaks escaped."""
    escaped = value.replace("\\", "\\\\").replace("=", "\\=")
    for broken in ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"):
        escaped = escaped.replace(broken, "\\n")
    return "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in escaped)


def _one_line(value: str) -> str:
    return " ".join("".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in value).split())


def _cut(value: str, longest: int) -> str:
    return value if not longest or len(value) <= longest else value[: longest - 1] + "…"


def cef(alert: Mapping[str, Any]) -> str:
    """The alert as one line of CEF."""
    head = (
        "CEF:0",
        header(text(pick(alert, "observer.vendor")) or "zonewatch"),
        header(text(pick(alert, "observer.product")) or "zonewatch"),
        header(text(pick(alert, "observer.version"))),
        header(text(pick(alert, "rule.id"))),
        header(_cut(text(pick(alert, "rule.name")) or text(pick(alert, "message")), 512)),
        str(grade(alert, SEVERITIES)),
    )
    return "|".join((*head, " ".join(f"{key}={extension(value)}" for key, value in _pairs(alert))))


def _pairs(alert: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, path, write, longest in _FIELDS:
        value = _cut(write(pick(alert, path)), longest)
        if value:
            yield key, value
    for key, label, path, write, longest in _LABELLED:
        value = _cut(write(pick(alert, path)), longest)
        if value:
            yield f"{key}Label", label
            yield key, value
