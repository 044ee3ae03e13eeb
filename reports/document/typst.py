"""A document as PDF, set by typst: tagged for screen readers (PDF/UA-1), for keeping (PDF/A-2a), the same octets each
time.

The template is fixed, and all texts come to it as JSON: nothing that came in with a packet is ever read as typst. The
fonts are those of this package and of typst, so that no machine's own fonts change the pages; what they cannot show is
written as an escape.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from importlib.resources import as_file, files
from typing import Final

from zonewatch.reports.document.layout import laid_out
from zonewatch.reports.document.model import Document
from zonewatch.reports.palette import PALETTES
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import SECOND, visible

__all__ = ["MOST_ROWS", "STANDARDS", "PdfUnavailable", "pdf"]

MOST_ROWS: Final = 300
"""Of one table: a reader of paper looks no further, and the files of the tables have every row."""
ROWS_IN_ALL: Final = 2_500
"""Of all tables: some 150 pages."""
STANDARDS: Final = ("a-2a", "ua-1")
SHOWN: Final = (
    *((0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x17F), (0x384, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3CE)),
    *((0x400, 0x45F), (0x490, 0x49B), (0x2010, 0x2023), (0x2026, 0x2026), (0x2030, 0x2037)),
    *((0x2039, 0x203A), (0x2074, 0x2079), (0x2080, 0x2089), (0x20A0, 0x20B5), (0x2122, 0x2122), (0x2190, 0x21FF)),
    *((0x2200, 0x2213), (0x2217, 0x221E), (0x2248, 0x2248), (0x2260, 0x2261), (0x2264, 0x2265), (0x2500, 0x259F)),
    *((0x25A0, 0x25FF), (0x2713, 0x2713), (0x2717, 0x2717)),
)
"""Characters that the fonts have, from first to last: Latin, Greek, Cyrillic, and signs."""


class PdfUnavailable(Exception):
    """The package `typst` is not installed."""


def showable(text: str) -> str:
    """A text made visible, with escapes for what the fonts lack."""
    return _LACKING(_escape, visible(text))


_LACKING: Final = re.compile(
    f"[^{''.join(f'{re.escape(chr(first))}-{re.escape(chr(last))}' for first, last in SHOWN)}]"
).sub


def _escape(lacking: re.Match[str]) -> str:
    code = ord(lacking[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def pdf(document: Document, texts: Texts) -> bytes:
    """The file. Raises PdfUnavailable, PictureError."""
    try:
        typst = import_module("typst")
    except ImportError:
        raise PdfUnavailable("report.pdf needs the package typst: pip install 'zonewatch[reports]'") from None
    tree = laid_out(document, texts, MOST_ROWS, ROWS_IN_ALL, showable)
    tree["page"] = [showable(part) for part in texts.say("form.page", page="\0", pages="\0").split("\0")]
    tree["as_of"] = document.as_of // SECOND
    tree["palette"] = PALETTES["light"]
    package = files("zonewatch.reports")
    template = (package / "templates" / "document.typ").read_bytes()
    with as_file(package / "static" / "fonts") as folder:
        fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])
        # The root is the folder of the fonts: a template that read files would find nothing else there.
        compiler = typst.Compiler(template, root=str(folder), font_paths=fonts, sys_inputs={"data": json.dumps(tree)})
        made: bytes = compiler.compile(format="pdf", timestamp=tree["as_of"], pdf_standards=list(STANDARDS))
    return made
