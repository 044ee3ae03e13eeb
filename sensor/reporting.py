"""`zonewatch report`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from zonewatch.reports.attestations import Attestation, parse_attestations
from zonewatch.reports.compare.compare import compare
from zonewatch.reports.compare.model import Edition
from zonewatch.reports.document.forms import OSCAL, forms
from zonewatch.reports.document.model import Document
from zonewatch.reports.entity import NOBODY, parse_entity
from zonewatch.reports.oscal.results import dumps as oscal_text
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.changes import with_changes
from zonewatch.reports.packs.comparison import told
from zonewatch.reports.packs.iec62443 import iec62443
from zonewatch.reports.packs.nis2 import nis2
from zonewatch.reports.packs.requirements import ASKED as LISTS
from zonewatch.reports.packs.requirements import PACKS as REQUIREMENTS
from zonewatch.reports.proof.manifest import Input
from zonewatch.reports.pseudonyms import fields
from zonewatch.reports.pseudonyms.beside import attested_with_pseudonyms, entity_with_pseudonyms
from zonewatch.reports.result import AuditResult
from zonewatch.reports.rows import Console
from zonewatch.reports.texts import Texts, load_texts
from zonewatch.reports.words import visible
from zonewatch.rules.policy.load import read_text
from zonewatch.rules.policy.words import hint
from zonewatch.sensor import folders
from zonewatch.sensor.comparing import edition
from zonewatch.sensor.decisions.ledger import log_export, who_runs_this
from zonewatch.sensor.inputs import moment
from zonewatch.sensor.memory import left, uncollected_to_the_end
from zonewatch.sensor.proof import packing, signing
from zonewatch.sensor.proof.pseudonymise import edition_with_pseudonyms, with_pseudonyms
from zonewatch.sensor.results import STORE, read_span
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError

PACKS: Final[dict[str, Callable[[Case], Document]]] = {"iec62443": iec62443, "nis2": nis2, **REQUIREMENTS}
"""What builds the document of each framework."""
ASKED: Final = {"iec62443": ("iec62443-3-3",), "nis2": ("nis2", "nis2-annex"), **LISTS}
"""The requirements whose statuses each framework's assessment results hold."""


@dataclass(frozen=True, slots=True)
class Law:
    """What a report under a law is told besides the result, as the options name it."""

    entity: Path | None = None
    aware: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a report is signed and what it hides: files of keys."""

    sign: Path | None = None
    pass_file: Path | None = None
    pseudonyms: Path | None = None


@uncollected_to_the_end()
def report(
    result: Path,
    *,
    framework: str,
    out: Path,
    language: str,
    span: tuple[str, str] = ("", ""),
    law: Law = Law(),
    attestations: Path | None = None,
    since: str = "",
    oscal: bool = False,
    proof: Proof = Proof(),
) -> None:
    """Writes a report into a folder."""
    folders.refuse(out)
    _refuse_beside(framework, law)
    key = signing.private_key(proof.sign, signing.pass_phrase(proof.pass_file)) if proof.sign is not None else None
    entity = parse_entity(read_text(law.entity), str(law.entity)) if law.entity is not None else NOBODY
    aware = moment("--aware", law.aware) or 0
    audited, watched = read_span(result, moment("--from", span[0]), moment("--to", span[1]))
    store = result if (result / STORE).is_file() else None
    source = packing.read(result, audited, watched)
    incident = _incident(audited, law.incident)
    attested = _attested(attestations, audited)
    beside = tuple(_beside(law.entity, attestations))
    later = result.resolve().name
    if proof.pseudonyms is not None:
        hidden = with_pseudonyms(result, source, proof.pseudonyms, entity, attested)
        source, audited, words = hidden.source, hidden.source.result, hidden.words
        incident = incident and fields.incident_id(incident, words)
        entity, attested = entity_with_pseudonyms(entity, words), attested_with_pseudonyms(attested, words)
        beside = tuple(replace(one, name=words.name("file", one.name)) for one in beside)
        later = words.name("file", later)
    sha256 = source.sha256
    texts = load_texts(language)
    document = PACKS[framework](
        Case(
            audited,
            texts,
            sha256,
            watched=watched,
            entity=entity,
            attestations=attested,
            aware=aware,
            incident=incident,
        )
    )
    if since:
        earlier = edition(since)
        if proof.pseudonyms is not None:
            earlier = edition_with_pseudonyms(earlier, Path(since), proof.pseudonyms)
        document = _with_changes(document, earlier, Edition(later, audited, sha256), texts)
    made = forms(document, texts)
    files = dict(made.files)
    if oscal:
        files[OSCAL] = oscal_text(audited, sha256, ASKED[framework], attested).encode()
    packed = packing.packed(files, source, document, key, beside)
    folders.write(out, {**files, **packed.files})
    if store is not None:  # an export of a sensor's findings is a decision of somebody
        hashed = hashlib.sha256(packed.manifest).hexdigest()
        log_export(store, time.time_ns, who_runs_this(), f"report {framework}", str(out), hashed)
    errors = Console(stderr=True, highlight=False)
    for line in made.missing:
        errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
    shown = Console(highlight=False)
    first = next(name for name in ("report.pdf", "report.html") if name in made.files)
    shown.print(f"Report: {visible(str(out / first))}", markup=False, soft_wrap=True)
    left(audited, document)
    raise typer.Exit(PARTIAL if made.missing else DONE)


def _with_changes(document: Document, earlier: Edition, later: Edition, texts: Texts) -> Document:
    editions = (earlier, later)
    return with_changes(document, told(compare(editions), editions, texts))


def _refuse_beside(framework: str, law: Law) -> None:
    """Options of one framework beside another are a mistake, not silently nothing."""
    given = {"--entity": law.entity, "--aware": law.aware, "--incident": law.incident}
    for option, value in given.items():
        if value and framework != "nis2":
            raise UsageError(f"{option} is for --framework nis2, not for {framework}")


def _incident(result: AuditResult, name: str) -> str:
    """The id of the incident that was named, whole or by its beginning."""
    if not name:
        return ""
    known = [one.id for one in result.incidents]
    fitting = [one for one in known if one.startswith(name)]
    if name in known or len(fitting) == 1:
        return name if name in known else fitting[0]
    there = f"the result has {', '.join(known[:8])}" if known else "the result has no incident"
    raise UsageError(f"--incident {name}: no such incident{hint(name, known)}; {there}")


def _attested(path: Path | None, result: AuditResult) -> tuple[Attestation, ...]:
    """What persons state, for the zones of the result."""
    if path is None:
        return ()
    return parse_attestations(read_text(path), str(path), (zone.id for zone in result.zones))


def _beside(entity: Path | None, attestations: Path | None) -> Iterator[Input]:
    """What the report is told besides the result."""
    for kind, path in (("entity", entity), ("attestations", attestations)):
        if path is not None:
            yield Input(kind, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
