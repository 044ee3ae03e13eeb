"""Addresses that two devices have at once, by what ARP and neighbour discovery announce.

An address that goes from one MAC address to another, and back, has two owners: a mistake of somebody who set it twice,
a pair of which one takes over, or somebody who redirects traffic. One that goes over once only was given anew (DHCP),
or its device was replaced; that shows among the claims of the asset alone.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from zonewatch.inventory import addresses
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import grouped, in_order, plain
from zonewatch.rules.context import Context, Detector, Fact, Told, listing, sentence, span, times
from zonewatch.rules.findings import Finding

SHARED_MACS: Final = (
    *addresses.VIRTUAL_ROUTER_MACS,
    "00:07:b4:",  # GLBP
    "02:bf:",  # network load balancing of Windows, unicast
)
"""First octets of MAC addresses that several devices take over from each other by intention."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A MAC address that an address was announced with."""

    source: str
    vlan: int | None
    address: str
    mac: str
    packets: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int

    @property
    def evidence(self) -> Evidence:
        """Its first frame."""
        return Evidence(self.source, self.capture, self.first_frame)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An address with its owners, by first time."""

    source: str
    address: str
    owners: tuple[Owner, ...]


def conflicts(table: pa.Table) -> tuple[Conflict, ...]:
    """Addresses that went from one owner to another and back, by source and address. `table` is `addresses`."""
    ordered = in_order(plain(table), "first_time", "source", "capture", "first_frame")
    rows = grouped(
        ordered,
        ("source", "vlan", "address", "mac", "via"),
        (("packets", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame"),
    )
    by_address: defaultdict[tuple[str, int, str], list[Owner]] = defaultdict(list)
    for source, vlan, address, mac, via, *counts in rows:
        if via == "arp" and _is_own(address, mac):
            by_address[source, -1 if vlan is None else vlan, address].append(Owner(source, vlan, address, mac, *counts))
    found = ((source, address, _rivals(owners)) for (source, _, address), owners in sorted(by_address.items()))
    return tuple(Conflict(source, address, owners) for source, address, owners in found if owners)


def _is_own(address: str, mac: str) -> bool:
    """True where one device alone can have both."""
    shared = mac.startswith(SHARED_MACS) or not addresses.is_device_mac(mac)
    return not (shared or addresses.is_group(address) or address in addresses.UNSPECIFIED)


def _rivals(owners: Sequence[Owner]) -> tuple[Owner, ...]:
    """Those of whom one was heard again after another had come."""
    pairs = itertools.combinations(sorted(owners, key=lambda owner: (owner.first_time, owner.mac)), 2)
    rivals = {owner for one, other in pairs if one.last_time > other.first_time for owner in (one, other)}
    return tuple(sorted(rivals, key=lambda owner: (owner.first_time, owner.mac)))


def address_conflict(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Two owners of an address; who takes the addresses of several others is told once."""
    found = conflicts(context.addresses)
    rivals: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for conflict in found:
        for one, other in itertools.permutations(conflict.owners, 2):
            rivals[conflict.source, one.mac].add(other.mac)
    between = {place for place, macs in rivals.items() if len(macs) > 1}
    told: defaultdict[tuple[str, str], list[Conflict]] = defaultdict(list)
    for conflict in found:
        takers = [owner.mac for owner in conflict.owners if (conflict.source, owner.mac) in between]
        if takers:
            told[conflict.source, takers[-1]].append(conflict)
        else:
            yield Told(_conflict(context, detector, conflict))
    for (source, mac), several in sorted(told.items()):
        yield Told(_taken(context, detector, source, mac, several))


