"""What a capture point did not let us see, said beside each conclusion that something did not happen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from zonewatch.inventory.tables import plain
from zonewatch.rules.context import times

_LIMITS: Final = (
    ("one_sided_flows", "connection", "seen in one direction only"),
    ("gaps", "gap", "in the streams"),
    ("reported_drops", "packet", "dropped by the capturing machine"),
)


def limits(coverage: pa.Table) -> dict[str, str]:
    """By capture point: `4 connections seen in one direction only, 2 gaps in the streams`; no entry without a limit."""
    table = plain(coverage.select(["source", *(name for name, *_ in _LIMITS)]))
    sums: list[Any] = [(name, "sum") for name, *_ in _LIMITS]
    found: dict[str, str] = {}
    for row in table.group_by(["source"]).aggregate(sums).to_pylist():
        parts = [f"{times(row[f'{name}_sum'], noun)} {what}" for name, noun, what in _LIMITS if row[f"{name}_sum"]]
        if parts:
            found[row["source"]] = ", ".join(parts)
    return found


def unanswered(sources: Iterable[str], known: Mapping[str, str]) -> str:
    """`no answer was seen`, with what may have hidden one."""
    hidden = "; ".join(f"at {source}: {known[source]}" for source in sorted(set(sources)) if source in known)
    return f"no answer was seen ({hidden})" if hidden else "no answer was seen"


DAY: Final = 86_400_000_000_000
"""Nanoseconds."""


def days(coverage: pa.Table) -> int:
    """On how many days (UTC) packets were captured, taking each capture as going on from its first to its last."""
    found: set[int] = set()
    for row in plain(coverage.select(["first_time", "last_time"])).to_pylist():
        if row["first_time"] and row["last_time"]:
            found.update(range(row["first_time"] // DAY, row["last_time"] // DAY + 1))
    return len(found)
