"""Which addresses and MAC addresses are one device, and which MAC addresses are routers'.

An IP address is a device of its own unless it is proven otherwise. A MAC address joins addresses only where it cannot
be a router's: behind a router's MAC address there are many devices.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.inventory import addresses as address
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.model import Confidence, Evidence, Interface
from zonewatch.inventory.tables import grouped, in_order, plain
from zonewatch.inventory.traffic import Place

ROUTED_ADDRESSES: Final = 3
ROUTED_SUBNETS: Final = 2
GATEWAY_ENDINGS: Final = (".1", ".254")


class Sighting(NamedTuple):
    """An address with a MAC address: one row of the engine's table without VLANs and captures."""

    source: str
    address: str
    mac: str
    via: str  # arp: announced, strong; ip: sent from, perhaps by a router
    packets: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int
    vlan: int | None

    @property
    def evidence(self) -> Evidence:
        """Its first frame."""
        return Evidence(self.source, self.capture, self.first_frame)


@dataclass(frozen=True, slots=True)
class Router:
    """Why a MAC address is taken for a router's."""

    reason: str
    confidence: Confidence
    disguised: bool = False  # it announces as its own what others announce: a host in the middle looks like a router


@dataclass(frozen=True, slots=True)
class Host:
    """A device before anything is known of what it does."""

    source: str
    key: str  # its address, or MAC address
    interfaces: tuple[Interface, ...]
    router: Router | None
    declared: DeclaredAsset | None
    sightings: tuple[Sighting, ...]  # those that tell a MAC address of its own
    on_link: frozenset[str] = frozenset()  # public addresses that are this network's own


