"""Records of every category: those of the bundled plant, and the examples of the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.sigma.detect import BUNDLED
from zonewatch.rules.sigma.load import load
from zonewatch.rules.sigma.taxonomy import FIELDS, Field, Type

_KINDS: Final[Mapping[Type, pa.DataType]] = {
    "keyword": pa.utf8(),
    "ip": pa.utf8(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int64(),
}


def tables() -> dict[str, pa.Table]:
    """The examples of all rules as tables of records; what one rule matches may well match another."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in load([BUNDLED]).rules:
        records = [dict(record) for record in (*rule.match, *rule.differ)]
        found.setdefault(rule.category, []).extend(records)
    return {category: _table(category, rows) for category, rows in sorted(found.items())}


def _table(category: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    fields: Mapping[str, Field] = FIELDS[category]  # type: ignore[index]
    given = list(rows)
    names = sorted({name for row in given for name in row if name in fields})
    columns = {
        name: pa.array([_value(fields[name], row.get(name)) for row in given], _kind(fields[name])) for name in names
    }
    places = {"_frame": pa.array(range(1, len(given) + 1), pa.uint64())}
    return pa.table(columns | places)


def _kind(field: Field) -> pa.DataType:
    return pa.list_(_KINDS[field.type]) if field.many else _KINDS[field.type]


def _value(field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    if field.many:
        return [_one(field, item) for item in (value if isinstance(value, list | tuple) else [value])]
    return _one(field, value[0] if isinstance(value, list | tuple) else value)


def _one(field: Field, value: Any) -> Any:
    return str(value) if field.type in ("keyword", "ip") else value


__all__ = ["Path", "tables"]
