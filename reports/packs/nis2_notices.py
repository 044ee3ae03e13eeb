"""Incident readiness (Art. 23): the clock from awareness, the facts of an incident, and drafts of each notice.

What was measured is filled in; what a person must say is left blank. Whether an incident is significant the tool never
decides.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Asset
from zonewatch.reports.catalogue.load import attack, in_language
from zonewatch.reports.catalogue.load import deadlines as duties
from zonewatch.reports.document.model import (
    Block,
    Field,
    Note,
    PageBreak,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Text,
    text,
)
from zonewatch.reports.evidence import file_name
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.deadlines import Deadlines, deadlines
from zonewatch.reports.packs.forms import blank, observed, stated
from zonewatch.reports.packs.material import columns
from zonewatch.rules.incidents import Incident

__all__ = ["readiness"]

MOST_INCIDENTS: Final = 50
MOST_COMMANDS: Final = 40
MOST_INDICATORS: Final = 60


def readiness(case: Case) -> Section:
    """Deadlines, facts for the decision, drafts."""
    texts, incident = case.texts, case.notified
    due = deadlines(case.aware, trust=_trust(case)) if case.aware else None
    return Section(
        "readiness",
        texts.say("readiness.title"),
        (Paragraph(texts.text("readiness.lead")), Note("limit", texts.text("readiness.never"))),
        (
            Section("clock", texts.say("clock.title"), _clock(case, due)),
            Section("incidents", texts.say("incidents.title"), _incidents(case)),
            Section("significance", texts.say("significance.title"), (*_significance(case, incident), PageBreak())),
            Section("warning", _title(case, "Art. 23(4)(a)"), (*_warning(case, incident, due), PageBreak())),
            Section("notification", _title(case, "Art. 23(4)(b)"), (*_notification(case, incident, due), PageBreak())),
            Section("intermediate", _title(case, "Art. 23(4)(c)"), (*_intermediate(case, incident), PageBreak())),
            Section("final", _title(case, "Art. 23(4)(d)"), (*_final(case, incident, due), PageBreak())),
            Section("progress", _title(case, "Art. 23(4)(e)"), _progress(case)),
        ),
    )


def _trust(case: Case) -> bool:
    return "trust_service" in (case.entity.services or ())


def _duty(case: Case, name: str) -> tuple[str, str, str]:
    """Title, deadline and content of a duty, in the report's language."""
    own = in_language("reporting", case.texts.language).get(name)
    if own:
        return own[0], own[1], own[2]
    row = next(row for row in duties() if row.id == name)
    return row.title, row.deadline, row.content


def _title(case: Case, name: str) -> str:
    return case.texts.say("notice.title", title=_duty(case, name)[0], article=name)


def _clock(case: Case, due: Deadlines | None) -> tuple[Block, ...]:
    texts = case.texts
    moments = {
        "Art. 23(4)(a)": due.warning if due else 0,
        "Art. 23(4)(b)": due.notification if due else 0,
        "Art. 23(4)(d)": due.final if due else 0,
    }
    rows = tuple(
        (
            text(Span(row.id, "requirement")),
            text(_duty(case, row.id)[0]),
            text(_duty(case, row.id)[1] or "–"),
            text(Span(texts.time(moments[row.id]), "strong")) if moments.get(row.id) else texts.text(_undated(row.id)),
            (),
        )
        for row in duties()
    )
    described = columns(texts, ("article", 0.9), ("notice", 1.4), ("rule", 2.6), ("latest", 1.5), ("sent", 1.0))
    aware = (
        Paragraph(texts.text("clock.aware", time=Span(texts.time(case.aware), "strong")))
        if case.aware
        else Note("question", texts.text("clock.unknown"))
    )
    trust = (Note("limit", texts.text("clock.trust")),) if _trust(case) else ()
    table = Table("table-clock", described, rows, texts.say("clock.caption"), texts.text("clock.note"))
    return (aware, *trust, table)


def _undated(name: str) -> str:
    return "clock.open" if name in ("Art. 23(4)(a)", "Art. 23(4)(b)", "Art. 23(4)(d)") else "clock.no_date"


def _incidents(case: Case) -> tuple[Block, ...]:
    texts, found = case.texts, case.result.incidents
    rows = tuple(
        (
            text(Span(one.id, "code")),
            text(case.quoted(one.title)),
            text(texts.word("severity", one.severity)),
            text(texts.time(one.first_time)),
            text(texts.time(one.last_time)),
            case.number(len(one.steps)),
            texts.text("incidents.chosen") if one.id == case.incident else (),
        )
        for one in found[:MOST_INCIDENTS]
    )
    described = columns(
        texts,
        ("id", 1.2),
        ("incident", 2.6),
        ("severity", 0.8),
        ("first", 1.2),
        ("last", 1.2),
        ("steps", 0.6, "right"),
        ("here", 0.9),
    )
    lead = "incidents.none" if not found else "incidents.lead" if case.notified else "incidents.choose"
    return (Paragraph(texts.text(lead)), Table("table-incidents", described, rows, texts.say("incidents.caption")))


