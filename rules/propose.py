"""Zones and conduits for a network that has no policy yet: a draft from what was seen, that nobody approved.

Subnets (a /24 or /64 where nobody said) become zones by how their members behave: those with devices that answer OT
requests are control zones (Purdue 1), where at least half of the hosts ask them is supervision (Purdue 2), the rest is
office. A host that asks OT devices of its own subnet is put into supervision by its address. A subnet that is seen in
several VLANs is a zone for each. What was seen becomes the conduits' flows.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from zonewatch.dissectors.vocabulary import OT_SERVICES
from zonewatch.inventory.addresses import UNSPECIFIED, is_group, is_link_local, is_public, order, parse, subnet
from zonewatch.inventory.model import Asset, Interface, Inventory
from zonewatch.inventory.unknown import PREFIX
from zonewatch.rules.context import ANSWERED, DEVICE_ROLES, OPERATOR_ROLES, changes_state
from zonewatch.rules.places import BROADCAST, Places
from zonewatch.rules.policy.model import Flow, Policy, Zone
from zonewatch.rules.policy.words import OBJECT_KINDS, canonical_service, is_protocol
from zonewatch.rules.policy.written import scalar, sequence
from zonewatch.rules.suggest import identifier

MOST_ENDS: Final = 12
"""More clients or servers than this are not named one by one."""

SUPERVISION: Final = "supervision"
"""The zone of hosts that ask devices of their own subnet."""

LEVELS: Final = {"control": 1, "supervision": 2, "office": 4}
KINDS: Final = {"control": "control", "supervision": "supervisory", "office": "business", "external": "external"}

DRAFTED: Final = "Proposed by zonewatch; nobody approved it"
"""The name of a system of which nobody has said what it is called."""


def propose_zones(inventory: Inventory) -> Policy:
    """A draft policy under which all that was answered would be allowed, but not what came from the internet."""
    zones, assets = _zones(inventory)
    base: dict[str, Any] = {
        "policy_version": 1,
        "suc": {"id": "draft", "name": DRAFTED},
        "defaults": {"between_zones": "deny", "within_zone": "allow", "unknown_asset": "report"},
        "zones": zones,
        "assets": assets,
    }
    draft = Policy.model_validate(base)
    return Policy.model_validate({**base, "conduits": list(_conduits(draft, inventory))})


def proposed_zones(inventory: Inventory) -> Policy:
    """Zones and assets alone; nothing is allowed, neither between zones nor inside them."""
    zones, assets = _zones(inventory)
    return Policy.model_validate(
        {
            "policy_version": 1,
            "suc": {"id": "draft", "name": DRAFTED},
            "defaults": {"between_zones": "deny", "within_zone": "deny", "unknown_asset": "report"},
            "zones": zones,
            "assets": assets,
        }
    )


def _zones(inventory: Inventory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    speakers = _speakers(inventory)
    by_place = _by_place(inventory, speakers)
    shared = Counter(vlan for _, vlans in by_place.items() for vlan in _vlans(vlans))
    zones: list[dict[str, Any]] = []
    zone_of: dict[str, str] = {}
    operators: list[str] = []
    for (network, vlan), found in sorted(by_place.items(), key=_place_order):
        kind = _behaviour((asset for _, asset in found), speakers)
        name = identifier(f"{kind}-{_short(network)}", f"vlan-{vlan}" if vlan is not None else "")
        addresses = sorted({interface.address for interface, _ in found if interface.address}, key=order)
        macs = sorted({interface.mac for interface, _ in found if not interface.address})
        own = [number for number in _vlans(found) if shared[number] == 1]
        whole = vlan is None and network
        members: dict[str, Any] = {"subnets": [network]} if whole else {"include": addresses}
        if own:
            members["vlans"] = own
        for interface, asset in found:
            if not interface.address:
                continue
            operator = kind == "control" and asset.role in OPERATOR_ROLES
            zone_of[interface.address] = SUPERVISION if operator else name
        operators += [address for address in addresses if zone_of[address] == SUPERVISION]
        kept = [address for address in members.get("include", ()) if zone_of[address] != SUPERVISION]
        members["include"] = [*kept, *macs]
        zones.append({"id": name, "kind": KINDS[kind], "purdue": LEVELS[kind], "members": members})
    if operators:
        zones.append(
            {
                "id": SUPERVISION,
                "kind": "supervisory",
                "purdue": 2,
                "members": {"include": sorted(operators, key=order)},
            }
        )
    if any(is_public(address) for asset in inventory.assets for address in asset.addresses):
        zones.append({"id": "external", "kind": "external", "purdue": 5})
    return zones, list(_assets(inventory, zone_of))


def _place_order(item: tuple[tuple[str, int | None], object]) -> tuple[tuple[int, int, str], int]:
    (network, vlan), _ = item
    return order(network.partition("/")[0]), -1 if vlan is None else vlan


def _by_place(
    inventory: Inventory, speakers: frozenset[str]
) -> dict[tuple[str, int | None], list[tuple[Interface, Asset]]]:
    """Private interfaces by subnet; where several VLANs are seen in one subnet, by VLAN too.

    Devices without an address that speak an OT protocol are of the one subnet, or where there are more by themselves.
    """
    by_subnet: defaultdict[str, list[tuple[Interface, Asset]]] = defaultdict(list)
    bare: list[tuple[Interface, Asset]] = []
    for asset in inventory.assets:
        if asset.id in speakers and not asset.addresses:
            bare += [(interface, asset) for interface in asset.interfaces if interface.mac]
        for interface in sorted(asset.interfaces, key=lambda interface: order(interface.address)):
            address = interface.address
            if address in UNSPECIFIED or is_public(address) or is_group(address) or parse(address) is None:
                continue
            by_subnet[subnet(address)].append((interface, asset))
    if bare:
        by_subnet[next(iter(by_subnet)) if len(by_subnet) == 1 else ""] += bare
    places: defaultdict[tuple[str, int | None], list[tuple[Interface, Asset]]] = defaultdict(list)
    for network, found in by_subnet.items():
        split = len(_vlans(found)) > 1
        first: dict[str, int | None] = {}
        for interface, asset in found:
            vlan = first.setdefault(interface.address or interface.mac, interface.vlan) if split else None
            places[network, vlan].append((interface, asset))
    return dict(places)


def _vlans(found: Iterable[tuple[Interface, Asset]]) -> list[int]:
    return sorted({interface.vlan for interface, _ in found if interface.vlan is not None})


def _speakers(inventory: Inventory) -> frozenset[str]:
    """Assets that serve an OT protocol of which only connections are known, or publish one (GOOSE)."""
    return frozenset(
        edge.client if edge.server.startswith(BROADCAST) else edge.server
        for edge in inventory.edges
        if edge.protocol in OT_SERVICES and (edge.state in ANSWERED or edge.state == "one_way")
    )


def _behaviour(assets: Iterable[Asset], speakers: frozenset[str]) -> str:
    hosts = {asset.id: asset for asset in assets if asset.role not in ("router", "network_device")}
    devices = {asset.id for asset in hosts.values() if asset.kind == "ot"} | speakers
    roles = ["io_device" if asset.role == "unknown" and asset.id in devices else asset.role for asset in hosts.values()]
    if DEVICE_ROLES & set(roles):
        return "control"
    operators = sum(role in OPERATOR_ROLES for role in roles)
    return "supervision" if operators and 2 * operators >= len(roles) else "office"


def _short(network: str) -> str:
    if not network:
        return "layer-2"
    address, _, length = network.partition("/")
    parsed = ipaddress.ip_network(network)
    return "-".join(address.split(".")[: int(length) // 8]) if parsed.version == 4 else identifier(address)


def _assets(inventory: Inventory, zone_of: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The devices and operators' hosts, each in the zone of its addresses. An address (of two points) is told once."""
    taken: set[str] = set()
    macs = Counter(mac for asset in inventory.assets for mac in asset.macs)
    for asset in inventory.assets:
        if asset.kind != "ot" and asset.role not in DEVICE_ROLES | OPERATOR_ROLES:
            continue
        addresses = [
            text for text in sorted(set(asset.addresses), key=order) if text not in taken and parse(text) is not None
        ]
        taken.update(addresses)
        if not addresses or any(mark.isspace() or mark == "," for mark in asset.id):
            continue
        entry: dict[str, Any] = {"id": _asset_id(asset, addresses[0])}
        zones = {zone_of[text] for text in addresses if text in zone_of and not is_link_local(text)}
        if len(zones) == 1:
            entry["zone"] = zones.pop()
        entry["addresses"] = [str(parse(text)) for text in addresses]
        if len(asset.macs) == 1 and macs[asset.macs[0]] == 1:
            entry["mac"] = asset.macs[0]
        yield {**entry, "role": asset.role} if asset.role != "unknown" else entry


