"""Routers and what hosts ask of them: ICMP, groups, shared addresses, routing."""

from __future__ import annotations

import ipaddress
import struct

from builders.services.hosts import CAMERA, ENGINEERING, SERVER
from builders.tcp import TcpSession
from builders.wire import (
    LINUX,
    Capture,
    LinkPath,
    Station,
    ethernet,
    internet_checksum,
    ip_bytes,
    ipv4,
    mac_bytes,
    seconds,
)

ROUTER = Station("192.168.20.1", "00:0e:8c:20:20:01", LINUX)
SECOND = Station("192.168.20.3", "00:0e:8c:20:20:03", LINUX)
ETHERTYPE_IPV6 = 0x86DD
ALL_ROUTERS = Station("224.0.0.2", "01:00:5e:00:00:02")


def _group(address: str) -> Station:
    low = ip_bytes(address)
    return Station(address, f"01:00:5e:{low[1] & 0x7F:02x}:{low[2]:02x}:{low[3]:02x}")


def icmp(capture: Capture) -> None:
    """An echo, a port that nobody listens on, a redirect, a router that announces itself."""

    def send(at: float, source: Station, destination: Station, kind: int, code: int, rest: bytes) -> None:
        message = struct.pack(">BBH", kind, code, 0) + rest
        message = message[:2] + struct.pack(">H", internet_checksum(message)) + message[4:]
        capture.ip(seconds(at), source, destination, 1, message)

    send(0, ENGINEERING, SERVER, 8, 0, struct.pack(">HH", 7, 1) + bytes(32))
    send(0.001, SERVER, ENGINEERING, 0, 0, struct.pack(">HH", 7, 1) + bytes(32))
    asked = struct.pack(">HHHH", 50_161, 161, 8, 0)
    packet = ipv4(ENGINEERING.address, CAMERA.address, 17, asked, ttl=128, identification=9)
    for number in range(3):
        send(1 + number, CAMERA, ENGINEERING, 3, 3, bytes(4) + packet)
    send(5, ROUTER, ENGINEERING, 5, 1, ip_bytes(SECOND.address) + packet)
    everybody = _group("224.0.0.1")
    send(6, ROUTER, everybody, 9, 0, struct.pack(">BBH", 1, 2, 1800) + ip_bytes(ROUTER.address) + bytes(4))
    send(7, ENGINEERING, ROUTER, 13, 0, bytes(16))


def icmpv6(capture: Capture) -> None:
    """A router, a neighbour that is looked for and answers, a listener."""

    def send(at: float, station: Station, source: str, destination: str, message: bytes) -> None:
        ends = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed
        pseudo = ends + struct.pack(">II", len(message), 58)
        message = message[:2] + struct.pack(">H", internet_checksum(pseudo + message)) + message[4:]
        packet = struct.pack(">IHBB", 6 << 28, len(message), 58, 255) + ends + message
        mac = "33:33:" + ":".join(f"{octet:02x}" for octet in ipaddress.IPv6Address(destination).packed[-4:])
        capture.raw(seconds(at), ethernet(LinkPath(station.mac, mac), ETHERTYPE_IPV6, packet))

    prefix = ipaddress.IPv6Address("2001:db8:20::").packed
    router, host = "fe80::20e:8cff:fe20:2001", "2001:db8:20::40"
    target = ipaddress.IPv6Address(host).packed
    link = b"\x01\x01" + mac_bytes(ROUTER.mac)
    lifetimes = struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0)
    for number in range(3):
        send(
            200 * number,
            ROUTER,
            router,
            "ff02::1",
            struct.pack(">BBHBBHII", 134, 0, 0, 64, 0x40, 1800, 0, 0) + link + lifetimes + prefix,
        )
    send(1, ROUTER, router, "ff02::1:ff00:40", struct.pack(">BBHI", 135, 0, 0, 0) + target + link)
    answer = struct.pack(">BBHI", 136, 0, 0, 0x6000_0000) + target + b"\x02\x01" + mac_bytes(CAMERA.mac)
    send(1.001, CAMERA, host, router, answer)
    group = ipaddress.IPv6Address("ff02::fb").packed
    send(2, CAMERA, host, "ff02::16", struct.pack(">BBHHH", 143, 0, 0, 0, 1) + b"\x04\x00\x00\x00" + group)


