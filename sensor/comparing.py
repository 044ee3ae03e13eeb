"""`zonewatch compare`: results, or periods of a sensor's store, beside each other."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from zonewatch.reports.compare.compare import compare as compared
from zonewatch.reports.compare.model import Edition
from zonewatch.reports.document.forms import forms
from zonewatch.reports.json_result import dumps
from zonewatch.reports.packs.compared import dumps as comparison_json
from zonewatch.reports.packs.compared import show
from zonewatch.reports.packs.comparison import comparison_document
from zonewatch.reports.proof.manifest import MANIFEST, MANIFEST_VERSION, Input, Manifest, ReportName, Tool, outputs
from zonewatch.reports.proof.manifest import dumps as dumps_manifest
from zonewatch.reports.rows import Console
from zonewatch.reports.texts import load_texts
from zonewatch.reports.words import visible
from zonewatch.sensor.folders import refuse, write
from zonewatch.sensor.memory import uncollected_to_the_end
from zonewatch.sensor.results import STORE, read_result
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError

__all__ = ["compare", "edition"]

FEWEST: Final = 2
_PERIOD: Final = re.compile(r"(.+)@([0-9]{1,9})")
"""A store with the number of one of its periods."""


@uncollected_to_the_end()
def compare(inputs: Sequence[str], *, out: Path | None, as_json: bool, language: str) -> None:
    """Shows what changed, and writes the forms where a folder is named."""
    if out is not None:
        refuse(out)
    names = list(inputs)
    if len(names) == 1:
        names = _two_periods(names[0])
    editions = _named([edition(name) for name in names])
    comparison = compared(editions)
    texts = load_texts(language)
    missing: tuple[str, ...] = ()
    if out is not None:
        document = comparison_document(comparison, editions, texts)
        made = forms(document, texts)
        told = Manifest(
            MANIFEST_VERSION,
            Tool("zonewatch", editions[-1].result.version),
            tuple(Input("result", one.name, one.sha256) for one in editions),
            outputs(made.files),
            ReportName(document.id, document.language, visible(document.title)),
        )
        write(out, {**made.files, MANIFEST: dumps_manifest(told).encode()})
        missing = made.missing
    if as_json:
        sys.stdout.write(comparison_json(comparison))
    else:
        console = Console(highlight=False)
        show(comparison, texts, console)
        if out is not None:
            console.print(f"Comparison: {visible(str(out / 'report.html'))}", markup=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False)
    for line in missing:
        errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
    raise typer.Exit(PARTIAL if missing else DONE)


def edition(name: str) -> Edition:
    """A result by its folder; `STORE@NUMBER` is a period of a sensor. Raises ResultError and StoreError."""
    path = Path(name)
    period = _PERIOD.fullmatch(name) if not path.exists() else None
    if period is not None and (Path(period[1]) / STORE).is_file():
        from zonewatch.sensor.store import reading

        result = reading.result_of(Path(period[1]), int(period[2]))
        title = f"{Path(period[1]).resolve().name}@{period[2]}"
    else:
        result = read_result(path)
        title = path.resolve().parent.name if path.is_file() else path.resolve().name
    return Edition(title, result, hashlib.sha256(dumps(result).encode()).hexdigest())


def _two_periods(name: str) -> list[str]:
    """The last two of a store, where it alone is named."""
    folder = Path(name)
    if not (folder / STORE).is_file() or (folder / "result.json").is_file():
        raise UsageError(f"{name}: name two results, a sensor's store, or periods of one as STORE@NUMBER")
    from zonewatch.sensor.store import reading

    with reading.looked_at(folder) as db:
        whole = [period.number for period in reading.periods(db) if period.state == "whole"]
    if len(whole) < FEWEST:
        raise UsageError(f"{name}: has {len(whole)} whole period(s); two are needed to compare")
    return [f"{name}@{number}" for number in whole[-FEWEST:]]


def _named(editions: list[Edition]) -> list[Edition]:
    """With names of their own, where folders are called alike."""
    names = [one.name for one in editions]
    return [
        Edition(f"{one.name} ({place})", one.result, one.sha256) if names.count(one.name) > 1 else one
        for place, one in enumerate(editions, 1)
    ]
