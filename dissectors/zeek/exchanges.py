"""Events out of lines: one shape for every protocol, requests with their responses, events with their objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

NUMBERS: Final = pa.list_(pa.float64())
_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("time", pa.int64()),  # UTC nanoseconds
    ("line", pa.int64()),
    ("client", pa.utf8()),
    ("server", pa.utf8()),
    ("client_port", pa.int64()),
    ("server_port", pa.int64()),
    ("transport", pa.utf8()),
    ("server_unit", pa.utf8()),
    ("kind", pa.utf8()),
    ("function", pa.int64()),
    ("function_name", pa.utf8()),
    ("operation", pa.utf8()),
    ("status", pa.utf8()),
    ("status_code", pa.int64()),
    ("status_name", pa.utf8()),
    ("latency", pa.int64()),
    ("response_line", pa.int64()),
    ("object_kind", pa.utf8()),
    ("object_start", pa.int64()),
    ("object_count", pa.int64()),
    ("property", pa.int64()),
    ("property_name", pa.utf8()),
    ("values", NUMBERS),
    ("written", pa.utf8()),  # the values as they are written, to see that they changed
    ("text", pa.utf8()),
    ("ident", pa.utf8()),  # by which another log tells its objects
    ("event", pa.int64()),  # the same for all objects of one event
    ("events", pa.int64()),  # 1 for its first object, 0 for the others
]
EXCHANGES: Final = pa.schema(_COLUMNS)
OBJECT: Final = (
    "object_kind",
    "object_start",
    "object_count",
    "property",
    "property_name",
    "values",
    "written",
    "text",
)
_DEFAULTS: Final = {
    "transport": "tcp",
    "kind": "request",
    "function_name": "",
    "operation": "unknown",
    "status": "ok",
    "status_name": "",
    "object_count": 0,
    "property_name": "",
    "written": "",
    "ident": "",
    "text": "",
    "events": 1,
    "client": "",
    "server": "",
    "client_port": 0,
    "server_port": 0,
}
MOST_WAITING: Final = 65_536
"""Requests that wait for their response in the next block."""


def sides(ways: Mapping[str, Any], from_server: Any) -> dict[str, Any]:
    """Client and server with their ports, where a log has sender and receiver and rows say which of them serves."""
    return {
        f"{side}{of}": pc.if_else(from_server, ways[f"{answers}{of}"], ways[f"{asks}{of}"])
        for side, answers, asks in (("client", "destination", "source"), ("server", "source", "destination"))
        for of in ("", "_port")
    }


def exchanges(count: int, **columns: Any) -> pa.Table:
    """A table of so many rows; columns not given are empty."""
    made = {}
    for one in EXCHANGES:
        column = columns.get(one.name)
        if isinstance(column, pa.Array | pa.ChunkedArray):
            column = column if column.type == one.type else column.cast(one.type)
        elif column is not None:
            column = pa.repeat(pa.scalar(column, one.type), count)
        elif one.name == "event":
            column = pa.array(range(count), pa.int64())
        else:
            column = pa.repeat(pa.scalar(_DEFAULTS.get(one.name), one.type), count)
        if one.name in _DEFAULTS and column.null_count:
            column = pc.fill_null(column, _DEFAULTS[one.name])
        made[one.name] = column
    return pa.table(made, schema=EXCHANGES)


@dataclass(frozen=True, slots=True)
class Messages:
    """Lines that are one message each. `key` is what a response has in common with its request; of a row that is
    neither (null in `asks`) the key is not looked at."""

    rows: pa.Table  # EXCHANGES; a response has its outcome in `status`
    key: Any
    asks: Any


class Paired(NamedTuple):
    """Events of a block. `before` are those whose request is a line of an earlier log, `of_log`: their answer, if they
    have one, is a line of this block's."""

    events: pa.Table
    before: pa.Table
    of_log: str


@dataclass
class Pairing:
    """Requests with their responses, over the blocks of one log and on into the next one that is rotated."""

    dropped: int = 0
    _waiting: pa.Table | None = None
    _log: str = ""

    def pair(self, messages: Messages | None, log: str) -> Paired:
        """Events of the next block of a log; None: nothing follows, and what waits is told as unanswered."""
        before, earlier = self._log, EXCHANGES.empty_table()
        if messages is None:
            left, self._waiting = self._waiting, None
            unanswered = _unanswered(left) if left is not None else earlier
            return Paired(earlier, unanswered, before) if before != log else Paired(unanswered, earlier, before)
        table = messages.rows.append_column("key", messages.key).append_column("asks", messages.asks)
        alone = table.filter(pc.is_null(table["asks"])).select(EXCHANGES.names)
        table = table.filter(pc.is_valid(table["asks"]))
        table = table.append_column("old", pa.repeat(pa.scalar(0, pa.int8()), table.num_rows))
        if self._waiting is not None:
            table = pa.concat_tables([self._waiting, table])
        found, waiting = _paired(table.combine_chunks())
        if self._waiting is not None and before != log:
            # All that waited is of the log before: what it had to say is told as that log's.
            is_old = pc.greater(found["old"], 0)
            earlier, found = found.filter(is_old).select(EXCHANGES.names), found.filter(pc.invert(is_old))
        if waiting.num_rows > MOST_WAITING:
            self.dropped += waiting.num_rows - MOST_WAITING
            alone = pa.concat_tables([alone, _unanswered(waiting.slice(0, waiting.num_rows - MOST_WAITING))])
            waiting = waiting.slice(waiting.num_rows - MOST_WAITING)
        self._waiting = waiting if waiting.num_rows else None
        self._log = log
        return Paired(pa.concat_tables([alone, found.select(EXCHANGES.names)]), earlier, before)

    def waits_for(self, objects: pa.Table) -> Any:
        """Which objects are of requests that wait (booleans)."""
        idents = self._waiting["ident"].combine_chunks() if self._waiting is not None else pa.array([], pa.utf8())
        return pc.is_in(objects["ident"], value_set=idents)


