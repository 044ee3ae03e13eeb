from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.reports.document.samples import HOSTILE, Page, hostile, of, small
from zonewatch.reports.document.html import MOST_ROWS, html
from zonewatch.reports.document.layout import MOST_LINES
from zonewatch.reports.document.model import Column, Document, Field, Figure, Record, Section, Table, text
from zonewatch.reports.document.picture import PictureError
from zonewatch.reports.palette import PALETTES
from zonewatch.reports.texts import load_texts
from zonewatch.reports.words import visible

EN = load_texts("en")


def page(document: Document) -> Page:
    return Page(html(document, EN))


def test_nothing_from_outside_and_only_the_named_script() -> None:
    text_ = html(small(), EN)
    found = Page(text_)
    assert not {"link", "iframe", "object", "embed", "base", "img"} & set(found.tags)
    assert all(value.startswith("#") for value in found.values("href"))
    script = re.findall(r"<script>(.*?)</script>", text_, re.DOTALL)
    policy = next(value for value in found.values("content") if value.startswith("default-src"))
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert len(script) == 1
    assert f"script-src 'sha256-{digest}'" in policy


def test_every_link_has_its_end_and_no_id_comes_twice() -> None:
    found = page(small())
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in found.values("href")} <= set(ids)
    assert "#record-valve" in found.values("href")


def test_lines_to_write_on_are_there_and_bounded() -> None:
    assert page(small()).values("class").count("write") == 2
    many = Record("record-many", text("Many"), (Field("Reason", (), "open", 10_000), Field("None", (), "open", -1)))
    document = replace(small(), sections=(Section("one", "First", (many,)),))
    assert page(document).values("class").count("write") == MOST_LINES


def test_tables_say_what_their_cells_belong_to() -> None:
    found = page(small())
    assert found.tags["caption"] == found.tags["table"] - 1 == 2  # who signs needs no caption
    assert found.values("scope").count("row") == 2 + 1
    assert found.values("scope").count("col") == 3 + 3 + 4
    regions = [tag for tag, name, value in found.attributes if (name, value) == ("role", "region")]
    assert found.values("tabindex").count("0") == len(regions)
    assert {"1200", "0.5"} <= set(found.values("data-value"))


def test_landmarks_language_and_headings_in_order() -> None:
    found = page(small())
    assert [found.tags[name] for name in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    assert found.values("lang") == ["en", "de"]
    assert all(after <= before + 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    assert Page(html(small(), load_texts("de"))).values("lang")[0] == "de"


def test_a_drawing_keeps_its_colours_in_the_dark() -> None:
    text_ = html(small(), EN)
    assert 'class="k-ink"' in text_
    assert ".k-ink{stroke:var(--ink)}" in text_
    assert 'role="img"' in text_


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    rows = tuple((text(f"row {index}"),) for index in range(200_000))
    table = Table("table-long", (Column("A"),), rows, "Long")
    document = replace(small(), sections=(Section("one", "One", (table,)),))
    text_ = html(document, EN)
    assert len(text_) < 400_000
    assert f"row {MOST_ROWS - 1}<" in text_
    assert f"row {MOST_ROWS}<" not in text_
    assert "The first 1,000 of 200,000 rows are shown. All of them are in tables/long.csv and in tables.xlsx." in text_


KIND = page(of("kind"))


@settings(max_examples=60, deadline=None)
@given(hostile)
def test_hostile_texts_stay_text(words: str) -> None:
    text_ = html(of(words), EN)
    found = Page(text_)
    assert set(found.tags) <= set(KIND.tags)
    assert {name for _, name, _ in found.attributes} <= {name for _, name, _ in KIND.attributes}
    assert found.tags["script"] == 1
    assert all(re.fullmatch(r"#[a-z0-9-]+", value) for value in found.values("href"))
    assert len(set(found.values("id"))) == len(found.values("id"))
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text_)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_texts_can_be_read(words: str) -> None:
    assert visible(words) in page(of(words)).text


def test_the_running_head_cannot_leave_its_string() -> None:
    text_ = html(of('"}*{display:none}</style>'), EN)
    style = text_.split("<style>")[1].split("</style>")[0]
    assert "display:none}</style>" not in text_
    assert "*{display:none}" not in style


@pytest.mark.parametrize(
    "svg",
    [
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>alert(1)</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" onload="alert(1)"></svg>',
        "<svg width='1' height='1'></svg>",
        "no picture",
    ],
)
def test_a_picture_that_is_more_than_a_picture_is_refused(svg: str) -> None:
    document = replace(small(), sections=(Section("one", "One", (Figure("f", svg, "t", "d"),)),))
    with pytest.raises(PictureError):
        html(document, EN)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("ground", ["surface", "soft", "page", "band", "zone"])
def test_every_text_can_be_read_on_its_ground(palette: str, ground: str) -> None:
    colours = PALETTES[palette]
    grounds = {"page", "surface", "soft", "rule", "band", "zone", "other"}
    for name in colours.keys() - grounds:
        light, dark = sorted((_luminance(colours[name]), _luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
