"""Ways from the internet, the enterprise or remote access to controllers and safety systems, and the fewest cuts.

Two bases: what was seen, and what the policy permits. Two levels: zones, with conduits to close; hosts, with hosts to
close. A step goes from the client of a service to its server: who holds the client can try the server. Names looked
up, clocks and the like are no step. From a host of a zone every host of the zone can be tried, where the policy's
default allows traffic inside zones; of what was seen, only what was seen.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal

from zonewatch.inventory.addresses import parse
from zonewatch.inventory.model import Evidence
from zonewatch.rules.context import ANSWERED, DEVICE_ROLES, changes_state, listing, times
from zonewatch.rules.cuts import Mesh, choke_points, every_way, fewest, shortest_ways
from zonewatch.rules.entries import declared_entries
from zonewatch.rules.judge import NANOSECONDS, Judgement, VerdictRow
from zonewatch.rules.places import End, Places
from zonewatch.rules.policy.model import Conduit, Flow, Policy, Zone, parse_mac, parse_network
from zonewatch.rules.policy.words import canonical_service

Origin = Literal["internet", "enterprise", "remote access"]
Basis = Literal["seen", "permitted"]
Level = Literal["zones", "hosts"]

MOST_WAYS: Final = 200
LONGEST: Final = 15
"""Nodes of a way: eight zones with the conduits between them."""
MOST_USES: Final = 8
ENTERPRISE: Final = 4.0
CONTROL: Final = 1.5
"""Zones below this Purdue level hold controllers."""
MOST_FRAMES: Final = 4
INTERNET: Final = "internet"
NO_ZONE: Final = "no zone"
INSIDE: Final = "the zone itself"
ANYTHING: Final = "anything"
_ANY: Final = "any host of "
_LINK: Final = "\x00"
"""Begins the names of links, which are no names of places."""

LOOKUPS: Final = frozenset(
    (
        "arp", "bgp", "cldap", "dhcp", "dhcpv6", "dns", "hsrp", "icmp", "icmpv6", "igmp", "lldp", "llmnr", "mdns",
        "mrp", "netbios-dgm", "netbios-ns", "ntp", "ospf", "ptp", "rip", "snmp-trap", "ssdp", "stp", "syslog", "vrrp",
        "ws-discovery", "wsd",
    )
)  # fmt: skip
"""Services by which nobody gets from one host to another."""
_LOOKUP_PORTS: Final = frozenset((53, 67, 68, 123, 137, 138, 162, 319, 320, 514, 1900, 3702, 5353, 5355))


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a way."""

    start: str  # zone, or asset
    end: str
    by: str  # conduit, or in words where there is none
    uses: tuple[str, ...]  # "modbus read, write"; at most eight
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One way from outside to a target."""

    origin: Origin
    steps: tuple[PathStep, ...]
    changes: bool  # its last step carries, or would carry, state-changing operations
    buffered: bool  # it passes a DMZ
    reasons: tuple[str, ...]  # of its rank


@dataclass(frozen=True, slots=True)
class Choke:
    """What all ways to some targets pass."""

    name: str
    targets: int


@dataclass(frozen=True, slots=True)
class Closing:
    """A conduit or a host to close, with the legitimate flows that it would cost."""

    name: str
    costs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paths:
    """All that is known of the ways on one basis at one level."""

    basis: Basis
    level: Level
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    ways: tuple[Way, ...]  # ranked; at most 200
    more: bool  # there are further ways
    chokes: tuple[Choke, ...]
    closable: bool  # False: some way has nothing on it that could be closed
    close: tuple[Closing, ...]
    notes: tuple[str, ...] = ()


_Permitted = tuple[Conduit, Flow]


@dataclass(slots=True)
class _Link:
    """What passes between two ends, by one conduit or by none."""

    by: str
    uses: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # protocol → operations
    legitimate: set[str] = field(default_factory=set)
    evidence: set[Evidence] = field(default_factory=set)

    def told(self) -> tuple[str, ...]:
        """Each protocol with its operations."""
        texts = (f"{name} {', '.join(sorted(words - {''}))}".strip() for name, words in sorted(self.uses.items()))
        return tuple(islice(texts, MOST_USES))

    def changes(self) -> bool:
        """True where state-changing operations pass; a flow that names no operations lets all pass."""
        return any(word == ANYTHING or changes_state(word) for words in self.uses.values() for word in words)


@dataclass(slots=True)
class _Graph:
    """Places, and between each two of them what joins them: a node of its own, so that it can be closed."""

    after: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    links: dict[str, _Link] = field(default_factory=dict)

    def join(self, start: str, end: str, name: str, by: str) -> _Link:
        """The link of this name, from one more start or to one more end."""
        node = _LINK + name
        self.after[start].add(node)
        self.after[node].add(end)
        return self.links.setdefault(node, _Link(by))

    def mesh(self, sources: Iterable[str], targets: Iterable[str], costs: Mapping[str, int]) -> Mesh:
        """The same to be cut."""
        after = {node: frozenset(ends) for node, ends in self.after.items()}
        return Mesh(after, frozenset(sources), frozenset(targets), costs)

    def steps(self, way: tuple[str, ...]) -> Iterator[tuple[str, str, _Link | None]]:
        """Its places two by two, with the link between; none where one reaches the other as a host of its zone."""
        start = ""
        link: _Link | None = None
        for node in way:
            if node in self.links:
                link = self.links[node]
            elif not node.startswith(_ANY) or not start or link is not None:
                if start:
                    yield start, node, link
                start, link = node, None


def paths(policy: Policy, places: Places, judgement: Judgement, as_of: int, *, proposed: bool) -> tuple[Paths, ...]:
    """Seen by zones and by hosts; then permitted, where the policy is none that was made from the traffic."""
    plant = _Plant(policy, places, proposed=proposed)
    rows = [row for row in judgement.rows if _leads(row)]
    found = [plant.seen_zones(rows), plant.seen_hosts(rows)] if rows else []
    if not proposed:
        today = dt.datetime.fromtimestamp(as_of // NANOSECONDS, dt.UTC).date()
        valid = [
            (conduit, flow)
            for conduit in policy.conduits
            for flow in conduit.flows
            if (flow.last_day is None or flow.last_day >= today) and _carries(flow)
        ]
        found += [plant.permitted_zones(valid), plant.permitted_hosts(valid)]
    return tuple(found)


def _leads(row: VerdictRow) -> bool:
    """True for what was answered and leads from one host to another."""
    seen = row.seen
    if row.client.many or row.server.many or row.client.id == row.server.id:
        return False
    if canonical_service(seen.protocol) in LOOKUPS:
        return False
    return seen.unanswered < seen.events if seen.operation else seen.state in ANSWERED


def _carries(flow: Flow) -> bool:
    if canonical_service(flow.protocol) in LOOKUPS:
        return False
    ports = flow.ports
    return not (flow.protocol == "udp" and ports and all({item.first, item.last} <= _LOOKUP_PORTS for item in ports))


class _Plant:
    """The zones and hosts, and where somebody may come in or must not arrive."""

    def __init__(self, policy: Policy, places: Places, *, proposed: bool) -> None:
        self.policy = policy
        self.proposed = proposed
        self.zones = {zone.id: zone for zone in policy.zones}
        self.inside = policy.defaults.within_zone != "deny"
        self.ends: dict[str, End] = {}
        self.zone_of: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        declared = {asset.id: asset for asset in policy.assets}
        for asset in places.assets.values():
            self._add(asset.id, asset.role, places.of(asset.id, _first(asset.addresses)))
            known = declared.pop(asset.declared, None) or declared.pop(asset.id, None)
            if known is not None and known.role:
                self.roles[asset.id] = known.role
        for entry in declared.values():  # in no packet
            end = places.of(entry.id, _first(entry.addresses))
            self._add(entry.id, entry.role or "unknown", end, entry.zone or "")
        entries = {line.entry_zone for line in declared_entries(policy)}
        self.origins: dict[str, Origin] = {}
        for zone in policy.zones:
            origin = _origin(zone, entries)
            if origin is not None:
                self.origins[zone.id] = origin
        self.public = {name for name, end in self.ends.items() if end.public}
        self.devices = {name for name, role in self.roles.items() if role in DEVICE_ROLES}

    def _add(self, name: str, role: str, end: End, zone: str = "") -> None:
        self.ends[name], self.roles[name], self.zone_of[name] = end, role, zone or end.zone

    # --- what was seen ---

    def _use(self, graph: _Graph, start: str, end: str, row: VerdictRow) -> None:
        decision = row.decision
        allowed = not self.proposed and decision.verdict == "allowed" and bool(decision.flow)
        if row.client_zone and row.client_zone == row.server_zone:
            by = INSIDE
        elif self.proposed:
            by = "no policy"
        elif allowed:
            by = decision.conduit
        else:
            by = "a default" if decision.verdict == "allowed" else "no flow of the policy"
        zones = start in self.zones or end in self.zones
        link = graph.join(start, end, by if allowed and zones else f"{start} to {end} by {by}", by)
        protocol = canonical_service(row.seen.protocol)
        link.uses[protocol].add(row.seen.operation)
        link.evidence.update(row.seen.evidence[:1])
        if self.proposed:
            link.legitimate.add(f"{protocol} {row.client.label} to {row.server.label}")
        elif allowed:
            link.legitimate.add(f"{decision.conduit}/{decision.flow}")

    def seen_zones(self, rows: Iterable[VerdictRow]) -> Paths:
        """What was answered between zones."""
        graph = _Graph()
        for row in rows:
            start, end = _zone(row.client, row.client_zone), _zone(row.server, row.server_zone)
            if start != end:
                self._use(graph, start, end, row)
        return self._by_zones("seen", graph)

    def seen_hosts(self, rows: Iterable[VerdictRow]) -> Paths:
        """What was answered between hosts."""
        graph = _Graph()
        costs: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            self._use(graph, row.client.id, row.server.id, row)
        for node, link in graph.links.items():
            for name in graph.after[node]:
                costs[name] |= link.legitimate
        for name, nodes in graph.after.items():
            if name not in graph.links:
                costs[name].update(*(graph.links[node].legitimate for node in nodes))
        return self._by_hosts("seen", graph, self._outside(), costs)

    def _outside(self) -> set[str]:
        return {name for name, zone in self.zone_of.items() if zone in self.origins or name in self.public}

    # --- what is permitted ---

    def permitted_zones(self, valid: Iterable[_Permitted]) -> Paths:
        """Each conduit with the flows that are valid."""
        graph = _Graph()
        for conduit, flow in valid:
            if conduit.from_ != conduit.to:
                _permit(graph.join(conduit.from_, conduit.to, conduit.id, conduit.id), conduit, flow)
        return self._by_zones("permitted", graph)

    def permitted_hosts(self, valid: Iterable[_Permitted]) -> Paths:
        """From any host of a zone by each flow to each host that it names, and on inside the zone."""
        members: defaultdict[str, list[str]] = defaultdict(list)
        for name, zone in sorted(self.zone_of.items()):
            members[zone].append(name)
        graph = _Graph()
        costs: defaultdict[str, set[str]] = defaultdict(set)
        for conduit, flow in valid:
            name = f"{conduit.id}/{flow.id}"
            clients = self._named(members[conduit.from_], conduit.from_, flow.clients)
            servers = self._named(members[conduit.to], conduit.to, flow.servers)
            for start in clients:
                _permit(graph.join(start, servers[0], name, conduit.id), conduit, flow)
            graph.after[_LINK + name].update(servers)
            for host in (*clients, *servers):
                costs[host].add(name)
        for zone, names in members.items():
            if zone and (self.inside or zone in self.origins):
                graph.after[_ANY + zone].update(names)
            for name in names if zone and self.inside else ():
                graph.after[name].add(_ANY + zone)
        return self._by_hosts("permitted", graph, {_ANY + zone for zone in self.origins}, costs)

    def _named(self, members: Iterable[str], zone: str, entries: tuple[str, ...]) -> list[str]:
        """The hosts that a flow names; anybody of the zone where it names none, or none that is known."""
        named = [name for name in members if not entries or _speaks_of(entries, self.ends[name])]
        return named if named and entries else [*named, _ANY + zone]

    # --- the results ---

    def _by_zones(self, basis: Basis, graph: _Graph) -> Paths:
        """Every way; all that joins zones can be closed."""
        goals = {
            zone.id
            for zone in self.policy.zones
            if zone.id not in self.origins
            and (_is_goal(zone) or any(self.zone_of[name] == zone.id for name in self.devices))
        }
        costs = {node: link.legitimate for node, link in graph.links.items()}
        mesh = graph.mesh((*self.origins, INTERNET), goals, {node: len(found) for node, found in costs.items()})
        found = list(islice(every_way(mesh, LONGEST), MOST_WAYS + 1))
        flat = sorted({self.zone_of[name] for name in self.devices} & self.origins.keys())
        notes = [f"Devices of the process stand in zone {zone}: no conduit lies on the way to them." for zone in flat]
        if basis == "permitted" and self.policy.defaults.between_zones != "deny":
            notes.append("The default lets traffic pass between all zones: set between_zones to deny first.")
        return self._result(basis, "zones", graph, mesh, found, costs, notes)

    def _by_hosts(self, basis: Basis, graph: _Graph, sources: set[str], costs: Mapping[str, set[str]]) -> Paths:
        """The shortest way to each device; hosts on the way can be closed."""
        outside = self._outside()
        safety = {zone.id for zone in self.policy.zones if zone.kind == "safety"}
        targets = {name for name in self.zone_of if name in self.devices or self.zone_of[name] in safety} - outside
        ends = targets | sources
        closable = {name: len(costs.get(name, ())) for name in self.zone_of if name not in ends}
        mesh = graph.mesh(sources, targets, closable)
        return self._result(basis, "hosts", graph, mesh, list(shortest_ways(mesh).values()), costs, [])

    def _result(
        self,
        basis: Basis,
        level: Level,
        graph: _Graph,
        mesh: Mesh,
        found: list[tuple[str, ...]],
        costs: Mapping[str, set[str]],
        notes: list[str],
    ) -> Paths:
        cut = fewest(mesh)
        ways = sorted((self._way(graph, way) for way in found), key=_rank)
        return Paths(
            basis,
            level,
            tuple(sorted({way.steps[0].start for way in ways})),
            tuple(sorted({way.steps[-1].end for way in ways})),
            tuple(ways[:MOST_WAYS]),
            len(ways) > MOST_WAYS,
            tuple(Choke(name.removeprefix(_LINK), count) for name, count in choke_points(mesh)),
            cut is not None,
            tuple(Closing(name.removeprefix(_LINK), tuple(sorted(costs.get(name, ())))) for name in cut or ()),
            tuple(notes),
        )

    def _way(self, graph: _Graph, way: tuple[str, ...]) -> Way:
        parts = list(graph.steps(way))
        last = parts[-1][2]
        steps = tuple(_step(start, end, link) for start, end, link in parts)
        buffered = any(self._is_buffer(step.end) for step in steps[:-1])
        changes = last is None or last.changes()
        reasons = (
            "ends in state-changing operations" if changes else "is not known to end in a change",
            "through a DMZ" if buffered else "through no DMZ",
            times(len(steps), "step"),
        )
        return Way(self._origin_of(steps[0].start.removeprefix(_ANY)), steps, changes, buffered, reasons)

    def _origin_of(self, place: str) -> Origin:
        if place == INTERNET or place in self.public:
            return "internet"
        return self.origins.get(place) or self.origins.get(self.zone_of.get(place, ""), "internet")

    def _is_buffer(self, place: str) -> bool:
        """True for a DMZ, or a host in one."""
        zone = self.zones.get(place) or self.zones.get(self.zone_of.get(place, ""))
        return zone is not None and (zone.kind == "dmz" or zone.purdue == 3.5)


def _first(addresses: Iterable[str]) -> str:
    return next(iter(addresses), "")


def _zone(end: End, zone: str) -> str:
    return zone or (INTERNET if end.public else NO_ZONE)


def _origin(zone: Zone, entries: set[str]) -> Origin | None:
    if zone.kind == "external":
        return "internet"
    if zone.id in entries or zone.kind in ("remote", "wireless", "temporary"):
        return "remote access"
    if zone.kind == "business" or (zone.kind is None and zone.purdue is not None and zone.purdue >= ENTERPRISE):
        return "enterprise"
    return None


def _is_goal(zone: Zone) -> bool:
    if zone.kind is not None:
        return zone.kind in ("control", "safety")
    return zone.purdue is not None and zone.purdue < CONTROL


def _speaks_of(entries: Iterable[str], end: End) -> bool:
    """True where one of a flow's clients or servers is this end."""
    address = parse(end.address)
    for text in entries:
        network = parse_network(text)
        if network is not None:
            if address is not None and address in network:
                return True
        elif (parse_mac(text) or text) in (*end.names, end.zone):
            return True
    return False


def _permit(link: _Link, conduit: Conduit, flow: Flow) -> None:
    link.uses[canonical_service(flow.protocol)].update(flow.operations or (ANYTHING,))
    link.legitimate.add(f"{conduit.id}/{flow.id}")


def _step(start: str, end: str, link: _Link | None) -> PathStep:
    if link is None:
        return PathStep(start, end, INSIDE, ())
    return PathStep(start, end, link.by, link.told(), tuple(sorted(link.evidence))[:MOST_FRAMES])


def _rank(way: Way) -> tuple[object, ...]:
    names = tuple(name for step in way.steps for name in (step.start, step.by, step.end))
    return not way.changes, way.buffered, len(way.steps), names


def told(step: PathStep) -> str:
    """The step in words."""
    uses = f" ({listing(step.uses, 4)})" if step.uses else ""
    return f"{step.start} to {step.end} by {step.by}{uses}"
