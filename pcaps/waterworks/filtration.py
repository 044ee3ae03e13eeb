"""Modbus in the filtration zone: the controllers' memory, the polling, the writes of the operators."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from builders import modbus
from builders.tcp import TURNAROUND, Side, TcpSession
from builders.wire import MILLISECOND, SECOND, Capture, Station, seconds
from plant import INTERNET_SCANNER, LENGTH, station


@dataclass(frozen=True, slots=True)
class Identity:
    vendor: str
    product: str
    revision: str
    server_id: int
    text: str

    @property
    def objects(self) -> tuple[tuple[int, str], ...]:
        return ((0, self.vendor), (1, self.product), (2, self.revision))


IDENTITIES = {
    "plc-1": Identity("Schneider Electric", "BMX P34 2020", "v3.20", 0x01, "BMX P34 2020 RW-INTAKE"),
    "plc-2": Identity("Schneider Electric", "BMX P34 2020", "v3.10", 0x01, "BMX P34 2020 FILTERS"),
    "plc-3": Identity("WAGO GmbH & Co. KG", "750-8212", "03.10.08(22)", 0x0C, "WAGO 750-8212 CL2-DOSING"),
    "plc-4": Identity("Schneider Electric", "TM221CE24R", "V1.10.2.2", 0x0B, "TM221CE24R BACKWASH"),
    "gateway-1": Identity("Moxa Inc.", "MGate MB3280", "V4.2", 0x20, "MGate MB3280"),
}

# Instruments behind the gateway, by unit identifier; unit 4 is switched off.
GATEWAY_UNITS = (1, 2, 3)

COIL, DISCRETE_INPUT, HOLDING, INPUT = "coil", "discrete-input", "holding-register", "input-register"
KIND_READ = {1: COIL, 2: DISCRETE_INPUT, 3: HOLDING, 4: INPUT}
TABLE_SIZE = 200

# Values at the start that the story and the operators change: (device, kind, address).
INITIAL = {
    ("plc-1", HOLDING, 100): 450,  # coagulant, tenths of g/m3
    ("plc-1", COIL, 2): False,  # stirrer 2
    ("plc-2", HOLDING, 100): 640,  # filter 1 flow setpoint, m3/h
    ("plc-2", HOLDING, 120): 240,  # backwash: seconds of air, of air and water, of water, of settling
    ("plc-2", HOLDING, 121): 180,
    ("plc-2", HOLDING, 122): 420,
    ("plc-2", HOLDING, 123): 90,
    ("plc-3", HOLDING, 100): 115,  # chlorine dosing setpoint, hundredths of mg/l
    ("plc-3", HOLDING, 101): 150,  # high alarm, high-high alarm, largest change a minute
    ("plc-3", HOLDING, 102): 180,
    ("plc-3", HOLDING, 103): 10,
    ("plc-3", COIL, 4): True,  # high-chlorine interlock enabled
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to be made at a time; `step` names the part of the story."""

    at: int
    pdu: bytes
    unit: int = 1
    step: str | None = None


