"""`zonewatch report`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import typer

from zonewatch.reports.document import forms as document_forms
from zonewatch.reports.document.forms import forms
from zonewatch.reports.document.model import Document
from zonewatch.reports.packs.iec62443 import iec62443
from zonewatch.reports.packs.material import Material
from zonewatch.reports.proof.manifest import MANIFEST
from zonewatch.reports.rows import Console
from zonewatch.reports.texts import load_texts
from zonewatch.reports.words import visible
from zonewatch.reports.write import write_octets
from zonewatch.sensor.decisions.ledger import log_export, who_runs_this
from zonewatch.sensor.proof import packing, signing
from zonewatch.sensor.proof.pseudonymise import with_pseudonyms
from zonewatch.sensor.results import STORE, read_result
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError

PACKS: Final[dict[str, Callable[[Material], Document]]] = {"iec62443": iec62443}
"""What builds the document of each framework."""


def report(
    result: Path,
    *,
    framework: str,
    out: Path,
    language: str,
    sign: Path | None = None,
    pass_file: Path | None = None,
    pseudonyms: Path | None = None,
) -> None:
    """Writes a report into a folder."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder for the report, new or of a report before")
    if out.is_dir() and (out / "result.json").exists():
        raise UsageError(f"--out {out}: is the folder of an audit; name another one for the report")
    key = signing.private_key(sign, signing.pass_phrase(pass_file)) if sign is not None else None
    store = result if (result / STORE).is_file() else None
    source = packing.read(result, read_result(result))
    if pseudonyms is not None:
        source = with_pseudonyms(result, source, pseudonyms)
    texts = load_texts(language)
    document = PACKS[framework](Material(source.result, texts, hashlib.sha256(source.text).hexdigest()))
    made = forms(document, texts)
    told = packing.packed(made.files, source, document, key)
    old = _written_before(out)
    for name, octets in {**made.files, **told.files}.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_octets(path, octets)
    for name in old - made.files.keys() - told.files.keys():
        (out / name).unlink(missing_ok=True)
    if store is not None:  # an export of a sensor's findings is a decision of somebody
        hashed = hashlib.sha256(told.manifest).hexdigest()
        log_export(store, time.time_ns, who_runs_this(), f"report {framework}", str(out), hashed)
    errors = Console(stderr=True, highlight=False)
    for line in made.missing:
        errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
    shown = Console(highlight=False)
    first = next(name for name in ("report.pdf", "report.html") if name in made.files)
    shown.print(f"Report: {visible(str(out / first))}", markup=False, soft_wrap=True)
    raise typer.Exit(PARTIAL if made.missing else DONE)


def _written_before(out: Path) -> set[str]:
    """Files that the manifest of a report before names: of these, what is not written again goes."""
    try:
        outputs = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["outputs"]
        named = {row["name"] for row in outputs} | {packing.SIGNATURE}
        return {name for name in named if document_forms.is_ours(name) or packing.is_ours(name)}
    except (OSError, ValueError, LookupError, TypeError):
        return set()
