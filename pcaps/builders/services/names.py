"""Names, addresses and time: DNS and its kin, NetBIOS, DHCP, NTP."""

from __future__ import annotations

import struct

from builders.office import dns_answer, dns_name, dns_query
from builders.services.hosts import CAMERA, ENGINEERING, SERVER, SWITCH
from builders.tcp import TcpSession
from builders.wire import BROADCAST_MAC, MILLISECOND, Capture, Station, ip_bytes, mac_bytes, seconds

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


NETBIOS_NS, NETBIOS_DGM = 137, 138
EVERYBODY = Station("192.168.20.255", BROADCAST_MAC)
LIMITED = Station("255.255.255.255", BROADCAST_MAC)
NOBODY = Station("0.0.0.0", ENGINEERING.mac)


def _netbios(name: str, suffix: int) -> bytes:
    octets = name.ljust(15).encode() + bytes([suffix])
    return b"\x20" + bytes(0x41 + half for octet in octets for half in (octet >> 4, octet & 15)) + b"\x00"


def netbios(capture: Capture) -> None:
    """A host registers its name and its domain, is looked for, lists its names, and announces itself to browsers."""

    def register(at: float, name: bytes, flags: int) -> None:
        head = struct.pack(">HHHHHH", 7, 0x2910, 1, 0, 0, 1)
        data = struct.pack(">HHIHH4s", 32, 1, 0, 6, flags, ip_bytes(SERVER.address))
        message = head + name + struct.pack(">HH", 32, 1) + b"\xc0\x0c" + data
        capture.udp(seconds(at), SERVER, NETBIOS_NS, EVERYBODY, NETBIOS_NS, message)

    for number in range(3):
        register(0.25 * number, _netbios("HISTORIAN", 0x20), 0x0000)
    register(1, _netbios("PLANT", 0x00), 0x8000)
    question = struct.pack(">HHHHHH", 9, 0x0110, 1, 0, 0, 0) + _netbios("HISTORIAN", 0x20) + struct.pack(">HH", 32, 1)
    capture.udp(seconds(2), ENGINEERING, NETBIOS_NS, EVERYBODY, NETBIOS_NS, question)
    answer = struct.pack(">HHHHHH", 9, 0x8500, 0, 1, 0, 0) + _netbios("HISTORIAN", 0x20)
    answer += struct.pack(">HHIHH4s", 32, 1, 300, 6, 0, ip_bytes(SERVER.address))
    capture.udp(seconds(2) + 500, SERVER, NETBIOS_NS, ENGINEERING, NETBIOS_NS, answer)
    everything = b"\x20CK" + b"A" * 30 + b"\x00"
    status = struct.pack(">HHHHHH", 11, 0, 1, 0, 0, 0) + everything + struct.pack(">HH", 33, 1)
    capture.udp(seconds(3), ENGINEERING, 50_137, SERVER, NETBIOS_NS, status)
    names = b"\x02" + b"HISTORIAN      \x00\x04\x00" + b"PLANT          \x00\x84\x00" + mac_bytes(SERVER.mac)
    listed = struct.pack(">HHHHHH", 11, 0x8400, 0, 1, 0, 0) + everything + struct.pack(">HHIH", 33, 1, 0, len(names))
    capture.udp(seconds(3) + 500, SERVER, NETBIOS_NS, ENGINEERING, 50_137, listed + names)
    for number in range(2):
        _announce(capture, seconds(4 + 720 * number), 20 + number)


def _announce(capture: Capture, at: int, number: int) -> None:
    said = (
        struct.pack("<BBI16sBBIBBH", 1, 0, 720_000, b"HISTORIAN", 6, 1, 0x0005_1003, 15, 1, 0xAA55) + b"Plant data\x00"
    )
    mailslot = b"\\MAILSLOT\\BROWSE\x00"
    place = 32 + 1 + 34 + 2 + len(mailslot)
    words = struct.pack("<HHHHBBHIHHHHHBBHHH", 0, len(said), 0, 0, 0, 0, 0, 0, 0, 0, 0, len(said), place, 3, 0, 1, 0, 2)
    smb = b"\xffSMB\x25" + bytes(27) + b"\x11" + words + struct.pack("<H", len(mailslot + said)) + mailslot + said
    names = _netbios("HISTORIAN", 0x20) + _netbios("PLANT", 0x1D)
    head = struct.pack(">BBH4sHHH", 0x11, 2, number, ip_bytes(SERVER.address), 138, len(names + smb), 0)
    capture.udp(at, SERVER, NETBIOS_DGM, EVERYBODY, NETBIOS_DGM, head + names + smb)


