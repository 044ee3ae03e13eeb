"""Which zone an address, a MAC address, a VLAN or an asset belongs to.

The most specific member wins: asset > MAC address > single address > longest subnet > VLAN. A tie between zones is an
error that `ties` tells and `load` refuses. A public address belongs to a zone only where an address or subnet names it,
or where a zone of kind `external` without members takes what is left of the public addresses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from zonewatch.inventory.addresses import is_public, parse
from zonewatch.inventory.model import Asset, Interface
from zonewatch.rules.policy.model import Network, Policy, Zone, parse_mac, parse_network


class Member(NamedTuple):
    """One line of a zone's members."""

    sort: str  # asset, mac, address, subnet, vlan
    value: str
    path: tuple[str | int, ...]  # where in the file


def members(policy: Policy) -> Iterator[tuple[Zone, Member]]:
    """Every member line with its zone, in file order; assets that name their zone come first."""
    zones = {zone.id: zone for zone in policy.zones}
    assets = aliases(policy)
    for place, asset in enumerate(policy.assets):
        if asset.zone in zones:
            yield zones[asset.zone], Member("asset", asset.id, ("assets", place, "zone"))
    for place, zone in enumerate(policy.zones):
        path: tuple[str | int, ...] = ("zones", place, "members")
        for number, text in enumerate(zone.members.include):
            yield zone, Member(*entry(text, assets), (*path, "include", number))
        for number, text in enumerate(zone.members.subnets):
            yield zone, Member(*_network_entry(text), (*path, "subnets", number))
        for number, vlan in enumerate(zone.members.vlans):
            yield zone, Member("vlan", str(vlan), (*path, "vlans", number))


def aliases(policy: Policy, known: Iterable[str] = ()) -> dict[str, str]:
    """What assets may be called, with the id of each: ids, and names that one asset alone has."""
    names = Counter(asset.name for asset in policy.assets if asset.name)
    found = {asset.name: asset.id for asset in policy.assets if names[asset.name] == 1}
    return found | {text: text for text in (*known, *(asset.id for asset in policy.assets))}


def entry(text: str, assets: Mapping[str, str]) -> tuple[str, str]:
    """What an entry of `include` or `exclude` is: its sort and its value; `asset` too where it is nothing else."""
    if text in assets:
        return "asset", assets[text]
    mac = parse_mac(text)
    if mac is not None:
        return "mac", mac
    return _network_entry(text) if parse_network(text) is not None else ("asset", text)


def _network_entry(text: str) -> tuple[str, str]:
    network = parse_network(text)
    if network is None:
        return "subnet", text
    single = network.prefixlen == network.max_prefixlen
    return ("address", str(network.network_address)) if single else ("subnet", str(network))


def ties(policy: Policy) -> list[tuple[Member, str, str]]:
    """Members claimed by two zones: the later line, its zone, and the zone that claimed it before."""
    first: dict[tuple[str, str], str] = {}
    found = []
    for zone, member in members(policy):
        holder = first.setdefault(member[:2], zone.id)
        if holder != zone.id:
            found.append((member, zone.id, holder))
    return found


