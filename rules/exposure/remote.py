"""Remote access to the process side, tools that get through a firewall from inside, and consoles in the clear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.inventory.model import Edge, Evidence
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import REMOTE_SERVICES, Context, Detector, Fact, Told, higher, lower, sentence, span, times
from zonewatch.rules.exposure.edges import answered, fact_of
from zonewatch.rules.findings import Severity
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.violations import remote_severity

CONSOLES: Final = frozenset(("telnet", "rlogin", "rsh"))
"""Every key stroke can be read (RFC 854, RFC 1282)."""
SUPPORT_TOOLS: Final = frozenset(("teamviewer", "anydesk", "rustdesk", "radmin"))
"""Go out to a relay of their maker, and let somebody in through it."""
SUPPORT_NAMES: Final = (
    "anydesk.com",
    "atera.com",
    "connectwise.com",
    "dwservice.net",
    "gotoassist.com",
    "helpwire.app",
    "islonline.net",
    "logmein.com",
    "logmeinrescue.com",
    "meshcentral.com",
    "ngrok.io",
    "parsec.app",
    "remotepc.com",
    "rustdesk.com",
    "screenconnect.com",
    "splashtop.com",
    "supremocontrol.com",
    "tailscale.com",
    "teamviewer.com",
    "zohoassist.com",
    "zerotier.com",
)
"""Domains of makers of remote support and overlay networks, as servers' names in TLS handshakes have them."""
TUNNELS: Final = frozenset(("openvpn", "wireguard", "isakmp", "l2tp", "pptp", "esp", "ah", "socks", "ike", "ipsec"))


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


def remote_support(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Tools and tunnels on the process side by which somebody outside can come in."""
    found: defaultdict[tuple[str, str], list[tuple[str, Evidence, int, int, int]]] = defaultdict(list)
    for edge in context.inventory.edges:
        service = canonical_service(edge.protocol)
        if not answered(edge) or context.flow_for(fact_of(edge)):
            continue
        outward = context.end(edge, client=False).public
        if service in SUPPORT_TOOLS or (service in TUNNELS and outward):
            for end in (edge.client, edge.server):
                if context.is_process(end):
                    row = (edge.server, edge.evidence[0], edge.packets, edge.first_time, edge.last_time)
                    found[end, service].append(row)
    for activity in context.activities:
        name = dict(activity.fields).get("tls.client.server_name", "").lower()
        tool = next((tool for tool in SUPPORT_NAMES if name == tool or name.endswith(f".{tool}")), "")
        if tool and activity.status != "error" and context.is_process(activity.client):
            row = (name, activity.evidence, activity.count, activity.first_time, activity.last_time)
            found[activity.client, tool].append(row)
    for (asset, tool), rows in sorted(found.items()):
        finding = detector.finding(
            (("asset", asset), ("tool", tool)),
            f"{context.name(asset)} uses {tool}, by which somebody outside can come in",
            detector.severity,
            [f"{'a tunnel' if tool in TUNNELS else 'remote support'} on the process side"],
            sentence(f"{tool} with {context.names(sorted({row[0] for row in rows}))}"),
            [row[1] for row in rows],
            assets=(asset,),
            protocol=tool,
            zones=(context.zone(asset),),
            count=sum(row[2] for row in rows),
            when=span((row[3], row[4]) for row in rows),
        )
        yield Told(finding)


def console(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Consoles whose every key stroke can be read, each server."""
    servers: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in context.inventory.edges:
        if canonical_service(edge.protocol) in CONSOLES and answered(edge):
            servers[edge.server, edge.protocol].append(edge)
    for (server, protocol), edges in sorted(servers.items()):
        clients = sorted({edge.client for edge in edges})
        severity: Severity = detector.severity
        reasons = ["user name and password can be read on the way"]
        if any(context.end(edge, client=True).public for edge in edges):
            severity, reasons = higher(severity, "critical"), [*reasons, "used from the internet"]
        elif not context.is_process(server):
            severity, reasons = lower(severity), [*reasons, "no part of the process side"]
        finding = detector.finding(
            (("server", server), ("protocol", protocol)),
            f"{context.name(server)} is administered over {protocol}, in the clear",
            severity,
            reasons,
            sentence(f"{protocol} by {context.names(clients)}"),
            [item for edge in edges for item in edge.evidence],
            assets=(server, *clients[:20]),
            protocol=protocol,
            zones=(context.zone(server),),
            count=sum(edge.packets for edge in edges),
            when=span((edge.first_time, edge.last_time) for edge in edges),
        )
        yield Told(finding)
