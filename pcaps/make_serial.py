#!/usr/bin/env python3
"""Make the captures of serial lines and of PROFIBUS, with their truth, the same bytes on every run.

    python pcaps/make_serial.py [folder]

Needs nothing but Python 3.11. They are made from the published formats of records and telegrams: no recorded traffic of
either link type was at hand to compare with. `serial/truth.json` has every PDU: frame, protocol, sender, receiver,
kind, function.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from builders import dnp3, index, modbus, profibus, serial
from builders.wire import Frame, write_pcap

START = 1_772_438_400  # 2026-03-02T08:00:00Z
NOISE = b"\x00\xff\x05\x03"  # ends like the start of a frame that goes on
IDENT, OTHER_IDENT = 0x8027, 0x80A7
CLASS_1, CLASS_2, DRIVE, VALVES = 2, 3, 5, 9
INTRUDER = 1


@dataclass(slots=True)
class Story:
    """A capture and its truth."""

    link_type: int
    frames: list[Frame]
    pdus: list[str]
    oddities: list[str] = field(default_factory=list)


def _rtu(frame: int, unit: int, kind: str, function: int) -> str:
    ends = ("rtu:client", f"rtu:{unit}") if kind in {"request", "unconfirmed"} else (f"rtu:{unit}", "rtu:client")
    return " ".join((str(frame), "modbus", *ends, kind, str(function)))


def _poll(tap: serial.Tap, at: float, unit: int, start: int, values: tuple[int, ...]) -> list[str]:
    function = modbus.READ_HOLDING_REGISTERS
    asked = tap.sent(at, modbus.rtu_adu(unit, modbus.read(function, start, len(values))))
    answered = tap.received(at + 0.02, modbus.rtu_adu(unit, modbus.registers(function, values)))
    return [_rtu(asked, unit, "request", function), _rtu(answered, unit, "response", function)]


def modbus_line() -> Story:
    """The host of the tap asks three units: frames in parts, noise, a write, an exception, a broadcast."""
    tap = serial.Tap(START)
    tap.record(0, serial.STATUS_CHANGE)
    pdus = _poll(tap, 1, 1, 100, (120, 150, 7))
    # An answer in four records, the first of which ends in its header.
    function = modbus.READ_HOLDING_REGISTERS
    asked = tap.sent(2, modbus.rtu_adu(2, modbus.read(function, 0, 20)))
    answer = modbus.rtu_adu(2, modbus.registers(function, tuple(range(20))))
    answered = tap.received(2.02, answer[:2], answer[2:9], answer[9:40], answer[40:])
    pdus += [_rtu(asked, 2, "request", function), _rtu(answered, 2, "response", function)]
    # Noise before a request, in its record; the next answer shows that no more of it comes.
    write = modbus.write_register(10, 80)
    asked = tap.sent(3, NOISE + modbus.rtu_adu(2, write))
    answered = tap.received(3.02, modbus.rtu_adu(2, write))
    pdus += [_rtu(asked, 2, "request", 6), _rtu(answered, 2, "response", 6)]
    tap.record(3.5, serial.PARITY)
    asked = tap.sent(4, modbus.rtu_adu(3, modbus.read(modbus.READ_COILS, 0, 4)))
    answered = tap.received(4.02, modbus.rtu_adu(3, modbus.exception(modbus.READ_COILS, modbus.ILLEGAL_DATA_ADDRESS)))
    pdus += [_rtu(asked, 3, "request", 1), _rtu(answered, 3, "error", 1)]
    frame = tap.sent(5, modbus.rtu_adu(0, modbus.write_registers(20, (1, 2))))
    pdus.append(_rtu(frame, 0, "unconfirmed", 16))
    pdus += _poll(tap, 6, 1, 100, (121, 150, 7))
    tap.record(7, serial.COMPLETE)
    return Story(serial.LINK_TYPE, tap.frames, pdus, ["bad_checksum", "not_the_protocol"])


def modbus_heard() -> Story:
    """A tap on two wires hears both sides as received: which is which is told by the content."""
    tap = serial.Tap(START)
    pdus: list[str] = []
    for at in range(1, 4):
        write = modbus.write_register(4, 70 + at)
        frames = [tap.received(at + late, modbus.rtu_adu(7, write)) for late in (0, 0.02)]
        pdus += [_rtu(frames[0], 7, "request", 6), _rtu(frames[1], 7, "response", 6)]
        # Question and answer in one record.
        asked = modbus.rtu_adu(8, modbus.read(modbus.READ_INPUT_REGISTERS, 0, 2))
        both = tap.received(at + 0.5, asked + modbus.rtu_adu(8, modbus.registers(4, (at, 9))))
        pdus += [_rtu(both, 8, "request", 4), _rtu(both, 8, "response", 4)]
    return Story(serial.LINK_TYPE, tap.frames, pdus)


def modbus_ascii() -> Story:
    """A line of Modbus ASCII: a frame in parts, a write, an exception, a frame whose sum is wrong."""
    tap = serial.Tap(START)
    pdus: list[str] = []
    function = modbus.READ_HOLDING_REGISTERS
    asked = tap.sent(1, modbus.ascii_adu(17, modbus.read(function, 107, 3)))
    answer = modbus.ascii_adu(17, modbus.registers(function, (555, 0, 100)))
    answered = tap.received(1.1, answer[:1], answer[1:8], answer[8:])
    pdus += [_rtu(asked, 17, "request", function), _rtu(answered, 17, "response", function)]
    write = modbus.write_register(10, 80)
    frames = [tap.sent(2, modbus.ascii_adu(18, write)), tap.received(2.1, modbus.ascii_adu(18, write))]
    pdus += [_rtu(frames[0], 18, "request", 6), _rtu(frames[1], 18, "response", 6)]
    tap.sent(3, modbus.ascii_adu(18, write).replace(b"\r\n", b"0\r\n"))
    asked = tap.sent(4, modbus.ascii_adu(18, modbus.read(modbus.READ_COILS, 0, 4)))
    answered = tap.received(4.1, modbus.ascii_adu(18, modbus.exception(modbus.READ_COILS, modbus.ILLEGAL_DATA_ADDRESS)))
    pdus += [_rtu(asked, 18, "request", 1), _rtu(answered, 18, "error", 1)]
    return Story(serial.LINK_TYPE, tap.frames, pdus, ["not_the_protocol"])


def dnp3_line() -> Story:
    """A master asks an outstation, whose answer is of several link frames in records of 50 octets."""
    tap = serial.Tap(START)
    master, outstation = dnp3.Endpoint(1, 10, master=True), dnp3.Endpoint(10, 1, master=False)
    pdus = []
    for turn in range(2):
        at = 1.0 + turn * 5
        asked = tap.sent(at, master.frames(dnp3.request(1, turn, dnp3.classes(2, 3, 4, 1))))
        told = outstation.frames(dnp3.response(turn, dnp3.analog_inputs(tuple(range(100)))))
        answered = tap.received(at + 0.1, *(told[part : part + 50] for part in range(0, len(told), 50)))
        pdus += [f"{asked} dnp3 dnp3:1 dnp3:10 request 1", f"{answered} dnp3 dnp3:10 dnp3:1 response 129"]
        tap.received(at + 2, b"\x05\x64\x00noise\x05")
    status = tap.sent(20, dnp3.request_link_status(10, 1))
    answered = tap.received(20.1, dnp3.link_status(10, 1))
    pdus += [f"{status} dnp3 dnp3:1 dnp3:10 link 9", f"{answered} dnp3 dnp3:10 dnp3:1 link 11"]
    tap.record(21, serial.LOST)
    return Story(serial.LINK_TYPE, tap.frames, pdus, ["not_the_protocol", "not_the_protocol", "gap"])


class _Told:
    """A bus whose telegrams become PDUs of the truth."""

    def __init__(self) -> None:
        self.bus = profibus.Bus()
        self.pdus: list[str] = []
        self.oddities: list[str] = []

    def note(self, source: int, to: int, kind: str, function: int, back: int = 0) -> None:
        number = len(self.bus.frames) - back
        self.pdus.append(f"{number} profibus profibus:{source} profibus:{to} {kind} {function}")

    def token(self, source: int, to: int) -> None:
        self.bus.say(profibus.token(to, source))
        self.note(source, to, "link", 512)

    def ask(self, master: int, slave: int, point: int, data: bytes = b"", answer: bytes = b"") -> None:
        self.bus.ask(slave, master, point, data, answer)
        self.note(master, slave, "request", point, 1)
        self.note(slave, master, "response", point)

    def cycle(self, master: int, slave: int, outputs: bytes, inputs: bytes) -> None:
        self.bus.say(profibus.sd2(slave, master, profibus.SRD, outputs))
        self.note(master, slave, "request", 0)
        self.bus.say(profibus.sd2(master, slave, profibus.LOW, inputs) if inputs else profibus.ACK)
        self.note(slave, master, "response", 0)

    def offer(self, master: int, address: int, station: int | None) -> None:
        """Is somebody there? Nobody is told of, where nobody answers."""
        self.bus.say(profibus.sd1(address, master, profibus.STATUS))
        if station is not None:
            self.note(master, address, "request", 265)
            self.bus.say(profibus.sd1(master, address, station))
            self.note(address, master, "response", 265)

    def control(self, master: int, command: int) -> None:
        points = (profibus.CONTROL, profibus.MASTER)
        self.bus.say(profibus.sd2(profibus.EVERYBODY, master, profibus.SDN, bytes([command, 0]), points))
        self.note(master, profibus.EVERYBODY, "unconfirmed", profibus.CONTROL)

    def start_up(self, master: int, slave: int, ident: int, config: bytes) -> None:
        fresh = profibus.diagnosis(ident, 255, (0x02, 0x05, 0))
        self.ask(master, slave, profibus.DIAGNOSIS, b"", fresh)
        self.ask(master, slave, profibus.SET_PRM, profibus.set_prm(ident))
        self.ask(master, slave, profibus.CHECK_CONFIG, config)
        self.ask(master, slave, profibus.DIAGNOSIS, b"", profibus.diagnosis(ident, master))

    def record(self, master: int, slave: int, written: bytes, answer: bytes) -> None:
        """A record of DP-V1, answered at the second poll."""
        points, back = (51, profibus.MASTER_ACYCLIC), (profibus.MASTER_ACYCLIC, 51)
        function = written[0]
        poll = profibus.sd2(slave, master, profibus.SRD, b"", points)
        self.bus.say(profibus.sd2(slave, master, profibus.SRD, written, points))
        self.note(master, slave, "request", function)
        self.bus.say(profibus.ACK)
        self.note(slave, master, "link", function)
        self.bus.say(poll)
        self.note(master, slave, "link", 51)
        self.bus.say(profibus.ACK)
        self.note(slave, master, "link", 51)
        self.bus.say(poll)
        self.note(master, slave, "link", 51)
        self.bus.say(profibus.sd2(master, slave, profibus.LOW, answer, back))
        self.note(slave, master, "error" if answer[0] & 0x80 else "response", function)

    def story(self) -> Story:
        return Story(profibus.LINK_TYPE, self.bus.frames, self.pdus, self.oddities)


def _ring(told: _Told, rounds: int, masters: tuple[int, ...]) -> None:
    for turn in range(rounds):
        for master, following in zip(masters, (*masters[1:], masters[0]), strict=True):
            if master == CLASS_1:
                told.cycle(CLASS_1, DRIVE, bytes([4, 0x7F, turn]), bytes([4, 0x37, turn % 3]))
                told.cycle(CLASS_1, VALVES, b"\x03", b"")
            told.token(master, following)


def _plant(told: _Told) -> None:
    told.offer(CLASS_1, 7, None)
    told.offer(CLASS_1, CLASS_2, profibus.IN_RING)
    told.offer(CLASS_1, DRIVE, profibus.SLAVE)
    told.start_up(CLASS_1, DRIVE, IDENT, b"\xf1\x40\xc2\x01\x03\xaa\xbb")
    told.start_up(CLASS_1, VALVES, OTHER_IDENT, b"\x20")
    told.control(CLASS_1, 0)
    _ring(told, 6, (CLASS_1, CLASS_2))


def profibus_plant() -> Story:
    """A class-1 master starts two slaves and exchanges data; a class-2 master shares the ring and reads records."""
    told = _Told()
    _plant(told)
    told.ask(CLASS_2, DRIVE, profibus.READ_INPUTS, b"", b"\x04\x37\x00")
    told.ask(CLASS_2, DRIVE, profibus.GET_CONFIG, b"", b"\xf1\x40\x01")
    told.record(CLASS_1, DRIVE, profibus.record(profibus.READ, 1, 47, length=4),
                profibus.record(profibus.READ, 1, 47, b"\x00\x01\x02\x03"))  # fmt: skip
    told.record(CLASS_1, DRIVE, profibus.record(profibus.WRITE, 1, 48, b"\x10\x20"), bytes([0xDF, 0x80, 0xB6, 0]))
    told.bus.say(profibus.sd3(DRIVE, CLASS_1, profibus.SRD, b"\x01\x02\x03\x04"))
    told.note(CLASS_1, DRIVE, "request", 0)
    told.bus.say(profibus.sd1(CLASS_1, DRIVE, profibus.NO_SERVICE))
    told.note(DRIVE, CLASS_1, "error", 0)
    extended = bytes([0x05, 1, 2, 3, 4, 0x81, 0x40, 0xA2])
    told.ask(CLASS_1, DRIVE, profibus.DIAGNOSIS, b"", profibus.diagnosis(IDENT, CLASS_1, (8, 0x0C, 0), extended))
    # Noise before a good telegram, in its record.
    told.bus.say(b"\x68\x04\x05" + profibus.sd2(DRIVE, CLASS_1, profibus.SRD, b"\x04\x7f\x00"))
    told.note(CLASS_1, DRIVE, "request", 0)
    told.oddities.append("bad_length")
    _ring(told, 3, (CLASS_1, CLASS_2))
    return told.story()


def profibus_intrusion() -> Story:
    """A master that was not there: it joins the ring, unlocks a slave, gives it parameters and another address, and
    clears the outputs of all. The class-2 master falls silent."""
    told = _Told()
    _plant(told)
    told.bus.at += 3600
    _ring(told, 6, (CLASS_1, CLASS_2))
    told.offer(CLASS_2, INTRUDER, profibus.IN_RING)
    told.token(CLASS_1, CLASS_2)
    told.token(CLASS_2, INTRUDER)
    told.oddities.append("ring_changed")
    told.ask(INTRUDER, DRIVE, profibus.READ_OUTPUTS, b"", b"\x04\x7f\x00")
    told.ask(INTRUDER, DRIVE, profibus.SET_PRM, profibus.set_prm(IDENT, lock=False, unlock=True))
    told.ask(INTRUDER, DRIVE, profibus.SET_PRM, profibus.set_prm(IDENT, watchdog=(255, 255)))
    told.ask(INTRUDER, VALVES, profibus.SET_ADDRESS, bytes([99, OTHER_IDENT >> 8, OTHER_IDENT & 0xFF, 0]))
    told.control(INTRUDER, 0x02)
    told.token(INTRUDER, CLASS_1)
    told.ask(CLASS_1, DRIVE, profibus.DIAGNOSIS, b"", profibus.diagnosis(IDENT, INTRUDER, (0x80, 0x0D, 0)))
    _ring(told, 4, (INTRUDER, CLASS_1, CLASS_2))
    # The class-2 master is silent: the token passes it by.
    told.token(INTRUDER, CLASS_1)
    told.token(CLASS_1, INTRUDER)
    told.oddities.append("ring_changed")
    _ring(told, 3, (INTRUDER, CLASS_1))
    return told.story()


CAPTURES: tuple[tuple[str, Callable[[], Story], str], ...] = (
    ("serial/modbus", modbus_line, "Modbus RTU of a serial tap: frames in parts, noise, a broadcast, a parity error"),
    ("serial/modbus_ascii", modbus_ascii, "Modbus ASCII of a serial tap: a frame in parts, a sum that is wrong"),
    ("serial/modbus_heard", modbus_heard, "Modbus RTU of a tap that hears both sides as received"),
    ("serial/dnp3", dnp3_line, "DNP3 of a serial tap: answers of several link frames in records of 50 octets"),
    ("profibus/plant", profibus_plant, "PROFIBUS DP: two slaves start, cyclic data, records, two masters in the ring"),
    ("profibus/intrusion", profibus_intrusion, "PROFIBUS DP: a master that was not there takes a slave over"),
)  # fmt: skip


def make(folder: Path) -> dict[str, int]:
    """Write the files and give the number of packets of each."""
    packets: dict[str, int] = {}
    truth: dict[str, dict[str, list[str]]] = {}
    for name, tell, _ in CAPTURES:
        story = tell()
        file = folder / f"{name}.pcap"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_pcap(file, START, story.frames, story.link_type)
        packets[f"{name}.pcap"] = len(story.frames)
        truth[name] = {"pdus": story.pdus, "oddities": story.oddities}
    text = json.dumps(truth, indent=1) + "\n"
    (folder / "serial" / "truth.json").write_text(text, encoding="utf-8")
    return packets


if __name__ == "__main__":
    index.run(__file__, make, {f"{name}.pcap": shows for name, _, shows in CAPTURES})
