"""Workbook and CSV."""

from __future__ import annotations

import csv
import io
import re
import sys
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from tests.reports.document.samples import HOSTILE, hostile, of, small
from zonewatch.reports.document.lines import csv_files
from zonewatch.reports.document.model import FEWEST, Column, Section, Table, rows_each, text
from zonewatch.reports.document.names import csv_names, sheet_names
from zonewatch.reports.document.workbook import WorkbookUnavailable, workbook
from zonewatch.reports.texts import load_texts

EN = load_texts("en")
pytest.importorskip("xlsxwriter", reason="the package XlsxWriter is not installed")
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def parts(octets: bytes) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(octets)) as file:
        return {name: ElementTree.fromstring(file.read(name)) for name in file.namelist()}


def sheets(octets: bytes) -> dict[str, ElementTree.Element]:
    return {name: root for name, root in parts(octets).items() if name.startswith("xl/worksheets/sheet")}


def test_the_same_document_gives_the_same_octets() -> None:
    assert workbook(small(), EN) == workbook(small(), EN)


def test_one_sheet_a_table_with_frozen_head_filter_and_numbers() -> None:
    found = parts(workbook(small(), EN))
    names = [sheet.get("name") for sheet in found["xl/workbook.xml"].iter(f"{SPACE}sheet")]
    assert names == ["About", "things", "none"]
    sheet = found["xl/worksheets/sheet2.xml"]
    pane = next(sheet.iter(f"{SPACE}pane"))
    assert (pane.get("state"), pane.get("ySplit"), pane.get("xSplit")) == ("frozen", "3", "1")
    assert next(sheet.iter(f"{SPACE}autoFilter")).get("ref") == "A3:C5"
    numbers = [cell.findtext(f"{SPACE}v") for cell in sheet.iter(f"{SPACE}c") if cell.get("t") is None]
    assert numbers == ["1200", "0.5"]
    wide = [column for column in sheet.iter(f"{SPACE}col") if column.get("customWidth")]
    assert sum(int(column.get("max", "")) - int(column.get("min", "")) + 1 for column in wide) == 3


def test_it_is_dated_by_the_document() -> None:
    core = parts(workbook(small(), EN))["docProps/core.xml"]
    assert [node.text for node in core if node.tag.endswith("created")] == ["2026-03-02T08:00:00Z"]


@settings(max_examples=40, deadline=None)
@given(hostile)
def test_hostile_texts_are_texts(words: str) -> None:
    found = parts(workbook(of(words), EN))
    for name, sheet in found.items():
        if name.startswith("xl/worksheets/sheet"):
            assert not list(sheet.iter(f"{SPACE}f"))
            assert all(cell.get("t") == "s" or cell.findtext(f"{SPACE}v") == "3" for cell in sheet.iter(f"{SPACE}c"))
    assert not [name for name in found if "externalLink" in name or "vba" in name.lower()]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_cell_of_a_csv_is_run_as_a_formula(words: str) -> None:
    (name,) = csv_files(of(words))
    rows = list(csv.reader(io.StringIO(csv_files(of(words))[name])))
    assert len(rows) == 3
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")]
    assert not [cell for row in rows for cell in row if cell.startswith("-")]
    assert re.fullmatch(r"tables/[a-z0-9-]+\.csv", name)


def test_a_csv_has_every_row_and_bare_numbers() -> None:
    files = csv_files(small())
    assert files["tables/things.csv"] == "Name,Count,Where\npump,1200,plant.pcap frame 8\nvalve,0.5,\n"
    assert files["tables/none.csv"] == "Name,Count,Where\n"


def test_names_are_safe_and_never_twice() -> None:
    ids = ("table-a", "A", "../../etc", "x" * 80, "x" * 90, "", "history", "ABOUT")
    tables = tuple(Table(name, (Column("c"),), ((text("1"),),), name) for name in ids)
    document = replace(small(), sections=(Section("one", "One", tables),))
    files = list(csv_names(document).values())
    assert len(set(files)) == len(ids)
    assert all(re.fullmatch(r"tables/[a-z0-9-]+\.csv", name) for name in files)
    sheets_ = sheet_names(document, "About")
    assert len({name.lower() for name in sheets_} | {"about"}) == len(ids) + 1
    assert all(0 < len(name) <= 31 for name in sheets_)
    assert len(sheets(workbook(document, EN))) == len(ids) + 1


def test_two_equal_tables_have_two_files() -> None:
    table = small().sections[0].blocks[4]
    twin = replace(table)
    document = replace(small(), sections=(Section("one", "One", (table, twin)),))
    assert set(csv_files(document)) == {"tables/things.csv", "tables/things-2.csv"}


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(WorkbookUnavailable, match=r"tables\.xlsx needs the package XlsxWriter: pip install"):
        workbook(small(), EN)


@pytest.mark.parametrize(
    ("counts", "most", "in_all", "each"),
    [
        pytest.param([], 300, 1_000, 300, id="no table"),
        pytest.param([5, 40], 300, 1_000, 300, id="all of them"),
        pytest.param([5_000], 300, 1_000, 300, id="one is too long"),
        pytest.param([200, 200, 200], 300, 300, 100, id="equal shares"),
        pytest.param([20, 200, 200], 300, 300, 140, id="what a short one leaves is the others'"),
        pytest.param([200] * 100, 300, 100, FEWEST, id="never fewer"),
    ],
)
def test_a_page_holds_a_number_of_rows_of_all_tables(counts: list[int], most: int, in_all: int, each: int) -> None:
    assert rows_each(counts, most, in_all) == each
