"""Packets inside packets: each function puts a frame, or the IP packet in it, into another."""

from __future__ import annotations

import struct
from collections.abc import Callable

from builders.wire import IP_UDP, ipv4, mac_bytes

ENDS = ("192.0.2.1", "192.0.2.2")
"""Addresses of the tunnels' ends."""

OUTER = mac_bytes("02:00:00:00:00:02") + mac_bytes("02:00:00:00:00:01")
IP_IPV4, IP_GRE = 4, 47
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
ETHERTYPE_MPLS, ETHERTYPE_PPPOE, ETHERTYPE_BACKBONE, BRIDGED = 0x8847, 0x8864, 0x88E7, 0x6558

Wrap = Callable[[bytes], bytes]


def frame(ethertype: int, payload: bytes) -> bytes:
    return OUTER + struct.pack(">H", ethertype) + payload


def packet_of(inner: bytes) -> bytes:
    """The IPv4 packet of an untagged frame, without padding."""
    (length,) = struct.unpack_from(">H", inner, 16)
    return inner[14 : 14 + length]


def in_ip(protocol: int, payload: bytes) -> bytes:
    return frame(ETHERTYPE_IPV4, ipv4(*ENDS, protocol, payload, ttl=64, identification=7))


def in_ipv6(protocol: int, payload: bytes) -> bytes:
    ends = bytes.fromhex("20010db8000000000000000000000001" + "20010db8000000000000000000000002")
    return frame(ETHERTYPE_IPV6, struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64) + ends + payload)


def in_udp(port: int, payload: bytes) -> bytes:
    return in_ip(IP_UDP, struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload)


def gre(protocol: int, options: bytes, flags: int, payload: bytes) -> bytes:
    return in_ip(IP_GRE, struct.pack(">HH", flags, protocol) + options + payload)


def gre_of_ip(inner: bytes) -> bytes:
    """Checksum, key and sequence number (RFC 2890)."""
    return gre(ETHERTYPE_IPV4, struct.pack(">HHII", 0, 0, 42, 1), 0xB000, packet_of(inner))


def air(inner: bytes) -> bytes:
    """The frame of a station to its access point: IEEE 802.11 with quality of service, LLC and SNAP."""
    header = b"\x88\x01\x00\x00" + OUTER[:6] + inner[6:12] + inner[:6] + b"\x10\x00" + b"\x00\x00"
    return header + b"\xaa\xaa\x03\x00\x00\x00" + inner[12:14] + packet_of(inner)


def gre_of_air(inner: bytes) -> bytes:
    """As an access point of Aruba sends it to its controller."""
    return gre(0x8200, b"", 0, air(inner))


def radiotap(inner: bytes) -> bytes:
    """A capture of the air, without encryption: flags and rate, then the frame."""
    return struct.pack("<BBHIBB", 0, 0, 10, 0x6, 0, 108) + air(inner)


def erspan_1(inner: bytes) -> bytes:
    return gre(0x88BE, b"", 0, inner)


def erspan_2(inner: bytes) -> bytes:
    """VLAN 11, whose 802.1Q tag the mirror took off; session 5; port index 3."""
    header = struct.pack(">HHI", 1 << 12 | 11, 2 << 11 | 5, 3)
    return gre(0x88BE, struct.pack(">I", 1), 0x1000, header + inner)


def erspan_3(inner: bytes) -> bytes:
    """With a timestamp, and the platform's subheader announced by the last bit."""
    header = struct.pack(">HHIHH", 2 << 12 | 11, 5, 123456, 0, 1)
    return gre(0x22EB, struct.pack(">I", 1), 0x1000, header + struct.pack(">II", 3 << 26, 0) + inner)


def vxlan(inner: bytes, port: int = 4789) -> bytes:
    return in_udp(port, struct.pack(">II", 0x08 << 24, 42 << 8) + inner)


def vxlan_elsewhere(inner: bytes) -> bytes:
    return vxlan(inner, 14789)


def geneve(inner: bytes) -> bytes:
    """One option of a word's data."""
    option = struct.pack(">HBBI", 0x0102, 0x80, 1, 0xDEADBEEF)
    return in_udp(6081, struct.pack(">BBHI", len(option) // 4, 0, BRIDGED, 42 << 8) + option + inner)


def labels(*numbers: int) -> bytes:
    last = len(numbers) - 1
    return b"".join(struct.pack(">I", number << 12 | (at == last) << 8 | 64) for at, number in enumerate(numbers))


def mpls_of_ip(inner: bytes) -> bytes:
    """The frame's own MACs, two labels, the packet."""
    return inner[:12] + struct.pack(">H", ETHERTYPE_MPLS) + labels(1001, 2002) + packet_of(inner)


def pseudo_wire(inner: bytes) -> bytes:
    return frame(ETHERTYPE_MPLS, labels(1001, 3003) + inner)


def pseudo_wire_with_control_word(inner: bytes) -> bytes:
    return frame(ETHERTYPE_MPLS, labels(3003) + struct.pack(">I", 9) + inner)


def pppoe(inner: bytes) -> bytes:
    """The frame's own MACs, session 17, PPP of IPv4."""
    ppp = struct.pack(">H", 0x0021) + packet_of(inner)
    return inner[:12] + struct.pack(">HBBHH", ETHERTYPE_PPPOE, 0x11, 0, 17, len(ppp)) + ppp


def backbone(inner: bytes) -> bytes:
    """802.1ah with service instance 77."""
    return frame(ETHERTYPE_BACKBONE, struct.pack(">I", 77) + inner)


def ip_in_ip(inner: bytes) -> bytes:
    return in_ip(IP_IPV4, packet_of(inner))


def ip_in_ipv6(inner: bytes) -> bytes:
    return in_ipv6(IP_IPV4, packet_of(inner))


def nested(times: int) -> Wrap:
    """A VXLAN inside a VXLAN, so many times."""

    def wrap(inner: bytes) -> bytes:
        for _ in range(times):
            inner = vxlan(inner)
        return inner

    return wrap
