"""The zone and conduit model with its drawing, and the communication matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.document.model import Bullets, Figure, Note, Paragraph, Section, Span, Table, text
from zonewatch.reports.drawings.matrix import Cell, communication_matrix
from zonewatch.reports.drawings.zones import Link, LinkKind, ZoneBox, zone_map
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.result import EXTERNAL, VERDICT_ORDER, AuditResult, matrix_zones, worst
from zonewatch.rules.findings import VERDICTS, Verdict

__all__ = ["Passage", "matrix", "passages", "zoning"]

MOST_LINKS: Final = 240
"""Lines of the drawing: beyond them nobody follows one. The table has all."""
_LINKS: Final[tuple[LinkKind, ...]] = ("declared", "observed", "unused")


@dataclass(frozen=True, slots=True)
class Passage:
    """What joins two zones: declared, seen, or both."""

    start: str
    end: str
    kind: LinkKind
    conduits: tuple[str, ...]
    events: int


def passages(result: AuditResult) -> tuple[Passage, ...]:
    """By zones; a pair with traffic that a conduit allows and traffic that none allows stands there twice."""
    conduits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in result.verdicts:
        if row.conduit and row.verdict in ("allowed", "cannot_conclude"):
            conduits[row.client_zone, row.server_zone].add(row.conduit)
    for flow in result.unused_flows:
        conduits[flow.from_zone, flow.to_zone].add(flow.conduit)
    events: Counter[tuple[str, str, LinkKind]] = Counter()
    for cell in result.matrix:
        pair = (cell.from_zone, cell.to_zone)
        if cell.from_zone != cell.to_zone:
            declared = cell.verdict == "allowed" or (cell.verdict == "cannot_conclude" and pair in conduits)
            events[*pair, "declared" if declared or not result.policy.given else "observed"] += cell.events
    unused = {(*pair, _LINKS[2]) for pair in conduits if pair[0] != pair[1] and (*pair, _LINKS[0]) not in events}
    return tuple(
        Passage(start, end, kind, _named(conduits[start, end], kind), events[start, end, kind])
        for start, end, kind in sorted({*events, *unused})
    )


def _named(conduits: set[str], kind: LinkKind) -> tuple[str, ...]:
    return () if kind == "observed" else tuple(sorted(conduits))


def _legend(material: Material) -> dict[LinkKind, str]:
    if not material.result.policy.given:
        return {"declared": material.texts.say("link.unjudged")}
    return {kind: material.texts.word("link", kind) for kind in _LINKS}


def _boxes(material: Material, found: tuple[Passage, ...]) -> tuple[ZoneBox, ...]:
    """Zones from the highest level down; what is outside of the model above, what has no zone below."""
    result, texts = material.result, material.texts
    seen = Counter(asset.zone for asset in result.inventory.assets)
    ends = {end for passage in found for end in (passage.start, passage.end)}
    zones = sorted(result.zones, key=lambda zone: (zone.purdue is None, -(zone.purdue or 0.0)))
    boxes = []
    for zone in zones:
        target = texts.say("map.target", target=zone.target) if zone.target else ""
        lines = (texts.say("map.assets", count=seen[zone.id]), target)
        boxes.append(
            ZoneBox(zone.id, zone.name or zone.id, *material.level_words(zone.purdue), tuple(filter(None, lines)))
        )
    known = {zone.id for zone in zones}
    if EXTERNAL in ends - known:
        boxes.insert(0, ZoneBox(EXTERNAL, texts.say("zone.external"), texts.say("map.outside"), outside=True))
    boxes += [
        ZoneBox(zone, material.zone_names.get(zone, zone), texts.say("map.unzoned"), outside=True)
        for zone in sorted(ends - known - {EXTERNAL})
    ]
    return tuple(boxes)


def zoning(material: Material) -> Section:
    """The model as drawn, its zones and conduits, and what is in none."""
    result, texts = material.result, material.texts
    found = passages(result)
    boxes, legend = _boxes(material, found), _legend(material)
    drawn = set(sorted(found, key=lambda one: (one.kind != "observed", -one.events))[:MOST_LINKS])
    links = [
        Link(one.start, one.end, one.kind, f"{_between(material, one.start, one.end)}: {legend.get(one.kind, '')}")
        for one in found
        if one in drawn
    ]
    more = len(found) - len(links)
    counts = Counter(one.kind for one in found)
    description = texts.say("map.description", count=len(boxes), **{kind: counts[kind] for kind in _LINKS})
    svg = zone_map(boxes, links, texts.say("map.title"), description, legend)
    unplaced = [asset for asset in result.inventory.assets if not asset.zone]
    proposed = () if result.policy.given else (Note("limit", texts.text("zoning.proposed")),)
    return Section(
        "zoning",
        texts.say("zoning.title"),
        (
            Paragraph(texts.text("zoning.lead")),
            *proposed,
            Figure("figure-zones", svg, texts.say("map.title"), description),
            *((Note("limit", texts.text("map.more", count=more)),) if more > 0 else ()),
        ),
        (
            Section("zones", texts.say("zones.title"), (_zones(material),)),
            Section("conduits", texts.say("conduits.title"), (_conduits(material, found), _unused(material))),
            Section(
                "unplaced",
                texts.say("unplaced.title"),
                (
                    Paragraph(texts.text("unplaced.lead", count=len(unplaced))),
                    *((Bullets(tuple(text(material.asset(asset.id)) for asset in unplaced[:50])),) if unplaced else ()),
                ),
            ),
        ),
    )


def _zones(material: Material) -> Table:
    texts, result = material.texts, material.result
    seen = Counter(asset.zone for asset in result.inventory.assets)
    rows = tuple(
        (
            text(material.zone(zone.id)),
            text(Span(zone.id, "code")),
            text(material.level(zone.purdue)),
            text(zone.target or texts.say("open")),
            text(", ".join(zone.members) or texts.say("zones.by_asset")),
            material.number(seen[zone.id]),
        )
        for zone in result.zones
    )
    described = columns(
        texts, ("zone", 1.8), ("id", 1.0), ("level", 0.7), ("target", 1.2), ("members", 1.6), ("seen", 0.6, "right")
    )
    return Table("table-zones", described, rows, texts.say("zones.caption"), heads=True)


def _conduits(material: Material, found: tuple[Passage, ...]) -> Table:
    texts, legend = material.texts, _legend(material)
    rows = tuple(
        (
            text(material.zone(one.start)),
            text(material.zone(one.end)),
            text(legend.get(one.kind, "")),
            material.joined(Span(name, "code") for name in one.conduits),
            material.number(one.events),
        )
        for one in found
    )
    described = columns(texts, ("from", 1.3), ("to", 1.3), ("state", 1.2), ("conduits", 1.7), ("counted", 0.8, "right"))
    return Table("table-conduits", described, rows, texts.say("conduits.caption"), texts.text("conduits.note"))


def _unused(material: Material) -> Paragraph | Table:
    texts, flows = material.texts, material.result.unused_flows
    if not flows:
        return Paragraph(texts.text("unused.none" if material.result.policy.given else "unused.no_policy"))
    rows = tuple(
        (
            text(Span(f"{flow.conduit}/{flow.flow}", "code")),
            text(material.zone(flow.from_zone)),
            text(material.zone(flow.to_zone)),
            text(flow.protocol),
            text(", ".join(texts.word("operation", word) for word in flow.operations) or texts.say("all")),
            text(flow.purpose),
            text(flow.until or "–"),
        )
        for flow in flows
    )
    described = columns(
        texts,
        ("flow", 1.7),
        ("from", 1.0),
        ("to", 1.0),
        ("protocol", 0.7),
        ("operations", 1.0),
        ("purpose", 1.2),
        ("until", 0.8),
    )
    return Table("table-unused", described, rows, texts.say("unused.caption"), texts.text("unused.note"))


def matrix(material: Material) -> Section:
    """From zone to zone: as a drawing, and line by line."""
    result, texts = material.result, material.texts
    if not result.matrix:
        return Section("matrix", texts.say("matrix.title"), (Paragraph(texts.text("matrix.none")),))
    names = material.zone_names
    counts: dict[tuple[str, str], Counter[Verdict]] = defaultdict(Counter)
    for cell in result.matrix:
        counts[cell.from_zone, cell.to_zone][cell.verdict] += cell.events
    judged = result.policy.given
    cells = [
        Cell(
            start,
            end,
            worst(found) if judged else None,
            sum(found.values()),
            f"{_between(material, start, end)}: {_tally(material, found)}",
        )
        for (start, end), found in sorted(counts.items())
    ]
    zones = [(zone, names.get(zone, zone)) for zone in matrix_zones(result)]
    description = texts.say("matrix.description", count=len(zones), pairs=len(cells))
    legend = {verdict: texts.word("verdict", verdict) for verdict in VERDICTS} if judged else {}
    svg = communication_matrix(zones, cells, texts.say("matrix.drawn"), description, texts.say("matrix.corner"), legend)
    return Section(
        "matrix",
        texts.say("matrix.title"),
        (
            Paragraph(texts.text("matrix.lead")),
            Figure("figure-matrix", svg, texts.say("matrix.drawn"), description),
            _lines(material),
        ),
    )


def _between(material: Material, start: str, end: str) -> str:
    return f"{material.zone(start).text} → {material.zone(end).text}"


def _tally(material: Material, found: Counter[Verdict]) -> str:
    texts = material.texts
    if not material.result.policy.given:
        return texts.number(sum(found.values()))
    return ", ".join(
        f"{texts.word('verdict', verdict)} {texts.number(found[verdict])}"
        for verdict in VERDICT_ORDER
        if verdict in found
    )


def _lines(material: Material) -> Table:
    texts, judged = material.texts, material.result.policy.given
    cells = sorted(
        material.result.matrix,
        key=lambda cell: (
            VERDICT_ORDER.index(cell.verdict),
            *(cell.from_zone, cell.to_zone, not cell.operation, cell.protocol, cell.operation),
        ),
    )
    rows = tuple(
        (
            text(material.zone(cell.from_zone)),
            text(material.zone(cell.to_zone)),
            text(cell.protocol),
            text(texts.word("operation", cell.operation) if cell.operation else texts.say("matrix.traffic")),
            text(material.verdict(cell.verdict)) if judged else texts.text("matrix.unjudged"),
            material.number(cell.events),
        )
        for cell in cells
    )
    described = columns(
        texts,
        ("from", 1.4),
        ("to", 1.4),
        ("protocol", 0.9),
        ("operation", 1.0),
        ("verdict", 1.1),
        ("counted", 0.8, "right"),
    )
    return Table("table-matrix", described, rows, texts.say("matrix.caption"), texts.text("matrix.note"))
