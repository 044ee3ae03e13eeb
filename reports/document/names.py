"""Names of a document's tables in files: of CSV files, and of sheets."""

from __future__ import annotations

import re
from typing import Final

from zonewatch.reports.document.model import Document, tables

__all__ = ["FOLDER", "csv_names", "sheet_names"]

FOLDER: Final = "tables"
_MOST: Final = 31
"""Characters of a sheet's name that spreadsheets take."""


def _stems(document: Document) -> list[str]:
    """A name of safe characters for each table, in reading order, none of them twice."""
    found: list[str] = []
    for table in tables(document):
        stem = "-".join(re.findall(r"[a-z0-9]+", table.id.lower().removeprefix("table-")))[:40].strip("-") or "table"
        place = 1
        while (name := stem if place == 1 else f"{stem}-{place}") in found:
            place += 1
        found.append(name)
    return found


def csv_names(document: Document) -> dict[int, str]:
    """The file of each table, by the table's identity: two tables may be equal."""
    names = _stems(document)
    return {id(table): f"{FOLDER}/{name}.csv" for table, name in zip(tables(document), names, strict=True)}


def sheet_names(document: Document, first: str) -> list[str]:
    """The sheet of each table; `first` is taken already."""
    taken = {first.lower()}
    found = []
    for stem in _stems(document):
        place, name = 1, stem[:_MOST]
        while name in taken:
            place += 1
            name = f"{stem[: _MOST - 1 - len(str(place))]}-{place}"
        taken.add(name)
        found.append(name)
    return found
