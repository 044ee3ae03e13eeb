"""Arrow columns by name, made only when somebody asks for them, and the few operations that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

Column = Any
"""A pyarrow Array."""
Make = Callable[[], Column]

SEPARATOR: Final = "\x1f"


def made(rows: int, makers: Mapping[str, Make], wanted: Iterable[str]) -> pa.Table:
    """A table of the wanted columns, in the order of `makers`; those that nobody makes are null."""
    names = frozenset(wanted)
    columns = {name: make() for name, make in makers.items() if name in names}
    missing = {name: pa.nulls(rows) for name in sorted(names - columns.keys())}
    return pa.table(columns | missing)


def whole(column: Column) -> Column:
    """One array out of the chunks of a column."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def where(mask: Column, column: Column) -> Column:
    """The column's values in the rows of the mask, null in the others."""
    return pc.if_else(pc.fill_null(mask, False), column, pa.scalar(None, column.type))


def is_one(column: Column, *words: str) -> Column:
    """True in the rows that hold one of these words."""
    return pc.is_in(column, value_set=pa.array(words, pa.utf8()))


def filled(column: Column) -> Column:
    """Null in place of empty text."""
    return where(pc.not_equal(column, ""), column)


def joined(*columns: Column) -> Column:
    """The columns as one text, to compare rows by; null is empty text."""
    texts = [pc.fill_null(column.cast(pa.utf8()), "") for column in columns]
    return pc.binary_join_element_wise(*texts, SEPARATOR)


def number(column: Column) -> Column:
    """Text as whole numbers; null where it is none."""
    good = pc.fill_null(pc.match_substring_regex(column, "^-?[0-9]{1,18}$"), False)
    return where(good, column).cast(pa.int64())


def looked_up(keys: Column, known: Mapping[str, int]) -> Column:
    """For each key the number that it has in `known`; null where it has none."""
    values = pa.array(list(known.values()), pa.int64())
    places = pc.index_in(keys, value_set=pa.array(list(known), pa.utf8()))
    return values.take(places)


def row_numbers(length: int) -> Column:
    """0, 1, 2 … as many as asked for."""
    return pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), length)), 1)


def lists(parents: Column, values: Column, rows: int) -> Column:
    """For each row its values as a list; null where it has none. `parents` are row numbers."""
    groups = (
        pa.table({"row": parents, "value": values}).group_by("row", use_threads=False).aggregate([("value", "list")])
    )
    places = pc.index_in(row_numbers(rows), value_set=whole(groups["row"].cast(pa.int64())))
    return whole(groups["value_list"]).take(places)
