"""The result folder: written file by file, each complete or not there, and read again.

The parquet files, `evidence/` and `inputs/` are written by the pipeline, before `write_result` or `write_manifest`
names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from zonewatch.reports.ecs import alerts_ndjson
from zonewatch.reports.evidence import FOLDER, MANIFEST, file_name
from zonewatch.reports.html import html_report
from zonewatch.reports.json_result import ResultError, dumps, loads
from zonewatch.reports.proof.given import FOLDER as INPUTS
from zonewatch.reports.proof.given import GIVEN
from zonewatch.reports.proof.given import loads as loads_given
from zonewatch.reports.proof.manifest import Input, Manifest, Output, Tool
from zonewatch.reports.proof.manifest import dumps as dumps_manifest
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.reports.rows import csv_text
from zonewatch.reports.second_opinion import opinion_rows
from zonewatch.reports.tables import asset_rows, edge_rows, findings_json
from zonewatch.reports.words import visible

__all__ = [
    "PAGE",
    "RENDERERS",
    "manifest",
    "read_result",
    "write_evidence",
    "write_manifest",
    "write_octets",
    "write_result",
    "write_text",
]

RENDERERS: Final[dict[str, Callable[[AuditResult], str]]] = {
    "result.json": dumps,
    "assets.csv": lambda result: csv_text(asset_rows(result)),
    "edges.csv": lambda result: csv_text(edge_rows(result)),
    "findings.json": findings_json,
    "alerts.ndjson": alerts_ndjson,
}
"""The files of a result folder that are made from the result alone, and are English."""
PAGE: Final = "report.html"
"""The page, in a language of the catalogue."""
OPINION: Final = "second-opinion.csv"
"""Written where a second opinion was asked for and had."""
COLUMNS: Final = ("events.parquet", "activities.parquet")


def write_result(
    result: AuditResult, folder: Path, *, language: str = "en", pseudonyms: bool = False
) -> tuple[Path, ...]:
    """Writes the folder (made where missing) and its manifest; the files written. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    result = ordered(result)
    written = [write_text(folder / name, render(result)) for name, render in RENDERERS.items()]
    written.append(write_text(folder / PAGE, html_report(result, language)))
    if result.second_opinion is not None and result.second_opinion.version:
        written.append(write_text(folder / OPINION, csv_text(opinion_rows(result.second_opinion))))
    else:
        (folder / OPINION).unlink(missing_ok=True)  # of an audit before
    return (*written, write_manifest(result, folder, pseudonyms=pseudonyms))


def write_text(path: Path, text: str) -> Path:
    """Writes UTF-8, lines ended by a line feed."""
    return write_octets(path, text.encode("utf-8", errors="backslashreplace"))


def write_evidence(captures: Mapping[str, bytes], folder: Path) -> None:
    """Writes the mini captures of findings, by their ids; those of an audit before are removed. Raises OSError."""
    place = folder / FOLDER
    if captures:
        place.mkdir(parents=True, exist_ok=True)
    for old in sorted(place.glob(file_name("[0-9a-f]" * 16).removeprefix(f"{FOLDER}/"))):
        if old.stem not in captures:
            old.unlink()
    for finding, capture in captures.items():
        write_octets(folder / file_name(finding), capture)


def write_octets(path: Path, data: bytes) -> Path:
    """Writes beside the place and moves it there, so that no half file is ever read."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return path


def write_manifest(result: AuditResult, folder: Path, *, pseudonyms: bool = False) -> Path:
    """Names the inputs and every file of the folder that belongs to the result, with sizes and SHA-256."""
    return write_text(folder / MANIFEST, dumps_manifest(manifest(result, folder, pseudonyms=pseudonyms)))


def manifest(result: AuditResult, folder: Path, *, pseudonyms: bool = False) -> Manifest:
    """The manifest of a folder. Raises OSError and GivenError."""
    given = folder / GIVEN
    told = loads_given(given.read_bytes()) if given.is_file() else None
    inputs = [Input("capture", row.name, row.sha256, "", row.source, row.status) for row in result.captures]
    if told is not None:
        inputs += told.files
    elif result.policy.given:
        inputs.append(Input("policy", result.policy.name, result.policy.sha256))
    outputs = (
        Output(path.relative_to(folder).as_posix(), path.stat().st_size, _sha256(path)) for path in _outputs(folder)
    )
    rules = told.rules if told is not None else None
    return Manifest(
        1, Tool("zonewatch", result.version), tuple(inputs), tuple(outputs), rules=rules, pseudonyms=pseudonyms
    )


def _outputs(folder: Path) -> Iterator[Path]:
    found = [path for name in (*RENDERERS, PAGE, OPINION, *COLUMNS) if (path := folder / name).is_file()]
    for place in (FOLDER, INPUTS):
        found += [path for path in (folder / place).rglob("*") if path.is_file()]
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_result(folder: Path) -> AuditResult:
    """The result that a folder holds; the path of its `result.json` will do as well. Raises ResultError."""
    path = folder / "result.json" if folder.is_dir() else folder
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ResultError(f"{visible(str(path))}: no such file; RESULT is the folder that an audit writes") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ResultError(f"{visible(str(path))}: cannot be read: {reason}") from None
    try:
        return loads(text)
    except ResultError as error:
        raise ResultError(f"{visible(str(path))}: {error}") from None
