"""The engine's tables as few distinct observations, each judged once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Edge, Evidence
from zonewatch.inventory.tables import grouped, in_order, plain

MOST_EVENTS: Final = 10_000
"""State-changing events that are looked at one by one."""


class Observation(NamedTuple):
    """Traffic that differs in nothing that a policy line reads, but time."""

    source: str
    client: str  # address
    server: str
    protocol: str
    transport: str
    server_port: int
    unit: str
    kind: str
    function: int | None
    function_name: str
    operation: str  # empty: a connection of which no more is known
    object_kind: str | None
    object_start: int | None
    object_count: int
    property_name: str
    coalesced: bool
    value_min: float | None
    value_max: float | None
    value_not_finite: bool  # infinite values or NaN were among them
    events: int = 0  # connections have packets
    refused: int = 0  # of these, answered negatively
    unanswered: int = 0  # of these, never answered where an answer was due
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()
    state: str = ""  # of a connection

    @property
    def obeyed(self) -> bool:
        """True unless all of it is known to have been refused, or was due an answer that nobody saw."""
        return self.refused + self.unanswered < self.events


_KEYS: Final = (
    "source",
    "client",
    "server",
    "protocol",
    "transport",
    "server_port",
    "server_unit",
    "kind",
    "function",
    "function_name",
    "operation",
    "object_kind",
    "object_start",
    "object_count",
    "property_name",
    "coalesced",
    "value_min",
    "value_max",
    "value_not_finite",
)

_COUNTS: Final = ("events", "count")
_FAILED: Final = ("error", "no_response")


def from_aggregates(aggregates: pa.Table, *, values: bool) -> Iterator[Observation]:
    """Distinct combinations of an aggregates table, by first time. Written values tell them apart only if asked for."""
    table = plain(aggregates)
    if not table.num_rows:
        return
    changing: Any = pc.is_in(table["operation"], value_set=pa.array(sorted(STATE_CHANGING)))
    for name in ("value_min", "value_max"):
        kept: Any = pc.if_else(changing, table[name], None) if values else pa.nulls(table.num_rows, pa.float64())
        table = table.set_column(table.schema.get_field_index(name), name, kept)
    odd: Any = pc.and_(changing, table["value_not_finite"]) if values else pa.repeat(False, table.num_rows)
    table = table.set_column(table.schema.get_field_index("value_not_finite"), "value_not_finite", odd)
    for status in _FAILED:
        failed: Any = pc.is_in(table["status"], value_set=pa.array([status]))
        for name in _COUNTS:
            counted: Any = pc.if_else(failed, table[name], 0)
            table = table.append_column(f"{name}_{status}", counted.cast(pa.uint64()))
    rows = grouped(
        in_order(table, "first_time", "source", "capture", "first_frame"),
        _KEYS,
        (
            *((f"{name}{end}", "sum") for name in _COUNTS for end in ("", *(f"_{status}" for status in _FAILED))),
            ("first_time", "min"),
            ("last_time", "max"),
        ),
        ("capture", "first_frame", "last_capture", "last_frame"),
    )
    for row in rows:
        *counts, first_time, last_time, capture, frame, last_capture, last_frame = row[len(_KEYS) :]
        # The second object of an event is counted with the first; where it stands alone, its own count is told.
        counts = counts[:3] if counts[0] else counts[3:]
        ends = {Evidence(row[0], capture, frame), Evidence(row[0], last_capture, last_frame)}
        keys = (*row[:6], row[6] or "", *row[7 : len(_KEYS)])
        yield Observation._make((*keys, *counts, first_time, last_time, tuple(sorted(ends)), ""))


def from_edges(edges: tuple[Edge, ...]) -> Iterator[tuple[Edge, Observation]]:
    """Connections of which no events are known."""
    for edge in edges:
        if edge.ot and edge.functions:
            continue
        source = edge.evidence[0].source if edge.evidence else ""
        yield (
            edge,
            Observation(
                source,
                edge.client_address,
                edge.server_address,
                edge.protocol,
                edge.transport,
                edge.server_port,
                "",
                "",
                None,
                "",
                "",
                None,
                None,
                0,
                "",
                False,
                None,
                None,
                False,
                max(edge.packets, 1),
                0,
                0,
                edge.first_time,
                edge.last_time,
                edge.evidence[:4],
                edge.state,
            ),
        )


class StateChange(NamedTuple):
    """One object of one state-changing event, with its values."""

    observation: Observation
    values: tuple[float, ...]
    before: tuple[float, ...]
    text: str


def state_changes(events: pa.Table) -> tuple[Iterator[StateChange], int]:
    """The objects of state-changing events in the order of time, and how many events were left out."""
    changing: Any = pc.is_in(events["operation"].cast(pa.utf8()), value_set=pa.array(sorted(STATE_CHANGING)))
    chosen = plain(events.filter(changing)).sort_by([("time", "ascending"), ("event", "ascending")])
    left = max(chosen.num_rows - MOST_EVENTS, 0)
    return (change for row in chosen.slice(0, MOST_EVENTS).to_pylist() for change in _objects(row)), left


def _objects(row: dict[str, Any]) -> Iterator[StateChange]:
    frames = row["request_frames"] or row["response_frames"]
    evidence = tuple(Evidence(row["source"], row["capture"], frame) for frame in frames[:1])
    objects: list[dict[str, Any]] = row["objects"] or [{}]
    for item in objects:
        values = tuple(item.get("values") or ())
        finite = tuple(filter(math.isfinite, values))
        yield StateChange(
            Observation(
                row["source"],
                row["client"],
                row["server"],
                row["protocol"],
                row["transport"],
                row["server_port"],
                row["server_unit"] or "",
                row["kind"],
                row["function"],
                row["function_name"],
                row["operation"],
                item.get("kind"),
                item.get("start"),
                item.get("count") or 0,
                item.get("property_name") or "",
                False,
                min(finite, default=None),
                max(finite, default=None),
                len(finite) < len(values),
                1,
                int(row["status"] == "error"),
                int(row["status"] == "no_response"),
                row["time"],
                row["time"],
                evidence,
            ),
            values,
            tuple(item.get("before") or ()),
            str(item.get("text") or ""),
        )
