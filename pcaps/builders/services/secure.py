"""Encrypted sessions and remote access: TLS and its kin, SSH, the remote desktop, tunnels, remote-support products."""

from __future__ import annotations

import struct

from builders.services import initial
from builders.services.hosts import CAMERA, ENGINEERING, SERVER
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, Capture, Station, seconds

VENDOR = Station("198.51.100.20", "00:1b:17:00:20:01")
"""A host of a maker, behind the plant's firewall."""
GATE = Station("192.168.20.1", "00:1b:17:00:20:01")
"""The firewall itself."""

CHANGE = b"\x14\x03\x03\x00\x01\x01"
ESP, AH = 50, 51


def counted(size: int, contents: bytes) -> bytes:
    """Octets with their length before them."""
    return len(contents).to_bytes(size) + contents


def pairs(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2) for number in numbers)


def record(kind: int, contents: bytes) -> bytes:
    return bytes([kind, 3, 3]) + counted(2, contents)


def message(kind: int, contents: bytes) -> bytes:
    return bytes([kind]) + counted(3, contents)


def extension(kind: int, contents: bytes) -> bytes:
    return kind.to_bytes(2) + counted(2, contents)


def client_hello(
    name: str, *, protocols: bytes = b"", versions: bytes = b"\x03\x04\x03\x03", cookie: bytes = b""
) -> bytes:
    """The body of a hello; the one of DTLS has a cookie."""
    extensions = [
        extension(0, counted(2, b"\0" + counted(2, name.encode()))) if name else b"",
        extension(10, counted(2, pairs(0x001D, 0x0017))),
        extension(13, counted(2, pairs(0x0403, 0x0804, 0x0401))),
        extension(16, counted(2, protocols)) if protocols else b"",
        extension(43, counted(1, versions)) if versions else b"",
    ]
    ciphers = pairs(0x1301, 0x1302, 0xC02B, 0xC02F, 0x009C, 0x002F)
    version = b"\xfe\xfd" if cookie else b"\x03\x03"
    return (
        version + bytes(range(32)) + b"\0" + cookie + counted(2, ciphers) + b"\1\0" + counted(2, b"".join(extensions))
    )


def server_hello(cipher: int, extensions: bytes = b"", version: bytes = b"\x03\x03") -> bytes:
    return version + bytes(range(32, 64)) + b"\0" + cipher.to_bytes(2) + b"\0" + counted(2, extensions)


def der(tag: int, *contents: bytes) -> bytes:
    whole = b"".join(contents)
    if len(whole) < 0x80:
        return bytes([tag, len(whole)]) + whole
    return bytes([tag, 0x82]) + counted(2, whole)


def certificate(subject: str, issuer: str, *names: str) -> bytes:
    """A certificate from 2024 to 2034, with a key and a signature of nothing but zeros."""

    def name(common: str) -> bytes:
        organisation = der(0x31, der(0x30, der(6, b"\x55\x04\x0a"), der(0x0C, b"Plant Works")))
        return der(0x30, organisation, der(0x31, der(0x30, der(6, b"\x55\x04\x03"), der(0x0C, common.encode()))))

    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    validity = der(0x30, der(0x17, b"240301000000Z"), der(0x17, b"340301000000Z"))
    key = der(0x30, der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5)), der(3, bytes(65)))
    alternatives = der(0x30, *(der(0x82, other.encode()) for other in names))
    extensions = der(0xA3, der(0x30, der(0x30, der(6, b"\x55\x1d\x11"), der(4, alternatives)))) if names else b""
    serial = der(2, b"\x5a\x09\x77")
    body = der(
        0x30, der(0xA0, der(2, b"\2")), serial, algorithm, name(issuer), validity, name(subject), key, extensions
    )
    return der(0x30, body, algorithm, der(3, bytes(65)))


