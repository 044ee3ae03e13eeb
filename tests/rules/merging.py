"""Captures of different networks made into one: some hosts kept, with other addresses, at another time."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

SECOND = 1_000_000_000
Packet = tuple[int, bytes]  # nanoseconds, Ethernet frame


class Part(NamedTuple):
    """What is taken of a capture: frames between hosts of `hosts` (old address to new one), the first at `start`."""

    path: Path
    hosts: Mapping[str, str]
    start: int
    packets: int = 100_000


def merged(parts: Iterable[Part], into: Path) -> Path:
    """One pcap file with nanoseconds, in the order of time."""
    packets = sorted((packet for part in parts for packet in _moved(part)), key=lambda packet: packet[0])
    with into.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for time, data in packets:
            file.write(struct.pack("<IIII", time // SECOND, time % SECOND, len(data), len(data)) + data)
    return into


def mac_of(address: str) -> bytes:
    """Each address has a MAC address of its own."""
    return b"\x02\x00" + IPv4Address(address).packed


def _moved(part: Part) -> Iterator[Packet]:
    hosts = {IPv4Address(old).packed: new for old, new in part.hosts.items()}
    first = None
    taken = 0
    for time, data in read(part.path):
        if len(data) < 34 or data[12:14] != b"\x08\x00" or data[14] >> 4 != 4:
            continue
        source, destination = hosts.get(data[26:30]), hosts.get(data[30:34])
        if source is None or destination is None:
            continue
        first = time if first is None else first
        taken += 1
        if taken > part.packets:
            return
        yield part.start + time - first, _readdressed(data, source, destination)


def _readdressed(data: bytes, source: str, destination: str) -> bytes:
    ends = IPv4Address(source).packed + IPv4Address(destination).packed
    length = (data[14] & 15) * 4
    header = bytearray(data[14 : 14 + length])
    total = struct.unpack_from(">H", header, 2)[0]
    header[12:20] = ends
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack(">H", _checksum(bytes(header)))
    body = bytearray(data[14 + length : 14 + max(total, length)])
    place = {6: 16, 17: 6}.get(header[9])
    whole = len(body) == total - length and not struct.unpack_from(">H", header, 6)[0] & 0x3FFF
    if place is not None and whole and len(body) >= place + 2:
        body[place : place + 2] = b"\0\0"
        value = _checksum(ends + struct.pack(">BBH", 0, header[9], len(body)) + bytes(body))
        body[place : place + 2] = struct.pack(">H", value)
    return mac_of(destination) + mac_of(source) + b"\x08\x00" + bytes(header + body)


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    padded = octets + b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def read(path: Path) -> Iterator[Packet]:
    """Ethernet frames of a pcap or pcapng file with their times."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return _pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data)


def _pcap(data: bytes) -> Iterator[Packet]:
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1_000
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(f"{order}IIII", data, at)
        yield seconds * SECOND + fraction * unit, data[at + 16 : at + 16 + captured]
        at += 16 + captured


def _pcapng(data: bytes) -> Iterator[Packet]:
    """Enhanced packet blocks of interfaces with microseconds, which is what Wireshark writes on Windows and Linux."""
    order, at, unit = "<", 0, 1_000
    while at + 12 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            length = struct.unpack_from(f"{order}I", data, at + 4)[0]
        elif kind == 1:
            unit = 1 if b"\x09\x00\x01\x00\x09" in data[at : at + length] else 1_000
        elif kind == 6:
            _, high, low, captured, _ = struct.unpack_from(f"{order}IIIII", data, at + 8)
            yield ((high << 32) | low) * unit, data[at + 28 : at + 28 + captured]
        at += length
