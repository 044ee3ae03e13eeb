"""A document as one HTML file: everything inside, offline, printable, for keyboards and screen readers.

Texts reach the page escaped by the template; pictures only where they are still pictures. The content policy of the
page names its script by hash, so nothing that came in with a packet can run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from zonewatch.reports.document.layout import laid_out
from zonewatch.reports.document.model import Document
from zonewatch.reports.palette import PALETTES
from zonewatch.reports.texts import Texts

__all__ = ["MOST_ROWS", "html"]

MOST_ROWS: Final = 1_000
"""Of one table. A browser stays quick with several of these; the files of the tables have every row."""
ROWS_IN_ALL: Final = 15_000
"""Of all tables: a page of some 5 MB."""
MOST_WIDTH: Final = 60
"""Characters of the running head."""


@cache
def _file(name: str) -> str:
    return (files("zonewatch.reports") / name).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: _file(f"templates/{name}")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _css_text(text: str) -> Markup:
    """A text as a string of CSS: all but letters and digits of ASCII by their numbers."""
    told = "".join(char if char.isascii() and char.isalnum() else f"\\{ord(char):x} " for char in text)
    return Markup(f'"{told}"')


def _palette(name: str) -> Markup:
    return Markup("".join(f"--{key}:{value};" for key, value in PALETTES[name].items()))


def _drawn() -> Markup:
    """Colours of drawings by their meaning, in place of those that are written in them."""
    return Markup("".join(f".f-{key}{{fill:var(--{key})}}.k-{key}{{stroke:var(--{key})}}" for key in PALETTES["light"]))


def html(document: Document, texts: Texts) -> str:
    """The page. Raises PictureError."""
    script = _file("static/page.js").strip()
    tree = laid_out(document, texts, MOST_ROWS, ROWS_IN_ALL)
    head = f"{tree['title']} · {tree['subtitle']}"
    return (
        _environment()
        .get_template("document.html.j2")
        .render(
            document=tree,
            light=_palette("light"),
            dark=_palette("dark"),
            style=Markup(_file("static/report.css") + _file("static/document.css")),
            drawn=_drawn(),
            running=_css_text(head if len(head) <= MOST_WIDTH else f"{head[: MOST_WIDTH - 1]}…"),
            pages=Markup(" counter(page) ").join(_page_words(texts)),
            script=Markup(script),
            hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            svg=Markup,
        )
    )


def _page_words(texts: Texts) -> tuple[Markup, Markup]:
    """What stands before and after the number of the page, which CSS counts."""
    before, after = texts.say("form.page", page="\0", pages="\1").split("\0")
    return _css_text(before), Markup(" counter(pages) ").join(_css_text(part) for part in after.split("\1"))