def igmp(capture: Capture) -> None:
    """A querier, and listeners of each version."""
    everybody, group = _group("224.0.0.1"), _group("239.20.1.1")
    capture.ip(0, ROUTER, everybody, 2, b"\x11\x64\x00\x00" + bytes(4) + b"\x02\x7d\x00\x00")
    capture.ip(seconds(1), CAMERA, group, 2, b"\x16\x00\x00\x00" + ip_bytes(group.address))
    capture.ip(seconds(2), CAMERA, ALL_ROUTERS, 2, b"\x17\x00\x00\x00" + ip_bytes(group.address))
    record = b"\x22\x00\x00\x00\x00\x00\x00\x01\x04\x00\x00\x00" + ip_bytes("239.20.1.2")
    capture.ip(seconds(3), ENGINEERING, _group("224.0.0.22"), 2, record)
    capture.ip(seconds(4), SERVER, group, 2, b"\x12\x00\x00\x00" + ip_bytes(group.address))


def shared(capture: Capture) -> None:
    """VRRP of both versions, CARP, HSRP of both versions, GLBP; passwords in the clear are not told."""
    virtual, group = ip_bytes("192.168.20.254"), _group("224.0.0.18")
    old = struct.pack(">BBBBBBH", 0x21, 7, 120, 1, 1, 1, 0) + virtual + b"Zk8pQ1x\x00"
    for number in range(3):
        capture.ip(seconds(number), ROUTER, group, 112, old)
    capture.ip(seconds(4), SECOND, group, 112, struct.pack(">BBBBHH", 0x31, 8, 255, 1, 100, 0) + virtual)
    capture.ip(seconds(5), CAMERA, group, 112, struct.pack(">BBBBBBH", 0x21, 9, 0, 7, 0, 1, 0) + bytes(range(28)))
    one = bytes([0, 0, 16, 3, 10, 110, 7, 0]) + b"cisco\x00\x00\x00" + virtual
    capture.udp(seconds(6), ROUTER, 1985, ALL_ROUTERS, 1985, one)
    two = struct.pack(">BBBBBBH6sIII4s12x", 1, 40, 2, 0, 6, 4, 8, mac_bytes(ROUTER.mac), 110, 3000, 10000, virtual)
    capture.udp(seconds(7), ROUTER, 1985, _group("224.0.0.102"), 1985, two + b"\x03\x08Zk8pQ1x\x00")
    hello = bytes([1, 28, 0, 32, 0, 110]) + bytes(16) + b"\x01\x04" + virtual
    glbp = struct.pack(">BBHH6s", 1, 0, 9, 0, mac_bytes(SECOND.mac)) + hello
    capture.udp(seconds(8), SECOND, 3222, _group("224.0.0.102"), 3222, glbp)


def routing(capture: Capture) -> None:
    """OSPF, EIGRP, RIP and BGP of two routers; passwords in the clear are not told."""
    hello = struct.pack(">BBH4s4sHH8s", 2, 1, 44, ip_bytes("10.0.0.1"), bytes(4), 0, 1, b"Zk8pQ1x\x00")
    for number in range(3):
        capture.ip(seconds(10 * number), ROUTER, _group("224.0.0.5"), 89, hello + bytes(20))
    capture.ip(
        seconds(1), ROUTER, _group("224.0.0.10"), 88, b"\x02\x05" + bytes(16) + struct.pack(">H", 100) + bytes(12)
    )
    entry = struct.pack(">HH4s4s4sI", 2, 0, ip_bytes("192.168.30.0"), ip_bytes("255.255.255.0"), bytes(4), 1)
    secret = b"\xff\xff\x00\x02" + b"Zk8pQ1x".ljust(16, b"\x00")
    capture.udp(seconds(2), ROUTER, 520, _group("224.0.0.9"), 520, b"\x02\x02\x00\x00" + secret + entry)
    opened = b"\xff" * 16 + struct.pack(">HBBHH4sB", 29, 1, 4, 65_000, 180, ip_bytes("10.0.0.1"), 0)
    refused = b"\xff" * 16 + struct.pack(">HBBB", 21, 3, 2, 2)
    session = TcpSession(capture, ROUTER, 50_179, SECOND, 179)
    at = session.ask(session.open(seconds(3)), opened, refused)
    session.close(at + seconds(1))


CAPTURES = (
    ("icmp", icmp, "ICMP: an echo, an unreachable port, a redirect, a router"),
    ("icmpv6", icmpv6, "ICMP for IPv6: a router, neighbours, a listener"),
    ("igmp", igmp, "IGMP of each version"),
    ("shared-addresses", shared, "VRRP, CARP, HSRP and GLBP"),
    ("routing", routing, "OSPF, EIGRP, RIP and BGP"),
)
