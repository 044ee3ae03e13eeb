"""What stations say to their neighbours: LLDP, CDP, spanning trees, rings, clocks, ARP, 802.1X, PROFINET DCP."""

from __future__ import annotations

import struct

from builders.services.hosts import CAMERA, ENGINEERING, SERVER, SWITCH
from builders.wire import (
    BROADCAST_MAC,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    LINUX,
    MILLISECOND,
    SHORTEST_FRAME,
    Capture,
    LinkPath,
    Station,
    arp,
    ethernet,
    ip_bytes,
    ipv4,
    mac_bytes,
    seconds,
)

ROOT = Station("192.168.20.1", "00:0e:8c:20:20:01", LINUX)
CONTROLLER = Station("192.168.20.21", "00:1b:1b:20:20:21")
QUARTER = 15 * 60
LLDP_GROUP, STP_GROUP, PVST_GROUP = "01:80:c2:00:00:0e", "01:80:c2:00:00:00", "01:00:0c:cc:cc:cd"
CISCO_GROUP, SLOW_GROUP, PAE_GROUP = "01:00:0c:cc:cc:cc", "01:80:c2:00:00:02", "01:80:c2:00:00:03"
PTP_GROUP, MRP_GROUP, PRP_GROUP = "01:1b:19:00:00:00", "01:15:4e:00:00:01", "01:15:4e:00:01:00"
DCP_GROUP = "01:0e:cf:00:00:00"
SNAP_CISCO = b"\xaa\xaa\x03\x00\x00\x0c"


def _frame(capture: Capture, at: int, source: Station, destination: str, ethertype: int, payload: bytes) -> None:
    capture.raw(at, ethernet(LinkPath(source.mac, destination), ethertype, payload))


def _llc(capture: Capture, at: int, source: Station, destination: str, payload: bytes) -> None:
    head = mac_bytes(destination) + mac_bytes(source.mac) + struct.pack(">H", len(payload))
    capture.raw(at, head + payload + bytes(max(0, SHORTEST_FRAME - len(head) - len(payload))))


def _lldp_tlv(kind: int, value: bytes) -> bytes:
    return struct.pack(">H", kind << 9 | len(value)) + value


def _cisco_tlv(kind: int, value: bytes) -> bytes:
    return struct.pack(">HH", kind, len(value) + 4) + value


def lldp(capture: Capture) -> None:
    """A switch says the same for twenty minutes; a controller says its parts."""
    identity = (
        _lldp_tlv(1, b"\x04" + mac_bytes(SWITCH.mac)),
        _lldp_tlv(2, b"\x07port-003"),
        _lldp_tlv(3, struct.pack(">H", 120)),
    )
    switch = (
        _lldp_tlv(5, b"hall-switch"),
        _lldp_tlv(
            6,
            b"Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: Version 4, FW: Version V04.05, S VPA1234567",
        ),
        _lldp_tlv(7, struct.pack(">HH", 0x0014, 0x0004)),
        _lldp_tlv(8, b"\x05\x01" + ip_bytes(SWITCH.address) + b"\x02\x00\x00\x00\x01\x00"),
        _lldp_tlv(127, b"\x00\x80\xc2\x01" + struct.pack(">H", 20)),
        _lldp_tlv(127, b"\x00\x0e\xcf\x05" + mac_bytes(SWITCH.mac)),
        _lldp_tlv(0, b""),
    )
    for number in range(40):
        _frame(capture, seconds(30 * number), SWITCH, LLDP_GROUP, 0x88CC, b"".join(identity + switch))
    controller = (
        _lldp_tlv(1, b"\x07plc-north"),
        _lldp_tlv(2, b"\x07port-001"),
        _lldp_tlv(3, struct.pack(">H", 20)),
        _lldp_tlv(127, b"\x00\x12\xbb\x08S C-X4U302912014"),
        _lldp_tlv(127, b"\x00\x12\xbb\x0aCPU 1215C"),
        _lldp_tlv(0, b""),
    )
    _frame(capture, seconds(5), CONTROLLER, LLDP_GROUP, 0x88CC, b"".join(controller))


