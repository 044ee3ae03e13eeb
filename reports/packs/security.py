"""The requirements of IEC 62443-3-3 with their enhancements, zone by zone at its SL-T."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from zonewatch.reports.document.model import Block, Paragraph, Section, Span, Table, Text, anchor, text
from zonewatch.reports.facts.model import WHOLE
from zonewatch.reports.packs.asked import MARKS, needed, status
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.partition import evidence
from zonewatch.reports.packs.zoned import SECURITY, Zoned
from zonewatch.reports.statuses import STATUSES, RequirementStatus

__all__ = ["attested", "security"]

MOST_ZONES: Final = 100
"""Matrices that are written out; beyond them the table of all zones has the counts."""

_COUNTS: Final = (
    ("count_contradicted", 0.97, "right"),
    ("count_excepted", 1.12, "right"),
    ("count_not_observable", 1.22, "right"),
    ("count_no_evidence", 1.07, "right"),
    ("count_partly_supported", 1.05, "right"),
    ("count_supported", 1.0, "right"),
    ("count_attested", 0.8, "right"),
    ("count_not_asked", 1.0, "right"),
)
"""Columns, in the order of the statuses, as wide as their longest word."""


def security(case: Zoned) -> Section:
    """How many requirements of each zone have which status, then all of them. Nothing is added up."""
    texts = case.texts
    zones = tuple(case.judged)
    more = len(zones) - MOST_ZONES
    return Section(
        "security",
        texts.say("security.title"),
        (
            Paragraph(texts.text("security.lead")),
            _words(case),
            _summary(case),
            *((Paragraph(texts.text("security.more", count=more)),) if more > 0 else ()),
        ),
        (
            *(
                Section(
                    anchor("security", zone or "whole"),
                    case.zone(zone).text if zone else texts.say("security.whole"),
                    _matrix(case, zone, case.judged[zone]),
                )
                for zone in zones[:MOST_ZONES]
            ),
            attested(case),
        ),
    )


def _words(case: Zoned) -> Table:
    texts = case.texts
    rows = tuple(
        (text(f"{MARKS[word]} {texts.word('asked', word)}"), texts.text(f"asked.{word}.meaning")) for word in STATUSES
    )
    described = columns(texts, ("status", 1.0), ("meaning", 4.0))
    return Table("table-status-words", described, rows, texts.say("security.words"), heads=True)


def _summary(case: Zoned) -> Table:
    """Zones as rows, statuses as columns."""
    texts = case.texts
    rows = []
    for zone, judged in case.judged.items():
        counts = Counter(row.status for row in judged)
        info = case.zone_infos.get(zone)
        name = Span(
            case.zone(zone).text if zone else texts.say("security.whole"), target=anchor("security", zone or "whole")
        )
        target = info.target if info is not None else ""
        rows.append((text(name), text(target or texts.say("open")), *(case.number(counts[word]) for word in STATUSES)))
    described = columns(texts, ("zone", 1.6), ("target", 0.8), *_COUNTS)
    return Table(
        "table-security",
        described,
        tuple(rows),
        texts.say("security.summary"),
        texts.text("security.summary.note"),
        True,
    )


def _matrix(case: Zoned, zone: str, judged: tuple[RequirementStatus, ...]) -> tuple[Block, ...]:
    texts = case.texts
    asked = [row for row in judged if row.status != "not_asked"]
    beyond = [row for row in judged if row.status == "not_asked"]
    rows = tuple(
        (
            text(Span(row.requirement.id, "requirement")),
            text(case.title(row.requirement)),
            text(f"{row.requirement.foundation} {row.target}" if row.target is not None else "–"),
            text(status(case, row)),
            _shown(case, row),
            _needed(case, row),
        )
        for row in asked
    )
    described = columns(
        texts, ("id", 0.9), ("requirement", 1.7), ("target", 0.6), ("status", 1.0), ("evidence", 2.4), ("needed", 1.7)
    )
    name = case.zone(zone).text if zone else texts.say("security.whole")
    table = Table(
        anchor("table-security", zone or "whole"), described, rows, texts.say("security.caption", zone=name), (), True
    )
    left = case.joined(Span(row.requirement.id, "requirement") for row in beyond)
    rest = (Paragraph(texts.text("security.beyond", count=len(beyond), names=left)),) if beyond else ()
    return (table, *rest)


def _shown(case: Zoned, row: RequirementStatus) -> Text:
    if row.status == "attested" and row.attestation is not None:
        one = row.attestation
        return case.texts.text("asked.attested.said", by=one.by, on=one.on, document=one.document)
    if row.status == "not_observable":
        return text(case.reason(row.reason_key))
    covering = case.joined(Span(name, "code") for name in row.exceptions)
    excepted = case.texts.text("evidence.excepted", names=covering) if covering else ()
    return case.lines((evidence(case, row), excepted))


def _needed(case: Zoned, row: RequirementStatus) -> Text:
    """What traffic leaves open, and who can say it."""
    texts = case.texts
    if row.status in ("contradicted", "supported", "attested"):
        return ()
    missing = tuple(name for name in row.unknown if name not in row.refuting)
    told = case.lines(text(case.fact_title(name)) for name in missing)
    unknown = texts.text("evidence.unknown", facts=told) if missing and not row.reason_key else ()
    return case.lines((text(needed(case, row.requirement)), unknown), " ")


def attested(case: Zoned) -> Section:
    """What persons stated, apart from what was measured."""
    texts = case.texts
    found = [row for row in case.asked(SECURITY) if row.attestation is not None]
    if not found:
        lead = Paragraph(texts.text("attestations.none"))
        return Section("attestations", texts.say("attestations.title"), (lead,))
    rows = tuple(_attestation(case, row) for row in found)
    described = columns(
        texts,
        ("requirement", 0.9),
        ("zone", 1.2),
        ("document", 1.1),
        ("by", 1.0),
        ("on", 0.8),
        ("sha256", 1.6),
        ("measured_status", 1.4),
    )
    table = Table(
        "table-attestations", described, rows, texts.say("attestations.caption"), texts.text("attestations.note"), True
    )
    return Section("attestations", texts.say("attestations.title"), (Paragraph(texts.text("attestations.lead")), table))


def _attestation(case: Zoned, row: RequirementStatus) -> tuple[Text, ...]:
    one = row.attestation
    assert one is not None
    zone = text(case.zone(row.zone)) if row.zone != WHOLE else case.texts.text("security.whole")
    measured = case.texts.text("attestations.nothing") if row.status == "attested" else text(status(case, row))
    words: Iterable[str] = (one.document, one.by, one.on)
    return (
        text(Span(row.requirement.id, "requirement")),
        zone,
        *(text(word) for word in words),
        text(Span(one.sha256, "code")),
        measured,
    )
