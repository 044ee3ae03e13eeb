"""Engine tables made by hand: only the columns that matter are said, the others get a neutral value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa


def rows(schema: pa.Schema, given: Sequence[Mapping[str, Any]]) -> pa.Table:
    unknown = sorted({name for row in given for name in row} - set(schema.names))
    if unknown:
        raise KeyError(f"no such columns: {', '.join(unknown)}")
    columns = [
        pa.array([row.get(field.name, _neutral(field)) for row in given], _plain(field.type)).cast(field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _neutral(field: pa.Field[Any]) -> object:
    kind = _plain(field.type)
    if field.nullable:
        return None
    if pa.types.is_string(kind):
        return ""
    if pa.types.is_list(kind):
        return []
    return False if pa.types.is_boolean(kind) else 0