def cdp(capture: Capture) -> None:
    """A switch announces itself, hands VLANs on, and offers a trunk."""
    tlvs = (
        _cisco_tlv(1, b"core-1.plant.example"),
        _cisco_tlv(2, b"\x00\x00\x00\x01\x01\x01\xcc\x00\x04" + ip_bytes(SWITCH.address)),
        _cisco_tlv(3, b"GigabitEthernet1/0/7"),
        _cisco_tlv(4, struct.pack(">I", 0x29)),
        _cisco_tlv(5, b"Cisco IOS Software, C3750E Software (C3750E-UNIVERSALK9-M), Version 15.0(2)SE11"),
        _cisco_tlv(6, b"cisco WS-C3750X-24P"),
        _cisco_tlv(9, b"plant"),
        _cisco_tlv(10, struct.pack(">H", 20)),
        _cisco_tlv(11, b"\x01"),
    )
    snap = SNAP_CISCO + b"\x20\x00"
    for number in range(3):
        _llc(capture, seconds(60 * number), SWITCH, CISCO_GROUP, snap + b"\x02\xb4\x00\x00" + b"".join(tlvs))
    summary = b"\x02\x01\x00\x05" + b"plant".ljust(32, b"\x00") + struct.pack(">I", 41) + ip_bytes(SWITCH.address)
    _llc(capture, seconds(1), SWITCH, CISCO_GROUP, SNAP_CISCO + b"\x20\x03" + summary + bytes(28))
    trunk = b"\x01" + _cisco_tlv(1, b"plant\x00") + _cisco_tlv(2, b"\x03") + _cisco_tlv(3, b"\xa5")
    trunk += _cisco_tlv(4, mac_bytes(SWITCH.mac))
    _llc(capture, seconds(2), SWITCH, CISCO_GROUP, SNAP_CISCO + b"\x20\x04" + trunk)


def _bpdu(flags: int, root: Station, cost: int, bridge: Station) -> bytes:
    ends = struct.pack(">H", 0x8000) + mac_bytes(root.mac), struct.pack(">H", 0x8000) + mac_bytes(bridge.mac)
    ages = struct.pack(">HHHH", 0, 20 << 8, 2 << 8, 15 << 8)
    return bytes([flags]) + ends[0] + struct.pack(">I", cost) + ends[1] + struct.pack(">H", 0x8001) + ages


def stp(capture: Capture) -> None:
    """A bridge below its root for twenty minutes, a change of the tree, a tree of one VLAN, a region."""
    rapid = b"\x42\x42\x03\x00\x00\x02\x02" + _bpdu(0x3C, ROOT, 20000, SWITCH) + b"\x00"
    for number in range(600):
        _llc(capture, seconds(2 * number), SWITCH, STP_GROUP, rapid)
    _llc(capture, seconds(7), SWITCH, STP_GROUP, b"\x42\x42\x03\x00\x00\x00\x80")
    plain = b"\x42\x42\x03\x00\x00\x00\x00" + _bpdu(0x01, ROOT, 0, ROOT)
    _llc(capture, seconds(8), ROOT, STP_GROUP, plain)
    vlan = SNAP_CISCO + b"\x01\x0b\x00\x00\x02\x02" + _bpdu(0x3C, ROOT, 4, SWITCH) + b"\x00\x00\x00\x00\x02\x00\x14"
    _llc(capture, seconds(9), SWITCH, PVST_GROUP, vlan)
    region = b"\x00\x40\x00" + b"plant".ljust(32, b"\x00") + bytes(22) + b"\x80\x00" + mac_bytes(CAMERA.mac) + b"\x14"
    _llc(
        capture,
        seconds(10),
        CAMERA,
        STP_GROUP,
        b"\x42\x42\x03\x00\x00\x03\x02" + _bpdu(0, ROOT, 0, ROOT) + b"\x00" + region,
    )


def arp_kinds(capture: Capture) -> None:
    """A question and its answer, a probe, an announcement, and a second owner of the server's address."""

    def ask(at: float, operation: int, sender: Station, ip: str, target: str, to: str = BROADCAST_MAC) -> None:
        body = arp(operation, sender.mac, ip, "00:00:00:00:00:00", target)
        _frame(capture, seconds(at), sender, to, ETHERTYPE_ARP, body)

    for number in range(3):
        ask(number, 1, ENGINEERING, ENGINEERING.address, SERVER.address)
    ask(0.001, 2, SERVER, SERVER.address, ENGINEERING.address, ENGINEERING.mac)
    ask(4, 1, CAMERA, "0.0.0.0", CAMERA.address)
    ask(5, 1, CAMERA, CAMERA.address, CAMERA.address)
    ask(6, 2, CAMERA, SERVER.address, ENGINEERING.address, ENGINEERING.mac)


