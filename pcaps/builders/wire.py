"""Frames and the capture file: Ethernet, 802.1Q, ARP, IPv4, UDP, classic pcap.

Times are whole microseconds since the start of the capture, so that no rounding of floats can reach the file.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SECOND = 1_000_000
MILLISECOND = 1_000
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_VLAN = 0x8100
IP_TCP = 6
IP_UDP = 17
SHORTEST_FRAME = 60  # without the check sequence, which a capture does not hold


def seconds(value: float) -> int:
    """Microseconds of a time written in seconds."""
    return round(value * SECOND)


@dataclass(frozen=True, slots=True)
class Stack:
    """What a TCP/IP stack shows of itself on the wire."""

    ttl: int
    window: int
    syn_options: bytes
    delayed_ack: int


_MSS_1460 = bytes([2, 4]) + struct.pack(">H", 1460)
_SACK_PERMITTED = bytes([1, 1, 4, 2])
WINDOWS = Stack(128, 64240, _MSS_1460 + bytes([1, 3, 3, 8]) + _SACK_PERMITTED, 45 * MILLISECOND)
LINUX = Stack(64, 29200, _MSS_1460 + _SACK_PERMITTED + bytes([1, 3, 3, 7]), 40 * MILLISECOND)
EMBEDDED = Stack(64, 8760, _MSS_1460, 20 * MILLISECOND)


@dataclass(frozen=True, slots=True)
class Station:
    """One end of a packet."""

    address: str
    mac: str
    stack: Stack = EMBEDDED


@dataclass(frozen=True, slots=True)
class LinkPath:
    """How the mirror port sees a packet between two stations."""

    source_mac: str
    destination_mac: str
    vlan: int | None = None
    hops: int = 0  # routers passed before the mirror


PathOf = Callable[[Station, Station], LinkPath]


def same_segment(source: Station, destination: Station) -> LinkPath:
    """Both stations on one untagged segment."""
    return LinkPath(source.mac, destination.mac)


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ip_bytes(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))


def internet_checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_checksum(source: str, destination: str, protocol: int, segment: bytes) -> int:
    pseudo_header = ip_bytes(source) + ip_bytes(destination) + struct.pack(">BBH", 0, protocol, len(segment))
    return internet_checksum(pseudo_header + segment)


def ethernet(path: LinkPath, ethertype: int, payload: bytes) -> bytes:
    """A frame as the switch sends it: padded first, tagged afterwards."""
    padding = bytes(max(0, SHORTEST_FRAME - 14 - len(payload)))
    tag = b"" if path.vlan is None else struct.pack(">HH", ETHERTYPE_VLAN, path.vlan)
    addresses = mac_bytes(path.destination_mac) + mac_bytes(path.source_mac)
    return addresses + tag + struct.pack(">H", ethertype) + payload + padding


def ipv4(source: str, destination: str, protocol: int, payload: bytes, *, ttl: int, identification: int) -> bytes:
    header = struct.pack(
        ">BBHHHBBH4s4s",
        0x45,  # version 4, five words
        0,  # DSCP
        20 + len(payload),
        identification,
        0x4000,  # do not fragment
        ttl,
        protocol,
        0,
        ip_bytes(source),
        ip_bytes(destination),
    )
    return header[:10] + struct.pack(">H", internet_checksum(header)) + header[12:] + payload


def arp(operation: int, sender_mac: str, sender: str, target_mac: str, target: str) -> bytes:
    """RFC 826 over Ethernet; operation 1 asks, 2 answers."""
    return (
        struct.pack(">HHBBH", 1, ETHERTYPE_IPV4, 6, 4, operation)
        + mac_bytes(sender_mac)
        + ip_bytes(sender)
        + mac_bytes(target_mac)
        + ip_bytes(target)
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """A finished frame. `step` names the part of the story it proves."""

    time: int
    data: bytes
    step: str | None


@dataclass(frozen=True, slots=True)
class _Packet:
    """An IPv4 packet that still lacks its identification."""

    source: Station
    destination: Station
    protocol: int
    payload: bytes


class Capture:
    """Collects frames in any order; `finish` sorts them and numbers the packets of each sender."""

    def __init__(self, path_of: PathOf = same_segment) -> None:
        self._path_of = path_of
        self._pending: list[tuple[int, int, _Packet | bytes, str | None]] = []

    def raw(self, at: int, frame: bytes, step: str | None = None) -> None:
        self._pending.append((at, len(self._pending), frame, step))

    def ip(
        self, at: int, source: Station, destination: Station, protocol: int, payload: bytes, step: str | None = None
    ) -> None:
        packet = _Packet(source, destination, protocol, payload)
        self._pending.append((at, len(self._pending), packet, step))

    def udp(
        self,
        at: int,
        source: Station,
        source_port: int,
        destination: Station,
        destination_port: int,
        payload: bytes,
        step: str | None = None,
    ) -> None:
        header = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0)
        checksum = transport_checksum(source.address, destination.address, IP_UDP, header + payload) or 0xFFFF
        datagram = header[:6] + struct.pack(">H", checksum) + payload
        self.ip(at, source, destination, IP_UDP, datagram, step)

    def finish(self, until: int | None = None) -> list[Frame]:
        """All frames in the order of time, up to the end of the capture."""
        identification: dict[str, int] = {}
        frames: list[Frame] = []
        for time, _, item, step in sorted(self._pending, key=lambda entry: entry[:2]):
            if until is not None and time > until:
                break
            if isinstance(item, _Packet):
                sender = item.source.address
                if sender not in identification:
                    identification[sender] = random.Random(f"identification {sender}").getrandbits(16)
                item = self._encode(item, identification[sender])
                identification[sender] = (identification[sender] + 1) & 0xFFFF
            frames.append(Frame(time, item, step))
        return frames

    def _encode(self, packet: _Packet, identification: int) -> bytes:
        path = self._path_of(packet.source, packet.destination)
        datagram = ipv4(
            packet.source.address,
            packet.destination.address,
            packet.protocol,
            packet.payload,
            ttl=packet.source.stack.ttl - path.hops,
            identification=identification,
        )
        return ethernet(path, ETHERTYPE_IPV4, datagram)


ETHERNET = 1  # LINKTYPE_ number


def write_pcap(path: Path, start: int, frames: Iterable[Frame], link_type: int = ETHERNET) -> None:
    """Classic pcap, little-endian, microseconds. `start` is in seconds since 1970, UTC."""
    magic, major, minor, snap_length = 0xA1B2C3D4, 2, 4, 262144
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", magic, major, minor, 0, 0, snap_length, link_type))
        for frame in frames:
            length = len(frame.data)
            file.write(struct.pack("<IIII", start + frame.time // SECOND, frame.time % SECOND, length, length))
            file.write(frame.data)
