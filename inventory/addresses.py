"""What an address says by itself: public, private, for one or for many."""

from __future__ import annotations

import socket
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_NOT_ROUTED: Final = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    *("::/127", "64:ff9b:1::/48", "100::/64", "2001::/23", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8"),
)
"""Not globally reachable (IANA's registries of special-purpose addresses, RFC 6890), or for groups.

Documentation ranges stand for public addresses in examples (RFC 5737, 3849, 9637), so they are treated as such.
"""
_ROUTED_WITHIN: Final = (
    *("192.0.0.9/32", "192.0.0.10/32"),
    *("2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28"),
    "2001:30::/28",
)
"""Globally reachable parts of these."""

UNSPECIFIED: Final = ("0.0.0.0", "::")
BROADCAST_MAC: Final = "ff:ff:ff:ff:ff:ff"
BUS_BROADCASTS: Final = (
    *("mstp:255", "arcnet:0", "rtu:0", "profibus:127"),
    *("dnp3:65533", "dnp3:65534", "dnp3:65535"),
)
"""Broadcast stations (ASHRAE 135, 9.2.1; ANSI/ATA 878.1; Modbus over Serial Line
V1.02, 2.2; IEC 61158 type 3; IEEE 1815, 9.2.5.3)."""

PUBLIC: Final = "public addresses"
OTHERS: Final = "other addresses"
GROUPS: Final = "group addresses"
"""Stand for the many that are not told one by one (see `crowd`)."""

NO_MAC: Final = "00:00:00:00:00:00"
VIRTUAL_ROUTER_MACS: Final = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f")
"""VRRP for IPv4 and IPv6 (RFC 9568, 7.3), HSRP versions 1 and 2."""


@lru_cache(maxsize=1 << 16)
def parse(address: str) -> IPv4Address | IPv6Address | None:
    """The IP address, or None where it is none (a MAC address, an empty text)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def _number(address: str) -> tuple[int, int] | None:
    """Version and number of an IP address, as `parse` gives it; several times as fast."""
    try:
        if ":" not in address:
            return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, address))
        octets = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return None
    mapped = octets.startswith(_MAPPED)
    return (4, int.from_bytes(octets[12:])) if mapped else (6, int.from_bytes(octets))


_MAPPED: Final = bytes(10) + b"\xff\xff"
_Ranges = dict[int, tuple[list[int], list[int]]]
"""Version → first numbers and last numbers, in order."""


def _ranges(networks: Iterable[str]) -> _Ranges:
    found: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for network in map(ip_network, networks):
        found[network.version].append((int(network[0]), int(network[-1])))
    return {
        version: ([first for first, _ in sorted(each)], [last for _, last in sorted(each)])
        for version, each in found.items()
    }


def _within(version: int, number: int, ranges: _Ranges) -> bool:
    firsts, lasts = ranges[version]
    place = bisect_right(firsts, number)
    return place > 0 and number <= lasts[place - 1]


_LOCAL: Final = _ranges(_NOT_ROUTED)
_REACHED: Final = _ranges(_ROUTED_WITHIN)
_GROUP_RANGES: Final = _ranges(("224.0.0.0/4", "ff00::/8"))


@lru_cache(maxsize=1 << 16)
def is_public(address: str) -> bool:
    """True for a globally routable unicast address; documentation ranges count as such."""
    if address == PUBLIC:
        return True
    found = _number(address)
    return found is not None and (not _within(*found, _LOCAL) or _within(*found, _REACHED))


@lru_cache(maxsize=1 << 16)
def is_link_local(address: str) -> bool:
    """True for 169.254.0.0/16 and fe80::/10, which no router forwards."""
    parsed = parse(address)
    return parsed is not None and parsed.is_link_local


def is_group_mac(mac: str) -> bool:
    """True for broadcast and multicast MAC addresses (the individual/group bit)."""
    try:
        return bool(int(mac[:2], 16) & 1)
    except ValueError:
        return False


def is_mac(address: str) -> bool:
    """True for text in the form of a MAC address."""
    return len(address) == 17 and address.count(":") == 5


def is_device_mac(mac: str) -> bool:
    """True for a MAC address that one interface can have."""
    return is_mac(mac) and mac != NO_MAC and not is_group_mac(mac)


@lru_cache(maxsize=1 << 16)
def is_group(address: str) -> bool:
    """True where the address by itself means many: multicast, limited or bus broadcast, a group MAC address."""
    bus, _, station = address.partition(":")
    # What follows another line's bus is the number of the line, then the station.
    if f"{bus}:{station.rpartition(':')[2]}" in BUS_BROADCASTS or address == GROUPS:
        return True
    if is_mac(address):
        return is_group_mac(address)
    found = _number(address)
    return found is not None and (_within(*found, _GROUP_RANGES) or address == "255.255.255.255")


def subnet(address: str) -> str:
    """The /24 (IPv4) or /64 (IPv6) that the address is in: a guess of its subnet where no policy names one."""
    if "." in address and ":" not in address:
        return f"{address.rpartition('.')[0]}.0/24"
    parsed = parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return address


def order(address: str) -> tuple[int, int, str]:
    """Sort key: IPv4 by number, then IPv6, then everything else as text."""
    parsed = parse(address)
    return (9, 0, address) if parsed is None else (parsed.version, int(parsed), address)