def lacp(capture: Capture) -> None:
    """A switch bundles ports with another."""

    def end(kind: int, station: Station) -> bytes:
        return (
            bytes([kind, 20]) + struct.pack(">H6sHHHB", 0x8000, mac_bytes(station.mac), 13, 0x8000, 22, 0x3D) + bytes(3)
        )

    body = b"\x01\x01" + end(1, SWITCH) + end(2, ROOT) + b"\x03\x10" + bytes(66)
    for number in range(3):
        _frame(capture, seconds(30 * number), SWITCH, SLOW_GROUP, 0x8809, body)
    _frame(capture, seconds(31), SWITCH, SLOW_GROUP, 0x8809, b"\x02\x01\x01\x10" + bytes(46))


def ptp(capture: Capture) -> None:
    """A grandmaster for twenty minutes, whose clock gets worse; one follows it; one is managed."""
    clock = b"\x00\x0e\x8c\xff\xfe\x20\x20\x02"

    def message(kind: int, number: int, body: bytes) -> bytes:
        head = struct.pack(">BBHBBHQI", kind, 2, 34 + len(body), 0, 0, 0, number, 0)
        return head + clock + struct.pack(">HHBB", 1, number & 0xFFFF, 5, 0) + body

    for number in range(600):
        at, time = seconds(2 * number), struct.pack(">HII", 0, number, 7 * number)
        quality = struct.pack(">hBBBBHB8sHB", 37, 0, 128, 6 if number < 500 else 7, 0x21, 0x4E5D, 128, clock, 0, 0x20)
        _frame(capture, at, SWITCH, PTP_GROUP, 0x88F7, message(0x0B, number, time + quality))
        _frame(capture, at + MILLISECOND, SWITCH, PTP_GROUP, 0x88F7, message(0, number, time))
    group = Station("224.0.1.129", "01:00:5e:00:01:81")
    capture.udp(seconds(3), CONTROLLER, 319, group, 319, message(1, 9, bytes(10)))
    capture.udp(
        seconds(4), ENGINEERING, 320, group, 320, message(0x0D, 9, b"\xff" * 10 + b"\x01\x01\x01\x00" + bytes(6))
    )


def mrp(capture: Capture) -> None:
    """A ring is closed, opens when a link breaks, and closes again."""

    def message(tlv: bytes, number: int) -> bytes:
        return b"\x00\x01" + tlv + struct.pack(">BBH", 1, 18, number) + b"\xff" * 16 + bytes(2)

    for number in range(100):
        state = 0 if 40 <= number < 60 else 1
        head = struct.pack(">BBH6sHHHI", 2, 18, 0x8000, mac_bytes(SWITCH.mac), 1, state, 1, 20 * number)
        _frame(capture, 20 * MILLISECOND * number, SWITCH, MRP_GROUP, 0x88E3, message(head, number))
    down = struct.pack(">BB6sHHH", 4, 12, mac_bytes(CAMERA.mac), 0, 20, 1)
    _frame(capture, 790 * MILLISECOND, CAMERA, MRP_GROUP, 0x88E3, message(down, 1))


def redundancy(capture: Capture) -> None:
    """Nodes of PRP and HSR, and a packet behind the tag of HSR."""

    def supervision(number: int, kind: int, node: Station) -> bytes:
        return struct.pack(">HHBB6s", 1, number, kind, 6, mac_bytes(node.mac)) + bytes(2)

    for number in range(5):
        _frame(capture, seconds(2 * number), CONTROLLER, PRP_GROUP, 0x88FB, supervision(number, 20, CONTROLLER))
        tag = struct.pack(">HHH", 0x1000 | 20, number, 0x88FB)
        _frame(capture, seconds(2 * number + 1), CAMERA, PRP_GROUP, 0x892F, tag + supervision(number, 23, CAMERA))
    question = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x09historian\x00\x00\x01\x00\x01"
    datagram = struct.pack(">HHHH", 50_007, 53, 8 + len(question), 0) + question
    packet = ipv4(CAMERA.address, SERVER.address, 17, datagram, ttl=64, identification=7)
    tag = struct.pack(">HHH", len(packet) + 6, 9, ETHERTYPE_IPV4)
    _frame(capture, seconds(3.5), CAMERA, SERVER.mac, 0x892F, tag + packet)