class Memory:
    """The controllers' tables over time: measured values move by themselves, the rest when written."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str, int], list[tuple[int, int]]] = {}

    def write(self, at: int, device: str, kind: str, address: int, value: int) -> None:
        self._written.setdefault((device, kind, address), []).append((at, value))
        self._written[device, kind, address].sort()

    def value(self, at: int, device: str, kind: str, address: int) -> int:
        value = INITIAL.get((device, kind, address))
        if value is None:
            value = self._process_value(at, device, kind, address)
        for time, written in self._written.get((device, kind, address), ()):
            if time <= at:
                value = written
        return value

    @staticmethod
    def _process_value(at: int, device: str, kind: str, address: int) -> int:
        seed = zlib.crc32(f"{device} {kind} {address}".encode())
        if kind in (COIL, DISCRETE_INPUT):
            return seed >> 7 & 1
        base = 100 + seed % 800
        if kind == HOLDING:
            return base
        period = 60 + seed % 240
        phase = (at // SECOND + seed) % period
        swing = base // 20 + 2
        return base + swing * min(phase, period - phase) * 2 // period


class Controllers:
    """Answers requests as the devices of the zone would."""

    def __init__(self) -> None:
        self.memory = Memory()

    def note_write(self, at: int, device: str, pdu: bytes) -> None:
        """Enter a write into the memory; reads before and after it see the difference."""
        function, start = pdu[0], int.from_bytes(pdu[1:3], "big")
        if function == modbus.WRITE_SINGLE_COIL:
            self.memory.write(at, device, COIL, start, pdu[3] == 0xFF)
        elif function == modbus.WRITE_SINGLE_REGISTER:
            self.memory.write(at, device, HOLDING, start, int.from_bytes(pdu[3:5], "big"))
        elif function == modbus.WRITE_MULTIPLE_REGISTERS:
            for index in range(int.from_bytes(pdu[3:5], "big")):
                value = int.from_bytes(pdu[6 + 2 * index : 8 + 2 * index], "big")
                self.memory.write(at, device, HOLDING, start + index, value)

    def answer(self, at: int, device: str, unit: int, pdu: bytes) -> bytes:
        function = pdu[0]
        if device == "gateway-1" and unit not in (*GATEWAY_UNITS, 255):
            return modbus.exception(function, modbus.GATEWAY_TARGET_FAILED)
        if function == modbus.ENCAPSULATED_INTERFACE:
            return modbus.device_identification(IDENTITIES[device].objects)
        if function == modbus.REPORT_SERVER_ID:
            identity = IDENTITIES[device]
            return modbus.server_id(identity.server_id, True, identity.text)
        if function in (modbus.WRITE_SINGLE_COIL, modbus.WRITE_SINGLE_REGISTER):
            return pdu
        start, quantity = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if function == modbus.WRITE_MULTIPLE_REGISTERS:
            return modbus.written(function, start, quantity)
        if start + quantity > TABLE_SIZE:
            return modbus.exception(function, modbus.ILLEGAL_DATA_ADDRESS)
        owner = f"{device} unit {unit}" if device == "gateway-1" else device
        kind = KIND_READ[function]
        values = [self.memory.value(at, owner, kind, start + index) for index in range(quantity)]
        if kind in (COIL, DISCRETE_INPUT):
            return modbus.bits(function, [bool(value) for value in values])
        return modbus.registers(function, values)


@dataclass(frozen=True, slots=True)
class Poll:
    client: str
    server: str
    function: int
    start: int
    quantity: int
    period: float
    unit: int = 1


POLLS = (
    Poll("scada-1", "plc-1", modbus.READ_INPUT_REGISTERS, 0, 10, 2),
    Poll("scada-1", "plc-1", modbus.READ_HOLDING_REGISTERS, 100, 8, 5),
    Poll("scada-1", "plc-1", modbus.READ_COILS, 0, 16, 10),
    Poll("scada-1", "plc-2", modbus.READ_INPUT_REGISTERS, 0, 16, 2),
    Poll("scada-1", "plc-2", modbus.READ_HOLDING_REGISTERS, 100, 28, 5),
    Poll("scada-1", "plc-2", modbus.READ_DISCRETE_INPUTS, 0, 24, 5),
    Poll("scada-1", "plc-3", modbus.READ_INPUT_REGISTERS, 0, 8, 1),
    Poll("scada-1", "plc-3", modbus.READ_HOLDING_REGISTERS, 96, 16, 5),
    Poll("scada-1", "plc-3", modbus.READ_COILS, 0, 16, 5),
    Poll("scada-1", "plc-4", modbus.READ_INPUT_REGISTERS, 0, 12, 5),
    Poll("scada-1", "plc-4", modbus.READ_HOLDING_REGISTERS, 0, 10, 5),
    Poll("hmi-1", "plc-3", modbus.READ_INPUT_REGISTERS, 0, 8, 5),
    Poll("hmi-1", "plc-1", modbus.READ_INPUT_REGISTERS, 0, 10, 5),
    Poll("hmi-2", "plc-2", modbus.READ_INPUT_REGISTERS, 0, 16, 5),
    Poll("scada-2", "gateway-1", modbus.READ_INPUT_REGISTERS, 0, 6, 4, unit=1),
    Poll("scada-2", "gateway-1", modbus.READ_INPUT_REGISTERS, 0, 6, 4, unit=2),
    Poll("scada-2", "gateway-1", modbus.READ_HOLDING_REGISTERS, 10, 4, 4, unit=3),
    Poll("scada-2", "gateway-1", modbus.READ_INPUT_REGISTERS, 0, 6, 300, unit=4),
)

# Connections that were open before the capture began: no handshake in the file.
OPEN_BEFORE = {("scada-2", "gateway-1")}

# What else goes over the standing connections: identification at the start, setpoints and commands of the operators.
OPERATOR_REQUESTS: tuple[tuple[str, str, Request], ...] = (
    ("scada-1", "plc-1", Request(seconds(1.2), modbus.read_device_identification())),
    ("scada-1", "plc-1", Request(seconds(1.4), modbus.report_server_id())),
    ("scada-1", "plc-2", Request(seconds(1.6), modbus.read_device_identification())),
    ("scada-1", "plc-3", Request(seconds(1.8), modbus.read_device_identification())),
    ("scada-1", "plc-3", Request(seconds(2.1), modbus.report_server_id())),
    ("scada-1", "plc-4", Request(seconds(2.3), modbus.read_device_identification())),
    ("scada-2", "gateway-1", Request(seconds(2.6), modbus.read_device_identification(), unit=255)),
    ("hmi-1", "plc-1", Request(seconds(246.3), modbus.write_register(100, 465))),
    ("hmi-1", "plc-1", Request(seconds(251.9), modbus.write_coil(2, True))),
    ("hmi-2", "plc-2", Request(seconds(341.7), modbus.write_register(100, 655))),
    ("hmi-1", "plc-3", Request(seconds(482.4), modbus.write_register(100, 120))),
    ("hmi-1", "plc-1", Request(seconds(861.2), modbus.write_register(100, 455))),
    ("hmi-1", "plc-1", Request(seconds(866.0), modbus.write_coil(2, False))),
    ("hmi-2", "plc-2", Request(seconds(1112.5), modbus.write_register(100, 640))),
)

APPROVED_CHANGE = "approved-change"

# The change that the policy approves: shorter backwash steps of the filters, read before and after.
ENGINEERING_CHANGE = (
    Request(seconds(720.2), modbus.read_device_identification(), step=APPROVED_CHANGE),
    Request(seconds(721.0), modbus.read(modbus.READ_HOLDING_REGISTERS, 120, 4), step=APPROVED_CHANGE),
    Request(seconds(734.5), modbus.write_registers(120, (220, 160, 400, 90)), step=APPROVED_CHANGE),
    Request(seconds(736.0), modbus.read(modbus.READ_HOLDING_REGISTERS, 120, 4), step=APPROVED_CHANGE),
)


INTERNET_ROUND_TRIP = 38 * MILLISECOND


@dataclass(frozen=True, slots=True)
class Visit:
    """A short connection: opened for these requests and closed after the last."""

    client: Station
    client_port: int
    server: str
    requests: Sequence[Request]


def is_write(pdu: bytes) -> bool:
    return pdu[0] in (
        modbus.WRITE_SINGLE_COIL,
        modbus.WRITE_SINGLE_REGISTER,
        modbus.WRITE_MULTIPLE_COILS,
        modbus.WRITE_MULTIPLE_REGISTERS,
    )


def run(capture: Capture, visits: Iterable[Visit]) -> None:
    """All Modbus traffic: standing connections first, then the short visits, the story's among them."""
    visits = (Visit(station("eng-1"), 50211, "plc-2", ENGINEERING_CHANGE), *visits)
    controllers = Controllers()
    every_request = [(server, request) for _, server, request in OPERATOR_REQUESTS]
    every_request += [(visit.server, request) for visit in visits for request in visit.requests]
    for server, request in every_request:
        if is_write(request.pdu):
            controllers.note_write(request.at, server, request.pdu)

    pairs = sorted({(poll.client, poll.server) for poll in POLLS})
    for number, (client, server) in enumerate(pairs):
        requests = _polls(client, server) + [
            request for asker, asked, request in OPERATOR_REQUESTS if (asker, asked) == (client, server)
        ]
        session = TcpSession(capture, station(client), 49700 + 3 * number, station(server), modbus.PORT)
        if (client, server) not in OPEN_BEFORE:
            session.open(seconds(0.6) + number * 37 * MILLISECOND)
        _converse(session, controllers, server, requests, random.Random(f"modbus {client} {server}"))
        session.settle()

    for visit in visits:
        distance = INTERNET_ROUND_TRIP if visit.client == INTERNET_SCANNER else TURNAROUND
        session = TcpSession(
            capture, visit.client, visit.client_port, station(visit.server), modbus.PORT, client_turnaround=distance
        )
        first = visit.requests[0]
        session.open(first.at - 5 * MILLISECOND - distance, first.step)
        rng = random.Random(f"visit {visit.client.address} {visit.client_port}")
        end = _converse(session, controllers, visit.server, visit.requests, rng)
        session.close(end + seconds(0.4), Side.CLIENT)


