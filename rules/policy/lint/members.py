"""Checks of zones, their members and assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.rules.policy.edit import Add, Remove
from zonewatch.rules.policy.lint.kinds import Check, Subject, Told
from zonewatch.rules.policy.model import Network, parse_network
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS
from zonewatch.rules.policy.values import inside
from zonewatch.rules.policy.zones import aliases, entry, members

NETWORK_ROLES: Final = frozenset(("router", "network_device", "gateway"))
"""Devices that have interfaces in several zones by their nature."""
BUSINESS_ROLES: Final = frozenset(("it_host", "it_server"))
PROCESS_ROLES: Final = frozenset(("controller", "rtu", "io_device"))
PLANT: Final = frozenset(("control", "safety"))


def defaults_unsaid(subject: Subject) -> Iterator[Told]:
    """A default that the file does not write down."""
    defaults = subject.policy.defaults
    written = defaults.model_fields_set
    missing = [key for key in type(defaults).model_fields if key not in written]
    if missing and written:
        edits = tuple(Add(("defaults",), key, getattr(defaults, key)) for key in missing)
        yield Told(("defaults",), f"{', '.join(missing)} left to the default: write down what is meant", edits)
    elif missing:
        told = ", ".join(f"{key}: {getattr(defaults, key)}" for key in missing)
        yield Told((), "no defaults: write down what is meant", (Add((), "defaults", f"{{{told}}}"),))


def not_denied(subject: Subject) -> Iterator[Told]:
    """Traffic between zones that passes without a flow."""
    if subject.policy.defaults.between_zones != "deny":
        action = subject.policy.defaults.between_zones
        yield Told(("defaults", "between_zones"), f"what no flow names passes between zones ({action}, not deny)")


def repeated(subject: Subject) -> Iterator[Told]:
    """An entry that stands in its list already."""
    for i, zone in enumerate(subject.policy.zones):
        for key in ("subnets", "vlans", "include", "exclude"):
            yield from _again(("zones", i, "members", key), getattr(zone.members, key))
    for path, _, flow in subject.flows():
        for key in ("ports", "clients", "servers", "operations", "function_codes", "objects"):
            yield from _again((*path, key), getattr(flow, key))


def _again(path: tuple[str | int, ...], entries: tuple[object, ...]) -> Iterator[Told]:
    for number, item in enumerate(entries):
        if item in entries[:number]:
            place = (*path, number)
            yield Told(place, f"{str(item)!r} is in this list already", (Remove(place),))


def overlapping(subject: Subject) -> Iterator[Told]:
    """A subnet of one zone inside a subnet of another that is no parent of it."""
    found = list(_networks(subject))
    for path, zone, network in found:
        holders = [(other, wide) for _, other, wide in found if other != zone and inside(network, wide)]
        if holders:
            other, wide = max(holders, key=lambda pair: pair[1].prefixlen)
            if other not in _above(subject, zone) and zone not in _above(subject, other):
                yield Told(path, f"{network} of zone {zone!r} is inside {wide} of zone {other!r}")


def redundant(subject: Subject) -> Iterator[Told]:
    """A member that a subnet of the same zone holds, where no other zone takes it out."""
    found = list(_networks(subject))
    for path, zone, network in found:
        wider = [wide for place, other, wide in found if other == zone and place != path and inside(network, wide)]
        wider = [wide for wide in wider if wide != network]
        others = [middle for _, other, middle in found if other != zone]
        between = any(
            (inside(network, middle) or inside(middle, network)) and any(inside(middle, wide) for wide in wider)
            for middle in others
        )
        if wider and not between:
            yield Told(path, f"{network} is inside {wider[0]} of the same zone", (Remove(path),))


def _networks(subject: Subject) -> Iterator[tuple[tuple[str | int, ...], str, Network]]:
    for zone, member in members(subject.policy):
        network = parse_network(member.value) if member.sort in ("subnet", "address") else None
        if network is not None:
            yield member.path, zone.id, network


def _above(subject: Subject, zone: str) -> set[str]:
    """The zones that a zone is a sub-zone of."""
    found: set[str] = set()
    parent = subject.zones[zone].parent if zone in subject.zones else None
    while parent is not None and parent in subject.zones and parent not in found:
        found.add(parent)
        parent = subject.zones[parent].parent
    return found


def empty(subject: Subject) -> Iterator[Told]:
    """A zone that nothing can be a member of."""
    filled = {zone.id for zone, _ in members(subject.policy)} | {zone.parent for zone in subject.policy.zones}
    rest = subject.members.public
    for i, zone in enumerate(subject.policy.zones):
        if zone.id not in filled and zone.id != rest:
            yield Told(("zones", i), f"zone {zone.id!r} has no members")


def excludes_nothing(subject: Subject) -> Iterator[Told]:
    """An entry of `exclude` that is no member anyway."""
    names = aliases(subject.policy)
    networks: defaultdict[str, list[Network]] = defaultdict(list)
    for _, holder, own_network in _networks(subject):
        networks[holder].append(own_network)
    for i, zone in enumerate(subject.policy.zones):
        if zone.members.vlans:
            continue  # what a VLAN holds is not in the file
        own = networks[zone.id]
        for j, text in enumerate(zone.members.exclude):
            sort, value = entry(text, names)
            network = parse_network(value) if sort in ("address", "subnet") else None
            if network is None:
                addresses = next((asset.addresses for asset in subject.policy.assets if asset.id == value), ())
                member = sort == "mac" or not addresses or any(_holds(own, parse_network(item)) for item in addresses)
            else:
                member = _holds(own, network) or any(inside(item, network) for item in own)
            if not member:
                path = ("zones", i, "members", "exclude", j)
                yield Told(path, f"{text!r} is no member of zone {zone.id!r} anyway", (Remove(path),))


def _holds(networks: list[Network], network: Network | None) -> bool:
    return network is not None and any(inside(network, wide) for wide in networks)


def unplaced(subject: Subject) -> Iterator[Told]:
    """An asset in no zone."""
    for i, asset in enumerate(subject.policy.assets):
        if asset.id not in subject.members.assets and not (asset.mac and asset.mac in subject.members.macs):
            zones = {subject.members.of(address, assets=(asset.id,)) for address in asset.addresses}
            if "" in zones or not zones:
                where = "no zone" if zones <= {""} else "no zone with one of its addresses"
                yield Told(("assets", i), f"asset {asset.id!r} is in {where}")


def in_two(subject: Subject) -> Iterator[Told]:
    """An asset whose addresses are in several zones, or in another than it is declared in."""
    bare = subject.members
    for i, asset in enumerate(subject.policy.assets):
        if asset.role in NETWORK_ROLES:
            continue
        by_address = sorted({zone for address in asset.addresses if (zone := bare.of_address_alone(address))})
        own = bare.assets.get(asset.id)
        if own is None and len(by_address) > 1:
            yield Told(("assets", i), f"asset {asset.id!r} is in zones {' and '.join(by_address)}: name its zone")
        elif (
            own is not None
            and by_address
            and own not in by_address
            and not any(zone in _above(subject, own) or own in _above(subject, zone) for zone in by_address)
        ):
            message = f"asset {asset.id!r} is declared in zone {own!r}, its addresses are in {' and '.join(by_address)}"
            yield Told(("assets", i, "zone"), message)


def mixed_business(subject: Subject) -> Iterator[Told]:
    """Business and control assets in one zone."""
    members = _with_roles(subject)
    for i, zone in enumerate(subject.policy.zones):
        inside = members.get(zone.id, [])
        process = [name for name, role in inside if role in PROCESS_ROLES]
        office = [name for name, role in inside if role in BUSINESS_ROLES]
        if process and zone.nature == "business":
            yield Told(("zones", i), f"controllers in business zone {zone.id!r}: {', '.join(process[:5])}")
        elif process and office and zone.nature in PLANT:
            yield Told(("zones", i), f"zone {zone.id!r} holds controllers and office hosts: {', '.join(office[:5])}")


def mixed_safety(subject: Subject) -> Iterator[Told]:
    """A safety asset in a zone that is not treated as safety."""
    for i, asset in enumerate(subject.policy.assets):
        if asset.safety.designation != "sis":
            continue
        zone = subject.zones.get(_zone_of(subject, asset.id, asset.addresses))
        if zone is not None and zone.kind != "safety" and zone.safety.designation != "sis":
            yield Told(("assets", i), f"safety asset {asset.id!r} is in zone {zone.id!r}, which is no safety zone")


def _zone_of(subject: Subject, name: str, addresses: tuple[str, ...]) -> str:
    return subject.members.of(addresses[0] if addresses else "", assets=(name,))


def _with_roles(subject: Subject) -> dict[str, list[tuple[str, str]]]:
    """By zone the assets of a known role, with it."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for asset in subject.policy.assets:
        if asset.role is not None:
            found[_zone_of(subject, asset.id, asset.addresses)].append((asset.id, asset.role))
    return dict(found)


