"""What hosts did at services: counted by what it was and the quarter of an hour, as the engine does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.schemas import ACTIVITIES
from zonewatch.dissectors.zeek.counting import BUCKET
from zonewatch.dissectors.zeek.rows import pc
from zonewatch.dissectors.zeek.told import Lines, ends

MOST_OF_PAIR: Final = 256
"""Distinct activities of one client, server and protocol in a quarter of an hour; more are counted without fields."""
MOST_ROWS: Final = 100_000
MOST_VALUE: Final = 255
_HELD: Final = 4_000
_FIELD: Final = "\x1e"
_VALUE: Final = "\x1f"
_KEY: Final = (
    "bucket", "protocol", "transport", "client", "server", "server_port", "action", "operation", "status", "code",
    "fields",
)  # fmt: skip
_COUNTS: Final = ("time_min", "time_max", "line_first", "line_last", "line_count", "client_port_first")


def activity(
    lines: Lines,
    protocol: Any,
    action: Any,
    operation: Any,
    status: Any,
    code: Any = "",
    transport: Any = "tcp",
    fields: Mapping[str, Any] | None = None,
    where: Any = None,
    between: Mapping[str, Any] | None = None,
) -> pa.Table:
    """The activities of a block, one a line. Fields without a value are left out."""
    count = len(lines)

    def column(one: Any) -> Any:
        return pa.repeat(pa.scalar(one, pa.utf8()), count) if isinstance(one, str) else pc.fill_null(one, "")

    told = [pc.binary_join_element_wise(name, _bounded(value), _VALUE) for name, value in (fields or {}).items()]
    packed = (
        pc.binary_join_element_wise(*told, _FIELD, null_handling="replace", null_replacement="")
        if told
        else pa.repeat(pa.scalar(""), count)
    )
    table = pa.table(
        {
            **ends(lines),
            **(between or {}),
            "protocol": column(protocol),
            "transport": column(transport),
            "action": column(action),
            "operation": column(operation),
            "status": column(status),
            "code": column(code),
            "fields": packed,
        }
    )
    there = pc.and_(pc.not_equal(table["client"], ""), pc.not_equal(table["server"], ""))
    return table.filter(there if where is None else pc.and_(there, pc.fill_null(where, False)))


def of_events(events: pa.Table, protocol: str) -> pa.Table:
    """Exchanges (`exchanges.EXCHANGES`) of a protocol whose packets nobody decodes here, as activities."""
    told = {"action": "function_name", "code": "status_name"}
    same = ("time", "line", "client", "server", "client_port", "server_port", "transport", "operation", "status")
    columns: dict[str, Any] = {name: events[told.get(name, name)] for name in (*same, *told)}
    for name, word in (("protocol", protocol), ("fields", "")):
        columns[name] = pa.repeat(pa.scalar(word), events.num_rows)
    return pa.table(columns).filter(pc.greater(events["events"], 0))


def _bounded(value: Any) -> Any:
    kept = pc.if_else(pc.equal(value, ""), pa.scalar(None, pa.utf8()), value)
    kept = pc.replace_substring_regex(kept, "[\x1e\x1f]", "?")
    return pc.utf8_slice_codeunits(kept, 0, MOST_VALUE)


class Activities:
    """The activities of one capture point."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[tuple[Any, ...], list[Any]] = {}
        self._of_pair: dict[tuple[Any, ...], int] = {}
        self._made: list[pa.Table] = []
        self._rows = 0
        self.coalesced = self.dropped = 0

    def add(self, table: pa.Table, capture: str) -> None:
        """Counts the activities of a block."""
        if not table.num_rows:
            return
        bucket = pc.multiply(pc.divide(table["time"], BUCKET), BUCKET)
        groups = table.append_column("bucket", bucket).group_by(list(_KEY), use_threads=False).aggregate(
            [("time", "min"), ("time", "max"), ("line", "first"), ("line", "last"), ("line", "count"),
             ("client_port", "first")]
        )  # fmt: skip
        keys = zip(*(groups[name].to_pylist() for name in _KEY), strict=True)
        counts = zip(*(groups[name].to_pylist() for name in _COUNTS), strict=True)
        for key, told in zip(keys, counts, strict=True):
            self._count(key, told, capture)
        if len(self._found) > _HELD:
            self._fold()

    def _count(self, row: tuple[Any, ...], told: tuple[Any, ...], capture: str) -> None:
        first, last, line, last_line, count, port = told
        key = (*row, False)
        known = self._found.get(key)
        if known is None:
            bucket, protocol, _, client, server = row[:5]
            pair = (bucket, client, server, protocol)
            if self._of_pair.get(pair, 0) >= MOST_OF_PAIR:
                self.coalesced += count
                key = (*row[:6], "", "unknown", "ok", "", "", True)
                known = self._found.get(key)
            else:
                self._of_pair[pair] = self._of_pair.get(pair, 0) + 1
        if known is None:
            if self._rows + len(self._found) >= MOST_ROWS:
                self.dropped += count
                return
            known = self._found[key] = [port, 0, first, last, capture, line, 0, capture]
        known[1] += count
        known[2] = min(known[2], first)
        if last >= known[3]:
            known[3], known[6], known[7] = last, last_line, capture

    def table(self) -> pa.Table:
        """All activities so far."""
        return pa.concat_tables([ACTIVITIES.empty_table(), *self._made, self._open()])

    def _open(self) -> pa.Table:
        """Column by column: there are many."""
        if not self._found:
            return ACTIVITIES.empty_table()
        columns: dict[str, Any] = dict(zip((*_KEY, "coalesced"), zip(*self._found, strict=True), strict=True))
        told = zip(*self._found.values(), strict=True)
        columns |= dict(zip(("client_port", "count", "first_time", "last_time", "capture", "first_frame", "last_frame",
                             "last_capture"), told, strict=True))  # fmt: skip
        columns["last_frame"] = [
            last or first for first, last in zip(columns["first_frame"], columns["last_frame"], strict=True)
        ]
        columns["fields"] = [_unpacked(words) for words in columns["fields"]]
        columns["source"] = [self._source] * len(self._found)
        columns["vlan"] = columns["request_frame"] = [None] * len(self._found)
        return pa.table({one.name: pa.array(columns[one.name], one.type) for one in ACTIVITIES}, schema=ACTIVITIES)

    def _fold(self) -> None:
        self._rows += len(self._found)
        if self._found:
            self._made.append(self._open())
        self._found, self._of_pair = {}, {}


@lru_cache(maxsize=_HELD)
def _unpacked(words: str) -> tuple[dict[str, str], ...]:
    pairs = (part.partition(_VALUE) for part in words.split(_FIELD) if part)
    return tuple({"name": name, "value": value} for name, _, value in pairs)
