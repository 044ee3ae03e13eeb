"""Every text form of a small document against what is kept, and what all forms have in common."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings

from tests.reports.document.samples import hostile, of, small
from zonewatch.reports.document.data import MOST_ROWS, ReportError, dumps, loads, report_schema
from zonewatch.reports.document.forms import FORMS, forms, is_ours
from zonewatch.reports.document.html import html
from zonewatch.reports.document.lines import csv_files
from zonewatch.reports.document.model import Column, Document, Section, Table, anchor, anchors, text
from zonewatch.reports.texts import load_texts

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden"
SCHEMA = ROOT / "reports" / "schemas" / "report.schema.json"
EN = load_texts("en")


def _body(document: Document) -> str:
    page = html(document, EN)
    return page[page.index("<body") : page.index("<script>")]


KEPT = {
    "report-small.html": lambda: _body(small()),
    "report-small.json": lambda: dumps(small()),
    "report-small.csv": lambda: "".join(f"# {name}\n{told}" for name, told in csv_files(small()).items()),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_small_document_looks_as_it_did(name: str) -> None:
    told = KEPT[name]()
    path = GOLDEN / name
    if os.environ.get("ZONEWATCH_GOLDEN") == "write":
        path.write_text(told, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == told


def test_json_comes_back_whole_and_fits_its_schema() -> None:
    told = json.loads(dumps(small()))
    jsonschema.validate(told, report_schema())
    assert loads(dumps(small())) == small()
    assert [row["file"] for row in told["tables"]] == ["tables/things.csv", "tables/none.csv"]


@settings(max_examples=40, deadline=None)
@given(hostile)
def test_hostile_texts_come_back_whole(words: str) -> None:
    told = dumps(of(words))
    assert told.isascii()
    assert loads(told) == of(words)


def test_the_schema_is_the_published_one() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(report_schema()))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("{", "not JSON"),
        ("[]", "report_version None"),
        ('{"report_version": 9}', "report_version 9"),
        ('{"report_version": 1}', "id: a value expected"),
    ],
)
def test_what_is_no_report_is_refused(told: str, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        loads(told)


def test_json_of_a_very_long_table_says_what_is_left_out() -> None:
    rows = ((text("x"),),) * (MOST_ROWS + 7)
    document = replace(small(), sections=(Section("one", "One", (Table("table-long", (Column("A"),), rows, "Long"),)),))
    told = json.loads(dumps(document))
    assert len(told["sections"][0]["blocks"][0]["rows"]) == MOST_ROWS
    assert told["tables"] == [
        {"table": "table-long", "file": "tables/long.csv", "rows": MOST_ROWS + 7, "rows_left_out": 7}
    ]


def test_every_form_is_made_and_named() -> None:
    made = forms(small(), EN)
    assert set(made.files) == {*FORMS, "tables/things.csv", "tables/none.csv"}
    assert made.missing == ()
    assert all(is_ours(name) for name in made.files)
    assert not any(
        is_ours(name) for name in ("result.json", "../x.csv", "tables/../x.csv", "tables/a.pdf", "report.txt")
    )


def test_forms_made_beside_each_other_are_those_made_alone() -> None:
    made = forms(small(), EN)
    assert {name: made.files[name] for name in FORMS} == {name: make(small(), EN) for name, make in FORMS.items()}
    assert list(made.files)[: len(FORMS)] == list(FORMS)


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked")
@pytest.mark.parametrize("lacking", [(), ("typst", "xlsxwriter")])
def test_of_a_large_document_a_second_process_makes_the_same(
    lacking: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in lacking:
        monkeypatch.setitem(sys.modules, name, None)
    alone = forms(small(), EN)
    monkeypatch.setattr("zonewatch.reports.document.forms.MANY_ROWS", 0)
    monkeypatch.setattr("zonewatch.reports.beside._forks", lambda: True)
    monkeypatch.setattr("zonewatch.reports.document.forms.csv_files", lambda _: {"pid": str(os.getpid())})
    made = forms(small(), EN)
    assert made.files["pid"] != str(os.getpid()).encode()
    assert made.missing == alone.missing
    assert {name: made.files[name] for name in made.files if name != "pid"} == {
        name: octets for name, octets in alone.files.items() if not name.startswith("tables/")
    }


def test_what_cannot_be_made_here_is_said_and_the_rest_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    made = forms(small(), EN)
    assert {"report.html", "report.json", "tables/things.csv"} <= made.files.keys()
    assert [line.split(" ")[0] for line in made.missing] == ["report.pdf", "tables.xlsx"]


def test_anchors_are_safe_and_differ() -> None:
    names = ("plc-1", "PLC-1", "plc 1", "plc_1", "", "\u202e", "a" * 60, "a" * 61, '"><script>')
    found = [anchor("asset", name) for name in names]
    assert len(set(found)) == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in found)
    assert found[0] == "asset-plc-1"


def test_a_document_knows_its_anchors() -> None:
    wanted = {"one", "inner", "two", "sign", "table-things", "table-none", "figure-box", "record-valve"}
    assert anchors(small()) == wanted
