"""Facts about flows and zones. What crosses a boundary is told for the zones on both of its sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.inventory.model import Edge
from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import Seen, was_said
from zonewatch.reports.facts.told import Shown, Sight, Told, frames, of_edge, of_finding, of_row
from zonewatch.reports.result import EXTERNAL, VerdictRow
from zonewatch.rules.context import ANSWERED
from zonewatch.rules.paths import LOOKUPS

VIOLATION: Final = ("policy.violation",)
PIVOTS: Final = ("pivot.chain",)
SHARED: Final = ("exposure.shared_segment",)
NEW_PAIRS: Final = (
    "baseline.new_edge",
    "baseline.new_function",
    "baseline.new_operation",
    "baseline.second_master",
)
INFRASTRUCTURE: Final = frozenset(
    ("dns", "dhcp", "dhcpv6", "ldap", "ldaps", "cldap", "kerberos", "ntp", "smb", "nfs", "iscsi", "radius", "tacacs")
)
"""Services that hosts depend on: names, addresses, logins, time, storage."""
_READS: Final = frozenset(("discover", "read", "subscribe", "report", "diagnose"))


def _both(row: VerdictRow) -> tuple[str, str]:
    return row.client_zone, row.server_zone


def cross_zone(seen: Seen) -> Iterator[Told]:
    """What passed from zone to zone, by protocol."""
    groups: defaultdict[tuple[str, str, str], list[VerdictRow]] = defaultdict(list)
    for row in seen.crossing:
        groups[row.client_zone, row.server_zone, row.protocol].append(row)
    for words, rows in sorted(groups.items()):
        yield Sight(
            words[:2],
            words,
            "",
            ("from", "to", "protocol"),
            "flow.cross_zone",
            sum([row.events for row in rows]),
            min([row.first_time for row in rows]),
            max([row.last_time for row in rows]),
            Shown("", "", rows),
        )


def no_conduit(seen: Seen) -> Iterator[Told]:
    """Traffic between zones that no conduit joins in this direction, or between a zone and what is in none."""
    for row in seen.crossing:
        if row.verdict == "violation" and _both(row) not in seen.conduits:
            ends = {"from": row.client_zone, "to": row.server_zone}
            yield of_row(seen, "flow.no_conduit", row, _both(row), VIOLATION, **ends)
    for row in seen.result.verdicts:
        if row.verdict != "unzoned":
            continue
        inside = [zone for zone in _both(row) if zone]
        if len(inside) == 1 and was_said(row):
            names = (
                zone or (EXTERNAL if seen.is_public(end) else "")
                for zone, end in zip(_both(row), (row.client, row.server), strict=True)
            )
            ends = dict(zip(("from", "to"), names, strict=True))
            yield of_row(seen, "flow.no_conduit", row, inside, **ends)


def conduit_violation(seen: Seen) -> Iterator[Told]:
    """Traffic that a conduit's flows do not allow; what an exception lets pass is told with the exception."""
    for row in seen.crossing:
        conduits = seen.conduits.get(_both(row))
        if conduits is None or not (row.verdict == "violation" or row.by == "exception"):
            continue
        name = row.conduit or conduits[0].id
        aspects = ", ".join(row.differs)
        yield of_row(
            seen, "flow.conduit_violation", row, _both(row), VIOLATION, conduit=name, flow=row.flow, aspects=aspects
        )


def conduit_conform(seen: Seen) -> Iterator[Observation]:
    """Conduits of which all traffic was allowed by their flows, and there was some.

    An attempt that failed counts, too: a conduit on which somebody tried what is not allowed does not conform. So does
    what is let pass by an exception, a maintenance window or a default, and what could not be judged.
    """
    groups: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in seen.result.verdicts:
        if row.client_zone != row.server_zone:
            groups[_both(row)].append(row)
    for pair, conduits in sorted(seen.conduits.items()):
        rows = groups.get(pair, [])
        said = [row for row in rows if was_said(row)]
        if not said or any(row.verdict != "allowed" or row.by != "flow" for row in rows):
            continue
        for conduit in conduits:
            own = [row for row in said if row.conduit == conduit.id]
            for zone in pair if own else ():
                yield Observation(
                    zone,
                    "flow.conduit_conform",
                    (
                        ("conduit", conduit.id),
                        ("from", pair[0]),
                        ("to", pair[1]),
                        ("flows", ", ".join(sorted({row.flow for row in own}))),
                    ),
                    count=sum(row.events for row in own),
                    first_time=min(row.first_time for row in own),
                    last_time=max(row.last_time for row in own),
                    evidence=frames(*(row.evidence for row in own)),
                )


