"""What must hold between the parts of a policy: ids are unique and known, and no member is in two zones.

Each check gives problems: where in the file (a path of keys and places), what is wrong, and its code (docs/policy.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from zonewatch.inventory.addresses import parse
from zonewatch.rules.policy.model import Policy, Traffic, parse_mac, parse_network
from zonewatch.rules.policy.words import OWN, PORT_PROTOCOL, PROTOCOL_WORDS, hint
from zonewatch.rules.policy.zones import Zones, aliases, compile_zones, entry, ties

Path = tuple[str | int, ...]
TWICE: Final = "ZP003"
UNKNOWN: Final = "ZP004"
TIE: Final = "ZP005"
ELSEWHERE: Final = "ZP006"
CIRCLE: Final = "ZP007"


class Problem(NamedTuple):
    """Something wrong at a place of the file."""

    path: Path
    message: str
    code: str


class Names(NamedTuple):
    """Every id that the file gives, also by parts of it that are otherwise wrong."""

    zones: frozenset[str]
    assets: frozenset[str]


class NamedEnd(NamedTuple):
    """A client or a server that the policy names, and the zone that it must be of (empty: any)."""

    path: Path
    noun: str  # client, server
    text: str
    zone: str
    conduit: str


def unique_ids(policy: Policy, _: Names) -> Iterator[Problem]:
    """Ids of each sort of part, of flows and exceptions within their conduit; no id is both zone and asset."""
    sorts: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
        ("zone", "zones", policy.zones),
        ("asset", "assets", policy.assets),
        ("conduit", "conduits", policy.conduits),
        ("maintenance window", "maintenance_windows", policy.maintenance_windows),
        ("remote access", "remote_access", policy.remote_access),
    )
    for noun, key, parts in sorts:
        yield from _repeated(noun, (((key, i, "id"), part.id) for i, part in enumerate(parts)))
    for i, conduit in enumerate(policy.conduits):
        flows = ((("conduits", i, "flows", j, "id"), flow.id) for j, flow in enumerate(conduit.flows))
        exceptions = ((("conduits", i, "exceptions", j, "id"), item.id) for j, item in enumerate(conduit.exceptions))
        yield from _repeated("flow", (*flows, *exceptions))
    zones = {zone.id for zone in policy.zones}
    for i, asset in enumerate(policy.assets):
        if asset.id in zones:
            yield Problem(("assets", i, "id"), f"asset id {asset.id!r} is a zone's id too", TWICE)


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
    """Zones that assets, sub-zones, conduits, maintenance windows and remote access name."""
    uses: list[tuple[Path, str | None]] = []
    uses += [(("assets", i, "zone"), asset.zone) for i, asset in enumerate(policy.assets)]
    uses += [(("zones", i, "parent"), zone.parent) for i, zone in enumerate(policy.zones)]
    for i, conduit in enumerate(policy.conduits):
        uses += [(("conduits", i, "from"), conduit.from_), (("conduits", i, "to"), conduit.to)]
        if conduit.initiator is not None and conduit.initiator not in (conduit.from_, conduit.to):
            message = f"initiator {conduit.initiator!r} must be {conduit.from_!r} or {conduit.to!r}"
            yield Problem(("conduits", i, "initiator"), message, UNKNOWN)
    for i, window in enumerate(policy.maintenance_windows):
        uses += [(("maintenance_windows", i, "zones", j), zone) for j, zone in enumerate(window.zones)]
    for i, access in enumerate(policy.remote_access):
        uses += [(("remote_access", i, key), getattr(access, key)) for key in ("entry_zone", "target_zone")]
    for path, zone in uses:
        if zone is not None and zone not in names.zones:
            yield Problem(path, f"unknown zone {zone!r}{hint(zone, names.zones)}", UNKNOWN)


def known_members(policy: Policy, names: Names) -> Iterator[Problem]:
    """Entries of `include` and `exclude`: assets, addresses, subnets, MAC addresses."""
    assets = aliases(policy, names.assets)
    for i, zone in enumerate(policy.zones):
        for key, entries in (("include", zone.members.include), ("exclude", zone.members.exclude)):
            for j, text in enumerate(entries):
                if entry(text, assets)[0] == "asset" and text not in assets:
                    message = f"{text!r} is no asset id, address, subnet or MAC address{hint(text, assets)}"
                    yield Problem(("zones", i, "members", key, j), message, UNKNOWN)


def known_ends(policy: Policy, names: Names) -> Iterator[Problem]:
    """Clients and servers: an asset, an address, a subnet, a MAC address or a zone, and of the zone they must be in."""
    assets = aliases(policy, names.assets)
    known = {*assets, *names.zones}
    zones = compile_zones(policy)
    declared = frozenset(asset.id for asset in policy.assets)
    for end in named_ends(policy):
        if end.text not in known and parse_network(end.text) is None and parse_mac(end.text) is None:
            message = f"unknown {end.noun} {end.text!r}: no asset, address or zone{hint(end.text, known)}"
            yield Problem(end.path, message, UNKNOWN)
        elif end.zone in names.zones:
            found = zone_of_end(assets.get(end.text, end.text), zones, declared)
            if found and found != end.zone:
                at = f"conduit {end.conduit!r} has its {end.noun}s in" if end.conduit else "it must be in"
                message = f"{end.noun} {end.text!r} is in zone {found!r}, but {at} {end.zone!r}"
                yield Problem(end.path, message, ELSEWHERE)


def named_ends(policy: Policy) -> Iterator[NamedEnd]:
    """Every client and server that flows, exceptions, maintenance windows and remote access name."""
    for i, conduit in enumerate(policy.conduits):
        traffic: list[tuple[Path, Traffic]] = [
            *((("conduits", i, "flows", j), flow) for j, flow in enumerate(conduit.flows)),
            *((("conduits", i, "exceptions", j, "match"), item.match) for j, item in enumerate(conduit.exceptions)),
        ]
        for path, part in traffic:
            for key, zone in (("clients", conduit.from_), ("servers", conduit.to)):
                for k, text in enumerate(getattr(part, key)):
                    yield NamedEnd((*path, key, k), key[:-1], text, zone, conduit.id)
                single = getattr(part, key[:-1], None)
                if single is not None:
                    yield NamedEnd((*path, key[:-1]), key[:-1], single, zone, conduit.id)
    for i, window in enumerate(policy.maintenance_windows):
        for j, text in enumerate(window.clients):
            yield NamedEnd(("maintenance_windows", i, "clients", j), "client", text, "", "")
    for i, access in enumerate(policy.remote_access):
        if access.jump_host is not None:
            yield NamedEnd(("remote_access", i, "jump_host"), "jump host", access.jump_host, access.entry_zone, "")


def zone_of_end(text: str, zones: Zones, declared: frozenset[str]) -> str:
    """The zone of an asset or an address that the policy names; empty where it does not say."""
    if text not in declared:
        return zones.of(text) if parse(text) is not None else ""
    address = zones.first.get(text)
    return zones.of(address, assets=(text,)) if address is not None else zones.assets.get(text, "")


def known_protocols(policy: Policy, _: Names) -> Iterator[Problem]:
    """Names of the policy's own (`x-…`) are given once, to what has no other, and those that are used are given."""
    own: dict[str, int] = {}
    taken: dict[str, str] = {}
    for i, entry_ in enumerate(policy.unknown_protocols):
        if own.setdefault(entry_.name, i) != i:
            yield Problem(("unknown_protocols", i, "name"), f"name {entry_.name!r} is given twice", TWICE)
        for j, word in enumerate(entry_.is_):
            path: Path = ("unknown_protocols", i, "is", j)
            if word.startswith(OWN) or re.fullmatch(PORT_PROTOCOL, word) is None:
                example = f"{word!r} is no unknown-<number>, tcp/<port>, udp/<port>, ip-<number> or ethernet/0x<type>"
                yield Problem(path, f"{example}{hint(word, PROTOCOL_WORDS)}", UNKNOWN)
            elif taken.setdefault(word, entry_.name) != entry_.name:
                yield Problem(path, f"{word!r} has the name {taken[word]!r} already", TWICE)
    for path, word in _protocols(policy):
        if word.startswith(OWN) and word not in own:
            message = f"unknown protocol {word!r}: no name of 'unknown_protocols'{hint(word, own)}"
            yield Problem(path, message, UNKNOWN)


