"""The engine's tables as few distinct observations, each judged once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Edge, Evidence
from zonewatch.inventory.tables import ROW, Total, combined, in_order, plain
from zonewatch.rules.calendar import Calendar
from zonewatch.rules.sigma.columns import joined

pc: Final[Any] = pyarrow.compute  # its stubs lack run-end encoding
MOST_EVENTS: Final = 10_000
"""State-changing events that are looked at one by one."""
_BY_TIME: Final = (("time", "ascending"), ("event", "ascending"))
_ACT: Final = ("source", "client", "server", "server_unit", "protocol", "kind", "function", "operation")
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
    further: int = 0  # of the events, those counted with another of their objects too

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
        further=sum(one.further for one in seen),
        first_time=min(one.first_time for one in seen),
        last_time=max(one.last_time for one in seen),
        evidence=tuple(islice(dict.fromkeys(evidence), MOST_EVIDENCE)),
    )


def events_of(counts: Iterable[tuple[object, int, int]]) -> int:
    """How many events these are, each once though several of its objects are among them.

    Each has what tells one sort of events from another, the events, and how many of them are counted with another
    object too. Where that object is not among them, the most of one object is told.
    """
    found: defaultdict[object, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for sort, events, further in counts:
        total, most = found[sort]
        found[sort] = total + events - further, max(most, events)
    return sum(map(max, found.values()))


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


_SUMS: Final = tuple(f"{name}{end}" for name in _COUNTS for end in ("", *(f"_{status}" for status in _FAILED)))
_FRAMES: Final = ("capture", "first_frame", "last_capture", "last_frame")
_READ: Final = (*(name for name in _KEYS if name != "when"), *_COUNTS, "status", "first_time", "last_time", *_FRAMES)
MOST_WAITING: Final = 200_000
"""Rows of pieces that wait until they are counted together."""


def from_aggregates(
    aggregates: pa.Table, calendar: Calendar, *, values: bool, rated: frozenset[str] = frozenset()
) -> Iterator[Observation]:
    """Distinct combinations of an aggregates table, by first time.

    Written values tell them apart only if asked for, times as far as the calendar does, and quarters of an hour only
    for protocols whose rate is limited.
    """
    return from_pieces((aggregates,), calendar, values=values, rated=rated)


def from_pieces(
    pieces: Iterable[pa.Table], calendar: Calendar, *, values: bool, rated: frozenset[str] = frozenset()
) -> Iterator[Observation]:
    """The same of a table that comes in pieces."""
    found: list[pa.Table] = []
    most = MOST_WAITING
    for piece in pieces:
        if piece.num_rows:
            found.append(_combined(_prepared(piece, calendar, values=values, rated=rated)))
        if len(found) > 1 and sum(table.num_rows for table in found) > most:
            found = [_combined(pa.concat_tables(found))]
            most = MOST_WAITING + 2 * found[0].num_rows
    if found:
        yield from _observations(found[0] if len(found) == 1 else _combined(pa.concat_tables(found)))


def _prepared(aggregates: pa.Table, calendar: Calendar, *, values: bool, rated: frozenset[str]) -> pa.Table:
    """Only what tells combinations apart, and what is counted of them."""
    table = plain(aggregates.select(_READ))
    columns: dict[str, Any] = {name: table[name] for name in table.column_names}
    columns["when"] = calendar.of_table(table)
    limited: Any = pc.is_in(table["protocol"], value_set=pa.array(sorted(rated), pa.utf8()))
    columns["bucket"] = pc.if_else(limited, table["bucket"], 0)
    changing: Any = pc.is_in(table["operation"], value_set=pa.array(sorted(STATE_CHANGING)))
    for name in ("value_min", "value_max"):
        columns[name] = pc.if_else(changing, table[name], None) if values else pa.nulls(table.num_rows, pa.float64())
    odd: Any = pc.and_(changing, table["value_not_finite"]) if values else pa.repeat(False, table.num_rows)
    columns["value_not_finite"] = odd
    for status in _FAILED:
        failed: Any = pc.is_in(table["status"], value_set=pa.array([status]))
        for name in _COUNTS:
            counted: Any = pc.if_else(failed, table[name], 0)
            columns[f"{name}_{status}"] = counted.cast(pa.uint64())
    del columns["status"]
    return pa.table(columns)


def _combined(table: pa.Table) -> pa.Table:
    """One row for each combination, in the order of their first times."""
    totals: list[tuple[str, Total]] = [(name, "sum") for name in _SUMS]
    ordered = in_order(table, "first_time", "source", "capture", "first_frame")
    return combined(ordered, _KEYS, [*totals, ("first_time", "min"), ("last_time", "max")], _FRAMES)


def _observations(table: pa.Table) -> Iterator[Observation]:
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        *counts, first_time, last_time, capture, frame, last_capture, last_frame = row[len(_KEYS) :]
        # The second object of an event is counted with the first; where it stands alone, its own count is told.
        further = 0 if counts[0] else counts[3]
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
            further=further,
        )


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
    bit: int | None = None  # of the first octet, where elements of S7 are bits


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
    chosen = plain(events.filter(changing))
    left = max(chosen.num_rows - MOST_EVENTS, 0)
    chosen = (in_turns(chosen, MOST_EVENTS) if left else chosen).sort_by([*_BY_TIME])
    return (change for row in chosen.to_pylist() for change in _objects(row, calendar)), left


def in_turns(events: pa.Table, most: int) -> pa.Table:
    """At most so many events: the first of whatever anybody did to anybody, then the second ones, and so on.

    Whoever writes a thousand times hides nobody who writes once.
    """
    act = joined(*(events[name] for name in _ACT)).combine_chunks().dictionary_encode().indices
    ordered = in_order(events.append_column("act", act), "act", "time", "event")
    ends = pc.run_end_encode(ordered["act"].combine_chunks(), run_end_type=pa.int64()).run_ends
    begins = pa.concat_arrays([pa.array([0], pa.int64()), ends[:-1]])
    begin = pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(ends, begins))
    turns = ordered.append_column("turn", pc.subtract(ordered[ROW], begin))
    return turns.sort_by([("turn", "ascending"), *_BY_TIME]).slice(0, most).drop_columns(["act", "turn", ROW])


def _objects(row: dict[str, Any], calendar: Calendar) -> Iterator[StateChange]:
    frames = row["request_frames"] or row["response_frames"]
    evidence = tuple(Evidence(row["source"], row["capture"], frame) for frame in frames[:1])
    objects: list[dict[str, Any]] = row["objects"] or [{}]
    for number, item in enumerate(objects):
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
                further=min(number, 1),
            ),
            values,
            tuple(item.get("before") or ()),
            str(item.get("text") or ""),
            item.get("index") if row["protocol"] == "s7comm" else None,
        )
