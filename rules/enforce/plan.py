"""What is to be enforced, before it is written for any target: who may open which connections to whom.

    plan = planned(policy, day)
    plan.permits        one for each flow and exception that holds on that day
    plan.limits         what addresses alone cannot tell

A permit is as narrow as its flow. Where addresses of an end are not known, nothing is permitted; it is never everyone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from netaddr import IPSet

from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.rules.enforce.services import Service, services
from zonewatch.rules.enforce.space import Addresses, Space
from zonewatch.rules.matching import HOUSEKEEPING
from zonewatch.rules.policy.model import Conduit, Flow, Policy, PolicyException, Traffic, Values
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.policy.words import ANY, REMOTE_SERVICES, TRANSPORTS, canonical_service
from zonewatch.rules.remote import OUTSIDE

Effect = Literal["wider", "narrower"]


class ExportError(Exception):
    """A policy that cannot be exported as it is."""


class Limit(NamedTuple):
    """A condition that a target cannot hold: it lets more pass than the policy (wider), or less (narrower)."""

    effect: Effect
    where: str  # `scada-to-filtration/setpoints`, a zone, or empty: all of it
    text: str

    def __str__(self) -> str:
        return f"{self.effect}: {self.where + ': ' if self.where else ''}{self.text}"


@dataclass(frozen=True, slots=True)
class Permit:
    """Who may open connections to whom, by one flow or exception."""

    conduit: str
    name: str
    part: Flow | PolicyException
    source: Space
    destination: Space
    source_zone: str  # zone of those who open the connection
    destination_zone: str
    services: tuple[Service, ...]
    told: str  # in words
    start: int | None = None  # seconds since the epoch
    end: int | None = None  # before this moment
    turned: bool = False  # the protocol's server opens the connection

    @property
    def traffic(self) -> Traffic:
        """What it is about."""
        return self.part.match if isinstance(self.part, PolicyException) else self.part

    @property
    def label(self) -> str:
        """`scada-to-filtration/poll`."""
        return f"{self.conduit}/{self.name}"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written for a target: the text of each file, and what it does not hold."""

    files: Mapping[str, str]
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A policy on a day, as addresses and ports."""

    policy: Policy
    day: dt.date
    zones: Mapping[str, Space]
    permits: tuple[Permit, ...]
    limits: tuple[Limit, ...]
    pending: tuple[str, ...] = ()  # approvals that are missing: a draft
    shield: str = ""  # id of the one asset that this is for
    shielded: Space = None
    shielded_zone: str = ""


_OPEN: Final = "connections that are open when it ends are not cut"


def planned(policy: Policy, day: dt.date, listed: Iterable[DeclaredAsset] = ()) -> Plan:
    """The plan for a day (UTC). Raises ExportError where the policy denies nothing."""
    if policy.defaults.between_zones != "deny":
        told = f"defaults.between_zones is {policy.defaults.between_zones!r}: the policy denies nothing between zones"
        raise ExportError(told)
    addresses = Addresses(policy, listed)
    limits = [_untold(*untold) for untold in addresses.untold]
    permits: list[Permit] = []
    for conduit in policy.conduits:
        parts: tuple[Flow | PolicyException, ...] = (*conduit.flows, *conduit.exceptions)
        for part in parts:
            found = _permit(policy, conduit, part, day, addresses)
            for item in found:
                if isinstance(item, Limit):
                    limits.append(item)
                else:
                    permits.append(item)
        if conduit.direction == "from-to-only":
            limits.append(Limit("wider", conduit.id, "one direction only: answers on the same connection pass"))
    limits += _general(policy)
    return Plan(policy, day, addresses.zones, tuple(permits), tuple(limits))


def _untold(zone: str, key: str, member: str) -> Limit:
    """A VLAN decides only where no subnet does; other members win over the subnet that their address is in."""
    where, unknown = f"zone {zone}", "no address of it is known"
    if key == "exclude":
        return Limit("wider", where, f"excluded {member}: {unknown}, so it is not kept out")
    if key == "vlan":
        return Limit("narrower", where, f"vlan {member}: {unknown}, so its hosts are in no zone here")
    return Limit("wider", where, f"{key} {member}: {unknown}, so it counts to the zone of its subnet")


def _general(policy: Policy) -> Iterator[Limit]:
    if policy.defaults.unknown_asset != "deny":
        yield Limit("narrower", "", f"addresses of no zone are denied (unknown_asset: {policy.defaults.unknown_asset})")
    for window in policy.maintenance_windows:
        yield Limit("narrower", f"maintenance window {window.id}", "is not exported: give it a flow or an exception")
    for access in policy.remote_access:
        text = f"sessions are narrowed only in flows that name one of {', '.join(sorted(REMOTE_SERVICES))}"
        yield Limit("wider", f"remote access {access.id}", text)
        if access.max_minutes is not None:
            yield Limit("wider", f"remote access {access.id}", f"max_minutes {access.max_minutes:g} is not held")


def _permit(
    policy: Policy, conduit: Conduit, part: Flow | PolicyException, day: dt.date, addresses: Addresses
) -> Iterator[Permit | Limit]:
    traffic = part.match if isinstance(part, PolicyException) else part
    where = f"{conduit.id}/{part.id}"
    start, end, over = _times(part, day)
    if over:
        yield Limit("narrower", where, over)
        return
    if conduit.kind == "serial":
        yield Limit("narrower", where, "a serial conduit has no packets to filter")
        return
    told_services = services(traffic)
    if not told_services:
        yield Limit("narrower", where, f"no port of {traffic.protocol} is known: name it in `ports`; left out")
        return
    client_texts = part.match.all_clients if isinstance(part, PolicyException) else part.clients
    server_texts = part.match.all_servers if isinstance(part, PolicyException) else part.servers
    spaces = []
    for noun, texts_, zone in (("client", client_texts, conduit.from_), ("server", server_texts, conduit.to)):
        space, unknown = _ends(texts_, zone, addresses)
        for text in unknown:
            yield Limit("narrower", where, f"{noun} {text}: no address of it is known in zone {zone}")
        spaces.append(space)
    clients, servers = spaces
    clients = _from_jump_hosts(policy, conduit, traffic, clients, addresses)
    if not clients or not servers:
        yield Limit("narrower", where, f"left out: no {'clients' if not clients else 'servers'} with an address")
        return
    turned = conduit.initiator not in (None, conduit.from_)
    yield Permit(
        conduit=conduit.id,
        name=part.id,
        part=part,
        source=servers if turned else clients,
        destination=clients if turned else servers,
        source_zone=conduit.to if turned else conduit.from_,
        destination_zone=conduit.from_ if turned else conduit.to,
        services=told_services,
        told=_told(part, traffic),
        start=start,
        end=end,
        turned=turned,
    )
    if isinstance(part, PolicyException) or end is not None:
        yield Limit("wider", where, _OPEN)


def _times(part: Flow | PolicyException, day: dt.date) -> tuple[int | None, int | None, str]:
    """From when, until before when (seconds), and why it does not hold at all."""
    if isinstance(part, PolicyException):
        if part.span is None:
            return None, None, "has no end: it lets nothing pass"
        start, end = part.span.start // SECOND, part.span.end // SECOND
        over = end <= midnight(day)
        return start or None, end, f"ended on {part.to:%Y-%m-%d %H:%M} UTC; left out" if over else ""
    last = part.last_day
    over_text = f"ended on {last.isoformat()}; left out" if last is not None and last < day else ""
    end_day = part.expires
    return None, None if end_day is None else midnight(end_day) + 86_400, over_text


def midnight(day: dt.date) -> int:
    """The beginning of a day (UTC), in seconds since the epoch."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _ends(entries: Iterable[str], zone: str, addresses: Addresses) -> tuple[Space, list[str]]:
    """Addresses of the named ends within their zone, and those of which none is known; without names all of it."""
    whole = addresses.zones.get(zone, IPSet())
    named = list(entries)
    if not named:
        return whole, []
    space, unknown = IPSet(), []
    for text in named:
        found = addresses.of_end(text)
        inside = found & whole if found is not None else IPSet()
        if inside:
            space |= inside
        else:
            unknown.append(text)
    return space, unknown


