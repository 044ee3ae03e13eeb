"""Where the boundary of a zone does not hold: hosts with a foot in two zones, and zones that share a segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pyarrow.compute

from zonewatch.inventory.addresses import is_group, is_link_local, subnet
from zonewatch.inventory.model import Asset, Evidence, Interface
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context, Detector, Fact, Told, listing, sentence, span
from zonewatch.rules.findings import Finding, Severity

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
INFRASTRUCTURE: Final = frozenset(("router", "network_device"))
"""Roles of devices that are meant to have a foot in several zones."""
MOST_NAMESAKES: Final = 2
"""A name that more devices have is a maker's default, and not one host."""

Pair = tuple[str, str]


def _is_own(interface: Interface) -> bool:
    return bool(interface.address) and not interface.behind_router and not is_link_local(interface.address)


def _is_host(asset: Asset) -> bool:
    return asset.kind != "external" and asset.role not in INFRASTRUCTURE


def _zones(context: Context, asset: Asset) -> dict[str, list[str]]:
    """The addresses of a host by zone; those of one subnet count once where the zones are a proposal."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    subnets: set[str] = set()
    for interface in asset.interfaces:
        zone = context.places.of(asset.id, interface.address).zone if _is_own(interface) else ""
        if not zone or zone in context.places.zones.external:
            continue
        if context.proposed and (":" in interface.address or subnet(interface.address) in subnets):
            continue  # of one link a proposal makes two zones, one for each version of IP
        subnets.add(subnet(interface.address))
        found[zone].append(interface.address)
    return dict(found)


def dual_homed(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Hosts, other than declared or evident routers, that are in two zones at once."""
    for asset in context.inventory.assets:
        zones = _zones(context, asset) if _is_host(asset) else {}
        if len(zones) < 2:
            continue
        yield Told(_dual_homed(context, detector, [asset], zones, "one MAC address or one identity has them all"))
    for mac, places in sorted(_by_mac(context).items()):
        assets = [context.assets[name] for name in sorted(set(places.values()))]
        zones = {context.places.of(name, item).zone: [item] for item, name in sorted(places.items())}
        if len(assets) > 1 and len(zones) > 1:
            yield Told(_dual_homed(context, detector, assets, zones, f"MAC address {mac} asks by ARP as each of them"))
    for name, assets in sorted(_namesakes(context).items()):
        where = {asset.zone: asset for asset in assets}
        if len(where) < 2 or "" in where:
            continue
        zones = {zone: [context.name(asset.id)] for zone, asset in where.items()}
        yield Told(_dual_homed(context, detector, assets, zones, f"both state the name {name}"))


def _by_mac(context: Context) -> dict[str, dict[str, str]]:
    """Addresses, with their assets, that one MAC address sends ARP questions as. An answer may be a proxy's."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for activity in context.activities:
        if activity.protocol != "arp" or activity.action not in ("request", "gratuitous"):
            continue
        fields = dict(activity.fields)
        address = fields.get("arp.sender.ip", "")
        asset = context.assets.get(context.inventory.by_address.get((activity.evidence.source, address), ""))
        if asset is not None and _is_host(asset) and context.places.of(asset.id, address).zone:
            found[fields.get("arp.sender.mac", "")][address] = asset.id
    found.pop("", None)
    return dict(found)


def _namesakes(context: Context) -> dict[str, list[Asset]]:
    found: defaultdict[str, list[Asset]] = defaultdict(list)
    for asset in context.inventory.assets:
        if _is_host(asset) and not asset.declared and any(map(_is_own, asset.interfaces)):
            for name in {claim.value.lower() for claim in asset.claims if claim.attribute == "hostname"}:
                found[name].append(asset)
    return {name: assets for name, assets in found.items() if len(assets) == MOST_NAMESAKES}


def _dual_homed(
    context: Context, detector: Detector, assets: list[Asset], zones: dict[str, list[str]], why: str
) -> Finding:
    ids = [asset.id for asset in assets]
    severity: Severity = detector.severity
    reasons = ["a way around the boundary between the zones", why]
    if context.proposed:
        severity, reasons = "medium", [*reasons, "the zones are a proposal"]
    return detector.finding(
        tuple(("asset", name) for name in ids),
        f"{context.names(ids)} {'is' if len(ids) == 1 else 'are one host'} in {len(zones)} zones at once",
        severity,
        reasons,
        sentence(listing(f"{', '.join(found)} in zone {zone}" for zone, found in sorted(zones.items()))),
        [asset.first_evidence for asset in assets if asset.first_evidence],
        assets=ids,
        zones=sorted(zones),
        count=len(zones),
        when=span((asset.first_time, asset.last_time) for asset in assets),
    )


def shared_segment(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Zones whose members reach each other with nothing in between that could enforce a policy."""
    signs: defaultdict[Pair, list[tuple[str, Evidence, int, int]]] = defaultdict(list)
    for one, other, sign, evidence, first, last in (*_asked(context), *_direct(context), *_tagged(context)):
        pair = _pair(context, one, other)
        if pair is not None:
            signs[pair].append((sign, evidence, first, last))
    for (zone, beside), rows in sorted(signs.items()):
        severity: Severity = detector.severity
        reasons = ["no router or firewall between them could hold anything back; a transparent one would not be seen"]
        if context.proposed:
            severity, reasons = "low", [*reasons, "the zones are a proposal: it may be one subnet, larger than a /24"]
        finding = detector.finding(
            (("zones", f"{zone} {beside}"),),
            f"Zones {zone} and {beside} share a segment",
            severity,
            reasons,
            sentence(listing(dict.fromkeys(row[0] for row in rows), 6)),
            [row[1] for row in rows],
            zones=(zone, beside),
            count=len(rows),
            when=span((row[2], row[3]) for row in rows),
        )
        yield Told(finding)


