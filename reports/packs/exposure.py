"""What lies open (input for ZCR 5.1 and 5.2), and ATT&CK for ICS: what was seen, could be seen, cannot be seen."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from zonewatch.reports.catalogue.load import attack
from zonewatch.reports.catalogue.model import Technique
from zonewatch.reports.document.model import Figure, Note, Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.drawings.heatmap import Sight, heat_map
from zonewatch.reports.drawings.heatmap import Technique as Tile
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned

__all__ = ["exposure"]

_EXPOSED: Final = (
    "inv.vuln_match",
    "flow.internet_to_ot",
    "flow.ot_to_internet",
    "sec.unauth_control",
    "sec.anonymous_session",
    "sec.cleartext_credentials",
    "sec.default_credentials",
    "sec.cleartext_conduit",
    "sec.no_integrity",
    "sec.crypto_weak",
    "sec.cert_problem",
    "svc.exposed",
    "svc.unneeded",
    "svc.mgmt_inband",
    "inv.asset_undeclared",
    "inv.transient_asset",
    "inv.dual_homed",
    "flow.shared_l2",
    "op.scan",
    "op.aitm",
    "op.ioc_hit",
)
"""Weaknesses first, then signs of threats."""


def exposure(case: Zoned) -> Section:
    """Facts by zone, services of devices, techniques."""
    texts = case.texts
    return Section(
        "exposure",
        texts.say("exposure.title"),
        (Paragraph(texts.text("exposure.lead")), _exposed(case)),
        (
            Section("services", texts.say("services.title"), (_services(case),)),
            Section("techniques", texts.say("techniques.title"), _techniques(case)),
        ),
    )


def _exposed(case: Zoned) -> Table:
    texts = case.texts
    rows = []
    for name in _EXPOSED:
        fact = case.facts[name]
        zones = tuple(dict.fromkeys(one.zone for one in fact.observations))
        rows.append(
            (
                text(case.titled(name)),
                text(texts.word("fact_status", fact.status)),
                case.joined(case.zone(zone) for zone in zones),
                case.proof(name)[1:]
                if fact.observations
                else text(case.reason(fact.reason_key) if fact.reason_key else "–"),
            )
        )
    described = columns(texts, ("looked_for", 1.5), ("status", 0.9), ("zones", 1.8), ("evidence", 2.4))
    return Table(
        "table-exposure", described, tuple(rows), texts.say("exposure.caption"), texts.text("exposure.note"), True
    )


def _services(case: Zoned) -> Paragraph | Table:
    """Services of devices of the process, with how they prove who asks."""
    texts = case.texts
    process = {dict(one.values)["asset"] for one in case.facts["svc.exposed"].observations}
    rows = tuple(
        (
            text(Span(case.short(asset.id), "asset")),
            text(case.zone(asset.zone)),
            text(f"{service.protocol} {service.transport}/{service.port}"),
            texts.text(f"posture.{service.posture}"),
            case.frames((service.evidence,) if service.evidence else ()),
        )
        for asset in case.result.inventory.assets
        if case.short(asset.id) in process
        for service in asset.services
    )
    if not rows:
        return Paragraph(texts.text("services.none"))
    described = columns(texts, ("name", 1.4), ("zone", 1.4), ("service", 1.3), ("authentication", 1.1), ("proof", 1.6))
    return Table("table-services", described, rows, texts.say("services.caption"), texts.text("services.note"))


def _techniques(case: Zoned) -> tuple[Paragraph | Figure | Table | Note, ...]:
    texts, known = case.texts, attack()
    seen = _findings(case)
    sights = {technique.id: _sight(technique, seen) for technique in known.techniques}
    legend: dict[Sight, str] = {
        "seen": texts.say("sight.seen"),
        "could_be_seen": texts.say("sight.could_be_seen"),
        "cannot_be_seen": texts.say("sight.cannot_be_seen"),
    }
    tiles = [Tile(one.id, one.name, one.tactics, sights[one.id]) for one in known.techniques]
    tactics = [(name, texts.word("tactic", name.replace("-", "_"))) for name in known.tactics]
    counts = {sight: sum(found == sight for found in sights.values()) for sight in legend}
    description = texts.say("techniques.description", **counts)
    svg = heat_map(tactics, tiles, texts.say("techniques.drawn"), description, legend)
    rows = tuple(
        (
            text(Span(one.id, "code"), *((f" ({one.former})",) if one.former and one.former != one.id else ())),
            (Span(one.name, language="en" if texts.language != "en" else ""),),
            text(legend[sights[one.id]]),
            case.numbers_of(seen.get(one.id, ())),
            _passive(case, one),
        )
        for one in sorted(known.techniques, key=lambda one: (list(legend).index(sights[one.id]), one.id))
    )
    described = columns(texts, ("id", 0.9), ("technique", 1.6), ("sight", 1.0), ("findings", 1.0), ("passive", 3.0))
    return (
        Paragraph(texts.text("techniques.lead", **counts)),
        Figure("figure-techniques", svg, texts.say("techniques.drawn"), description),
        Table("table-techniques", described, rows, texts.say("techniques.caption"), texts.text("techniques.note")),
        Note("limit", (case.quoted(f"{known.title}. {known.license}"),)),
    )


def _findings(case: Zoned) -> dict[str, list[str]]:
    """The findings of each technique, by the id that it has today."""
    today = {one.former: one.id for one in attack().techniques if one.former}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for finding in case.result.findings:
        for name in dict.fromkeys(today.get(name, name) for name in finding.technique):
            found[name].append(finding.id)
    return found


def _sight(technique: Technique, seen: dict[str, list[str]]) -> Sight:
    if technique.id in seen:
        return "seen"
    return "cannot_be_seen" if technique.observable == "none" else "could_be_seen"


def _passive(case: Zoned, technique: Technique) -> Text:
    """How far a passive look reaches, by which facts, and with which caveat."""
    texts = case.texts
    facts = case.joined(Span(case.fact_title(name), "fact") for name in technique.facts)
    by = texts.text("techniques.by", facts=facts) if facts else ()
    caveat = (case.quoted(technique.caveat),) if technique.caveat else ()
    return case.lines((texts.text(f"passive.{technique.observable}"), by, caveat))