def conduit_rule_unused(seen: Seen) -> Iterator[Told]:
    """Flows that nothing used, where enough was seen to say so. There is no frame of what did not happen."""
    for flow in seen.result.unused_flows:
        pair = (flow.from_zone, flow.to_zone)
        if all(zone in seen.visibilities and seen.visibilities[zone].sufficient for zone in pair):
            for zone in pair:
                yield Observation(
                    zone,
                    "flow.conduit_rule_unused",
                    (("conduit", flow.conduit), ("flow", flow.flow), ("protocol", flow.protocol)),
                    count=1,
                )


def it_to_ot_direct(seen: Seen) -> Iterator[Told]:
    """Hosts of a business zone that reach a zone of the process without a hop between."""
    for edge in seen.answered:
        ends = (seen.zone(edge.client), seen.zone(edge.server))
        if seen.kind(ends[0]) == "business" and seen.is_process(edge.server):
            yield of_edge(seen, "flow.it_to_ot_direct", edge, ends)


def pivot_path(seen: Seen) -> Iterator[Told]:
    """Chains of sessions through a common host that end at the process."""
    for finding in seen.findings(PIVOTS):
        yield from of_finding(seen, "flow.pivot_path", finding)


def dmz_terminated(seen: Seen) -> Iterator[Told]:
    """Hosts of a DMZ at which sessions from business or outside end, and that have their own with the process."""
    outer: defaultdict[str, list[Edge]] = defaultdict(list)
    inner: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    lookups = {id(edge) for edge in seen.of_services(seen.answered, LOOKUPS)}
    for edge in seen.answered:
        if id(edge) in lookups:
            continue
        client, server = seen.zone(edge.client), seen.zone(edge.server)
        if seen.kind(server) == "dmz" and (
            seen.kind(client) in ("business", "external", "remote") or seen.is_public(edge.client)
        ):
            outer[edge.server].append(edge)
        for host, other, zone in ((edge.server, edge.client, client), (edge.client, edge.server, server)):
            if seen.kind(seen.zone(host)) == "dmz" and seen.is_process(other):
                inner[host, zone].append(edge)
    for (host, zone), edges in sorted(inner.items()):
        if host in outer:
            both = outer[host] + edges
            yield Sight(
                tuple(dict.fromkeys((zone, seen.zone(host)))),
                (seen.name(host), _zones(seen, outer[host]), zone),
                "",
                ("host", "from", "to"),
                "flow.dmz_terminated",
                len(both),
                min([edge.first_time for edge in both]),
                max([edge.last_time for edge in both]),
                Shown("", "", both),
            )


def _zones(seen: Seen, edges: list[Edge]) -> str:
    return ", ".join(sorted({seen.zone(edge.client) or "external" for edge in edges}))


def ot_to_internet(seen: Seen) -> Iterator[Told]:
    """Hosts of the process that speak with public addresses."""
    for edge in seen.spoken:
        if seen.is_process(edge.client) and seen.is_public(edge.server):
            yield of_edge(seen, "flow.ot_to_internet", edge, (seen.zone(edge.client),))


def internet_to_ot(seen: Seen) -> Iterator[Told]:
    """Sessions that a public address opened to a host of the process, and that it answered."""
    for edge in seen.answered:
        if seen.is_public(edge.client) and seen.is_process(edge.server):
            yield of_edge(seen, "flow.internet_to_ot", edge, (seen.zone(edge.server),))


def is_safety(seen: Seen, zone: str) -> bool:
    """True for a zone that is designated as one of safety functions."""
    known = seen.zones.get(zone)
    return known is not None and (known.kind == "safety" or known.safety == "sis")


