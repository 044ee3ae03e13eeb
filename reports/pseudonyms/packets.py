"""Packets with pseudonyms: addresses in headers replaced, what they carry kept, masked or cut.

Known: Ethernet with VLAN tags, raw IP, ARP, IPv4, IPv6, TCP, UDP, ICMP and ICMPv6. What is something else is cut where
it begins, as if the packet had been captured so short; of tunnels, fragments, options and extensions nothing is kept.
Checksums are right where all of the packet was captured.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from typing import Final

from zonewatch.reports.pseudonyms.keyed import Keyed

__all__ = ["Carried", "rewritten"]

Carried = Callable[[bytes], bytes]
"""What TCP or UDP carries, to what is told of it: as long, or nothing."""
_ETHERNET: Final = 1
_RAW: Final = frozenset((12, 14, 101, 228, 229))
_TAGS: Final = frozenset((0x8100, 0x88A8, 0x9100))
_IPV4, _IPV6, _ARP = 0x0800, 0x86DD, 0x0806
_TCP, _UDP, _ICMP, _ICMPV6, _NOTHING = 6, 17, 1, 58, 59
_ECHO: Final = {_ICMP: (0, 8), _ICMPV6: (128, 129)}
_TCP_OPTIONS: Final = frozenset((0, 1, 2, 3, 4, 5, 8))
"""End, nothing, segment size, window scale, selective acknowledgements, timestamps: none holds a name or address."""


def rewritten(link: int, data: bytes, keyed: Keyed, carried: Carried) -> tuple[bytes, bool]:
    """The packet, and whether it goes on beyond what is told (it is to be called cut)."""
    if link == _ETHERNET:
        return _ethernet(data, keyed, carried)
    if link in _RAW and data:
        return _internet(_IPV4 if data[0] >> 4 == 4 else _IPV6, data, keyed, carried), False
    return b"", True


def _ethernet(data: bytes, keyed: Keyed, carried: Carried) -> tuple[bytes, bool]:
    if len(data) < 14:
        return b"", True
    head = keyed.mac(data[:6]) + keyed.mac(data[6:12])
    place = 12
    while (kind := int.from_bytes(data[place : place + 2])) in _TAGS and len(data) >= place + 6:
        place += 4
    head += data[12 : place + 2]
    rest = data[place + 2 :]
    if kind == _ARP:
        return head + _arp(rest, keyed), False
    if kind in (_IPV4, _IPV6):
        return head + _internet(kind, rest, keyed, carried), False
    return head, True


def _arp(data: bytes, keyed: Keyed) -> bytes:
    """RFC 826 for Ethernet and IPv4; of others nothing."""
    if data[:6] != b"\x00\x01\x08\x00\x06\x04" or len(data) < 28:
        return b""
    pairs = (data[8:14], data[14:18], data[18:24], data[24:28])
    made = [keyed.mac(one) if len(one) == 6 else _v4(one, keyed) for one in pairs]
    return data[:8] + b"".join(made) + bytes(len(data) - 28)


def _v4(octets: bytes, keyed: Keyed) -> bytes:
    return keyed.ipv4(ipaddress.IPv4Address(octets)).packed


def _v6(octets: bytes, keyed: Keyed) -> bytes:
    return keyed.ipv6(ipaddress.IPv6Address(octets)).packed


def _internet(kind: int, data: bytes, keyed: Keyed, carried: Carried) -> bytes:
    return _ipv4(data, keyed, carried) if kind == _IPV4 else _ipv6(data, keyed, carried)


def _ipv4(data: bytes, keyed: Keyed, carried: Carried) -> bytes:
    """RFC 791. Options are overwritten, as routes are recorded there."""
    size = (data[0] & 15) * 4 if data else 0
    if len(data) < 20 or data[0] >> 4 != 4 or size < 20 or len(data) < size:
        return b""
    total = int.from_bytes(data[2:4])
    source, destination = _v4(data[12:16], keyed), _v4(data[16:20], keyed)
    inner = b""
    if not int.from_bytes(data[6:8]) & 0x3FFF:  # no fragment
        whole = total <= len(data)
        pseudo = source + destination + bytes((0, data[9]))
        inner = _transport(
            data[9], data[size : max(total, size) if whole else None], keyed, carried, pseudo, whole=whole
        )
    length = size + len(inner) if total <= len(data) or len(inner) < len(data) - size else total
    head = bytearray(data[:2] + length.to_bytes(2) + data[4:10] + b"\0\0" + source + destination + b"\1" * (size - 20))
    head[10:12] = _checksum(bytes(head)).to_bytes(2)
    return bytes(head) + inner


def _ipv6(data: bytes, keyed: Keyed, carried: Carried) -> bytes:
    """RFC 8200. With extension headers, nothing follows (4.7)."""
    if len(data) < 40 or data[0] >> 4 != 6:
        return b""
    total = int.from_bytes(data[4:6])
    source, destination = _v6(data[8:24], keyed), _v6(data[24:40], keyed)
    protocol = data[6] if data[6] in (_TCP, _UDP, _ICMPV6) else _NOTHING
    whole = 40 + total <= len(data)
    rest = data[40 : 40 + total] if whole else data[40:]
    pseudo = source + destination + bytes((0, protocol))
    inner = b"" if protocol == _NOTHING else _transport(protocol, rest, keyed, carried, pseudo, whole=whole)
    length = len(inner) if whole or len(inner) < len(rest) else total
    return data[:4] + length.to_bytes(2) + bytes((protocol, data[7])) + source + destination + inner


def _transport(protocol: int, data: bytes, keyed: Keyed, carried: Carried, pseudo: bytes, *, whole: bool) -> bytes:
    """What the internet layer carries. `pseudo` is the start of what TCP and UDP add to their checksum."""
    if protocol == _TCP and len(data) >= 20 and (size := (data[12] >> 4) * 4) >= 20 and len(data) >= size:
        payload = _payload(data[size:], carried)
        head = data[:16] + b"\0\0" + data[18:20] + _options(data[20:size])
        return _summed(head + payload, 16, pseudo, whole or len(payload) < len(data) - size)
    if protocol == _UDP and len(data) >= 8:
        payload = _payload(data[8:], carried)
        cut = len(payload) < len(data) - 8
        length = (8 + len(payload)).to_bytes(2) if whole or cut else data[4:6]
        told = data[:4] + length + b"\0\0" + payload
        return told if data[6:8] == b"\0\0" else _summed(told, 6, pseudo, whole or cut)
    if protocol in (_ICMP, _ICMPV6) and len(data) >= 8:
        return _icmp(protocol, data, keyed, pseudo)
    return b""


def _payload(data: bytes, carried: Carried) -> bytes:
    made = carried(data) if data else b""
    return made if len(made) in (0, len(data)) else b""


def _options(options: bytes) -> bytes:
    """TCP options; those that are not known to be harmless become "nothing"."""
    made, place = bytearray(options), 0
    while place < len(options):
        kind = options[place]
        length = 1 if kind in (0, 1) else options[place + 1] if place + 1 < len(options) else 0
        if length < 1 or (kind > 1 and length < 2):
            made[place:] = b"\1" * (len(options) - place)
            break
        if kind not in _TCP_OPTIONS:
            made[place : place + length] = b"\1" * (min(place + length, len(options)) - place)
        place += length
    return bytes(made)


def _icmp(protocol: int, data: bytes, keyed: Keyed, pseudo: bytes) -> bytes:
    """Type, code, identifiers of an echo, addresses of a redirect and of neighbour discovery; nothing else."""
    kind, word = data[0], b"\0\0\0\0"
    rest = b""
    if kind in _ECHO[protocol]:
        word = data[4:8]
    elif protocol == _ICMP and kind == 5:
        word = _v4(data[4:8], keyed)
    elif protocol == _ICMPV6 and kind in (135, 136) and len(data) >= 24:  # RFC 4861, 4.3 and 4.4
        word, rest = data[4:8], _v6(data[8:24], keyed)
        if len(data) >= 32 and data[24] in (1, 2) and data[25] == 1:
            rest += data[24:26] + keyed.mac(data[26:32])
    told = bytes((kind, data[1], 0, 0)) + word + rest
    return _summed(told, 2, pseudo if protocol == _ICMPV6 else b"", True)


def _summed(told: bytes, place: int, pseudo: bytes, right: bool) -> bytes:
    """With its checksum, where all that it is made of is there; else with none."""
    if not right:
        return told
    start = pseudo + (struct.pack(">H" if len(pseudo) == 10 else ">I", len(told)) if pseudo else b"")
    if len(pseudo) == 34:  # RFC 8200, 8.1: length in 32 bits, three octets of zero, next header
        start = pseudo[:32] + struct.pack(">I", len(told)) + b"\0\0\0" + pseudo[33:34]
    made = _checksum(start + told) or 0xFFFF  # RFC 768: zero would say that there is none
    return told[:place] + made.to_bytes(2) + told[place + 2 :]


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total
