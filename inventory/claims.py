"""Statements about devices: how sure each one is, which one wins, and to which device behind an address it belongs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.identity import Host
from zonewatch.inventory.model import Claim, Confidence, Evidence, SubAsset
from zonewatch.inventory.tables import grouped, in_order, plain
from zonewatch.inventory.traffic import Conversation, Place
from zonewatch.inventory.vendors import mac_vendor

CONFIDENCES: Final[tuple[Confidence, ...]] = ("low", "medium", "high", "declared")

STATED: Final[Confidence] = "high"
"""A device names its vendor, model … in its own protocol (Modbus MEI 14, DNP3 group 0, BACnet device object)."""

LESS_SURE: Final[Mapping[str, Confidence]] = {
    "vendor_id": "medium",  # a number that somebody has to look up
    "instance": "medium",
    "application": "medium",
    "description": "medium",  # free text of whoever configured it
    "location": "medium",
    "slot": "medium",  # where a client connected to; some devices take several
    "state": "low",  # true at that moment
    "software": "medium",
    "version": "medium",
    "user": "medium",
    "role_hint": "medium",
    "certificate": "medium",
}

OF_SERVICES: Final[Mapping[str, Confidence]] = {
    "lldp": "high",  # the device's own words to its neighbour
    "cdp": "high",
    "profinet-dcp": "high",
    "snmp": "high",
    "dns": "medium",  # a server's word for another host
    "llmnr": "low",  # whoever answers may say any name
    "http": "low",  # what a browser says of its host; the name that it calls a server
    "tls": "low",  # the name of a service, which several hosts may have
    "quic": "low",
    "dtls": "low",
    "syslog": "low",  # a relay sends what others wrote
    "ssdp": "medium",
}
"""How sure a service's statement is at the most; `medium` for those not named."""

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "vendor": ("vendor",),
    "model": ("model", "product"),
    "firmware": ("firmware",),
    "serial": ("serial",),
    "name": ("name", "hostname"),
    "operating_system": ("operating_system",),
}
"""Fields of an asset, and the attributes that fill them, the best first."""

NAMES: Final = ("hostname", "domain")
"""Attributes of which one value may be the start of another: `HOST1` and `host1.plant.example` agree."""

DIRECT_MODBUS_UNITS: Final = ("0", "255")
"""Mean the device at the TCP address itself (Modbus Messaging on TCP/IP V1.0b, 4.4.1)."""

Units = Mapping[tuple[str, str, str], tuple[str, ...]]
"""(source, address, protocol) → the units that were heard from, sorted."""


class Statement(NamedTuple):
    """One distinct row of the engine's claims."""

    source: str
    address: str
    unit: str | None
    protocol: str
    attribute: str
    value: str
    times: int
    time: int
    capture: str
    frame: int


def statements(table: pa.Table) -> tuple[Statement, ...]:
    """The distinct claims of the engine, by time."""
    rows = grouped(
        in_order(plain(table), "time", "source", "capture", "frame"),
        Statement._fields[:6],
        (("count", "sum"), ("time", "min")),
        ("capture", "frame"),
    )
    return tuple(Statement(*row) for row in rows)


def heard_units(talks: Iterable[Conversation], stated: Iterable[Statement]) -> Units:
    """Units that answered, sent of their own accord, or are told of in a claim. Being asked is not enough."""
    found: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for talk in talks:
        if talk.server_unit and talk.answered:
            found[talk.source, talk.server, talk.protocol].add(talk.server_unit)
    for statement in stated:
        if statement.unit:
            found[statement.source, statement.address, statement.protocol].add(statement.unit)
    return {
        key: tuple(sorted((unit for unit in units if not unit.endswith(":*")), key=unit_order))
        for key, units in sorted(found.items())
    }