def _conflict(context: Context, detector: Detector, conflict: Conflict) -> Finding:
    asset = context.inventory.by_address.get((conflict.source, conflict.address), conflict.address)
    macs = [owner.mac for owner in conflict.owners]
    return detector.finding(
        (("source", conflict.source), ("address", conflict.address)),
        f"{_named(context, asset, conflict.address)} has {len(macs)} MAC addresses at once",
        detector.severity,
        ["one of them was announced again after the other had been"],
        sentence("Announced " + " and ".join(_how_often(owner) for owner in conflict.owners)),
        [owner.evidence for owner in conflict.owners],
        assets=(asset,),
        protocol=_protocol(conflict.address),
        zones=(context.zone(asset),),
        count=sum(owner.packets for owner in conflict.owners),
        when=span((owner.first_time, owner.last_time) for owner in conflict.owners),
    )


def _taken(context: Context, detector: Detector, source: str, mac: str, several: Sequence[Conflict]) -> Finding:
    ids = context.inventory.by_address
    assets = [ids.get((source, conflict.address), conflict.address) for conflict in several]
    owners = [owner for conflict in several for owner in conflict.owners]
    taker = ids.get((source, mac), mac)
    return detector.finding(
        (("source", source), ("mac", mac)),
        f"{mac} announces addresses of others as its own",
        "high",
        ["it has addresses of several other devices: their traffic goes through it", "ARP asks nobody for proof"],
        sentence(
            "; ".join(
                f"{_named(context, asset, conflict.address)}: announced "
                + " and ".join(_how_often(owner) for owner in conflict.owners)
                for asset, conflict in zip(assets[:6], several, strict=False)
            )
        ),
        [owner.evidence for owner in owners],
        assets=(*([taker] if taker in context.assets else []), *assets[:20]),
        protocol=listing(sorted({_protocol(conflict.address) for conflict in several})),
        zones=[context.zone(asset) for asset in assets],
        count=sum(owner.packets for owner in owners),
        when=span((owner.first_time, owner.last_time) for owner in owners),
    )


def _named(context: Context, asset: str, address: str) -> str:
    name = context.name(asset)
    return name if address in name else f"{name} ({address})"


def vlan_flap(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """A MAC address with one and the same address in two VLANs, announced in one of them again after the other.

    A host on a trunk has an address of its own in each VLAN, and a router sends for others and does not announce them.
    Frames without a tag are left out: a mirror port often shows the same frame with and without it.
    """
    table = plain(context.addresses)
    rows = grouped(
        in_order(table, "first_time", "source", "capture", "first_frame"),
        ("source", "vlan", "address", "mac", "via"),
        (("packets", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame"),
    )
    places: defaultdict[tuple[str, str, str], list[Owner]] = defaultdict(list)
    for source, vlan, address, mac, via, *counts in rows:
        if via == "arp" and vlan is not None and _is_own(address, mac) and not addresses.is_link_local(address):
            places[source, mac, address].append(Owner(source, vlan, address, mac, *counts))
    for (source, mac, address), owners in sorted(places.items()):
        both = _rivals(owners)
        if both:
            yield Told(_flap(context, detector, source, mac, address, both))


def _flap(context: Context, detector: Detector, source: str, mac: str, address: str, both: Sequence[Owner]) -> Finding:
    asset = context.inventory.by_address.get((source, address), address)
    return detector.finding(
        (("source", source), ("mac", mac), ("address", address)),
        f"{_named(context, asset, address)} is in {len(both)} VLANs in turn",
        detector.severity,
        [
            "it was announced in one VLAN again after it had been in another",
            "the same MAC address announced it in each",
        ],
        sentence(
            f"{mac} announced {address} " + " and ".join(f"{times(o.packets, 'time')} in VLAN {o.vlan}" for o in both)
        ),
        [owner.evidence for owner in both],
        assets=(asset,),
        protocol=_protocol(address),
        zones=(context.zone(asset),),
        count=sum(owner.packets for owner in both),
        when=span((owner.first_time, owner.last_time) for owner in both),
    )


def _how_often(owner: Owner) -> str:
    return f"{times(owner.packets, 'time')} by {owner.mac}"


def _protocol(address: str) -> str:
    return "icmpv6" if ":" in address else "arp"
