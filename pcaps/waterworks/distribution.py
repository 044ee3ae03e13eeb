"""DNP3 between SCADA server 1 and the pumping stations, the tank, and the radio outstations behind the front end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from builders import dnp3
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, Capture, seconds
from plant import LENGTH, START, station

MASTER_ADDRESS = 1
SERVER = "scada-1"


@dataclass(frozen=True, slots=True)
class Outstation:
    """An outstation, its link address, its points and what its group 0 attributes say."""

    device: str
    address: int
    inputs: int
    analogs: int
    outputs: int
    poll_period: float
    attributes: tuple[tuple[int, str], ...]


def _attributes(
    software: str, hardware: str, place: str, serial: str, product: str, maker: str
) -> tuple[tuple[int, str], ...]:
    return ((242, software), (243, hardware), (245, place), (248, serial), (250, product), (252, maker))


SEL = "Schweitzer Engineering Laboratories"
OUTSTATIONS = (
    Outstation("rtu-1", 11, 8, 6, 4, 10, _attributes("R122-V0", "1.4", "North", "1200330187", "SEL-2411", SEL)),
    Outstation("rtu-2", 12, 8, 6, 4, 10, _attributes("R122-V0", "1.4", "Harbour", "1200330191", "SEL-2411", SEL)),
    Outstation("rtu-3", 13, 6, 4, 4, 10, _attributes("2.14.1", "A3", "Hill", "RX14-22071", "RX1400 VPE", "RuggedCom")),
    Outstation("fep-1", 20, 16, 40, 0, 20, _attributes("R149-V2", "2.0", "Works", "1190870034", "SEL-3530", SEL)),
    Outstation("fep-1", 21, 8, 4, 2, 30, _attributes("5.03", "B", "Well 7", "K-40117", "KR-200", "Kestrel Radio")),
    Outstation("fep-1", 22, 8, 4, 2, 30, _attributes("5.03", "B", "Well 9", "K-40122", "KR-200", "Kestrel Radio")),
)

# Commands of the operators, select before operate: (seconds, outstation address, point index, control code or value).
RELAY_COMMANDS = (
    (395.0, 11, 0, dnp3.LATCH_ON),
    (655.5, 12, 2, dnp3.LATCH_OFF),
    (1245.0, 11, 0, dnp3.LATCH_OFF),
)
ANALOG_COMMANDS = ((805.0, 13, 1, 420), (1390.0, 12, 0, 385))

# Changes that the outstations report of themselves: (seconds, outstation address, binary input, new state).
SPONTANEOUS = (
    (123.0, 12, 3, True),
    (396.4, 11, 0, True),
    (540.7, 13, 2, True),
    (656.9, 12, 2, False),
    (912.2, 21, 1, True),
    (1101.3, 13, 2, False),
    (1246.4, 11, 0, False),
    (1522.8, 22, 4, True),
)
TIME_SYNCHRONISATIONS = (9.0, 909.0)
LINK_STATUS_REQUESTS = (315.0, 1215.0)


class Association:
    """The conversation of the master with one outstation, over the connection it may share with others."""

    def __init__(self, session: TcpSession, outstation: Outstation) -> None:
        self._session = session
        self._station = outstation
        self._master = dnp3.Endpoint(MASTER_ADDRESS, outstation.address, master=True)
        self._remote = dnp3.Endpoint(outstation.address, MASTER_ADDRESS, master=False)
        self._rng = random.Random(f"dnp3 {outstation.address}")
        self._sequence = self._rng.randrange(16)
        self._unsolicited_sequence = 0
        self._clock_set = False
        self._states = [self._rng.randrange(2) == 1 for _ in range(outstation.inputs)]
        self._levels = [self._rng.randrange(200, 900) for _ in range(outstation.analogs)]
        self._settings = [300] * outstation.outputs

    # Steps, each called at its time; each gives the time at which the connection is free again.

    def enable_unsolicited(self, at: int) -> int:
        return self._ask(at, dnp3.ENABLE_UNSOLICITED, dnp3.classes(2, 3, 4))

    def read_attributes(self, at: int) -> int:
        objects = dnp3.device_attributes(self._station.attributes)
        return self._ask(at, dnp3.READ, dnp3.device_attributes_request(), objects)

    def integrity_poll(self, at: int) -> int:
        self._drift()
        objects = dnp3.binary_inputs(self._states)
        if self._station.outputs:
            objects += dnp3.binary_output_status([False] * self._station.outputs)
        objects += dnp3.counters([at // 3_600_000 + 41_000, 177]) + dnp3.analog_inputs(self._levels)
        if self._station.outputs:
            objects += dnp3.analog_output_status(self._settings)
        return self._ask(at, dnp3.READ, dnp3.classes(2, 3, 4, 1), objects)

    def event_poll(self, at: int) -> int:
        """Classes 1 to 3; about half of the answers carry changes and ask for a confirmation."""
        if self._rng.randrange(2):
            return self._ask(at, dnp3.READ, dnp3.classes(2, 3, 4))
        self._drift()
        changed = sorted(self._rng.sample(range(self._station.analogs), 2))
        events = [(index, self._levels[index]) for index in changed]
        objects = dnp3.analog_events(events, _milliseconds(at - seconds(2)))
        return self._ask(at, dnp3.READ, dnp3.classes(2, 3, 4), objects, confirmed=True)

    def synchronise(self, at: int) -> int:
        """The LAN procedure: note the moment, then write what the time was then."""
        at = self._ask(at, dnp3.RECORD_CURRENT_TIME)
        self._clock_set = True
        return self._ask(at, dnp3.WRITE, dnp3.recorded_time(_milliseconds(at)))

    def check_link(self, at: int) -> int:
        request = dnp3.request_link_status(self._station.address, MASTER_ADDRESS)
        answer = dnp3.link_status(self._station.address, MASTER_ADDRESS)
        return self._session.ask(at, request, answer, 4 * MILLISECOND) + MILLISECOND

    def operate_relay(self, at: int, index: int, control_code: int) -> int:
        block = dnp3.control_relay_output(index, control_code)
        at = self._ask(at, dnp3.SELECT, block, block)
        return self._ask(at + 150 * MILLISECOND, dnp3.OPERATE, block, block)

    def operate_analog(self, at: int, index: int, value: int) -> int:
        block = dnp3.analog_output_block(index, value)
        at = self._ask(at, dnp3.SELECT, block, block)
        self._settings[index] = value
        return self._ask(at + 150 * MILLISECOND, dnp3.OPERATE, block, block)

    def report(self, at: int, index: int, state: bool) -> int:
        """An unsolicited response and the master's confirmation of it."""
        self._states[index] = state
        objects = dnp3.binary_event(index, state, _milliseconds(at - 120 * MILLISECOND))
        return self._report(at, objects)

    def null_report(self, at: int) -> int:
        """The empty unsolicited response that an outstation sends first."""
        return self._report(at, b"")

    def _report(self, at: int, objects: bytes) -> int:
        sequence = self._unsolicited_sequence
        self._unsolicited_sequence = (sequence + 1) % 16
        fragment = dnp3.unsolicited(sequence, objects, indications=self._indications())
        sent = self._session.send(at, Side.SERVER, self._remote.frames(fragment))
        confirmation = self._master.frames(dnp3.confirm(sequence, unsolicited=True))
        return self._session.send(sent + 6 * MILLISECOND, Side.CLIENT, confirmation) + MILLISECOND

    def _ask(
        self, at: int, function: int, objects: bytes = b"", answer: bytes = b"", *, confirmed: bool = False
    ) -> int:
        self._sequence = (self._sequence + 1) % 16
        request = self._master.frames(dnp3.request(function, self._sequence, objects))
        indications = self._indications()
        fragment = dnp3.response(self._sequence, answer, indications=indications, confirmed=confirmed)
        radio = 180 * MILLISECOND if self._station.address in (21, 22) else 0
        latency = 8 * MILLISECOND + self._rng.randrange(9 * MILLISECOND) + radio
        at = self._session.ask(at, request, self._remote.frames(fragment), latency)
        if confirmed:
            confirmation = self._master.frames(dnp3.confirm(self._sequence))
            at = self._session.send(at + 3 * MILLISECOND, Side.CLIENT, confirmation)
        return at + MILLISECOND

    def _indications(self) -> int:
        return 0 if self._clock_set else dnp3.IIN_NEED_TIME

    def _drift(self) -> None:
        self._levels = [max(0, level + self._rng.randrange(-6, 7)) for level in self._levels]


