"""The tables `events` and `activities` with pseudonyms: one table of what becomes of each column of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.reports.pseudonyms.fields import KEEP, SENTENCE, TELLS, VALUES, tell_by, treated
from zonewatch.reports.pseudonyms.words import Words

__all__ = ["COLUMNS", "gather", "pseudonymised"]

pc: Final[Any] = pyarrow.compute

COLUMNS: Final[Mapping[str, str]] = {
    "source": "point",
    "capture": "capture",
    "last_capture": "capture",
    "response_capture": "capture",
    "client": SENTENCE,
    "client_name": "asset",
    "server": SENTENCE,
    "server_name": "asset",
    "client_unit": SENTENCE,
    "server_unit": SENTENCE,
    "code": SENTENCE,
    **dict.fromkeys(
        (
            "protocol", "transport", "kind", "function_name", "operation", "status", "status_name", "reason", "action",
            "property_name",
        ),
        KEEP,
    ),
    "text": "text",
}  # fmt: skip
"""Treatment of a column of text by its name; of `objects` and `fields` the columns within. Others are refused."""
_FIELDS: Final = "fields"


def gather(table: pa.Table, words: Words) -> None:
    """Tells all names that a table holds."""
    for what, texts in _texts(table):
        if what in TELLS:
            for text in texts:
                tell_by(words, what, text)


def _texts(table: pa.Table) -> Iterator[tuple[str, Iterable[str]]]:
    for column in table.column_names:
        if pa.types.is_string(table.schema.field(column).type):
            yield COLUMNS[column], _distinct(table[column].combine_chunks())
    for pairs in (_values(table, _FIELDS),) if _FIELDS in table.column_names else ():
        names, values = pairs.field("name").cast(pa.utf8()), pairs.field("value")
        for name in _distinct(names):
            yield VALUES.get(name, "text"), _distinct(values.filter(pc.equal(names, name)))
    if "objects" in table.column_names:
        yield COLUMNS["text"], _distinct(_values(table, "objects").field("text"))


def _values(table: pa.Table, column: str) -> Any:
    """All items of a column of lists."""
    lists: Any = table[column].combine_chunks()
    return lists.values


def _distinct(values: Any) -> list[str]:
    return sorted(text for text in pc.unique(values).to_pylist() if text)


def pseudonymised(table: pa.Table, words: Words) -> pa.Table:
    """The same rows with pseudonyms. Raises KeyError for a column that nobody weighed."""
    for column in table.column_names:
        kind = table.schema.field(column).type
        if pa.types.is_string(kind):
            made = _mapped(table[column].combine_chunks(), _treat(words, COLUMNS[column]))
            table = table.set_column(table.column_names.index(column), table.schema.field(column), made)
    for column in ("objects", _FIELDS):
        if column in table.column_names:
            table = table.set_column(
                table.column_names.index(column), table.schema.field(column), _lists(table, column, words)
            )
    return table


def _treat(words: Words, what: str) -> Callable[[str], str]:
    return lambda text: treated(words, what, text)


def _lists(table: pa.Table, column: str, words: Words) -> Any:
    """A column of lists of structures, their texts treated."""
    lists: Any = table[column].combine_chunks()
    items = lists.values
    parts: list[Any] = []
    for number in range(items.type.num_fields):
        field = items.type.field(number)
        values = items.field(number)
        if column == _FIELDS and field.name == "value":
            names = items.field("name").cast(pa.utf8()).to_pylist()
            told = (
                text and treated(words, VALUES.get(name, "text"), text)
                for name, text in zip(names, values.to_pylist(), strict=True)
            )
            values = pa.array(told, pa.utf8())
        elif column == "objects" and field.name == "text":
            values = _mapped(values, _treat(words, COLUMNS["text"]))
        parts.append(values)
    structures = pa.StructArray.from_arrays(parts, fields=[items.type.field(n) for n in range(items.type.num_fields)])
    return pa.ListArray.from_arrays(lists.offsets, structures, type=lists.type)


def _mapped(values: Any, treat: Callable[[str], str]) -> Any:
    """Each distinct text treated once; null stays."""
    words = values.dictionary_encode()
    told = pa.array([treat(text) for text in words.dictionary.to_pylist()], pa.utf8())
    return pa.DictionaryArray.from_arrays(words.indices, told).cast(pa.utf8())
