from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.reports.document.samples import HOSTILE, hostile, of, small
from zonewatch.reports.document.model import Column, Document, Figure, Section, Table, text
from zonewatch.reports.document.typst import MOST_ROWS, SHOWN, PdfUnavailable, pdf, showable
from zonewatch.reports.drawings.svg import drawing
from zonewatch.reports.texts import load_texts

EN = load_texts("en")
TEMPLATE = Path(__file__).resolve().parents[3] / "reports" / "templates" / "document.typ"
typst = pytest.importorskip("typst", reason="the package typst is not installed")


def words_of(octets: bytes, folder: Path) -> str:
    """What a reader selects and copies. Words that were broken at a line's end are put together again."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    path = folder / "report.pdf"
    path.write_bytes(octets)
    told = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True)
    return re.sub(r"\s", "", told.stdout.decode())


def test_the_same_document_gives_the_same_octets() -> None:
    assert pdf(small(), EN) == pdf(small(), EN)


def test_it_is_tagged_for_keeping_and_dated_by_the_document() -> None:
    octets = pdf(small(), EN)
    assert octets.startswith(b"%PDF-1.7")
    for part in (b"pdfaid:part>2<", b"pdfuaid:part>1<", b"/StructTreeRoot", b"D:20260302080000Z", b"/Lang"):
        assert part in octets, part


def test_every_text_can_be_selected(tmp_path: Path) -> None:
    told = words_of(pdf(small(), EN), tmp_path)
    for said in (
        "Asmallreport",
        "Riverside",
        "1First",
        "1.1Inner",
        "Table1:Things",
        "1,200",
        "ab" * 32,
        "Page2of",
        "in",
    ):
        assert said in told, said


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_texts_are_shown_as_they_are(words: str, tmp_path: Path) -> None:
    told = words_of(pdf(of(words[:200]), EN), tmp_path)
    assert re.sub(r"\s", "", showable(words[:200])) in told


@settings(max_examples=25, deadline=None)
@given(hostile)
def test_hostile_texts_break_nothing(words: str) -> None:
    assert pdf(of(words[:300]), EN).startswith(b"%PDF-")


def test_the_template_reads_no_text_as_code() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"\b(eval|read|include|import|plugin|csv|yaml|toml|xml|cbor)\s*[(\"]", template)


def test_the_fonts_have_every_character_that_is_shown() -> None:
    # PDF/A lets no character pass that its font lacks: it would not be set at all.
    all_of_them = "".join(chr(code) for first, last in SHOWN for code in range(first, last + 1))
    assert pdf(of(all_of_them), EN).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Öl ≥ 4 °C → ✓", "Öl ≥ 4 °C → ✓"),
        ("中", "\\u4e2d"),
        ("\U0001f600", "\\U0001f600"),
        ("a\u202eb\x00", "a\\u202eb\\x00"),
    ],
)
def test_what_the_fonts_lack_is_an_escape(words: str, shown: str) -> None:
    assert showable(words) == shown


def test_a_long_table_is_cut(tmp_path: Path) -> None:
    rows = tuple((text(f"row-{index}."),) for index in range(MOST_ROWS + 5))
    table = Table("table-long", (Column("A"),), rows, "Long")
    told = words_of(pdf(replace(small(), sections=(Section("one", "One", (table,)),)), EN), tmp_path)
    assert f"row-{MOST_ROWS - 1}." in told
    assert f"row-{MOST_ROWS}." not in told
    assert f"Thefirst{MOST_ROWS}of{MOST_ROWS + 5}rowsareshown." in told


@pytest.mark.parametrize(("wide", "high"), [(1_500, 900), (300, 200), (400, 2_000), (900, 500)])
def test_drawings_of_any_shape_find_a_place(wide: int, high: int) -> None:
    figure = Figure("figure-a", drawing("a", wide, high, "t", "d", []), "t", "d")
    octets = pdf(replace(small(), sections=(Section("one", "One", (figure,)),)), EN)
    assert (re.search(rb"/MediaBox ?\[0 0 841", octets) is not None) == (wide > 1_000)


def test_without_typst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(
        PdfUnavailable, match=r"report\.pdf needs the package typst: pip install 'zonewatch\[reports\]'"
    ):
        pdf(small(), EN)


def _compile(document: Document) -> Any:
    return pdf(document, EN)


def test_a_document_without_anything_is_a_document() -> None:
    assert _compile(Document("e", "", "", "en", (), (), "")).startswith(b"%PDF-")