def _from_jump_hosts(policy: Policy, conduit: Conduit, traffic: Traffic, clients: Space, addresses: Addresses) -> Space:
    """Of a remote session, those clients that the declared remote access lets in (as `remote_decision`)."""
    service = canonical_service(traffic.protocol)
    if service not in REMOTE_SERVICES:
        return clients
    declared = [access for access in policy.remote_access if access.target_zone == conduit.to]
    entering = [access for access in declared if access.entry_zone == conduit.from_]
    if not entering:
        outside = any(zone.id == conduit.from_ and zone.nature in OUTSIDE for zone in policy.zones)
        return IPSet() if declared and outside else clients
    allowed = IPSet()
    for access in entering:
        if access.protocols and service not in map(canonical_service, access.protocols):
            continue
        host = addresses.of_end(access.jump_host) if access.jump_host is not None else clients
        allowed |= host if host is not None else IPSet()
    return clients & allowed


def _told(part: Flow | PolicyException, traffic: Traffic) -> str:
    words = [traffic.protocol, *traffic.operations]
    if traffic.function_codes:
        words.append("functions " + ", ".join(map(str, traffic.function_codes)))
    words += map(str, traffic.objects)
    if isinstance(part, PolicyException):
        words.append(f"until {part.to:%Y-%m-%d %H:%M} UTC, approved by {part.approved_by}, ticket {part.ticket}")
        return " ".join(words) + (f": {part.reason}" if part.reason else "")
    if part.approved is not None and part.approved.by:
        until = f" until {part.approved.until.isoformat()}" if part.approved.until else ""
        words.append(f"(approved by {part.approved.by}{until})")
    return " ".join(words) + (f": {part.purpose}" if part.purpose else "")