def safety_zone_cross(seen: Seen) -> Iterator[Told]:
    """What crosses the boundary of a safety zone; reading that a flow of the policy allows is none of it."""
    safety = frozenset(zone for zone in seen.zones if is_safety(seen, zone))
    for row in seen.crossing:
        if safety.isdisjoint(_both(row)):
            continue
        allowed = row.verdict == "allowed" and row.by == "flow" and row.operation in _READS
        if not allowed:
            ends = {"from": row.client_zone, "to": row.server_zone, "verdict": row.verdict}
            yield of_row(seen, "flow.safety_zone_cross", row, _both(row), **ends)


def shared_l2(seen: Seen) -> Iterator[Told]:
    """Zones in one broadcast domain."""
    for finding in seen.findings(SHARED):
        yield from of_finding(seen, "flow.shared_l2", finding)


def vlan_map(seen: Seen) -> Iterator[Told]:
    """802.1Q tags by zone."""
    groups: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for asset in seen.result.inventory.assets:
        for interface in asset.interfaces:
            if interface.vlan is not None and not interface.behind_router:
                groups[seen.zone(asset.id), interface.vlan].append(asset.id)
    for (zone, vlan), names in sorted(groups.items()):
        assets = [seen.assets[name] for name in dict.fromkeys(names)]
        yield Observation(
            zone,
            "flow.vlan_map",
            (("vlan", str(vlan)), ("assets", str(len(assets)))),
            count=len(assets),
            first_time=min(asset.first_time for asset in assets),
            last_time=max(asset.last_time for asset in assets),
            evidence=frames(asset.first_evidence for asset in assets if asset.first_evidence),
        )


def boundary_block(seen: Seen) -> Iterator[Told]:
    """Attempts across a boundary that nobody answered, at hosts that answered others.

    A refusal is left out: a closed port of the host itself looks the same. So is a host that never spoke.
    """
    alive = {edge.server for edge in seen.answered} | {edge.client for edge in seen.spoken}
    answered = {(edge.client, edge.server, edge.protocol) for edge in seen.answered}
    for edge in seen.edges:
        ends = (seen.zone(edge.client), seen.zone(edge.server))
        if (
            edge.state == "attempted"
            and ends[0] != ends[1]
            and edge.server in alive
            and (edge.client, edge.server, edge.protocol) not in answered
            and not _allowed(seen, edge)
        ):
            yield of_edge(seen, "flow.boundary_block", edge, (zone for zone in ends if zone != WHOLE))


def _allowed(seen: Seen, edge: Edge) -> bool:
    rows = seen.verdicts.get((edge.client, edge.server, edge.protocol), ())
    return any(row.verdict == "allowed" for row in rows)


def one_way(seen: Seen) -> Iterator[Told]:
    """Conduits declared as one-way on which packets of one direction alone were seen."""
    pairs: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in seen.spoken:
        pairs[seen.zone(edge.client), seen.zone(edge.server)].append(edge)
    for (start, end), conduits in sorted(seen.conduits.items()):
        edges = pairs.get((start, end), [])
        back = pairs.get((end, start), [])
        declared = [one for one in conduits if one.kind == "one-way" or one.direction == "from-to-only"]
        if declared and edges and not back and all(edge.state not in ANSWERED for edge in edges):
            for zone in (start, end):
                yield Observation(
                    zone,
                    "flow.one_way",
                    (("conduit", declared[0].id), ("from", start), ("to", end)),
                    count=sum(edge.packets for edge in edges),
                    first_time=min(edge.first_time for edge in edges),
                    last_time=max(edge.last_time for edge in edges),
                    evidence=frames(*(edge.evidence for edge in edges)),
                )


def new_pair(seen: Seen) -> Iterator[Told]:
    """Pairs, functions and operations that the baseline does not know."""
    for finding in seen.findings(NEW_PAIRS):
        yield from of_finding(seen, "flow.new_pair", finding)


def shared_infra(seen: Seen) -> Iterator[Told]:
    """Hosts of the process that depend on services of a business zone."""
    for edge in seen.of_services(seen.answered, INFRASTRUCTURE):
        ends = (seen.zone(edge.client), seen.zone(edge.server))
        if seen.is_process(edge.client) and seen.kind(ends[1]) == "business":
            yield of_edge(seen, "flow.shared_infra", edge, (ends[0],))