def _unanswered(table: pa.Table) -> pa.Table:
    return _silent(table).select(EXCHANGES.names)


def _silent(table: pa.Table) -> pa.Table:
    return _with(table, status=pa.repeat(pa.scalar("no_response", pa.utf8()), table.num_rows))


def _with(table: pa.Table, **columns: Any) -> pa.Table:
    return pa.table({name: columns.get(name, table[name]) for name in table.column_names})


def _paired(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Pairs, lone responses and requests given up; and those that still wait: each for one block more than its own."""
    if not table.num_rows:
        return table, table
    numbers = pa.array(range(table.num_rows), pa.int64())
    codes = pa.table({"key": table["key"].combine_chunks().dictionary_encode().indices, "row": numbers})
    order = pc.sort_indices(codes, sort_keys=[("key", "ascending"), ("row", "ascending")])
    keys, asks = codes["key"].take(order).combine_chunks(), table["asks"].take(order).combine_chunks()
    same = pc.equal(keys.slice(0, len(keys) - 1), keys.slice(1))
    answered = pc.and_(same, pc.and_(asks.slice(0, len(asks) - 1), pc.invert(asks.slice(1))))
    asked = pa.concat_arrays([answered, pa.array([False])])
    follows = pa.concat_arrays([pa.array([False]), answered])
    requests = table.take(order.filter(asked))
    responses = table.take(order.filter(follows))
    pairs = _joined(requests, responses)
    lone = table.take(order.filter(pc.and_(pc.invert(asks), pc.invert(follows))))
    waiting = table.take(order.filter(pc.and_(asks, pc.invert(asked))))
    waiting = waiting.sort_by([("line", "ascending")])
    given_up = waiting.filter(pc.greater(waiting["old"], 0))
    waiting = waiting.filter(pc.equal(waiting["old"], 0))
    waiting = _with(waiting, old=pa.repeat(pa.scalar(1, pa.int8()), waiting.num_rows))
    return pa.concat_tables([pairs, _only_responses(lone), _silent(given_up)]), waiting


def _joined(requests: pa.Table, responses: pa.Table) -> pa.Table:
    carries = pc.greater(pc.fill_null(pc.list_value_length(responses["values"]), 0), 0)
    columns = {
        "status": responses["status"],
        "status_code": responses["status_code"],
        "status_name": responses["status_name"],
        "latency": pc.subtract(responses["time"], requests["time"]),
        "response_line": responses["line"],
        "values": pc.if_else(carries, responses["values"], requests["values"]),
        "written": pc.if_else(carries, responses["written"], requests["written"]),
        "text": pc.if_else(pc.equal(requests["text"], ""), responses["text"], requests["text"]),
    }
    return _with(requests, **columns)


def _only_responses(table: pa.Table) -> pa.Table:
    failed = pc.equal(table["status"], "error")
    return _with(
        table,
        kind=pc.if_else(failed, "error", "response"),
        status=pa.repeat(pa.scalar("response_only", pa.utf8()), table.num_rows),
        response_line=table["line"],
    )


def with_objects(events: pa.Table, objects: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Events with the objects of another log, one row for each object; and the objects that are of no event here.

    Both are of `EXCHANGES`, and `ident` tells which belong together; objects are in the order of their lines.
    """
    if not objects.num_rows or not events.num_rows:
        return events, objects
    found = pc.index_in(objects["ident"].combine_chunks(), value_set=events["ident"].combine_chunks())
    known = pc.is_valid(found)
    of_event = found.filter(known).cast(pa.int64())
    events = events.append_column("row", pa.array(range(events.num_rows), pa.int64()))
    bare = events.filter(pc.invert(pc.is_in(events["row"], value_set=of_event)))
    told = objects.filter(known)
    rows = events.take(of_event)
    # What is done may only show in the object: a clock that is set, a list that identifies a device.
    operation = pc.if_else(pc.equal(told["operation"], "unknown"), rows["operation"], told["operation"])
    rows = _with(rows, operation=operation, **{name: told[name] for name in OBJECT})
    at = pa.array(range(len(of_event)), pa.int64())
    keys = [("row", "ascending"), ("at", "ascending")]
    rows = rows.take(pc.sort_indices(pa.table({"row": of_event, "at": at}), sort_keys=keys)).combine_chunks()
    rows = _with(rows, events=pc.if_else(_repeated(rows["row"].combine_chunks()), 0, rows["events"]))
    whole = pa.concat_tables([bare, rows]).sort_by([("row", "ascending"), ("events", "descending")])
    return whole.drop_columns(["row"]), objects.filter(pc.invert(known))


def as_events(objects: pa.Table, status: str) -> pa.Table:
    """Objects of which only their own log tells, as events of that outcome."""
    if not objects.num_rows:
        return objects
    objects = objects.combine_chunks()
    again = _repeated(objects["ident"].combine_chunks())
    outcome = pc.if_else(pc.equal(objects["kind"], "unsolicited"), "one_way", status)
    return _with(objects, status=outcome, events=pc.if_else(again, 0, objects["events"]))


def _repeated(column: Any) -> Any:
    """True where a row has what the row before has."""
    if not len(column):
        return pa.array([], pa.bool_())
    same = pc.equal(column.slice(1), column.slice(0, len(column) - 1))
    return pa.concat_arrays([pa.array([False]), same])
