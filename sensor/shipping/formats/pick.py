"""Values of an ECS document by the path of their field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any


def pick(alert: Mapping[str, Any], path: str) -> Any:
    """The value at `source.ip`; none where there is none."""
    found: Any = alert
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def text(value: Any) -> str:
    """A value in one word or line; several are listed. Empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(found for found in map(text, value) if found)
    if isinstance(value, Mapping):
        return " ".join(f"{name}={text(inner)}" for name, inner in sorted(value.items()))
    return str(value)


def millis(moment: Any) -> int | None:
    """Milliseconds since 1970 of a moment as ECS writes it; none where it is none."""
    try:
        found = datetime.fromisoformat(str(moment))
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


def address(value: Any, version: int) -> str:
    """The value where it is an IP address of this version, else empty."""
    try:
        found = ip_address(str(value))
    except ValueError:
        return ""
    return str(found) if found.version == version else ""


def grade(alert: Mapping[str, Any], grades: Mapping[str, int]) -> int:
    """The number that stands for the alert's severity; that of `info` where it is not known."""
    return grades.get(str(pick(alert, "zonewatch.severity")), grades["info"])