def _tls_1_2(session: TcpSession, at: int, hello: bytes, chain: bytes) -> int:
    """The handshake; the server's flight goes over several records."""
    at = session.send(at, Side.CLIENT, record(22, message(1, hello))) + 5 * MILLISECOND
    flight = message(2, server_hello(0xC02F)) + message(11, counted(3, counted(3, chain))) + message(14, b"")
    records = b"".join(record(22, flight[part : part + 300]) for part in range(0, len(flight), 300))
    at = session.send(at, Side.SERVER, records) + 5 * MILLISECOND
    finished = CHANGE + record(22, bytes(40))
    return session.ask(at, record(22, message(16, bytes(66))) + finished, finished)


def tls(capture: Capture) -> None:
    """A device's own certificate, a session of 1.3, one that is refused, one to a product for remote support."""
    session = TcpSession(capture, ENGINEERING, 50_201, CAMERA, 443)
    hello = client_hello("camera-7.plant.example", protocols=b"\x02h2\x08http/1.1")
    at = _tls_1_2(session, session.open(0), hello, certificate("camera-7", "camera-7", "camera-7.local", "camera-7"))
    session.close(session.ask(at, record(23, bytes(200)), record(23, bytes(900))))
    session = TcpSession(capture, ENGINEERING, 50_202, SERVER, 8443)
    taken = record(22, message(2, server_hello(0x1301, extension(43, b"\x03\x04")))) + CHANGE + record(23, bytes(1800))
    at = session.ask(session.open(seconds(1)), record(22, message(1, client_hello("erp.plant.example"))), taken)
    session.close(session.ask(at, CHANGE + record(23, bytes(53)) + record(23, bytes(120)), record(23, bytes(400))))
    session = TcpSession(capture, CAMERA, 50_203, SERVER, 8883)
    old = client_hello("", versions=b"")
    session.close(session.ask(session.open(seconds(2)), record(22, message(1, old)), b"\x15\x03\x01\x00\x02\x02\x46"))
    session = TcpSession(capture, ENGINEERING, 50_204, VENDOR, 443)
    chain = certificate("*.teamviewer.com", "Public authority", "*.teamviewer.com")
    session.close(_tls_1_2(session, session.open(seconds(3)), client_hello("router7.teamviewer.com"), chain))


def dtls(capture: Capture) -> None:
    """A handshake asked for again with a cookie, a certificate in two fragments."""

    def datagram(kind: int, epoch: int, contents: bytes) -> bytes:
        return bytes([kind]) + b"\xfe\xfd" + struct.pack(">H6x", epoch) + counted(2, contents)

    def fragment(kind: int, number: int, whole: bytes, start: int, end: int) -> bytes:
        part = whole[start:end]
        sizes = len(whole).to_bytes(3) + number.to_bytes(2) + start.to_bytes(3) + len(part).to_bytes(3)
        return datagram(22, 0, bytes([kind]) + sizes + part)

    def send(at: int, up: bool, octets: bytes) -> None:
        ends = ((ENGINEERING, 50_210), (CAMERA, 5684))
        (source, port), (target, other) = ends if up else ends[::-1]
        capture.udp(at * MILLISECOND, source, port, target, other, octets)

    for number, cookie in enumerate((b"\0", b"\x04food")):
        hello = client_hello("camera-7", versions=b"", cookie=cookie)
        send(20 * number, True, fragment(1, number, hello, 0, len(hello)))
        if number == 0:
            send(5, False, fragment(3, 0, b"\xfe\xff\x04food", 0, 7))
    answer = server_hello(0xC02B, version=b"\xfe\xfd")
    chain = counted(3, counted(3, certificate("camera-7", "camera-7")))
    send(25, False, fragment(2, 1, answer, 0, len(answer)))
    send(26, False, fragment(11, 2, chain, 0, 250))
    send(27, False, fragment(11, 2, chain, 250, len(chain)))
    send(40, True, datagram(23, 1, bytes(60)))