def _dhcp(op: int, given: str, options: tuple[tuple[int, bytes], ...]) -> bytes:
    head = struct.pack(">BBBBIHH", op, 1, 6, 0, 0x1234_5678, 0, 0x8000)
    addresses = bytes(4) + ip_bytes(given) + bytes(8)
    values = b"".join(bytes([code, len(value)]) + value for code, value in options)
    return (
        head
        + addresses
        + mac_bytes(ENGINEERING.mac).ljust(16, b"\x00")
        + bytes(192)
        + b"\x63\x82\x53\x63"
        + values
        + b"\xff"
    )


def dhcp(capture: Capture) -> None:
    """A host is given an address, and a second server offers another; then version 6."""
    asked = (
        (12, b"eng-1"),
        (60, b"MSFT 5.0"),
        (61, b"\x01" + mac_bytes(ENGINEERING.mac)),
        (55, bytes([1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 121, 249, 252])),
    )
    capture.udp(0, NOBODY, 68, LIMITED, 67, _dhcp(1, "0.0.0.0", ((53, b"\x01"), *asked)))
    for at, server, given in ((100, SERVER, ENGINEERING.address), (130, CAMERA, "192.168.20.200")):
        told = (
            (54, ip_bytes(server.address)),
            (51, struct.pack(">I", 86_400)),
            (3, ip_bytes(server.address)),
            (6, ip_bytes(server.address)),
            (15, b"plant.example"),
        )
        capture.udp(at * MILLISECOND, server, 67, LIMITED, 68, _dhcp(2, given, ((53, b"\x02"), *told)))
        if server is SERVER:
            capture.udp(300 * MILLISECOND, server, 67, LIMITED, 68, _dhcp(2, given, ((53, b"\x05"), *told)))
    chosen = (
        (50, ip_bytes(ENGINEERING.address)),
        (54, ip_bytes(SERVER.address)),
        (81, b"\x00\x00\x00eng-1.plant.example"),
    )
    capture.udp(200 * MILLISECOND, NOBODY, 68, LIMITED, 67, _dhcp(1, "0.0.0.0", ((53, b"\x03"), *asked, *chosen)))
    duid = b"\x00\x01\x00\x01\x2a\x00\x00\x00" + mac_bytes(ENGINEERING.mac)
    options = ((1, duid), (16, b"\x00\x00\x01\x37\x00\x08MSFT 5.0"), (39, b"\x00" + dns_name("eng-1")))
    solicit = b"\x01\x00\x00\x07" + b"".join(struct.pack(">HH", code, len(value)) + value for code, value in options)
    capture.udp(seconds(1), ENGINEERING, 546, LIMITED, 547, solicit)


def ntp(capture: Capture) -> None:
    """A host asks for the time, is told to go away, hears a broadcast, and asks a server about itself."""

    def message(first: int, stratum: int, reference: bytes, origin: int, transmitted: int) -> bytes:
        return struct.pack(">BBBbII4sQQQQ", first, stratum, 6, -20, 0, 0, reference, 0, origin, 0, transmitted)

    for number, (stratum, reference) in enumerate(((1, b"GPS\x00"), (1, b"GPS\x00"), (0, b"RATE"))):
        at = seconds(64 * number)
        capture.udp(at, ENGINEERING, 123, SERVER, 123, message(0x23, 0, bytes(4), 0, 900 + number))
        capture.udp(at + 800, SERVER, 123, ENGINEERING, 123, message(0x24, stratum, reference, 900 + number, 7))
    capture.udp(seconds(5), SWITCH, 123, EVERYBODY, 123, message(0x25, 3, ip_bytes(SERVER.address), 0, 8))
    capture.udp(seconds(6), ENGINEERING, 50_123, SERVER, 123, struct.pack(">BBHHHHH", 0x16, 2, 1, 0, 0, 0, 0))
    said = b'version="ntpd 4.2.8p15@1.3728-o", processor="x86_64", system="Linux/5.10.0"'
    answer = struct.pack(">BBHHHHH", 0x16, 0x82, 1, 0, 0, 0, len(said)) + said
    capture.udp(seconds(6) + 700, SERVER, 123, ENGINEERING, 50_123, answer)
    capture.udp(seconds(7), CAMERA, 50_124, SERVER, 123, b"\x17\x00\x03\x2a" + bytes(4))


CAPTURES = (
    ("dns", dns, "DNS: a name found, one unknown, one unanswered, a refused transfer over TCP"),
    ("mdns", mdns, "Multicast DNS: a camera announces itself"),
    ("netbios", netbios, "NetBIOS: names registered, asked for and listed; an announcement to browsers"),
    ("dhcp", dhcp, "DHCP: an address given, a second server's offer; version 6"),
    ("ntp", ntp, "NTP: time given and refused, a broadcast, a server asked about itself, a list of peers asked for"),
    ("llmnr", llmnr, "Link-local name resolution: a question and an answer"),
)
