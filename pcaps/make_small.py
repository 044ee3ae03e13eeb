#!/usr/bin/env python3
"""Make the small captures, one subject each, the same bytes on every run. Needs nothing but Python 3.11.

    python pcaps/make_small.py [folder]

Without a folder the files are written beside this script, and the index gets their rows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from builders import bacnet, dnp3, index, modbus, opcua, s7comm
from builders.bacnet import ObjectId
from builders.services.hosts import SECRET
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, WINDOWS, Capture, Station, seconds, write_pcap

START = 1_772_438_400  # 2026-03-02T08:00:00Z
CLIENT = Station("192.168.10.10", "b0:83:fe:d1:10:0a", WINDOWS)
CONTROLLER = Station("192.168.10.20", "00:80:f4:12:a0:0b")
OUTSTATION = Station("192.168.10.30", "00:30:a7:1f:41:0b")
BUILDING = Station("192.168.10.40", "00:40:ae:08:72:1f")
S7_CONTROLLER = Station("192.168.10.50", "00:1b:1b:5a:0c:11")
OPCUA_SERVER = Station("192.168.10.60", "00:1b:1b:5a:0c:24")
S7_NEWER = Station("192.168.10.51", "28:63:36:41:9a:07")


def modbus_read_write(capture: Capture) -> None:
    session = TcpSession(capture, CLIENT, 49200, CONTROLLER, modbus.PORT)
    at = session.open(0)
    exchanges = (
        (modbus.read_device_identification(),
         modbus.device_identification(((0, "Schneider Electric"), (1, "BMX P34 2020"), (2, "v3.20")))),
        (modbus.report_server_id(), modbus.server_id(1, True, "BMX P34 2020")),
        (modbus.read(modbus.READ_COILS, 0, 10), modbus.bits(modbus.READ_COILS, [True, False] * 5)),
        (modbus.read(modbus.READ_DISCRETE_INPUTS, 16, 3), modbus.bits(modbus.READ_DISCRETE_INPUTS, [False, True, True])),
        (modbus.read(modbus.READ_HOLDING_REGISTERS, 99, 2), modbus.registers(modbus.READ_HOLDING_REGISTERS, (120, 150))),
        (modbus.read(modbus.READ_INPUT_REGISTERS, 0, 3), modbus.registers(modbus.READ_INPUT_REGISTERS, (17, 65535, 0))),
        (modbus.write_coil(4, True), modbus.write_coil(4, True)),
        (modbus.write_register(99, 130), modbus.write_register(99, 130)),
        (modbus.write_coils(8, [True, False, True]), modbus.written(modbus.WRITE_MULTIPLE_COILS, 8, 3)),
        (modbus.write_registers(100, (155, 190)), modbus.written(modbus.WRITE_MULTIPLE_REGISTERS, 100, 2)),
        (modbus.read(modbus.READ_HOLDING_REGISTERS, 99, 3), modbus.registers(modbus.READ_HOLDING_REGISTERS, (130, 155, 190))),
        (modbus.read(modbus.READ_HOLDING_REGISTERS, 5000, 1),
         modbus.exception(modbus.READ_HOLDING_REGISTERS, modbus.ILLEGAL_DATA_ADDRESS)),
    )  # fmt: skip
    for transaction, (request, response) in enumerate(exchanges, start=1):
        at += seconds(0.2)
        request, response = (modbus.tcp_adu(transaction, 1, pdu) for pdu in (request, response))
        at = session.ask(at, request, response)
    session.close(at + seconds(1))


RTU_EXCHANGES = (
    (1, modbus.read(modbus.READ_INPUT_REGISTERS, 0, 2), modbus.registers(modbus.READ_INPUT_REGISTERS, (412, 398))),
    (2, modbus.read(modbus.READ_HOLDING_REGISTERS, 10, 1), modbus.registers(modbus.READ_HOLDING_REGISTERS, (77,))),
    (2, modbus.write_register(10, 80), modbus.write_register(10, 80)),
    (3, modbus.read(modbus.READ_COILS, 0, 4), modbus.exception(modbus.READ_COILS, modbus.GATEWAY_TARGET_FAILED)),
)


def modbus_rtu_over_tcp(capture: Capture) -> None:
    session = TcpSession(capture, CLIENT, 49210, CONTROLLER, 4001)
    at = session.open(0)
    for unit, request, response in RTU_EXCHANGES:
        at += seconds(0.5)
        at = session.ask(at, modbus.rtu_adu(unit, request), modbus.rtu_adu(unit, response), 30 * MILLISECOND)
    session.close(at + seconds(1))


def modbus_rtu_over_udp(capture: Capture) -> None:
    for number, (unit, request, response) in enumerate(RTU_EXCHANGES):
        at = seconds(number)
        capture.udp(at, CLIENT, 49211, CONTROLLER, modbus.PORT, modbus.rtu_adu(unit, request))
        answer = modbus.rtu_adu(unit, response)
        capture.udp(at + 30 * MILLISECOND, CONTROLLER, modbus.PORT, CLIENT, 49211, answer)


def dnp3_select_operate(capture: Capture) -> None:
    """Pump 2 is closed by select and operate; the second operate comes without a select and is refused."""
    session = TcpSession(capture, CLIENT, 49220, OUTSTATION, dnp3.PORT)
    master, remote = dnp3.Endpoint(1, 11, master=True), dnp3.Endpoint(11, 1, master=False)
    at = session.open(0) + 50 * MILLISECOND
    close, status_no_select = dnp3.control_relay_output(2, dnp3.LATCH_ON), 2
    refused = dnp3.control_relay_output(2, dnp3.LATCH_OFF, status_no_select)
    exchanges = (
        (dnp3.SELECT, close, close),
        (dnp3.OPERATE, close, close),
        (dnp3.OPERATE, dnp3.control_relay_output(2, dnp3.LATCH_OFF), refused),
    )
    for sequence, (function, block, answer) in enumerate(exchanges, start=3):
        request = master.frames(dnp3.request(function, sequence, block))
        at = session.ask(at, request, remote.frames(dnp3.response(sequence, answer)), 12 * MILLISECOND)
        at += 150 * MILLISECOND
    event = dnp3.binary_event(2, True, START * 1000 + 400)
    at = session.send(at, Side.SERVER, remote.frames(dnp3.unsolicited(0, event)))
    at = session.send(at + 5 * MILLISECOND, Side.CLIENT, master.frames(dnp3.confirm(0, unsolicited=True)))
    session.close(at + seconds(1))


def _bacnet(capture: Capture, at: int, *, from_client: bool, apdu: bytes, expects_reply: bool = False) -> None:
    source, destination = (CLIENT, BUILDING) if from_client else (BUILDING, CLIENT)
    message = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, bacnet.npdu(apdu, expects_reply=expects_reply))
    capture.udp(at, source, bacnet.PORT, destination, bacnet.PORT, message)


def bacnet_read_property_multiple(capture: Capture) -> None:
    device, sensor = ObjectId(bacnet.DEVICE, 30031), ObjectId(bacnet.ANALOG_INPUT, 1)
    names = (
        (bacnet.OBJECT_NAME, "AHU-FILTER-HALL"),
        (bacnet.VENDOR_NAME, "Delta Controls"),
        (bacnet.MODEL_NAME, "DAC-1146E"),
        (bacnet.FIRMWARE_REVISION, "3.40.571"),
    )
    readings = ((bacnet.PRESENT_VALUE, bacnet.real(18.5)), (bacnet.STATUS_FLAGS, bacnet.status_flags()))
    asked = bacnet.read_multiple(
        [(device, [number for number, _ in names]), (sensor, [number for number, _ in readings])]
    )
    texts = [(number, bacnet.character_string(text)) for number, text in names]
    answer = bacnet.read_multiple_ack([(device, texts), (sensor, readings)])
    service = bacnet.READ_PROPERTY_MULTIPLE
    request = bacnet.confirmed_request(7, service, asked)
    _bacnet(capture, 0, from_client=True, apdu=request, expects_reply=True)
    _bacnet(capture, 9 * MILLISECOND, from_client=False, apdu=bacnet.complex_ack(7, service, answer))


def bacnet_segmented_ack(capture: Capture) -> None:
    """An object list of 250 objects: the first segment alone, two after the SegmentACK, then the last ACK."""
    device, invoke, window = ObjectId(bacnet.DEVICE, 30032), 12, 4
    asked = bacnet.property_reference(device, bacnet.OBJECT_LIST)
    objects = [device] + [ObjectId(bacnet.ANALOG_VALUE, number) for number in range(249)]
    answer = bacnet.read_property_ack(device, bacnet.OBJECT_LIST, bacnet.object_identifiers(objects))
    segments = bacnet.segmented_ack(invoke, bacnet.READ_PROPERTY, answer, size=470, window=window)
    request = bacnet.confirmed_request(invoke, bacnet.READ_PROPERTY, asked, segmented_response=True)
    _bacnet(capture, 0, from_client=True, apdu=request, expects_reply=True)
    at = 14 * MILLISECOND
    _bacnet(capture, at, from_client=False, apdu=segments[0])
    at += 2 * MILLISECOND
    _bacnet(capture, at, from_client=True, apdu=bacnet.segment_ack(invoke, 0, window))
    for segment in segments[1:]:
        at += 5 * MILLISECOND
        _bacnet(capture, at, from_client=False, apdu=segment)
    at += MILLISECOND
    _bacnet(capture, at, from_client=True, apdu=bacnet.segment_ack(invoke, len(segments) - 1, window))


def s7comm_engineering(capture: Capture) -> None:
    """A programming device identifies a controller, reads and writes, loads DB 7, stops and starts the program."""
    session = TcpSession(capture, CLIENT, 49230, S7_CONTROLLER, s7comm.PORT)
    at = session.open(0)
    slot_2 = b"\x01\x02"
    at = session.ask(at, s7comm.connect(slot_2), s7comm.connect(slot_2, confirm=True))
    for number, (request, answer) in enumerate(_s7_exchanges(), start=1):
        # The longer answers come in two data units.
        at = session.ask(at + seconds(0.2), s7comm.packets(request(number)), s7comm.packets(answer(number), size=100))
    at = _s7_download(session, at + seconds(0.2))
    for number, parameters in enumerate(
        (
            s7comm.invocation(b"_INSE", s7comm.blocks(s7comm.block("0A", 7, "P"))),
            s7comm.stop(),
            s7comm.invocation(b"P_PROGRAM"),
            s7comm.invocation(b"_MODU", b"EP"),
        ),
        start=30,
    ):
        request, answer = s7comm.job(number, parameters), s7comm.ack_data(number, parameters[:1])
        at = session.ask(at + seconds(0.2), s7comm.packets(request), s7comm.packets(answer))
    session.close(at + seconds(1))


S7Message = Callable[[int], bytes]  # of its reference


def _s7_exchanges() -> tuple[tuple[S7Message, S7Message], ...]:
    cpu, order_number = s7comm.CPU_FUNCTIONS, "6ES7 315-2EH14-0AB0"
    modules = (
        s7comm.module_record(1, order_number, b"\x00\x03\x00\x01"),
        s7comm.module_record(6, order_number, b"\x00\x03\x00\x01"),
        s7comm.module_record(7, "", b"V\x03\x02\x08"),
    )
    components = s7comm.szl(
        0x001C,
        0,
        (
            s7comm.component_record(1, "FILTER-HALL"),
            s7comm.component_record(2, "PLC 4"),
            s7comm.component_record(5, "S C-X4U421302009"),
            s7comm.component_record(7, "CPU 315-2 PN/DP"),
        ),
    )
    level, ready = s7comm.Variable(s7comm.DATA_BLOCKS, 7, 4, s7comm.REAL, 2), s7comm.Variable(s7comm.FLAGS, 0, 10)
    switch = s7comm.Variable(s7comm.INPUTS, 0, 1, s7comm.BIT, bit=3)
    read = s7comm.variables(s7comm.READ_VAR, (level, ready, switch))
    levels = s7comm.datum(s7comm.SUCCESS, 7, 8, b"\x40\x20\x00\x00\x3f\xc0\x00\x00")  # 2.5, 1.5
    values = s7comm.data(
        levels,
        s7comm.datum(s7comm.SUCCESS, 4, 8, b"\x81"),
        s7comm.datum(s7comm.SUCCESS, 3, 1, b"\x01"),
    )
    write = s7comm.variables(s7comm.WRITE_VAR, (s7comm.Variable(s7comm.DATA_BLOCKS, 7, 8, s7comm.REAL),))
    written = s7comm.datum(0, 7, 4, b"\x40\x90\x00\x00")  # 4.5
    absent = s7comm.variables(s7comm.READ_VAR, (s7comm.Variable(s7comm.DATA_BLOCKS, 99, 0, s7comm.WORD),))
    set_to = s7comm.clock("2026", "0302080000" + "0002")

    def asks(group: int, subfunction: int, payload: bytes | None, unit: int = 0) -> S7Message:
        return lambda number: s7comm.userdata(number, group, subfunction, payload, unit=unit)

    def answers(
        group: int, subfunction: int, payload: bytes | None, *, unit: int = 0, last: bool = True, error: int = 0
    ) -> S7Message:
        return lambda number: s7comm.userdata(
            number, group, subfunction, payload, answer=True, unit=unit, last=last, error=error
        )

    return (
        (lambda n: s7comm.job(n, s7comm.setup()), lambda n: s7comm.ack_data(n, s7comm.setup(pdu_length=240))),
        (asks(cpu, s7comm.READ_SZL, s7comm.szl(0x0011, 0)),
         answers(cpu, s7comm.READ_SZL, s7comm.szl(0x0011, 0, modules))),
        (asks(cpu, s7comm.READ_SZL, s7comm.szl(0x001C, 0)),
         answers(cpu, s7comm.READ_SZL, components[:100], unit=1, last=False)),
        (asks(cpu, s7comm.READ_SZL, None, unit=1), answers(cpu, s7comm.READ_SZL, components[100:], unit=1)),
        (asks(s7comm.SECURITY, s7comm.PASSWORD, bytes(8)), answers(s7comm.SECURITY, s7comm.PASSWORD, None, error=0xD602)),
        (lambda n: s7comm.job(n, read), lambda n: s7comm.ack_data(n, read[:2], values)),
        (lambda n: s7comm.job(n, write, written), lambda n: s7comm.ack_data(n, write[:2], bytes([s7comm.SUCCESS]))),
        (lambda n: s7comm.job(n, write, written), lambda n: s7comm.ack_data(n, write[:2], bytes([s7comm.NO_ACCESS]))),
        (lambda n: s7comm.job(n, absent),
         lambda n: s7comm.ack_data(n, absent[:2], s7comm.datum(s7comm.NO_OBJECT, 0, 0, b""))),
        (asks(s7comm.TIME_FUNCTIONS, s7comm.SET_CLOCK, set_to), answers(s7comm.TIME_FUNCTIONS, s7comm.SET_CLOCK, None)),
    )  # fmt: skip


def _s7_download(session: TcpSession, at: int) -> int:
    """The client asks, then the server fetches the block in two pieces."""
    name, code = s7comm.block("0A", 7, "P"), bytes(range(200))
    asked = s7comm.transfer(s7comm.REQUEST_DOWNLOAD, name, (len(code), len(code) - 36))
    at = session.ask(at, s7comm.packets(s7comm.job(20, asked)), s7comm.packets(s7comm.ack_data(20, asked[:1])))
    fetch, end = s7comm.transfer(s7comm.DOWNLOAD_BLOCK, name), s7comm.transfer(s7comm.DOWNLOAD_ENDED, name)
    for number, (job, piece) in enumerate(((fetch, code[:120]), (fetch, code[120:]), (end, b"")), start=1):
        more = bytes([number == 1]) if piece else b""
        answer = s7comm.ack_data(number, job[:1] + more, s7comm.piece(piece) if piece else b"")
        at = session.send(at + 10 * MILLISECOND, Side.SERVER, s7comm.packets(s7comm.job(number, job)))
        at = session.send(at + 10 * MILLISECOND, Side.CLIENT, s7comm.packets(answer))
    return at


def s7comm_plus_session(capture: Capture) -> None:
    """A panel opens a session with a newer controller, which names itself, reads, and ends."""
    session = TcpSession(capture, CLIENT, 49231, S7_NEWER, s7comm.PORT)
    at = session.open(0)
    root = b"SIMATIC-ROOT-HMI"
    at = session.ask(at, s7comm.connect(root), s7comm.connect(root, confirm=True))
    create, set_session, read = 0x04CA, 0x0542, 0x054C
    identity = b"1;6ES7 214-1HE30-0XB0 ;V2.2"
    named = b"\xa3\x82\x3f\x00\x15" + bytes([len(identity)]) + identity
    exchanges = (
        (s7comm.plus_request(create, 1, 288, b"\x00\x00\x01\x1d\x00\x04"), s7comm.plus_response(create, 1, named)),
        (
            s7comm.plus_request(set_session, 2, 0x3C0, b"\x00\x00\x03\xc0\x01"),
            s7comm.plus_response(set_session, 2, b"\x00"),
        ),
        (s7comm.plus_request(read, 3, 0x3C0, b"\x00\x00\x00\x00\x01"), s7comm.plus_response(read, 3, b"\x00")),
    )
    for version, (request, answer) in zip((1, 2, 2), exchanges, strict=True):
        request, answer = (s7comm.packets(s7comm.plus(content, version)) for content in (request, answer))
        at = session.ask(at + seconds(0.2), request, answer)
    session.close(at + seconds(1))


def opcua_session(capture: Capture) -> None:
    """A client without any security: looks for endpoints, logs in, reads, writes, calls and subscribes."""
    url, pump, speed = "opc.tcp://10.0.0.24:4840", opcua.node("Pump.Run", 2), opcua.node("Pump.Speed", 2)
    server = opcua.application("urn:plant:pumps", "urn:example:pump-server", "Pump server", 0)
    client = opcua.application("urn:plant:hmi", "urn:example:hmi", "HMI 1", 1)
    tokens = (opcua.ANONYMOUS, opcua.USER_NAME)
    endpoints = [
        opcua.endpoint(url, server, opcua.NONE, "None", tokens),
        opcua.endpoint(url, server, opcua.SIGN_AND_ENCRYPT, "Basic128Rsa15", (opcua.USER_NAME,)),
    ]
    exchanges = (
        (
            opcua.request(428, opcua.string(url) + opcua.array(()) * 2),
            opcua.response(431, opcua.array(endpoints)),
        ),
        (opcua.create_session(client, url), opcua.created(endpoints)),
        (opcua.activate(opcua.user_name("eva", b"wrong")), opcua.fault(opcua.BAD_IDENTITY_TOKEN_REJECTED)),
        (opcua.activate(opcua.anonymous()), opcua.activated()),
        (
            opcua.read([opcua.point(opcua.node(number)) for number in (2263, 2261, 2264, 2262)]),
            opcua.values(
                [
                    opcua.data_value(opcua.words(value))
                    for value in ("Example Automation", "Pump server", "2.4.1", "urn:example:pump-server")
                ]
            ),
        ),
        (
            opcua.browse(opcua.node(85)),
            opcua.browsed([(pump, "Pump.Run"), (speed, "Pump.Speed"), (opcua.node(2253), "Server")]),
        ),
        (
            opcua.read([opcua.point(speed), opcua.point(opcua.node("Absent", 2)), opcua.point(speed, 4)]),
            opcua.values(
                [
                    opcua.data_value(opcua.double(1450.5)),
                    opcua.data_value(status=opcua.BAD_NODE_ID_UNKNOWN),
                    opcua.data_value(b"\x15" + opcua.text("Speed")),
                ]
            ),
        ),
        (opcua.write(speed, opcua.double(1500)), opcua.results(676, [0])),
        (opcua.write(pump, b"\x01\x00"), opcua.results(676, [opcua.BAD_USER_ACCESS_DENIED])),
        (opcua.call(opcua.node("Pump", 2), opcua.node(7001, 2), [opcua.double(3)]), opcua.called()),
        (opcua.create_subscription(500), opcua.subscribed(41, 500)),
        (
            opcua.monitor(41, [(11, opcua.point(speed)), (12, opcua.point(pump))]),
            opcua.monitored([1, 2]),
        ),
        (
            opcua.publish(),
            opcua.published(41, [(11, opcua.data_value(opcua.double(1499.5))), (12, opcua.data_value(b"\x01\x01"))]),
        ),
        (opcua.publish(), opcua.published(41, [(11, opcua.data_value(opcua.double(1500.25)))])),
        (
            opcua.add_node(opcua.node(85), opcua.node(0, 2), "Mark"),
            opcua.added(opcua.node(7002, 2)),
        ),
        (opcua.request(60_000), opcua.fault(0x800B0000)),  # a service that nobody knows
        (opcua.request(847, opcua.array([b"\x29\0\0\0"])), opcua.results(850, [0])),
        (opcua.request(473, b"\x01"), opcua.response(476)),
    )
    session = TcpSession(capture, CLIENT, 49260, OPCUA_SERVER, opcua.PORT)
    at = session.ask(session.open(0), opcua.hello(url), opcua.acknowledge())
    ours, theirs = opcua.Channel(), opcua.Channel()
    at = session.ask(at, ours.open(1, "None", opcua.opening()), theirs.open(1, "None", opcua.opened()))
    for number, (request, answer) in enumerate(exchanges, start=2):
        # The longer answers come in several chunks.
        at = session.ask(at + seconds(0.2), ours.message(number, request), theirs.message(number, answer, size=300))
    at = session.send(at, Side.CLIENT, ours.message(99, opcua.request(452), kind=b"CLO"))
    session.close(at + seconds(1))


def opcua_protected(capture: Capture) -> None:
    """A channel that is signed alone, one that is encrypted, a refused one, and a server that calls its client."""
    url = "opc.tcp://10.0.0.24:4840"
    for port, policy in ((49261, "Basic256"), (49262, "Basic256Sha256")):
        session = TcpSession(capture, CLIENT, port, OPCUA_SERVER, opcua.PORT)
        at = session.ask(session.open(seconds(port - 49261)), opcua.hello(url), opcua.acknowledge())
        ours, theirs = opcua.Channel(), opcua.Channel()
        secret = bytes(range(64, 192))
        at = session.ask(at, ours.open(1, policy, secret, b"no certificate"), theirs.open(1, policy, secret, b"none"))
        if policy == "Basic256":
            signature = bytes(20)
            asked = opcua.activate(opcua.anonymous()) + signature
            at = session.ask(at, ours.message(2, asked), theirs.message(2, opcua.activated() + signature))
        else:
            for number in (2, 3):
                at = session.ask(at, ours.message(number, secret), theirs.message(number, secret))
        session.close(at + seconds(0.1))
    session = TcpSession(capture, CLIENT, 49263, OPCUA_SERVER, opcua.PORT)
    at = session.ask(session.open(seconds(5)), opcua.hello(url), opcua.error(0x80830000, "endpoint URL is wrong"))
    session.close(at)
    session = TcpSession(capture, OPCUA_SERVER, 49264, CLIENT, 48400)
    at = session.send(session.open(seconds(6)), Side.CLIENT, opcua.reverse_hello("urn:plant:pumps", url))
    session.close(at)


def control_passwords(capture: Capture) -> None:
    """A password of each control protocol that has one, with messages before and behind it; none is told."""
    session = TcpSession(capture, CLIENT, 49240, S7_CONTROLLER, s7comm.PORT)
    at = session.open(0)
    at = session.ask(at, s7comm.connect(b"\x01\x02"), s7comm.connect(b"\x01\x02", confirm=True))
    at = session.ask(
        at, s7comm.packets(s7comm.job(1, s7comm.setup())), s7comm.packets(s7comm.ack_data(1, s7comm.setup()))
    )
    for number, error in ((2, 0xD602), (3, 0)):
        asked = s7comm.userdata(number, s7comm.SECURITY, s7comm.PASSWORD, SECRET[:8])
        answered = s7comm.userdata(number, s7comm.SECURITY, s7comm.PASSWORD, None, answer=True, error=error)
        at = session.ask(at + seconds(0.2), s7comm.packets(asked), s7comm.packets(answered))
    session.close(at + seconds(1))

    master, outstation = dnp3.Endpoint(1, 10, master=True), dnp3.Endpoint(10, 1, master=False)
    session = TcpSession(capture, CLIENT, 49241, OUTSTATION, dnp3.PORT)
    at = session.open(seconds(5))
    at = session.ask(
        at, master.frames(dnp3.request(dnp3.READ, 0, dnp3.classes(1))), outstation.frames(dnp3.response(0))
    )
    user = b"eva"
    body = struct.pack("<HHHHI", 12, len(user), 12 + len(user), len(SECRET), 0) + user + SECRET
    login = bytes([70, 2, 0x5B, 1]) + struct.pack("<H", len(body)) + body
    key = struct.pack("<HHHHI", 12, 0, 12, 0, 0x31785A34)
    told = bytes([70, 2, 0x5B, 1]) + struct.pack("<H", len(key)) + key
    authenticate_file = 29
    at = session.ask(
        at + seconds(0.2),
        master.frames(dnp3.request(authenticate_file, 1, login)),
        outstation.frames(dnp3.response(1, told)),
    )
    session.close(at + seconds(1))

    password = bacnet.context(1, b"\x00" + SECRET)
    for invoke, (service, content) in enumerate(
        (
            (20, bacnet.context(0, b"\x01") + password),
            (17, bacnet.context(0, b"\x05") + bacnet.context(1, b"\x01") + bacnet.context(2, b"\x00" + SECRET)),
        ),
        start=1,
    ):
        request = bacnet.bvlc(
            bacnet.ORIGINAL_UNICAST,
            bacnet.npdu(bacnet.confirmed_request(invoke, service, content), expects_reply=True),
        )
        capture.udp(seconds(10 + invoke), CLIENT, bacnet.PORT, BUILDING, bacnet.PORT, request)
        answer = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, bacnet.npdu(bacnet.simple_ack(invoke, service)))
        capture.udp(seconds(10.1 + invoke), BUILDING, bacnet.PORT, CLIENT, bacnet.PORT, answer)


def opcua_passwords(capture: Capture) -> None:
    """Passwords and tokens of OPC UA in the clear: taken, refused, in chunks, as arguments; none is told."""
    url = "opc.tcp://10.0.0.24:4840"
    client = opcua.application("urn:plant:hmi", "urn:example:hmi", "HMI 1", 1)
    server = opcua.application("urn:plant:pumps", "urn:example:pump-server", "Pump server", 0)
    endpoints = [opcua.endpoint(url, server, opcua.NONE, "None", (opcua.USER_NAME,))]
    change = [opcua.words(word) for word in ("eva", SECRET.decode(), SECRET[::-1].decode())]
    exchanges = (
        (opcua.create_session(client, url), opcua.created(endpoints)),
        (opcua.activate(opcua.user_name("eva", SECRET)), opcua.fault(opcua.BAD_IDENTITY_TOKEN_REJECTED)),
        (opcua.activate(opcua.user_name("eva", SECRET)), opcua.activated()),
        (opcua.activate(opcua.issued_token(b"<token>" + SECRET + b"</token>")), opcua.activated()),
        (opcua.read([opcua.point(opcua.node(2261))]), opcua.values([opcua.data_value(opcua.words("Pump server"))])),
        (opcua.call(opcua.node("Users", 2), opcua.node("SetPassword", 2), change), opcua.called()),
        (opcua.write(opcua.node("Pump.Speed", 2), opcua.double(1500)), opcua.results(676, [0])),
        (opcua.request(473, b"\x01"), opcua.response(476)),
    )
    session = TcpSession(capture, CLIENT, 49270, OPCUA_SERVER, opcua.PORT)
    at = session.ask(session.open(0), opcua.hello(url), opcua.acknowledge())
    ours, theirs = opcua.Channel(), opcua.Channel()
    at = session.ask(at, ours.open(1, "None", opcua.opening()), theirs.open(1, "None", opcua.opened()))
    for size in (1 << 16, 60):  # whole, and in chunks that cut the secret
        for identifier, (asked, answered) in enumerate(exchanges, start=2):
            at = session.ask(
                at + seconds(0.2), ours.message(identifier, asked, size), theirs.message(identifier, answered)
            )
    session.close(at + seconds(1))


def unknown_protocols(capture: Capture) -> None:
    """Beside Modbus: steady records of a maker's own, and a protocol on whatever port was free, twice."""
    modbus_read_write(capture)
    for number in range(40):
        at = seconds(1 + number * 0.25)
        record = struct.pack(">HHIff", 0xBEEF, number, 1000 + number, 20 + number % 5, 3.5) + bytes(16)
        capture.udp(at, CONTROLLER, 4711, CLIENT, 4711, record)
        if number % 8 == 7:
            capture.udp(at + MILLISECOND, CLIENT, 4711, CONTROLLER, 4711, b"\xbe\xef\x00\x01ok")
    for port in (50_011, 61_007):
        for number in range(12):
            sample = bytes((port + number * 37 + place * place * 11) % 251 for place in range(200))
            capture.udp(seconds(2 + number * 0.5 + port % 7), CONTROLLER, 40_000 + port % 97, CLIENT, port, sample)


