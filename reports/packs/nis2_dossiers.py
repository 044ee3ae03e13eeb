"""The dossiers of segmentation (6.8) and monitoring (3.2), and the asset inventory (12.4)."""

from __future__ import annotations

from dataclasses import replace

from zonewatch.reports.document.model import Note, Paragraph, Record, Section, Span, Table, text
from zonewatch.reports.packs.appendix import appendices
from zonewatch.reports.packs.asked import table
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.forms import blank, observed, stated
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.measured import facts_table
from zonewatch.reports.packs.zoning import matrix, zoning

__all__ = ["DOSSIER_FACTS", "assets", "monitoring", "segmentation"]

_DMZ = ("flow.dmz_terminated", "flow.it_to_ot_direct", "flow.pivot_path")
_THIRD = ("flow.internet_to_ot", "flow.ot_to_internet", "svc.remote_direct", "svc.remote_unapproved", "flow.shared_l2")
_ADMIN = ("svc.mgmt_inband", "svc.mixed_role", "inv.dual_homed")
_SAFETY = ("flow.safety_zone_cross",)
_LOGS = ("op.log_export", "op.log_silent", "op.log_clear")
_OWN = ("mon.sensor_uptime", "mon.alert_delivery")
_TIME = ("op.time_sync", "op.time_foreign", "op.clock_skew")
_CHANGES = ("inv.new_asset", "mon.change_seen", "inv.transient_asset", "inv.identity_conflict")
_COMPLETE = ("inv.asset_seen", "inv.asset_undeclared", "inv.asset_unseen", "inv.inventory_match", "inv.firmware_known")
DOSSIER_FACTS = frozenset((*_DMZ, *_THIRD, *_ADMIN, *_SAFETY, *_LOGS, *_OWN, *_TIME, *_CHANGES, *_COMPLETE))
"""All that the dossiers tell of, so that each has its record."""


def segmentation(case: Case) -> Section:
    """Model, conduits, DMZ, third parties, administration, safety, and the record of the review (6.8.3)."""
    texts, policy = case.texts, case.result.policy
    rows = tuple(row for row in case.asked("nis2-annex") if "6.8" in (row.requirement.id, row.requirement.parent))
    review = (
        stated(case, "segmentation.approved_by", policy.approved_by, 1),
        stated(case, "segmentation.approved_on", policy.approved_on),
        stated(case, "segmentation.valid_until", policy.valid_until),
        blank(case, "segmentation.reviewed", 2),
        blank(case, "segmentation.outcome", 2),
    )
    return Section(
        "segmentation",
        texts.say("segmentation.title"),
        (
            Paragraph(texts.text("segmentation.lead")),
            table(case, rows, "segmentation", texts.say("segmentation.points")),
        ),
        (
            zoning(case),
            Section("conduit-results", texts.say("segmentation.conduits"), (_conduits(case),)),
            matrix(case),
            *(
                Section(
                    name,
                    texts.say(f"segmentation.{name}"),
                    (facts_table(case, facts, name, texts.say(f"segmentation.{name}")),),
                )
                for name, facts in (("dmz", _DMZ), ("third", _THIRD), ("admin", _ADMIN), ("safety", _SAFETY))
            ),
            Section(
                "review",
                texts.say("segmentation.review"),
                (Record("segmentation-review", text(texts.say("segmentation.review.record")), review),),
            ),
        ),
    )


def _conduits(case: Case) -> Paragraph | Table:
    """What passed over each declared conduit, by verdict."""
    texts, result = case.texts, case.result
    if not result.policy.conduits:
        return Paragraph(texts.text("segmentation.no_conduits"))
    counts: dict[tuple[str, str], int] = {}
    for row in result.verdicts:
        if row.conduit:
            word = row.by if row.by in ("exception", "maintenance") else row.verdict
            counts[row.conduit, word] = counts.get((row.conduit, word), 0) + row.events
    unused = {flow.conduit: 0 for flow in result.unused_flows}
    for flow in result.unused_flows:
        unused[flow.conduit] += 1
    conform = {dict(one.values).get("conduit", "") for one in case.facts["flow.conduit_conform"].observations}
    rows = tuple(
        (
            text(Span(conduit.id, "code")),
            text(case.zone(conduit.from_zone), " → ", case.zone(conduit.to_zone)),
            case.number(counts.get((conduit.id, "allowed"), 0)),
            case.number(sum(counts.get((conduit.id, word), 0) for word in ("exception", "maintenance"))),
            case.number(counts.get((conduit.id, "violation"), 0)),
            case.number(unused.get(conduit.id, 0)),
            text(conduit.device or texts.say("open")),
            texts.text("segmentation.conforms" if conduit.id in conform else "segmentation.not_told"),
        )
        for conduit in result.policy.conduits
    )
    described = columns(
        texts,
        ("conduit", 1.7),
        ("between", 1.8),
        ("allowed", 0.8, "right"),
        ("excepted", 0.9, "right"),
        ("violations", 0.9, "right"),
        ("unused", 0.8, "right"),
        ("device", 0.9),
        ("statement", 1.1),
    )
    return Table(
        "table-conduit-results",
        described,
        rows,
        texts.say("segmentation.conduits.caption"),
        texts.text("segmentation.conduits.note"),
        True,
    )


