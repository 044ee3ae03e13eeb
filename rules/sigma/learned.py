"""What the baseline says of each operation, once for each distinct combination."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.baseline.model import Baseline, Points
from zonewatch.rules.baseline.stamps import UNKNOWN, Stamp, Stamps
from zonewatch.rules.context import Context
from zonewatch.rules.sigma.columns import Column, Make, joined

FIELDS: Final = (
    ("baseline.new_edge", "new_edge", pa.bool_()),
    ("baseline.new_operation", "new_operation", pa.bool_()),
    ("baseline.new_function", "new_function", pa.bool_()),
    ("baseline.new_write_target", "new_write_target", pa.bool_()),
    ("baseline.value_range", "value_range", pa.utf8()),
)
_READ: Final = ("protocol", "function", "function_name", "operation", "server_unit", "object_kind", "object_start")
_MORE: Final = ("object_count", "property_name", "value_low", "value_high")


def stamped(
    context: Context, baseline: Baseline, ends: tuple[Column, Column], columns: Mapping[str, Column]
) -> dict[str, Make]:
    """Columns of what is new. `ends` are the asset ids of client and server."""
    stamps = Stamps(baseline, context.inventory)
    read = pa.table({"client": ends[0], "server": ends[1], **{name: columns[name] for name in (*_READ, *_MORE)}})
    codes = joined(*read.columns).combine_chunks().dictionary_encode()
    first: dict[int, int] = {}
    for row, code in enumerate(codes.indices.to_pylist()):
        first.setdefault(code, row)
    found = [_stamp(stamps, row) for row in read.take(pa.array(first.values(), pa.int64())).to_pylist()]

    def of(attribute: str, kind: pa.DataType) -> Column:
        values: Any = pa.array([getattr(stamp, attribute) for stamp in found], kind)
        return values.take(codes.indices)

    return {name: partial(of, attribute, kind) for name, attribute, kind in FIELDS}


def _stamp(stamps: Stamps, row: Mapping[str, Any]) -> Stamp:
    if not row["client"] or not row["server"]:
        return UNKNOWN
    kind, low, high = row["object_kind"], row["value_low"], row["value_high"]
    points = Points.of(kind, row["object_start"], row["object_count"], row["property_name"]) if kind else None
    return stamps.of(
        row["client"],
        row["server"],
        row["protocol"],
        row["function"],
        row["function_name"],
        row["operation"],
        row["server_unit"] or "",
        points,
        None if low is None or high is None else (low, high),
    )
