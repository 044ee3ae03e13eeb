"""What is to be done, in which order; what was excepted or accepted, by whom and until when; what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from zonewatch.reports.declared import PermitInfo
from zonewatch.reports.document.model import Bullets, Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.packs.findings import severity
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned
from zonewatch.rules.findings import SEVERITIES, Finding

__all__ = ["changes", "exceptions", "plan", "remedies"]

MOST_STEPS: Final = 150


def remedies(findings: Iterable[Finding]) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Open findings by what remedies them, the gravest first; of two as grave, what settles more findings."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.state == "open" and finding.remedy:
            found.setdefault(finding.remedy, []).append(finding)

    def order(item: tuple[str, list[Finding]]) -> tuple[int, int, str]:
        worst = max(SEVERITIES.index(one.severity) for one in item[1])
        return (-worst, -sum(SEVERITIES.index(one.severity) == worst for one in item[1]), item[0])

    return tuple((remedy, tuple(rows)) for remedy, rows in sorted(found.items(), key=order))


def plan(case: Zoned) -> Section:
    """The steps, with room for what only people can say; then doors that nobody uses."""
    texts = case.texts
    steps = remedies(case.result.findings)
    if not steps:
        return Section("plan", texts.say("plan.title"), (Paragraph(texts.text("actions.none")),))
    rows = tuple(
        (
            case.number(number),
            text(severity(case, found[0].severity)),
            text(case.quoted(remedy)),
            case.numbers_of((one.id for one in found), 6),
            case.joined(case.zone(zone) for zone in dict.fromkeys(zone for one in found for zone in one.zones)),
            text(texts.word("owner", _side(found))),
            (),
            (),
            (),
            (),
        )
        for number, (remedy, found) in enumerate(steps[:MOST_STEPS], 1)
    )
    described = columns(
        texts,
        ("step", 0.35, "right"),
        ("severity", 0.9),
        ("action", 2.4),
        ("settles", 1.0),
        ("zones", 1.2),
        ("owner", 0.6),
        ("effort", 0.7),
        ("outage", 0.7),
        ("responsible", 1.0),
        ("due", 0.7),
    )
    more = len(steps) - MOST_STEPS
    return Section(
        "plan",
        texts.say("plan.title"),
        (
            Paragraph(texts.text("plan.lead")),
            Table("table-plan", described, rows, texts.say("plan.caption"), texts.text("plan.note")),
            *((Paragraph(texts.text("plan.more", count=more)),) if more > 0 else ()),
        ),
        (Section("doors", texts.say("doors.title"), _doors(case)),),
    )


def _side(found: tuple[Finding, ...]) -> str:
    sides = {one.owner for one in found}
    return sides.pop() if len(sides) == 1 else "both"


def _doors(case: Zoned) -> tuple[Paragraph | Bullets, ...]:
    """Rules to be made or taken away: flows that nobody used, and how the policy becomes rules of a firewall."""
    texts = case.texts
    unused = case.result.unused_flows
    told = [texts.text("doors.export")]
    if unused:
        told.append(texts.text("doors.unused", count=len(unused)))
    pasted = sum(bool(finding.suggestion) for finding in case.result.findings if finding.state == "open")
    if pasted:
        told.append(texts.text("doors.suggestions", count=pasted))
    return (Bullets(tuple(told)),)


def exceptions(case: Zoned) -> Section:
    """Exceptions and windows of the policy, measures that stand in, accepted findings, decisions of a sensor."""
    texts = case.texts
    parts = (_permits(case), _instead(case), _accepted(case), _decisions(case))
    told = tuple(part for part in parts if part is not None)
    lead = Paragraph(texts.text("exceptions.lead" if told else "exceptions.none"))
    return Section("exceptions", texts.say("exceptions.title"), (lead, *told))


def _permits(case: Zoned) -> Table | None:
    texts, permits = case.texts, case.result.policy.permits
    if not permits:
        return None
    used = Counter((row.by, row.flow) for row in case.result.verdicts if row.by in ("exception", "maintenance"))
    rows = tuple(
        (
            text(Span(one.id, "code")),
            text(texts.word("permit", one.sort)),
            text(Span(one.conduit, "code")) if one.conduit else case.joined(case.zone(zone) for zone in one.zones),
            text(", ".join(texts.word("operation", word) for word in one.operations) or texts.say("all")),
            text(one.reason or texts.say("open")),
            text(", ".join(filter(None, (one.approved_by, one.ticket))) or texts.say("open")),
            text(_until(case, one)),
            text(texts.word("permit_state", _state(case, one))),
            case.number(used[one.sort, one.id]),
        )
        for one in permits
    )
    described = columns(
        texts,
        ("id", 0.9),
        ("kind", 0.9),
        ("for", 1.3),
        ("operations", 0.9),
        ("reason", 1.4),
        ("approved", 1.2),
        ("until", 1.0),
        ("state", 0.9),
        ("rows_used", 0.6, "right"),
    )
    return Table("table-permits", described, rows, texts.say("permits.caption"), texts.text("permits.note"), True)


def _until(case: Zoned, one: PermitInfo) -> str:
    return case.texts.time(one.to_time)[:16] if one.to_time else case.texts.say("open")


def _state(case: Zoned, one: PermitInfo) -> str:
    if not one.approved_by:
        return "unapproved"
    if not one.to_time:
        return "endless"
    return "ended" if one.to_time <= case.result.as_of else "holds" if one.from_time <= case.result.as_of else "coming"


def _instead(case: Zoned) -> Table | None:
    """Measures that stand in for a requirement or for authentication."""
    texts = case.texts
    rows = tuple(_measures(case))
    if not rows:
        return None
    described = columns(
        texts, ("place", 1.3), ("requirement", 0.9), ("state", 0.9), ("measure", 2.0), ("owner", 1.0), ("due", 0.8)
    )
    return Table("table-measures", described, rows, texts.say("measures.caption"), texts.text("measures.note"), True)


def _measures(case: Zoned) -> Iterator[tuple[Text, ...]]:
    texts, result = case.texts, case.result
    places = [(text(case.zone_link(zone.id)), row) for zone in result.zones for row in zone.requirements]
    places += [(text(case.conduit_link(one.id)), row) for one in result.policy.conduits for row in one.requirements]
    for place, row in places:
        if row.compensating or row.status in ("compensated", "excepted"):
            yield (
                place,
                text(Span(row.id, "requirement")),
                text(texts.word("record_status", row.status)),
                text(row.compensating or texts.say("open")),
                text(row.owner or texts.say("open")),
                text(row.due or texts.say("open")),
            )
    for one in result.policy.conduits:
        if one.compensating:
            yield (
                text(case.conduit_link(one.id)),
                texts.text("measures.authentication"),
                text(texts.word("record_status", "compensated")),
                text(one.compensating),
                text(one.record.owner or one.owner or texts.say("open")),
                texts.text("open"),
            )


def _accepted(case: Zoned) -> Table | None:
    texts = case.texts
    accepted = [finding for finding in case.result.findings if finding.state == "accepted"]
    if not accepted:
        return None
    rows = tuple(
        (
            text(case.numbered(finding.id)),
            text(severity(case, finding.severity)),
            text(case.finding(finding)),
            text(texts.word("owner", finding.owner)),
            text(texts.time(finding.last_time)),
        )
        for finding in accepted
    )
    described = columns(texts, ("number", 0.5), ("severity", 0.9), ("finding", 3.0), ("owner", 0.7), ("last", 1.2))
    return Table("table-accepted", described, rows, texts.say("accepted.caption"), texts.text("accepted.note"), True)


def _decisions(case: Zoned) -> Table | None:
    """The log of a sensor: acceptances, exceptions, withdrawals."""
    texts = case.texts
    if case.watched is None or not case.watched.decisions:
        return None
    rows = tuple(
        (
            case.number(one.number),
            text(texts.word("decision", one.kind)),
            text(case.numbered(one.finding)) if one.finding in case.numbers else text(Span(one.subject, "code")),
            text(one.who),
            text(texts.time(one.when_time)),
            text(texts.time(one.until_time) if one.until_time else "–"),
            texts.text("answer.yes" if one.holds else "answer.no"),
            text(one.reason or texts.say("open")),
        )
        for one in case.watched.decisions
    )
    described = columns(
        texts,
        ("step", 0.5, "right"),
        ("kind", 0.9),
        ("about", 1.2),
        ("by", 1.0),
        ("on", 1.2),
        ("until", 1.0),
        ("holds", 0.6),
        ("reason", 2.0),
    )
    return Table("table-decisions", described, rows, texts.say("decisions.caption"), texts.text("decisions.note"))


def changes(case: Zoned) -> Section:
    """What deviates from the baseline, where one was given."""
    texts = case.texts
    found = [finding for finding in case.result.findings if finding.rule.startswith("baseline.")]
    if not any(rule.startswith("baseline.") for rule in case.result.looked_for):
        return Section("changes", texts.say("changes.title"), (Paragraph(texts.text("changes.no_baseline")),))
    if not found:
        return Section("changes", texts.say("changes.title"), (Paragraph(texts.text("changes.none")),))
    rows = tuple(
        (
            text(case.numbered(finding.id)),
            text(case.finding(finding)),
            text(texts.time(finding.first_time)),
            text(texts.word("state", finding.state)),
        )
        for finding in found
    )
    described = columns(texts, ("number", 0.5), ("finding", 3.2), ("first", 1.2), ("state", 0.8))
    table = Table("table-changes", described, rows, texts.say("changes.caption"), heads=True)
    return Section("changes", texts.say("changes.title"), (Paragraph(texts.text("changes.lead")), table))
