"""Every form of a document. Pure: octets by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.beside import beside
from zonewatch.reports.document.data import dumps
from zonewatch.reports.document.html import html
from zonewatch.reports.document.layout import WORKBOOK
from zonewatch.reports.document.lines import csv_files
from zonewatch.reports.document.model import Document, tables
from zonewatch.reports.document.names import FOLDER
from zonewatch.reports.document.typst import PdfUnavailable, pdf
from zonewatch.reports.document.workbook import WorkbookUnavailable, workbook
from zonewatch.reports.texts import Texts

__all__ = ["FORMS", "OSCAL", "Made", "forms", "is_ours"]

PAGE: Final = "report.html"
PDF: Final = "report.pdf"
FORMS: Final[Mapping[str, Callable[[Document, Texts], bytes]]] = {
    PAGE: lambda document, texts: html(document, texts).encode(),
    PDF: pdf,
    "report.json": lambda document, _: dumps(document).encode(),
    WORKBOOK: workbook,
}
OSCAL: Final = "oscal.json"
"""Made of the result, not of the document; written where it is asked for."""
MANY_ROWS: Final = 20_000
"""Of all tables: from here on a second process for them is worth its start; they take it some three seconds."""
_OURS: Final = re.compile(rf"{FOLDER}/[a-z0-9-]+\.csv")


@dataclass(frozen=True, slots=True)
class Made:
    """The files, and a line for each that could not be made here."""

    files: Mapping[str, bytes]
    missing: tuple[str, ...]


def forms(document: Document, texts: Texts) -> Made:
    """All of them. Raises PictureError."""
    with (
        beside(lambda: _tables(document, texts), _is_large(document)) as tables,
        ThreadPoolExecutor(max_workers=1) as pages,
    ):
        # typst sets pages without Python's lock, so a thread is enough; its own threads would not outlive a fork.
        paged = pages.submit(_made, PDF, document, texts)
        found = {PAGE: _made(PAGE, document, texts)}
        others, lists = tables()
        found |= {PDF: paged.result(), **others}
    files = {name: made for name in FORMS if isinstance(made := found[name], bytes)}
    missing = tuple(made for name in FORMS if isinstance(made := found[name], str))
    return Made({**files, **lists}, missing)


def _is_large(document: Document) -> bool:
    return sum(len(table.rows) for table in tables(document)) >= MANY_ROWS


def _tables(document: Document, texts: Texts) -> tuple[dict[str, bytes | str], dict[str, bytes]]:
    """The forms that hold long tables, and the files of all tables."""
    others = {name: _made(name, document, texts) for name in FORMS if name not in (PAGE, PDF)}
    return others, {name: text.encode() for name, text in csv_files(document).items()}


def _made(name: str, document: Document, texts: Texts) -> bytes | str:
    """The octets of a form; a line where it cannot be made here."""
    try:
        return FORMS[name](document, texts)
    except (PdfUnavailable, WorkbookUnavailable) as error:
        return str(error)


def is_ours(name: str) -> bool:
    """Whether a report writes a file of this name."""
    return name in FORMS or name == OSCAL or _OURS.fullmatch(name) is not None
