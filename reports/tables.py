"""The tables of a result folder: assets, edges, findings."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from zonewatch.inventory.model import Asset, Edge, Evidence, Posture
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.reports.codec import indented
from zonewatch.reports.json_result import finding_objects
from zonewatch.reports.result import AuditResult, VerdictRow, declared_as, edge_key, edge_verdicts, ordered, worst
from zonewatch.reports.rows import Cell, Column, Rows
from zonewatch.reports.words import frames, iso_time, label, named, posture, product, spoken, target, visible
from zonewatch.rules.findings import Finding

__all__ = ["asset_rows", "asset_table", "by_place", "edge_rows", "edge_table", "finding_rows", "findings_json"]

ASSET_COLUMNS: Final = (
    Column("id"),
    Column("name"),
    Column("seen"),
    Column("kind"),
    Column("role"),
    Column("role_confidence"),
    Column("role_reasons"),
    Column("purdue"),
    Column("zone"),
    Column("vendor"),
    Column("model"),
    Column("firmware"),
    Column("serial"),
    Column("operating_system"),
    Column("users"),
    Column("addresses"),
    Column("macs"),
    Column("vlans"),
    Column("services"),
    Column("authentication"),
    Column("units"),
    Column("criticality"),
    Column("declared"),
    Column("first_seen"),
    Column("last_seen"),
    Column("evidence"),
)
EDGE_COLUMNS: Final = (
    Column("client"),
    Column("client_name"),
    Column("client_zone"),
    Column("client_address"),
    Column("server"),
    Column("server_name"),
    Column("server_zone"),
    Column("server_address"),
    Column("protocol"),
    Column("transport"),
    Column("server_port"),
    Column("ot"),
    Column("operations"),
    Column("functions"),
    Column("targets"),
    Column("events"),
    Column("packets"),
    Column("bytes"),
    Column("state"),
    Column("verdict"),
    Column("flows"),
    Column("first_seen"),
    Column("last_seen"),
    Column("evidence"),
)


def asset_rows(result: AuditResult) -> Rows:
    """`assets.csv`: every asset, then the declared ones that no packet showed."""
    seen = [_asset(asset, declared_as(result, asset)) for asset in ordered(result).inventory.assets]
    blank: tuple[Cell, ...] = ("",) * (len(ASSET_COLUMNS) - 3)
    unseen = [(name, name, False, *blank) for name in sorted(result.inventory.unseen)]
    return Rows(ASSET_COLUMNS, (*seen, *unseen))


def _asset(asset: Asset, declared: str) -> tuple[Cell, ...]:
    vlans = {interface.vlan for interface in asset.interfaces if interface.vlan is not None}
    weakest = posture(asset)
    return (
        asset.id,
        asset.name,
        True,
        asset.kind,
        asset.role,
        asset.role_confidence,
        asset.role_reasons,
        asset.purdue,
        asset.zone,
        asset.vendor,
        asset.model,
        asset.firmware,
        asset.serial,
        asset.operating_system,
        asset.users,
        asset.addresses,
        asset.macs,
        tuple(str(vlan) for vlan in sorted(vlans)),
        tuple(f"{row.protocol} {row.transport}/{row.port}" for row in asset.services),
        weakest.posture if weakest else "",
        tuple(f"{unit.protocol} {unit.unit}" for unit in asset.units),
        asset.criticality,
        declared,
        iso_time(asset.first_time),
        iso_time(asset.last_time),
        _evidence((asset.first_evidence,) if asset.first_evidence else ()),
    )


def edge_rows(result: AuditResult) -> Rows:
    """`edges.csv`: who speaks what to whom, with what the policy says of it."""
    verdicts = edge_verdicts(result)
    assets = {asset.id: asset for asset in result.inventory.assets}
    edges = ordered(result).inventory.edges
    return Rows(EDGE_COLUMNS, tuple(_edge(edge, assets, verdicts.get(edge_key(edge), ())) for edge in edges))


def _edge(edge: Edge, assets: dict[str, Asset], verdicts: tuple[VerdictRow, ...]) -> tuple[Cell, ...]:
    functions = edge.functions
    client, server = assets.get(edge.client), assets.get(edge.server)
    return (
        edge.client,
        label(client) if client else edge.client,
        client.zone if client else "",
        edge.client_address,
        edge.server,
        label(server) if server else edge.server,
        server.zone if server else "",
        edge.server_address,
        edge.protocol,
        edge.transport,
        edge.server_port,
        edge.ot,
        tuple(edge.operations),
        tuple(dict.fromkeys(_function(row.code, row.name) for row in functions)),
        tuple(dict.fromkeys(target(row) for function in functions for row in function.targets)),
        edge.events,
        edge.packets,
        edge.bytes,
        edge.state,
        worst(row.verdict for row in verdicts) or "",
        tuple(sorted({f"{row.conduit}/{row.flow}" for row in verdicts if row.flow})),
        iso_time(edge.first_time),
        iso_time(edge.last_time),
        _evidence(edge.evidence),
    )


def _function(code: int | None, name: str) -> str:
    return " ".join(part for part in ("" if code is None else str(code), name) if part)


def _evidence(rows: tuple[Evidence, ...]) -> tuple[str, ...]:
    return tuple(f"{row.capture}:{row.frame}" for row in rows)


def finding_rows(result: AuditResult) -> Rows:
    """One row a finding, for `zonewatch findings`."""
    columns = (
        Column("id", rank=4),
        Column("severity"),
        Column("state", rank=5),
        Column("owner", rank=6),
        Column("rule", rank=3),
        Column("title"),
        Column("assets", rank=7),
        Column("names", "assets", rank=2),
        Column("zones", rank=4),
        Column("protocol", rank=3),
        Column("operation", rank=4),
        Column("count", right=True, rank=2),
        Column("first_seen", rank=6),
        Column("last_seen", rank=6),
        Column("evidence", rank=1),
        Column("remedy", rank=5),
    )
    names = {asset.id: named(asset) for asset in result.inventory.assets}
    return Rows(columns, tuple(_finding(finding, names) for finding in ordered(result).findings))


def _finding(finding: Finding, names: dict[str, str]) -> tuple[Cell, ...]:
    return (
        finding.id,
        finding.severity,
        finding.state,
        finding.owner,
        finding.rule,
        finding.title,
        finding.assets,
        tuple(names.get(asset, asset) for asset in finding.assets),
        finding.zones,
        finding.protocol,
        finding.operation,
        finding.count,
        iso_time(finding.first_time),
        iso_time(finding.last_time),
        frames(finding.evidence, 4),
        finding.remedy,
    )


def asset_table(result: AuditResult, protocols: int = 3) -> Rows:
    """The assets for people: by level and zone, in words, with the first few protocols of each."""
    columns = (
        Column("name", style="bold"),
        Column("address", rank=1),
        Column("role"),
        Column("product", "vendor, model", rank=5),
        Column("zone", rank=2),
        Column("level", right=True, rank=6),
        Column("protocols", rank=4),
        Column("authentication", "auth", rank=3),
    )
    speaks = spoken(result.inventory.edges)
    rows: list[tuple[Cell, ...]] = []
    for asset in by_place(result):
        weakest = posture(asset)
        addresses = asset.addresses or asset.macs
        shown = (*addresses[:1], f"+{len(addresses) - 1}") if len(addresses) > 1 else addresses
        level = "" if asset.purdue is None else f"{asset.purdue:g}"
        said = speaks.get(asset.id, ())
        words = (*said[:protocols], f"+{len(said) - protocols}") if len(said) > protocols else said
        fields = (ROLE_NAMES[asset.role], visible(product(asset), 36), asset.zone, level, words)
        rows.append((label(asset), " ".join(shown), *fields, _posture_word(weakest.posture) if weakest else ""))
    return Rows(columns, tuple(rows))


def _posture_word(posture: Posture) -> str:
    return "" if posture == "unknown" else posture


def by_place(result: AuditResult) -> list[Asset]:
    """The assets from the highest Purdue level down, zone by zone; those in no zone last."""
    levels = {zone.id: zone.purdue for zone in result.zones}

    def place(asset: Asset) -> tuple[bool, float, str, tuple[tuple[int, int], ...], str]:
        purdue = levels.get(asset.zone)
        return (not asset.zone, -(-1.0 if purdue is None else purdue), asset.zone, _natural(asset), asset.id)

    return sorted(result.inventory.assets, key=place)


def _natural(asset: Asset) -> tuple[tuple[int, int], ...]:
    found = (_number(address) for address in asset.addresses)
    return tuple(sorted(number for number in found if number is not None)[:1])


@lru_cache(maxsize=1 << 14)
def _number(address: str) -> tuple[int, int] | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.version, int(parsed)


def edge_table(result: AuditResult) -> Rows:
    """The communication map for people: control protocols first."""
    columns = (
        Column("client"),
        Column("server"),
        Column("protocol"),
        Column("operations", rank=2),
        Column("events", right=True, rank=3),
        Column("packets", right=True, rank=4),
        Column("verdict", rank=1),
    )
    names = {asset.id: named(asset) for asset in result.inventory.assets}
    verdicts = edge_verdicts(result)
    rows: list[tuple[Cell, ...]] = []
    for edge in sorted(ordered(result).inventory.edges, key=lambda edge: not edge.ot):
        verdict = worst(row.verdict for row in verdicts.get(edge_key(edge), ())) or ""
        ends = (names.get(edge.client, edge.client), names.get(edge.server, edge.server))
        rows.append(
            (*ends, edge.protocol, tuple(edge.operations), edge.events, edge.packets, verdict.replace("_", " "))
        )
    return Rows(columns, tuple(rows))


def findings_json(result: AuditResult) -> str:
    """`findings.json`: the findings alone, as `result.json` has them."""
    rows = finding_objects(ordered(result))
    return indented({"findings_version": 1, "findings": rows}) + "\n"
