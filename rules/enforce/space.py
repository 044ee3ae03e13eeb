"""The addresses that zones, clients and servers are: what a filter at a zone boundary can tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from netaddr import IPNetwork, IPSet

from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.model import Policy, parse_mac, parse_network
from zonewatch.rules.policy.zones import aliases, entry, members

Space = Any
"""A set of addresses (netaddr has no types)."""

_NOT_PUBLIC: Final = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 "
    "198.18.0.0/15 224.0.0.0/3"
)
"""IANA's special-purpose addresses and groups. Those for documentation count as public, as everywhere here."""
GROUPS: Final = ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8")
_PRECEDENCE: Final = {"asset": 0, "mac": 1}  # then single addresses and subnets, the longest first


def _length(space: Space) -> int:
    """Of the prefix of one subnet, counted as in IPv6."""
    return min(int(net.prefixlen) + (96 if net.version == 4 else 0) for net in space.iter_cidrs())


def public_space() -> Space:
    """Every public unicast address."""
    return IPSet(["0.0.0.0/0", "2000::/3"]) - IPSet(_NOT_PUBLIC.split())


def texts(space: Space, version: int | None = None) -> list[str]:
    """The fewest subnets, sorted; single addresses without a prefix."""
    found = [net for net in space.iter_cidrs() if version in (None, net.version)]
    return [
        str(net.network) if net.prefixlen == (32 if net.version == 4 else 128) else str(net)
        for net in sorted(found, key=lambda net: (net.version, net.first))
    ]


class Addresses:
    """The addresses of a policy's zones and of the ends that its flows name."""

    def __init__(self, policy: Policy, listed: Iterable[DeclaredAsset] = ()) -> None:
        declared = declared_assets(policy, listed)
        self.policy = policy
        self.of_assets: dict[str, Space] = {asset.id: IPSet(asset.addresses) for asset in declared}
        self._of_macs: dict[str, Space] = {
            asset.mac: self.of_assets[asset.id] for asset in declared if asset.mac and asset.addresses
        }
        self._ids = aliases(policy, self.of_assets)
        self._zones_of_listed = {asset.id: asset.zone for asset in declared if asset.zone}
        self.untold: list[tuple[str, str, str]] = []  # (zone, key, member) that no address is known of
        self.zones: Mapping[str, Space] = self._zones()

    def of_end(self, text: str) -> Space | None:
        """Addresses of an asset, a zone, a MAC address, an address or a subnet; None where none is known."""
        if text in self.zones:
            return self.zones[text]
        sort, value = entry(text, self._ids)
        found = self._of_member(sort, value)
        return found if found else None

    def _of_member(self, sort: str, value: str) -> Space:
        if sort == "asset":
            return self.of_assets.get(value, IPSet())
        if sort == "mac":
            return self._of_macs.get(parse_mac(value) or "", IPSet())
        network = parse_network(value)
        return IPSet([IPNetwork(str(network))]) if network is not None else IPSet()

    def _zones(self) -> Mapping[str, Space]:
        """The most specific member wins, as in `policy.zones`."""
        barred = {zone.id: IPSet() for zone in self.policy.zones}
        for zone in self.policy.zones:
            for text in zone.members.exclude:
                space = self._of_member(*entry(text, self._ids))
                barred[zone.id] |= space
                if not space:
                    self.untold.append((zone.id, "exclude", text))
        found = {zone.id: IPSet() for zone in self.policy.zones}
        taken = IPSet()
        for _, zone_id, space in sorted(self._claims(), key=lambda claim: claim[0]):
            free = space - barred[zone_id] - taken
            found[zone_id] |= free
            taken |= free
        for zone in self.policy.zones:
            if zone.kind == "external" and zone.members == type(zone.members)():
                found[zone.id] |= public_space() - taken
                break
        return found

    def _claims(self) -> Iterator[tuple[int, str, Space]]:
        """How specific, the zone, the addresses."""
        placed = {member.value for _, member in members(self.policy) if member.sort == "asset"}
        known = {zone.id for zone in self.policy.zones}
        for asset, zone_id in self._zones_of_listed.items():
            if asset not in placed and zone_id in known:
                yield 0, zone_id, self.of_assets[asset]
        for zone, member in members(self.policy):
            space = self._of_member(member.sort, member.value) if member.sort != "vlan" else IPSet()
            if not space:
                self.untold.append((zone.id, member.sort, member.value))
                continue
            yield _PRECEDENCE.get(member.sort, 2 + 128 - _length(space)), zone.id, space
