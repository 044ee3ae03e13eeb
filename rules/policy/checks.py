"""What must hold between the parts of a policy: ids are unique and known, and no member is in two zones.

Each check gives problems: where in the file (a path of keys and places), and what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from zonewatch.inventory.addresses import parse
from zonewatch.rules.policy.model import Conduit, Policy, parse_mac, parse_network
from zonewatch.rules.policy.words import hint
from zonewatch.rules.policy.zones import Zones, compile_zones, entry, ties

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """Something wrong at a place of the file."""

    path: Path
    message: str


class Names(NamedTuple):
    """Every id that the file gives, also by parts of it that are otherwise wrong."""

    zones: frozenset[str]
    assets: frozenset[str]


def unique_ids(policy: Policy, _: Names) -> Iterator[Problem]:
    """Ids of zones, assets, conduits, and of the flows of one conduit; no id is both zone and asset."""
    yield from _repeated("zone", (((("zones", i, "id")), zone.id) for i, zone in enumerate(policy.zones)))
    yield from _repeated("asset", ((("assets", i, "id"), asset.id) for i, asset in enumerate(policy.assets)))
    yield from _repeated("conduit", ((("conduits", i, "id"), conduit.id) for i, conduit in enumerate(policy.conduits)))
    for i, conduit in enumerate(policy.conduits):
        flows = ((("conduits", i, "flows", j, "id"), flow.id) for j, flow in enumerate(conduit.flows))
        yield from _repeated("flow", flows)
    zones = {zone.id for zone in policy.zones}
    for i, asset in enumerate(policy.assets):
        if asset.id in zones:
            yield Problem(("assets", i, "id"), f"asset id {asset.id!r} is a zone's id too")


def unique_addresses(policy: Policy, _: Names) -> Iterator[Problem]:
    """An address or MAC address is of one asset."""
    addresses = (
        (("assets", i, "addresses", j), address)
        for i, asset in enumerate(policy.assets)
        for j, address in enumerate(asset.addresses)
    )
    yield from _repeated("address", addresses, "the address of two assets")
    macs = ((("assets", i, "mac"), asset.mac) for i, asset in enumerate(policy.assets) if asset.mac)
    yield from _repeated("MAC address", macs, "the MAC address of two assets")


def known_zones(policy: Policy, names: Names) -> Iterator[Problem]:
    """Zones that assets, sub-zones and conduits name."""
    uses: list[tuple[Path, str | None]] = []
    uses += [(("assets", i, "zone"), asset.zone) for i, asset in enumerate(policy.assets)]
    uses += [(("zones", i, "parent"), zone.parent) for i, zone in enumerate(policy.zones)]
    for i, conduit in enumerate(policy.conduits):
        uses += [(("conduits", i, "from"), conduit.from_), (("conduits", i, "to"), conduit.to)]
        if conduit.initiator is not None and conduit.initiator not in (conduit.from_, conduit.to):
            ends = f"{conduit.from_!r} or {conduit.to!r}"
            yield Problem(("conduits", i, "initiator"), f"initiator {conduit.initiator!r} must be {ends}")
    for path, zone in uses:
        if zone is not None and zone not in names.zones:
            yield Problem(path, f"unknown zone {zone!r}{hint(zone, names.zones)}")


def known_members(policy: Policy, names: Names) -> Iterator[Problem]:
    """Entries of `include` and `exclude`: assets, addresses, subnets, MAC addresses."""
    for i, zone in enumerate(policy.zones):
        for key, entries in (("include", zone.members.include), ("exclude", zone.members.exclude)):
            for j, text in enumerate(entries):
                sort, value = entry(text, names.assets)
                if sort == "asset" and value not in names.assets:
                    message = f"{text!r} is no asset id, address, subnet or MAC address{hint(text, names.assets)}"
                    yield Problem(("zones", i, "members", key, j), message)


def known_ends(policy: Policy, names: Names) -> Iterator[Problem]:
    """Clients and servers of flows: an asset id, an address, a subnet, a MAC address or a zone id."""
    known = names.assets | names.zones
    zones = compile_zones(policy)
    declared = frozenset(asset.id for asset in policy.assets)
    for i, conduit in enumerate(policy.conduits):
        for j, flow in enumerate(conduit.flows):
            ends = (("clients", flow.clients, conduit.from_), ("servers", flow.servers, conduit.to))
            for key, entries, zone in ends:
                for k, text in enumerate(entries):
                    path = ("conduits", i, "flows", j, key, k)
                    if text not in known and parse_network(text) is None and parse_mac(text) is None:
                        message = f"unknown {key[:-1]} {text!r}: no asset, address or zone{hint(text, known)}"
                        yield Problem(path, message)
                    elif zone in names.zones:
                        yield from _elsewhere(path, text, key[:-1], zone, conduit, zones, declared)


def _elsewhere(
    path: Path, text: str, end: str, zone: str, conduit: Conduit, zones: Zones, declared: frozenset[str]
) -> Iterator[Problem]:
    """A client or server that is in another zone than its conduit's: the flow could never apply."""
    addresses = [address for address, asset in sorted(zones.declared.items()) if asset == text]
    found = zones.of(addresses[0], assets=(text,)) if addresses else zones.assets.get(text, "")
    if text not in declared:
        found = zones.of(text) if parse(text) is not None else ""
    if found and found != zone:
        message = f"{end} {text!r} is in zone {found!r}, but conduit {conduit.id!r} has its {end}s in {zone!r}"
        yield Problem(path, message)


def no_ties(policy: Policy, _: Names) -> Iterator[Problem]:
    """No member is claimed by two zones with the same precision."""
    for member, zone, holder in ties(policy):
        yield Problem(
            member.path, f"{member.sort} {member.value!r} is a member of zone {holder!r} and of zone {zone!r}"
        )


def one_rest(policy: Policy, _: Names) -> Iterator[Problem]:
    """At most one zone takes all public addresses that are left."""
    rest = [i for i, zone in enumerate(policy.zones) if zone.kind == "external" and not zone.members.model_fields_set]
    for i in rest[1:]:
        yield Problem(("zones", i), "a second zone of kind external without members")


CHECKS: Final[tuple[Callable[[Policy, Names], Iterator[Problem]], ...]] = (
    unique_ids,
    unique_addresses,
    known_zones,
    known_members,
    known_ends,
    no_ties,
    one_rest,
)


def check(policy: Policy, names: Names) -> list[Problem]:
    """All problems between the parts of a policy, in the order of the checks."""
    return [problem for each in CHECKS for problem in each(policy, names)]


def _repeated(what: str, ids: Iterable[tuple[Path, str]], told: str = "") -> Iterator[Problem]:
    seen: set[str] = set()
    for path, text in ids:
        if text in seen:
            yield Problem(path, f"{text} is {told}" if told else f"duplicate {what} id {text!r}")
        seen.add(text)
