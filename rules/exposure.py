"""Native detectors: what is exposed, unknown or unprotected, with a policy or without one.

A detector gives findings with the facts that they tell; a fact told by an earlier detector of the table `DETECTORS`
is not told again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.addresses import subnet
from zonewatch.inventory.model import Asset, Edge
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import (
    ANSWERED,
    DEVICE_ROLES,
    REMOTE_SERVICES,
    Context,
    Detector,
    Fact,
    Told,
    changes_state,
    listing,
    sentence,
    span,
    times,
    value_changes,
)
from zonewatch.rules.findings import Finding, Severity
from zonewatch.rules.judge import JudgedChange, VerdictRow
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.seen import unanswered
from zonewatch.rules.violations import remote_severity

VALUES: Final = frozenset(("write", "operate"))
"""Operations that set values of the process."""


def _answered(edge: Edge) -> bool:
    if edge.functions:
        return any(status in ("ok", "error", "response_only") for item in edge.functions for status, _ in item.statuses)
    return edge.state in ANSWERED


def _unanswered(context: Context, edges: list[Edge]) -> str:
    return unanswered((item.source for edge in edges for item in edge.evidence), context.blind)


def _fact(edge: Edge) -> Fact:
    return edge.client, edge.server, edge.protocol


def _facts(edges: list[Edge]) -> frozenset[Fact]:
    return frozenset(_fact(edge) for edge in edges)


def _is_told(row: VerdictRow, told: frozenset[Fact]) -> bool:
    """True for what an earlier finding tells. What a flow allows is told by none, whatever else the two ends did."""
    if row.decision.verdict == "allowed":
        return False
    return row.decision.verdict == "violation" or (row.client.id, row.server.id, row.seen.protocol) in told


def public_client(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A process device, or an OT service, that an address of the internet reached."""
    reached: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        client, server = context.end(edge, client=True), context.end(edge, client=False)
        local = subnet(edge.client_address) == subnet(edge.server_address)
        if client.public and not server.many and not local and (edge.ot or context.is_process(edge.server)):
            reached[edge.server].append(edge)
    for device, edges in sorted(reached.items()):
        if not _facts(edges) <= told:
            yield Told(_public_client(context, detector, device, edges), _facts(edges))


def _public_client(context: Context, detector: Detector, server: str, edges: list[Edge]) -> Finding:
    ot = [edge for edge in edges if edge.ot]
    answered = [edge for edge in edges if _answered(edge)]
    operations = sorted({operation for edge in edges for operation in edge.operations})
    protocols = sorted({edge.protocol for edge in edges})
    severity: Severity
    if any(_answered(edge) for edge in ot):
        severity, reasons = "critical", ["an OT service answered a public address"]
    elif answered:
        severity, reasons = "high", ["a process device answered a public address"]
    else:
        severity, reasons = (
            detector.severity,
            [f"packets of a public address reached it; {_unanswered(context, edges)}"],
        )
    if any(changes_state(operation) for operation in operations):
        severity = "critical"
        reasons.append("state-changing operations among them")
    flows = {context.flow_for(_fact(edge)) for edge in edges}
    if "" not in flows:
        severity, reasons = "medium", [*reasons, f"the policy allows it by flow {', '.join(sorted(flows))}"]
    clients = sorted({edge.client for edge in edges})
    asset = context.assets.get(server)
    changes = [item for item in context.judgement.changes if item.row.server.id == server and item.row.client.public]
    done = f" Operations: {', '.join(operations)}." if operations else ""
    return detector.finding(
        (("server", server),),
        f"{context.name(server)} is reached from the internet",
        severity,
        reasons,
        f"{', '.join(protocols)} from {context.names(clients)}; {'answered' if answered else 'not answered'}.{done}",
        [item for edge in edges for item in edge.evidence],
        assets=(server, *clients[:20]),
        protocol=", ".join(protocols),
        operation=", ".join(operations),
        zones=(asset.zone if asset else "",),
        changes=value_changes(changes),
        count=sum(edge.events or edge.packets for edge in edges),
        when=span((edge.first_time, edge.last_time) for edge in edges),
    )


