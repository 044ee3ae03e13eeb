"""The distinct values of a table's columns: a number for each row, and the value of each number.

    values = Columns(table).values("ot.operation")
    values.records()  # -> [{"ot.operation": "read"}, {"ot.operation": "write"}]

Everything that grows with the rows is done by Arrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from zonewatch.rules.sigma.columns import Column, pc, row_numbers, whole
from zonewatch.rules.sigma.values import Record

_NUMBER: Final = pa.int64()


@dataclass(frozen=True, slots=True)
class Values:
    """The distinct values of a column, or combinations of several, numbered as they first occur."""

    ids: Column  # by place: a row, or an item of the lists of all rows
    first: Column  # by number: a place that has it
    columns: tuple[tuple[str, Column], ...]
    parents: Column | None = None  # by place: its row, where places are items of lists

    def __len__(self) -> int:
        return len(self.first)

    def records(self, numbers: Column | None = None) -> list[Record]:
        """The values of these numbers, or all, as records; times in nanoseconds."""
        places = self.first if numbers is None else self.first.take(numbers)
        names = [name for name, _ in self.columns]
        values = [_plain(column.take(places)).to_pylist() for _, column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


class Columns:
    """The columns of a table, the values of each numbered once."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._names = frozenset(table.column_names)  # a table makes the list anew whenever it is asked
        self._values: dict[tuple[str, ...], Values] = {}
        self.rows: Column = row_numbers(table.num_rows)

    def __contains__(self, field: str) -> bool:
        return field in self._names

    def values(self, field: str) -> Values:
        """The values of a column; of a column of lists, those of all items."""
        if (field,) not in self._values:
            column, parents = whole(self._table[field]), None
            if _is_list(column):
                column, parents = column.flatten(), pc.list_parent_indices(column)
            self._values[field,] = _numbered(_codes(column), ((field, column),), parents)
        return self._values[field,]

    def pairs(self, one: str, other: str) -> Values:
        """The combinations of two columns, whole lists taken as values."""
        if (one, other) not in self._values:
            columns = tuple((name, whole(self._table[name])) for name in (one, other))
            first, second = (pc.fill_null(_codes(column), -1) for _, column in columns)
            # At most one code a row on either side: the product fits 64 bits for any table that fits memory.
            both = pc.add(pc.multiply(first, len(self.rows) + 2), second)
            self._values[one, other] = _numbered(both, columns, None)
        return self._values[one, other]

    def missing(self, field: str) -> Column:
        """True for each row without a value, which a list of nothing is too."""
        column = whole(self._table[field])
        if not _is_list(column):
            return pc.is_null(column)
        there = pc.list_parent_indices(column).filter(pc.is_valid(column.flatten()))
        return pc.invert(pc.is_in(self.rows, value_set=there.cast(_NUMBER)))


def _numbered(codes: Column, columns: tuple[tuple[str, Column], ...], parents: Column | None) -> Values:
    ids = pc.dictionary_encode(codes, null_encoding="encode").indices.cast(_NUMBER)
    # Numbers are given in the order of first sight: a new one is higher than all before it.
    highest = pc.cumulative_max(ids)
    before = pa.concat_arrays([pa.array([-1], _NUMBER), highest])[: len(ids)]
    first = pc.indices_nonzero(pc.not_equal(highest, before))
    return Values(ids, first, columns, None if parents is None else parents.cast(_NUMBER))


def _codes(column: Column) -> Column:
    """A number for each value; null for null."""
    if _is_list(column):
        texts = pc.fill_null(_codes(column.flatten()).cast(pa.string()), "-")
        lengths = pc.list_value_length(column)
        ends = pc.cumulative_sum(pc.fill_null(lengths, 0).cast(pa.int32()))
        lists = pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), texts)
        column = pc.if_else(pc.is_null(lengths), pa.scalar(None, pa.string()), pc.binary_join(lists, ","))
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    return column.indices.cast(_NUMBER)


def _is_list(column: Column) -> bool:
    return pa.types.is_list(column.type) or pa.types.is_large_list(column.type)


def _plain(column: Column) -> Column:
    """Without dictionaries, and times as numbers: Python's have no nanoseconds."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(_NUMBER) if pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type) else column
