"""What a mirror port delivers that is as it should be, and the same with one defect each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builders import modbus
from builders.tcp import TcpSession
from builders.wire import (
    BROADCAST_MAC,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    MILLISECOND,
    SECOND,
    Capture,
    LinkPath,
    Station,
    arp,
    ethernet,
    mac_bytes,
)

START: Final = 1_772_438_400  # 2026-03-02T08:00:00Z
HMI = Station("10.0.1.10", "00:50:56:00:01:10")
PLCS = tuple(Station(f"10.0.1.{20 + number}", f"00:80:f4:00:01:{number:02x}") for number in range(4))
OFFICE = tuple(Station(f"10.0.2.{30 + number}", f"b0:83:fe:00:02:{number:02x}") for number in range(3))
NOBODY: Final = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class Caught:
    """A captured frame: microseconds, what was kept, octets on the wire."""

    time: int
    data: bytes
    length: int


Defect = Callable[[list[Caught]], list[Caught]]


def plant() -> list[Caught]:
    """An HMI polls four controllers for a minute, two of them know each other too; office hosts speak; ARP is asked."""
    capture = Capture()
    pairs = [(HMI, plc) for plc in PLCS] + [(PLCS[0], PLCS[1]), (OFFICE[0], OFFICE[1])]
    for number, (client, server) in enumerate(pairs):
        port = modbus.PORT if client is not OFFICE[0] else 9100
        session = TcpSession(capture, client, 50_000 + number, server, port)
        at = session.open(number * 7 * MILLISECOND)
        for turn in range(60):
            at = turn * SECOND + number * 11 * MILLISECOND + 100 * MILLISECOND
            request = modbus.tcp_adu(turn, 1, modbus.read(modbus.READ_HOLDING_REGISTERS, 0, 4))
            answer = modbus.tcp_adu(turn, 1, modbus.registers(modbus.READ_HOLDING_REGISTERS, [1, 2, 3, turn]))
            if client is OFFICE[0]:
                request, answer = b"page %d\n" % turn, b"printed\n"
            session.ask(at, request, answer)
        session.settle()
    for number, (asking, asked) in enumerate([(HMI, PLCS[0]), (PLCS[0], HMI), (PLCS[1], HMI)]):
        capture.raw(number * SECOND + 1, _asks(asking, asked))
    return [Caught(frame.time, frame.data, len(frame.data)) for frame in capture.finish()]


def _asks(asking: Station, asked: Station) -> bytes:
    path = LinkPath(asking.mac, BROADCAST_MAC)
    return ethernet(path, ETHERTYPE_ARP, arp(1, asking.mac, asking.address, NOBODY, asked.address))


def _is_ip(frame: Caught) -> bool:
    return frame.data[12:14] == ETHERTYPE_IPV4.to_bytes(2, "big")


def group_only(frames: list[Caught]) -> list[Caught]:
    """What every port of a switch gets."""
    return [frame for frame in frames if frame.data[0] & 1]


def one_direction(frames: list[Caught]) -> list[Caught]:
    """What clients send."""
    clients = {mac_bytes(station.mac) for station in (HMI, OFFICE[0])}
    return [frame for frame in frames if frame.data[0] & 1 or frame.data[6:12] in clients]


def partly_one_direction(frames: list[Caught]) -> list[Caught]:
    """One controller's answers do not arrive."""
    return [frame for frame in frames if frame.data[6:12] != mac_bytes(PLCS[3].mac)]


def twice(frames: list[Caught]) -> list[Caught]:
    """Both ports of every connection are mirrored in both directions."""
    return [Caught(frame.time + delay, frame.data, frame.length) for frame in frames for delay in (0, 40)]


def lossy(frames: list[Caught]) -> list[Caught]:
    """Every 40th packet is not mirrored."""
    return [frame for number, frame in enumerate(frames) if number % 40 != 17]


def cut(frames: list[Caught]) -> list[Caught]:
    """A snap length of 62 octets."""
    return [Caught(frame.time, frame.data[:62], frame.length) for frame in frames]


