from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.reports import sample
from tests.tables import rows as table_rows
from zonewatch.dissectors import schemas
from zonewatch.reports.rows import Column, Rows, csv_text, emit, from_arrow, json_lines, rich_table
from zonewatch.reports.tables import asset_rows, asset_table, edge_rows, edge_table, finding_rows

TABLES = (asset_rows, asset_table, edge_rows, edge_table, finding_rows)


def cell(value: object) -> str:
    text = csv_text(Rows((Column("a"), Column("b")), ((value, "x"),)))  # type: ignore[arg-type]
    return next(csv.reader(io.StringIO(text.split("\n", 1)[1])))[0]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-2", "'-2"),
        ("@cmd", "'@cmd"),
        (-2, "-2"),
        (2.5, "2.5"),
        (None, ""),
        (True, "true"),
        (("a", "b"), "a;b"),
        (("=a", "b"), "'=a;b"),
        ('a"b,c', 'a"b,c'),
        ("two\nlines", "two\\x0alines"),
    ],
)
def test_cells_of_csv(value: object, written: str) -> None:
    assert cell(value) == written


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("make", TABLES)
def test_tables_of_a_result(make: object) -> None:
    rows: Rows = make(sample.sample())  # type: ignore[operator]
    names = [column.name for column in rows.columns]
    assert len(set(names)) == len(names)
    assert rows.rows
    assert all(len(row) == len(names) for row in rows.rows)
    assert len(list(csv.reader(io.StringIO(csv_text(rows))))) == len(rows.rows) + 1
    assert [list(json.loads(line)) for line in json_lines(rows)] == [names] * len(rows.rows)


@pytest.mark.parametrize("make", TABLES)
@pytest.mark.parametrize("width", [30, 60, 140])
def test_tables_fit_the_console(make: object, width: int) -> None:
    out = io.StringIO()
    emit(make(sample.hostile()), "table", out, Console(file=out, width=width), limit=5)  # type: ignore[operator]
    assert max(map(len, out.getvalue().splitlines())) <= width
    assert "\x1b" not in out.getvalue()


def test_a_long_table_ends_in_a_count() -> None:
    out = io.StringIO()
    emit(edge_table(sample.sample()), "table", out, Console(file=out, width=100), limit=10)
    assert f"… {len(sample.EDGES) - 10} more" in out.getvalue()


def test_unseen_assets_are_rows_too() -> None:
    rows = asset_rows(sample.sample())
    assert [row[:3] for row in rows.rows if row[2] is False] == [("rtu-4", "rtu-4", False)]


def test_a_probe_is_not_what_an_asset_speaks() -> None:
    spoken = {row[0]: row[6] for row in asset_table(sample.sample()).rows}
    assert spoken["plc-1"] == ("modbus",)
    assert spoken["scada-1"] == ("dnp3", "modbus", "https", "+2")


def test_rows_of_an_arrow_table() -> None:
    item = {
        "kind": "holding-register", "type_number": None, "variation": None, "start": 99, "count": 2, "property": None,
        "property_name": "", "index": None, "priority": None, "values": [7.0, float("nan")], "text": "",
        "before": [6.0, 9.0], "status": None,
    }  # fmt: skip
    event = {"time": 1_772_438_400_000_000_001, "protocol": "modbus", "request_frames": [1, 2], "objects": [item]}
    rows = from_arrow(
        table_rows(schemas.EVENTS, [event]), ("time", "protocol", "function", "request_frames", "objects")
    )
    assert rows.rows == (
        (
            "2026-03-02T08:00:00.000000001Z",
            "modbus",
            None,
            ("1", "2"),
            ("holding-register 99-100 = 7, nan (before 6, 9)",),
        ),
    )
    assert from_arrow(table_rows(schemas.EVENTS, [])).rows == ()
    assert from_arrow(pa.table({"x": pa.array([float("inf")])})).rows == (("inf",),)


def test_edges_and_findings_have_the_names_of_both_ends() -> None:
    result = sample.sample()
    names = {asset.id: asset.name for asset in result.inventory.assets}
    edges = edge_rows(result)
    heads = [column.name for column in edges.columns]
    for end in ("client", "server"):
        at, name = heads.index(end), heads.index(f"{end}_name")
        assert all(row[name] == names[str(row[at])] for row in edges.rows if row[at] in names)
    findings = finding_rows(result)
    heads = [column.name for column in findings.columns]
    told = {
        asset: name
        for row in findings.rows
        for asset, name in zip(row[heads.index("assets")], row[heads.index("names")], strict=True)
    }
    assert told["plc-1"].startswith(names["plc-1"])


def test_names_of_rows_stay_where_heads_are_wider_than_the_terminal() -> None:
    heads = (Column("subject", " "), *(Column(f"c{number}", "nicht entscheidbar", right=True) for number in range(6)))
    shown = io.StringIO()
    console = Console(width=80, file=shown, color_system=None)
    console.print(rich_table(Rows(heads, (("Verbindungen", 1, 2, 3, 4, 5, 12_345),)), 80))
    assert "Verbindungen" in shown.getvalue()
    assert "12,345" in shown.getvalue()
