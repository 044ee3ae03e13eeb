"""What becomes of connections, and how their services are known: by content, by what was agreed, by the port."""

from __future__ import annotations

import struct
from typing import Final

from builders import modbus
from builders.services.hosts import ENGINEERING, SERVER, SWITCH
from builders.services.logins import FTP, C, S, Script, talk
from builders.tcp import RST, SYN, Side, TcpSession, tcp_segment
from builders.wire import IP_TCP, MILLISECOND, Capture, LinkPath, Station, ethernet, ipv4, seconds

SCTP: Final = 132
VLAN: Final = 120
PAGE: Final = b"GET / HTTP/1.1\r\nHost: plant\r\n\r\n"
EMPTY: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
TLS_RECORD: Final = b"\x17\x03\x03\x00\x20" + bytes(range(32))
IEC104_VALUE: Final = bytes.fromhex("680e04000200 010103000100 050000 01".replace(" ", ""))
FINS_READ: Final = bytes.fromhex("80000200010000020007 0101 8200640000 01".replace(" ", ""))
HART_SESSION: Final = bytes.fromhex("0100000000 02000d 0100007530".replace(" ", ""))


def connections(capture: Capture) -> None:
    """A port each: what is asked for and what becomes of it."""
    refused = TcpSession(capture, ENGINEERING, 51_001, SERVER, 8081)
    refused.refuse(0)
    capture.ip(seconds(0.1), ENGINEERING, SERVER, IP_TCP, _syn(ENGINEERING, 51_002, SERVER, 8082))
    scanned = TcpSession(capture, ENGINEERING, 51_003, SERVER, 8083)
    scanned.probe_open(seconds(0.2))
    idle = TcpSession(capture, ENGINEERING, 51_004, SERVER, 8084)
    idle.open(seconds(0.3))
    _web(capture, 51_005, 80, ends=True)
    _web(capture, 51_006, 9999, ends=False)
    broken = TcpSession(capture, ENGINEERING, 51_007, SERVER, 80)
    broken.send(broken.open(seconds(0.6)), C, PAGE)
    capture.ip(seconds(0.7), SERVER, ENGINEERING, IP_TCP, _reset(SERVER, 80, ENGINEERING, 51_007))
    _turned(capture)
    _tagged(capture)
    _older(capture)
    capture.udp(seconds(1.0), ENGINEERING, 51_020, SERVER, 4444, b"who are you")
    capture.udp(seconds(1.1), ENGINEERING, 51_021, SWITCH, 161, b"no message of this protocol")
    capture.udp(seconds(1.2), ENGINEERING, 51_022, SERVER, 9700, FINS_READ)
    capture.udp(seconds(1.3), SERVER, 9700, ENGINEERING, 51_022, b"\xc0" + FINS_READ[1:12] + b"\x00\x00\x00\x07")
    capture.udp(seconds(1.4), ENGINEERING, 51_023, SERVER, 5094, HART_SESSION)
    capture.ip(seconds(1.5), ENGINEERING, SERVER, SCTP, struct.pack(">HHII", 36_412, 38_412, 0, 0))
    _files(capture)


def _web(capture: Capture, port: int, server_port: int, *, ends: bool) -> None:
    session = TcpSession(capture, ENGINEERING, port, SERVER, server_port)
    at = session.ask(session.open(seconds(0.4)), PAGE, EMPTY)
    if ends:
        session.close(at + MILLISECOND)


def _turned(capture: Capture) -> None:
    """Whoever listened asks."""
    session = TcpSession(capture, SERVER, 51_013, ENGINEERING, 80)
    at = session.send(session.open(seconds(0.75)), S, PAGE)
    session.close(session.send(at + MILLISECOND, C, EMPTY) + MILLISECOND)


def _tagged(capture: Capture) -> None:
    """The same, in a virtual network, one way only."""
    segment = _syn(ENGINEERING, 51_010, SERVER, modbus.PORT)
    packet = ipv4(ENGINEERING.address, SERVER.address, IP_TCP, segment, ttl=64, identification=7)
    capture.raw(seconds(0.8), ethernet(LinkPath(ENGINEERING.mac, SERVER.mac, vlan=VLAN), 0x0800, packet))


def _older(capture: Capture) -> None:
    """Connections that are older than the capture."""
    for port, server_port, side, payload in ((51_011, 4443, C, TLS_RECORD), (51_012, 2404, S, IEC104_VALUE)):
        session = TcpSession(capture, ENGINEERING, port, SERVER, server_port)
        session.send(seconds(0.9), side, payload)


def _files(capture: Capture) -> None:
    """Two files, one fetched from where the server listens, one sent to where the client does; a stranger's connection."""
    script: Script = (
        (S, b"220 FTP server ready\r\n"),
        (C, b"USER anonymous\r\n"),
        (S, b"230 Welcome\r\n"),
        (C, b"PASV\r\n"),
        (S, b"227 Entering Passive Mode (192,168,20,5,200,1)\r\n"),
        (C, b"RETR plc.bin\r\n"),
        (S, b"226 Done\r\n"),
        (C, b"PORT 192,168,20,10,201,1\r\n"),
        (S, b"200 OK\r\n"),
        (C, b"RETR log.txt\r\n"),
        (S, b"226 Done\r\n"),
    )
    talk(capture, 51_030, SERVER, FTP, script, start=seconds(2))
    passive, active = 200 << 8 | 1, 201 << 8 | 1
    for client, port, server, server_port, start in (
        (SWITCH, 51_032, SERVER, passive, 2.52),
        (ENGINEERING, 51_031, SERVER, passive, 2.53),
        (SERVER, 20, ENGINEERING, active, 2.95),
    ):
        session = TcpSession(capture, client, port, server, server_port)
        at = session.send(session.open(seconds(start)), Side.SERVER if port != 20 else Side.CLIENT, b"octets of a file")
        session.close(at + MILLISECOND)


def _syn(source: Station, port: int, destination: Station, destination_port: int) -> bytes:
    return tcp_segment(
        source, port, destination, destination_port, sequence=7, acknowledgement=0, flags=SYN, window=1024
    )


def _reset(source: Station, port: int, destination: Station, destination_port: int) -> bytes:
    return tcp_segment(source, port, destination, destination_port, sequence=7, acknowledgement=0, flags=RST, window=0)


CAPTURES = (
    (
        "connections",
        connections,
        "Connections refused, unanswered, scanned, broken and ended, and services on odd ports",
    ),
)
