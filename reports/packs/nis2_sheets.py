"""Evidence sheets in the order of the annex: what was measured, with what coverage, which gap, which action; beside it
what an auditor usually asks for, ticked where this report holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.document.model import Field, Note, Paragraph, Record, Section, Span, Table, Text, text
from zonewatch.reports.packs.asked import status, table
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.measured import named
from zonewatch.reports.statuses import RequirementStatus
from zonewatch.rules.findings import Finding

__all__ = ["SHEETS", "sheets"]

MOST_ACTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A thing that usually serves as evidence, and where this report has it."""

    key: str
    place: str = ""  # a section of the report; empty: it has to be attached
    given: Callable[[Case], bool] = lambda _: True  # whether the place holds anything


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet for one point of the annex, or for all points of a heading."""

    id: str
    points: tuple[str, ...]
    examples: tuple[Example, ...]


def _observed(*names: str) -> Callable[[Case], bool]:
    return lambda case: any(case.facts[name].observations for name in names)


def _policy(case: Case) -> bool:
    return case.result.policy.given


def _watched(case: Case) -> bool:
    return case.watched is not None


SHEETS: Final[tuple[Sheet, ...]] = (
    Sheet(
        "3.2",
        ("3.2",),
        (
            Example("logging_procedure"),
            Example("logged_assets", "monitoring", _observed("op.log_export")),
            Example("sensor_record", "monitoring", _watched),
            Example("rules_on", "monitoring", lambda case: bool(case.result.looked_for)),
            Example("time_sources", "monitoring", _observed("op.time_sync")),
            Example("log_sample"),
        ),
    ),
    Sheet(
        "3.4",
        ("3.4",),
        (
            Example("event_criteria"),
            Example("assessed_events", "findings", lambda case: bool(case.result.findings)),
            Example("correlated_events", "readiness", lambda case: bool(case.result.incidents)),
        ),
    ),
    Sheet(
        "6.3",
        ("6.3",),
        (
            Example("configuration_baseline"),
            Example("deviations", "evidence", _observed("mon.change_seen")),
            Example("unneeded_services", "evidence", _observed("svc.unneeded", "svc.exposed")),
        ),
    ),
    Sheet(
        "6.4",
        ("6.4",),
        (
            Example("change_procedure"),
            Example("change_records"),
            Example(
                "engineering_actions",
                "evidence",
                _observed("op.program_transfer", "op.firmware_transfer", "op.parameter_change"),
            ),
        ),
    ),
    Sheet(
        "6.6",
        ("6.6",),
        (
            Example("patch_procedure"),
            Example("versions", "assets", _observed("inv.firmware_known")),
            Example("patch_decisions"),
        ),
    ),
    Sheet(
        "6.7",
        ("6.7",),
        (
            Example("network_drawing", "segmentation"),
            Example("firewall_rules"),
            Example("conduit_results", "segmentation", _policy),
            Example("provider_access", "suppliers", _observed("svc.remote_access")),
        ),
    ),
    Sheet(
        "6.8",
        ("6.8",),
        (
            Example("segmentation_plan", "segmentation", _policy),
            Example("dmz_proof", "segmentation", _observed("flow.dmz_terminated")),
            Example("admin_network", "segmentation", _observed("svc.mgmt_inband")),
            Example("segmentation_review"),
        ),
    ),
    Sheet(
        "6.10",
        ("6.10",),
        (
            Example("advisories"),
            Example("versions", "assets", _observed("inv.firmware_known")),
            Example("vulnerability_decisions"),
        ),
    ),
    Sheet(
        "9",
        ("9.1", "9.2", "9.3"),
        (
            Example("crypto_policy"),
            Example("crypto_seen", "evidence", _observed("sec.crypto_ok", "sec.crypto_weak", "sec.cert_problem")),
            Example("cleartext", "evidence", _observed("sec.cleartext_conduit", "sec.cleartext_credentials")),
            Example("key_management"),
        ),
    ),
    Sheet(
        "11",
        ("11.1", "11.2", "11.3", "11.4", "11.5", "11.6", "11.7"),
        (
            Example("access_policy"),
            Example("rights_review"),
            Example("commands", "evidence", _observed("op.write_seen")),
            Example("admin_systems", "suppliers", _observed("svc.remote_access")),
            Example("mfa"),
        ),
    ),
    Sheet(
        "12.4",
        ("12.4",),
        (
            Example("inventory", "assets"),
            Example("completeness", "assets", _policy),
            Example("change_history", "assets", _observed("mon.change_seen", "inv.new_asset")),
            Example("asset_owners"),
        ),
    ),
)
"""In the order of the annex."""


def sheets(case: Case) -> Section:
    """All of them."""
    texts = case.texts
    return Section(
        "sheets",
        texts.say("sheets.title"),
        (Paragraph(texts.text("sheets.lead")), Note("limit", texts.text("sheets.examples"))),
        tuple(_sheet(case, sheet) for sheet in SHEETS),
    )


def _sheet(case: Case, sheet: Sheet) -> Section:
    texts = case.texts
    rows = tuple(
        row
        for row in case.asked("nis2-annex")
        if row.requirement.id in sheet.points or row.requirement.parent in sheet.points
    )
    points = [row for row in rows if not row.requirement.parent]
    titles = case.joined((case.title(row.requirement) for row in points), "; ")
    name = sheet.id.replace(".", "-")
    facts = named(rows)
    against = tuple(dict.fromkeys(fact for row in rows for fact in (*row.refuting, *row.prompting)))
    behind = case.findings_of(against, most=6)
    fields: tuple[tuple[str, Text], ...] = (
        ("requirement", titles),
        ("measured", text("; ".join(case.fact_title(fact) for fact in facts))),
        ("result", case.joined((Span(f"{row.requirement.id} {status(case, row).text}") for row in points), "; ")),
        ("coverage", _coverage(case)),
        ("gap", _gap(case, rows, against)),
        ("findings", case.joined((case.finding(finding) for finding in behind), " · ")),
        ("action", _actions(case, behind)),
        ("evidence", case.facts_listed(fact for fact in facts if case.facts[fact].observations)),
        ("attached", text(", ".join(_documents(rows)))),
    )
    told = tuple(Field(texts.say(f"sheet.{key}"), cell) for key, cell in fields if any(span.text for span in cell))
    heading = texts.say("sheet.title", point=sheet.id)
    return Section(
        f"sheet-{name}",
        f"{heading}: {''.join(span.text for span in titles)}" if len(points) == 1 else heading,
        (
            Record(f"sheet-record-{name}", text(heading), told),
            table(case, rows, f"sheet-{name}", texts.say("sheet.points", point=sheet.id)),
            _examples(case, sheet, rows),
        ),
    )


def _coverage(case: Case) -> Text:
    rows = case.visibilities
    if not rows:
        return case.texts.text("reading.no_policy")
    enough = sum(row.sufficient for row in rows)
    reasons = dict.fromkeys(case.reason(row.reason_key) for row in rows if row.reason_key)
    told = case.texts.say("sheet.enough", enough=enough, count=len(rows))
    return text(f"{told} {'; '.join(reasons)}." if reasons else told)


def _gap(case: Case, rows: tuple[RequirementStatus, ...], against: tuple[str, ...]) -> Text:
    """What speaks against it or asks; and how many parts traffic says nothing of."""
    silent = sum(row.status in ("not_observable", "no_evidence") for row in rows)
    found = case.facts_listed(against)
    rest = case.texts.text("sheet.silent", count=silent, total=len(rows)) if silent else ()
    return (*found, *((Span("; "),) if found and rest else ()), *rest)


def _actions(case: Case, behind: tuple[Finding, ...]) -> Text:
    remedies = dict.fromkeys(finding.remedy for finding in behind if finding.remedy)
    shown = [case.quoted(words) for words in list(remedies)[:MOST_ACTIONS]]
    return case.joined(shown, " ") or case.texts.text("form.fill")


def _documents(rows: tuple[RequirementStatus, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.attestation.document for row in rows if row.attestation is not None))


def _examples(case: Case, sheet: Sheet, rows: tuple[RequirementStatus, ...]) -> Table:
    texts, documents = case.texts, ", ".join(_documents(rows))
    lines = []
    for one in sheet.examples:
        has = bool(one.place) and one.given(case)
        if has:
            where: Text = text(Span(texts.say(f"place.{one.place}"), "", one.place))
        else:
            where = texts.text("example.for_point", documents=documents) if documents else ()
        word = "example.yes" if has else "example.attached" if documents else "example.no"
        lines.append((texts.text(f"example.{one.key}"), texts.text(word), where))
    described = columns(texts, ("example", 2.6), ("given", 1.0), ("where", 1.8))
    return Table(
        f"table-examples-{sheet.id.replace('.', '-')}",
        described,
        tuple(lines),
        texts.say("sheet.examples", point=sheet.id),
        heads=True,
    )
