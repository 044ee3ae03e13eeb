"""What logs say of devices: statements, counted, with the file and the line where each was first made."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.schemas import CLAIMS
from zonewatch.dissectors.zeek.rows import pc
from zonewatch.dissectors.zeek.told import Lines

MOST: Final = 50_000
MOST_VALUE: Final = 1_024
ROWS: Final = ("protocol", "address", "attribute", "value")


def claims(lines: Lines, protocol: Any, address: Any, attribute: Any, value: Any, where: Any = None) -> pa.Table:
    """The statements of a block; those without an address, an attribute or a value are none."""
    count = len(lines)

    def column(one: Any) -> Any:
        return pa.repeat(pa.scalar(one, pa.utf8()), count) if isinstance(one, str) else one

    table = pa.table(
        {
            "protocol": column(protocol),
            "address": column(address),
            "attribute": column(attribute),
            "value": pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(column(value)), 0, MOST_VALUE),
            "time": lines.time,
            "line": lines.rows.line,
        }
    )
    kept = pc.and_(pc.is_valid(table["attribute"]), pc.is_valid(table["address"]))
    kept = pc.and_(kept, pc.not_equal(pc.fill_null(table["value"], ""), ""))
    if where is not None:
        kept = pc.and_(kept, pc.fill_null(where, False))
    return table.filter(kept)


class Claims:
    """The statements of one capture point."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[tuple[str, ...], list[Any]] = {}
        self.dropped = 0

    def add(self, table: pa.Table, capture: str) -> None:
        """Counts the statements of a block."""
        if not table.num_rows:
            return
        groups = table.group_by(list(ROWS), use_threads=False).aggregate(
            [("time", "first"), ("line", "first"), ("line", "count")]
        )
        for row in groups.to_pylist():
            key = tuple(row[name] for name in ROWS)
            known = self._found.get(key)
            if known is not None:
                known[3] += row["line_count"]
                if row["time_first"] < known[2]:
                    known[:3] = [capture, row["line_first"], row["time_first"]]
            elif len(self._found) < MOST:
                self._found[key] = [capture, row["line_first"], row["time_first"], row["line_count"]]
            else:
                self.dropped += row["line_count"]

    def table(self) -> pa.Table:
        """All of them."""
        rows = [
            {
                "source": self._source, "capture": capture, "frame": line, "time": time, "count": count, "unit": None,
                **dict(zip(ROWS, key, strict=True)),
            }
            for key, (capture, line, time, count) in self._found.items()
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=CLAIMS)
