"""Remote access to the process side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zonewatch.inventory.model import Edge
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import REMOTE_SERVICES, Context, Detector, Fact, Told, span, times
from zonewatch.rules.exposure.edges import answered, fact_of
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.violations import remote_severity


def remote_access(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A remote session into the process side that no flow of the policy approves."""
    sessions: defaultdict[Fact, list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        service = canonical_service(edge.protocol)
        if service in REMOTE_SERVICES and answered(edge) and edge.client != edge.server:
            sessions[fact_of(edge)].append(edge)
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
