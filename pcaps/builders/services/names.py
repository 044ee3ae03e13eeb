"""Names and addresses: DNS and its kin, NetBIOS, DHCP."""

from __future__ import annotations

import struct

from builders.office import dns_answer, dns_name, dns_query
from builders.services.hosts import CAMERA, ENGINEERING, SERVER
from builders.tcp import TcpSession
from builders.wire import MILLISECOND, Capture, Station, seconds

DNS, MDNS, LLMNR = 53, 5353, 5355
MDNS_GROUP = Station("224.0.0.251", "01:00:5e:00:00:fb")
LLMNR_GROUP = Station("224.0.0.252", "01:00:5e:00:00:fc")


def _record(name: bytes, kind: int, data: bytes) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 120, len(data)) + data


def dns(capture: Capture) -> None:
    """A name found, one that does not exist, one that nobody answers, and a transfer over TCP."""
    query = dns_query(1, "historian.plant.example")
    capture.udp(0, ENGINEERING, 50_001, SERVER, DNS, query)
    capture.udp(
        2 * MILLISECOND, SERVER, DNS, ENGINEERING, 50_001, dns_answer(1, "historian.plant.example", "192.168.20.7")
    )
    refused = dns_query(2, "wpad.plant.example")
    capture.udp(seconds(1), ENGINEERING, 50_002, SERVER, DNS, refused)
    nxdomain = struct.pack(">HH", 2, 0x8183) + refused[4:]
    capture.udp(seconds(1) + 2 * MILLISECOND, SERVER, DNS, ENGINEERING, 50_002, nxdomain)
    capture.udp(seconds(2), ENGINEERING, 50_003, SERVER, DNS, dns_query(3, "silence.plant.example"))
    session = TcpSession(capture, ENGINEERING, 50_004, SERVER, DNS)
    at = session.open(seconds(3))
    question = struct.pack(">HHHHHH", 4, 0x0100, 1, 0, 0, 0) + dns_name("plant.example") + struct.pack(">HH", 252, 1)
    refusal = struct.pack(">HH", 4, 0x8185) + question[4:]
    at = session.ask(at, struct.pack(">H", len(question)) + question, struct.pack(">H", len(refusal)) + refusal)
    session.close(at + seconds(1))


def mdns(capture: Capture) -> None:
    """A camera tells its neighbours its name, its web page and its model."""
    host, instance = dns_name("camera-7.local"), dns_name("Gate camera._http._tcp.local")
    records = (
        _record(instance, 33, struct.pack(">HHH", 0, 0, 80) + host),
        _record(instance, 16, b"\x0amodel=M-20\x09path=/cam"),
        _record(host, 1, bytes([192, 168, 20, 40])),
    )
    capture.udp(0, CAMERA, MDNS, MDNS_GROUP, MDNS, struct.pack(">HHHHHH", 0, 0x8400, 0, 3, 0, 0) + b"".join(records))
    asked = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + dns_name("_http._tcp.local") + struct.pack(">HH", 12, 1)
    capture.udp(seconds(1), ENGINEERING, MDNS, MDNS_GROUP, MDNS, asked)


def llmnr(capture: Capture) -> None:
    """A host that nobody knows answers for the name that another looks for: what a poisoner does."""
    question = dns_query(7, "fileserver")
    question = question[:2] + b"\x00\x00" + question[4:]
    capture.udp(0, ENGINEERING, 50_010, LLMNR_GROUP, LLMNR, question)
    answer = dns_answer(7, "fileserver", CAMERA.address)
    capture.udp(3 * MILLISECOND, CAMERA, LLMNR, ENGINEERING, 50_010, answer[:2] + b"\x80\x00" + answer[4:])


CAPTURES = (
    ("dns", dns, "DNS: a name found, one unknown, one unanswered, a refused transfer over TCP"),
    ("mdns", mdns, "Multicast DNS: a camera announces itself"),
    ("llmnr", llmnr, "Link-local name resolution: a question and an answer"),
)
