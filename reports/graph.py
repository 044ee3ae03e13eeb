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
from zonewatch.reports.layout import Box, Place, arrange
from zonewatch.reports.paths import names_of, step_words
from zonewatch.reports.result import AuditResult, VerdictRow, declared_as, edge_key, edge_verdicts, ordered, worst
from zonewatch.reports.speech import Speech
from zonewatch.reports.tables import by_place
from zonewatch.reports.words import LEVEL_WORDS, label, product, target, visible
from zonewatch.rules.findings import Finding

__all__ = ["MAX_ASSETS", "MAX_LINES", "map_data"]

MAX_ASSETS: Final = 300
MAX_LINES: Final = 900
MAX_KEPT: Final = 60
"""Assets of grave findings that stay on their own where others are drawn together."""
OUTSIDE: Final = "\x00outside"
NO_ZONE: Final = "\x00none"
_SHORT_ROLES: Final = ("engineering_station", "unknown")
"""Roles that have a shorter word, or one of their own, in a node."""
_SUBJECTS: Final = 3
_LINKS: Final = 10
_FUNCTIONS: Final = 20
_TARGETS: Final = 10
_CLAIMS: Final = 30
_WAYS: Final = 100
SCRIPT_WORDS: Final = ("services", "claims", "not_used", "close", "closing", "copy", "copied")
"""What the page's scripts say, by their keys in the catalogue."""
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


def map_data(result: AuditResult, speech: Speech) -> dict[str, Any]:
    """Nodes, lines, details, notes and the words of the scripts, as JSON values."""
    result = ordered(result)
    node_of = _nodes_of(result)
    lines = _lines(result, node_of)
    drawn = sorted(lines, key=lambda line: (-_WEIGHT[line.verdict], not line.ot, -line.bytes, line.source, line.target))
    drawn = drawn[:MAX_LINES]
    boxes, labels = _boxes(result, node_of, lines, speech)
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
                **_node(member, groups.get(member, []), grave, speech),
                **_place(arrangement.members[member]),
            }
            for index, box in enumerate(boxes)
            for member in box.members
        ],
        "lines": [
            _line(f"e{index}", line, ids, names, arrangement.members, speech)
            for index, line in enumerate(drawn)
            if line.source in ids and line.target in ids
        ],
        "assets": {ids[name]: _detail(result, rows, speech) for name, rows in sorted(groups.items()) if name in ids},
        "find": {asset.id: ids[node_of[asset.id]] for asset in result.inventory.assets if node_of[asset.id] in ids},
        "ways": _ways(result, node_of, ids, drawn, speech),
        "notes": _notes(result, groups, len(lines) - len(drawn), speech),
        "words": {name: speech.say(f"script.{name}") for name in SCRIPT_WORDS}
        | {name: speech.word("language", name) for name in ("decimal", "thousands")},
    }


