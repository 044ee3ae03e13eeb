"""What TCP and UDP carry, with pseudonyms: whole messages of control systems, names masked; all else is left out.

A payload is kept where it is nothing but whole messages of Modbus, DNP3, BACnet or S7, so that no name is cut in two by
the end of a packet. Within it known addresses become their pseudonyms, known names and runs of text become `x`, of the
same length. DNP3 has a checksum over each sixteen octets: with a name in it, it is left out.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.pseudonyms.keyed import Keyed

__all__ = ["Known", "carried", "known"]

_MASK: Final = ord("x")
_RUN: Final = re.compile(rb"[\x20-\x7e]{4,}")
_WIDE: Final = re.compile(rb"(?:[\x20-\x7e]\x00){3,}|(?:\x00[\x20-\x7e]){3,}")
_LETTERS: Final = 4
"""Letters that make a text of a run of printable octets; fewer are values."""
_STRING: Final = re.compile(rb"\x75[\x02-\xfd][\x00\x03\x04\x05]")
"""A BACnet character string (20.2.9) of five octets or more: tag, length, character set."""
_TABLES: Final = frozenset((0x01, 0x03, 0x05, 0x07, 0x08))
"""BVLC functions that carry tables of addresses (J.2)."""
_FORWARDED: Final = 0x04


@dataclass(frozen=True, slots=True)
class Known:
    """Octets that are addresses, with those of their pseudonyms; and names in lower case."""

    v4: Mapping[bytes, bytes]
    mac: Mapping[bytes, bytes]
    names: tuple[bytes, ...]


def known(addresses: Iterable[str], names: Iterable[str], keyed: Keyed) -> Known:
    """Of a result: its IP and MAC addresses, and what was told as a name."""
    v4: dict[bytes, bytes] = {}
    mac: dict[bytes, bytes] = {}
    for text in addresses:
        try:
            if text.count(":") == 5 and len(text) == 17:
                octets = bytes.fromhex(text.replace(":", ""))
                mac[octets] = keyed.mac(octets)
            elif "." in text:
                one = ipaddress.IPv4Address(text)
                v4[one.packed] = keyed.ipv4(one).packed
        except ValueError:
            continue
    encoded = (name.encode("utf-8", errors="ignore") for name in names)
    moved = {old: new for old, new in v4.items() if old != new}
    return Known(moved, {old: new for old, new in mac.items() if old != new}, tuple(n for n in encoded if len(n) > 2))


def carried(data: bytes, secret: Known, keyed: Keyed) -> bytes:
    """The payload as it is told, as long as it was; empty where nothing of it is."""
    for whole, told in _PROTOCOLS:
        if whole(data):
            return told(data, secret, keyed)
    return b""


def _messages(data: bytes, head: int, length_of: Callable[[bytes], int]) -> bool:
    """Whether the octets are messages, one behind the other, to the end."""
    place = 0
    while place < len(data):
        length = length_of(data[place : place + head]) if len(data) - place >= head else 0
        if length < head or length > len(data) - place:
            return False
        place += length
    return bool(data)


def _is_modbus(data: bytes) -> bool:
    return _messages(data, 8, lambda head: 6 + int.from_bytes(head[4:6]) if not any(head[2:4]) and head[4] < 2 else 0)


def _dnp3_length(head: bytes) -> int:
    data = head[2] - 5
    return 10 + data + -(-data // 16) * 2 if head[:2] == b"\x05\x64" and data >= 0 else 0


def _is_dnp3(data: bytes) -> bool:
    return _messages(data, 10, _dnp3_length)


def _is_bacnet(data: bytes) -> bool:
    return len(data) >= 4 and data[0] == 0x81 and int.from_bytes(data[2:4]) == len(data)


def _s7_length(head: bytes) -> int:
    is_data = head[4:7] == b"\x02\xf0\x80" and head[7] in (0x32, 0x72)
    return int.from_bytes(head[2:4]) if head[:2] == b"\x03\x00" and (is_data or head[5] in (0xE0, 0xD0)) else 0


def _is_s7(data: bytes) -> bool:
    return _messages(data, 8, _s7_length)


def _modbus(data: bytes, secret: Known, _: Keyed) -> bytes:
    return _without_texts(_without_names(data, secret))


def _s7(data: bytes, secret: Known, _: Keyed) -> bytes:
    return _without_texts(_without_names(data, secret))


def _dnp3(data: bytes, secret: Known, _: Keyed) -> bytes:
    plain = _unblocked(data)
    return data if _without_texts(_without_names(plain, secret)) == plain else b""


def _unblocked(data: bytes) -> bytes:
    """DNP3 frames without the checksums between their blocks, which would cut texts in two."""
    made, place = b"", 0
    while place < len(data):
        length, left = _dnp3_length(data[place : place + 10]), data[place + 2] - 5
        made += data[place : place + 8]
        at = place + 10
        while left > 0:
            made += data[at : at + min(left, 16)]
            at, left = at + min(left, 16) + 2, left - 16
        place += length
    return made


def _bacnet(data: bytes, secret: Known, keyed: Keyed) -> bytes:
    if data[1] in _TABLES:
        return b""
    made = bytearray(data)
    start = 4
    if data[1] == _FORWARDED and len(data) >= 10:
        made[4:8] = keyed.ipv4(ipaddress.IPv4Address(data[4:8])).packed
        start = 10
    for place in _network_addresses(data, start):
        made[place : place + 4] = keyed.ipv4(ipaddress.IPv4Address(data[place : place + 4])).packed
    for found in _STRING.finditer(data, start):
        end = found.end() + data[found.start() + 1] - 1
        if end <= len(data):
            made[found.end() : end] = bytes(_masked(data[found.end() : end]))
    told = _without_names(bytes(made), secret)
    return told if _without_texts(told) == told else b""


def _network_addresses(data: bytes, start: int) -> Iterable[int]:
    """Places of addresses of six octets in a BACnet network layer (6.2.2): IP address and port."""
    if len(data) < start + 2 or data[start] != 1:
        return
    place = start + 2
    for bit in (0x20, 0x08):
        if not data[start + 1] & bit or len(data) < place + 3:
            continue
        if data[place + 2] == 6 and len(data) >= place + 9:
            yield place + 3
        place += 3 + data[place + 2]


def _without_names(data: bytes, secret: Known) -> bytes:
    made = bytearray(data)
    for size, found in ((6, secret.mac), (4, secret.v4)):
        for place in range(len(data) - size + 1):
            if (new := found.get(data[place : place + size])) is not None:
                made[place : place + size] = new
    lower = data.lower()
    for step, first in ((1, 0), (2, 0), (2, 1)):  # as octets, and as UTF-16 of either order
        part = lower[first::step]
        for name in secret.names:
            place = part.find(name)
            while place >= 0:
                for at in range(place, place + len(name)):
                    made[first + at * step] = _MASK
                place = part.find(name, place + len(name))
    return bytes(made)


def _without_texts(data: bytes) -> bytes:
    made = bytearray(data)
    for pattern in (_RUN, _WIDE):
        for found in pattern.finditer(data):
            text = found.group()
            if sum(chr(one).isalpha() and one < 128 and one != _MASK for one in text) >= _LETTERS:
                made[found.start() : found.end()] = _masked(text)
    return bytes(made)


def _masked(text: bytes) -> bytes:
    return bytes(_MASK if one >= 128 or chr(one).isalnum() else one for one in text)


_Whole = Callable[[bytes], bool]
_Told = Callable[[bytes, Known, Keyed], bytes]
_PROTOCOLS: Final[tuple[tuple[_Whole, _Told], ...]] = (
    (_is_dnp3, _dnp3),
    (_is_bacnet, _bacnet),
    (_is_s7, _s7),
    (_is_modbus, _modbus),
)
