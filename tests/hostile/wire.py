"""Frames of hostile captures, as plain as their headers allow: checksums are left out."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

SERVER: Final = bytes((10, 0, 0, 5))
CLIENT: Final = bytes((10, 0, 0, 9))
SYN, ACK = 0x02, 0x10
TCP, UDP = 6, 17

STEP_US: Final = 100

_ETHERNET: Final = bytes.fromhex("0080f4000002 0080f4000001 0800")


def ethernet(protocol: int, ends: tuple[bytes, bytes], data: bytes, fragment: tuple[int, int] = (0, 0)) -> bytes:
    """A frame with an IPv4 packet; a fragment has an identification, and the flags and offset field."""
    length = 20 + len(data)
    return _ETHERNET + struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, *fragment, 64, protocol, 0, *ends) + data


def segment(
    ends: tuple[bytes, bytes], ports: tuple[int, int], numbers: tuple[int, int], flags: int, data: bytes = b""
) -> bytes:
    header = struct.pack(">HHIIBBHHH", *ports, *(number & 0xFFFFFFFF for number in numbers), 0x50, flags, 8192, 0, 0)
    return ethernet(TCP, ends, header + data)


def datagram(ends: tuple[bytes, bytes], ports: tuple[int, int], data: bytes) -> bytes:
    return ethernet(UDP, ends, struct.pack(">HHHH", *ports, 8 + len(data), 0) + data)


def address(number: int) -> bytes:
    """A public address of its own for each number."""
    octets = struct.pack(">I", number * 2_654_435_761 & 0xFFFFFFFF)
    return octets if 11 <= octets[0] < 100 else bytes((11 + octets[0] % 80, *octets[1:]))


class Stream:
    """One connection in order."""

    def __init__(self, ports: tuple[int, int], client: bytes = CLIENT) -> None:
        self.ports, self.client = ports, client
        self.sent, self.answered = 1, 1

    def ask(self, data: bytes) -> bytes:
        self.sent += len(data)
        numbers = self.sent - len(data), self.answered
        return segment((self.client, SERVER), self.ports, numbers, ACK, data)

    def answer(self, data: bytes) -> bytes:
        self.answered += len(data)
        numbers = self.answered - len(data), self.sent
        return segment((SERVER, self.client), (self.ports[1], self.ports[0]), numbers, ACK, data)


class Kind(NamedTuple):
    """Packets, the counters of the coverage that tell what was not kept, packets enough to have one above 0, and how
    long after the other they come."""

    packets: Callable[[], Iterator[bytes]]
    counters: tuple[str, ...]
    size: int = 20_000
    step_us: int = STEP_US