def monitoring(case: Case) -> Section:
    """Who logs, how the sensor ran, what raises an alarm, how quickly it was answered, and whose clock it was."""
    texts = case.texts
    named = texts.say
    thresholds = (
        observed(case, "monitoring.rules", texts.text("monitoring.rules.on", count=len(case.result.looked_for))),
        blank(case, "monitoring.thresholds", 2, named("monitoring.thresholds.hint")),
        blank(case, "monitoring.duty", 1, named("monitoring.duty.hint")),
    )
    return Section(
        "monitoring",
        named("monitoring.title"),
        (Paragraph(texts.text("monitoring.lead")),),
        (
            Section(
                "logged",
                named("monitoring.logged"),
                (
                    Paragraph(texts.text("monitoring.logged.lead")),
                    facts_table(case, _LOGS, "logged", named("monitoring.logged")),
                ),
            ),
            Section("sensor", named("monitoring.sensor"), _sensor(case)),
            Section(
                "thresholds",
                named("monitoring.alarms"),
                (Record("monitoring-thresholds", text(named("monitoring.alarms.record")), thresholds),),
            ),
            Section("answered", named("monitoring.answered"), _answered(case)),
            Section(
                "clocks", named("monitoring.clocks"), (facts_table(case, _TIME, "clocks", named("monitoring.clocks")),)
            ),
        ),
    )


def _sensor(case: Case) -> tuple[Paragraph | Note | Table, ...]:
    texts, watched = case.texts, case.watched
    facts = facts_table(case, _OWN, "sensor", texts.say("monitoring.sensor"))
    if watched is None:
        return (Note("limit", texts.text("monitoring.no_sensor")), facts)
    rows = tuple(
        (
            text(texts.time(row.first_time)),
            text(texts.time(row.last_time)),
            text(texts.word("severity", row.severity)),
            text(case.quoted(row.title)),
            (case.quoted(row.text),),
            text(texts.word("state", row.state)),
        )
        for row in watched.health
    )
    described = columns(
        texts, ("gap_from", 1.1), ("gap_to", 1.1), ("severity", 0.7), ("wrong", 1.5), ("told", 2.4), ("state", 0.7)
    )
    told = texts.text(
        "monitoring.ran",
        share=f"{texts.decimal(watched.uptime * 100)} %",
        place=Span(texts.say("span.title"), "", "span"),
        told=watched.told.told,
        waiting=watched.told.waiting,
    )
    return (
        Paragraph(told),
        facts,
        Table("table-health", described, rows, texts.say("monitoring.health"), texts.text("monitoring.health.note")),
    )


def _answered(case: Case) -> tuple[Paragraph | Note | Table, ...]:
    texts, watched = case.texts, case.watched
    if watched is None:
        return (Note("limit", texts.text("monitoring.no_answers")),)
    rows = []
    for one in watched.decisions:
        finding = case.findings.get(one.finding)
        if finding is None or not finding.first_time:
            continue
        rows.append(
            (
                text(case.finding(finding)),
                text(texts.time(finding.first_time)),
                text(texts.time(one.when_time)),
                text(texts.duration(one.when_time - finding.first_time)),
                text(one.who),
            )
        )
    described = columns(texts, ("finding", 2.6), ("first", 1.2), ("decided", 1.2), ("took", 1.0), ("by", 1.0))
    answered = Table("table-answered", described, tuple(rows), texts.say("monitoring.answered.caption"))
    return (Paragraph(texts.text("monitoring.answered.lead")), answered)


def assets(case: Case) -> Section:
    """The inventory with how complete it is, how it changed, and what that cannot say."""
    texts = case.texts
    inventory = next(section for section in appendices(case).sections if section.id == "inventory")
    parts = (
        ("completeness", "assets.completeness", "assets.completeness.lead", _COMPLETE),
        ("history", "assets.history", "assets.history.lead", _CHANGES),
    )
    return Section(
        "assets",
        texts.say("assets.title"),
        (Paragraph(texts.text("assets.lead")),),
        (
            *(
                Section(
                    name,
                    texts.say(title),
                    (Paragraph(texts.text(lead)), facts_table(case, facts, name, texts.say(title))),
                )
                for name, title, lead, facts in parts
            ),
            replace(inventory, title=texts.say("assets.list")),
        ),
    )
