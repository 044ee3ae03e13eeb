"""Effectiveness over time (Art. 21(2)(f), 7), corrective actions (21(4)) and the record of proportionality (21(1))."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Final

from zonewatch.reports.document.model import Bullets, Note, Paragraph, Record, Section, Span, Table, Text, text
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.forms import blank, observed
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.nis2_measures import refuted_points
from zonewatch.rules.findings import SEVERITIES

__all__ = ["corrective", "effectiveness", "proportionality"]

_METHOD: Final = ("effect.method.conduits", "effect.method.ages", "effect.method.exceptions", "effect.method.compare")
BLANK_ROWS: Final = 4
"""For measures that traffic does not speak of."""
_SETTLED: Final = ("excepted", "compensated", "not_applicable")


def effectiveness(case: Case) -> Section:
    """The same controls, measured the same way each time."""
    texts = case.texts
    flow = (
        observed(case, "effect.test.expected", texts.text("effect.test.rules", count=len(case.result.looked_for))),
        blank(case, "effect.test.planted", 1, texts.say("effect.test.planted.hint")),
        blank(case, "effect.test.told", 1),
        blank(case, "effect.test.took", 1),
    )
    return Section(
        "effectiveness",
        texts.say("effect.title"),
        (
            Paragraph(texts.text("effect.lead")),
            Bullets(tuple(texts.text(key) for key in _METHOD)),
            _conformance(case),
            _ages(case),
            _permits(case),
            Record("planted", text(texts.say("effect.test")), flow),
        ),
    )


def _conformance(case: Case) -> Table:
    """Conduits that kept to their flows: each period of a sensor, or the one of an audit."""
    texts, watched = case.texts, case.watched
    described = columns(
        texts,
        ("window", 2.0),
        ("judged", 1.0, "right"),
        ("conform", 1.0, "right"),
        ("allowed", 1.0, "right"),
        ("violations", 1.0, "right"),
    )
    rows: tuple[tuple[Text, ...], ...]
    if watched is not None:
        rows = tuple(
            (
                text(texts.period(row.first_time, row.last_time)),
                *map(case.number, (row.judged, row.conform, row.allowed, row.violations)),
            )
            for row in watched.periods
            if row.kept
        )
    else:
        result = case.result
        judged = {row.conduit for row in result.verdicts if row.conduit}
        conform = {dict(one.values)["conduit"] for one in case.facts["flow.conduit_conform"].observations}
        counts: Counter[str] = Counter()
        for cell in result.matrix:
            if cell.operation:
                counts[cell.verdict] += cell.events
        times = [(row.first_time, row.last_time) for row in result.captures if row.packets]
        window = texts.period(min(times)[0], max(last for _, last in times)) if times else texts.say("unknown")
        rows = (
            (
                text(window),
                *map(case.number, (len(judged), len(conform), counts["allowed"], counts["violation"])),
            ),
        )
    return Table("table-effect", described, rows, texts.say("effect.conduits"), texts.text("effect.conduits.note"))


def _ages(case: Case) -> Table:
    texts, result = case.texts, case.result
    rows = []
    for severity in reversed(SEVERITIES):
        found = [one for one in result.findings if one.severity == severity and one.state == "open"]
        ages = sorted(max(result.as_of - one.first_time, 0) for one in found if one.first_time)
        rows.append(
            (
                text(texts.word("severity", severity)),
                case.number(len(found)),
                text(texts.duration(ages[-1]) if ages else "–"),
                text(texts.duration(int(statistics.median_low(ages))) if ages else "–"),
            )
        )
    described = columns(texts, ("severity", 1.2), ("open", 0.8, "right"), ("oldest", 1.5), ("median", 1.5))
    return Table("table-ages", described, tuple(rows), texts.say("effect.ages"), texts.text("effect.ages.note"), True)


def _permits(case: Case) -> Table:
    """Exceptions and maintenance windows, with their ages."""
    texts, result = case.texts, case.result
    rows = tuple(
        (
            text(Span(row.id, "code")),
            text(texts.word("permit", row.sort)),
            text(row.approved_by or texts.say("open")),
            text(row.ticket or row.reason or texts.say("open")),
            text(texts.time(row.from_time)),
            text(texts.time(row.to_time)),
            texts.text("permit.over" if row.to_time and row.to_time <= result.as_of else "permit.holds"),
        )
        for row in result.policy.permits
    )
    described = columns(
        texts,
        ("id", 1.2),
        ("kind", 1.0),
        ("by", 1.0),
        ("why", 1.6),
        ("gap_from", 1.1),
        ("gap_to", 1.1),
        ("state", 0.8),
    )
    return Table("table-permits", described, rows, texts.say("effect.permits"), texts.text("effect.permits.note"), True)


def corrective(case: Case) -> Section:
    """Every finding with its action; who and when is for people."""
    texts, result = case.texts, case.result
    rows = tuple(
        (
            text(case.finding(finding)),
            text(texts.word("severity", finding.severity)),
            (case.quoted(finding.remedy),) if finding.remedy else (),
            text(texts.word("owner", finding.owner)),
            text(texts.word("state", finding.state)),
            text(texts.duration(result.as_of - finding.first_time) if finding.first_time else "–"),
            (),
        )
        for finding in result.findings
    )
    described = columns(
        texts,
        ("finding", 2.2),
        ("severity", 0.8),
        ("action", 2.4),
        ("owner", 0.6),
        ("state", 0.8),
        ("age", 0.9),
        ("who_when", 1.2),
    )
    register = Table(
        "table-corrective", described, rows, texts.say("corrective.caption"), texts.text("corrective.note")
    )
    return Section(
        "corrective",
        texts.say("corrective.title"),
        (Paragraph(texts.text("corrective.lead")), register, *_decisions(case)),
    )


def _decisions(case: Case) -> tuple[Note | Table, ...]:
    texts, watched = case.texts, case.watched
    if watched is None:
        return ()
    rows = tuple(
        (
            case.number(one.number),
            text(texts.time(one.when_time)),
            text(one.who),
            text(texts.word("decision", one.kind)),
            _subject(case, one.finding, one.subject),
            text(texts.time(one.until_time) if one.until_time else "–"),
            text(one.reason),
            texts.text("permit.holds" if one.holds else "permit.over"),
        )
        for one in watched.decisions
    )
    described = columns(
        texts,
        ("period", 0.5, "right"),
        ("decided", 1.1),
        ("by", 0.9),
        ("kind", 0.9),
        ("subject", 1.7),
        ("until", 1.1),
        ("why", 1.6),
        ("state", 0.7),
    )
    note = texts.text("corrective.decisions.note")
    broken = (
        (Note("limit", texts.text("corrective.broken", problem=case.quoted(watched.problem))),)
        if watched.problem
        else ()
    )
    return (
        *broken,
        Table("table-decisions", described, rows, texts.say("corrective.decisions"), note),
    )


def _subject(case: Case, finding: str, subject: str) -> Text:
    known = case.findings.get(finding)
    return text(case.finding(known)) if known is not None else text(Span(subject, "code"))


def proportionality(case: Case) -> Section:
    """Why a measure is not applied: what the policy says of it, and lines for the rest."""
    texts = case.texts
    stated = tuple(
        (
            text(Span(row.id, "requirement")),
            text(case.zone(zone.id)),
            text(texts.word("record_status", row.status)),
            text(row.compensating or texts.say("open")),
            text(row.owner or texts.say("open")),
            text(row.due or texts.say("open")),
        )
        for zone in case.result.zones
        for row in zone.requirements
        if row.status in _SETTLED
    )
    lines = tuple(
        (text(Span(row.requirement.id, "requirement")), text(case.title(row.requirement)), (), (), (), ())
        for row in refuted_points(case)
    )
    blanks = (*lines, *((texts.text("proportion.further"), *((),) * 5) for _ in range(BLANK_ROWS)))
    had = columns(
        texts, ("id", 0.9), ("zone", 1.2), ("status", 1.0), ("instead", 2.0), ("answers", 1.0), ("until", 0.8)
    )
    lacks = columns(
        texts,
        ("id", 0.9),
        ("measure", 2.0),
        ("why_not", 1.6),
        ("cost", 0.9),
        ("state_of_art", 1.2),
        ("risk_owner", 1.0),
    )
    return Section(
        "proportionality",
        texts.say("proportion.title"),
        (
            Paragraph(texts.text("proportion.lead")),
            *(
                (Table("table-proportion-stated", had, stated, texts.say("proportion.stated"), heads=True),)
                if stated
                else ()
            ),
            Table(
                "table-proportion", lacks, blanks, texts.say("proportion.caption"), texts.text("proportion.note"), True
            ),
        ),
    )
