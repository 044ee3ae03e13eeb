"""The transports and ports by which a filter knows a protocol of the policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from zonewatch.dissectors.codes import table
from zonewatch.rules.policy.model import Traffic
from zonewatch.rules.policy.values import PortRange
from zonewatch.rules.policy.words import ANY, canonical_service

_NUMBERED: Final = {"gre": 47, "ip-in-ip": 4, "igmp": 2, "ospf": 89, "ipsec": 50, "vrrp": 112, "pim": 103}
"""Services that are protocols of IP themselves (IANA protocol numbers)."""


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """What a packet filter can tell: `tcp`, `udp`, `icmp`, the number of a protocol of IP, or `any`."""

    transport: str
    ports: tuple[tuple[int, int], ...] = ()  # inclusive; none: all


@cache
def _usual_ports() -> Mapping[tuple[str, str], tuple[int, ...]]:
    """(service, transport) → ports; those that are named for it, else those where it is spoken too."""
    named: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    spoken: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for transport in ("tcp", "udp"):
        for port, entry in table("services").get(transport, {}).items():
            named[canonical_service(entry["name"]), transport].add(int(port))
            for word in entry.get("kind", "").split():
                spoken[canonical_service(word), transport].add(int(port))
    known = {service for service, _ in named}
    found = {key: ports for key, ports in spoken.items() if key[0] not in known} | named
    return {key: tuple(sorted(ports)) for key, ports in found.items()}


def services(traffic: Traffic) -> tuple[Service, ...]:
    """How a flow's packets are told; empty where its protocol has no port that is known, and the flow names none."""
    protocol = canonical_service(traffic.protocol)
    transports = (protocol,) if protocol in ("tcp", "udp") else ("tcp", "udp")
    if traffic.ports:
        return _of_ports(traffic.ports, transports)
    if protocol in ("tcp", "udp", "icmp"):
        return (Service(protocol),)
    if protocol == ANY:
        return (Service(ANY),)
    if protocol in ("icmpv6", *_NUMBERED):
        return (Service("icmp" if protocol == "icmpv6" else str(_NUMBERED[protocol])),)
    head, _, port = protocol.partition("/")
    if head in ("tcp", "udp") and port.isdigit():
        return (Service(head, ((int(port), int(port)),)),) if int(port) <= 65535 else ()
    if protocol.startswith("ip-"):
        return (Service(protocol.removeprefix("ip-")),) if int(protocol.removeprefix("ip-")) <= 255 else ()
    usual = _usual_ports()
    return tuple(
        Service(transport, tuple((port, port) for port in usual[protocol, transport]))
        for transport in ("tcp", "udp")
        if (protocol, transport) in usual
    )


def _of_ports(ports: Iterable[PortRange], transports: tuple[str, ...]) -> tuple[Service, ...]:
    by_transport: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for item in ports:
        for transport in (item.transport,) if item.transport else transports:
            by_transport[transport].add((item.first, item.last))
    return tuple(Service(name, _joined(found)) for name, found in sorted(by_transport.items()))


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def ports_text(ports: Iterable[tuple[int, int]], between: str) -> list[str]:
    """Each range as a target writes it: `502`, `600-610` or `600:610`."""
    return [str(first) if first == last else f"{first}{between}{last}" for first, last in ports]
