"""Whether contents were cut out of packets of a mini capture, as they may hold secrets (see `reports.evidence`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from zonewatch.reports.proof.pcapng import MiniCapture

__all__ = ["cut_packets"]

_TAGS: Final = frozenset((0x8100, 0x88A8, 0x9100))
_BEFORE_INTERNET: Final[Mapping[int, int]] = {0: 4, 108: 4, 113: 16, 276: 20}
"""Octets before the internet layer, by link type: loopback, Linux cooked; none where packets are raw."""
_TCP, _UDP = 6, 17
_PUSH: Final = 0x08
_STARTS: Final[Mapping[int, Callable[[bytes], bool]]] = {
    8: lambda data: data[2:4] == b"\0\0" and int.from_bytes(data[4:6]) > 2,
    10: lambda data: data[0] == 0x81 and int.from_bytes(data[2:4]) > 10,
    13: lambda data: data[:2] == b"\x05\x64" and data[2] > 6,
    28: lambda data: data[:3] == b"MSG" and int.from_bytes(data[4:8], "little") > 28,
    29: lambda data: data[:2] == b"\x03\0" and int.from_bytes(data[2:4]) > 29,
}
"""Starts of messages that may carry a password, by their octets: Modbus, BACnet, DNP3, OPC UA, S7. Their lengths say
that there is more."""


def cut_packets(capture: MiniCapture) -> int:
    """Packets that are there without what TCP or UDP carried in them, or with the start of it only."""
    links = [one.link for one in capture.interfaces]
    return sum(_is_cut(links[one.interface], one.data) for one in capture.packets)


def _is_cut(link: int, data: bytes) -> bool:
    return any(not payload or _is_start(payload) for payload in _carried(link, data))


def _is_start(payload: bytes) -> bool:
    test = _STARTS.get(len(payload))
    return test is not None and test(payload)


def _carried(link: int, data: bytes) -> Iterator[bytes]:
    """What a packet carries that was sent to carry something: a datagram, a segment with PSH."""
    packet = _internet(data) if link == 1 else data[_BEFORE_INTERNET.get(link, 0) :]
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        protocol, rest = packet[9], packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4])]
    elif len(packet) >= 40 and packet[0] >> 4 == 6:
        protocol, rest = packet[6], packet[40 : 40 + int.from_bytes(packet[4:6])]
    else:
        return
    if protocol == _UDP and len(rest) >= 8:
        yield rest[8:]
    elif protocol == _TCP and len(rest) >= 20 and (rest[13] & _PUSH or len(rest) > rest[12] // 16 * 4):
        yield rest[rest[12] // 16 * 4 :]


def _internet(data: bytes) -> bytes:
    place = 12
    while int.from_bytes(data[place : place + 2]) in _TAGS:
        place += 4
    return data[place + 2 :] if int.from_bytes(data[place : place + 2]) in (0x0800, 0x86DD) else b""