def _asset_id(asset: Asset, address: str) -> str:
    """Its own id, unless that is an address: flows would name the address alone, not the device."""
    if asset.declared or not asset.id.endswith(address):
        return asset.id
    role = asset.role if asset.role != "unknown" else "device"
    return identifier(role, asset.id)


def _conduits(draft: Policy, inventory: Inventory) -> Iterator[dict[str, Any]]:
    places = Places(draft, inventory)
    seen: defaultdict[tuple[str, str], defaultdict[tuple[str, bool], dict[str, set[Any]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(set))
    )
    for edge in inventory.edges:
        client, server = places.of(edge.client, edge.client_address), places.of(edge.server, edge.server_address)
        to_zone = places.of_broadcast(client, server) if server.many else server.zone
        if not client.zone or not to_zone or client.zone == to_zone or client.public:
            continue  # what comes from the internet is a finding, not a draft
        if not edge.functions and edge.state not in ANSWERED and not edge.state.endswith("way"):
            continue  # nothing came of it: not to be allowed
        protocol, port = _protocol(edge.protocol, edge.transport, edge.server_port)
        for operation in edge.operations or ("",):
            found = seen[client.zone, to_zone][protocol, changes_state(operation)]
            found["clients"].add(client.label)
            found["servers"].add(server.label if not server.many else "")
            found["ports"].add(port)
            found["operations"].add(operation)
        for function in edge.functions:
            found = seen[client.zone, to_zone][protocol, changes_state(function.operation)]
            found["objects"].update([target.kind for target in function.targets] or [""])
    for (from_zone, to_zone), flows in sorted(seen.items()):
        yield {
            "id": identifier(from_zone, "to", to_zone),
            "from": from_zone,
            "to": to_zone,
            "flows": [_flow(protocol, changing, flows[protocol, changing]) for protocol, changing in sorted(flows)],
        }


def _protocol(protocol: str, transport: str, port: int) -> tuple[str, str]:
    if protocol.endswith("/*") or not is_protocol(protocol):
        return (transport if transport in ("tcp", "udp", "icmp") else "any"), ""
    if protocol.startswith(("tcp/", "udp/", PREFIX)):
        return transport, f"{port}/{transport}"
    return canonical_service(protocol), ""


def _flow(protocol: str, changing: bool, seen: dict[str, set[Any]]) -> dict[str, Any]:
    operations = sorted(seen["operations"] - {""})
    flow: dict[str, Any] = {
        "id": identifier(protocol, "change" if changing else ("read" if operations else "")),
        "protocol": protocol,
    }
    if seen["ports"] and "" not in seen["ports"] and protocol in ("tcp", "udp"):
        flow["ports"] = sorted(seen["ports"], key=lambda text: int(text.partition("/")[0]))
    if operations:
        flow["operations"] = operations
    for key in ("clients", "servers"):
        if "" not in seen[key] and len(seen[key]) <= MOST_ENDS:
            flow[key] = sorted(seen[key])
    kinds = seen["objects"]
    if changing and kinds and kinds <= OBJECT_KINDS:
        flow["objects"] = sorted(kinds)
    return flow


def head_lines(policy: Policy) -> list[str]:
    """All of the policy before its conduits, as text."""
    lines = [
        f"policy_version: {policy.policy_version}",
        f"suc: {{id: {scalar(policy.suc.id)}, name: {scalar(policy.suc.name)}}}",
        f"defaults: {{between_zones: {policy.defaults.between_zones}, within_zone: {policy.defaults.within_zone}, "
        f"unknown_asset: {policy.defaults.unknown_asset}}}",
        "zones:" if policy.zones else "zones: []",
    ]
    for zone in policy.zones:
        lines += _zone_lines(zone)
    lines.append("assets:" if policy.assets else "assets: []")
    for asset in policy.assets:
        place = f", zone: {scalar(asset.zone)}" if asset.zone else ""
        more = (("mac", asset.mac), ("role", asset.role))
        rest = "".join(f", {key}: {scalar(value)}" for key, value in more if value)
        lines.append(f"  - {{id: {scalar(asset.id)}{place}, addresses: {sequence(asset.addresses)}{rest}}}")
    return lines


def draft_yaml(policy: Policy) -> str:
    """The policy as text to start from. It loads as it is."""
    lines = [
        "# Draft of a zone policy, made from observed traffic. Nobody approved this yet.",
        "# It allows what was seen inside, wanted or not: read each flow, remove what should not be, give a purpose.",
        *head_lines(policy),
    ]
    lines.append("conduits:" if policy.conduits else "conduits: []")
    for conduit in policy.conduits:
        lines += [
            f"  - id: {scalar(conduit.id)}",
            f"    from: {scalar(conduit.from_)}",
            f"    to: {scalar(conduit.to)}",
        ]
        lines.append("    flows:" if conduit.flows else "    flows: []")
        for flow in conduit.flows:
            lines += _flow_lines(flow)
    return "\n".join(lines) + "\n"


def _zone_lines(zone: Zone) -> Iterator[str]:
    yield f"  - id: {scalar(zone.id)}"
    yield f"    kind: {zone.kind}"
    if zone.purdue is not None:
        yield f"    purdue: {zone.purdue:g}"
    yield "    owner: # who answers for it?"
    members = (("subnets", zone.members.subnets), ("include", zone.members.include))
    told = ", ".join(
        (
            *(f"{key}: {sequence(values)}" for key, values in members if values),
            *((f"vlans: [{', '.join(map(str, zone.members.vlans))}]",) if zone.members.vlans else ()),
        )
    )
    if told:
        yield f"    members: {{{told}}}"


def _flow_lines(flow: Flow) -> Iterator[str]:
    yield f"      - id: {scalar(flow.id)}"
    yield f"        protocol: {scalar(flow.protocol)}"
    entries = (
        ("ports", map(str, flow.ports)),
        ("operations", iter(flow.operations)),
        ("clients", iter(flow.clients)),
        ("servers", iter(flow.servers)),
        ("objects", map(str, flow.objects)),
    )
    for key, values in entries:
        listed = list(values)
        if listed:
            yield f"        {key}: {sequence(listed)}"
    yield '        purpose: "" # seen in traffic; nobody approved this yet'
