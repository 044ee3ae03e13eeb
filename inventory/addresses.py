"""What an address says by itself: public, private, for one or for many."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

DOCUMENTATION: Final = tuple(
    ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
"""Stand for public addresses in examples (RFC 5737, RFC 3849), so they are treated as public."""

UNSPECIFIED: Final = ("0.0.0.0", "::")
BROADCAST_MAC: Final = "ff:ff:ff:ff:ff:ff"
BUS_BROADCASTS: Final = ("mstp:255", "arcnet:0")
"""Broadcast stations (ASHRAE 135, 9.2.1; ANSI/ATA 878.1)."""

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


@lru_cache(maxsize=1 << 16)
def is_public(address: str) -> bool:
    """True for a globally routable unicast address; documentation ranges count as such."""
    if address == PUBLIC:
        return True
    parsed = parse(address)
    if parsed is None or parsed.is_multicast or parsed.is_unspecified:
        return False
    return parsed.is_global or any(parsed in network for network in DOCUMENTATION if network.version == parsed.version)


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
    if address in BUS_BROADCASTS or address == GROUPS:
        return True
    if is_mac(address):
        return is_group_mac(address)
    parsed = parse(address)
    return parsed is not None and (parsed.is_multicast or address == "255.255.255.255")


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
