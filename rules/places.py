"""The ends of traffic as the policy sees them: which asset, which zone, known by which names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from zonewatch.inventory.addresses import is_group, is_public, order
from zonewatch.inventory.model import Asset, Inventory
from zonewatch.rules.policy.model import Policy, PolicyAsset, parse_network
from zonewatch.rules.policy.zones import Zones, compile_zones, names_of

BROADCAST: Final = "broadcast:"
CONTROL_LEVEL: Final = 2.5
"""Zones below this Purdue level hold the process: supervision (2), control (1), field (0)."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of an exchange."""

    id: str  # asset id, `broadcast:<address>`, or the address where the inventory has no asset
    address: str
    zone: str  # empty: in none
    names: frozenset[str]  # ids, addresses and MAC addresses that a flow may name it by
    many: bool = False  # broadcast or multicast
    public: bool = False  # an address of the internet that is in no zone of the plant
    label: str = ""  # how a flow of the policy names it: asset id, else address


class Places:
    """Finds the end for an asset or an address; remembers what it found."""

    def __init__(self, policy: Policy, inventory: Inventory) -> None:
        self.policy = policy
        self.zones: Zones = compile_zones(policy)
        self.assets = {asset.id: asset for asset in inventory.assets}
        self._by_address = inventory.by_address
        self._broadcasts = {edge.server_address for edge in inventory.edges if edge.server.startswith(BROADCAST)}
        self._known_zones = frozenset(zone.id for zone in policy.zones)
        self.ids = frozenset(asset.id for asset in policy.assets)
        self._found: dict[tuple[str, str], End] = {}

    def at(self, source: str, address: str) -> End:
        """The end with this address at a capture point."""
        asset = self._by_address.get((source, address), "")
        if not asset and (address in self._broadcasts or is_group(address)):
            asset = BROADCAST + address
        return self.of(asset or address, address)

    def of(self, asset: str, address: str) -> End:
        """The end with this asset id and address."""
        found = self._found.get((asset, address))
        if found is None:
            found = self._found[asset, address] = self._make(asset, address)
        return found

    def _make(self, name: str, address: str) -> End:
        if name.startswith(BROADCAST) or (name not in self.assets and is_group(address)):
            return End(name, address, "", frozenset((address,)), many=True, label=address)
        asset = self.assets.get(name)
        zone = self.zone(asset, address)
        policy_id = self.zones.asset_of(address, asset.macs[0] if asset and asset.macs else "")
        names = {name, address, policy_id, *((*names_of(asset), *asset.addresses, *asset.macs) if asset else ())}
        public = is_public(address) and (not zone or zone in self.zones.external)
        declared = asset.declared if asset else ""
        label = next((text for text in (declared, policy_id, name) if text in self.ids), declared or address or name)
        return End(name, address, zone, frozenset(names - {""}), public=public, label=label)

    def zone(self, asset: Asset | None, address: str) -> str:
        """Zone id of an address of an asset; of the asset as a whole where the address is none of its own."""
        if asset is None:
            network = parse_network(address)
            if network is not None and network.num_addresses > 1:
                return self.zones.of(str(network.network_address + 1))
            return self.zones.of(address)
        names = names_of(asset)
        if not any(name in self.zones.assets for name in names) and asset.zone in self._known_zones:
            return asset.zone  # the asset list says so
        own = [interface for interface in asset.interfaces if interface.address == address]
        if own:
            zones = [zone for interface in own if (zone := self.zones.of_interface(interface, names))]
            return min(zones, default="")
        return self.zones.of_asset(asset) or self.zones.of(address, assets=names)

    def of_broadcast(self, sender: End, group: End) -> str:
        """Zone that a broadcast is for: the sender's, or that of the subnet whose directed broadcast it is."""
        return self.zones.of_directed_broadcast(group.address) or sender.zone


def placed(policy: Policy, inventory: Inventory) -> Inventory:
    """The inventory with each asset's zone and level, and what the policy declares of it."""
    places = Places(policy, inventory)
    levels = {zone.id: zone.purdue for zone in policy.zones}
    declared = {asset.id: asset for asset in policy.assets}
    return replace(inventory, assets=tuple(_placed(asset, places, levels, declared) for asset in inventory.assets))


def _placed(asset: Asset, places: Places, levels: dict[str, float | None], declared: dict[str, PolicyAsset]) -> Asset:
    addresses = sorted(asset.addresses, key=order)
    zone = places.zones.of_asset(asset) if not asset.zone else places.zone(asset, addresses[0] if addresses else "")
    known = next((declared[end] for end in _policy_ids(asset, places.zones) if end in declared), None)
    level = levels.get(zone)
    changed = replace(asset, zone=zone, purdue=asset.purdue if level is None else level)
    if known is None:
        return changed
    return replace(
        changed,
        declared=changed.declared or known.id,
        name=known.name or changed.name,
        role=known.role or changed.role,
        role_confidence="declared" if known.role else changed.role_confidence,
        criticality=known.criticality or changed.criticality,
        vendor=known.vendor or changed.vendor,
        model=known.model or changed.model,
    )


def _policy_ids(asset: Asset, zones: Zones) -> Iterable[str]:
    yield from names_of(asset)
    for interface in asset.interfaces:
        yield zones.asset_of(interface.address, interface.mac)