def _protocols(policy: Policy) -> Iterator[tuple[Path, str]]:
    for i, conduit in enumerate(policy.conduits):
        for j, flow in enumerate(conduit.flows):
            yield ("conduits", i, "flows", j, "protocol"), flow.protocol
        for j, item in enumerate(conduit.exceptions):
            yield ("conduits", i, "exceptions", j, "match", "protocol"), item.match.protocol
    for i, window in enumerate(policy.maintenance_windows):
        yield from ((("maintenance_windows", i, "protocols", j), word) for j, word in enumerate(window.protocols))
    for i, access in enumerate(policy.remote_access):
        yield from ((("remote_access", i, "protocols", j), word) for j, word in enumerate(access.protocols))


def no_ties(policy: Policy, _: Names) -> Iterator[Problem]:
    """No member is claimed by two zones with the same precision."""
    for member, zone, holder in ties(policy):
        message = f"{member.sort} {member.value!r} is a member of zone {holder!r} and of zone {zone!r}"
        yield Problem(member.path, message, TIE)


def one_rest(policy: Policy, _: Names) -> Iterator[Problem]:
    """At most one zone takes all public addresses that are left."""
    rest = [i for i, zone in enumerate(policy.zones) if zone.kind == "external" and not zone.members.model_fields_set]
    for i in rest[1:]:
        yield Problem(("zones", i), "a second zone of kind external without members", TIE)


def no_circles(policy: Policy, _: Names) -> Iterator[Problem]:
    """No zone is a sub-zone of itself."""
    parents = {zone.id: zone.parent for zone in policy.zones}
    for i, zone in enumerate(policy.zones):
        above, seen = zone.parent, {zone.id}
        while above is not None and above not in seen:
            seen.add(above)
            above = parents.get(above)
        if above == zone.id:
            yield Problem(("zones", i, "parent"), f"zone {zone.id!r} is a sub-zone of itself", CIRCLE)


CHECKS: Final[tuple[Callable[[Policy, Names], Iterator[Problem]], ...]] = (
    unique_ids,
    unique_addresses,
    known_zones,
    known_members,
    known_ends,
    known_protocols,
    no_ties,
    one_rest,
    no_circles,
)


def check(policy: Policy, names: Names) -> list[Problem]:
    """All problems between the parts of a policy, in the order of the checks."""
    return [problem for each in CHECKS for problem in each(policy, names)]


def _repeated(what: str, ids: Iterable[tuple[Path, str]], told: str = "") -> Iterator[Problem]:
    seen: set[str] = set()
    for path, text in ids:
        if text in seen:
            yield Problem(path, f"{text} is {told}" if told else f"duplicate {what} id {text!r}", TWICE)
        seen.add(text)