def quic(capture: Capture) -> None:
    """A hello whose halves come in the wrong order, the server's answer, and data."""
    connection, client, server = bytes.fromhex("8394c8f03e515708"), b"", b"server-7"
    hello = message(1, client_hello("historian.plant.example", protocols=b"\x02h3", versions=b"\x03\x04"))

    def crypto(start: int, octets: bytes) -> bytes:
        return struct.pack(">BHH", 6, 0x4000 | start, 0x4000 | len(octets)) + octets

    def send(at: int, up: bool, octets: bytes) -> None:
        ends = ((ENGINEERING, 50_220), (SERVER, 443))
        (source, port), (target, other) = ends if up else ends[::-1]
        capture.udp(at * MILLISECOND, source, port, target, other, octets)

    for number, frames in enumerate((crypto(80, hello[80:]), crypto(0, hello[:80]))):
        send(number, True, initial.packet(connection, True, number, frames, (connection, client)))
    taken = crypto(0, message(2, server_hello(0x1301, extension(43, b"\x03\x04"))))
    send(5, False, initial.packet(connection, False, 0, b"\x02\x01\x00\x00\x01" + taken, (client, server)))
    send(8, True, b"\x45" + server + bytes(30))


def ssh(capture: Capture) -> None:
    """A session after a greeting, and a switch that speaks the first version only."""

    def packet(kind: int, contents: bytes) -> bytes:
        return counted(4, bytes([4, kind]) + contents + bytes(4))

    def offer(*lists: str) -> bytes:
        names = (lists[0], lists[1], lists[2], lists[2], lists[3], lists[3], "none", "none", "", "")
        return packet(20, bytes(16) + b"".join(counted(4, name.encode()) for name in names) + bytes(5))

    session = TcpSession(capture, ENGINEERING, 50_230, SERVER, 22)
    at = session.open(0)
    at = session.send(
        at + MILLISECOND, Side.SERVER, b"Authorised use only.\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u5\r\n"
    )
    at = session.send(at + MILLISECOND, Side.CLIENT, b"SSH-2.0-PuTTY_Release_0.78\r\n")
    mine = offer(
        "curve25519-sha256,diffie-hellman-group14-sha1", "ssh-ed25519", "aes256-ctr,aes128-cbc", "hmac-sha2-256"
    )
    theirs = offer(
        "diffie-hellman-group14-sha1,curve25519-sha256", "rsa-sha2-512,ssh-ed25519", "aes256-ctr", "hmac-sha2-256"
    )
    at = session.ask(at + MILLISECOND, mine, theirs)
    keys = packet(21, b"")
    at = session.ask(at + MILLISECOND, packet(30, counted(4, bytes(32))), packet(31, bytes(200)) + keys)
    session.close(session.ask(at + MILLISECOND, keys + bytes(64), bytes(range(96))))
    session = TcpSession(capture, ENGINEERING, 50_231, CAMERA, 2222)
    session.close(session.ask(session.open(seconds(1)), b"SSH-1.5-PuTTY\n", b"SSH-1.99-Cisco-1.25\n"))