def without_levels(subject: Subject) -> Iterator[Told]:
    """A zone without SL-T, of its own or inherited."""
    for i, zone in enumerate(subject.policy.zones):
        if zone.nature != "external" and zone.sl_t is None:
            above = (subject.zones[name].sl_t for name in _above(subject, zone.id))
            if all(levels is None for levels in above):
                yield Told(("zones", i), f"zone {zone.id!r} has no SL-T")


def below_parent(subject: Subject) -> Iterator[Told]:
    """A sub-zone with a lower SL-T than the zone it is part of."""
    for i, zone in enumerate(subject.policy.zones):
        parent = subject.zones.get(zone.parent) if zone.parent is not None else None
        if zone.sl_t is None or parent is None or parent.sl_t is None:
            continue
        lower = [name for name in FOUNDATIONAL_REQUIREMENTS if getattr(zone.sl_t, name) < getattr(parent.sl_t, name)]
        if lower:
            yield Told(("zones", i, "sl_t"), f"SL-T of {', '.join(lower)} is lower than that of parent {parent.id!r}")


def without_owner(subject: Subject) -> Iterator[Told]:
    """A zone that nobody answers for."""
    for i, zone in enumerate(subject.policy.zones):
        if zone.nature != "external" and not str(zone.owner or ""):
            yield Told(("zones", i), f"zone {zone.id!r} has no owner")