def unit_order(unit: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key: the numbers of a unit (`7`, `20:13`) by value."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in filter(None, unit.split(":")))


def behind(protocol: str, units: Collection[str]) -> tuple[str, ...]:
    """The units, of those heard at one address, that are devices behind it.

    One Modbus unit alone is the device itself; a DNP3 outstation is told by its link address even where it is alone.
    """
    if protocol == "modbus":
        others = tuple(unit for unit in units if unit not in DIRECT_MODBUS_UNITS)
        return others if len(others) > 1 else ()
    return tuple(units)


def is_itself(protocol: str, unit: str | None, units: Collection[str]) -> bool:
    """True where what a unit states of itself holds for the device at the address."""
    if not unit:
        return True
    if protocol == "modbus":
        return unit in DIRECT_MODBUS_UNITS or unit not in behind(protocol, units)
    # A BACnet device with a network number is behind the router whose address this is (ASHRAE 135, 6.2.2).
    return protocol != "bacnet" and len(units) == 1


def winners(claims: Iterable[Claim], first_times: Mapping[Evidence, int] | None = None) -> tuple[Claim, ...]:
    """Marks the best claim of each attribute: the surest, then the most often stated, then the first seen.

    Claims that say the same in the same protocol are one. Names that agree are counted together, and of them the one
    with its domain is shown.
    """
    times = first_times or {}
    distinct = _together(claims, times)
    agreeing: Counter[tuple[str, str]] = Counter()
    for claim in distinct:
        agreeing[claim.attribute, _stem(claim)] += claim.count

    def rank(claim: Claim) -> tuple[object, ...]:
        seen = times.get(claim.evidence, 0) if claim.evidence else 0
        place = (claim.evidence,) if claim.evidence else ()
        sureness = -CONFIDENCES.index(claim.confidence)
        times_said = agreeing[claim.attribute, _stem(claim)]
        stem = _stem(claim) if claim.attribute in NAMES else ""
        how = (-times_said, stem, not _is_qualified(claim), -claim.count)
        return claim.attribute, sureness, *how, seen, place, claim.value, claim.protocol

    ordered = sorted(distinct, key=rank)
    first = {claim.attribute: index for index, claim in reversed(tuple(enumerate(ordered)))}
    return tuple(replace(claim, winner=first[claim.attribute] == index) for index, claim in enumerate(ordered))


def _together(claims: Iterable[Claim], times: Mapping[Evidence, int]) -> list[Claim]:
    """Claims that differ in their frame alone, as one with the first frame."""
    found: dict[tuple[str, str, str, Confidence], Claim] = {}

    def first(one: Claim, other: Claim) -> Claim:
        return min(one, other, key=lambda row: (times.get(row.evidence, 0), row.evidence) if row.evidence else (0,))

    for claim in claims:
        key = (claim.attribute, claim.value, claim.protocol, claim.confidence)
        known = found.get(key)
        found[key] = replace(first(known, claim), count=known.count + claim.count) if known else claim
    return list(found.values())


def _stem(claim: Claim) -> str:
    """What claims that agree have in common."""
    return claim.value.partition(".")[0].casefold() if claim.attribute in NAMES else claim.value


def _is_qualified(claim: Claim) -> bool:
    """True for a name with the domain that it is in; `.local` is every link's (RFC 6762, 3)."""
    return claim.attribute in NAMES and "." in claim.value and not claim.value.casefold().endswith(".local")


def winning(claims: Iterable[Claim], field: str) -> str:
    """Value of a field of an asset (a key of FIELDS); empty where nobody states it."""
    values = {claim.attribute: claim.value for claim in claims if claim.winner}
    return next((values[attribute] for attribute in FIELDS[field] if attribute in values), "")


def describe(
    host: Host, stated: Mapping[Place, Iterable[Statement]], units: Units, protocols: Iterable[str]
) -> tuple[tuple[Claim, ...], tuple[SubAsset, ...]]:
    """Claims of a device, and the devices behind it with theirs."""
    own: list[Claim] = [*_declared(host), *_macs(host)]
    subs: defaultdict[tuple[str, str], list[Claim]] = defaultdict(list)
    times: dict[Evidence, int] = {row.evidence: row.first_time for row in host.sightings}
    for item in _places(host):
        for protocol in protocols:
            for unit in behind(protocol, units.get((*item, protocol), ())):
                subs[protocol, unit] = []
    for item in _places(host):
        for statement in stated.get(item, ()):
            claim = _claim(statement)
            if claim.evidence:
                times[claim.evidence] = min(statement.time, times.get(claim.evidence, statement.time))
            heard = units.get((*item, statement.protocol), ())
            if statement.unit and statement.unit in behind(statement.protocol, heard):
                subs[statement.protocol, statement.unit].append(claim)
            if is_itself(statement.protocol, statement.unit, heard):
                own.append(claim)
    return winners(_without_own_name(own), times), tuple(
        SubAsset(protocol, unit, winners(claims, times))
        for (protocol, unit), claims in sorted(subs.items(), key=lambda entry: (entry[0][0], unit_order(entry[0][1])))
    )


def _without_own_name(claims: Sequence[Claim]) -> list[Claim]:
    """Without the users that are the host itself: it gets messages by its own name as by its user's (NetBIOS)."""
    names = {_stem(claim) for claim in claims if claim.attribute == "hostname"}
    return [
        claim
        for claim in claims
        if not (claim.attribute == "user" and claim.protocol.startswith("netbios") and claim.value.casefold() in names)
    ]


def _places(host: Host) -> list[Place]:
    names = [name for interface in host.interfaces for name in (interface.address, interface.mac) if name]
    return [(host.source, name) for name in dict.fromkeys(names)]


def _claim(statement: Statement) -> Claim:
    return Claim(
        attribute=statement.attribute,
        value=statement.value,
        protocol=statement.protocol,
        confidence=_confidence(statement),
        evidence=Evidence(statement.source, statement.capture, statement.frame),
        count=statement.times,
    )


def _confidence(statement: Statement) -> Confidence:
    of_attribute = LESS_SURE.get(statement.attribute, STATED)
    if statement.protocol in PROTOCOLS:
        return of_attribute
    return min(of_attribute, OF_SERVICES.get(statement.protocol, "medium"), key=CONFIDENCES.index)


def _declared(host: Host) -> list[Claim]:
    asset = host.declared
    if asset is None:
        return []
    said = (
        ("name", asset.name),
        ("vendor", asset.vendor),
        ("model", asset.model),
        ("role", asset.role or ""),
        ("mac", asset.mac),
    )
    return [Claim(attribute, value, "asset-list", "declared", None) for attribute, value in said if value]


def _macs(host: Host) -> list[Claim]:
    """MAC addresses as ARP and IP show them, and the vendors that they are registered for."""
    seen = [
        Claim("mac", row.mac, row.via, "high" if row.via == "arp" else "medium", row.evidence, row.packets)
        for row in host.sightings
    ]
    macs = sorted({interface.mac for interface in host.interfaces if interface.mac})
    return seen + [Claim("vendor", vendor, "oui", "low", None) for mac in macs if (vendor := mac_vendor(mac))]
