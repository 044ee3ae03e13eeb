"""The engine's tables as input of the inventory, and the grouping that makes their rows few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors import schemas

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

ROW: Final = "_row"
EARLIER: Final = "earlier"
"""A table beside those of `schemas.TABLES`, with the columns of events: state-changing ones from before the first of
`events`, where these are not all. They are judged by nobody, and tell what went on before."""

Total = Literal["sum", "min", "max"]


@dataclass(frozen=True, slots=True)
class Tables:
    """What one run of the engine left; each table by its schema in `dissectors.schemas`."""

    aggregates: pa.Table = field(default_factory=lambda: schemas.AGGREGATES.empty_table())
    flows: pa.Table = field(default_factory=lambda: schemas.FLOWS.empty_table())
    claims: pa.Table = field(default_factory=lambda: schemas.CLAIMS.empty_table())
    addresses: pa.Table = field(default_factory=lambda: schemas.ADDRESSES.empty_table())
    coverage: pa.Table = field(default_factory=lambda: schemas.COVERAGE.empty_table())
    activities: pa.Table = field(default_factory=lambda: schemas.ACTIVITIES.empty_table())

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of all capture points, sorted."""
        tables = (self.aggregates, self.flows, self.claims, self.addresses, self.coverage)
        return tuple(sorted({str(name) for table in tables for name in table["source"].unique().to_pylist()}))


def every_event(tables: Mapping[str, pa.Table]) -> pa.Table:
    """The events, with those before them that are there."""
    return pa.concat_tables([tables[name] for name in (EARLIER, "events") if name in tables])


def plain(table: pa.Table) -> pa.Table:
    """The same rows with words as plain text and times as nanoseconds, so that chunks agree and groups are cheap."""
    return pa.table({column.name: _plain(table[column.name], column.type) for column in table.schema})


def _plain(column: Any, kind: pa.DataType) -> Any:
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("ns")).cast(pa.int64())
    return column


def in_order(table: pa.Table, *columns: str) -> pa.Table:
    """Rows sorted by these columns, numbered in the column `_row`: the least number of a group is its first row."""
    ordered = table.sort_by([(name, "ascending") for name in columns]) if table.num_rows else table
    ones = pa.repeat(pa.scalar(1, pa.int64()), ordered.num_rows)
    return ordered.append_column(ROW, pc.cumulative_sum(ones, start=-1))  # 0, 1, 2 …


def grouped(
    table: pa.Table, keys: Sequence[str], totals: Sequence[tuple[str, Total]], firsts: Sequence[str] = ()
) -> Iterator[tuple[Any, ...]]:
    """Distinct combinations of `keys`, in the order of their first rows.

    Each comes as a tuple: the keys, then the totals (column, aggregation), then `firsts` as in the first row.
    `table` has been through `in_order`.
    """
    if not table.num_rows:
        return iter(())
    return zip(*(column.to_pylist() for column in combined(table, keys, totals, firsts).columns), strict=True)


def combined(
    table: pa.Table, keys: Sequence[str], totals: Sequence[tuple[str, Total]], firsts: Sequence[str] = ()
) -> pa.Table:
    """The same as a table, with the columns' own names; of at least one row.

    Words are compared by number, and what is the same everywhere is not compared at all: most columns are.
    """
    codes = {name: _codes(table[name]) for name in keys}
    apart = {name: column for name, column in codes.items() if column is not None} or {keys[0]: table[keys[0]]}
    added = {f"{column}.{how}": table[column] for column, how in totals}
    wanted: list[Any] = [*((f"{column}.{how}", how) for column, how in totals), (ROW, "min")]
    groups = pa.table({**apart, **added, ROW: table[ROW]}).group_by(list(apart)).aggregate(wanted)
    groups = groups.sort_by(f"{ROW}_min")
    rows = table.select([*keys, *firsts]).take(groups[f"{ROW}_min"])
    sums = {column: groups[f"{column}.{how}_{how}"] for column, how in totals}
    named = {name: rows[name] for name in (*keys, *firsts)}
    return pa.table({name: (sums | named)[name] for name in (*keys, *sums, *firsts)})


def _codes(column: Any) -> Any:
    """The column, words as numbers; none where it is the same in every row."""
    if pa.types.is_string(column.type):
        encoded: Any = column.combine_chunks().dictionary_encode()
        return None if len(encoded.dictionary) + bool(encoded.null_count) < 2 else encoded.indices
    return None if len(column.unique()) < 2 else column