def _ways(
    result: AuditResult, node_of: Mapping[str, str], ids: Mapping[str, str], drawn: list[_Line], speech: Speech
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
            first, last = names(way.steps[0].start), names(way.steps[-1].end)
            ends = [node_of.get(name, name) for name in (way.steps[0].start, *(step.end for step in way.steps))]
            found.append(
                {
                    "label": f"{speech.say(f'way.{paths.basis}')}: {first} → {last}",
                    "nodes": [ids[end] for end in dict.fromkeys(ends) if end in ids],
                    "close": [ids[end] for end in dict.fromkeys(ends) if end in closing and end in ids],
                    "lines": [name for pair in pairwise(ends) for name in lines.get(pair, ())],
                    "steps": [step_words(step, names, speech) for step in way.steps],
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


def _boxes(
    result: AuditResult, node_of: Mapping[str, str], lines: Iterable[_Line], speech: Speech
) -> tuple[list[Box], dict[str, str]]:
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
    labels = {OUTSIDE: speech.say("map.public"), NO_ZONE: speech.say("zone.none")}
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
        rows.setdefault(_row(zone, levels[zone], speech), []).append(zone)
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


def _row(zone: str, purdue: float | None, speech: Speech) -> str:
    if zone == OUTSIDE:
        return speech.say("map.outside")
    if zone == NO_ZONE:
        return speech.say("map.unzoned")
    told = level_words(purdue, speech)
    if purdue is None or purdue not in LEVEL_WORDS:
        return told
    return f"{told}\n{speech.word('level', f'{purdue:g}')}"


def level_words(purdue: float | None, speech: Speech) -> str:
    """`Level 3.5`."""
    return speech.say("level.unknown") if purdue is None else speech.say("level.number", level=f"{purdue:g}")


def _node(member: str, assets: list[Asset], grave: set[str], speech: Speech) -> dict[str, Any]:
    if len(assets) == 1 and assets[0].id == member:
        asset = assets[0]
        role = speech.word("node" if asset.role in _SHORT_ROLES else "role", asset.role)
        return {
            "kind": asset.kind,
            "label": f"{visible(label(asset), 18)}\n{role}",
            "grave": asset.id in grave,
        }
    if assets:
        return {
            "kind": "group",
            "label": f"{speech.number(len(assets))} ×\n{speech.word('role', assets[0].role)}",
            "grave": False,
        }
    cast, _, address = member.partition(":")
    kind = speech.say("node.broadcast") if address else ""
    return {
        "kind": "cast",
        "label": f"{visible(address or cast, 18)}\n{kind}",
        "grave": False,
    }


def _line(
    name: str,
    line: _Line,
    ids: Mapping[str, str],
    names: Mapping[str, str],
    places: Mapping[str, Place],
    speech: Speech,
) -> dict[str, Any]:
    source, server = places[line.source], places[line.target]
    same_row = abs(source.y - server.y) < 1 and line.source != line.target
    operations = sorted({word for edge in line.edges for word in edge.operations})
    protocols = sorted({edge.protocol for edge in line.edges})
    more = max(len(line.edges) - _LINKS, 0)
    return {
        "id": name,
        "source": ids[line.source],
        "target": ids[line.target],
        "verdict": line.verdict,
        "ot": line.ot,
        "protocols": [visible(protocol, 40) for protocol in protocols[:12]],
        "operations": [speech.operation(word) for word in operations],
        "width": round(
            min(max(log10(line.bytes + 10) - 1.5, 2.5 if line.verdict not in ("", "allowed") else 1.2), 6.0), 1
        ),
        "bend": round(min(abs(source.x - server.x) / 5, 60)) if same_row else 0,
        "links": [_link(edge, line.verdicts, names, speech) for edge in line.edges[:_LINKS]],
        "more": speech.say("map.more_connections", count=more) if more else "",
    }


def _link(edge: Edge, verdicts: tuple[VerdictRow, ...], names: Mapping[str, str], speech: Speech) -> dict[str, Any]:
    own = [row for row in verdicts if (row.client, row.server, row.protocol) == edge_key(edge)]
    counts = [speech.counted(edge.events, "exchange")] if edge.ot else []
    port = f"{edge.transport}/{edge.server_port}" if edge.server_port else edge.transport
    more = max(len(edge.functions) - _FUNCTIONS, 0)
    return {
        "client": names.get(edge.client, visible(edge.client, 60)),
        "server": names.get(edge.server, visible(edge.server, 60)),
        "addresses": f"{visible(edge.client_address)} → {visible(edge.server_address)}",
        "protocol": visible(edge.protocol, 40),
        "port": visible(port),
        "volume": ", ".join([*counts, speech.counted(edge.packets, "packet"), speech.size(edge.bytes)]),
        "time": speech.period(edge.first_time, edge.last_time),
        "state": speech.word("flow_state", edge.state) if edge.state else "",
        "frames": speech.frames(edge.evidence, 4),
        "functions": [_function(function, own, speech) for function in edge.functions[:_FUNCTIONS]],
        "more": speech.say("map.more_functions", count=more) if more else "",
        "verdicts": [] if edge.functions else [_verdict(row, speech) for row in own[:4]],
    }


def _function(function: Function, verdicts: list[VerdictRow], speech: Speech) -> dict[str, Any]:
    code = "" if function.code is None else f"{function.code} "
    targets = [target(row) for row in function.targets]
    more = len(targets) - _TARGETS
    own = [row for row in verdicts if row.function == function.name and row.operation == function.operation]
    kept = sorted(own, key=lambda row: -_WEIGHT[row.verdict])[:2]
    unit = visible(function.unit, 40)
    parts = (
        speech.operation(function.operation),
        f"{speech.number(function.events)} ×",
        speech.say("map.unit", unit=unit) if unit else "",
    )
    return {
        "name": code + visible(function.name or speech.say("map.no_function"), 60),
        "summary": " · ".join(part for part in parts if part),
        "targets": targets[:_TARGETS] + ([speech.say("list.more", more=str(more))] if more > 0 else []),
        "statuses": [f"{speech.word('ended', status)} {speech.number(count)}" for status, count in function.statuses],
        "frames": speech.frames(function.evidence, 4),
        "verdicts": [_verdict(row, speech) for row in kept],
    }


def _verdict(row: VerdictRow, speech: Speech) -> dict[str, str]:
    flow = "/".join(part for part in (row.conduit, row.flow) if part)
    words = [word for word in (visible(flow), visible(speech.quoted(row.reason))) if word]
    return {"verdict": row.verdict, "word": speech.word("mark", row.verdict), "why": ": ".join(words)}


def _detail(result: AuditResult, assets: list[Asset], speech: Speech) -> dict[str, Any]:
    if len(assets) > 1:
        names = [visible(label(asset), 40) for asset in assets[:60]]
        more = len(assets) - len(names)
        return {
            "name": speech.counted(len(assets), "device"),
            "members": names + ([speech.say("map.more_members", more=more)] if more else []),
        }
    asset = assets[0]
    declared = declared_as(result, asset)
    claims = sorted(asset.claims, key=lambda claim: (claim.attribute, not claim.winner, claim.value))
    sure = speech.word("sure", asset.role_confidence)
    facts = {
        "role": speech.say("map.role", role=speech.word("role", asset.role), sure=sure),
        "because": visible("; ".join(map(speech.quoted, asset.role_reasons))),
        "product": product(asset),
        "firmware": visible(asset.firmware),
        "serial": visible(asset.serial),
        "addresses": ", ".join(asset.addresses),
        "mac": ", ".join(asset.macs),
        "zone": visible(asset.zone),
        "level": "" if asset.purdue is None else level_words(asset.purdue, speech),
        "criticality": visible(speech.word("criticality", asset.criticality)) if asset.criticality else "",
        "declared": visible(declared),
        "seen": speech.period(asset.first_time, asset.last_time),
        "behind": ", ".join(f"{unit.protocol} {visible(unit.unit)}" for unit in asset.units[:40]),
    }
    return {
        "name": visible(label(asset), 80),
        "facts": [[speech.word("about", key), value] for key, value in facts.items() if value],
        "claims": [
            {
                "what": visible(speech.word("claim", claim.attribute)),
                "value": visible(claim.value, 120),
                "from": f"{visible(claim.protocol)}, {speech.word('sure', claim.confidence)}",
                "frames": speech.frames((claim.evidence,)) if claim.evidence else "",
                "winner": claim.winner,
            }
            for claim in claims[:_CLAIMS]
        ],
        "services": [
            {
                "name": f"{visible(row.protocol)} {row.transport}/{row.port}",
                "posture": row.posture,
                "word": speech.say(f"obeys.{row.posture}"),
                "reason": visible(speech.quoted(row.reason)),
                "frames": speech.frames((row.evidence,)) if row.evidence else "",
            }
            for row in asset.services[:_CLAIMS]
        ],
    }


def _notes(result: AuditResult, groups: Mapping[str, list[Asset]], hidden: int, speech: Speech) -> list[str]:
    notes = []
    if len(result.inventory.assets) > MAX_ASSETS:
        drawn = sum(len(rows) == 1 for rows in groups.values())
        notes.append(speech.say("map.too_many", count=len(result.inventory.assets), drawn=drawn))
    if hidden > 0:
        notes.append(speech.say("map.hidden", count=hidden))
    return notes