def sightings(table: pa.Table) -> tuple[Sighting, ...]:
    """The distinct rows of the engine's `addresses`, by first time; addresses and MACs that mean many are left out."""
    rows = grouped(
        in_order(plain(table), "first_time", "source", "capture", "first_frame"),
        Sighting._fields[:4],
        (("packets", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame", "vlan"),
    )
    return tuple(
        sighting
        for sighting in (Sighting(*row) for row in rows)
        if address.parse(sighting.address)
        and sighting.address not in address.UNSPECIFIED
        and not address.is_group(sighting.address)
    )


def identify(
    seen: Iterable[Sighting], endpoints: Collection[Place], declared: Sequence[DeclaredAsset]
) -> tuple[Host, ...]:
    """All devices, by source and address. `endpoints` are addresses (and MACs) with traffic, seen with a MAC or not."""
    by_source: defaultdict[str, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        by_source[sighting.source].append(sighting)
    places: defaultdict[str, set[str]] = defaultdict(set)
    for source, place in endpoints:
        places[source].add(place)
    return tuple(
        host
        for source in sorted({*by_source, *places})
        for host in _Neighbourhood(source, by_source[source]).hosts(places[source], declared)
    )


class _Neighbourhood:
    """The addresses and MAC addresses of one source."""

    def __init__(self, source: str, seen: Sequence[Sighting]) -> None:
        self.source = source
        self.by_address: dict[str, list[Sighting]] = {}
        self.by_mac: dict[str, list[Sighting]] = {}
        for sighting in seen:
            self.by_address.setdefault(sighting.address, []).append(sighting)
            if address.is_device_mac(sighting.mac):
                self.by_mac.setdefault(sighting.mac, []).append(sighting)
        self.on_link = self._on_link()
        self.has_private = any(not address.is_public(item) for item in self.by_address)
        self.routers = {
            mac: router for mac, rows in sorted(self.by_mac.items()) if (router := self._router(mac, rows)) is not None
        }
        self.own_of_routers = {mac: self._own_of_router(mac) for mac in self.routers}

    def _on_link(self) -> frozenset[str]:
        """Public addresses that are used on this network: announced by ARP, or neighbours with a MAC address each."""
        public = [item for item in self.by_address if address.is_public(item) and ":" not in item]
        alone = {
            item: rows[0].mac
            for item in public
            if (rows := self.by_address[item])
            and len({row.mac for row in rows}) == 1
            and all(other.address == item or ":" in other.address for other in self.by_mac.get(rows[0].mac, ()))
        }
        neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for item, mac in alone.items():
            neighbours[address.subnet(item)].add(mac)
        announced = {item for item in public if any(row.via == "arp" for row in self.by_address[item])}
        return frozenset(announced | {item for item in alone if len(neighbours[address.subnet(item)]) > 1})

    def hosts(self, places: Collection[str], declared: Sequence[DeclaredAsset]) -> list[Host]:
        known = {*self.by_address, *(place for place in places if not address.is_mac(place))}
        macs = {place for place in places if address.is_device_mac(place)} | set(self.routers)
        groups = self._groups(sorted(known, key=address.order), sorted(macs))
        return [self._host(group, owner) for group, owner in _joined(groups, declared)]

    def _groups(self, known: Sequence[str], macs: Sequence[str]) -> list[tuple[list[str], list[str]]]:
        """Addresses and MAC addresses of each device."""
        owned: defaultdict[str, list[str]] = defaultdict(list)
        alone: list[str] = []
        for item in known:
            mac = self._mac(item)
            (owned[mac] if mac else alone).append(item)
        groups = [([item], list[str]()) for item in alone]
        for mac, items in owned.items():
            fixed = [item for item in items if ":" not in item and not address.is_link_local(item)]
            together = items if len(fixed) <= 1 or mac in self.routers else []
            groups.extend(([item], [mac]) for item in items if not together)
            if together:
                groups.append((together, [mac]))
        groups.extend(([], [mac]) for mac in macs if mac not in owned)
        return groups

    def _mac(self, item: str) -> str:
        """The MAC address that is surely this address's own; empty where there is none, or a router's only."""
        rows = [row for row in self.by_address.get(item, ()) if address.is_device_mac(row.mac)]
        own = [row for row in rows if row.mac not in self.routers]
        if not own:
            own = [row for row in rows if item in self.own_of_routers[row.mac]]
        best = min(own, key=lambda row: (row.via != "arp", -row.packets, row.mac), default=None)
        return best.mac if best else ""

    def _own_of_router(self, mac: str) -> frozenset[str]:
        """Addresses of the router itself, as far as can be told from those that it answers ARP for; or link-local.

        With proxy ARP it answers for others too (RFC 1027). So several addresses are its own only where they follow the
        custom of routers: the same host number in each subnet; or else the one that ends in 1 or 254.
        """
        rows = self.by_mac[mac]
        local = {row.address for row in rows if ":" in row.address and address.is_link_local(row.address)}
        fixed = {
            row.address
            for row in rows
            if row.via == "arp" and ":" not in row.address and not self._announced_by_others(row.address, mac)
        }
        if len({item.rpartition(".")[2] for item in fixed}) > 1:
            fixed = {item for item in fixed if item.endswith(GATEWAY_ENDINGS)}
            fixed = fixed if len(fixed) == 1 else set()
        return frozenset(fixed | local)

    def _announced_by_others(self, item: str, mac: str) -> bool:
        return any(row.via == "arp" and row.mac != mac for row in self.by_address[item])

    def _router(self, mac: str, rows: Sequence[Sighting]) -> Router | None:
        """The first reason to take this MAC address for a router's."""
        items = sorted({row.address for row in rows if not address.is_link_local(row.address)}, key=address.order)
        four = [item for item in items if ":" not in item]
        six = {address.subnet(item) for item in items if ":" in item}
        subnets = {address.subnet(item) for item in four}
        elsewhere = [item for item in four if self._announced_by_others(item, mac)]
        announced = {row.address for row in rows if row.via == "arp"}
        public = [item for item in four if address.is_public(item) and item not in self.on_link]
        checks: tuple[tuple[bool, Router], ...] = (
            (
                mac.startswith(address.VIRTUAL_ROUTER_MACS),
                Router("its MAC address is a virtual router's (VRRP, HSRP)", "high"),
            ),
            (
                len(four) >= ROUTED_ADDRESSES and len(subnets) >= ROUTED_SUBNETS,
                Router(f"{len(four)} addresses of {len(subnets)} subnets were seen behind its MAC address", "high"),
            ),
            (
                len(six) >= ROUTED_ADDRESSES,
                Router(f"{len(six)} IPv6 prefixes were seen behind its MAC address", "high"),
            ),
            (
                len(four) > 1 and bool(elsewhere),
                Router(
                    f"sends for {_some(elsewhere)}, whose own MAC address is another by ARP",
                    "high",
                    disguised=not announced.isdisjoint(elsewhere),
                ),
            ),
            (
                bool(public) and (len(four) > 1 or self.has_private),
                Router(f"public addresses were seen behind its MAC address: {_some(public)}", "high"),
            ),
            (
                len(four) >= ROUTED_ADDRESSES and _at_once(rows),
                Router(
                    f"stands for {len(four)} addresses of one subnet (proxy ARP, a bridge, a host with many addresses)",
                    "low",
                ),
            ),
        )
        return next((router for holds, router in checks if holds), None)

    def _host(self, group: tuple[list[str], list[str]], owner: DeclaredAsset | None) -> Host:
        items, macs = group
        interfaces = tuple(self._interface(item) for item in sorted(items, key=_address_order))
        bare = tuple(
            Interface(self.source, "", mac, self._vlan(self.by_mac.get(mac, ())), False)
            for mac in macs
            if mac not in {interface.mac for interface in interfaces}
        )
        return Host(
            source=self.source,
            key=self._key(interfaces, macs),
            interfaces=(*interfaces, *bare),
            router=next((self.routers[mac] for mac in macs if mac in self.routers), None),
            declared=owner,
            on_link=self.on_link.intersection(items),
            sightings=tuple(
                row
                for interface in interfaces
                for row in self.by_address.get(interface.address, ())
                if row.mac == interface.mac or (address.is_device_mac(row.mac) and row.mac not in self.routers)
            ),
        )

    def _key(self, interfaces: Sequence[Interface], macs: Sequence[str]) -> str:
        """Its address; the MAC address of a router that was only seen with addresses of the link."""
        fixed = [item.address for item in interfaces if not address.is_link_local(item.address)]
        if not fixed and any(mac in self.routers for mac in macs):
            return macs[0]
        return interfaces[0].address if interfaces else macs[0]

    def _interface(self, item: str) -> Interface:
        rows = self.by_address.get(item, [])
        mac = self._mac(item)
        behind = not mac and any(row.mac in self.routers for row in rows)
        return Interface(self.source, item, mac, self._vlan([row for row in rows if not mac or row.mac == mac]), behind)

    @staticmethod
    def _vlan(rows: Sequence[Sighting]) -> int | None:
        return rows[0].vlan if rows else None


def _at_once(rows: Sequence[Sighting]) -> bool:
    """False where each IPv4 address was used after the one before: a host whose address changes (DHCP)."""
    spans: dict[str, tuple[int, int]] = {}
    for row in rows:
        if ":" not in row.address:
            first, last = spans.get(row.address, (row.first_time, row.last_time))
            spans[row.address] = (min(first, row.first_time), max(last, row.last_time))
    ordered = sorted(spans.values())
    return any(later[0] <= earlier[1] for earlier, later in itertools.pairwise(ordered))


def _some(items: Sequence[str]) -> str:
    return " and ".join((*items[:1], *([f"{len(items) - 1} more"] if len(items) > 1 else [])))


def _address_order(item: str) -> tuple[bool, tuple[int, int, str]]:
    return address.is_link_local(item), address.order(item)


def _joined(
    groups: Iterable[tuple[list[str], list[str]]], declared: Sequence[DeclaredAsset]
) -> list[tuple[tuple[list[str], list[str]], DeclaredAsset | None]]:
    """Devices with their declarations; those with the same one are joined."""
    owners: Mapping[str, DeclaredAsset] = {
        name: asset for asset in reversed(declared) for name in (*asset.addresses, asset.mac) if name
    }
    joined: dict[str, tuple[list[str], list[str]]] = {}
    owner_of: dict[str, DeclaredAsset] = {}
    result: list[tuple[tuple[list[str], list[str]], DeclaredAsset | None]] = []
    for items, macs in groups:
        # An address that is declared says more than a MAC address that several devices may share.
        owner = next((owners[name] for name in (*items, *macs) if name in owners), None)
        if owner is None:
            result.append(((items, macs), None))
            continue
        owner_of[owner.id] = owner
        into = joined.setdefault(owner.id, ([], []))
        into[0].extend(items)
        into[1].extend(mac for mac in macs if mac not in into[1])
    result.extend((group, owner_of[name]) for name, group in joined.items())
    return sorted(result, key=lambda entry: _group_order(entry[0]))


def _group_order(group: tuple[list[str], list[str]]) -> tuple[tuple[bool, tuple[int, int, str]], ...]:
    items, macs = group
    return tuple(sorted(_address_order(item) for item in (items or macs)))
