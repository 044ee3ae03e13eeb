"""Mini captures taken apart and put together again: pcapng as the engine's extractor writes it.

One section, little-endian, blocks of sections, interfaces and packets (draft-ietf-opsawg-pcapng, 4.1 to 4.3); what is
something else is refused, so that nothing is copied unseen.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "COMMENT",
    "IF_FCSLEN",
    "IF_NAME",
    "Interface",
    "MiniCapture",
    "Packet",
    "PcapngError",
    "dumps",
    "loads",
    "of_point",
]

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_PACKET: Final = 6
_BYTE_ORDER: Final = b"\x4d\x3c\x2b\x1a"
COMMENT: Final = 1
IF_NAME: Final = 2
IF_FCSLEN: Final = 13
Options = tuple[tuple[int, bytes], ...]


class PcapngError(ValueError):
    """Not a mini capture: what is wrong, and at which octet."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface description block."""

    link: int  # LINKTYPE_…
    snap: int
    options: Options = ()

    @property
    def name(self) -> str:
        """The capture point."""
        return dict(self.options).get(IF_NAME, b"").decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Packet:
    """An enhanced packet block."""

    interface: int
    ticks: int
    data: bytes
    length: int  # on the wire
    options: Options = ()


@dataclass(frozen=True, slots=True)
class MiniCapture:
    """A file."""

    interfaces: tuple[Interface, ...]
    packets: tuple[Packet, ...]
    options: Options = field(default=())  # of the section


def loads(octets: bytes) -> MiniCapture:
    """Raises PcapngError."""
    interfaces: list[Interface] = []
    packets: list[Packet] = []
    section: Options | None = None
    for place, kind, body in _blocks(octets):
        try:
            if kind == _SECTION and section is None and body[:4] == _BYTE_ORDER:
                section = tuple(_options(body[16:]))
            elif kind == _INTERFACE and section is not None:
                link, _, snap = struct.unpack_from("<HHI", body)
                interfaces.append(Interface(link, snap, tuple(_options(body[8:]))))
            elif kind == _PACKET and section is not None:
                number, high, low, captured, length = struct.unpack_from("<5I", body)
                if number >= len(interfaces) or captured > len(body) - 20:
                    raise PcapngError("a packet that cannot be")
                rest = tuple(_options(body[20 + _padded(captured) :]))
                packets.append(Packet(number, high << 32 | low, body[20 : 20 + captured], length, rest))
            else:
                raise PcapngError(f"a block of kind {kind:#x} that no mini capture has")
        except (struct.error, PcapngError) as error:
            raise PcapngError(f"octet {place}: {error}") from None
    if section is None:
        raise PcapngError("octet 0: no section")
    return MiniCapture(tuple(interfaces), tuple(packets), section)


def _blocks(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    while place < len(octets):
        if len(octets) - place < 12:
            raise PcapngError(f"octet {place}: ends within a block")
        kind, length = struct.unpack_from("<2I", octets, place)
        if length < 12 or length % 4 or length > len(octets) - place:
            raise PcapngError(f"octet {place}: a block of {length} octets, {len(octets) - place} are left")
        yield place, kind, octets[place + 8 : place + length - 4]
        place += length


def _options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(octets):
        code, length = struct.unpack_from("<2H", octets, place)
        if code == 0:
            return
        if length > len(octets) - place - 4:
            raise PcapngError("an option longer than its block")
        yield code, octets[place + 4 : place + 4 + length]
        place += 4 + _padded(length)


def _padded(length: int) -> int:
    return -(-length // 4) * 4


def dumps(capture: MiniCapture) -> bytes:
    """The file again; octet by octet the same of what `loads` read from the extractor's."""
    made = [_block(_SECTION, _BYTE_ORDER + struct.pack("<HHq", 1, 0, -1) + _written(capture.options))]
    made += [
        _block(_INTERFACE, struct.pack("<HHI", one.link, 0, one.snap) + _written(one.options))
        for one in capture.interfaces
    ]
    made += [_block(_PACKET, _packet(one)) for one in capture.packets]
    return b"".join(made)


def _packet(one: Packet) -> bytes:
    head = struct.pack("<5I", one.interface, one.ticks >> 32, one.ticks & 0xFFFFFFFF, len(one.data), one.length)
    return head + one.data.ljust(_padded(len(one.data)), b"\0") + _written(one.options)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _written(options: Iterable[tuple[int, bytes]]) -> bytes:
    made = [struct.pack("<HH", code, len(value)) + value.ljust(_padded(len(value)), b"\0") for code, value in options]
    return b"".join([*made, b"\0\0\0\0"]) if made else b""


def of_point(capture: MiniCapture, name: str) -> MiniCapture:
    """The same with the packets of one capture point only."""
    kept = {number for number, one in enumerate(capture.interfaces) if one.name == name}
    return MiniCapture(
        capture.interfaces, tuple(one for one in capture.packets if one.interface in kept), capture.options
    )
