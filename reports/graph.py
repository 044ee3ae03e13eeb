"""The communication map as data for the drawing: nodes with places, lines with what was said on them.

Every text that packets can set is made printable here, and reaches the page as text only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log10
from statistics import median
from typing import Any, Final

from zonewatch.inventory.model import Asset, Edge, Function
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.reports.layout import Box, Place, arrange
from zonewatch.reports.paths import names_of, step_words
from zonewatch.reports.result import AuditResult, VerdictRow, edge_key, edge_verdicts, ordered, worst
from zonewatch.reports.tables import by_place
from zonewatch.reports.words import (
    LEVEL_WORDS,
    POSTURE_MARKS,
    VERDICT_MARKS,
    counted,
    frames,
    label,
    level,
    number,
    operation,
    period,
    product,
    size,
    target,
    visible,
)
from zonewatch.rules.findings import Finding

__all__ = ["MAX_ASSETS", "MAX_LINES", "map_data"]

MAX_ASSETS: Final = 300
MAX_LINES: Final = 900
MAX_KEPT: Final = 60
"""Assets of grave findings that stay on their own where others are drawn together."""
OUTSIDE: Final = "\x00outside"
NO_ZONE: Final = "\x00none"
_SHORT_ROLES: Final[dict[str, str]] = {"engineering_station": "engineering", "unknown": "role unknown"}
_SUBJECTS: Final = 3
_LINKS: Final = 10
_FUNCTIONS: Final = 20
_TARGETS: Final = 10
_CLAIMS: Final = 30
_WAYS: Final = 100
_WEIGHT: Final = {"violation": 4, "unzoned": 3, "cannot_conclude": 2, "allowed": 1, "": 0}


@dataclass(frozen=True, slots=True)
class _Line:
    """What is drawn as one line: all edges between two nodes of one control protocol, or of other traffic."""

    source: str
    target: str
    ot: bool
    edges: tuple[Edge, ...]
    verdicts: tuple[VerdictRow, ...]

    @property
    def verdict(self) -> str:
        return worst(row.verdict for row in self.verdicts) or ""

    @property
    def bytes(self) -> int:
        return sum(edge.bytes for edge in self.edges)


def map_data(result: AuditResult) -> dict[str, Any]:
    """Nodes, lines, details and notes, as JSON values."""
    result = ordered(result)
    node_of = _nodes_of(result)
    lines = _lines(result, node_of)
    drawn = sorted(lines, key=lambda line: (-_WEIGHT[line.verdict], not line.ot, -line.bytes, line.source, line.target))
    drawn = drawn[:MAX_LINES]
    boxes, labels = _boxes(result, node_of, lines)
    arrangement = arrange(boxes)
    grave = {name for row in result.findings if _is_about(row) for name in row.assets}
    groups: dict[str, list[Asset]] = {}
    for asset in result.inventory.assets:
        groups.setdefault(node_of[asset.id], []).append(asset)
    names = {asset.id: visible(label(asset), 60) for asset in result.inventory.assets}
    ids = {name: f"n{index}" for index, name in enumerate(arrangement.members)}
    return {
        "bands": [{"label": band.label, **_place(band.place)} for band in arrangement.bands],
        "zones": [
            {
                "id": f"z{index}",
                "label": _title(labels[box.id], arrangement.titles[box.id]),
                **_place(arrangement.titles[box.id]),
            }
            for index, box in enumerate(boxes)
        ],
        "nodes": [
            {
                "id": ids[member],
                "zone": f"z{index}",
                **_node(member, groups.get(member, []), grave),
                **_place(arrangement.members[member]),
            }
            for index, box in enumerate(boxes)
            for member in box.members
        ],
        "lines": [
            _line(f"e{index}", line, ids, names, arrangement.members)
            for index, line in enumerate(drawn)
            if line.source in ids and line.target in ids
        ],
        "assets": {ids[name]: _detail(rows) for name, rows in sorted(groups.items()) if name in ids},
        "find": {asset.id: ids[node_of[asset.id]] for asset in result.inventory.assets if node_of[asset.id] in ids},
        "ways": _ways(result, node_of, ids, drawn),
        "notes": _notes(result, groups, len(lines) - len(drawn)),
    }


def _ways(
    result: AuditResult, node_of: Mapping[str, str], ids: Mapping[str, str], drawn: list[_Line]
) -> list[dict[str, Any]]:
    """Ways of hosts from outside to controllers, with the nodes and lines that they pass, and the hosts to close."""
    names = names_of(result.inventory.assets)
    lines: dict[tuple[str, str], list[str]] = {}
    for index, line in enumerate(drawn):
        lines.setdefault((line.source, line.target), []).append(f"e{index}")
    found = []
    for paths in result.paths:
        closing = {node_of.get(item.name, item.name) for item in paths.close}
        for way in paths.ways[:_WAYS] if paths.level == "hosts" else ():
            ends = [node_of.get(name, name) for name in (way.steps[0].start, *(step.end for step in way.steps))]
            found.append(
                {
                    "label": f"{paths.basis}: {names(way.steps[0].start)} → {names(way.steps[-1].end)}",
                    "nodes": [ids[end] for end in dict.fromkeys(ends) if end in ids],
                    "close": [ids[end] for end in dict.fromkeys(ends) if end in closing and end in ids],
                    "lines": [name for pair in pairwise(ends) for name in lines.get(pair, ())],
                    "steps": [step_words(step, names) for step in way.steps],
                }
            )
    return found


def _is_about(finding: Finding) -> bool:
    """Whether a grave finding is about its devices, and does not just list all that were touched."""
    return finding.severity in ("critical", "high") and len(finding.assets) <= _SUBJECTS


def _place(place: Place) -> dict[str, float]:
    return {"x": round(place.x), "y": round(place.y), "w": round(place.width), "h": round(place.height)}


def _zone_of(asset: Asset) -> str:
    return asset.zone or (OUTSIDE if asset.kind == "external" or asset.role == "external" else NO_ZONE)


def _title(text: str, place: Place) -> str:
    return visible(text, max(int(place.width / 9), 12))


def _nodes_of(result: AuditResult) -> dict[str, str]:
    """Which node stands for each asset: itself, or where there are too many, a group of its zone."""
    assets = result.inventory.assets
    if len(assets) <= MAX_ASSETS:
        return {asset.id: asset.id for asset in assets}
    named = [name for row in result.findings if row.severity in ("critical", "high") for name in row.assets]
    kept = set(list(dict.fromkeys(named))[:MAX_KEPT])
    if sum(asset.kind == "ot" for asset in assets) + MAX_KEPT <= MAX_ASSETS:
        kept |= {asset.id for asset in assets if asset.kind == "ot"}
    return {
        asset.id: asset.id if asset.id in kept else f"\x00group\x00{_zone_of(asset)}\x00{asset.role}"
        for asset in assets
    }


def _lines(result: AuditResult, node_of: Mapping[str, str]) -> list[_Line]:
    verdicts = edge_verdicts(result)
    found: dict[tuple[str, str, str], list[Edge]] = {}
    for edge in result.inventory.edges:
        ends = (node_of.get(edge.client, edge.client), node_of.get(edge.server, edge.server))
        found.setdefault((*ends, edge.protocol if edge.ot else ""), []).append(edge)
    lines = []
    for (source, server, protocol), edges in sorted(found.items()):
        keys = dict.fromkeys(edge_key(edge) for edge in edges)
        rows = tuple(row for key in keys for row in verdicts.get(key, ()))
        edges.sort(key=lambda edge: -edge.bytes)
        lines.append(_Line(source, server, bool(protocol), tuple(edges), rows))
    return lines


def _boxes(result: AuditResult, node_of: Mapping[str, str], lines: Iterable[_Line]) -> tuple[list[Box], dict[str, str]]:
    members: dict[str, list[str]] = {}
    purdue: dict[str, list[float]] = {}
    for asset in by_place(result):
        zone = _zone_of(asset)
        members.setdefault(zone, []).append(node_of[asset.id])
        purdue.setdefault(zone, []).extend([] if asset.purdue is None else [asset.purdue])
    where = {name: zone for zone, names in members.items() for name in names}
    for line in lines:  # broadcast and multicast stand in the zone of their first sender
        if line.target not in where:
            zone = where.get(line.source, NO_ZONE)
            where[line.target] = zone
            members.setdefault(zone, []).append(line.target)
    declared = {zone.id: zone for zone in result.zones}
    labels = {OUTSIDE: "Public addresses", NO_ZONE: "In no zone"}
    levels: dict[str, float | None] = {}
    for zone in members:
        known = declared[zone].purdue if zone in declared else None
        levels[zone] = known if known is not None else _nearest(purdue.get(zone, []))
        if zone not in labels:
            labels[zone] = visible((declared[zone].name if zone in declared else "") or zone, 40)

    def order(zone: str) -> tuple[bool, bool, bool, float, str]:
        return (zone != OUTSIDE, zone == NO_ZONE, levels[zone] is None, -(levels[zone] or 0.0), zone)

    busy = Counter(end for line in lines if line.ot for end in {where.get(line.source, ""), where.get(line.target, "")})
    rows: dict[str, list[str]] = {}
    for zone in sorted(members, key=order):
        rows.setdefault(_row(zone, levels[zone]), []).append(zone)
    boxes = [
        Box(zone, row, tuple(dict.fromkeys(members[zone])))
        for row, zones in rows.items()
        for zone in _middle_out(sorted(zones, key=lambda zone: -busy[zone]))
    ]
    return boxes, labels


def _middle_out(zones: list[str]) -> list[str]:
    """The first in the middle, the others left and right of it by turns."""
    return [*reversed(zones[1::2]), *zones[0::2]]


def _nearest(levels: list[float]) -> float | None:
    if not levels:
        return None
    middle = median(levels)
    return min(LEVEL_WORDS, key=lambda known: (abs(known - middle), known))


def _row(zone: str, purdue: float | None) -> str:
    if zone == OUTSIDE:
        return "Outside"
    if zone == NO_ZONE:
        return "No zone"
    word = LEVEL_WORDS.get(purdue) if purdue is not None else None
    return f"{level(purdue)}\n{word}" if word else level(purdue)


def _node(member: str, assets: list[Asset], grave: set[str]) -> dict[str, Any]:
    if len(assets) == 1 and assets[0].id == member:
        asset = assets[0]
        return {
            "kind": asset.kind,
            "label": f"{visible(label(asset), 18)}\n{_SHORT_ROLES.get(asset.role, ROLE_NAMES[asset.role])}",
            "grave": asset.id in grave,
        }
    if assets:
        return {"kind": "group", "label": f"{number(len(assets))} ×\n{ROLE_NAMES[assets[0].role]}", "grave": False}
    cast, _, address = member.partition(":")
    return {
        "kind": "cast",
        "label": f"{visible(address or cast, 18)}\n{'broadcast' if address else ''}",
        "grave": False,
    }


def _line(
    name: str, line: _Line, ids: Mapping[str, str], names: Mapping[str, str], places: Mapping[str, Place]
) -> dict[str, Any]:
    source, server = places[line.source], places[line.target]
    same_row = abs(source.y - server.y) < 1 and line.source != line.target
    operations = sorted({word for edge in line.edges for word in edge.operations})
    protocols = sorted({edge.protocol for edge in line.edges})
    return {
        "id": name,
        "source": ids[line.source],
        "target": ids[line.target],
        "verdict": line.verdict,
        "ot": line.ot,
        "protocols": [visible(protocol, 40) for protocol in protocols[:12]],
        "operations": [operation(word) for word in operations],
        "width": round(
            min(max(log10(line.bytes + 10) - 1.5, 2.5 if line.verdict not in ("", "allowed") else 1.2), 6.0), 1
        ),
        "bend": round(min(abs(source.x - server.x) / 5, 60)) if same_row else 0,
        "links": [_link(edge, line.verdicts, names) for edge in line.edges[:_LINKS]],
        "more": max(len(line.edges) - _LINKS, 0),
    }


def _link(edge: Edge, verdicts: tuple[VerdictRow, ...], names: Mapping[str, str]) -> dict[str, Any]:
    own = [row for row in verdicts if (row.client, row.server, row.protocol) == edge_key(edge)]
    counts = [counted(edge.events, "exchange")] if edge.ot else []
    port = f"{edge.transport}/{edge.server_port}" if edge.server_port else edge.transport
    return {
        "client": names.get(edge.client, visible(edge.client, 60)),
        "server": names.get(edge.server, visible(edge.server, 60)),
        "addresses": f"{visible(edge.client_address)} → {visible(edge.server_address)}",
        "protocol": visible(edge.protocol, 40),
        "port": visible(port),
        "volume": ", ".join([*counts, counted(edge.packets, "packet"), size(edge.bytes)]),
        "time": period(edge.first_time, edge.last_time),
        "state": edge.state.replace("_", " "),
        "frames": frames(edge.evidence, 4),
        "functions": [_function(function, own) for function in edge.functions[:_FUNCTIONS]],
        "more": max(len(edge.functions) - _FUNCTIONS, 0),
        "verdicts": [] if edge.functions else [_verdict(row) for row in own[:4]],
    }


def _function(function: Function, verdicts: list[VerdictRow]) -> dict[str, Any]:
    code = "" if function.code is None else f"{function.code} "
    targets = [target(row) for row in function.targets]
    more = len(targets) - _TARGETS
    own = [row for row in verdicts if row.function == function.name and row.operation == function.operation]
    kept = sorted(own, key=lambda row: -_WEIGHT[row.verdict])[:2]
    return {
        "name": code + visible(function.name or "unknown function", 60),
        "operation": operation(function.operation),
        "unit": visible(function.unit, 40),
        "events": number(function.events),
        "targets": targets[:_TARGETS] + ([f"{more} more"] if more > 0 else []),
        "statuses": [f"{status.replace('_', ' ')} {number(count)}" for status, count in function.statuses],
        "frames": frames(function.evidence, 4),
        "verdicts": [_verdict(row) for row in kept],
    }


def _verdict(row: VerdictRow) -> dict[str, str]:
    flow = "/".join(part for part in (row.conduit, row.flow) if part)
    words = [word for word in (visible(flow), visible(row.reason)) if word]
    return {"verdict": row.verdict, "word": VERDICT_MARKS[row.verdict].word, "why": ": ".join(words)}


def _detail(assets: list[Asset]) -> dict[str, Any]:
    if len(assets) > 1:
        names = [visible(label(asset), 40) for asset in assets[:60]]
        more = len(assets) - len(names)
        return {
            "name": counted(len(assets), "device"),
            "members": names + ([f"and {number(more)} more"] if more else []),
        }
    asset = assets[0]
    claims = sorted(asset.claims, key=lambda claim: (claim.attribute, not claim.winner, claim.value))
    facts = {
        "role": f"{ROLE_NAMES[asset.role]} ({asset.role_confidence} confidence)",
        "because": visible("; ".join(asset.role_reasons)),
        "product": product(asset),
        "firmware": visible(asset.firmware),
        "serial": visible(asset.serial),
        "addresses": ", ".join(asset.addresses),
        "MAC": ", ".join(asset.macs),
        "zone": visible(asset.zone),
        "level": "" if asset.purdue is None else level(asset.purdue),
        "criticality": visible(asset.criticality),
        "declared as": visible(asset.declared),
        "seen": period(asset.first_time, asset.last_time),
        "behind it": ", ".join(f"{unit.protocol} {visible(unit.unit)}" for unit in asset.units[:40]),
    }
    return {
        "name": visible(label(asset), 80),
        "facts": [[key, value] for key, value in facts.items() if value],
        "claims": [
            {
                "what": visible(claim.attribute),
                "value": visible(claim.value, 120),
                "from": f"{visible(claim.protocol)}, {claim.confidence}",
                "frames": frames((claim.evidence,)) if claim.evidence else "",
                "winner": claim.winner,
            }
            for claim in claims[:_CLAIMS]
        ],
        "services": [
            {
                "name": f"{visible(row.protocol)} {row.transport}/{row.port}",
                "posture": row.posture,
                "word": POSTURE_MARKS[row.posture].meaning,
                "reason": visible(row.reason),
                "frames": frames((row.evidence,)) if row.evidence else "",
            }
            for row in asset.services[:_CLAIMS]
        ],
    }


def _notes(result: AuditResult, groups: Mapping[str, list[Asset]], hidden: int) -> list[str]:
    notes = []
    if len(result.inventory.assets) > MAX_ASSETS:
        drawn = sum(len(rows) == 1 for rows in groups.values())
        notes.append(
            f"{counted(len(result.inventory.assets), 'device')} are too many to draw one by one: {number(drawn)} are, "
            "the others stand together by zone and role. assets.csv has every one."
        )
    if hidden > 0:
        notes.append(f"{counted(hidden, 'line')} of the least weight are not drawn; edges.csv has all of them.")
    return notes