CHECKS: Final = (
    Check("ZP101", "note", "A default is not written down", "ZCR 3.1", defaults_unsaid),
    Check("ZP102", "warning", "Between zones not everything else is denied", "ZCR 3.1, SR 5.2 RE 1", not_denied),
    Check("ZP103", "note", "An entry is repeated", "ZCR 6.4", repeated),
    Check("ZP104", "warning", "Members of two zones overlap", "ZCR 6.4 c", overlapping),
    Check("ZP105", "note", "A member is inside another of its zone", "ZCR 6.4 c", redundant),
    Check("ZP106", "warning", "A zone has no members", "ZCR 6.4 c", empty),
    Check("ZP107", "warning", "An exclusion excludes nothing", "ZCR 6.4 c", excludes_nothing),
    Check("ZP108", "warning", "An asset is in no zone", "ZCR 6.3", unplaced),
    Check("ZP109", "warning", "An asset is in two zones", "ZCR 3.1, ZCR 6.4 j", in_two),
    Check("ZP110", "warning", "Business and control assets share a zone", "ZCR 3.2", mixed_business),
    Check("ZP111", "warning", "A safety asset is in no safety zone", "ZCR 3.3", mixed_safety),
    Check("ZP112", "warning", "A zone has no SL-T", "ZCR 5.6, ZCR 6.4 k", without_levels),
    Check("ZP113", "warning", "A sub-zone has a lower SL-T than its parent", "ZCR 5.6", below_parent),
    Check("ZP114", "warning", "A zone has no owner", "ZCR 6.4 b", without_owner),
)
