"""Every form of a document. Pure: octets by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.document.data import dumps
from zonewatch.reports.document.html import html
from zonewatch.reports.document.layout import WORKBOOK
from zonewatch.reports.document.lines import csv_files
from zonewatch.reports.document.model import Document
from zonewatch.reports.document.names import FOLDER
from zonewatch.reports.document.typst import PdfUnavailable, pdf
from zonewatch.reports.document.workbook import WorkbookUnavailable, workbook
from zonewatch.reports.texts import Texts

__all__ = ["FORMS", "OSCAL", "Made", "forms", "is_ours"]

PDF: Final = "report.pdf"
FORMS: Final[Mapping[str, Callable[[Document, Texts], bytes]]] = {
    "report.html": lambda document, texts: html(document, texts).encode(),
    PDF: pdf,
    "report.json": lambda document, _: dumps(document).encode(),
    WORKBOOK: workbook,
}
OSCAL: Final = "oscal.json"
"""Made of the result, not of the document; written where it is asked for."""
_OURS: Final = re.compile(rf"{FOLDER}/[a-z0-9-]+\.csv")


@dataclass(frozen=True, slots=True)
class Made:
    """The files, and a line for each that could not be made here."""

    files: Mapping[str, bytes]
    missing: tuple[str, ...]


def forms(document: Document, texts: Texts) -> Made:
    """All of them. Raises PictureError."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        # typst sets pages without Python's lock: a second processor makes the PDF while this one does the rest.
        paged = beside.submit(_made, PDF, document, texts)
        others = {name: _made(name, document, texts) for name in FORMS if name != PDF}
        tables = {name: text.encode() for name, text in csv_files(document).items()}
        found = {name: others[name] if name in others else paged.result() for name in FORMS}
    files = {name: made for name, made in found.items() if isinstance(made, bytes)}
    return Made({**files, **tables}, tuple(made for made in found.values() if isinstance(made, str)))


def _made(name: str, document: Document, texts: Texts) -> bytes | str:
    """The octets of a form; a line where it cannot be made here."""
    try:
        return FORMS[name](document, texts)
    except (PdfUnavailable, WorkbookUnavailable) as error:
        return str(error)


def is_ours(name: str) -> bool:
    """Whether a report writes a file of this name."""
    return name in FORMS or name == OSCAL or _OURS.fullmatch(name) is not None
