"""Services that a role does not need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from zonewatch.dissectors.vocabulary import OT_SERVICES
from zonewatch.inventory.model import Role, Service
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import DEVICE_ROLES, Context, Detector, Fact, Told, listing, sentence
from zonewatch.rules.findings import Severity
from zonewatch.rules.policy.words import canonical_service, is_unknown

_EVERYBODY: Final = frozenset(("icmp", "icmpv6", "arp", "ntp", "snmp", "snmp-trap", "syslog", "ptp", "lldp", "mdns"))
"""How a device is watched and keeps its time. SNMP without a password is told by itself."""
NEEDED: Final = OT_SERVICES | _EVERYBODY | {"https", "ssh"}
"""What a device of the process is there for, and how it is looked after."""

UNFIT: Final[Mapping[Role, frozenset[str]]] = {
    "hmi_scada": frozenset(("ftp", "telnet", "tftp", "smtp", "pop3", "imap", "irc", "sip", "socks", "upnp", "ssdp")),
    "engineering_station": frozenset(("telnet", "smtp", "pop3", "imap", "irc", "sip", "socks", "upnp", "ssdp")),
    "historian": frozenset(("telnet", "tftp", "smtp", "pop3", "imap", "irc", "sip", "socks", "upnp", "ssdp")),
}
"""What has no business on a host of the control room."""

GRAVE: Final = frozenset(("telnet", "ftp", "tftp", "vnc", "smb", "rlogin", "rsh", "socks", "rdp"))
"""Ways to change a device, or through it to others."""


def _needless(role: Role, service: Service) -> bool:
    name = canonical_service(service.protocol)
    if "/" in name or is_unknown(name) or service.reason.startswith("named by its port"):
        return False  # what it is, nobody knows
    if role in DEVICE_ROLES:
        return name not in NEEDED
    return name in UNFIT.get(role, ())


def needless(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Devices that serve what their role has no need for: one finding for each device."""
    for asset in context.inventory.assets:
        services = [item for item in asset.services if _needless(asset.role, item) and item.evidence]
        if not services:
            continue
        names = sorted({canonical_service(item.protocol) for item in services})
        severity: Severity = "medium" if GRAVE & set(names) else detector.severity
        finding = detector.finding(
            (("asset", asset.id),),
            f"{context.name(asset.id)} serves what a {ROLE_NAMES[asset.role]} does not need",
            severity,
            [f"every service is a way in; a {ROLE_NAMES[asset.role]} is there for something else"],
            sentence(listing(f"{item.protocol} on {item.transport}/{item.port}" for item in services)),
            [item.evidence for item in services if item.evidence],
            assets=(asset.id,),
            protocol=listing(names, 6),
            zones=(asset.zone,),
            count=len(services),
            when=(asset.first_time, asset.last_time),
        )
        yield Told(finding)