def eapol(capture: Capture) -> None:
    """A machine says its name, is offered a method, and is let in; another is refused."""

    def eap(code: int, number: int, data: bytes) -> bytes:
        body = struct.pack(">BBH", code, number, 4 + len(data)) + data
        return struct.pack(">BBH", 1, 0, len(body)) + body

    story = (
        (0.0, ENGINEERING, PAE_GROUP, b"\x01\x01\x00\x00"),
        (0.1, SWITCH, ENGINEERING.mac, eap(1, 1, b"\x01")),
        (0.2, ENGINEERING, PAE_GROUP, eap(2, 1, b"\x01host/eng-1.plant.example")),
        (0.3, SWITCH, ENGINEERING.mac, eap(1, 2, b"\x19\x20")),
        (0.4, ENGINEERING, PAE_GROUP, eap(2, 2, b"\x19\x00")),
        (0.9, SWITCH, ENGINEERING.mac, eap(3, 2, b"")),
        (5.0, SWITCH, CAMERA.mac, eap(4, 7, b"")),
    )
    for at, source, destination, payload in story:
        _frame(capture, seconds(at), source, destination, 0x888E, payload)


def profinet(capture: Capture) -> None:
    """Stations are looked for; one is given a name, refuses an address, and exchanges process data."""

    def dcp(frame: int, service: int, kind: int, blocks: bytes) -> bytes:
        return struct.pack(">HBBIHH", frame, service, kind, 7, 0, len(blocks)) + blocks

    def block(option: int, suboption: int, value: bytes) -> bytes:
        return struct.pack(">BBH", option, suboption, len(value)) + value + bytes(len(value) % 2)

    said = (
        block(2, 1, b"\x00\x00S7-1200") + block(2, 2, b"\x00\x00plc-north") + block(2, 3, b"\x00\x00\x00\x2a\x01\x0d")
    )
    said += block(2, 4, b"\x00\x00\x02\x00")
    said += block(1, 2, b"\x00\x01" + ip_bytes(CONTROLLER.address) + b"\xff\xff\xff\x00" + ip_bytes(ROOT.address))
    name = block(2, 2, b"\x00\x01plc-south")
    address = block(1, 2, b"\x00\x01" + ip_bytes("192.168.20.99") + b"\xff\xff\xff\x00" + bytes(4))
    story = (
        (0.0, ENGINEERING, DCP_GROUP, dcp(0xFEFE, 5, 0, b"\xff\xff\x00\x00")),
        (0.1, CONTROLLER, ENGINEERING.mac, dcp(0xFEFF, 5, 1, said)),
        (1.0, ENGINEERING, CONTROLLER.mac, dcp(0xFEFD, 4, 0, name)),
        (1.1, CONTROLLER, ENGINEERING.mac, dcp(0xFEFD, 4, 1, b"\x05\x04\x00\x03\x02\x02\x00\x00")),
        (2.0, ENGINEERING, CONTROLLER.mac, dcp(0xFEFD, 4, 0, address)),
        (2.1, CONTROLLER, ENGINEERING.mac, dcp(0xFEFD, 4, 1, b"\x05\x04\x00\x03\x01\x02\x06\x00")),
        (3.0, ENGINEERING, CONTROLLER.mac, struct.pack(">H", 0x8001) + bytes(40)),
    )
    for at, source, destination, payload in story:
        _frame(capture, seconds(at), source, destination, 0x8892, payload)


CAPTURES = (
    ("lldp", lldp, "LLDP: a switch for twenty minutes, a controller with the parts of LLDP-MED"),
    ("cdp", cdp, "CDP, VTP and DTP of one switch"),
    ("stp", stp, "Spanning trees: rapid for twenty minutes, a change, plain, of a VLAN, of a region"),
    ("arp", arp_kinds, "ARP: each kind, and two owners of one address"),
    ("lacp", lacp, "Link aggregation, and a marker"),
    ("ptp", ptp, "PTP: a grandmaster for twenty minutes, over Ethernet and UDP, and a management message"),
    ("mrp", mrp, "MRP: a ring closed, open, closed"),
    ("redundancy", redundancy, "PRP and HSR: supervision, and a packet behind the tag of HSR"),
    ("eapol", eapol, "802.1X: one let in, one refused"),
    ("profinet-dcp", profinet, "PROFINET DCP: found, named, an address refused, process data"),
)