def joined(frames: list[Caught]) -> list[Caught]:
    """A stream of segments that became one frame of 4,434 octets."""
    sender, receiver = OFFICE[2], OFFICE[1]
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 4420, 7, 0x4000, 64, 6, 0, bytes([10, 0, 2, 32]), bytes([10, 0, 2, 31])
    )
    segment = struct.pack(">HHIIBBHHH", 50_100, 9100, 1, 1, 0x50, 0x10, 8192, 0, 0) + bytes(4380)
    frame = ethernet(LinkPath(sender.mac, receiver.mac), ETHERTYPE_IPV4, head + segment)
    return sorted([*frames, Caught(5 * SECOND + 3, frame, len(frame))], key=lambda caught: caught.time)


def unfilled_checksums(frames: list[Caught]) -> list[Caught]:
    """Captured on the HMI, whose card fills checksums in."""
    own = mac_bytes(HMI.mac)

    def unfilled(frame: Caught) -> Caught:
        if frame.data[6:12] != own or not _is_ip(frame):
            return frame
        return Caught(frame.time, frame.data[:50] + b"\x12\x34" + frame.data[52:], frame.length)

    return [unfilled(frame) for frame in frames]


def tags_taken_off(frames: list[Caught]) -> list[Caught]:
    """Hosts of a second network ask by ARP on the same untagged wire."""
    asked = [Caught(number * SECOND + 9, _asks(host, OFFICE[2]), 60) for number, host in enumerate(OFFICE[:2])]
    return sorted([*frames, *asked], key=lambda caught: caught.time)


def clock_set_back(frames: list[Caught]) -> list[Caught]:
    """After half a minute the clock is set back by ten."""
    half = 30 * SECOND
    return [Caught(frame.time - (frame.time > half) * 10 * SECOND, frame.data, frame.length) for frame in frames]


def long_pause(frames: list[Caught]) -> list[Caught]:
    """The mirror session was away for ten minutes."""
    half = 30 * SECOND
    return [Caught(frame.time + (frame.time > half) * 600 * SECOND, frame.data, frame.length) for frame in frames]


def one_port(frames: list[Caught]) -> list[Caught]:
    """Only the HMI's port is mirrored."""
    own = mac_bytes(HMI.mac)
    return [frame for frame in frames if own in (frame.data[:6], frame.data[6:12]) or frame.data[0] & 1]


def offices_only(frames: list[Caught]) -> list[Caught]:
    """The ports of controllers are not mirrored."""
    offices = {mac_bytes(station.mac) for station in OFFICE}
    return [frame for frame in frames if {frame.data[:6], frame.data[6:12]} & offices]


def garbled(frames: list[Caught]) -> list[Caught]:
    """Every tenth frame has a header of the internet that cannot be read."""
    broken = bytes.fromhex("45000004")
    return [
        Caught(frame.time, frame.data[:14] + broken + frame.data[18:], frame.length)
        if number % 10 == 3 and _is_ip(frame)
        else frame
        for number, frame in enumerate(frames)
    ]


def nothing(frames: list[Caught]) -> list[Caught]:
    """Not a packet."""
    return frames[:0]


def write(path: Path, frames: Sequence[Caught], dropped: int | None = None) -> None:
    """A pcapng file, with what the capturing machine says it dropped (interface statistics block)."""

    def block(kind: int, body: bytes) -> bytes:
        length = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + length + body + length

    with path.open("wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        file.write(block(1, struct.pack("<HHI", 1, 0, 0)))
        for frame in frames:
            at = START * SECOND + frame.time
            kept = frame.data + bytes(-len(frame.data) % 4)
            sizes = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame.data), frame.length)
            file.write(block(6, sizes + kept))
        if dropped is not None:
            options = struct.pack("<HHQ", 5, 8, dropped) + struct.pack("<HH", 0, 0)  # isb_ifdrop, opt_endofopt
            file.write(block(5, struct.pack("<III", 0, 0, 0) + options))
