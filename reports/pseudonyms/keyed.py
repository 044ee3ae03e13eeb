"""Pseudonyms by a key: HMAC-SHA256 (RFC 2104), the same for the same key, and nothing to be computed back without it.

Addresses keep their prefixes: two that share exactly n leading bits have pseudonyms that share exactly n. Each bit is
flipped or not by the HMAC of the bits before it (the construction of Xu, Fan, Ammar and Moon, 2002, with another keyed
function). Blocks that mean something (private, loopback, link-local, groups) map onto themselves, so that a public
address stays public; for that, bits on the way to such a block are not flipped.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from functools import lru_cache
from typing import Final

__all__ = ["KEY_BYTES", "Keyed"]

KEY_BYTES: Final = 32
_DIGITS: Final = 10
"""Hexadecimal digits of a name's pseudonym: 40 bits, of a million names fewer than one pair in two is the same."""
_V4: Final = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "255.255.255.255/32",
)
_V6: Final = ("::/96", "::ffff:0:0/96", "fc00::/7", "fe80::/10", "ff00::/8")
_KEPT_V4: Final = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/32", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")))
_SOLICITED: Final = int(ipaddress.IPv6Address("ff02::1:ff00:0")) >> 24
"""Groups of solicited nodes (RFC 4291, 2.7.1) end in the last 24 bits of an address."""
Prefix = tuple[int, int]
"""Length in bits, and the bits."""


def _ways(blocks: tuple[str, ...]) -> frozenset[Prefix]:
    """The prefixes whose next bit leads to one of these blocks."""
    found = set()
    for block in blocks:
        network = ipaddress.ip_network(block)
        bits = int(network.network_address)
        found |= {(length, bits >> (network.max_prefixlen - length)) for length in range(network.prefixlen)}
    return frozenset(found)


_WAYS: Final = {32: _ways(_V4), 128: _ways(_V6)}


class Keyed:
    """The pseudonyms of one key."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError for a key that is too short."""
        if len(key) < KEY_BYTES:
            raise ValueError(f"a key of at least {KEY_BYTES} octets is needed")
        self._key = key
        self._bit = lru_cache(maxsize=1 << 18)(self._flip)

    def _hash(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, hashlib.sha256)

    def _flip(self, width: int, length: int, bits: int) -> int:
        return self._hash(b"bit\0%d\0%d\0%x" % (width, length, bits))[0] & 1

    def _permuted(self, width: int, value: int, known: int = 0) -> int:
        """A number of so many bits by the prefix-preserving function; the first `known` bits stay."""
        ways = _WAYS.get(width, frozenset())
        made = 0
        for length in range(width):
            bits = value >> (width - length)
            bit = value >> (width - length - 1) & 1
            if length >= known and (length, bits) not in ways:
                bit ^= self._bit(width, length, bits)
            made = made << 1 | bit
        return made

    def ipv4(self, address: ipaddress.IPv4Address) -> ipaddress.IPv4Address:
        """Groups, loopback, 0.0.0.0 and the limited broadcast address stay."""
        if any(address in network for network in _KEPT_V4):
            return address
        return ipaddress.IPv4Address(self._permuted(32, int(address)))

    def ipv6(self, address: ipaddress.IPv6Address) -> ipaddress.IPv6Address:
        """Groups stay but for those of solicited nodes; an IPv4 address within is replaced as one."""
        value = int(address)
        if value < 2:
            return address
        if value >> 24 == _SOLICITED:
            return ipaddress.IPv6Address(value >> 24 << 24 | self._permuted(24, value & 0xFFFFFF))
        if address.is_multicast:
            return address
        if value >> 32 in (0, 0xFFFF):
            return ipaddress.IPv6Address(value >> 32 << 32 | int(self.ipv4(ipaddress.IPv4Address(value & 0xFFFFFFFF))))
        return ipaddress.IPv6Address(self._permuted(128, value))

    def mac(self, octets: bytes) -> bytes:
        """Of a device the maker's 24 bits stay. Groups stay, but for those that hold an address of a solicited node."""
        if octets[:3] == b"\x33\x33\xff":
            return octets[:3] + self._permuted(24, int.from_bytes(octets[3:])).to_bytes(3)
        if octets[0] & 1 or not any(octets):
            return octets
        return octets[:3] + self._permuted(48, int.from_bytes(octets), known=24).to_bytes(6)[3:]

    def network(self, text: str) -> str:
        """A network in CIDR notation: the pseudonyms of its addresses are those of the result. Raises ValueError."""
        network = ipaddress.ip_network(text, strict=False)
        first = network.network_address
        moved = self.ipv4(first) if isinstance(first, ipaddress.IPv4Address) else self.ipv6(first)
        bits = int(moved) >> (network.max_prefixlen - network.prefixlen) << (network.max_prefixlen - network.prefixlen)
        return f"{type(first)(bits)}/{network.prefixlen}"

    def word(self, kind: str, text: str) -> str:
        """A name's pseudonym, the same whatever its case."""
        return (
            f"{kind}-{self._hash(b'word' + bytes(1) + text.casefold().encode(errors='surrogatepass')).hex()[:_DIGITS]}"
        )

    @property
    def mark(self) -> str:
        """Tells one key from another, and nothing of it."""
        return self._hash(b"mark").hex()[:16]