_Sign = tuple[tuple[str, str], tuple[str, str], str, Evidence, int, int]
"""Asset and address of the two ends, what was seen, where, and when."""


def _pair(context: Context, one: tuple[str, str], other: tuple[str, str]) -> Pair | None:
    """The two zones, sorted, if each end is a host of the plant in a zone of its own."""
    zones = []
    for name, address in (one, other):
        asset = context.assets.get(name)
        if asset is None or not _is_host(asset):
            return None
        zones.append(context.places.of(name, address).zone)
    if not all(zones) or zones[0] == zones[1] or set(zones) & context.places.zones.external:
        return None
    if context.proposed and subnet(one[1]) == subnet(other[1]):
        return None  # a proposal that parts a subnet is no boundary yet
    return min(zones), max(zones)


def _announced(context: Context) -> frozenset[tuple[str, str, str]]:
    """Capture point, address and MAC address of who speaks ARP: of others, the MAC address may be a router's."""
    found = set()
    for activity in context.activities:
        if activity.protocol == "arp":
            fields = dict(activity.fields)
            ends = fields.get("arp.sender.ip", ""), fields.get("arp.sender.mac", "")
            found.add((activity.evidence.source, *ends))
    return frozenset(found)


def _asked(context: Context) -> Iterator[_Sign]:
    """ARP questions that a host of one zone sends for one of another (RFC 826): they end at a router."""
    ids = context.inventory.by_address
    for activity in context.activities:
        fields = dict(activity.fields) if activity.protocol == "arp" else {}
        asker, target = fields.get("arp.sender.ip", ""), fields.get("arp.target.ip", "")
        if not asker or not target or activity.action not in ("request", "reply"):
            continue
        source = activity.evidence.source
        one, other = ids.get((source, asker), ""), ids.get((source, target), "")
        if one and other:
            sign = f"ARP of {context.name(one)} for {context.name(other)}"
            yield (one, asker), (other, target), sign, activity.evidence, activity.first_time, activity.last_time


def _direct(context: Context) -> Iterator[_Sign]:
    """Frames that go from one host's own MAC address to another's."""
    announced = _announced(context)
    own = {
        (interface.source, interface.address): interface.mac
        for asset in context.inventory.assets
        for interface in asset.interfaces
        if _is_own(interface) and (interface.source, interface.address, interface.mac) in announced
    }
    ends = ("source", "client", "server", "client_mac", "server_mac")
    table = plain(context.flows.select([*ends, "capture", "first_frame", "first_time", "last_time"]))
    if not table.num_rows:
        return
    table = table.filter(pc.not_equal(table["client_mac"], table["server_mac"]))
    totals: list[Any] = [("first_time", "min"), ("last_time", "max"), ("first_frame", "min"), ("capture", "min")]
    groups = table.group_by(list(ends)).aggregate(totals)
    ids = context.inventory.by_address
    for row in groups.sort_by([(name, "ascending") for name in ends]).to_pylist():
        client, server = (row["source"], row["client"]), (row["source"], row["server"])
        if own.get(client) != row["client_mac"] or own.get(server) != row["server_mac"] or is_group(row["server"]):
            continue
        one, other = ids.get(client, ""), ids.get(server, "")
        evidence = Evidence(row["source"], row["capture_min"], row["first_frame_min"])
        sign = f"frames of {context.name(one)} straight to {context.name(other)}"
        yield (one, row["client"]), (other, row["server"]), sign, evidence, row["first_time_min"], row["last_time_max"]


def _tagged(context: Context) -> Iterator[_Sign]:
    """Hosts of two zones with the same VLAN tag at one capture point: a broadcast of one reaches the other."""
    announced = _announced(context)
    members: defaultdict[tuple[str, int], dict[str, tuple[Asset, Interface]]] = defaultdict(dict)
    for asset in context.inventory.assets:
        for interface in asset.interfaces:
            own = (interface.source, interface.address, interface.mac) in announced
            if own and _is_own(interface) and interface.vlan and _is_host(asset):
                zone = context.places.of(asset.id, interface.address).zone
                members[interface.source, interface.vlan].setdefault(zone, (asset, interface))
    for (_, vlan), zones in sorted(members.items()):
        present = [zones[zone] for zone in sorted(zones) if zone]
        for (one, first), (other, second) in pairwise(present):
            if one.first_evidence is not None:
                sign = f"{context.name(one.id)} and {context.name(other.id)} with tag {vlan}"
                when = span(((one.first_time, one.last_time), (other.first_time, other.last_time)))
                yield (one.id, first.address), (other.id, second.address), sign, one.first_evidence, *when