def _significance(case: Case, incident: Incident | None) -> tuple[Block, ...]:
    """The facts that a person needs, and the log of what he decided."""
    texts = case.texts
    measured = (
        observed(case, "notice.duration", _duration(case, incident)),
        observed(case, "notice.critical", _critical(case, incident)),
        observed(case, "notice.changes", _changes(case, incident)),
        observed(case, "notice.zones", _zones(case, incident)),
    )
    decided = tuple(blank(case, f"significance.{name}", lines) for name, lines in _DECISION)
    return (
        Paragraph(texts.text("significance.lead", content=_duty(case, "Art. 23(3)")[2])),
        Record("significance-facts", text(texts.say("significance.facts")), measured),
        Record("significance-log", text(texts.say("significance.log")), decided),
    )


_DECISION: Final = (
    ("disruption", 2),
    ("loss", 1),
    ("damage", 2),
    ("decision", 1),
    ("reason", 3),
    ("who", 1),
    ("when", 1),
)


def _head(case: Case, incident: Incident | None, due: int, name: str) -> tuple[Field, ...]:
    """What stands first in every notice: who, about what, until when."""
    texts, entity = case.texts, case.entity
    contact = next((one for one in entity.contacts), None)
    reached = ", ".join(filter(None, (contact.name or contact.role, contact.phone, contact.email))) if contact else ""
    aware = texts.time(case.aware) if case.aware else ""
    return (
        stated(case, "entity.name", entity.name, 1),
        stated(case, "entity.registration", entity.registration),
        stated(case, "notice.to", entity.authority.name),
        stated(case, "notice.contact", reached, 1),
        _named(case, incident),
        stated(case, "notice.aware", aware, 1),
        stated(case, "notice.due", texts.time(due) if due else ""),
        Field(texts.say("notice.asked"), text(_duty(case, name)[2])),
    )


def _named(case: Case, incident: Incident | None) -> Field:
    if incident is None:
        return Field(case.texts.say("notice.incident"), case.texts.text("notice.not_chosen"), "open", 1)
    named = text(case.quoted(incident.title), " (", Span(incident.id, "code"), ")")
    return observed(case, "notice.incident", named)


def _warning(case: Case, incident: Incident | None, due: Deadlines | None) -> tuple[Block, ...]:
    fields = (
        *_head(case, incident, due.warning if due else 0, "Art. 23(4)(a)"),
        observed(case, "notice.first_seen", case.texts.time(incident.first_time) if incident else ""),
        observed(case, "notice.assets", case.assets_listed(incident.assets) if incident else ""),
        observed(case, "notice.zones", _zones(case, incident)),
        observed(case, "notice.techniques", _techniques(case, incident)),
        observed(case, "notice.external", _external(case, incident)),
        blank(case, "notice.malicious", 2, case.texts.say("notice.malicious.hint")),
        blank(case, "notice.cross_border", 2, case.texts.say("notice.cross_border.hint")),
        blank(case, "notice.help", 1),
        blank(case, "notice.sent", 1),
    )
    return (Record("draft-warning", text(case.texts.say("notice.draft")), fields),)


def _notification(case: Case, incident: Incident | None, due: Deadlines | None) -> tuple[Block, ...]:
    texts = case.texts
    severity = (
        text(texts.word("severity", incident.severity), ": ", *case.quoted_each(incident.reasons)) if incident else ()
    )
    fields = (
        *_head(case, incident, due.notification if due else 0, "Art. 23(4)(b)"),
        blank(case, "notice.update", 2),
        observed(case, "notice.severity", severity),
        observed(case, "notice.changes", _changes(case, incident)),
        observed(case, "notice.duration", _duration(case, incident)),
        blank(case, "notice.impact", 3, texts.say("notice.impact.hint")),
        blank(case, "notice.cross_border", 1, texts.say("notice.cross_border.hint")),
        blank(case, "notice.sent", 1),
    )
    return (
        Record("draft-notification", text(texts.say("notice.draft")), fields),
        *((_indicators(case, incident), _commands(case, incident), _growth(case, incident)) if incident else ()),
    )


