"""What goes wrong in the second half of the capture, and the record of it that tests and readers use.

A vendor's laptop appears, scans, opens a remote desktop on the engineering station; minutes later that station writes
to the chlorine dosing controller, which it may not. Apart from this, a controller answers a host of the internet.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from builders import bacnet, dnp3, modbus, office
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, Capture, Frame, Station, seconds
from enterprise import EVERYONE, arp_frame, gateway_of
from filtration import APPROVED_CHANGE, Request, Visit
from plant import DEVICE, DEVICES, INTERNET_SCANNER, LAPTOP, START, ZONE, station

APPEARS, SCAN, REMOTE_DESKTOP = "vendor-laptop-appears", "scan", "remote-desktop"
WRITES, NEW_VALUE, EXPOSED = "unapproved-writes", "dosing-setpoint-changes", "controller-reached-from-internet"


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: str
    source: str
    destination: str
    protocol: str
    finding: str | None


STEPS = (
    Step(APPROVED_CHANGE, "The engineering station shortens the backwash of the filters, as approved",
         station("eng-1").address, station("plc-2").address, "modbus", None),
    Step(APPEARS, "A laptop that nobody declared asks for an address and then takes one in the supervision zone",
         LAPTOP.address, ZONE["supervision"].broadcast.address, "dhcp, arp", "unknown_asset"),
    Step(SCAN, "The laptop looks for services on every host of the control zones and of its own",
         LAPTOP.address, "10.20.11.0/24, 10.20.12.0/24, 10.20.30.0/24, 10.20.1.0/24", "tcp, arp, bacnet", "scan"),
    Step(REMOTE_DESKTOP, "The laptop opens a remote desktop on the engineering station as user vendor",
         LAPTOP.address, station("eng-1").address, "rdp", "remote_access"),
    Step(EXPOSED, "A host of the internet identifies and reads the backwash controller, which answers",
         INTERNET_SCANNER.address, station("plc-4").address, "modbus", "exposed_to_internet"),
    Step(WRITES, "The engineering station writes to the chlorine dosing controller, which policy does not allow",
         station("eng-1").address, station("plc-3").address, "modbus", "policy_violation_write"),
    Step(NEW_VALUE, "The dosing setpoint polled by SCADA server 1 goes from 120 to 950",
         station("scada-1").address, station("plc-3").address, "modbus", "value_change"),
)  # fmt: skip

# The attacker reads the setpoints, then writes three times: setpoint, alarm limits, interlock off.
DOSING_VISIT = Visit(
    station("eng-1"),
    50377,
    "plc-3",
    (
        Request(seconds(1448.1), modbus.read_device_identification()),
        Request(seconds(1450.0), modbus.read(modbus.READ_HOLDING_REGISTERS, 96, 16)),
        Request(seconds(1460.3), modbus.write_register(100, 950), step=WRITES),
        Request(seconds(1471.8), modbus.write_registers(101, (2000, 2400, 1000)), step=WRITES),
        Request(seconds(1483.6), modbus.write_coil(4, False), step=WRITES),
        Request(seconds(1490.2), modbus.read(modbus.READ_HOLDING_REGISTERS, 96, 16)),
    ),
)
INTERNET_VISITS = (
    Visit(
        INTERNET_SCANNER,
        41822,
        "plc-4",
        (
            Request(seconds(1275.4), modbus.read_device_identification(), step=EXPOSED),
            Request(seconds(1275.9), modbus.report_server_id(), step=EXPOSED),
        ),
    ),
    Visit(
        INTERNET_SCANNER,
        37014,
        "plc-4",
        (
            Request(seconds(1685.2), modbus.read_device_identification(), step=EXPOSED),
            Request(seconds(1685.8), modbus.read(modbus.READ_HOLDING_REGISTERS, 0, 10), step=EXPOSED),
            Request(seconds(1686.3), modbus.read(modbus.READ_INPUT_REGISTERS, 0, 12), step=EXPOSED),
        ),
    ),
)
VISITS = (DOSING_VISIT, *INTERNET_VISITS)

HTTP, ENIP, S7, RDP = 80, 44818, 102, 3389
SCANNED_PORTS = (modbus.PORT, dnp3.PORT, ENIP, S7, HTTP, RDP)
SCANNED_HOSTS = range(2, 41)
OPEN_PORTS = {
    "plc-1": {modbus.PORT, HTTP}, "plc-2": {modbus.PORT, HTTP}, "plc-3": {modbus.PORT, HTTP}, "plc-4": {modbus.PORT},
    "gateway-1": {modbus.PORT, HTTP}, "fep-1": {dnp3.PORT}, "rtu-1": {dnp3.PORT}, "rtu-2": {dnp3.PORT},
    "rtu-3": {dnp3.PORT}, "bbmd-1": {HTTP}, "router-1": {HTTP}, "bms-1": {RDP}, "eng-1": {RDP},
}  # fmt: skip


def run(capture: Capture) -> None:
    """The parts of the story that are not Modbus; those are VISITS."""
    _appear(capture)
    _scan(capture)
    _remote_desktop(capture)


def _appear(capture: Capture) -> None:
    """Four DHCP questions that nobody answers, then a fixed address: three ARP probes and the announcement."""
    nobody = Station("0.0.0.0", LAPTOP.mac, LAPTOP.stack)
    options = [(12, b"VENDOR-LT07"), (60, b"MSFT 5.0"), (55, bytes([1, 3, 6, 15, 31, 33, 43, 44, 46, 47]))]
    for wait in (0, 4, 12, 28):
        message = office.dhcp(office.DISCOVER, 0x5D1C07E2, LAPTOP.mac, options)
        at = seconds(928 + wait)
        capture.udp(at, nobody, office.DHCP_CLIENT_PORT, EVERYONE, office.DHCP_SERVER_PORT, message, APPEARS)
    for number in range(3):
        capture.raw(seconds(975 + number), arp_frame(1, nobody, LAPTOP), APPEARS)
    capture.raw(seconds(978), arp_frame(1, LAPTOP, LAPTOP), APPEARS)


def _scan(capture: Capture) -> None:
    """Hosts of the own VLAN by ARP, those of the control VLANs through the router, which asks for each address.

    The router forwards nothing to an address that does not answer, so the mirror sees SYNs to real devices only.
    """
    rng = random.Random("scan")
    gateway = gateway_of(DEVICE["eng-1"])
    by_address = {device.address: device for device in DEVICES}
    at = seconds(1020)
    capture.raw(at, arp_frame(1, LAPTOP, gateway), SCAN)
    capture.raw(at + 300, arp_frame(2, gateway, LAPTOP))
    for zone in ("supervision", "filtration", "distribution", "building"):
        for octet in SCANNED_HOSTS:
            at += 12 * MILLISECOND + rng.randrange(18 * MILLISECOND)
            target = by_address.get(f"{ZONE[zone].prefix}{octet}")
            asker = LAPTOP if zone == "supervision" else Station(ZONE[zone].gateway, DEVICE["core-1"].mac)
            if target is None:
                missing = Station(f"{ZONE[zone].prefix}{octet}", "00:00:00:00:00:00")
                capture.raw(at, arp_frame(1, asker, missing), SCAN)
                continue
            if zone == "supervision":
                capture.raw(at, arp_frame(1, LAPTOP, target.station), SCAN)
                capture.raw(at + 300, arp_frame(2, target.station, LAPTOP))
            ports = list(SCANNED_PORTS)
            rng.shuffle(ports)
            for port in ports:
                at += 6 * MILLISECOND + rng.randrange(9 * MILLISECOND)
                probe = TcpSession(capture, LAPTOP, 61402, target.station, port)
                if port in OPEN_PORTS.get(target.id, ()):
                    probe.probe_open(at, SCAN)
                else:
                    probe.refuse(at, SCAN)
    at = seconds(1048)
    bbmd = station("bbmd-1")
    question = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, bacnet.npdu(bacnet.who_is()))
    answer = bacnet.bvlc(bacnet.ORIGINAL_UNICAST, bacnet.npdu(bacnet.i_am(30020, 8)))
    capture.udp(at, LAPTOP, bacnet.PORT, bbmd, bacnet.PORT, question, SCAN)
    capture.udp(at + 4 * MILLISECOND, bbmd, bacnet.PORT, LAPTOP, bacnet.PORT, answer, SCAN)


def _remote_desktop(capture: Capture) -> None:
    """The user name stands in the clear in the connection request; the rest is TLS."""
    rng = random.Random("remote desktop")
    session = TcpSession(capture, LAPTOP, 49918, station("eng-1"), RDP)
    at = session.open(seconds(1170), REMOTE_DESKTOP) + 700
    request, confirmation = office.rdp_connection_request("vendor"), office.rdp_connection_confirm()
    at = session.ask(at, request, confirmation, 4 * MILLISECOND, REMOTE_DESKTOP)
    hello = office.client_hello(rng, f"eng-1.{ZONE['supervision'].id}")
    at = session.ask(at + 2 * MILLISECOND, hello, office.server_flight(rng, hello), 3 * MILLISECOND, REMOTE_DESKTOP)
    at = session.send(at + 2 * MILLISECOND, Side.CLIENT, office.client_finished(rng))
    while at < seconds(1600):
        screen = office.tls_data(rng, 90 + rng.randrange(2400))
        at = session.ask(at + 40 * MILLISECOND, office.tls_data(rng, 46 + rng.randrange(60)), screen, 9 * MILLISECOND)
        at += rng.randrange(seconds(3))
    session.close(seconds(1604), Side.CLIENT, REMOTE_DESKTOP)


def write_story(path: Path, frames: Sequence[Frame]) -> None:
    """Each step with its window of time and the numbers of the frames that prove it."""
    numbered: dict[str, list[int]] = {step.id: [] for step in STEPS}
    for number, frame in enumerate(frames, start=1):
        if frame.step:
            numbered[frame.step].append(number)
    numbered[NEW_VALUE] = polls_around_the_change(frames)
    steps = [
        {
            "id": step.id,
            "title": step.title,
            "from": _utc(frames[numbered[step.id][0] - 1].time),
            "to": _utc(frames[numbered[step.id][-1] - 1].time),
            "src": step.source,
            "dst": step.destination,
            "protocol": step.protocol,
            "finding": step.finding,
            "allowed": step.finding is None,
            "frames": numbered[step.id],
        }
        for step in sorted(STEPS, key=lambda step: numbered[step.id][0])
    ]
    story = {"capture": "waterworks.pcap", "from": _utc(frames[0].time), "to": _utc(frames[-1].time), "steps": steps}
    text = json.dumps(story, indent=1, ensure_ascii=False)
    path.write_text(_short_lists(text) + "\n", encoding="utf-8", newline="\n")


def polls_around_the_change(frames: Sequence[Frame]) -> list[int]:
    """Request and response of SCADA server 1's last poll before the first write, and of its first after the last."""
    writes = [index for index, frame in enumerate(frames) if frame.step == WRITES]
    poll = modbus.read(modbus.READ_HOLDING_REGISTERS, 96, 16)
    scada, plc = (bytes(map(int, station(name).address.split("."))) for name in ("scada-1", "plc-3"))
    requests = [i for i, frame in enumerate(frames) if frame.data.endswith(poll) and scada + plc in frame.data]
    before = max(index for index in requests if index < writes[0])
    after = min(index for index in requests if index > writes[-1])
    answer_length = 9 + 2 * 16
    answers = []
    for request in (before, after):
        answers += [
            request,
            next(
                i
                for i in range(request + 1, len(frames))
                if plc + scada in frames[i].data and len(frames[i].data) >= 58 + answer_length
            ),
        ]
    return [index + 1 for index in answers]


def _utc(at: int) -> str:
    moment = datetime.fromtimestamp(START, UTC) + timedelta(microseconds=at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _short_lists(text: str) -> str:
    """Lists of numbers on one line."""
    lines: list[str] = []
    for line in text.splitlines():
        if lines and lines[-1].lstrip().startswith('"frames": [') and not lines[-1].endswith(("]", "],")):
            lines[-1] += (" " if lines[-1].endswith(",") else "") + line.strip()
        else:
            lines.append(line)
    return "\n".join(lines)
