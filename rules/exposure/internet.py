"""Public addresses in either direction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.inventory.addresses import subnet
from zonewatch.inventory.model import Edge
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import (
    DEVICE_ROLES,
    Context,
    Detector,
    Fact,
    Told,
    changes_state,
    listing,
    sentence,
    span,
    value_changes,
)
from zonewatch.rules.exposure.edges import answered, fact_of, facts_of, not_answered
from zonewatch.rules.findings import Finding, Severity

_NEIGHBOURS: Final = (
    "lowered: both have public addresses of one network, and the client was seen with a MAC address of its own: it may "
    "be a neighbour, not the internet"
)


def _neighbours(context: Context, edge: Edge) -> bool:
    """True where the client has an address of the server's network (/16) and stands on the segment itself."""
    one, other = (address.split(".")[:2] for address in (edge.client_address, edge.server_address))
    asset = context.assets.get(edge.client)
    return "." in edge.client_address and one == other and asset is not None and bool(asset.macs)


def public_client(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A process device, or an OT service, that an address of the internet reached."""
    reached: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        client, server = context.end(edge, client=True), context.end(edge, client=False)
        local = subnet(edge.client_address) == subnet(edge.server_address)
        if client.public and not server.many and not local and (edge.ot or context.is_process(edge.server)):
            reached[edge.server].append(edge)
    for device, edges in sorted(reached.items()):
        if not facts_of(edges) <= told:
            yield Told(_public_client(context, detector, device, edges), facts_of(edges))


def _public_client(context: Context, detector: Detector, server: str, edges: list[Edge]) -> Finding:
    ot = [edge for edge in edges if edge.ot]
    heard = [edge for edge in edges if answered(edge)]
    operations = sorted({operation for edge in edges for operation in edge.operations})
    protocols = sorted({edge.protocol for edge in edges})
    severity: Severity
    if any(answered(edge) for edge in ot):
        severity, reasons = "critical", ["an OT service answered a public address"]
    elif heard:
        severity, reasons = "high", ["a process device answered a public address"]
    else:
        severity, reasons = (
            detector.severity,
            [f"packets of a public address reached it; {not_answered(context, edges)}"],
        )
    if any(changes_state(operation) for operation in operations):
        severity = "critical"
        reasons.append("state-changing operations among them")
    near = all(_neighbours(context, edge) for edge in edges)
    if near:
        severity, reasons = "medium", [*reasons, _NEIGHBOURS]
    flows = {context.flow_for(fact_of(edge)) for edge in edges}
    if "" not in flows:
        severity, reasons = "medium", [*reasons, f"the policy allows it by flow {', '.join(sorted(flows))}"]
    clients = sorted({edge.client for edge in edges})
    asset = context.assets.get(server)
    changes = [item for item in context.judgement.changes if item.row.server.id == server and item.row.client.public]
    done = f" Operations: {', '.join(operations)}." if operations else ""
    return detector.finding(
        (("server", server),),
        f"{context.name(server)} is reached from {'public addresses of its network' if near else 'the internet'}",
        severity,
        reasons,
        f"{', '.join(protocols)} from {context.names(clients)}; {'answered' if heard else 'not answered'}.{done}",
        [item for edge in edges for item in edge.evidence],
        assets=(server, *clients[:20]),
        protocol=", ".join(protocols),
        operation=", ".join(operations),
        zones=(asset.zone if asset else "",),
        changes=value_changes(changes, context.tags),
        count=sum(edge.events or edge.packets for edge in edges),
        when=span((edge.first_time, edge.last_time) for edge in edges),
    )


def public_server(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A process device or host that talks to addresses of the internet."""
    outward: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        server = context.end(edge, client=False)
        local = subnet(edge.client_address) == subnet(edge.server_address)
        if server.public and not server.many and not local and context.is_process(edge.client):
            outward[edge.client].append(edge)
    for client, found in sorted(outward.items()):
        edges = [edge for edge in found if fact_of(edge) not in told and not context.flow_for(fact_of(edge))]
        if not edges:
            continue
        asset = context.assets[client]
        heard = any(answered(edge) for edge in edges)
        severity: Severity = "high" if asset.role in DEVICE_ROLES else detector.severity
        reasons = [f"{ROLE_NAMES[asset.role]} that talks to the internet"]
        if not heard:
            severity, reasons = "low", [*reasons, not_answered(context, edges)]
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
        yield Told(finding, facts_of(edges))
