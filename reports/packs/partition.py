"""The checks of the partition (ZCR 3.1 to 3.6), and what the report holds of the requirements specification (ZCR 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zonewatch.reports.document.model import Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.packs.asked import status
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import RISK, Zoned
from zonewatch.reports.statuses import RequirementStatus

__all__ = ["partition", "specification"]

CHECKS: Final = "ZCR 3"
SPECIFICATION: Final = "ZCR 6"
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "ZCR 6.1": ("management", "scope", "zoning", "security", "plan"),
    "ZCR 6.2": ("scope", "inventory"),
    "ZCR 6.3": ("zoning",),
    "ZCR 6.4": ("zone-records", "conduit-records"),
    "ZCR 6.5": ("zone-records",),
    "ZCR 6.6": ("exposure",),
}
"""Which chapters hold the parts of the specification."""
_OPEN: Final[Mapping[str, str]] = {
    "ZCR 6.1": "crs.zcr_6_1",
    "ZCR 6.2": "crs.zcr_6_2",
    "ZCR 6.3": "crs.zcr_6_3",
    "ZCR 6.4": "crs.zcr_6_4",
    "ZCR 6.5": "crs.zcr_6_5",
    "ZCR 6.6": "crs.zcr_6_6",
    "ZCR 6.7": "crs.zcr_6_7",
    "ZCR 6.8": "crs.zcr_6_8",
    "ZCR 6.9": "crs.zcr_6_9",
}
"""What is left to people of each."""


def partition(case: Zoned) -> Section:
    """One line a check: what was looked at, what came out, by which proof, within which coverage."""
    texts = case.texts
    checks = [row for row in case.asked(RISK) if row.requirement.group == CHECKS]
    rows = tuple(
        (
            text(Span(row.requirement.id, "requirement")),
            text(case.title(row.requirement)),
            text(status(case, row)),
            evidence(case, row),
            _sight(case, row),
        )
        for row in checks
    )
    described = columns(texts, ("id", 0.7), ("requirement", 1.5), ("status", 1.0), ("evidence", 2.6), ("coverage", 1.6))
    table = Table(
        "table-partition", described, rows, texts.say("partition.caption"), texts.text("partition.note"), True
    )
    return Section("partition", texts.say("partition.title"), (Paragraph(texts.text("partition.lead")), table))


def evidence(case: Zoned, row: RequirementStatus) -> Text:
    """What speaks against, for, for a part only, and what raises a question."""
    texts = case.texts
    asked = tuple(name for name in row.prompting if name not in (*row.refuting, *row.narrowing))
    seen = tuple(name for name in row.narrowing if case.facts[name].observations and name not in row.refuting)
    parts = (
        ("evidence.against", row.refuting),
        ("evidence.for", row.supporting),
        ("evidence.part", seen),
        ("evidence.asks", asked),
        ("evidence.data", row.inputs),
    )
    return case.lines(
        texts.text(key, facts=case.proofs(names, row.zone)) for key, names in parts if names
    ) or texts.text("none.cell")


def _sight(case: Zoned, row: RequirementStatus) -> Text:
    """In how many zones enough was seen, or why nothing can be said."""
    texts = case.texts
    if row.reason_key:
        return text(case.reason(row.reason_key))
    missing = tuple(name for name in row.unknown if name not in row.refuting)
    enough = sum(one.sufficient for one in case.visibilities)
    told = texts.text("partition.sight", count=enough, all=len(case.visibilities))
    if not missing:
        return told
    unknown = case.lines(text(case.titled(name), f": {case.reason(case.facts[name].reason_key)}") for name in missing)
    return case.lines((told, texts.text("evidence.unknown", facts=unknown)))


def specification(case: Zoned) -> Section:
    """What is filled in of each part of the specification, and what is OPEN."""
    texts, basis = case.texts, case.result.policy.basis
    stated = {
        "ZCR 6.2": case.result.policy.system,
        "ZCR 6.6": basis.threat_environment,
        "ZCR 6.7": ", ".join(basis.policies),
        "ZCR 6.8": basis.tolerable_risk,
        "ZCR 6.9": ", ".join(basis.regulations),
    }
    rows = []
    for row in case.asked(RISK):
        requirement = row.requirement
        if requirement.group != SPECIFICATION:
            continue
        places = case.joined(
            Span(texts.say(f"crs.place.{name.replace('-', '_')}"), target=name)
            for name in _PLACES.get(requirement.id, ())
        )
        given = text(stated.get(requirement.id, ""))
        filled = case.lines(part for part in (given if given[0].text else (), places) if part)
        rows.append(
            (
                text(Span(requirement.id, "requirement")),
                text(case.title(requirement)),
                filled or texts.text("none.cell"),
                texts.text(_OPEN[requirement.id]),
            )
        )
    described = columns(texts, ("id", 0.7), ("part", 1.4), ("filled", 2.0), ("left_open", 2.6))
    table = Table("table-specification", described, tuple(rows), texts.say("crs.caption"), heads=True)
    return Section("specification", texts.say("crs.title"), (Paragraph(texts.text("crs.lead")), table))
