"""The cover, and scope, method and limits: what stands before any result."""

from __future__ import annotations

from collections import Counter
from typing import Final

from zonewatch.reports.document.model import Bullets, Field, Note, Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.packs.second import second_reader
from zonewatch.reports.packs.spanned import spanned
from zonewatch.reports.result import Capture, declared_as, totals

__all__ = ["cover", "scope"]

_HOLES: Final = (
    "one_sided_flows",
    "gaps",
    "cut_packets",
    "undecoded_packets",
    "incomplete_fragments",
    "clock_jumps",
    "untimed_packets",
    "duplicates",
    "flows_evicted",
    "events_thinned",
    "oddities",
)
"""Counters of a capture that say what could not be seen; zeros are shown too, for they were measured."""
_BLIND: Final = (
    "blind.serial",
    "blind.switch",
    "blind.radio",
    "blind.encrypted",
    "blind.local",
    "blind.standby",
    "blind.season",
)
_METHOD: Final = ("method.passive", "method.reading", "method.judging", "method.repeating")


def cover(material: Material) -> tuple[Field, ...]:
    """What the report is about, and what it was made of."""
    result, texts = material.result, material.texts
    total = totals(result.captures)
    policy = result.policy
    return (
        material.field("cover.system", material.system or texts.say("cover.system.draft" if policy.system else "open")),
        material.field("cover.owner", policy.owner or texts.say("open")),
        material.field("cover.period", texts.period(total.first_time, total.last_time)),
        material.field("cover.as_of", texts.time(result.as_of)),
        material.field("cover.status", texts.say("cover.draft")),
        material.field("cover.classification", texts.say("open")),
        material.field("cover.policy", policy.name or texts.say("none_given")),
        material.field("cover.policy_sha256", material.code(policy.sha256)),
        material.field("cover.result_sha256", material.code(material.result_sha256)),
        material.field("cover.tool", f"zonewatch {result.version}"),
    )


def scope(material: Material) -> Section:
    """Captures, inputs with their hashes, coverage, blind spots, method."""
    texts = material.texts
    return Section(
        "scope",
        texts.say("scope.title"),
        (Paragraph(texts.text("scope.lead")),),
        (
            *spanned(material),
            Section("captures", texts.say("captures.title"), (_captures(material), _holes(material))),
            Section("inputs", texts.say("inputs.title"), (Paragraph(texts.text("inputs.lead")), _inputs(material))),
            Section("coverage", texts.say("coverage.title"), _coverage(material)),
            Section("limits", texts.say("limits.title"), _limits(material)),
            *second_reader(material),
            Section("method", texts.say("method.title"), (_bullets(material, _METHOD),)),
        ),
    )


def _bullets(material: Material, keys: tuple[str, ...]) -> Bullets:
    return Bullets(tuple(material.texts.text(key) for key in keys))


def _captures(material: Material) -> Table:
    texts = material.texts
    rows = []
    for capture in material.result.captures:
        drops = capture.reported_drops
        rows.append(
            (
                text(Span(capture.name, "code")),
                text(capture.source),
                material.reasoned(Span(texts.word("status", capture.status)), capture.problem),
                text(texts.time(capture.first_time)),
                text(texts.duration(capture.last_time - capture.first_time) if capture.first_time else "–"),
                material.number(capture.packets),
                text(texts.size(capture.bytes)),
                text(texts.say("unknown")) if drops is None else material.number(drops),
            )
        )
    described = columns(
        texts,
        ("file", 1.7),
        ("point", 0.9),
        ("read", 0.8),
        ("start", 1.5),
        ("length", 1.1),
        ("packets", 0.9, "right"),
        ("size", 0.8, "right"),
        ("drops", 0.9, "right"),
    )
    return Table("table-captures", described, tuple(rows), texts.say("captures.caption"))


def _inputs(material: Material) -> Table:
    """What everything rests on, by its hash."""
    texts, result = material.texts, material.result
    given = [(capture.name, "capture", capture.sha256) for capture in result.captures]
    if result.policy.given:
        given.append((result.policy.name, "policy", result.policy.sha256))
    given.append(("result.json", "result", material.result_sha256))
    rows = tuple(
        (
            text(Span(name, "code")),
            texts.text(f"input.{kind}"),
            text(Span(sha256, "code")) if sha256 else texts.text("inputs.not_taken"),
        )
        for name, kind, sha256 in given
    )
    described = columns(texts, ("file", 1.3), ("kind", 0.8), ("sha256", 3.2))
    return Table("table-inputs", described, rows, texts.say("inputs.caption"))


def _holes(material: Material) -> Table:
    texts, total = material.texts, totals(material.result.captures)
    rows: list[tuple[Text, ...]] = [
        (texts.text(f"hole.{name}"), material.number(getattr(total, name)), texts.text(f"hole.{name}.meaning"))
        for name in _HOLES
    ]
    rows.append((texts.text("hole.silence"), text(_silence(material, total)), texts.text("hole.silence.meaning")))
    described = columns(texts, ("measured", 1.3), ("value", 0.8, "right"), ("meaning", 2.6))
    return Table("table-holes", described, tuple(rows), texts.say("holes.caption"), heads=True)


def _silence(material: Material, total: Capture) -> str:
    return material.texts.duration(total.silence) if total.packets else "–"


def _coverage(material: Material) -> tuple[Paragraph | Table | Note, ...]:
    result, texts = material.result, material.texts
    seen = Counter(asset.zone for asset in result.inventory.assets)
    declared = Counter(asset.zone for asset in result.inventory.assets if declared_as(result, asset))
    inside: Counter[str] = Counter()
    across: Counter[str] = Counter()
    for cell in result.matrix:
        for zone in {cell.from_zone, cell.to_zone}:
            (inside if cell.from_zone == cell.to_zone else across)[zone] += cell.events
    rows = tuple(
        (
            text(material.zone(zone.id)),
            text(material.level(zone.purdue)),
            text(zone.target or texts.say("open")),
            material.number(seen[zone.id]),
            material.number(declared[zone.id]),
            texts.text("answer.yes" if inside[zone.id] else "answer.no"),
            texts.text("answer.yes" if across[zone.id] else "answer.no"),
        )
        for zone in result.zones
    )
    described = columns(
        texts,
        ("zone", 2.0),
        ("level", 0.8),
        ("target", 1.3),
        ("seen", 0.7, "right"),
        ("declared", 0.9, "right"),
        ("inside", 0.9),
        ("across", 0.9),
    )
    table = Table(
        "table-coverage", described, rows, texts.say("coverage.caption"), texts.text("coverage.note"), heads=True
    )
    unseen = result.inventory.unseen
    missing = (
        (Note("limit", texts.text("coverage.unseen", count=len(unseen), names=material.joined(map(Span, unseen)))),)
        if unseen
        else ()
    )
    return (Paragraph(texts.text("coverage.lead")), table, *missing)


def _limits(material: Material) -> tuple[Paragraph | Bullets | Note, ...]:
    texts, limits = material.texts, material.result.limits
    own = (Bullets(tuple(text(material.quoted(limit)) for limit in limits)),) if limits else ()
    return (
        *((Note("limit", texts.text("limits.partial")),) if material.result.partial else ()),
        Paragraph(texts.text("limits.lead")),
        *own,
        Paragraph(texts.text("limits.blind")),
        _bullets(material, _BLIND),
        Note("question", texts.text("limits.state")),
    )