def _intermediate(case: Case, incident: Incident | None) -> tuple[Block, ...]:
    texts = case.texts
    last = texts.time(max((row.last_time for row in case.result.captures), default=0))
    fields = (
        *_head(case, incident, 0, "Art. 23(4)(c)"),
        observed(case, "notice.seen_until", last),
        observed(case, "notice.last_seen", texts.time(incident.last_time) if incident else ""),
        blank(case, "notice.since", 3),
        blank(case, "notice.sent", 1),
    )
    return (Record("draft-intermediate", text(texts.say("notice.draft")), fields),)


def _final(case: Case, incident: Incident | None, due: Deadlines | None) -> tuple[Block, ...]:
    texts = case.texts
    after = _after(case, incident)
    fields = (
        *_head(case, incident, due.final if due else 0, "Art. 23(4)(d)"),
        observed(case, "notice.duration", _duration(case, incident)),
        observed(case, "notice.techniques", _techniques(case, incident)),
        blank(case, "notice.cause", 3, texts.say("notice.cause.hint")),
        blank(case, "notice.impact", 3, texts.say("notice.impact.hint")),
        blank(case, "notice.mitigation", 3),
        observed(case, "notice.holds", after),
        blank(case, "notice.cross_border", 2, texts.say("notice.cross_border.hint")),
        blank(case, "notice.sent", 1),
    )
    return (
        Record("draft-final", text(texts.say("notice.draft")), fields),
        *((_timeline(case, incident), _proof(case, incident)) if incident else ()),
    )


def _progress(case: Case) -> tuple[Block, ...]:
    texts = case.texts
    fields = (blank(case, "notice.since", 3), blank(case, "notice.mitigation", 2), blank(case, "notice.sent", 1))
    return (
        Paragraph(texts.text("progress.lead")),
        Record("draft-progress", text(texts.say("notice.draft")), fields),
    )


# what was measured of the incident


def _ends(case: Case, incident: Incident) -> tuple[Asset, ...]:
    return tuple(case.assets[name] for name in incident.assets if name in case.assets)


def _zones(case: Case, incident: Incident | None) -> Text:
    if incident is None:
        return ()
    zones = dict.fromkeys(asset.zone for asset in _ends(case, incident) if asset.kind != "external")
    return case.joined(case.zone(zone) for zone in zones)


def _duration(case: Case, incident: Incident | None) -> str:
    if incident is None or not incident.first_time:
        return ""
    texts = case.texts
    span = texts.period(incident.first_time, incident.last_time)
    return f"{texts.duration(incident.last_time - incident.first_time)} ({span})"


def _critical(case: Case, incident: Incident | None) -> Text:
    if incident is None:
        return ()
    found = [asset for asset in _ends(case, incident) if asset.criticality == "high"]
    return case.assets_listed(asset.id for asset in found) or case.texts.text("notice.none_critical")


def _techniques(case: Case, incident: Incident | None) -> Text:
    if incident is None or not incident.technique:
        return ()
    names = {row.former: row.former_name for row in attack().techniques if row.former}
    names |= {row.id: row.name for row in attack().techniques}
    told = (f"{name} {names.get(name, '')}".strip() for name in incident.technique)
    return (*text(", ".join(told)), Span(". "), *case.texts.text("notice.techniques.by"))


def _external(case: Case, incident: Incident | None) -> Text:
    if incident is None:
        return ()
    outside = [asset for asset in _ends(case, incident) if asset.kind == "external"]
    addresses = dict.fromkeys(address for asset in outside for address in asset.addresses)
    return case.joined(Span(address, "code") for address in addresses) or case.texts.text("notice.no_external")


def _acts(case: Case, incident: Incident) -> dict[tuple[str, str, str, str, str], tuple[int, int, int]]:
    """Commands among its assets: count, refused, unanswered; by client, server, protocol, function, operation."""
    found: dict[tuple[str, str, str, str, str], tuple[int, int, int]] = {}
    ends = set(incident.assets)
    for row in case.result.verdicts:
        if row.operation in STATE_CHANGING and row.verdict != "allowed" and {row.client, row.server} <= ends:
            key = (row.client, row.server, row.protocol, row.function, row.operation)
            count, refused, unanswered = found.get(key, (0, 0, 0))
            found[key] = (count + row.events, refused + row.refused, unanswered + row.unanswered)
    return found


def _changes(case: Case, incident: Incident | None) -> Text:
    if incident is None:
        return ()
    counts: Counter[str] = Counter()
    for (*_, operation), (count, _, _) in _acts(case, incident).items():
        counts[operation] += count
    told = ", ".join(
        f"{case.texts.word('operation', name)} {case.texts.number(counts[name])}" for name in sorted(counts)
    )
    return text(told) if told else case.texts.text("notice.no_commands")