def _polls(client: str, server: str) -> list[Request]:
    requests = []
    for number, poll in enumerate(POLLS):
        if (poll.client, poll.server) != (client, server):
            continue
        pdu = modbus.read(poll.function, poll.start, poll.quantity)
        rng = random.Random(f"poll {number}")
        first = seconds(3) + number * 61 * MILLISECOND
        for at in range(first, LENGTH, seconds(poll.period)):
            requests.append(Request(at + rng.randrange(12 * MILLISECOND), pdu, poll.unit))
    return requests


def _converse(
    session: TcpSession,
    controllers: Controllers,
    server: str,
    requests: Sequence[Request],
    rng: random.Random,
) -> int:
    transaction = rng.randrange(1, 2000)
    free = 0
    for request in sorted(requests, key=lambda item: item.at):
        at = max(request.at, free)
        transaction = (transaction + 1) & 0xFFFF
        response = controllers.answer(at, server, request.unit, request.pdu)
        serial_line = 35 * MILLISECOND if server == "gateway-1" else 0
        latency = 3 * MILLISECOND + rng.randrange(6 * MILLISECOND) + serial_line
        answered = session.ask(
            at,
            modbus.tcp_adu(transaction, request.unit, request.pdu),
            modbus.tcp_adu(transaction, request.unit, response),
            latency,
            request.step,
        )
        free = answered + MILLISECOND
    return free