def rdp(capture: Capture) -> None:
    """With NLA over TLS, refused, and with standard security; then over datagrams."""

    def connect(code: int, variable: bytes) -> bytes:
        unit = bytes([6 + len(variable), code]) + bytes(5) + variable
        return b"\x03\x00" + (len(unit) + 4).to_bytes(2) + unit

    def conference(tag: int, key: bytes, blocks: bytes) -> bytes:
        inside = b"\x04\x01\x01" + key + (0x8000 | len(blocks)).to_bytes(2) + blocks
        data = b"\x02\xf0\x80\x7f" + bytes([tag, 0x82]) + counted(2, inside)
        return b"\x03\x00" + (len(data) + 4).to_bytes(2) + data

    def block(kind: int, contents: bytes) -> bytes:
        return struct.pack("<HH", kind, len(contents) + 4) + contents

    cookie = b"Cookie: mstshash=PLANT\\eva\r\n"
    session = TcpSession(capture, ENGINEERING, 50_240, SERVER, 3389)
    at = session.open(0)
    at = session.ask(at, connect(0xE0, cookie + b"\1\0\x08\0\x0b\0\0\0"), connect(0xD0, b"\2\x1f\x08\0\x02\0\0\0"))
    at = _tls_1_2(session, at, client_hello("", versions=b""), certificate("HMI-SRV", "HMI-SRV"))
    session.close(session.ask(at, record(23, bytes(120)), record(23, bytes(300))))
    session = TcpSession(capture, ENGINEERING, 50_241, SERVER, 3389)
    at = session.open(seconds(1))
    session.close(session.ask(at, connect(0xE0, cookie + b"\1\0\x08\0\0\0\0\0"), connect(0xD0, b"\3\0\x08\0\5\0\0\0")))
    session = TcpSession(capture, ENGINEERING, 50_242, CAMERA, 13_389)
    at = session.ask(
        session.open(seconds(2)), connect(0xE0, b"\1\0\x08\0\0\0\0\0"), connect(0xD0, b"\2\0\x08\0\0\0\0\0")
    )
    name = "ENG-STATION-7".encode("utf-16-le").ljust(32, b"\0")
    core = bytes(12) + struct.pack("<II", 1031, 7601) + name + bytes(20)
    security = struct.pack("<IIII", 2, 2, 0, 0)
    asked = conference(0x65, b"Duca", block(0xC001, core) + block(0xC002, struct.pack("<II", 0x1B, 0)))
    session.close(session.ask(at, asked, conference(0x66, b"McDn", block(0x0C02, security))))
    syn = b"\xff\xff\xff\xff\0\x40\x18\x01" + bytes(range(40)) + bytes(1184)
    capture.udp(seconds(3), ENGINEERING, 50_243, SERVER, 3389, syn)
    answer = b"\x0b\x12\x7f\x15\0\x40\x10\x05" + bytes(1224)
    capture.udp(seconds(3) + 2 * MILLISECOND, SERVER, 3389, ENGINEERING, 50_243, answer)


def tunnels(capture: Capture) -> None:
    """WireGuard, OpenVPN over UDP and TCP, IPsec, L2TP, PPTP."""
    at = seconds(0)

    def both(port: int, target: int, asked: bytes, answered: bytes) -> None:
        nonlocal at
        capture.udp(at, ENGINEERING, port, VENDOR, target, asked)
        capture.udp(at + 20 * MILLISECOND, VENDOR, target, ENGINEERING, port, answered)
        at += seconds(1)

    both(50_250, 51_820, b"\1\0\0\0" + bytes(144), b"\2\0\0\0" + bytes(88))
    session, time = b"session7", bytes.fromhex("00000001659a3c00")
    both(50_251, 1194, b"\x38" + session + bytes(range(20)) + time + bytes(5), b"\x40" + session + bytes(60))
    stream = TcpSession(capture, ENGINEERING, 50_252, VENDOR, 443)
    answer = b"\x40" + session + b"\1" + bytes(4) + session + bytes(4)
    stream.close(stream.ask(stream.open(at), counted(2, b"\x38" + session + bytes(5)), counted(2, answer)))
    at += seconds(1)

    def payload(following: int, contents: bytes) -> bytes:
        return bytes([following, 0]) + (len(contents) + 4).to_bytes(2) + contents

    def exchange(responder: bytes, first: int, version: int, kind: int, payloads: bytes) -> bytes:
        header = b"initiate" + responder + bytes([first, version, kind, 0x08 if version == 0x20 else 0])
        return header + struct.pack(">II", 0, 28 + len(payloads)) + payloads

    attributes = pairs(0x8001, 5, 0x8004, 2, 0x8003, 1)
    transform = payload(0, b"\1\1\0\0" + attributes)
    association = pairs(0, 1, 0, 1) + payload(0, b"\1\1\0\1" + transform)
    asked = exchange(bytes(8), 1, 0x10, 4, payload(5, association) + payload(0, b"\x0b\x11\x01\xf4service"))
    both(50_253, 500, asked, exchange(b"response", 1, 0x10, 4, payload(0, association)))
    proposal = payload(0, b"\1\1\0\2" + payload(3, b"\1\0\0\x14" + pairs(0x800E, 256)) + payload(0, b"\4\0\0\x1f"))
    asked = exchange(bytes(8), 33, 0x20, 34, payload(0, proposal))
    both(50_254, 500, asked, exchange(b"response", 41, 0x20, 34, payload(0, b"\0\0\0\x0e")))
    both(4500, 4500, struct.pack(">II", 0xC0DE0001, 1) + bytes(60), struct.pack(">II", 0xC0DE0002, 1) + bytes(60))
    capture.ip(at, GATE, VENDOR, ESP, struct.pack(">II", 0xC0DE0003, 9) + bytes(60))
    capture.ip(at + MILLISECOND, GATE, VENDOR, AH, b"\x04\x04\0\0" + struct.pack(">II", 0xC0DE0004, 9) + bytes(40))
    at += seconds(1)

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack(">HHH", 0x8000 | len(value) + 6, 0, kind) + value

    def control(kind: int, name: bytes) -> bytes:
        attributes = attribute(0, bytes([0, kind])) + attribute(7, name) + attribute(8, b"Plant Works")
        return b"\xc8\x02" + (len(attributes) + 12).to_bytes(2) + bytes(8) + attributes

    both(1701, 1701, control(1, b"eng-station-7"), control(2, b"vendor-gate"))
    stream = TcpSession(capture, ENGINEERING, 50_255, VENDOR, 1723)

    def point(kind: int, name: bytes) -> bytes:
        start = b"\0\x9c\0\1\x1a\x2b\x3c\x4d" + kind.to_bytes(2)
        return start + bytes(18) + name.ljust(64, b"\0") + b"Plant Works".ljust(64, b"\0")

    stream.close(stream.ask(stream.open(at), point(1, b"eng-station-7"), point(2, b"vendor-gate")))


