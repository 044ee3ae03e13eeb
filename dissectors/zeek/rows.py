"""Columns of a log by their names, whatever form they have: text, numbers, lists; absent ones are null."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.zeek.reading import Block

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

Column = Any
"""An Arrow array of a block's length."""

LAST_TIME: Final = 2**63 - 1
_EPOCH: Final = r"^[0-9]{1,10}(\.[0-9]{0,12})?$"
_ISO: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z?$"
_NUMBER: Final = r"^-?[0-9]{1,15}(\.[0-9]{0,15})?([eE][-+]?[0-9]{1,2})?$"
_ESCAPE: Final = re.compile(r"(?:\\x[0-9a-fA-F]{2})+|\\\\")


@dataclass(frozen=True, slots=True)
class Rows:
    """Lines of one log. Every method gives an array of `len(rows)`; of several names the first that is there counts."""

    block: Block

    def __len__(self) -> int:
        return len(self.block.lines)

    @property
    def line(self) -> Column:
        """Numbers of the lines, from 1."""
        return self.block.lines

    def has(self, *names: str) -> bool:
        """Whether the log has one of these columns."""
        return any(name in self.block.columns.column_names for name in names)

    def raw(self, *names: str) -> Column | None:
        """The column as it was read; none where there is none."""
        columns = self.block.columns
        name = next((name for name in names if name in columns.column_names), None)
        return _whole(columns[name]) if name is not None else None

    def text(self, *names: str) -> Column:
        """Text; lists are joined by commas."""
        column = self.raw(*names)
        if column is None:
            return pa.nulls(len(self), pa.utf8())
        kind = column.type
        if pa.types.is_string(kind):
            return column
        if pa.types.is_boolean(kind):
            return pc.if_else(column, "T", "F")
        if pa.types.is_list(kind):
            if pa.types.is_nested(kind.value_type) or pa.types.is_null(kind.value_type):
                return pa.nulls(len(self), pa.utf8())
            values = pc.list_flatten(column)
            values = pc.if_else(values, "1", "0") if pa.types.is_boolean(values.type) else values.cast(pa.utf8())
            joined = pa.ListArray.from_arrays(_offsets(column), values, mask=column.is_null())
            return pc.binary_join(joined, self.block.set_separator)
        if pa.types.is_nested(kind):
            return pa.nulls(len(self), pa.utf8())
        if pa.types.is_timestamp(kind):
            return pc.strftime(column.cast(pa.timestamp("us")), "%Y-%m-%dT%H:%M:%S")
        return column.cast(pa.utf8())

    def words(self, *names: str) -> Column:
        """Text that was seen, without the escapes of the log."""
        column = self.text(*names)
        if self.block.escaped and pc.any(pc.match_substring(column, "\\")).as_py():
            return mapped(column, plain, pa.utf8())
        return column

    def number(self, *names: str) -> Column:
        """Numbers (float64); null where it is none."""
        column = self.raw(*names)
        if column is None or pa.types.is_nested(column.type):
            return pa.nulls(len(self), pa.float64())
        if pa.types.is_string(column.type):
            return _numbers(column)
        if pa.types.is_timestamp(column.type):
            return pa.nulls(len(self), pa.float64())
        return column.cast(pa.float64())

    def whole(self, *names: str, most: int = 2**32 - 1) -> Column:
        """Whole numbers from 0 (int64); null beyond `most`."""
        return _within(self.number(*names), most)

    def hexadecimal(self, *names: str, most: int = 65_535) -> Column:
        """Numbers that may be written `0x1d`."""
        text = self.text(*names)
        return mapped(text, lambda word: _hexadecimal(word, most), pa.int64())

    def flag(self, *names: str) -> Column:
        """True for T, false for F, null else."""
        text = self.text(*names)
        return pc.if_else(
            pc.is_in(text, value_set=pa.array(["T", "F", "true", "false"])),
            pc.starts_with(pc.utf8_upper(text), "T"),
            pa.scalar(None, pa.bool_()),
        )

    def time(self, *names: str) -> Column:
        """UTC nanoseconds (int64) of Zeek's seconds with a fraction, or of ISO 8601; null where it is neither."""
        column = self.raw(*names)
        if column is None or pa.types.is_nested(column.type) or pa.types.is_boolean(column.type):
            return pa.nulls(len(self), pa.int64())
        if pa.types.is_timestamp(column.type):
            return _in_range(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()))
        if not pa.types.is_string(column.type):
            return _microseconds(column.cast(pa.float64()))
        try:
            return _microseconds(column.cast(pa.float64()))
        except pa.ArrowInvalid:
            pass
        epoch = pc.if_else(pc.match_substring_regex(column, _EPOCH), column, pa.scalar(None, pa.utf8()))
        iso = pc.if_else(pc.match_substring_regex(column, _ISO), column, pa.scalar(None, pa.utf8()))
        return pc.coalesce(_microseconds(epoch.cast(pa.float64())), mapped(iso, _iso, pa.int64()))

    def numbers(self, *names: str) -> Column:
        """Lists of numbers (`1,0,1`); null where one is none."""
        text = self.text(*names)
        if text.null_count == len(text):
            return pa.nulls(len(self), pa.list_(pa.float64()))
        parts = pc.split_pattern(text, self.block.set_separator)
        flat = pc.list_flatten(parts)
        try:
            values = flat.cast(pa.float64())
        except pa.ArrowInvalid:
            flat = pc.if_else(
                pc.is_in(flat, value_set=pa.array(["T", "F"])), pc.if_else(pc.equal(flat, "T"), "1", "0"), flat
            )
            values = _numbers(flat)
        values = pc.fill_null(values, float("nan"))
        return pa.ListArray.from_arrays(_offsets(parts), values, mask=parts.is_null())


