"""The findings: over time, in a table, and one by one with their proof."""

from __future__ import annotations

from collections import Counter
from typing import Final

from zonewatch.reports.document.model import (
    Field,
    Figure,
    Note,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Text,
    anchor,
    text,
)
from zonewatch.reports.drawings.timeline import Track, timeline
from zonewatch.reports.evidence import file_name
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.result import totals
from zonewatch.reports.words import SEVERITY_MARKS
from zonewatch.rules.findings import SEVERITIES, Finding

__all__ = ["findings", "severity"]

MOST_TRACKS: Final = 25
MOST_RECORDS: Final = 400


def severity(material: Material, word: str) -> Span:
    """A severity with its sign."""
    mark = next(mark for name, mark in SEVERITY_MARKS.items() if name == word)
    return Span(f"{mark.symbol} {material.texts.word('severity', word)}", "strong")


def findings(material: Material) -> Section:
    """All of them: over time, in a table, and one by one with proof."""
    result, texts = material.result, material.texts
    found = result.findings
    if not found:
        return Section("findings", texts.say("findings.title"), (Paragraph(texts.text("findings.none")),))
    foreign = (Note("limit", texts.text("findings.language")),) if texts.language != "en" else ()
    more = len(found) - MOST_RECORDS
    left_out = (Paragraph(texts.text("findings.more", count=more)),) if more > 0 else ()
    return Section(
        "findings",
        texts.say("findings.title"),
        (
            Paragraph(texts.text("findings.lead")),
            *foreign,
            _counted(material, [finding for finding in found if finding.state == "open"]),
            *_drawn(material),
            _table(material),
        ),
        (
            Section(
                "records",
                texts.say("records.title"),
                (
                    *(_record(material, number, finding) for number, finding in enumerate(found[:MOST_RECORDS], 1)),
                    *left_out,
                ),
            ),
        ),
    )


def _counted(material: Material, open_ones: list[Finding]) -> Table:
    texts = material.texts
    counts = Counter(finding.severity for finding in open_ones)
    rows = tuple(
        (text(severity(material, name)), material.number(counts[name]), texts.text(f"severity.{name}.meaning"))
        for name in reversed(SEVERITIES)
    )
    described = columns(texts, ("severity", 1.0), ("findings", 0.7, "right"), ("meaning", 3.0))
    return Table(
        "table-severities", described, rows, texts.say("severities.caption"), texts.text("severities.note"), heads=True
    )


def _drawn(material: Material) -> tuple[Figure, ...]:
    result, texts = material.result, material.texts
    timed = [finding for finding in result.findings if finding.first_time]
    if not timed:
        return ()
    total = totals(result.captures)
    kept = sorted(timed[:MOST_TRACKS], key=lambda finding: (finding.first_time, finding.last_time, finding.id))
    tracks = [_track(material, finding) for finding in kept]
    first = total.first_time or min(finding.first_time for finding in timed)
    last = total.last_time or max(finding.last_time for finding in timed)
    description = texts.say("timeline.description", count=len(kept), period=texts.period(first, last))
    svg = timeline(tracks, first, last, texts.say("timeline.title"), description)
    return (Figure("figure-timeline", svg, texts.say("timeline.title"), description),)


def _track(material: Material, finding: Finding) -> Track:
    when = material.texts.period(finding.first_time, finding.last_time)
    told = material.quoted(finding.title).text
    title = f"{material.texts.word('severity', finding.severity)}: {told} ({when})"
    return Track(told, finding.severity, finding.first_time, finding.last_time, title)


def _table(material: Material) -> Table:
    texts = material.texts
    rows = tuple(
        (
            text(Span(f"F-{number}", "finding", anchor("finding", finding.id))),
            text(severity(material, finding.severity)),
            text(material.finding(finding)),
            material.joined((material.zone(zone) for zone in finding.zones), " → "),
            text(texts.word("owner", finding.owner)),
            text(texts.time(finding.first_time)),
            material.number(finding.count),
        )
        for number, finding in enumerate(material.result.findings, 1)
    )
    described = columns(
        texts,
        ("number", 0.5),
        ("severity", 0.9),
        ("finding", 3.0),
        ("zones", 1.5),
        ("owner", 0.7),
        ("first", 1.2),
        ("times", 0.6, "right"),
    )
    return Table("table-findings", described, rows, texts.say("findings.caption"))


def _record(material: Material, number: int, finding: Finding) -> Record:
    """The fields that have something to say, in one order."""
    texts = material.texts
    evidence = {file.finding: file.packets for file in material.result.evidence}
    capture = (
        texts.text("record.capture", count=evidence[finding.id], file=Span(file_name(finding.id), "code"))
        if finding.id in evidence
        else ()
    )
    when = text(texts.period(finding.first_time, finding.last_time)) if finding.first_time else ()
    requirements = (Span(f"IEC 62443-3-3 {name}", "requirement") for name in finding.requirement)
    techniques = text(f"ATT&CK for ICS {', '.join(finding.technique)}") if finding.technique else ()

    def said(words: str) -> Text:
        return (material.quoted(words),) if words else ()

    fields: tuple[tuple[str, Text], ...] = (
        ("severity", material.reasoned(severity(material, finding.severity), *finding.reasons)),
        ("state", text(texts.word("state", finding.state))),
        ("description", said(finding.description)),
        ("changes", material.quoted_each(change.sentence for change in finding.changes)),
        ("remedy", said(finding.remedy)),
        ("owner", texts.text("record.owner_due", owner=texts.word("owner", finding.owner))),
        ("assets", material.assets_listed(finding.assets)),
        ("zones", material.joined((material.zone(zone) for zone in finding.zones), " → ")),
        ("when", when),
        ("evidence", material.frames(finding.evidence)),
        ("mini_capture", capture),
        ("requirements", material.joined(requirements)),
        ("techniques", techniques),
        ("harmless", material.quoted_each(finding.false_positives)),
        ("id", text(Span(finding.id, "code"), " · ", Span(finding.rule, "code"))),
    )
    return Record(
        anchor("finding", finding.id),
        text(f"F-{number}  ", severity(material, finding.severity), "  ", material.quoted(finding.title)),
        tuple(Field(texts.say(f"record.{key}"), cell) for key, cell in fields if cell),
    )
