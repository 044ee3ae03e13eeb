"""Every operation once: the objects of the events that are kept whole, and of the aggregates what these leave."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors import schemas
from zonewatch.inventory.tables import plain
from zonewatch.rules.sigma.columns import Column, joined, pc, row_numbers, whole

_NONE: Final = pa.scalar([], schemas.NUMBERS)

BUCKET: Final = 15 * 60 * 1_000_000_000
"""Nanoseconds of an aggregate's bucket."""

_SHARED: Final = (
    "source",
    "protocol",
    "transport",
    "client",
    "server",
    "server_port",
    "client_unit",
    "server_unit",
    "vlan",
    "kind",
    "function",
    "function_name",
    "operation",
    "status",
)
_SAME: Final = (*_SHARED, "object_kind", "object_start", "object_count", "property", "property_name")
"""What an aggregate and the events in it have in common, beside the bucket."""
_NEAR: Final = ("bucket", "operation")


def operations(events: pa.Table, aggregates: pa.Table) -> pa.Table:
    """One row for each object of each event, or for many events that differ in time and value alone.

    `count` is how many it stands for; `values` of many are the least, the greatest and the last.
    """
    whole_ones = _objects(plain(events))
    rest = _rest(plain(aggregates), whole_ones)
    return pa.concat_tables([whole_ones.drop_columns(["bucket"]), rest], promote_options="permissive")


def _objects(events: pa.Table) -> pa.Table:
    """A row for each object; an event without objects is one."""
    lists = whole(events["objects"])
    alone = pc.equal(pc.list_value_length(lists), 0)
    parents, items = pc.list_parent_indices(lists), pc.list_flatten(lists)
    bare = row_numbers(events.num_rows).filter(alone)
    rows = pa.concat_arrays([parents.cast(pa.int64()), bare])
    order = pc.sort_indices(rows)  # stable: objects stay in their order
    taken = rows.take(order)

    def of(name: str) -> Column:
        found = pc.struct_field(items, name)
        found = found.cast(pa.utf8()) if pa.types.is_dictionary(found.type) else found
        return pa.concat_arrays([found, pa.nulls(len(bare), found.type)]).take(order)

    base = events.take(taken)
    frames = [whole(base[name]) for name in ("request_frames", "response_frames")]
    first = [
        pc.list_element(pc.if_else(pc.equal(pc.list_value_length(item), 0), pa.scalar([0], item.type), item), 0)
        for item in frames
    ]
    frame = pc.if_else(pc.equal(first[0], 0), first[1], first[0])
    values = pc.coalesce(of("values"), _NONE)
    columns: dict[str, Any] = {name: whole(base[name]) for name in _SHARED}
    columns |= {
        "client_port": whole(base["client_port"]),
        "status_code": whole(base["status_code"]),
        "status_name": whole(base["status_name"]),
        "object_kind": of("kind"),
        "object_start": of("start"),
        "object_count": pc.fill_null(of("count"), 0),
        "property": of("property"),
        "property_name": pc.fill_null(of("property_name"), ""),
        "type_number": of("type_number"),
        "variation": of("variation"),
        "priority": of("priority"),
        "text": pc.fill_null(of("text"), ""),
        "values": values,
        "before": pc.coalesce(of("before"), _NONE),
        "first_time": whole(base["time"]),
        "last_time": whole(base["time"]),
        "count": pa.repeat(pa.scalar(1, pa.uint64()), len(taken)),
        "capture": whole(base["capture"]),
        "frame": frame,
        "event": whole(base["event"]),
        "bucket": pc.multiply(pc.divide(whole(base["time"]), BUCKET), BUCKET),
        **_extremes(values),
    }
    return pa.table(columns)


def _extremes(values: Column) -> dict[str, Column]:
    """The least and the greatest of each list; null of an empty one. Values that are not finite do not count."""
    parents, items = pc.list_parent_indices(values), pc.list_flatten(values)
    finite = pc.is_finite(items)
    table = pa.table({"row": parents.filter(finite), "value": items.filter(finite)})
    groups = table.group_by("row", use_threads=False).aggregate([("value", "min"), ("value", "max")])
    places = pc.index_in(row_numbers(len(values)), value_set=whole(groups["row"]).cast(pa.int64()))
    return {
        f"value_{word}": whole(groups[f"value_{how}"]).take(places) for word, how in (("low", "min"), ("high", "max"))
    }


def _told(aggregates: pa.Table, events: pa.Table) -> Column:
    """How many of the objects in each aggregate are told by events that are kept whole."""
    # Comparing by all that they have in common is dear, and most aggregates are polling, which is never kept whole.
    near = pc.and_(*(pc.is_in(whole(aggregates[name]), value_set=whole(events[name])) for name in _NEAR))
    keys, of_events = (
        joined(*(whole(table[name]) for name in ("bucket", *_SAME))) for table in (aggregates.filter(near), events)
    )
    seen = pc.value_counts(of_events)
    counted = pc.struct_field(seen, "counts").take(pc.index_in(keys, value_set=pc.struct_field(seen, "values")))
    nothing = pa.repeat(pa.scalar(0, pa.int64()), aggregates.num_rows)
    return pc.replace_with_mask(nothing, near, pc.fill_null(counted, 0).cast(pa.int64()))


def _rest(aggregates: pa.Table, events: pa.Table) -> pa.Table:
    """The aggregates without the events that are kept whole."""
    told = _told(aggregates, events)
    left = pc.subtract(whole(aggregates["count"]).cast(pa.int64()), told)
    kept = pc.greater(left, 0)
    table, left, told = aggregates.filter(kept), left.filter(kept), told.filter(kept)
    untold = pc.equal(told, 0)
    rows = table.num_rows
    extremes = [whole(table[name]) for name in ("value_min", "value_max", "value_last")]
    columns: dict[str, Any] = {name: whole(table[name]) for name in _SAME}
    columns |= {
        "client_port": pa.nulls(rows, pa.uint16()),
        "status_code": pa.nulls(rows, pa.uint16()),
        "status_name": pa.repeat("", rows),
        "type_number": pa.nulls(rows, pa.uint32()),
        "variation": pa.nulls(rows, pa.uint16()),
        "priority": pa.nulls(rows, pa.uint8()),
        "text": pa.repeat("", rows),
        "values": _threes(extremes),
        "before": pc.coalesce(pa.nulls(rows, schemas.NUMBERS), _NONE),
        "first_time": whole(table["first_time"]),
        "last_time": whole(table["last_time"]),
        "count": left.cast(pa.uint64()),
        # The first frame of what is told in part already is told there.
        "capture": pc.if_else(untold, whole(table["capture"]), whole(table["last_capture"])),
        "frame": pc.if_else(untold, whole(table["first_frame"]), whole(table["last_frame"])),
        "event": pa.nulls(rows, pa.uint64()),
        "value_low": extremes[0],
        "value_high": extremes[1],
    }
    return pa.table(columns)


def _threes(columns: list[Column]) -> Column:
    """Lists of the values of three columns; empty where the first has none."""
    rows = len(columns[0])
    flat = pa.concat_arrays(columns)
    place = row_numbers(3 * rows)
    row = pc.divide(place, 3)
    order = pc.add(row, pc.multiply(pc.subtract(place, pc.multiply(row, 3)), rows))
    offsets = pc.multiply(row_numbers(rows + 1), 3).cast(pa.int32())
    lists = pa.ListArray.from_arrays(offsets, flat.take(order), type=schemas.NUMBERS)
    return pc.if_else(pc.is_null(columns[0]), _NONE, lists)
