"""How objects and values are told to people: `holding-register 99 (40100)`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from zonewatch.inventory.targets import reference
from zonewatch.rules.policy.words import NAMED_KINDS

_TWO_STATES: Final = ("coil", "discrete-input", "binary-input", "binary-output", "control-relay-output")


@lru_cache(65_536)
def target_text(kind: str | None, start: int | None, count: int = 1, property_name: str = "") -> str:
    """A range of objects; for Modbus also as the numbers on a controller's drawing, which count from 1."""
    if not kind:
        return ""
    if property_name and kind in NAMED_KINDS:
        return f"{kind} {property_name}"
    if start is None:
        text = f"all {kind}"
    else:
        last = start + max(count, 1) - 1
        text = f"{kind} {start}" + (f"-{last}" if last > start else "")
        if numbers := reference(kind, start, last):
            text += f" ({numbers})"
    return f"{text} {property_name}" if property_name else text


def value_text(kind: str | None, value: float) -> str:
    """A value as people write it: 120, 0.5, on."""
    if kind in _TWO_STATES and value in (0, 1):
        return "on" if value else "off"
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else f"{value:.9g}"
