"""The inventory out of the engine's tables: a function from values to a value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.activities import activities
from zonewatch.inventory.addresses import UNSPECIFIED
from zonewatch.inventory.claims import Statement, Units, describe, heard_units, statements, winning
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.edges import edges
from zonewatch.inventory.facts import OT_FACTS, Facts, gather
from zonewatch.inventory.flows import Link, Traffic, traffic
from zonewatch.inventory.identity import Host, Sighting, identify, sightings
from zonewatch.inventory.model import Asset, Evidence, Inventory, Service
from zonewatch.inventory.roles import KINDS, PURDUE, decide
from zonewatch.inventory.said import said
from zonewatch.inventory.services import services
from zonewatch.inventory.tables import Tables
from zonewatch.inventory.traffic import Conversation, Place, conversations, with_few_ports

__all__ = ["Tables", "build"]


class _Span(NamedTuple):
    """When a device was seen, and where first."""

    first: int
    last: int
    evidence: Evidence


def build(tables: Tables, declared: Sequence[DeclaredAsset] = ()) -> Inventory:
    """All assets, edges and unseen declared assets, in a stable order."""
    seen = sightings(tables.addresses)
    senders = frozenset((row.source, row.address) for row in seen)
    wire = conversations(tables.aggregates)
    heard = traffic(tables.flows, wire, senders)
    talks = with_few_ports(wire)
    stated = (*statements(tables.claims), *said(tables.activities))
    units = heard_units(talks, stated)

    hosts = identify(seen, _endpoints(heard, talks, stated), declared)
    named = tuple(zip(_names(hosts, several_sources=len(tables.sources) > 1), hosts, strict=True))
    ids = _ids(named)
    facts = gather(named, ids, talks, heard.links, stated, units)
    served = services(talks, heard.links, ids)
    spans = _spans(ids, seen, talks, heard.links)
    by_place = _by_place(stated)
    protocols = sorted({protocol for _, _, protocol in units})
    return Inventory(
        assets=tuple(
            _asset(name, host, facts.get(name, {}), served.get(name, ()), spans.get(name), by_place, units, protocols)
            for name, host in named
        ),
        edges=edges(talks, heard.links, ids),
        unseen=_unseen(hosts, declared),
        activities=activities(tables.activities, ids),
        by_address=ids,
    )


def _endpoints(heard: Traffic, talks: Iterable[Conversation], stated: Iterable[Statement]) -> frozenset[Place]:
    """Everyone who takes part and is one device, heard or only asked."""
    found = set(heard.speaking)
    found.update((talk.source, end) for talk in talks for end in (talk.client, talk.server))
    found.update((link.source, link.client) for link in heard.links)
    found.update((link.source, link.server) for link in heard.links if not link.many)
    # Of whom a service only speaks (an answer of DNS) is no part of this network.
    found.update((row.source, row.address) for row in stated if row.protocol in PROTOCOLS)
    return frozenset(place for place in found if place not in heard.many and place[1] and place[1] not in UNSPECIFIED)


def _names(hosts: Sequence[Host], *, several_sources: bool) -> list[str]:
    """Ids: the declared one, else the address, with the source in front where there are several or it is taken."""
    declared = Counter(host.declared.id for host in hosts if host.declared)
    taken: set[str] = set(declared)
    names: dict[str, None] = {}
    for host in hosts:
        name = host.declared.id if host.declared else host.key
        # Equal addresses at two points may be two devices, whatever the list calls them.
        prefixed = declared[name] > 1 if host.declared else several_sources or name in taken
        full = f"{host.source}/{name}" if prefixed else name
        while full in names or (full in taken and not host.declared):
            full += "'"
        names[full] = None
    return list(names)


def _ids(named: Iterable[tuple[str, Host]]) -> dict[Place, str]:
    """Source and address, or MAC address, to asset id. A MAC address of several assets leads to the first of them."""
    ids: dict[Place, str] = {}
    for name, host in named:
        for interface in host.interfaces:
            for place in (interface.address, interface.mac):
                if place:
                    ids.setdefault((host.source, place), name)
    return dict(sorted(ids.items()))


def _by_place(stated: Iterable[Statement]) -> Mapping[Place, list[Statement]]:
    found: defaultdict[Place, list[Statement]] = defaultdict(list)
    for row in stated:
        found[row.source, row.address].append(row)
    return found


def _spans(
    ids: Mapping[Place, str], seen: Iterable[Sighting], talks: Iterable[Conversation], links: Iterable[Link]
) -> Mapping[str, _Span]:
    spans: dict[str, _Span] = {}

    def add(source: str, places: Iterable[str], first: int, last: int, capture: str, frame: int) -> None:
        for place in places:
            name = ids.get((source, place))
            if name is None:
                continue
            known = spans.get(name)
            if known is None:
                spans[name] = _Span(first, last, Evidence(source, capture, frame))
            elif first < known.first or last > known.last or first == known.first:
                earlier = (first, Evidence(source, capture, frame)) < (known.first, known.evidence)
                evidence = Evidence(source, capture, frame) if earlier else known.evidence
                spans[name] = _Span(min(first, known.first), max(last, known.last), evidence)

    for row in seen:
        add(row.source, (row.address, row.mac), row.first_time, row.last_time, row.capture, row.first_frame)
    for talk in talks:
        ends = (talk.client, talk.server)
        add(talk.source, ends, talk.first_time, talk.last_time, talk.capture, talk.first_frame)
    for link in links:
        ends = (link.client, link.server)
        add(link.source, ends, link.first_time, link.last_time, link.capture, link.first_frame)
    return spans


def _asset(
    name: str,
    host: Host,
    facts: Facts,
    served: tuple[Service, ...],
    span: _Span | None,
    stated: Mapping[Place, Iterable[Statement]],
    units: Units,
    protocols: Sequence[str],
) -> Asset:
    claims, subs = describe(host, stated, units, protocols)
    role = decide(facts, host.declared.role if host.declared else None, host.router)
    takes_part = any(facts.get(fact) for fact in OT_FACTS)
    return Asset(
        id=name,
        name=winning(claims, "name") or host.key,
        interfaces=host.interfaces,
        role=role.role,
        role_confidence=role.confidence,
        role_reasons=role.reasons,
        purdue=PURDUE.get(role.role),
        vendor=winning(claims, "vendor"),
        model=winning(claims, "model"),
        firmware=winning(claims, "firmware"),
        serial=winning(claims, "serial"),
        operating_system=winning(claims, "operating_system"),
        users=tuple(sorted({claim.value for claim in claims if claim.attribute == "user"})),
        criticality=host.declared.criticality if host.declared else "",
        declared=host.declared.id if host.declared else "",
        zone=host.declared.zone if host.declared else "",
        kind=KINDS.get(role.role, "ot" if takes_part else "unknown"),
        claims=claims,
        units=subs,
        services=served,
        first_time=span.first if span else 0,
        last_time=span.last if span else 0,
        first_evidence=span.evidence if span else None,
    )


def _unseen(hosts: Iterable[Host], declared: Iterable[DeclaredAsset]) -> tuple[str, ...]:
    shown = {host.declared.id for host in hosts if host.declared}
    return tuple(sorted({asset.id for asset in declared} - shown))
