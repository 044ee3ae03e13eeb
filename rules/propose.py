"""Zones and conduits for a network that has no policy yet: a draft from what was seen, that nobody approved.

Subnets (a /24 or /64 where nobody said) become zones by how their members behave: those with devices that answer OT
requests are control zones (Purdue 1), hosts that ask them are supervision (Purdue 2), the rest is office. A host that
asks OT devices of its own subnet is put into supervision by its address. What was seen becomes the conduits' flows.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from zonewatch.inventory.addresses import UNSPECIFIED, is_group, is_public, order, parse, subnet
from zonewatch.inventory.model import Asset, Inventory
from zonewatch.rules.context import ANSWERED, DEVICE_ROLES, OPERATOR_ROLES, changes_state
from zonewatch.rules.places import Places
from zonewatch.rules.policy.model import Flow, Policy, Zone
from zonewatch.rules.policy.words import OBJECT_KINDS, canonical_service, is_protocol
from zonewatch.rules.suggest import identifier, scalar, sequence

MOST_ENDS: Final = 12
"""More clients or servers than this are not named one by one."""

LEVELS: Final = {"control": 1, "supervision": 2, "office": 4}
KINDS: Final = {"control": "control", "supervision": "supervisory", "office": "business", "external": "external"}


def propose_zones(inventory: Inventory) -> Policy:
    """A draft policy under which all that was answered would be allowed, but not what came from the internet."""
    zones, assets = _zones(inventory)
    base: dict[str, Any] = {
        "policy_version": 1,
        "suc": {"id": "draft", "name": "Proposed by zonewatch; nobody approved it"},
        "defaults": {"between_zones": "deny", "within_zone": "allow", "unknown_asset": "report"},
        "zones": zones,
        "assets": assets,
    }
    draft = Policy.model_validate(base)
    return Policy.model_validate({**base, "conduits": list(_conduits(draft, inventory))})


def _zones(inventory: Inventory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    by_subnet: defaultdict[str, list[tuple[str, Asset]]] = defaultdict(list)
    public = False
    for asset in inventory.assets:
        for address in sorted(set(asset.addresses), key=order):
            if is_public(address):
                public = True
            elif address not in UNSPECIFIED and not is_group(address) and parse(address) is not None:
                by_subnet[subnet(address)].append((address, asset))
    zones: list[dict[str, Any]] = []
    operators: list[str] = []
    supervised = False
    for network in sorted(by_subnet, key=lambda text: order(text.partition("/")[0])):
        members = by_subnet[network]
        kind = _behaviour(asset for _, asset in members)
        supervised |= kind == "supervision"
        if kind == "control":
            operators += [address for address, asset in members if asset.role in OPERATOR_ROLES]
        zones.append(
            {
                "id": f"{kind}-{_short(network)}",
                "kind": KINDS[kind],
                "purdue": LEVELS[kind],
                "members": {"subnets": [network]},
            }
        )
    if operators:
        include = sorted(set(operators), key=order)
        zones.append({"id": "supervision", "kind": "supervisory", "purdue": 2, "members": {"include": include}})
    if public:
        zones.append({"id": "external", "kind": "external", "purdue": 5})
    return zones, list(_assets(inventory))


def _behaviour(assets: Iterable[Asset]) -> str:
    roles = {asset.role if asset.kind != "ot" or asset.role != "unknown" else "io_device" for asset in assets}
    if roles & DEVICE_ROLES:
        return "control"
    return "supervision" if roles & OPERATOR_ROLES else "office"


def _short(network: str) -> str:
    address, _, length = network.partition("/")
    parsed = ipaddress.ip_network(network)
    return "-".join(address.split(".")[: int(length) // 8]) if parsed.version == 4 else identifier(address)


def _assets(inventory: Inventory) -> Iterator[dict[str, Any]]:
    """The devices and operators' hosts. An address (of two capture points) is told once."""
    taken: set[str] = set()
    for asset in inventory.assets:
        if asset.kind != "ot" and asset.role not in DEVICE_ROLES | OPERATOR_ROLES:
            continue
        addresses = [
            text for text in sorted(set(asset.addresses), key=order) if text not in taken and parse(text) is not None
        ]
        taken.update(addresses)
        if addresses and not any(mark.isspace() or mark == "," for mark in asset.id):
            entry: dict[str, Any] = {"id": asset.id, "addresses": [str(parse(text)) for text in addresses]}
            yield {**entry, "role": asset.role} if asset.role != "unknown" else entry


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
    if protocol.startswith(("tcp/", "udp/")):
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


def draft_yaml(policy: Policy) -> str:
    """The policy as text to start from. It loads as it is."""
    lines = [
        "# Draft of a zone policy, made from observed traffic. Nobody approved this yet.",
        "# It allows what was seen inside, wanted or not: read each flow, remove what should not be, give a purpose.",
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
        role = f", role: {asset.role}" if asset.role else ""
        lines.append(f"  - {{id: {scalar(asset.id)}, addresses: {sequence(asset.addresses)}{role}}}")
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
    told = ", ".join(f"{key}: {sequence(values)}" for key, values in members if values)
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