def unexpressed(permit: Permit, held: frozenset[str], also: Iterable[str] = ()) -> Iterator[Limit]:
    """The conditions of a permit that a target does not hold; `also`, in words, what it does not hold beside them."""
    traffic, part = permit.traffic, permit.part
    limits = traffic.values or Values()
    conditions: dict[str, list[Any]] = {
        "operations": [word for word in traffic.operations if word not in HOUSEKEEPING],
        "function_codes": list(traffic.function_codes),
        "objects": list(traffic.objects),
        "values": [
            f"{key} {limit:g}" for key, limit in (("min", limits.min), ("max", limits.max)) if limit is not None
        ],
        "rate_max_per_s": [f"{part.rate_max_per_s:g}"] if isinstance(part, Flow) and part.rate_max_per_s else [],
        "schedule": [part.schedule] if isinstance(part, Flow) and part.schedule.windows else [],
    }
    missing = [
        f"{name} {', '.join(map(str, values))}" for name, values in conditions.items() if values and name not in held
    ]
    missing += also
    if missing:
        yield Limit("wider", permit.label, f"not checked: {' + '.join(missing)}")
    last = part.last_day if isinstance(part, Flow) and part.expires is None else None
    if last is not None:
        yield Limit(
            "wider", permit.label, f"approved until {last.isoformat()}, and not ended by it: export again by then"
        )
    if "end" not in held and permit.end is not None:
        end = dt.datetime.fromtimestamp(permit.end, dt.UTC)
        yield Limit("wider", permit.label, f"does not end by itself on {end:%Y-%m-%d %H:%M} UTC: export again by then")


def by_port_alone(permit: Permit) -> tuple[str, ...]:
    """Of a permit that names a service, what a packet filter does not see."""
    known = canonical_service(permit.traffic.protocol) in (ANY, *TRANSPORTS)
    return () if known else (f"whether it is {permit.traffic.protocol} (its port alone is)",)


def shielded(plan: Plan, asset: str, listed: Iterable[DeclaredAsset] = ()) -> Plan:
    """The plan of one asset alone: what the policy lets in to it, and out of it. Raises ExportError."""
    addresses = Addresses(plan.policy, listed)
    space = addresses.of_end(asset) if asset not in addresses.zones else None
    zone = next((zone for zone, whole in addresses.zones.items() if space and space & whole), "")
    if not space or not zone:
        raise ExportError(f"--shield {asset}: no asset of the policy with an address in a zone")
    permits = []
    for permit in plan.permits:
        if inside := permit.destination & space:
            permits.append(replace(permit, destination=inside))
        if inside := permit.source & space:
            permits.append(replace(permit, source=inside))
    labels = {permit.label for permit in permits} | {f"zone {zone}", ""}
    limits = tuple(limit for limit in plan.limits if limit.where in labels or limit.where.startswith("remote access"))
    return replace(plan, permits=tuple(permits), limits=limits, shield=asset, shielded=space, shielded_zone=zone)
