"""`zonewatch report`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import typer

from zonewatch.reports.compare.compare import compare
from zonewatch.reports.compare.model import Edition
from zonewatch.reports.document.forms import MANIFEST, OSCAL, Input, forms, manifest
from zonewatch.reports.document.model import Document
from zonewatch.reports.json_result import dumps
from zonewatch.reports.oscal.results import dumps as oscal_text
from zonewatch.reports.packs.changes import with_changes
from zonewatch.reports.packs.comparison import told
from zonewatch.reports.packs.iec62443 import iec62443
from zonewatch.reports.packs.material import Material
from zonewatch.reports.result import AuditResult
from zonewatch.reports.rows import Console
from zonewatch.reports.texts import Texts, load_texts
from zonewatch.reports.words import visible
from zonewatch.sensor import folders
from zonewatch.sensor.comparing import edition
from zonewatch.sensor.decisions.ledger import log_export, who_runs_this
from zonewatch.sensor.memory import uncollected
from zonewatch.sensor.results import STORE, read_result
from zonewatch.sensor.usage import DONE, PARTIAL

PACKS: Final[dict[str, Callable[[Material], Document]]] = {"iec62443": iec62443}
"""What builds the document of each framework."""


@uncollected()
def report(result: Path, *, framework: str, out: Path, language: str, since: str = "", oscal: bool = False) -> None:
    """Writes a report into a folder."""
    folders.refuse(out)
    audited = read_result(result)
    store = result if (result / STORE).is_file() else None
    sha256 = hashlib.sha256(dumps(audited).encode()).hexdigest() if store else _sha256(result)
    texts = load_texts(language)
    document = PACKS[framework](Material(audited, texts, sha256))
    if since:
        document = _with_changes(document, since, Edition(result.resolve().name, audited, sha256), texts)
    made = forms(document, texts)
    files = dict(made.files)
    if oscal:
        files[OSCAL] = oscal_text(audited, sha256).encode()
    named = manifest(document, audited.version, _inputs(audited, sha256), files)
    folders.write(out, {**files, MANIFEST: named.encode()})
    if store is not None:  # an export of a sensor's findings is a decision of somebody
        hashed = hashlib.sha256(named.encode()).hexdigest()
        log_export(store, time.time_ns, who_runs_this(), f"report {framework}", str(out), hashed)
    errors = Console(stderr=True, highlight=False)
    for line in made.missing:
        errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
    shown = Console(highlight=False)
    first = next(name for name in ("report.pdf", "report.html") if name in made.files)
    shown.print(f"Report: {visible(str(out / first))}", markup=False, soft_wrap=True)
    raise typer.Exit(PARTIAL if made.missing else DONE)


def _with_changes(document: Document, since: str, later: Edition, texts: Texts) -> Document:
    editions = (edition(since), later)
    return with_changes(document, told(compare(editions), editions, texts))


def _sha256(result: Path) -> str:
    path = result / "result.json" if result.is_dir() else result
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inputs(result: AuditResult, sha256: str) -> Iterator[Input]:
    yield Input("result", "result.json", sha256)
    for capture in result.captures:
        yield Input("capture", capture.name, capture.sha256)
    if result.policy.given:
        yield Input("policy", result.policy.name, result.policy.sha256)
