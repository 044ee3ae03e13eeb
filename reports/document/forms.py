"""Every form of a document, and the manifest that names them. Pure: octets by the names of their files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zonewatch.reports.document.data import dumps
from zonewatch.reports.document.html import html
from zonewatch.reports.document.layout import WORKBOOK
from zonewatch.reports.document.lines import csv_files
from zonewatch.reports.document.model import Document
from zonewatch.reports.document.names import FOLDER
from zonewatch.reports.document.typst import PdfUnavailable, pdf
from zonewatch.reports.document.workbook import WorkbookUnavailable, workbook
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import visible

__all__ = ["FORMS", "MANIFEST", "OSCAL", "Input", "Made", "forms", "is_ours", "manifest"]

MANIFEST: Final = "manifest.json"
MANIFEST_VERSION: Final = 1
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
class Input:
    """A file that a report rests on."""

    kind: str  # result, capture, policy
    name: str
    sha256: str


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


def manifest(document: Document, version: str, inputs: Iterable[Input], files: Mapping[str, bytes]) -> str:
    """Names every input and output with its SHA-256; ASCII, one newline at the end."""
    told: dict[str, Any] = {
        "manifest_version": MANIFEST_VERSION,
        "tool": {"name": "zonewatch", "version": version},
        "report": {"id": document.id, "language": document.language, "title": visible(document.title)},
        "inputs": [{"kind": row.kind, "name": row.name, "sha256": row.sha256} for row in inputs],
        "outputs": [
            {"name": name, "bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
            for name in sorted(files)
        ],
    }
    return json.dumps(told, indent=2) + "\n"
