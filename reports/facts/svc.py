"""Facts about services, and above all about remote access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zonewatch.inventory.addresses import is_public
from zonewatch.inventory.model import Edge
from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import UNTRUSTED_KINDS, Seen
from zonewatch.reports.facts.told import Told, frames, of_activity, of_edge, of_finding, of_row
from zonewatch.rules.context import DEVICE_ROLES, OPERATOR_ROLES
from zonewatch.rules.exposure.remote import TUNNELS
from zonewatch.rules.policy.words import REMOTE_SERVICES, canonical_service

NEEDLESS: Final = ("exposure.needless_service", "exposure.smb1")
MESSAGING: Final = ("exposure.messaging", "exposure.personal_services", "exposure.web_by_proxy")
MANAGEMENT: Final = frozenset(("snmp", "ssh", "telnet", "http", "https", "winrm", "rlogin", "rsh", "tftp", "ftp"))
"""Services by which devices are looked after."""
MAIL: Final = frozenset(("smtp", "smtps", "submission", "pop3", "pop3s", "imap", "imaps"))
WEB: Final = frozenset(("http", "https", "quic"))


def exposed(seen: Seen) -> Iterator[Told]:
    """Services that answered on a host of the process."""
    for asset in seen.result.inventory.assets:
        if seen.is_process(asset.id) and asset.services:
            yield Observation(
                zone=seen.zone(asset.id),
                key="svc.exposed",
                values=(
                    ("asset", seen.name(asset.id)),
                    ("services", ", ".join(f"{row.protocol} {row.transport}/{row.port}" for row in asset.services)),
                ),
                count=len(asset.services),
                first_time=asset.first_time,
                last_time=asset.last_time,
                evidence=frames(row.evidence for row in asset.services if row.evidence),
            )


def unneeded(seen: Seen) -> Iterator[Told]:
    """Services that a role does not need."""
    for finding in seen.findings(NEEDLESS):
        yield from of_finding(seen, "svc.unneeded", finding)


def remote_edges(seen: Seen) -> list[Edge]:
    """Sessions by which people work at another host, and the tunnels that they come through."""
    return seen.of_services(seen.answered, REMOTE_SERVICES | TUNNELS)


def _untrusted(seen: Seen, end: str) -> bool:
    """True for what is outside: the internet, a zone that the process does not trust, or no zone at all."""
    if seen.is_public(end):
        return True
    zone = seen.zone(end)
    return seen.kind(zone) in UNTRUSTED_KINDS if zone != WHOLE else bool(seen.zones)


def _interactive(edge: Edge) -> bool:
    return canonical_service(edge.protocol) in REMOTE_SERVICES


def remote_access(seen: Seen) -> Iterator[Told]:
    """Every remote session; several of one pair and protocol are one."""
    for edge in remote_edges(seen):
        yield of_edge(seen, "svc.remote_access", edge, (seen.zone(edge.client), seen.zone(edge.server)))


def remote_untrusted(seen: Seen) -> Iterator[Told]:
    """Remote sessions that start outside."""
    for edge in remote_edges(seen):
        if _untrusted(seen, edge.client) and not _untrusted(seen, edge.server):
            yield of_edge(seen, "svc.remote_untrusted", edge, (seen.zone(edge.server),))


def remote_direct(seen: Seen) -> Iterator[Told]:
    """Remote sessions from outside that end at a host of the process."""
    for edge in remote_edges(seen):
        if _interactive(edge) and _untrusted(seen, edge.client) and seen.is_process(edge.server):
            yield of_edge(seen, "svc.remote_direct", edge, (seen.zone(edge.server),))


def remote_via_jump(seen: Seen) -> Iterator[Told]:
    """Remote sessions that end at a declared jump host, for the zones that it is declared for."""
    for access in seen.result.policy.remote_access:
        for edge in remote_edges(seen):
            asset = seen.assets.get(edge.server)
            if asset is None or not access.jump_host or not _interactive(edge):
                continue
            named = access.jump_host in (asset.id, asset.declared, asset.name, *asset.addresses, *asset.macs)
            if named and asset.zone == access.entry_zone and seen.zone(edge.client) != asset.zone:
                zones = (access.entry_zone, access.target_zone)
                yield of_edge(seen, "svc.remote_via_jump", edge, zones, access=access.id)


def remote_unapproved(seen: Seen) -> Iterator[Told]:
    """Remote sessions into the process or its DMZ that neither a flow, an exception nor a window allowed."""
    answered = {(edge.client, edge.server, edge.protocol) for edge in remote_edges(seen)}
    for row in seen.result.verdicts:
        if (row.client, row.server, row.protocol) not in answered or row.client_zone == row.server_zone:
            continue
        inside = seen.is_process(row.server) or seen.kind(row.server_zone) == "dmz"
        if inside and (row.verdict in ("violation", "unzoned") or row.by == "exception"):
            yield of_row(seen, "svc.remote_unapproved", row, (row.server_zone,))


def messaging(seen: Seen) -> Iterator[Told]:
    """Mail, chat and the web from the process."""
    for finding in seen.findings(MESSAGING):
        yield from of_finding(seen, "svc.messaging", finding)


def mgmt_inband(seen: Seen) -> Iterator[Told]:
    """Devices that are looked after over the network that carries the process."""
    for edge in seen.of_services(seen.answered, MANAGEMENT):
        asset = seen.assets.get(edge.server)
        if asset is not None and asset.role in DEVICE_ROLES and seen.is_process(edge.server):
            yield of_edge(seen, "svc.mgmt_inband", edge, (seen.zone(edge.server),))


def mixed_role(seen: Seen) -> Iterator[Told]:
    """Hosts that operate the process and read mail, or the web of the internet."""
    for edge in seen.of_services(seen.answered, MAIL | WEB):
        asset = seen.assets.get(edge.client)
        service = canonical_service(edge.protocol)
        other = service in MAIL or (service in WEB and seen.is_public(edge.server))
        if asset is not None and asset.role in OPERATOR_ROLES and other:
            yield of_edge(seen, "svc.mixed_role", edge, (seen.zone(edge.client),))


def mail_dns_hygiene(seen: Seen) -> Iterator[Told]:
    """Hosts of the process that ask name servers of the internet, or are told addresses of the internet."""
    for edge in seen.of_services(seen.spoken, ("dns",)):
        if seen.is_process(edge.client) and seen.is_public(edge.server):
            yield of_edge(seen, "svc.mail_dns_hygiene", edge, (seen.zone(edge.client),), name="")
    for activity in seen.result.inventory.activities:
        if activity.protocol != "dns" or activity.status != "ok" or not seen.is_process(activity.client):
            continue
        answers = [value for name, value in activity.fields if name == "dns.answers"]
        if any(is_public(item.strip()) for value in answers for item in value.split(",")):
            name = next((value for key, value in activity.fields if key == "dns.question.name"), "")
            zone = (seen.zone(activity.client),)
            yield of_activity(seen, "svc.mail_dns_hygiene", activity, zone, name=name)
