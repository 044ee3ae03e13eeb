"""Every form of a document. Pure: octets by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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

FORMS: Final[Mapping[str, Callable[[Document, Texts], bytes]]] = {
    "report.html": lambda document, texts: html(document, texts).encode(),
    "report.pdf": pdf,
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
    files: dict[str, bytes] = {}
    missing = []
    for name, make in FORMS.items():
        try:
            files[name] = make(document, texts)
        except (PdfUnavailable, WorkbookUnavailable) as error:
            missing.append(str(error))
    files |= {name: text.encode() for name, text in csv_files(document).items()}
    return Made(files, tuple(missing))


def is_ours(name: str) -> bool:
    """Whether a report writes a file of this name."""
    return name in FORMS or name == OSCAL or _OURS.fullmatch(name) is not None
