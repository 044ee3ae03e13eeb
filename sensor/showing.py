"""`zonewatch inventory`, `map` and `findings`: tables of a result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from zonewatch.reports.rows import Format, emit
from zonewatch.reports.tables import asset_table, edge_table, finding_rows
from zonewatch.rules.findings import Owner
from zonewatch.sensor.results import of_side, read_result

_TABLES = {"inventory": asset_table, "map": edge_table, "findings": finding_rows}


def show(result: Path, table: Literal["inventory", "map", "findings"], form: Format, side: Owner | None = None) -> None:
    """Writes a table of a result to standard output."""
    emit(_TABLES[table](of_side(read_result(result), side)), form, sys.stdout)
