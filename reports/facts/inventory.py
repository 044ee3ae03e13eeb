"""Facts about assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.inventory.model import Asset, Evidence
from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.facts.told import Told, frames, of_edge, of_finding

CONFLICTS: Final = ("network.address_conflict", "bacnet.duplicate_instance", "baseline.identity_changed")
DUAL_HOMED: Final = ("exposure.dual_homed",)
NEW: Final = ("baseline.new_asset",)
CAPWAP: Final = (5246, 5247)
"""Ports of access points and their controller (RFC 5415)."""
STAY_SHARE: Final = 0.25
"""A guest is there for no more of the window than this …"""
MARGIN_SHARE: Final = 0.05
"""… and comes after its beginning and leaves before its end by at least this."""
_DEVICES: Final = frozenset(("controller", "rtu", "io_device", "gateway", "router", "network_device"))


def _of_asset(seen: Seen, key: str, asset: Asset, **values: str) -> Observation:
    known = {"asset": seen.name(asset.id), "address": asset.addresses[0] if asset.addresses else "", **values}
    return Observation(
        zone=seen.zone(asset.id),
        key=key,
        values=tuple(known.items()),
        count=1,
        first_time=asset.first_time,
        last_time=asset.last_time,
        evidence=frames((asset.first_evidence,) if asset.first_evidence else ()),
        findings=seen.told_about(asset.id, ("policy.unknown_asset",)),
    )


def _own(seen: Seen) -> Iterator[Asset]:
    """Assets that sent something; addresses of the internet are no assets of anybody here."""
    for asset in seen.result.inventory.assets:
        if asset.kind != "external" and (asset.addresses or asset.macs):
            yield asset


def asset_seen(seen: Seen) -> Iterator[Told]:
    """The assets of a zone, and of how many it is known what they are."""
    groups: defaultdict[str, list[Asset]] = defaultdict(list)
    for asset in _own(seen):
        groups[seen.zone(asset.id)].append(asset)
    for zone, assets in sorted(groups.items()):
        yield Observation(
            zone,
            "inv.asset_seen",
            (
                ("assets", str(len(assets))),
                ("with_vendor", str(sum(bool(asset.vendor) for asset in assets))),
                ("with_model", str(sum(bool(asset.model) for asset in assets))),
                ("with_role", str(sum(asset.role != "unknown" for asset in assets))),
                ("by_hints_only", str(sum(asset.role_confidence == "low" for asset in assets))),
            ),
            count=len(assets),
            first_time=min(asset.first_time for asset in assets),
            last_time=max(asset.last_time for asset in assets),
            evidence=frames(asset.first_evidence for asset in assets if asset.first_evidence),
        )


def asset_undeclared(seen: Seen) -> Iterator[Told]:
    """Assets that are in no list, where there is one."""
    if seen.listed:
        for asset in _own(seen):
            if not seen.is_declared(asset):
                yield _of_asset(seen, "inv.asset_undeclared", asset)


def asset_unseen(seen: Seen) -> Iterator[Told]:
    """Declared assets of which no packet came. There is no frame of what did not happen."""
    zones = {name: zone.id for zone in seen.zones.values() for name in zone.declared}
    for name in seen.result.inventory.unseen:
        yield Observation(zones.get(name, WHOLE), "inv.asset_unseen", (("asset", name),), count=1)


def identity_conflict(seen: Seen) -> Iterator[Told]:
    """One address of two devices, one number of two, or a device that says that it is another one."""
    for finding in seen.findings(CONFLICTS):
        yield from of_finding(seen, "inv.identity_conflict", finding)


def new_asset(seen: Seen) -> Iterator[Told]:
    """What the baseline does not know."""
    for finding in seen.findings(NEW):
        yield from of_finding(seen, "inv.new_asset", finding)


def transient_asset(seen: Seen) -> Iterator[Told]:
    """Hosts, no devices, that came and left within the window."""
    total = seen.total
    length = total.last_time - total.first_time
    if length < seen.minimum.window:
        return
    for asset in _own(seen):
        stay = asset.last_time - asset.first_time
        came = asset.first_time - total.first_time >= MARGIN_SHARE * length
        left = total.last_time - asset.last_time >= MARGIN_SHARE * length
        if asset.role not in _DEVICES and came and left and 0 < stay <= STAY_SHARE * length:
            yield _of_asset(seen, "inv.transient_asset", asset, seconds=str(stay // 1_000_000_000))


def dual_homed(seen: Seen) -> Iterator[Told]:
    """Hosts with interfaces in two zones."""
    for finding in seen.findings(DUAL_HOMED):
        yield from of_finding(seen, "inv.dual_homed", finding)


def wireless_indicator(seen: Seen) -> Iterator[Told]:
    """Access points that speak with their controller, and hosts of a zone that is declared wireless."""
    for edge in seen.spoken:
        zones = (seen.zone(edge.client), seen.zone(edge.server))
        if edge.transport == "udp" and edge.server_port in CAPWAP:
            yield of_edge(seen, "inv.wireless_indicator", edge, zones, sign="capwap")
        elif "wireless" in map(seen.kind, zones):
            yield of_edge(seen, "inv.wireless_indicator", edge, zones, sign="wireless zone")


def firmware_known(seen: Seen) -> Iterator[Told]:
    """Devices whose version somebody was seen to read."""
    counts: defaultdict[str, int] = defaultdict(int)
    proof: defaultdict[str, list[Evidence]] = defaultdict(list)
    times: defaultdict[str, list[int]] = defaultdict(list)
    for asset in _own(seen):
        said = [claim.evidence for claim in asset.claims if claim.attribute == "firmware" and claim.evidence]
        if said:
            zone = seen.zone(asset.id)
            counts[zone] += 1
            proof[zone] += said
            times[zone] += (asset.first_time, asset.last_time)
    for zone, count in sorted(counts.items()):
        yield Observation(
            zone,
            "inv.firmware_known",
            (("assets", str(count)),),
            count=count,
            first_time=min(times[zone]),
            last_time=max(times[zone]),
            evidence=frames(proof[zone]),
        )


def inventory_match(seen: Seen) -> Iterator[Told]:
    """Zones in which every asset seen is declared, and enough of the declared ones were seen."""
    if not seen.listed:
        return
    undeclared: defaultdict[str, int] = defaultdict(int)
    groups: defaultdict[str, list[Asset]] = defaultdict(list)
    for asset in _own(seen):
        undeclared[seen.zone(asset.id)] += not seen.is_declared(asset)
        groups[seen.zone(asset.id)].append(asset)
    for row in seen.visibilities.values():
        assets = groups[row.zone]
        if assets and row.declared and row.seen >= seen.minimum.seen * row.declared and not undeclared[row.zone]:
            yield Observation(
                row.zone,
                "inv.inventory_match",
                (("declared", str(row.declared)), ("seen", str(row.seen)), ("undeclared", "0")),
                count=row.seen,
                first_time=min(asset.first_time for asset in assets),
                last_time=max(asset.last_time for asset in assets),
                evidence=frames(asset.first_evidence for asset in assets if asset.first_evidence),
            )
