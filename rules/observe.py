"""The engine's tables as few distinct observations, each judged once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Edge, Evidence
from zonewatch.inventory.tables import grouped, in_order, plain
from zonewatch.rules.calendar import Calendar

MOST_EVENTS: Final = 10_000
"""State-changing events that are looked at one by one."""
MOST_EVIDENCE: Final = 4


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
    when: str  # how the policy's times held, a letter each (`Calendar`)
    bucket: int = 0  # start of the quarter of an hour, where a rate limits the protocol
    events: int = 0  # connections have packets
    refused: int = 0  # of these, answered negatively
    unanswered: int = 0  # of these, never answered where an answer was due
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()
    state: str = ""  # of a connection
    lasted: int | None = 0  # nanoseconds of the longest connection; none where they are counted together

    @property
    def obeyed(self) -> bool:
        """True unless all of it is known to have been refused, or was due an answer that nobody saw."""
        return self.refused + self.unanswered < self.events


def together(observations: Iterable[Observation]) -> Observation:
    """Counts and times of observations that differ in nothing else; evidence of the first of them."""
    seen = list(observations)
    evidence = (item for one in seen for item in one.evidence)
    return seen[0]._replace(
        bucket=0,
        events=sum(one.events for one in seen),
        refused=sum(one.refused for one in seen),
        unanswered=sum(one.unanswered for one in seen),
        first_time=min(one.first_time for one in seen),
        last_time=max(one.last_time for one in seen),
        evidence=tuple(islice(dict.fromkeys(evidence), MOST_EVIDENCE)),
    )


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
    "when",
    "bucket",
)

_COUNTS: Final = ("events", "count")
_FAILED: Final = ("error", "no_response")


def from_aggregates(
    aggregates: pa.Table, calendar: Calendar, *, values: bool, rated: frozenset[str] = frozenset()
) -> Iterator[Observation]:
    """Distinct combinations of an aggregates table, by first time.

    Written values tell them apart only if asked for, times as far as the calendar does, and quarters of an hour only
    for protocols whose rate is limited.
    """
    table = plain(aggregates)
    if not table.num_rows:
        return
    table = table.append_column("when", pa.array(calendar.of_table(table), pa.utf8()))
    limited: Any = pc.is_in(table["protocol"], value_set=pa.array(sorted(rated), pa.utf8()))
    buckets: Any = pc.if_else(limited, table["bucket"], 0)
    table = table.set_column(table.schema.get_field_index("bucket"), "bucket", buckets)
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
        known = {**dict(zip(_KEYS, row, strict=False)), "unit": row[6] or ""}
        del known["server_unit"]
        yield Observation(
            **known,
            **dict(zip(("events", "refused", "unanswered"), counts, strict=True)),
            first_time=first_time,
            last_time=last_time,
            evidence=tuple(sorted(ends)),
        )


def from_pieces(
    pieces: Iterable[pa.Table], calendar: Calendar, *, values: bool, rated: frozenset[str] = frozenset()
) -> Iterator[Observation]:
    """The same of a table that comes in pieces; one that comes whole is passed through."""
    found: dict[tuple[object, ...], Observation] = {}
    for piece in pieces:
        for seen in from_aggregates(piece, calendar, values=values, rated=rated):
            key = seen[: len(_KEYS)]
            known = found.get(key)
            found[key] = seen if known is None else together((known, seen))._replace(bucket=seen.bucket)
    yield from sorted(found.values(), key=lambda seen: seen.first_time)


def from_edges(edges: tuple[Edge, ...], calendar: Calendar, sessions: Sessions) -> Iterator[tuple[Edge, Observation]]:
    """Connections of which no events are known."""
    for edge in edges:
        if edge.ot and edge.functions:
            continue
        whole = (edge.first_time, edge.last_time)
        spans = sessions.get((edge.client, edge.server, edge.transport, edge.server_port), (whole,))
        lasted = None if None in spans else max(last - first for first, last in filter(None, spans))
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
                calendar.of_spans([span or whole for span in spans]),
                0,
                max(edge.packets, 1),
                0,
                0,
                edge.first_time,
                edge.last_time,
                edge.evidence[:4],
                edge.state,
                lasted,
            ),
        )


class StateChange(NamedTuple):
    """One object of one state-changing event, with its values."""

    observation: Observation
    values: tuple[float, ...]
    before: tuple[float, ...]
    text: str


Sessions = Mapping[tuple[str, str, str, int], tuple[tuple[int, int] | None, ...]]
"""By client, server, transport and port, when each connection was; none where several are counted together."""


def sessions_of(flows: pa.Table, end: Callable[[str, str], str]) -> Sessions:
    """The times of connections; `end` tells the asset (or broadcast) of a capture point and an address."""
    columns = ("source", "client", "server", "transport", "server_port", "first_time", "last_time", "flows")
    found: defaultdict[tuple[str, str, str, int], list[tuple[int, int] | None]] = defaultdict(list)
    table = plain(flows.select(columns))
    for source, client, server, transport, port, first, last, count in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        key = (end(source, client), end(source, server), transport, port)
        found[key].append((first, last) if count <= 1 else None)
    return {key: tuple(spans) for key, spans in found.items()}


def state_changes(events: pa.Table, calendar: Calendar) -> tuple[Iterator[StateChange], int]:
    """The objects of state-changing events in the order of time, and how many events were left out."""
    changing: Any = pc.is_in(events["operation"].cast(pa.utf8()), value_set=pa.array(sorted(STATE_CHANGING)))
    chosen = plain(events.filter(changing)).sort_by([("time", "ascending"), ("event", "ascending")])
    left = max(chosen.num_rows - MOST_EVENTS, 0)
    return (change for row in chosen.slice(0, MOST_EVENTS).to_pylist() for change in _objects(row, calendar)), left


def _objects(row: dict[str, Any], calendar: Calendar) -> Iterator[StateChange]:
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
                calendar.held(row["time"], row["time"]),
                0,
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
