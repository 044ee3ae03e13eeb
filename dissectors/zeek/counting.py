"""Exchanges counted by combination and quarter of an hour, and those that matter kept whole; as the engine does.

Rows are grouped as columns; what is left of a block, its distinct combinations, is added up here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.schemas import AGGREGATES, EVENTS
from zonewatch.dissectors.vocabulary import STATE_CHANGING

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number beside a column

BUCKET: Final = 15 * 60 * 10**9
MOST_OF_EDGE: Final = 1_024
"""Combinations of one edge; beyond it they are coalesced into ranges."""
MOST_COMBINATIONS: Final = 100_000
MOST_EDGES: Final = 50_000
MOST_WHOLE: Final = 64
"""Events kept whole for one combination in one bucket."""
MOST_EVENTS: Final = 500_000
MOST_SAMPLES: Final = 4
EVERYONE: Final = "any/0"
"""Both ends of what is told without them, as the engine says it."""
_HELD: Final = 8_000
"""Accounts, and whole events, that are held as Python's values."""

_KEY: Final = (
    "bucket",
    "client",
    "server",
    "server_port",
    "transport",
    "server_unit",
    "kind",
    "function",
    "function_name",
    "operation",
    "status",
    "object_kind",
    "object_start",
    "object_count",
    "property",
    "property_name",
)

_TOTALS: Final = (
    "events_sum", "row_count", "time_min", "time_max", "line_first", "line_last", "written_first", "written_last",
    "event_first",
)  # fmt: skip


class Combination(NamedTuple):
    """What is counted together."""

    bucket: int
    client: str
    server: str
    server_port: int
    transport: str
    server_unit: str | None
    kind: str
    function: int | None
    function_name: str
    operation: str
    status: str
    object_kind: str | None
    object_start: int | None
    object_count: int
    property: int | None
    property_name: str
    coalesced: bool = False


@dataclass(slots=True)
class _Account:
    """Counters of one combination in one bucket."""

    count: int = 0
    events: int = 0
    first: tuple[int, str, int] = (0, "", 0)  # time, capture, line
    last: tuple[int, str, int] = (0, "", 0)
    samples: list[int] = field(default_factory=list)
    minimum: float | None = None
    maximum: float | None = None
    last_value: float | None = None
    not_finite: bool = False
    written: str = ""
    changes: int = 0
    whole: int = 0
    low: int | None = None
    high: int | None = None