Step = tuple[int, Callable[[int], int]]


def run(capture: Capture) -> None:
    for number, device in enumerate(dict.fromkeys(outstation.device for outstation in OUTSTATIONS)):
        session = TcpSession(capture, station(SERVER), 51100 + 7 * number, station(device), dnp3.PORT)
        session.open(seconds(4) + number * 210 * MILLISECOND)
        steps: list[Step] = []
        for outstation in OUTSTATIONS:
            if outstation.device == device:
                steps += _schedule(Association(session, outstation), outstation)
        free = 0
        for at, step in sorted(steps, key=lambda item: item[0]):
            free = step(max(at, free))
        session.settle()


def _schedule(association: Association, outstation: Outstation) -> list[Step]:
    offset = outstation.address * 83 * MILLISECOND
    steps: list[Step] = [
        (seconds(5) + offset, association.null_report),
        (seconds(5.3) + offset, association.enable_unsolicited),
        (seconds(5.6) + offset, association.integrity_poll),
        (seconds(7.4) + offset, association.read_attributes),
    ]
    steps += [(seconds(at) + offset, association.synchronise) for at in TIME_SYNCHRONISATIONS]
    steps += [(at, association.integrity_poll) for at in range(seconds(600) + offset, LENGTH, seconds(600))]
    if outstation.address == _first_address_of(outstation.device):
        steps += [(seconds(at) + offset, association.check_link) for at in LINK_STATUS_REQUESTS]
    first_poll = seconds(15) + offset
    steps += [(at, association.event_poll) for at in range(first_poll, LENGTH, seconds(outstation.poll_period))]
    steps += [
        (seconds(at), partial(association.operate_relay, index=index, control_code=code))
        for at, address, index, code in RELAY_COMMANDS
        if address == outstation.address
    ]
    steps += [
        (seconds(at), partial(association.operate_analog, index=index, value=value))
        for at, address, index, value in ANALOG_COMMANDS
        if address == outstation.address
    ]
    steps += [
        (seconds(at), partial(association.report, index=index, state=state))
        for at, address, index, state in SPONTANEOUS
        if address == outstation.address
    ]
    return steps


def _first_address_of(device: str) -> int:
    """The link address that answers first on a device's connection."""
    return next(outstation.address for outstation in OUTSTATIONS if outstation.device == device)


def _milliseconds(at: int) -> int:
    return START * 1000 + at // MILLISECOND
