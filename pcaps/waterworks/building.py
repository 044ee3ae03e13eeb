"""BACnet in the building zone, and SCADA server 2 as a foreign device of its BBMD."""

from __future__ import annotations

import random
from dataclasses import dataclass

from builders import bacnet
from builders.bacnet import ObjectId, RemoteAddress
from builders.wire import MILLISECOND, Capture, Station, seconds
from plant import LENGTH, ZONE, station

WORKSTATION = "bms-1"
BBMD = "bbmd-1"
FOREIGN_DEVICE = "scada-2"
TRUNK = 3001  # network number of the MS/TP trunk behind router-1

BROADCAST = ZONE["building"].broadcast
REGISTRATION = 600  # seconds a foreign device stays registered


@dataclass(frozen=True, slots=True)
class Controller:
    """A BACnet device: where it is and what it says of itself."""

    device: str  # the IP device that carries its packets
    instance: int
    vendor: int  # as ASHRAE assigns them
    name: str
    vendor_name: str
    model: str
    firmware: str
    software: str
    trunk_mac: int | None = None

    @property
    def station(self) -> Station:
        return station(self.device)

    @property
    def remote(self) -> RemoteAddress | None:
        return None if self.trunk_mac is None else RemoteAddress(TRUNK, bytes([self.trunk_mac]))

    @property
    def object_id(self) -> ObjectId:
        return ObjectId(bacnet.DEVICE, self.instance)


CONTROLLERS = (
    Controller("bbmd-1", 30020, 8, "SITE-CTRL", "Delta Controls", "DSM-RTR", "3.40.582", "SITE 2.1"),
    Controller("ahu-1", 30031, 8, "AHU-FILTER-HALL", "Delta Controls", "DAC-1146E", "3.40.571", "AHU 1.8"),
    Controller("ahu-2", 30032, 5, "AHU-CHLORINE-STORE", "Johnson Controls", "MS-NAE3510", "9.0.7", "CL2VENT 4"),
    Controller("router-1", 30040, 245, "MSTP-ROUTER", "Contemporary Controls", "BASRT-B", "2.7.3", "2.7.3"),
    Controller("router-1", 300104, 8, "FCU-CONTROL-ROOM", "Delta Controls", "DFC-322R3", "3.33", "FCU 1.2", trunk_mac=4),
    Controller("router-1", 300105, 8, "HEAT-PUMP-HOUSE", "Delta Controls", "DFC-304R3", "3.33", "UH 1.0", trunk_mac=5),
)  # fmt: skip
CONTROLLER = {controller.instance: controller for controller in CONTROLLERS}

# Present values that the workstation reads again and again: (device instance, object, base value, period in seconds).
POLLED = (
    (30031, ObjectId(bacnet.ANALOG_INPUT, 1), 18.5, 10),
    (30031, ObjectId(bacnet.ANALOG_INPUT, 2), 52.0, 15),
    (30032, ObjectId(bacnet.ANALOG_INPUT, 1), 14.0, 15),
    (30020, ObjectId(bacnet.ANALOG_INPUT, 3), 4.5, 30),
    (300104, ObjectId(bacnet.ANALOG_INPUT, 1), 21.0, 20),
    (300105, ObjectId(bacnet.ANALOG_INPUT, 1), 9.5, 20),
)
# Setpoints that the building operator writes at priority 8: (seconds, device instance, object, value).
WRITES = (
    (585.0, 30031, ObjectId(bacnet.ANALOG_VALUE, 1), 19.0),
    (592.5, 30032, ObjectId(bacnet.ANALOG_VALUE, 1), 15.5),
    (1210.0, 300104, ObjectId(bacnet.ANALOG_VALUE, 1), 21.5),
)
# Subscriptions: (device instance, object, confirmed notifications, times of the changes).
SUBSCRIPTIONS = (
    (30031, ObjectId(bacnet.BINARY_INPUT, 1), False, (75, 410, 700, 1020, 1330, 1660)),
    (30032, ObjectId(bacnet.ANALOG_INPUT, 4), True, (130, 520, 980, 1290, 1555)),
)
OBJECTS_OF_AHU_2 = 210  # its object list needs three segments of an ACK
IDENTITY = (
    bacnet.OBJECT_NAME,
    bacnet.VENDOR_NAME,
    bacnet.MODEL_NAME,
    bacnet.FIRMWARE_REVISION,
    bacnet.APPLICATION_SOFTWARE_VERSION,
)


