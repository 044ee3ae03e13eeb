"""What a report's folder holds besides the report: `inputs/`, `evidence/`, the manifest and its signature."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zonewatch.reports.document.model import Document
from zonewatch.reports.evidence import FOLDER as EVIDENCE
from zonewatch.reports.evidence import file_name
from zonewatch.reports.json_result import dumps
from zonewatch.reports.proof import given, manifest
from zonewatch.reports.proof.given import GIVEN, RESULT, GivenFiles
from zonewatch.reports.proof.manifest import (
    MANIFEST,
    MANIFEST_VERSION,
    Input,
    Manifest,
    ReportName,
    Signer,
    Tool,
    outputs,
)
from zonewatch.reports.result import AuditResult
from zonewatch.reports.watched import Watched
from zonewatch.reports.words import visible
from zonewatch.sensor.proof import signing
from zonewatch.sensor.proof.inputs import rule_set
from zonewatch.sensor.results import STORE
from zonewatch.sensor.store import reading

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["PUBLIC_KEY", "SIGNATURE", "Packed", "Result", "is_ours", "packed", "read"]

SIGNATURE: Final = "manifest.sig"
PUBLIC_KEY: Final = "manifest.pem"
"""The public key that the signature is checked by, to be compared with the one that its owner told."""
_EVIDENCE: Final = re.compile(rf"{EVIDENCE}/[0-9a-f]{{16}}\.pcapng")


@dataclass(frozen=True)
class Result:
    """A result with what lies beside it: all that a report is made of."""

    result: AuditResult
    text: bytes  # of result.json
    files: Mapping[str, bytes]  # of inputs/ and evidence/, by name
    pseudonyms: bool = False

    @cached_property
    def sha256(self) -> str:
        """Of its text, which may have half a gigabyte."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True)
class Packed:
    """Everything to be written beside the forms of a report."""

    files: Mapping[str, bytes]
    manifest: bytes


def read(path: Path, result: AuditResult, watched: Watched | None = None) -> Result:
    """The copies and mini captures beside a result that was read from there; of a store, those of its periods.

    Raises OSError, StoreError and GivenError.
    """
    if (path / STORE).is_file():
        files = {**_of_store(path, result, watched), **_evidence(path, result)}
        return Result(result, dumps(result).encode(), files)
    text = path / "result.json" if path.is_dir() else path
    return Result(result, text.read_bytes(), {**_inputs(text.parent), **_evidence(text.parent, result)})


def _inputs(folder: Path) -> dict[str, bytes]:
    """The copies that the result's `given.json` names; none of a result of an earlier version."""
    path = folder / GIVEN
    if not path.is_file():
        return {}
    octets = path.read_bytes()
    names = [row.copy for row in given.loads(octets).files if row.copy]
    return {GIVEN: octets, **{name: (folder / name).read_bytes() for name in names}}


def _of_store(store: Path, result: AuditResult, watched: Watched | None) -> dict[str, bytes]:
    """What the periods were judged by. One of an earlier version has the text of its policy alone."""
    periods = watched.periods if watched is not None else ()
    if told := reading.inputs(store, {period.number for period in periods if period.kept}):
        return told
    text = reading.text(store, result.policy.sha256) if result.policy.given else ""
    made = {"inputs/policy.yaml": text.encode()} if text else {}
    rows = tuple(Input("policy", result.policy.name, result.policy.sha256, name) for name in made)
    return {**made, GIVEN: given.dumps(GivenFiles(1, rows, rule_set(()))).encode()}


def _evidence(folder: Path, result: AuditResult) -> dict[str, bytes]:
    names = (file_name(row.finding) for row in result.evidence)
    ours = [name for name in names if _EVIDENCE.fullmatch(name) and (folder / name).is_file()]
    return {name: (folder / name).read_bytes() for name in ours}


def packed(
    made: Mapping[str, bytes],
    source: Result,
    document: Document,
    key: Ed25519PrivateKey | None,
    beside: Iterable[Input] = (),
) -> Packed:
    """The manifest of a report and all that it names: the forms in `made`, and what its findings rest on."""
    files = {**made, **source.files, RESULT: source.text}
    signer = None
    if key is not None:
        public = key.public_key()
        files[PUBLIC_KEY] = signing.public_pem(public)
        signer = Signer("Ed25519", signing.fingerprint(public))
    told = given.loads(source.files[GIVEN]) if GIVEN in source.files else None
    text = manifest.dumps(
        Manifest(
            MANIFEST_VERSION,
            Tool("zonewatch", source.result.version),
            (*beside, *_told_inputs(source, told)),
            outputs(files),
            ReportName(document.id, document.language, visible(document.title)),
            told.rules if told is not None else None,
            signer,
            source.pseudonyms,
        )
    ).encode()
    files[MANIFEST] = text
    if key is not None:
        files[SIGNATURE] = signing.sign(key, text)
    return Packed(files, text)


def _told_inputs(source: Result, told: GivenFiles | None) -> Iterator[Input]:
    result = source.result
    yield Input("result", "result.json", source.sha256, RESULT)
    for capture in result.captures:
        yield Input("capture", capture.name, capture.sha256, "", capture.source, capture.status)
    if told is not None:
        yield from told.files
    elif result.policy.given:
        yield Input("policy", result.policy.name, result.policy.sha256)


def is_ours(name: str) -> bool:
    """Whether a report writes a file of this name beside its forms."""
    return name in (SIGNATURE, PUBLIC_KEY) or given.is_ours(name) or _EVIDENCE.fullmatch(name) is not None
