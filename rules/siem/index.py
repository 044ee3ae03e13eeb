"""What a SIEM indexes of the records: documents and the template that gives their fields the right types.

    for document in documents(tables): …          # one for each record, ready for bulk
    template()                                     # PUT _index_template/zonewatch-records

Words are keywords that are compared without regard to case, as Sigma asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.sigma.taxonomy import CATEGORIES, FIELDS, PRODUCT, Type

PATTERN: Final = "logs-zonewatch.*"
_TYPES: Final[Mapping[Type, Mapping[str, object]]] = {
    "keyword": {"type": "keyword", "normalizer": "lowercase", "ignore_above": 1024},
    "ip": {"type": "ip", "ignore_malformed": True},
    "integer": {"type": "long"},
    "number": {"type": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date_nanos"},
}
_DATES: Final = frozenset(("@timestamp", "event.start", "event.end"))


def template() -> dict[str, Any]:
    """The index template: every field of the taxonomy with its type."""
    fields = {field.name: _TYPES[field.type] for names in FIELDS.values() for field in names.values()}
    fields["event.dataset"] = fields["event.id"] = {"type": "keyword"}
    return {
        "index_patterns": [PATTERN],
        "priority": 300,
        "data_stream": {},
        "template": {
            "settings": {"number_of_replicas": 0},
            "mappings": {"dynamic": False, "properties": dict(sorted(fields.items()))},
        },
    }


def stream(category: str) -> str:
    """The data stream of a category."""
    return f"logs-{PRODUCT}.{category}-default"


def documents(tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The data stream and the document of each record. Equal records at equal places have equal ids."""
    for category in CATEGORIES:
        if category in tables:
            for number, row in enumerate(tables[category].to_pylist()):
                yield stream(category), _document(category, number, row)


def _document(category: str, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: _value(name, value) for name, value in row.items() if _is_told(name, value)}
    place = json.dumps([category, number, [str(row.get(name)) for name in ("_source", "_capture", "_frame", "_event")]])
    found["event.dataset"] = f"{PRODUCT}.{category}"
    found["event.id"] = hashlib.sha256(place.encode()).hexdigest()[:20]
    found.setdefault("@timestamp", _value("@timestamp", 0))
    return found


def _is_told(name: str, value: object) -> bool:
    return not name.startswith("_") and value is not None and value != []


def _value(name: str, value: Any) -> Any:
    if name in _DATES:
        moment = datetime.fromtimestamp(value // 1_000_000_000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1_000_000_000:09d}Z"
    return value