class Client:
    """A BACnet client: sends confirmed requests and lets the controller answer."""

    def __init__(self, capture: Capture, device: str) -> None:
        self.capture = capture
        self.station = station(device)
        self.rng = random.Random(f"bacnet {device}")
        self._invoke = self.rng.randrange(256)

    def next_invoke(self) -> int:
        self._invoke = (self._invoke + 1) % 256
        return self._invoke

    def request(self, at: int, controller: Controller, apdu: bytes) -> None:
        message = bacnet.npdu(apdu, expects_reply=True, to=controller.remote)
        _unicast(self.capture, at, self.station, controller.station, message)

    def response(self, at: int, controller: Controller, apdu: bytes) -> None:
        _unicast(self.capture, at, controller.station, self.station, bacnet.npdu(apdu, origin=controller.remote))

    def confirmed(self, at: int, controller: Controller, service: int, data: bytes, answer: bytes | None) -> None:
        """A request and its answer; without answer data a SimpleACK."""
        invoke = self.next_invoke()
        self.request(at, controller, bacnet.confirmed_request(invoke, service, data))
        trunk = 60 * MILLISECOND if controller.remote else 0
        at += 6 * MILLISECOND + self.rng.randrange(9 * MILLISECOND) + trunk
        acknowledged = bacnet.simple_ack(invoke, service)
        self.response(at, controller, acknowledged if answer is None else bacnet.complex_ack(invoke, service, answer))

    def read(self, at: int, controller: Controller, item: ObjectId, identifier: int, value: bytes) -> None:
        asked = bacnet.property_reference(item, identifier)
        answer = bacnet.read_property_ack(item, identifier, value)
        self.confirmed(at, controller, bacnet.READ_PROPERTY, asked, answer)

    def read_identity(self, at: int, controller: Controller) -> None:
        texts = (controller.name, controller.vendor_name, controller.model, controller.firmware, controller.software)
        values = [(number, bacnet.character_string(text)) for number, text in zip(IDENTITY, texts, strict=True)]
        asked = bacnet.read_multiple([(controller.object_id, IDENTITY)])
        answer = bacnet.read_multiple_ack([(controller.object_id, values)])
        self.confirmed(at, controller, bacnet.READ_PROPERTY_MULTIPLE, asked, answer)

    def read_object_list(self, at: int, controller: Controller) -> None:
        """The answer comes in segments: the first alone, the others after the SegmentACK of the client."""
        invoke, window = self.next_invoke(), 4
        asked = bacnet.property_reference(controller.object_id, bacnet.OBJECT_LIST)
        self.request(
            at, controller, bacnet.confirmed_request(invoke, bacnet.READ_PROPERTY, asked, segmented_response=True)
        )
        objects = [controller.object_id]
        objects += [ObjectId(number % 6, number // 6 + 1) for number in range(OBJECTS_OF_AHU_2 - 1)]
        value = bacnet.object_identifiers(objects)
        answer = bacnet.read_property_ack(controller.object_id, bacnet.OBJECT_LIST, value)
        segments = bacnet.segmented_ack(invoke, bacnet.READ_PROPERTY, answer, size=470, window=window)
        at += 14 * MILLISECOND
        self.response(at, controller, segments[0])
        at += 2 * MILLISECOND
        self.request_segment(at, controller, bacnet.segment_ack(invoke, 0, window))
        for segment in segments[1:]:
            at += 5 * MILLISECOND
            self.response(at, controller, segment)
        self.request_segment(at + MILLISECOND, controller, bacnet.segment_ack(invoke, len(segments) - 1, window))

    def request_segment(self, at: int, controller: Controller, apdu: bytes) -> None:
        _unicast(self.capture, at, self.station, controller.station, bacnet.npdu(apdu, to=controller.remote))


def broadcast(capture: Capture, at: int, source: Station, message: bytes) -> None:
    content = bacnet.bvlc(bacnet.ORIGINAL_BROADCAST, message)
    capture.udp(at, source, bacnet.PORT, BROADCAST, bacnet.PORT, content)


def announce(controller: Controller) -> bytes:
    segments_both_ways, no_segmentation = 0, 3
    segmentation = no_segmentation if controller.remote else segments_both_ways
    apdu = bacnet.i_am(controller.instance, controller.vendor, segmentation=segmentation)
    return bacnet.npdu(apdu, to=bacnet.EVERYWHERE, origin=controller.remote)


def run(capture: Capture) -> None:
    workstation = Client(capture, WORKSTATION)
    _discovery(capture, workstation)
    _polling(workstation)
    _subscriptions(capture, workstation)
    for at, instance, item, value in WRITES:
        controller = CONTROLLER[instance]
        data = bacnet.write_property(item, bacnet.PRESENT_VALUE, bacnet.real(value), priority=8)
        workstation.confirmed(seconds(at), controller, bacnet.WRITE_PROPERTY, data, None)
        read_back = seconds(at + 1.5)
        workstation.read(read_back, controller, item, bacnet.PRESENT_VALUE, bacnet.real(value))
    _foreign_device(capture)


def _discovery(capture: Capture, workstation: Client) -> None:
    """Who-Is and Who-Is-Router at the start, then each device's identity and one long object list."""
    who_is = bacnet.npdu(bacnet.who_is(), to=bacnet.EVERYWHERE)
    for at in (seconds(18), seconds(918)):
        broadcast(capture, at, workstation.station, who_is)
        for number, controller in enumerate(CONTROLLERS):
            trunk = 90 * MILLISECOND if controller.remote else 0
            broadcast(capture, at + (number + 1) * 11 * MILLISECOND + trunk, controller.station, announce(controller))
    router = station("router-1")
    broadcast(capture, seconds(19), workstation.station, bacnet.who_is_router(TRUNK))
    broadcast(capture, seconds(19) + 4 * MILLISECOND, router, bacnet.i_am_router(TRUNK))
    for number, controller in enumerate(CONTROLLERS):
        workstation.read_identity(seconds(21) + number * 350 * MILLISECOND, controller)
    workstation.read_object_list(seconds(28), CONTROLLER[30032])


def _polling(workstation: Client) -> None:
    times = sorted(
        (at, number)
        for number, (_, _, _, period) in enumerate(POLLED)
        for at in range(seconds(35) + number * 730 * MILLISECOND, LENGTH, seconds(period))
    )
    for at, number in times:
        instance, item, base, _ = POLLED[number]
        value = base + workstation.rng.randrange(-4, 5) / 8
        workstation.read(at, CONTROLLER[instance], item, bacnet.PRESENT_VALUE, bacnet.real(value))


def _subscriptions(capture: Capture, workstation: Client) -> None:
    """Subscribed for 900 seconds, renewed once; each change is notified."""
    lifetime = 900
    for process, (instance, item, confirmed, changes) in enumerate(SUBSCRIPTIONS, start=1):
        controller = CONTROLLER[instance]
        starts = (seconds(32) + process * MILLISECOND, seconds(902) + process * MILLISECOND)
        for at in starts:
            data = bacnet.subscribe_cov(process, item, confirmed=confirmed, lifetime=lifetime)
            workstation.confirmed(at, controller, bacnet.SUBSCRIBE_COV, data, None)
        rng = random.Random(f"cov {instance}")
        notified = [at + 120 * MILLISECOND for at in starts] + [seconds(at) for at in changes]
        for number, at in enumerate(sorted(notified)):
            since = at - max(start for start in starts if start <= at)
            remaining = lifetime - since // seconds(1)
            value = bacnet.enumerated(number % 2)
            if item.object_type == bacnet.ANALOG_INPUT:
                value = bacnet.real(rng.randrange(40, 60) / 2)
            data = bacnet.cov_notification(process, instance, item, remaining, value)
            if confirmed:
                invoke = (number + 1) % 256
                service = bacnet.CONFIRMED_COV_NOTIFICATION
                request = bacnet.npdu(bacnet.confirmed_request(invoke, service, data), expects_reply=True)
                answer = bacnet.npdu(bacnet.simple_ack(invoke, service))
                _unicast(capture, at, controller.station, workstation.station, request)
                _unicast(capture, at + 3 * MILLISECOND, workstation.station, controller.station, answer)
            else:
                apdu = bacnet.unconfirmed_request(bacnet.UNCONFIRMED_COV_NOTIFICATION, data)
                _unicast(capture, at, controller.station, workstation.station, bacnet.npdu(apdu))


def _foreign_device(capture: Capture) -> None:
    """SCADA server 2 registers with the BBMD, asks through it who is there, and reads two alarms each minute."""
    scada, bbmd = station(FOREIGN_DEVICE), station(BBMD)
    for at in range(seconds(11), LENGTH, seconds(REGISTRATION // 2)):
        registration = bacnet.register_foreign_device(REGISTRATION)
        capture.udp(at, scada, bacnet.PORT, bbmd, bacnet.PORT, registration)
        capture.udp(at + 3 * MILLISECOND, bbmd, bacnet.PORT, scada, bacnet.PORT, bacnet.bvlc_success())

    at = seconds(13)
    who_is = bacnet.npdu(bacnet.who_is(30020, 30032), to=bacnet.EVERYWHERE)
    content = bacnet.bvlc(bacnet.DISTRIBUTE_BROADCAST, who_is)
    capture.udp(at, scada, bacnet.PORT, bbmd, bacnet.PORT, content)
    spread = bacnet.forwarded(scada.address, who_is)
    capture.udp(at + 2 * MILLISECOND, bbmd, bacnet.PORT, BROADCAST, bacnet.PORT, spread)
    for number, controller in enumerate(CONTROLLERS[:3]):
        answered = at + (number + 1) * 13 * MILLISECOND
        broadcast(capture, answered, controller.station, announce(controller))
        forwarded = bacnet.forwarded(controller.station.address, announce(controller))
        capture.udp(answered + 2 * MILLISECOND, bbmd, bacnet.PORT, scada, bacnet.PORT, forwarded)

    client = Client(capture, FOREIGN_DEVICE)
    alarms = (ObjectId(bacnet.BINARY_VALUE, 10), ObjectId(bacnet.BINARY_VALUE, 11))
    normal = ((bacnet.PRESENT_VALUE, bacnet.enumerated(0)), (bacnet.STATUS_FLAGS, bacnet.status_flags()))
    asked = bacnet.read_multiple([(item, (bacnet.PRESENT_VALUE, bacnet.STATUS_FLAGS)) for item in alarms])
    answer = bacnet.read_multiple_ack([(item, normal) for item in alarms])
    for at in range(seconds(50), LENGTH, seconds(60)):
        for instance in (30031, 30032):
            controller = CONTROLLER[instance]
            offset = (instance - 30031) * 240 * MILLISECOND
            client.confirmed(at + offset, controller, bacnet.READ_PROPERTY_MULTIPLE, asked, answer)


def _unicast(capture: Capture, at: int, source: Station, destination: Station, message: bytes) -> None:
    content = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, message)
    capture.udp(at, source, bacnet.PORT, destination, bacnet.PORT, content)
