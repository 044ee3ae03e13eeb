"""A document for programs: `report.json`. Its schema is `schemas/report.schema.json`.

    python -m zonewatch.reports.document.data > reports/schemas/report.schema.json

Rows of very long tables are cut: `rows_left_out` says how many, and the CSV file has all of them.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from zonewatch.reports.codec import ShapeError, decode, definitions, indented, values
from zonewatch.reports.document.model import Block, Document, Section, rows_each, tables
from zonewatch.reports.document.names import csv_names

__all__ = ["MOST_ROWS", "REPORT_VERSION", "ReportError", "dumps", "loads", "report_schema"]

REPORT_VERSION: Final = 1
MOST_ROWS: Final = 5_000
"""Of one table."""
ROWS_IN_ALL: Final = 40_000
"""Of all tables: a file of some 80 MB."""
SCHEMA_ID: Final = "urn:zonewatch:report:1"


class ReportError(ValueError):
    """Not a report, or not one that this version reads."""


def dumps(document: Document) -> str:
    """The text of `report.json`: ASCII, one newline at the end."""
    names = csv_names(document)
    every = tables(document)
    most = rows_each((len(table.rows) for table in every), MOST_ROWS, ROWS_IN_ALL)
    files = [_file(table.id, names[id(table)], len(table.rows), most) for table in every]
    told = {**values(document), "sections": [_section(section, most) for section in document.sections]}
    return indented({"report_version": REPORT_VERSION, **told, "tables": files}) + "\n"


def _file(table: str, file: str, rows: int, most: int) -> dict[str, str | int]:
    return {"table": table, "file": file, "rows": rows, "rows_left_out": max(rows - most, 0)}


def _section(section: Section, most: int) -> dict[str, Any]:
    return {
        **values(section),
        "blocks": [_block(block, most) for block in section.blocks],
        "sections": [_section(inner, most) for inner in section.sections],
    }


def _block(block: Block, most: int) -> Any:
    told = values(block)
    return {**told, "rows": told["rows"][:most]} if block.block == "table" else block


def loads(text: str) -> Document:
    """The document of such a text, with the rows that it holds. Raises ReportError: what was expected, and where."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"not JSON: {error}") from None
    version = found.get("report_version") if isinstance(found, dict) else None
    if version != REPORT_VERSION:
        raise ReportError(f"report_version {version!r} is not one that this version reads")
    try:
        document: Document = decode(Document, found)
    except (ShapeError, RecursionError) as error:
        raise ReportError(str(error)) from None
    return document


def report_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    found = definitions((Document,))
    told = found.pop("Document")["properties"]
    count = {"type": "integer", "minimum": 0}
    files = {"table": {"type": "string"}, "file": {"type": "string"}, "rows": count, "rows_left_out": count}
    properties = {
        "report_version": {"const": REPORT_VERSION},
        **{field.name: told[field.name] for field in fields(Document)},
        "tables": {"type": "array", "items": _closed(files)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Report of zonewatch",
        **_closed(properties),
        "$defs": found,
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))