def remote_access(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A remote session into the process side that no flow of the policy approves."""
    sessions: defaultdict[Fact, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        service = canonical_service(edge.protocol)
        if service in REMOTE_SERVICES and _answered(edge) and edge.client != edge.server:
            sessions[_fact(edge)].append(edge)
    for fact, edges in sorted(sessions.items()):
        client, server, protocol = fact
        if fact in told or not context.is_process(server) or context.flow_for(fact):
            continue
        severity, reasons = remote_severity(context, client)
        asset = context.assets.get(server)
        finding = detector.finding(
            (("client", client), ("server", server), ("protocol", protocol)),
            f"{context.name(client)} opens a remote session ({protocol}) on {context.name(server)}",
            severity,
            reasons,
            f"{protocol}, {times(sum(edge.packets for edge in edges), 'packet')}; the server is known as "
            f"{ROLE_NAMES[asset.role if asset else 'unknown']}.",
            [item for edge in edges for item in edge.evidence],
            assets=(client, server),
            protocol=protocol,
            zones=(context.places.of(client, edges[0].client_address).zone, asset.zone if asset else ""),
            count=sum(edge.packets for edge in edges),
            when=span((edge.first_time, edge.last_time) for edge in edges),
        )
        yield Told(finding, frozenset((fact,)))


def public_server(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A process device or host that talks to addresses of the internet."""
    outward: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        server = context.end(edge, client=False)
        local = subnet(edge.client_address) == subnet(edge.server_address)
        if server.public and not server.many and not local and context.is_process(edge.client):
            outward[edge.client].append(edge)
    for client, found in sorted(outward.items()):
        edges = [edge for edge in found if _fact(edge) not in told and not context.flow_for(_fact(edge))]
        if not edges:
            continue
        asset = context.assets[client]
        answered = any(_answered(edge) for edge in edges)
        severity: Severity = "high" if asset.role in DEVICE_ROLES else detector.severity
        reasons = [f"{ROLE_NAMES[asset.role]} that talks to the internet"]
        if not answered:
            severity, reasons = "low", [*reasons, _unanswered(context, edges)]
        servers = sorted({edge.server for edge in edges})
        protocols = sorted({edge.protocol for edge in edges})
        finding = detector.finding(
            (("client", client),),
            f"{context.name(client)} talks to addresses of the internet",
            severity,
            reasons,
            sentence(f"{listing(protocols, 6)} to {context.names(servers)}"),
            [item for edge in edges for item in edge.evidence],
            assets=(client, *servers[:20]),
            protocol=listing(protocols, 6),
            zones=(asset.zone,),
            count=sum(edge.events or edge.packets for edge in edges),
            when=span((edge.first_time, edge.last_time) for edge in edges),
        )
        yield Told(finding, _facts(edges))


def unknown_asset(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """A device that is in no list: each that takes part in the process, the rest together for each zone."""
    action = context.policy.defaults.unknown_asset
    if action == "allow":
        return
    rest: defaultdict[str, list[Asset]] = defaultdict(list)
    peers: defaultdict[str, set[str]] = defaultdict(set)
    for edge in context.inventory.edges:
        if edge.ot or (_answered(edge) and context.is_process(edge.server)):
            peers[edge.client].add(edge.server)
        if edge.ot or (_answered(edge) and context.is_process(edge.client)):
            peers[edge.server].add(edge.client)
    heard = {edge.client for edge in context.inventory.edges}
    heard |= {edge.server for edge in context.inventory.edges if _answered(edge) or edge.state == "refused"}
    for asset in context.inventory.assets:
        if not context.is_unknown(asset) or not (asset.macs or asset.id in heard):
            continue  # known, or an address that was asked and never answered
        if peers[asset.id] or action == "deny":
            yield Told(_unknown(context, detector, asset, sorted(peers[asset.id]), denied=action == "deny"))
        else:
            rest[asset.zone].append(asset)
    for zone, assets in sorted(rest.items()):
        where = f"zone {zone}" if zone else "no zone"
        finding = detector.finding(
            (("zone", zone),),
            f"{times(len(assets), 'unknown device')} in {where}",
            detector.severity,
            ["in no list of known assets", "no part in the process was seen"],
            sentence(context.names(asset.id for asset in assets)),
            [asset.first_evidence for asset in assets if asset.first_evidence],
            assets=(asset.id for asset in assets[:50]),
            zones=(zone,),
            count=len(assets),
            when=span((asset.first_time, asset.last_time) for asset in assets),
        )
        yield Told(finding)


def looks_like(asset: Asset) -> str:
    """What a device seems to be, as a sentence."""
    made = " ".join(text for text in (asset.vendor, asset.model) if text)
    return sentence(f"Looks like: {ROLE_NAMES[asset.role]}{f' by {made}' if made else ''}")


def _unknown(context: Context, detector: Detector, asset: Asset, peers: list[str], *, denied: bool) -> Finding:
    reasons = ["in no list of known assets" if context.listed else "in no zone of the policy"]
    if peers:
        reasons.append(f"takes part in the process: talks with {context.names(peers)}")
    if denied:
        reasons.append("the policy denies unknown assets")
    return detector.finding(
        (("asset", asset.id),),
        f"Unknown device {context.name(asset.id)}{f' in zone {asset.zone}' if asset.zone else ''}",
        "high" if denied else "medium",
        reasons,
        f"{looks_like(asset)} MAC {listing(asset.macs, 4) or 'not seen'}.",
        [asset.first_evidence] if asset.first_evidence else [],
        assets=(asset.id,),
        zones=(asset.zone,),
        count=1,
        when=(asset.first_time, asset.last_time),
    )


def unzoned_asset(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Known devices that the policy puts in no zone."""
    assets = [
        asset
        for asset in context.inventory.assets
        if not asset.zone and asset.addresses and asset.kind != "external" and not context.is_unknown(asset)
    ]
    if context.proposed or not assets:
        return
    finding = detector.finding(
        (),
        f"{times(len(assets), 'device')} in no zone of the policy",
        detector.severity,
        ["traffic of a device in no zone cannot be judged"],
        sentence(context.names(asset.id for asset in assets)),
        [asset.first_evidence for asset in assets if asset.first_evidence],
        assets=(asset.id for asset in assets[:50]),
        count=len(assets),
        when=span((asset.first_time, asset.last_time) for asset in assets),
    )
    yield Told(finding)


def unauthenticated(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """State-changing operations that cross zones over a protocol that asks nobody who they are."""
    cases: defaultdict[tuple[str, str, bool], list[VerdictRow]] = defaultdict(list)
    for row in context.judgement.rows:
        if not changes_state(row.seen.operation) or row.client_zone == row.server_zone or row.server.many:
            continue
        if not row.seen.obeyed:
            continue
        if context.proposed and subnet(row.client.address) == subnet(row.server.address):
            continue  # a proposal that parts a subnet is no boundary yet
        if not _is_told(row, told) and not _authenticates(context, row):
            cases[row.server.id, row.seen.protocol, not row.client_zone].append(row)
    for (server, protocol, outside), rows in sorted(cases.items()):
        yield Told(
            _unauthenticated(context, detector, server, protocol, outside, rows),
            frozenset((row.client.id, server, protocol) for row in rows) if outside else frozenset(),
        )


def _authenticates(context: Context, row: VerdictRow) -> bool:
    asset = context.assets.get(row.server.id)
    services = asset.services if asset else ()
    return any(item.posture == "used" for item in services if item.protocol == row.seen.protocol)


def _unauthenticated(
    context: Context, detector: Detector, server: str, protocol: str, outside: bool, rows: list[VerdictRow]
) -> Finding:
    severity: Severity = detector.severity
    reasons = ["crosses zones, and the protocol asks for no authentication"]
    if outside:
        severity, reasons = "high", [*reasons, "the client is in no zone"]
    elif context.proposed:
        reasons.append("the zones are a proposal")
    elif all(row.decision.verdict == "allowed" for row in rows):
        severity, reasons = "info", [*reasons, "the policy allows it"]
    keys = {(row.client.id, row.server.id) for row in rows}
    changes = [
        item
        for item in context.judgement.changes
        if (item.row.client.id, item.row.server.id) in keys and item.row.seen.protocol == protocol
    ]
    clients = sorted({row.client.id for row in rows})
    operations = sorted({row.seen.operation for row in rows})
    return detector.finding(
        (("server", server), ("protocol", protocol), *((("from", "outside"),) if outside else ())),
        f"{context.name(server)} obeys {protocol} from another zone without authentication",
        severity,
        reasons,
        sentence(f"{', '.join(operations)} by {context.names(clients)}"),
        [item for row in rows for item in row.seen.evidence],
        assets=(server, *clients[:20]),
        protocol=protocol,
        operation=", ".join(operations),
        zones=[zone for row in rows for zone in (row.client_zone, row.server_zone)],
        changes=value_changes(changes) if outside else (),
        count=sum(row.seen.events for row in rows),
        when=span((row.seen.first_time, row.seen.last_time) for row in rows),
    )


def no_authentication(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Devices that obey whoever asks: one finding for each protocol."""
    for protocol in sorted(PROTOCOLS):
        assets = [
            (asset, service)
            for asset in context.inventory.assets
            for service in asset.services
            if service.protocol == protocol and service.posture == "none"
        ]
        if not assets:
            continue
        ids = list(dict.fromkeys(asset.id for asset, _ in assets))
        finding = detector.finding(
            (("protocol", protocol),),
            f"{times(len(ids), 'device')} obey{'s' if len(ids) == 1 else ''} {protocol} without authentication",
            detector.severity,
            ["the protocol as used here asks nobody who they are"],
            sentence(context.names(ids)),
            [service.evidence for _, service in assets if service.evidence],
            assets=ids,
            protocol=protocol,
            zones=sorted({asset.zone for asset, _ in assets}),
            count=len(ids),
            when=span((asset.first_time, asset.last_time) for asset, _ in assets),
        )
        yield Told(finding)


def value_change(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """Values that somebody altered as the policy allows: one finding for each flow."""
    cases: defaultdict[tuple[tuple[str, str], ...], list[JudgedChange]] = defaultdict(list)
    for item in context.judgement.changes:
        row = item.row
        if row.seen.operation not in VALUES or not row.seen.obeyed or _is_told(row, told):
            continue
        ends = (("client", row.client.id), ("server", row.server.id), ("protocol", row.seen.protocol))
        by_flow = not context.proposed and row.decision.flow and row.decision.verdict == "allowed"
        cases[(("conduit", row.decision.conduit), ("flow", row.decision.flow)) if by_flow else ends].append(item)
    for identity, items in sorted(cases.items()):
        changes = value_changes(items)
        if not changes:
            continue
        rows = [item.row for item in items]
        allowed = identity[0][0] == "conduit"
        clients, servers = sorted({row.client.id for row in rows}), sorted({row.server.id for row in rows})
        finding = detector.finding(
            identity,
            f"Values changed under flow {identity[1][1]} of conduit {identity[0][1]}"
            if allowed
            else f"{context.name(clients[0])} changed values of {context.name(servers[0])}",
            detector.severity,
            ["the policy allows it"] if allowed else ["a change of the process, told for the record"],
            sentence(f"{context.names(clients)} changed {times(len(changes), 'value')} of {context.names(servers)}"),
            [item for row in rows for item in row.seen.evidence],
            assets=(*clients[:10], *servers[:20]),
            protocol=listing(sorted({row.seen.protocol for row in rows})),
            operation=", ".join(sorted({row.seen.operation for row in rows})),
            zones=[zone for row in rows for zone in (row.client_zone, row.server_zone)],
            changes=changes,
            count=len(items),
            when=span((row.seen.first_time, row.seen.last_time) for row in rows),
        )
        yield Told(replace(finding, verdict="allowed") if allowed else finding)
