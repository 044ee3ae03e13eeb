"""The page for the management: what was found, what to do first, what was not seen, what is to be decided. No score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from zonewatch.reports.document.model import (
    Block,
    Bullets,
    Paragraph,
    Section,
    Span,
    Table,
    Text,
    anchor,
    text,
)
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned
from zonewatch.reports.result import totals
from zonewatch.reports.statuses import RequirementStatus
from zonewatch.rules.findings import SEVERITIES, VERDICTS, Finding
from zonewatch.rules.incidents import Incident

__all__ = ["management", "of_requirements"]

MOST_STATEMENTS: Final = 4
MOST_ACTIONS: Final = 3
MOST_ZONES: Final = 6
MOST_UNSEEN: Final = 4
MOST_AGAINST: Final = 24
GRAVE: Final = ("critical", "high")


def management(case: Zoned) -> Section:
    """One page in plain words."""
    brief = Section("zones-in-brief", case.texts.say("brief.title"), _zones(case))
    plan = Span(case.texts.say("plan.title"), target="plan")
    return _page(case, brief, plan, Span(case.texts.say("exceptions.title"), target="exceptions"))


def of_requirements(case: Case, rows: Iterable[RequirementStatus], plan: Span) -> Section:
    """The same page before requirements: which of them are contradicted, and where corrective actions stand."""
    texts = case.texts
    against = [row for row in rows if row.status == "contradicted"]
    named = case.joined(Span(row.requirement.id, "requirement") for row in against[:MOST_AGAINST])
    more = len(against) - MOST_AGAINST
    told = (*named, *((Span(" "), *texts.text("more", count=more)) if more > 0 else ()))
    words = texts.text("against.some", count=len(against), names=told) if against else texts.text("against.none")
    return _page(case, Section("against", texts.say("against.title"), (Paragraph(words),)), plan, Span(""))


def _page(case: Case, brief: Section, plan: Span, exceptions: Span) -> Section:
    texts = case.texts
    open_ones = [finding for finding in case.result.findings if finding.state == "open"]
    grave = sum(finding.severity in GRAVE for finding in open_ones)
    lead = texts.say("management.grave", count=grave) if grave else texts.say("management.calm")
    return Section(
        "management",
        texts.say("management.title"),
        (
            Paragraph(texts.text("management.purpose")),
            Paragraph(text(Span(lead, "strong"))),
            Bullets(_statements(case)[:MOST_STATEMENTS]),
        ),
        (
            Section("actions", texts.say("actions.title"), _actions(case, open_ones)),
            brief,
            Section("open", texts.say("open.title"), _unseen(case)),
            Section("decide", texts.say("decide.title"), _decide(case, bool(open_ones), grave, plan, exceptions)),
        ),
    )


def _statements(case: Case) -> tuple[Text, ...]:
    """What a manager has to know, the most telling first."""
    result, texts, total = case.result, case.texts, totals(case.result.captures)
    told = []
    if result.incidents:
        first = result.incidents[0]
        told.append(texts.text("management.incidents", count=len(result.incidents), title=case.quoted(first.title)))
    if result.policy.given:
        judged: Counter[str] = Counter()
        for cell in result.matrix:
            if cell.operation:
                judged[cell.verdict] += cell.events
        told.append(texts.text("management.judged", **{verdict: judged[verdict] for verdict in VERDICTS}))
    else:
        told.append(texts.text("management.no_policy"))
    if result.commands:
        who = len({row.client for row in result.commands})
        devices = len({row.server for row in result.commands})
        told.append(
            texts.text("management.commands", who=texts.text("management.commands.who", count=who), count=devices)
        )
    told.append(
        texts.text(
            "management.window",
            packets=texts.text("management.window.packets", count=total.packets),
            count=len(result.inventory.assets),
            period=texts.period(total.first_time, total.last_time),
        )
    )
    return tuple(told)


def _actions(case: Case, open_ones: list[Finding]) -> tuple[Paragraph | Bullets, ...]:
    """The most urgent things: what happened, what to do, who. Names and dates are for people."""
    texts = case.texts
    first = urgent(open_ones, case.result.incidents)
    if not first:
        return (Paragraph(texts.text("actions.none")),)
    items = tuple(
        texts.text(
            "actions.item",
            finding=replace(case.quoted(finding.title), kind="strong"),
            number=case.numbered(finding.id),
            remedy=case.quoted(finding.remedy),
            owner=texts.word("owner", finding.owner),
        )
        for finding in first
    )
    return (Bullets(items, ordered=True),)


def urgent(open_ones: Iterable[Finding], incidents: Iterable[Incident]) -> tuple[Finding, ...]:
    """The gravest findings with different remedies: one of each incident first, then what else is as grave."""
    stories = {name: number for number, one in enumerate(incidents) for name in one.findings}
    remedied = {finding.remedy: finding for finding in reversed(tuple(open_ones)) if finding.remedy}
    rows = sorted(
        remedied.values(), key=lambda one: (-SEVERITIES.index(one.severity), one.first_time, one.rule, one.id)
    )
    told: dict[object, Finding] = {}
    for finding in rows:
        if finding.severity in GRAVE:
            told.setdefault(stories.get(finding.id, finding.id), finding)
    chosen = list(told.values())[:MOST_ACTIONS]
    chosen += [finding for finding in rows if finding not in chosen][: MOST_ACTIONS - len(chosen)]
    return tuple(chosen)


def _zones(case: Zoned) -> tuple[Block, ...]:
    """The number of contradicted requirements of each zone beside its grave findings: the worst first."""
    texts = case.texts
    if not case.result.policy.given:
        return (Paragraph(texts.text("brief.no_policy")),)
    rows = []
    for zone, judged in case.judged.items():
        counts = Counter(row.status for row in judged)
        grave = sum(finding.severity in GRAVE for finding in case.by_zone.get(zone, ()))
        if counts["contradicted"] or counts["excepted"] or grave:
            rows.append((zone, counts["contradicted"], counts["excepted"], grave))
    if not rows:
        return (Paragraph(texts.text("brief.none")),)
    rows.sort(key=lambda row: (-row[3], -row[1], row[0]))
    lines = tuple(
        (
            text(Span(case.zone(zone).text, target=anchor("security", zone))),
            case.number(contradicted),
            case.number(excepted),
            case.number(grave),
        )
        for zone, contradicted, excepted, grave in rows[:MOST_ZONES]
    )
    described = columns(
        texts,
        ("zone", 1.9),
        ("count_contradicted", 0.9, "right"),
        ("count_excepted", 0.8, "right"),
        ("grave", 0.9, "right"),
    )
    more = len(rows) - MOST_ZONES
    note = texts.text("brief.more", count=more) if more > 0 else texts.text("brief.note")
    return (Table("table-brief", described, lines, texts.say("brief.caption"), note, heads=True),)


def _unseen(case: Case) -> tuple[Paragraph | Bullets, ...]:
    """What no statement may be made of, from the measured to what no traffic shows."""
    result, texts = case.result, case.texts
    blind = [row for row in case.visibilities if not row.sufficient]
    told = []
    if blind:
        names = case.joined(case.zone(row.zone) for row in blind[:MOST_UNSEEN])
        more = f" {texts.say('more', count=len(blind) - MOST_UNSEEN)}" if len(blind) > MOST_UNSEEN else ""
        reasons = Counter(row.reason_key for row in blind)
        reason = case.reason(min(reasons, key=lambda key: (-reasons[key], key)))
        told.append(texts.text("open.zones", names=(*names, Span(more)), reason=reason))
    if result.inventory.unseen:
        names = case.joined(Span(name, "asset") for name in result.inventory.unseen[:MOST_UNSEEN])
        told.append(texts.text("open.devices", count=len(result.inventory.unseen), names=names))
    if not result.policy.given:
        told.append(texts.text("management.no_policy"))
    told.append(texts.text("open.points", count=len({capture.source for capture in result.captures})))
    told.append(texts.text("open.method"))
    return (Bullets(tuple(told)),)


def _decide(case: Case, actions: bool, grave: int, plan: Span, exceptions: Span) -> tuple[Paragraph | Bullets, ...]:
    """What is asked of the reader."""
    texts = case.texts
    items = []
    if case.result.policy.given and not case.result.policy.approved_by:
        items.append(texts.text("decide.approve"))
    if actions:
        items.append(texts.text("decide.actions"))
    if grave:
        items.append(texts.text("decide.grave", count=grave, plan=plan))
    kept = [finding for finding in case.result.findings if finding.state == "accepted"]
    if exceptions.text and (kept or case.result.policy.permits):
        items.append(texts.text("decide.kept", chapter=exceptions))
    if any(not row.sufficient for row in case.visibilities) or not case.result.policy.given:
        items.append(texts.text("decide.measure" if case.result.policy.given else "decide.policy"))
    items.append(texts.text("decide.sign", chapter=Span(texts.say("sign.title"), target="sign-off")))
    return (Bullets(tuple(items), ordered=True),)
