"""The map of the measures of Art. 21, and the points of the annex as the yardstick that it is."""

from __future__ import annotations

import re

from zonewatch.reports.catalogue.load import framework, in_language
from zonewatch.reports.document.model import Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.entity import Measure
from zonewatch.reports.packs.asked import counted, records, said, status, table
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.statuses import RequirementStatus

__all__ = ["annex", "measures", "refuted_points"]

_LETTER = re.compile(r"Art\. 21\(2\)\(([a-j])\)")


def measures(case: Case) -> Section:
    """One line a measure, then each with what is behind it and the document to attach."""
    texts, rows = case.texts, case.asked("nis2")
    refuted = refuted_points(case)
    against = (
        Paragraph(texts.text("refuted.lead" if refuted else "refuted.none")),
        *((table(case, refuted, "refuted", texts.say("refuted.caption")),) if refuted else ()),
    )
    return Section(
        "measures",
        texts.say("measures.title"),
        (Paragraph(texts.text("measures.lead")), _map(case, rows), counted(case, rows)),
        (
            Section("refuted", texts.say("refuted.title"), against),
            Section("measures-each", texts.say("measures.each"), records(case, rows)),
        ),
    )


def refuted_points(case: Case) -> tuple[RequirementStatus, ...]:
    """Measures, and points of the annex, against which facts were observed."""
    rows = (*case.asked("nis2"), *case.asked("nis2-annex"))
    return tuple(row for row in rows if row.status in ("contradicted", "excepted"))


def _map(case: Case, rows: tuple[RequirementStatus, ...]) -> Table:
    texts = case.texts
    lines = []
    for row in rows:
        letter = _LETTER.fullmatch(row.requirement.id)
        own: Measure | None = None
        if letter:
            own = next((case.entity.measures[name] for name in case.entity.measures if name == letter[1]), Measure())
        lines.append(
            (
                text(Span(row.requirement.id, "requirement")),
                text(case.title(row.requirement)),
                _own(case, own.reference if own else "–"),
                text(status(case, row)),
                said(case, row),
                _own(case, own.owner if own else ""),
                _own(case, own.review.isoformat() if own and own.review else ""),
            )
        )
    described = columns(
        texts,
        ("id", 0.9),
        ("measure", 1.8),
        ("national", 1.0),
        ("status", 1.0),
        ("statement", 2.0),
        ("answers", 1.15),
        ("review", 1.1),
    )
    return Table(
        "table-measures", described, tuple(lines), texts.say("measures.caption"), texts.text("measures.note"), True
    )


def _own(case: Case, words: str) -> Text:
    return text(words or case.texts.say("open"))


def annex(case: Case) -> Section:
    """Every point of the annex, heading by heading; those that traffic cannot show too."""
    texts, rows = case.texts, case.asked("nis2-annex")
    own = in_language("groups", texts.language)
    groups = framework("nis2-annex").groups
    return Section(
        "annex",
        texts.say("annex.title"),
        (
            Paragraph(texts.text(f"annex.{'binding' if case.entity.bound else 'yardstick'}")),
            counted(case, rows, "annex-statuses"),
        ),
        tuple(
            Section(
                f"annex-{group.id}",
                texts.say("annex.group", number=group.id, title=own[group.id][0] if own else group.title),
                (
                    table(
                        case,
                        (row for row in rows if row.requirement.group == group.id),
                        f"annex-{group.id}",
                        texts.say("annex.caption", number=group.id),
                    ),
                ),
            )
            for group in groups
        ),
    )