def mapped(column: Column, told: Mapping[str, Any] | Callable[[str], Any], kind: pa.DataType) -> Column:
    """Each distinct word looked up once; null stays null."""
    encoded = column.dictionary_encode()
    look = told.get if isinstance(told, Mapping) else told
    values = pa.array([look(word) for word in encoded.dictionary.to_pylist()], kind)
    return values.take(encoded.indices)


def filled(column: Column, value: Any) -> Column:
    """Without nulls."""
    return pc.fill_null(column, value)


def plain(text: str) -> str:
    """Text of a log with tabs as it was seen: octets that are no text are `\\xff` there, a backslash is two."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _octets(found[0]), text)


def _octets(escaped: str) -> str:
    if escaped == "\\\\":
        return "\\"
    return bytes.fromhex(escaped.replace("\\x", "")).decode("utf-8", "backslashreplace")


def _hexadecimal(word: str, most: int) -> int | None:
    try:
        number = int(word, 0)
    except ValueError:
        return None
    return number if 0 <= number <= most else None


def _iso(word: str) -> int | None:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(word.removesuffix("Z")[:26]).replace(tzinfo=UTC)
    except ValueError:
        return None
    nanoseconds = (int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond) * 1_000
    return nanoseconds if 0 <= nanoseconds <= LAST_TIME else None


def _numbers(column: Column) -> Column:
    try:
        found = column.cast(pa.float64())
    except pa.ArrowInvalid:
        found = pc.if_else(pc.match_substring_regex(column, _NUMBER), column, pa.scalar(None, pa.utf8())).cast(
            pa.float64()
        )
    return pc.if_else(pc.is_finite(found), found, pa.scalar(None, pa.float64()))


def _microseconds(seconds: Column) -> Column:
    fits = pc.and_(pc.is_finite(seconds), pc.and_(pc.greater_equal(seconds, 0.0), pc.less(seconds, 9.2e9)))
    seconds = pc.if_else(fits, seconds, pa.scalar(None, pa.float64()))
    return pc.multiply(pc.round(pc.multiply(seconds, 1e6)).cast(pa.int64()), 1_000)


def _in_range(microseconds: Column) -> Column:
    fits = pc.and_(pc.greater_equal(microseconds, 0), pc.less(microseconds, LAST_TIME // 1_000))
    return pc.multiply(pc.if_else(fits, microseconds, pa.scalar(None, pa.int64())), 1_000)


def _within(column: Column, most: int) -> Column:
    fits = pc.and_(pc.greater_equal(column, 0.0), pc.less_equal(column, float(most)))
    return pc.floor(pc.if_else(fits, column, pa.scalar(None, pa.float64()))).cast(pa.int64())


def _offsets(column: Column) -> Column:
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


def _whole(column: Column) -> Column:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