class Counting:
    """The aggregates and whole events of one capture point and protocol."""

    def __init__(self, source: str, protocol: str) -> None:
        self._source, self._protocol = source, protocol
        self._accounts: dict[Combination, _Account] = {}
        self._known: set[tuple[Any, ...]] = set()
        self._of_edge: dict[tuple[Any, ...], int] = {}
        self._written: dict[tuple[Any, ...], str] = {}
        self._aggregates: list[pa.Table] = []
        self._events: list[dict[str, Any]] = []
        self._whole: list[pa.Table] = []
        self._kept = 0
        self.events = self.thinned = self.coalesced = 0

    def add(self, block: pa.Table, capture: str, answered_in: str = "") -> None:
        """Counts a block of `exchanges.EXCHANGES`, rows of one event together.

        `capture` has its lines, and those of the answers too where `answered_in` names no other one.
        """
        if not block.num_rows:
            return
        block = _numbered(block)
        self.events += pc.sum(block["events"]).as_py() or 0
        wanted: dict[int, str] = {}
        for combination, told in _groups(block):
            self._count(combination, told, capture, wanted)
        if wanted:
            self._keep(block, wanted, capture, answered_in or capture)
        if len(self._accounts) > _HELD:
            self._fold()

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Aggregates and whole events so far."""
        aggregates = pa.concat_tables([AGGREGATES.empty_table(), *self._aggregates, self._open()])
        events = pa.concat_tables([EVENTS.empty_table(), *self._whole, self._unsettled()])
        return aggregates, events

    def _count(self, key: Combination, told: Mapping[str, Any], capture: str, wanted: dict[int, str]) -> None:
        key, new = self._admitted(key)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account(first=(told["first"], capture, told["line"]))
            account.written = self._written.get(key[1:], told["written"])
        account.count += told["count"]
        account.events += told["events"]
        account.first = min(account.first, (told["first"], capture, told["line"]))
        account.last = max(account.last, (told["last"], capture, told["last_line"]))
        if len(account.samples) < MOST_SAMPLES and capture == account.first[1]:
            room = MOST_SAMPLES - len(account.samples)
            account.samples += [line for line in dict.fromkeys(told["lines"]) if line not in account.samples][:room]
        account.changes += told["changes"] + (told["written"] != account.written)
        account.written = self._written[key[1:]] = told["last_written"]
        if told["low"] is not None:
            account.minimum = told["low"] if account.minimum is None else min(account.minimum, told["low"])
            account.maximum = told["high"] if account.maximum is None else max(account.maximum, told["high"])
            account.last_value = told["value"]
        account.not_finite |= told["not_finite"]
        if key.coalesced and told["start"] is not None:
            end = told["start"] + max(told["points"], 1) - 1
            account.low = told["start"] if account.low is None else min(account.low, told["start"])
            account.high = end if account.high is None else max(account.high, end)
        self._choose(key, account, told, wanted, new=new)

    def _admitted(self, key: Combination) -> tuple[Combination, bool]:
        """The combination as it is counted, and whether it is seen for the first time."""
        plain = key[1:]
        if plain in self._known:
            return key, False
        edge = plain[:3]
        if edge not in self._of_edge and len(self._of_edge) >= MOST_EDGES:
            self.coalesced += 1
            return key._replace(
                client=EVERYONE, server=EVERYONE, server_port=0, server_unit=None, object_kind=None, object_start=None,
                object_count=0, property=None, property_name="", coalesced=True,
            ), False  # fmt: skip
        if self._of_edge.get(edge, 0) >= MOST_OF_EDGE or len(self._known) >= MOST_COMBINATIONS:
            self.coalesced += 1
            few = len(self._known) < 2 * MOST_COMBINATIONS
            return key._replace(
                server_unit=None, object_kind=key.object_kind if few else None, object_start=None, object_count=0,
                property=None, property_name="", coalesced=True,
            ), False  # fmt: skip
        self._known.add(plain)
        self._of_edge[edge] = self._of_edge.get(edge, 0) + 1
        return key, True

    def _choose(
        self, key: Combination, account: _Account, told: Mapping[str, Any], wanted: dict[int, str], *, new: bool
    ) -> None:
        """Which events are kept whole, and why."""
        if key.operation in STATE_CHANGING:
            reason = "state_change"
        elif key.status in ("error", "no_response"):
            reason = "failed"
        else:
            if new and told["event"] >= 0 and self._kept < MOST_EVENTS:
                wanted.setdefault(told["event"], "new")
                account.whole += 1
            return
        room = max(min(MOST_WHOLE - account.whole, MOST_EVENTS - self._kept), 0)
        chosen = [event for event in told["base"][:room] if event >= 0]
        self.thinned += told["events"] - len(chosen)
        account.whole += len(chosen)
        wanted.update(dict.fromkeys(chosen, reason))

    def _keep(self, block: pa.Table, wanted: Mapping[int, str], capture: str, answered_in: str) -> None:
        rows = block.filter(pc.is_in(block["event"], value_set=pa.array(list(wanted), pa.int64())))
        for row in rows.to_pylist():
            known = self._events[-1] if self._events else None
            if known is not None and not row["events"] and known["_event"] == row["event"]:
                known["objects"].append(_object(row))
                continue
            self._kept += 1
            self._events.append(self._event(row, wanted[row["event"]], capture, answered_in))
        self._events[-1]["_event"] = -1  # numbers are of the block
        if len(self._events) > _HELD:
            self._settle()

    def _event(self, row: Mapping[str, Any], reason: str, capture: str, answered_in: str) -> dict[str, Any]:
        answer = row["response_line"]
        if answer is None and row["status"] in ("ok", "error"):
            answer = row["line"]  # one line tells both
        asked = row["status"] != "response_only"
        return {
            **{name: row[name] for name in EVENTS.names if name in row and name not in ("event", "objects")},
            "_event": row["event"],
            "event": 0,
            "source": self._source,
            "capture": capture,
            "protocol": self._protocol,
            "request_frames": [row["line"]] if asked else [],
            "response_frames": [answer] if answer is not None else [],
            "response_capture": answered_in if answer is not None else None,
            "reason": reason,
            "objects": [_object(row)] if row["object_kind"] is not None else [],
        }

    def _unsettled(self) -> pa.Table:
        return pa.Table.from_pylist(self._events, schema=EVENTS)

    def _settle(self) -> None:
        if self._events:
            self._whole.append(self._unsettled())
        self._events = []

    def _open(self) -> pa.Table:
        """The accounts as rows of aggregates, made column by column: there are many."""
        if not self._accounts:
            return AGGREGATES.empty_table()
        accounts = list(self._accounts.values())
        columns: dict[str, Any] = dict(zip(Combination._fields, zip(*self._accounts, strict=True), strict=True))
        columns |= {name: [read(one) for one in accounts] for name, read in _COUNTED.items()}
        ranged = [(number, one) for number, one in enumerate(accounts) if one.low is not None and one.high is not None]
        if ranged:
            columns["object_start"], columns["object_count"] = (
                list(columns["object_start"]),
                list(columns["object_count"]),
            )
        for number, one in ranged:
            columns["object_start"][number] = one.low
            columns["object_count"][number] = (one.high or 0) - (one.low or 0) + 1
        columns["source"] = [self._source] * len(accounts)
        columns["protocol"] = [self._protocol] * len(accounts)
        columns["vlan"] = columns["client_unit"] = [None] * len(accounts)
        return pa.table({one.name: pa.array(columns[one.name], one.type) for one in AGGREGATES}, schema=AGGREGATES)

    def _fold(self) -> None:
        if self._accounts:
            self._aggregates.append(self._open())
        self._accounts = {}
        if len(self._written) > MOST_COMBINATIONS:
            self._written = {}


_COUNTED: Final[Mapping[str, Callable[[_Account], Any]]] = {
    "capture": lambda one: one.first[1],
    "count": attrgetter("count"),
    "events": attrgetter("events"),
    "first_time": lambda one: one.first[0],
    "last_time": lambda one: one.last[0],
    "first_frame": lambda one: one.first[2],
    "last_frame": lambda one: one.last[2],
    "last_capture": lambda one: one.last[1],
    "sample_frames": attrgetter("samples"),
    "value_min": attrgetter("minimum"),
    "value_max": attrgetter("maximum"),
    "value_last": attrgetter("last_value"),
    "value_not_finite": attrgetter("not_finite"),
    "changes": attrgetter("changes"),
}
"""Columns of an aggregate that its account counts."""


def _object(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["object_kind"] or "",
        "start": row["object_start"],
        "count": row["object_count"],
        "property": row["property"],
        "property_name": row["property_name"],
        "values": row["values"] or [],
        "text": row["text"],
        "before": [],
    }


def _numbered(block: pa.Table) -> pa.Table:
    """The block in the order of its lines, events numbered anew, with buckets and the first value of each row."""
    block = block.sort_by([("line", "ascending"), ("event", "ascending"), ("events", "descending")]).combine_chunks()
    rows = pa.array(range(block.num_rows), pa.int64())
    event = pc.subtract(pc.cumulative_sum(pc.min_element_wise(block["events"], 1)), 1)
    time = block["time"]
    columns: dict[str, Any] = {name: block[name] for name in block.column_names}
    columns["event"] = event
    columns["bucket"] = pc.multiply(pc.divide(time, BUCKET), BUCKET)
    columns["row"] = rows
    return pa.table(columns)


def _groups(block: pa.Table) -> Iterator[tuple[Combination, dict[str, Any]]]:
    """Distinct combinations of a block, in the order of their first rows, with what is counted of each."""
    grouped = block.group_by(list(_KEY), use_threads=False).aggregate(
        [
            ("events", "sum"),
            ("row", "count"),
            ("row", "list"),
            ("time", "min"),
            ("time", "max"),
            ("line", "first"),
            ("line", "last"),
            ("written", "first"),
            ("written", "last"),
            ("event", "first"),
        ]
    )
    lists = grouped["row_list"].combine_chunks()
    flat = pc.list_flatten(lists)
    group = pc.list_parent_indices(lists).cast(pa.int64())
    changes = _changes(block, flat, group, grouped.num_rows)
    values = _values(block, group.take(pc.sort_indices(flat)), grouped.num_rows)
    heads = pc.list_slice(lists, 0, MOST_SAMPLES)
    lines = _relisted(heads, block["line"].combine_chunks())
    base = _base(block, lists, grouped)
    columns = [grouped[name].to_pylist() for name in _KEY]
    totals = zip(
        *(grouped[name].to_pylist() for name in _TOTALS),
        strict=True,
    )
    for number, (key, total) in enumerate(zip(zip(*columns, strict=True), totals, strict=True)):
        combination = Combination(*key)
        low, high, value, not_finite = values[number] if values else (None, None, None, False)
        yield (
            combination,
            {
                "events": total[0],
                "count": total[1],
                "first": total[2],
                "last": total[3],
                "line": total[4],
                "last_line": total[5],
                "written": total[6],
                "last_written": total[7],
                "event": total[8],
                "lines": lines[number],
                "base": base.get(number, ()),
                "changes": changes[number],
                "low": low,
                "high": high,
                "value": value,
                "not_finite": not_finite,
                "start": combination.object_start,
                "points": combination.object_count,
            },
        )


def _relisted(lists: Any, column: Any) -> list[list[int]]:
    taken = column.take(pc.list_flatten(lists))
    relisted: Any = pa.ListArray.from_arrays(_offsets(lists), taken)
    found: list[list[int]] = relisted.to_pylist()
    return found


def _offsets(lists: Any) -> Any:
    return pa.concat_arrays(
        [pa.array([0], pa.int32()), pc.cumulative_sum(pc.list_value_length(lists)).cast(pa.int32())]
    )


def _base(block: pa.Table, lists: Any, grouped: pa.Table) -> dict[int, Sequence[int]]:
    """Group → the first events of it that may be kept whole, of groups whose events are kept for what they are."""
    wanted = pc.or_(
        pc.is_in(grouped["operation"], value_set=pa.array(sorted(STATE_CHANGING))),
        pc.is_in(grouped["status"], value_set=pa.array(["error", "no_response"])),
    ).combine_chunks()
    numbers: Any = pa.array(range(grouped.num_rows), pa.int64()).filter(wanted)
    if not len(numbers):
        return {}
    heads = pc.list_slice(lists.filter(wanted), 0, MOST_WHOLE)
    flat = pc.list_flatten(heads)
    first = pc.greater(block["events"].combine_chunks().take(flat), 0)
    taken: Any = block["event"].combine_chunks().take(flat)
    events = taken.filter(first).to_pylist()
    parents = pc.list_parent_indices(heads).filter(first).to_pylist()
    found: dict[int, list[int]] = {}
    for parent, event in zip(parents, events, strict=True):
        found.setdefault(parent, []).append(event)
    return {number: found.get(place, []) for place, number in enumerate(numbers.to_pylist())}


def _changes(block: pa.Table, flat: Any, group: Any, groups: int) -> list[int]:
    """How often the values of a combination differ from those before, within the block."""
    written = block["written"].combine_chunks().take(flat)
    count = len(written)
    if count < 2:
        return [0] * groups
    differ = pc.and_(
        pc.equal(group.slice(1), group.slice(0, count - 1)),
        pc.not_equal(written.slice(1), written.slice(0, count - 1)),
    )
    found = [0] * groups
    for row in pc.value_counts(group.slice(1).filter(differ)).to_pylist():
        found[row["values"]] = row["counts"]
    return found


def _values(block: pa.Table, of_row: Any, groups: int) -> list[tuple[float | None, float | None, float | None, bool]]:
    """Least, greatest and last value of each group, and whether one was not finite."""
    lists = block["values"].combine_chunks()
    flat = pc.list_flatten(lists)
    if not len(flat):
        return []
    rows = pc.list_parent_indices(lists)
    finite = pc.is_finite(flat)
    table = pa.table({"group": of_row.take(rows), "value": flat, "row": rows, "finite": finite})
    odd = set(table.filter(pc.invert(table["finite"]))["group"].unique().to_pylist())
    table = table.filter(table["finite"])
    sums = table.group_by("group", use_threads=False).aggregate([("value", "min"), ("value", "max"), ("row", "max")])
    firsts = table.group_by("row", use_threads=False).aggregate([("value", "first")])
    last = firsts["value_first"].take(pc.index_in(sums["row_max"], value_set=firsts["row"].combine_chunks()))
    found: list[tuple[float | None, float | None, float | None, bool]] = [
        (None, None, None, number in odd) for number in range(groups)
    ]
    names = ("group", "value_min", "value_max")
    for group, low, high, value in zip(*(sums[name].to_pylist() for name in names), last.to_pylist(), strict=True):
        found[group] = (low, high, value, group in odd)
    return found
