#!/usr/bin/env python3
"""Make the captures of mirrors that give packets twice, with their truth, the same bytes on every run.

    python pcaps/make_mirror.py [folder]

Needs nothing but Python 3.11. Without a folder the files are written beside this script, and the index gets their
rows. `mirror/truth.json` says of each how many PDUs are to be told, and what is counted.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from builders import bacnet, index, modbus
from builders.bacnet import ObjectId
from builders.tcp import TcpSession
from builders.wire import (
    MILLISECOND,
    Capture,
    Frame,
    LinkPath,
    Station,
    internet_checksum,
    mac_bytes,
    seconds,
    write_pcap,
)

START = 1_772_438_400  # 2026-03-02T08:00:00Z
SWITCH = 40  # microseconds until the copy leaves the mirror
CLIENT = Station("192.168.10.10", "b0:83:fe:d1:10:0a")
CONTROLLER = Station("192.168.20.20", "00:80:f4:12:a0:0b")
BUILDING = Station("192.168.20.40", "00:40:ae:08:72:1f")
ROUTER_MAC = "00:1b:54:aa:00:01"
PUMP, SENSOR = ObjectId(bacnet.BINARY_OUTPUT, 2), ObjectId(bacnet.ANALOG_INPUT, 1)


def in_vlan(vlan: int | None) -> Callable[[Station, Station], LinkPath]:
    return lambda source, destination: LinkPath(source.mac, destination.mac, vlan)


def reading(capture: Capture, at: int, rounds: int) -> int:
    """A client reads a sensor; two PDUs a round."""
    for invoke in range(rounds):
        asked = bacnet.property_reference(SENSOR, bacnet.PRESENT_VALUE)
        request = bacnet.confirmed_request(invoke, bacnet.READ_PROPERTY, asked)
        say(capture, at, CLIENT, BUILDING, request)
        answer = bacnet.read_property_ack(SENSOR, bacnet.PRESENT_VALUE, bacnet.real(18.0 + invoke))
        say(capture, at + 9 * MILLISECOND, BUILDING, CLIENT, bacnet.complex_ack(invoke, bacnet.READ_PROPERTY, answer))
        at += seconds(1)
    return at


def stopping(capture: Capture, at: int) -> None:
    """A client switches the pump off; two PDUs."""
    command = bacnet.write_property(PUMP, bacnet.PRESENT_VALUE, bacnet.enumerated(0), 8)
    say(capture, at, CLIENT, BUILDING, bacnet.confirmed_request(200, bacnet.WRITE_PROPERTY, command))
    say(capture, at + 15 * MILLISECOND, BUILDING, CLIENT, bacnet.simple_ack(200, bacnet.WRITE_PROPERTY))


def say(capture: Capture, at: int, source: Station, destination: Station, apdu: bytes) -> None:
    message = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, bacnet.npdu(apdu))
    capture.udp(at, source, bacnet.PORT, destination, bacnet.PORT, message)


def routed(frame: Frame) -> Frame:
    """The same packet behind the router: its MAC address, the other VLAN, one hop less."""
    data = bytearray(frame.data)
    data[0:6], data[6:12] = data[6:12], mac_bytes(ROUTER_MAC)
    data[14:16] = struct.pack(">H", 20)
    data[18 + 8] -= 1
    data[18 + 10 : 18 + 12] = bytes(2)
    data[18 + 10 : 18 + 12] = struct.pack(">H", internet_checksum(bytes(data[18:38])))
    return replace(frame, time=frame.time + SWITCH, data=bytes(data))


def untagged(frame: Frame) -> Frame:
    """The same packet at an access port."""
    return replace(frame, time=frame.time + SWITCH, data=frame.data[:12] + frame.data[16:])


def same(frame: Frame) -> Frame:
    return replace(frame, time=frame.time + SWITCH)


def twice(frames: Iterable[Frame], copy: Callable[[Frame], Frame]) -> list[Frame]:
    return [each for frame in frames for each in (frame, copy(frame))]


def both_sides_of_a_router() -> list[Frame]:
    capture = Capture(in_vlan(10))
    session = TcpSession(capture, CLIENT, 49200, CONTROLLER, modbus.PORT)
    at = session.open(0)
    for transaction in range(1, 5):
        asked = modbus.tcp_adu(transaction, 1, modbus.read(modbus.READ_HOLDING_REGISTERS, 99, 2))
        answer = modbus.tcp_adu(transaction, 1, modbus.registers(modbus.READ_HOLDING_REGISTERS, (120, 150)))
        at = session.ask(at + seconds(0.2), asked, answer)
    session.close(at)
    stopping(capture, reading(capture, seconds(3), 3))
    return twice(capture.finish(), routed)


def trunk_and_access_port() -> list[Frame]:
    capture = Capture(in_vlan(10))
    stopping(capture, reading(capture, 0, 3))
    return twice(capture.finish(), untagged)


def both_ports_mirrored() -> list[Frame]:
    capture = Capture()
    stopping(capture, reading(capture, 0, 24))
    return twice(capture.finish(), same)


def replayed() -> list[Frame]:
    """The command that stops the pump is sent again 2 ms later, octet by octet."""
    capture = Capture()
    stopping(capture, reading(capture, 0, 8))
    frames = capture.finish()
    return sorted([*frames, replace(frames[-2], time=frames[-2].time + 2 * MILLISECOND)], key=lambda frame: frame.time)


def replayed_and_routed() -> list[Frame]:
    """The same, and both are seen at both sides of the router."""
    capture = Capture(in_vlan(10))
    stopping(capture, reading(capture, 0, 8))
    frames = capture.finish()
    again = replace(frames[-2], time=frames[-2].time + 2 * MILLISECOND)
    return twice(sorted([*frames, again], key=lambda frame: frame.time), routed)


CASES: tuple[tuple[str, Callable[[], list[Frame]], dict[str, int], str], ...] = (
    ("both_sides_of_a_router", both_sides_of_a_router, {"pdus": 16, "duplicates": 25, "repeats": 0},
     "Modbus/TCP and BACnet/IP mirrored before and behind a router: every packet twice"),
    ("trunk_and_access_port", trunk_and_access_port, {"pdus": 8, "duplicates": 8, "repeats": 0},
     "BACnet/IP mirrored on a trunk and on an access port: every packet twice"),
    # That everything comes twice is known after 32 packets.
    ("both_ports_mirrored", both_ports_mirrored, {"pdus": 50 + 15, "duplicates": 35, "repeats": 15},
     "BACnet/IP mirrored at both ports: every frame twice, octet by octet"),
    ("replayed", replayed, {"pdus": 19, "duplicates": 0, "repeats": 1},
     "a BACnet command that is replayed within milliseconds"),
    ("replayed_and_routed", replayed_and_routed, {"pdus": 19, "duplicates": 19, "repeats": 1},
     "a BACnet command that is replayed, mirrored before and behind a router"),
)  # fmt: skip


def make(folder: Path) -> dict[str, int]:
    """Write the files and give the number of packets of each."""
    (folder / "mirror").mkdir(parents=True, exist_ok=True)
    packets: dict[str, int] = {}
    truth: dict[str, dict[str, int]] = {}
    for name, build, told, _ in CASES:
        frames = build()
        write_pcap(folder / "mirror" / f"{name}.pcap", START, frames)
        packets[f"mirror/{name}.pcap"] = len(frames)
        truth[name] = {"packets": len(frames), **told}
    (folder / "mirror" / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return packets


if __name__ == "__main__":
    index.run(__file__, make, {f"mirror/{name}.pcap": shows for name, _, _, shows in CASES})