SMALL: tuple[tuple[str, Callable[[Capture], None], str], ...] = (
    ("modbus/read_write.pcap", modbus_read_write, "Modbus/TCP: each common function once, and one exception"),
    ("modbus/rtu_over_tcp.pcap", modbus_rtu_over_tcp, "Modbus RTU frames with CRC inside TCP, port 4001"),
    ("modbus/rtu_over_udp.pcap", modbus_rtu_over_udp, "Modbus RTU frames with CRC inside UDP, port 502"),
    ("dnp3/select_operate.pcap", dnp3_select_operate, "DNP3 select, operate, a refused operate, an unsolicited response"),
    ("bacnet/read_property_multiple.pcap", bacnet_read_property_multiple, "BACnet ReadPropertyMultiple of two objects"),
    ("bacnet/segmented_ack.pcap", bacnet_segmented_ack, "BACnet ReadProperty of an object list, answered in three segments"),
    ("s7comm/engineering.pcap", s7comm_engineering, "S7 communication: identity, variables, a download, stop and start"),
    ("opcua/session.pcap", opcua_session, "OPC UA without security: discovery, logins, reads, a write, a call, a subscription"),
    ("opcua/protected.pcap", opcua_protected, "OPC UA signed alone, encrypted, refused, and called back by the server"),
    ("secrets/control.pcap", control_passwords, "Passwords of S7 communication, DNP3 and BACnet"),
    ("secrets/opcua.pcap", opcua_passwords, "Passwords, tokens and arguments of OPC UA in the clear, whole and in chunks"),
    ("unknown/private.pcap", unknown_protocols, "Beside Modbus, two protocols that no decoder knows, one of them on two ports"),
    ("s7comm/plus_session.pcap", s7comm_plus_session, "S7comm-plus: a session with a newer controller, which names itself"),
)  # fmt: skip


def make(folder: Path) -> dict[str, int]:
    """Write the files and give the number of packets of each."""
    packets: dict[str, int] = {}
    for name, build, _ in SMALL:
        capture = Capture()
        build(capture)
        frames = capture.finish()
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_pcap(file, START, frames)
        packets[name] = len(frames)
    return packets


if __name__ == "__main__":
    index.run(__file__, make, {name: shows for name, _, shows in SMALL})