def _indicators(case: Case, incident: Incident) -> Table:
    """Addresses of whoever acted or is outside: what others can look for."""
    texts = case.texts
    rows: dict[tuple[str, str], Text] = {}
    actors = dict.fromkeys(step.client for step in incident.steps if step.client)
    for name in (
        *actors,
        *(asset.id for asset in _ends(case, incident) if asset.kind == "external"),
    ):
        asset = case.assets.get(name)
        if asset is None:
            rows.setdefault(("address", name), text(case.asset(name)))
            continue
        for kind, values in (("address", asset.addresses), ("mac", asset.macs), ("user", asset.users)):
            for value in values:
                rows.setdefault((kind, value), text(case.asset(name)))
    lines = tuple(
        (texts.text(f"indicator.{kind}"), text(Span(value, "code")), asset) for (kind, value), asset in rows.items()
    )
    described = columns(texts, ("kind", 0.8), ("indicator", 2.0), ("assets_of", 2.0))
    note = texts.text("indicators.note")
    return Table("table-indicators", described, lines[:MOST_INDICATORS], texts.say("indicators.caption"), note)


def _commands(case: Case, incident: Incident) -> Table:
    texts = case.texts
    rows = tuple(
        (
            text(case.asset(client), " → ", case.asset(server)),
            text(protocol),
            text(function or "–"),
            text(texts.word("operation", operation)),
            case.number(count),
            case.number(refused),
            case.number(unanswered),
        )
        for (client, server, protocol, function, operation), (count, refused, unanswered) in sorted(
            _acts(case, incident).items()
        )
    )
    described = columns(
        texts,
        ("connection", 2.4),
        ("protocol", 0.8),
        ("function", 1.4),
        ("operation", 1.0),
        ("times", 0.7, "right"),
        ("refused", 1.0, "right"),
        ("unanswered", 1.3, "right"),
    )
    return Table("table-acts", described, rows[:MOST_COMMANDS], texts.say("acts.caption"), texts.text("acts.note"))


def _growth(case: Case, incident: Incident) -> Table:
    """How far it had reached, step by step."""
    texts = case.texts
    reached: set[str] = set()
    rows = []
    for step in incident.steps:
        before = len(reached)
        reached |= {name for name in (step.client, *step.servers) if name}
        if len(reached) > before:
            zones = dict.fromkeys(case.assets[name].zone for name in sorted(reached) if name in case.assets)
            rows.append(
                (
                    text(texts.time(step.first_time)),
                    case.number(len(reached)),
                    case.joined(case.zone(zone) for zone in zones),
                )
            )
    described = columns(texts, ("when", 1.2), ("devices", 0.8, "right"), ("zones", 3.0))
    return Table("table-growth", described, tuple(rows), texts.say("growth.caption"))


def _timeline(case: Case, incident: Incident) -> Table:
    texts = case.texts
    rows = tuple(
        (
            case.number(place),
            text(texts.period(step.first_time, step.last_time)),
            (case.quoted(step.text),),
            case.frames(step.evidence),
            case.joined((case.finding(case.findings[name]) for name in step.findings if name in case.findings), " · "),
        )
        for place, step in enumerate(incident.steps, 1)
    )
    described = columns(texts, ("step", 0.5, "right"), ("when", 1.3), ("what", 2.4), ("proof", 1.6), ("finding", 2.0))
    return Table("table-steps", described, rows, texts.say("steps.caption"))


def _proof(case: Case, incident: Incident) -> Table:
    """The files behind it: captures by their hashes, mini captures by their names."""
    texts = case.texts
    wanted = set(incident.findings)
    named = {row.capture for step in incident.steps for row in step.evidence}
    rows = [
        (text(Span(row.name, "code")), texts.text("input.capture"), text(Span(row.sha256 or "–", "code")))
        for row in case.result.captures
        if row.name in named
    ]
    rows += [
        (
            text(Span(file_name(row.finding), "code")),
            texts.text("input.mini"),
            texts.text("proof.packets", count=row.packets),
        )
        for row in case.result.evidence
        if row.finding in wanted
    ]
    described = columns(texts, ("file", 1.6), ("kind", 1.0), ("sha256", 3.0))
    return Table("table-proof", described, tuple(rows), texts.say("proof.caption"), texts.text("proof.note"))


def _after(case: Case, incident: Incident | None) -> Text:
    """How long the traffic was watched after the last of it."""
    if incident is None:
        return ()
    end = max((row.last_time for row in case.result.captures), default=0)
    length = (
        case.texts.duration(end - incident.last_time) if end > incident.last_time else case.texts.say("notice.no_after")
    )
    return case.texts.text("notice.after", time=case.texts.time(incident.last_time), length=length)