def access(capture: Capture) -> None:
    """A proxy that leads to a controller, and products for remote support."""
    session = TcpSession(capture, ENGINEERING, 50_260, SERVER, 1080)
    at = session.ask(session.open(0), b"\5\2\0\2", b"\5\2")
    at = session.ask(at, b"\1\x03eva\x05admin", b"\1\0")
    asked = b"\5\1\0\3" + counted(1, b"plc-7.plant.example") + (102).to_bytes(2)
    session.close(session.ask(at, asked, b"\5\0\0\1\xc0\xa8\x14\x05\x04\x38"))
    session = TcpSession(capture, ENGINEERING, 50_261, SERVER, 1080)
    session.close(session.ask(session.open(seconds(1)), b"\4\1\1\xf6\xc0\xa8\x14\x07eva\0", b"\0\x5b" + bytes(6)))
    session = TcpSession(capture, ENGINEERING, 50_262, VENDOR, 5938)
    session.close(
        session.ask(session.open(seconds(2)), b"\x17\x24\x0a\x20" + bytes(36), b"\x17\x24\x11\x20" + bytes(20))
    )
    session = TcpSession(capture, VENDOR, 50_263, SERVER, 4899)
    session.close(session.ask(session.open(seconds(3)), b"\1\0\0\0\1\0\0\0\x08\x08", b"\1\0\0\0\x25" + bytes(40)))
    registered = b"\x32\x0d\x0a\x09123456789\x10\x01"
    capture.udp(seconds(4), ENGINEERING, 50_264, VENDOR, 21_116, registered)
    capture.udp(seconds(4) + 20 * MILLISECOND, VENDOR, 21_116, ENGINEERING, 50_264, b"\x3a\0")


CAPTURES = (
    ("tls", tls, "TLS: a device's own certificate, version 1.3, a refusal, remote support"),
    ("dtls", dtls, "DTLS: a handshake with a cookie and fragments"),
    ("quic", quic, "QUIC: a hello in the wrong order, and its answer"),
    ("ssh", ssh, "SSH: a session, and one of the first version"),
    ("rdp", rdp, "Remote desktop: NLA over TLS, a refusal, standard security, datagrams"),
    ("tunnels", tunnels, "WireGuard, OpenVPN, IPsec, L2TP and PPTP"),
    ("access", access, "SOCKS, TeamViewer, Radmin and RustDesk"),
)
