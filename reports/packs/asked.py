"""How requirements are told in every report: statuses in words, what is behind them, what a person must supply."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from zonewatch.reports.catalogue.model import Requirement
from zonewatch.reports.document.model import Bullets, Field, Note, Paragraph, Record, Section, Span, Table, Text, anchor
from zonewatch.reports.document.model import text as spans
from zonewatch.reports.facts.model import HOUR, MINIMUM
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.statuses import STATUSES, RequirementStatus

__all__ = [
    "MARKS",
    "NEEDED",
    "attested",
    "counted",
    "needed",
    "reading",
    "record",
    "records",
    "said",
    "status",
    "table",
]

MARKS: Final = {
    "contradicted": "✗",
    "excepted": "◇",
    "not_observable": "?",
    "no_evidence": "–",
    "partly_supported": "◐",
    "supported": "✓",
    "attested": "■",
    "not_asked": "·",
}
"""A sign beside each word, so that nothing rests on colour."""
NEEDED: Final[tuple[tuple[str, str], ...]] = (
    ("training|awareness", "training"),
    ("human resources|employ|background|disciplin|termination|personnel risk", "people"),
    ("supplier|supply|vendor|provider|acquisition|contract|third.part", "suppliers"),
    ("backup|recover|restor|redundan|continuity|contingency|crisis|resilien|availab|capacity", "recovery"),
    ("incident|response|post-incident|report", "incidents"),
    ("patch|update|vulnerab|flaw|malicious|malware|unauthori[sz]ed (software|code)", "patches"),
    (
        "account|credential|password|authenticat|privileg|logon|session|identi(f|t)|access (right|enforce|control p)",
        "accounts",
    ),
    ("remote|external systems|mobile|wireless", "remote"),
    ("log|monitor|audit|event|record|detect|alarm|alert|time stamp|synchron|intrusion|collection|data kept", "logs"),
    ("crypto|encrypt|confidential|key|signature", "crypto"),
    (
        "boundary|segment|flow|network|zone|perimeter|routable|electronic access|connect|deny|denial|communicat|depend",
        "firewall",
    ),
    ("change|configuration|maintenance|test|develop|functionality|integrity|input", "changes"),
    ("physical|environment|utilit|media", "physical"),
    ("asset|inventor|component|system identification|classif", "inventory"),
    ("risk|threat|polic|plan|govern|role|oversight|review|assess|strategy|measure|architect", "policy"),
)
"""What shows that a requirement is kept where traffic does not, by the first words that its English title has."""
_COMPILED: Final = tuple((re.compile(words, re.IGNORECASE), key) for words, key in NEEDED)


def status(case: Case, row: RequirementStatus) -> Span:
    """The word of a status with its sign."""
    return Span(f"{MARKS[row.status]} {case.texts.word('asked', row.status)}")


def needed(case: Case, requirement: Requirement) -> str:
    """What a person must supply for it."""
    words = f"{requirement.title} {requirement.text}"
    key = next((key for pattern, key in _COMPILED if pattern.search(words)), "other")
    return case.texts.word("needed", key)


def said(case: Case, row: RequirementStatus) -> Text:
    """The one sentence that a status allows."""
    texts, name = case.texts, Span(row.requirement.id, "requirement")
    match row.status:
        case "contradicted":
            return texts.text("asked.contradicted.said", facts=case.facts_listed(row.refuting), requirement=name)
        case "excepted":
            covering = case.joined(Span(one, "code") for one in row.exceptions)
            return texts.text("asked.excepted.said", facts=case.facts_listed(row.refuting), exceptions=covering)
        case "supported":
            return texts.text("asked.supported.said", facts=case.facts_listed(row.supporting), requirement=name)
        case "partly_supported":
            return texts.text("asked.partly_supported.said", facts=case.facts_listed(row.supporting))
        case "attested" if row.attestation is not None:
            one = row.attestation
            return texts.text("asked.attested.said", by=one.by, on=one.on, document=one.document)
        case "not_observable":
            return texts.text("asked.not_observable.said", reason=case.reason(row.reason_key))
    return texts.text("asked.no_evidence.said")


def counted(case: Case, rows: Iterable[RequirementStatus], name: str = "statuses") -> Table:
    """How many requirements have which status. They are never added."""
    texts, counts = case.texts, Counter(row.status for row in rows)
    shown = [word for word in STATUSES if word != "not_asked" or counts[word]]
    lines = tuple(
        (
            spans(f"{MARKS[word]} {texts.word('asked', word)}"),
            case.number(counts[word]),
            texts.text(f"asked.{word}.meaning"),
        )
        for word in shown
    )
    described = columns(texts, ("status", 1.1), ("requirements", 0.9, "right"), ("meaning", 3.2))
    return Table(f"table-{name}", described, lines, texts.say("asked.counted"), texts.text("asked.counted.note"), True)


def table(case: Case, rows: Iterable[RequirementStatus], name: str, caption: str, *, linked: bool = False) -> Table:
    """One line a requirement; `linked` where each has a record."""
    texts = case.texts
    lines = tuple(
        (
            spans(Span(row.requirement.id, "requirement", _anchor(row) if linked else "")),
            spans(case.title(row.requirement)),
            spans(status(case, row)),
            _evidence(case, row),
        )
        for row in rows
    )
    described = columns(texts, ("id", 0.9), ("requirement", 2.3), ("status", 1.1), ("evidence", 2.3))
    return Table(f"table-{name}", described, lines, caption, heads=True)


def _evidence(case: Case, row: RequirementStatus) -> Text:
    """The facts that the status rests on, or why there are none."""
    if row.attestation is not None and row.status == "attested":
        return spans(row.attestation.document)
    if row.status == "not_observable":
        return spans(case.reason(row.reason_key))
    return case.facts_listed(row.refuting if row.status in ("contradicted", "excepted") else row.supporting)


def records(case: Case, rows: Iterable[RequirementStatus]) -> tuple[Record, ...]:
    """Each requirement with all that is behind it."""
    return tuple(record(case, row) for row in rows)


def record(case: Case, row: RequirementStatus) -> Record:
    """The fields that have something to say."""
    texts, requirement = case.texts, row.requirement
    wording = case.wording(requirement)
    behind = case.findings_of((*row.refuting, *row.prompting))
    missing = tuple(name for name in row.unknown if name not in row.refuting)
    fields: tuple[tuple[str, Text], ...] = (
        ("asks", (wording,) if wording.text else ()),
        ("status", spans(status(case, row))),
        ("statement", said(case, row)),
        ("against", case.facts_listed(row.refuting)),
        ("for", case.facts_listed(row.supporting)),
        ("raises", case.facts_listed(row.prompting)),
        ("data", case.facts_listed(row.inputs)),
        ("unmeasured", spans(", ".join(_missing(case, missing))) if missing else ()),
        ("findings", case.joined((case.finding(finding) for finding in behind), " · ")),
        ("exceptions", case.joined(Span(one, "code") for one in row.exceptions)),
        ("note", (case.quoted(requirement.relations.note),) if requirement.relations.note else ()),
    )
    told = [Field(texts.say(f"asked.field.{key}"), cell) for key, cell in fields if cell]
    if row.attestation is not None:
        one = row.attestation
        document = texts.text("asked.document", document=one.document, by=one.by, on=one.on, sha256=one.sha256[:16])
        told.append(Field(texts.say("asked.field.attested"), document, "declared"))
    elif row.status not in ("supported", "not_asked"):
        told.append(Field(texts.say("asked.field.needed"), spans(needed(case, requirement)), "open"))
    title = spans(f"{requirement.id}  ", case.title(requirement))
    return Record(_anchor(row), title, tuple(told))


def _missing(case: Case, names: Iterable[str]) -> list[str]:
    """Facts against it of which nothing can be said, each with its reason."""
    return [f"{name} ({case.reason(case.facts[name].reason_key)})" for name in names]


def _anchor(row: RequirementStatus) -> str:
    return anchor("asked", f"{row.requirement.framework} {row.requirement.id} {row.zone}".strip())


def reading(case: Case) -> Section:
    """What the statuses mean, and how much has to be seen before an absence is told: before any result."""
    texts = case.texts
    least = texts.text(
        "reading.minimum",
        hours=MINIMUM.window // HOUR,
        seen=round(MINIMUM.seen * 100),
        both_ways=round(MINIMUM.both_ways * 100),
        decoded=round(MINIMUM.decoded * 100),
    )
    rows = tuple(
        (
            spans(case.zone(row.zone)),
            spans(texts.say("reading.of", seen=row.seen, declared=row.declared)),
            spans(texts.say("reading.of", seen=row.both_ways, declared=row.connections)),
            spans(case.reason(row.reason_key) if row.reason_key else texts.say("reading.enough")),
        )
        for row in case.visibilities
    )
    described = columns(texts, ("zone", 1.6), ("assets_seen", 1.1), ("both_ways", 1.1), ("absence", 2.4))
    seen = Table("table-visibility", described, rows, texts.say("reading.caption"), texts.text("reading.note"), True)
    return Section(
        "reading",
        texts.say("reading.title"),
        (
            Paragraph(texts.text("reading.lead")),
            Bullets(tuple(texts.text(key) for key in ("reading.measured", "reading.claimed", "reading.open"))),
            Paragraph(least),
            *((seen,) if rows else (Note("limit", texts.text("reading.no_policy")),)),
        ),
    )


def attested(case: Case, rows: Iterable[RequirementStatus]) -> Section:
    """What people attest, and the lines for what they have not yet."""
    texts, found = case.texts, tuple(rows)
    given = tuple(
        (
            spans(Span(row.requirement.id, "requirement")),
            spans(row.attestation.document),
            spans(row.attestation.by),
            spans(row.attestation.on),
            spans(Span(row.attestation.sha256, "code")),
        )
        for row in found
        if row.attestation is not None
    )
    lacking = tuple(
        (
            spans(Span(row.requirement.id, "requirement")),
            spans(case.title(row.requirement)),
            spans(needed(case, row.requirement)),
            (),
            (),
        )
        for row in found
        if row.attestation is None and row.status not in ("supported", "contradicted", "not_asked")
    )
    had = columns(texts, ("id", 0.8), ("document", 1.2), ("by", 0.9), ("on", 0.7), ("sha256", 2.2))
    lacks = columns(texts, ("id", 0.8), ("requirement", 1.8), ("supply", 2.2), ("document", 1.1), ("signed", 1.0))
    return Section(
        "attestations",
        texts.say("attested.title"),
        (
            Paragraph(texts.text("attested.lead")),
            *((Table("table-attested", had, given, texts.say("attested.given"), heads=True),) if given else ()),
            Table("table-to-attest", lacks, lacking, texts.say("attested.lacking"), texts.text("attested.note"), True),
        ),
    )