@dataclass(frozen=True, slots=True)
class Zones:
    """The members of all zones, ready to be asked."""

    assets: dict[str, str] = field(default_factory=dict)  # asset id → zone id
    macs: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    subnets: tuple[tuple[Network, str], ...] = ()  # longest prefix first
    vlans: dict[int, str] = field(default_factory=dict)
    excluded: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # member → zones it is not in
    excluded_subnets: tuple[tuple[Network, str], ...] = ()
    public: str = ""  # zone of every other public address
    declared: dict[str, str] = field(default_factory=dict)  # address or MAC address → asset id of the policy
    first: dict[str, str] = field(default_factory=dict)  # asset id of the policy → the first of these by name
    external: frozenset[str] = frozenset()  # zones of kind external

    def asset_of(self, address: str, mac: str = "") -> str:
        """Id of the policy's asset with this address or MAC address; empty where there is none."""
        return self.declared.get(address) or (self.declared.get(mac, "") if mac else "")

    def of(self, address: str, mac: str = "", vlan: int | None = None, assets: tuple[str, ...] = ()) -> str:
        """Zone id for what is known of an end point; empty where it is in no zone."""
        parsed = parse(address)
        public = is_public(address)
        names = (*assets, self.asset_of(address, "" if public else mac))
        keys = [("asset", name) for name in names if name] + [("address", address)]
        if mac and not public:
            keys.append(("mac", mac))
        barred = frozenset(zone for key in keys for zone in self.excluded.get(key, ()))
        if parsed is not None:
            barred |= {zone for network, zone in self.excluded_subnets if parsed in network}
        for zone in self._candidates(parsed, address, "" if public else mac, None if public else vlan, names):
            if zone not in barred:
                return zone
        return self.public if public and self.public not in barred else ""

    def _candidates(
        self, parsed: IPv4Address | IPv6Address | None, address: str, mac: str, vlan: int | None, names: tuple[str, ...]
    ) -> Iterator[str]:
        yield from (self.assets[name] for name in names if name in self.assets)
        if mac in self.macs:
            yield self.macs[mac]
        if address in self.addresses:
            yield self.addresses[address]
        if parsed is not None:
            yield from (zone for network, zone in self.subnets if parsed in network)
        if vlan in self.vlans:
            yield self.vlans[vlan]

    def of_address_alone(self, address: str) -> str:
        """Zone id that the address itself has, whatever asset it is of; empty where it is in none."""
        parsed = parse(address)
        return next((zone for zone in self._candidates(parsed, address, "", None, ())), "")

    def of_interface(self, interface: Interface, assets: tuple[str, ...] = ()) -> str:
        """Zone id of an interface; empty where it is in no zone."""
        return self.of(interface.address, interface.mac, interface.vlan, assets)

    def of_asset(self, asset: Asset) -> str:
        """Zone id of a device: of the asset itself if declared, else the zone that most of its interfaces are in."""
        counts: dict[str, int] = {}
        for interface in asset.interfaces:
            zone = self.of_interface(interface, names_of(asset))
            if zone:
                counts[zone] = counts.get(zone, 0) + 1
        if not asset.interfaces:
            return next((self.assets[name] for name in names_of(asset) if name in self.assets), "")
        return min(counts, key=lambda zone: (-counts[zone], zone), default="")

    def of_directed_broadcast(self, address: str) -> str:
        """Zone whose whole subnet this address means (10.20.11.255 of 10.20.11.0/24); empty for any other address."""
        parsed = parse(address)
        if parsed is None or parsed.version != 4:
            return ""
        return next(
            (
                zone
                for network, zone in self.subnets
                if network.version == 4 and network.prefixlen < 31 and parsed == network.broadcast_address
            ),
            "",
        )


def names_of(asset: Asset) -> tuple[str, ...]:
    """The ids that a policy may know an asset by."""
    return (asset.declared, asset.id) if asset.declared and asset.declared != asset.id else (asset.id,)


def compile_zones(policy: Policy) -> Zones:
    """The policy's members as tables. Of a tie (which `load` refuses) the first in the file wins."""
    tables: dict[str, dict[str, str]] = {sort: {} for sort in ("asset", "mac", "address", "subnet", "vlan")}
    for zone, member in members(policy):
        tables[member.sort].setdefault(member.value, zone.id)
    ids = aliases(policy)
    excluded: dict[tuple[str, str], set[str]] = {}
    for zone in policy.zones:
        for text in zone.members.exclude:
            excluded.setdefault(entry(text, ids), set()).add(zone.id)
    external = [zone for zone in policy.zones if zone.kind == "external"]
    declared = {
        key: asset.id
        for asset in reversed(policy.assets)
        for key in (*asset.addresses, *((asset.mac,) if asset.mac else ()))
    }
    return Zones(
        assets=tables["asset"],
        macs=tables["mac"],
        addresses=tables["address"],
        subnets=_by_length(tables["subnet"].items()),
        vlans={int(vlan): zone for vlan, zone in tables["vlan"].items()},
        excluded={key: frozenset(zones) for key, zones in excluded.items() if key[0] != "subnet"},
        excluded_subnets=_by_length(
            (text, zone) for (sort, text), zones in excluded.items() if sort == "subnet" for zone in sorted(zones)
        ),
        public=next((zone.id for zone in external if zone.members == type(zone.members)()), ""),
        declared=declared,
        first={asset: key for key, asset in sorted(declared.items(), reverse=True)},
        external=frozenset(zone.id for zone in external),
    )


def _by_length(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[Network, str], ...]:
    networks = [(parse_network(text), zone) for text, zone in pairs]
    known = [(network, zone) for network, zone in networks if network is not None]
    return tuple(sorted(known, key=lambda pair: (pair[0].version, -pair[0].prefixlen, int(pair[0].network_address))))


def zone_of(policy: Policy, interface: Interface, asset: str = "") -> str | None:
    """The zone of one interface; None where it is in no zone. For many, compile the policy once."""
    return compile_zones(policy).of_interface(interface, (asset,) if asset else ()) or None
