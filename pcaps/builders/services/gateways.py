"""Secrets on the way to those who let others in: TACACS and TACACS+, OpenVPN, the key exchange of IPsec, L2TP.

What these protect is sealed, as a rule; here it also stands in the clear, as it does where protection is switched off.
"""

from __future__ import annotations

import hashlib
import struct
from itertools import count

from builders.services.hosts import ENGINEERING, SECRET, SERVER, SWITCH
from builders.services.logins import C, S, Script, talk
from builders.services.secrets import HASH, SHORT
from builders.services.secure import AH, ESP, GATE, VENDOR, counted, pairs, record
from builders.wire import MILLISECOND, Capture, seconds

TACACS, OPENVPN, IKE, NAT, L2TP = 49, 1194, 500, 4500, 1701
DIGEST = hashlib.sha1(SECRET).digest()
KEY = b"shared-by-both"
AUTHENTICATION, AUTHORIZATION, ACCOUNTING = 1, 2, 3
IN_CLEAR = 0x01
"""The flag of a body that is not obfuscated (RFC 8907, 4.1)."""


def obfuscated(head: bytes, body: bytes) -> bytes:
    """RFC 8907, 4.5."""
    seed = head[4:8] + KEY + head[:1] + head[2:3]
    pad = last = b""
    while len(pad) < len(body):
        last = hashlib.md5(seed + last).digest()
        pad += last
    return bytes(one ^ other for one, other in zip(body, pad, strict=False))


def tacacs_plus(kind: int, number: int, body: bytes, *, clear: bool = True, minor: int = 0) -> bytes:
    head = struct.pack(">BBBBII", 0xC0 | minor, kind, number, IN_CLEAR if clear else 0, 0x5EC0_0001, len(body))
    return head + (body if clear else obfuscated(head, body))


def tacacs(capture: Capture) -> None:
    """Logins by a dialogue and at once, a command with a password in it, all in the clear and obfuscated; RFC 1492."""

    def start(kind: int, data: bytes) -> bytes:
        """A login at privilege 1 of `kind`: 1 is a dialogue, 2 PAP, 3 CHAP, 5 MS-CHAP."""
        texts = (b"eva", b"tty1", b"192.168.20.10", data)
        return struct.pack(">BBBB4B", 1, 1, kind, 1, *map(len, texts)) + b"".join(texts)

    def reply(status: int, message: bytes, data: bytes = b"") -> bytes:
        return struct.pack(">BBHH", status, 1, len(message), len(data)) + message + data

    def told(message: bytes, data: bytes = b"") -> bytes:
        return struct.pack(">HHB", len(message), len(data), 0) + message + data

    def arguments(head: bytes, *texts: bytes) -> bytes:
        names = (b"eva", b"tty1", b"192.168.20.10")
        lengths = bytes((*map(len, names), len(texts), *map(len, texts)))
        return head + lengths + b"".join((*names, *texts))

    command = (b"service=shell", b"cmd=username", b"cmd-arg=eva", b"cmd-arg=secret", b"cmd-arg=" + SECRET)
    asked = arguments(b"\x06\x0f\x01\x01", *command)
    accounted = arguments(b"\x02\x06\x0f\x01\x01", b"task_id=7", *command)
    granted = (
        struct.pack(">BBHH", 1, 1, len(SECRET), len(SECRET))
        + bytes([8 + len(SECRET)])
        + SECRET * 2
        + b"password="
        + SECRET
    )
    dialogue = ((1, start(1, b"")), (2, reply(5, b"Password: ")), (3, told(SECRET)), (4, reply(2, SECRET, SECRET)))
    at_once = tuple(
        ((1, start(kind, data)), (2, reply(1, b"", SECRET)))
        for kind, data in (
            (2, SECRET),
            (3, b"\x07" + SECRET + b"!" + HASH),
            (5, b"\x07" + SHORT + DIGEST * 2 + b"123456789"),
        )
    )
    change = ((1, start(1, b"")), (2, reply(3, b"Old password: ")), (3, told(SECRET, SECRET)), (4, reply(4, SECRET)))
    port = count(51_600)
    for at, clear in enumerate((True, False)):
        for number, exchange in enumerate((dialogue, change, *at_once)):
            script: Script = tuple(
                (C if step % 2 else S, tacacs_plus(AUTHENTICATION, step, body, clear=clear, minor=number > 1))
                for step, body in exchange
            )
            talk(capture, next(port), SERVER, TACACS, script, start=seconds(20 * at + 2 * number))
        for number, kind, body, answer in (
            (6, AUTHORIZATION, asked, granted),
            (7, ACCOUNTING, accounted, struct.pack(">HHB", len(SECRET), 0, 2) + SECRET),
        ):
            script = ((C, tacacs_plus(kind, 1, body, clear=clear)), (S, tacacs_plus(kind, 2, answer, clear=clear)))
            talk(capture, next(port), SERVER, TACACS, script, start=seconds(20 * at + 2 * number))
    # The first protocol of the name: user and password behind the head, in the clear (RFC 1492, 3.2).
    simple = struct.pack(">BBHBBBB", 0, 1, 7, 3, len(SECRET), 0, 0) + b"eva" + SECRET
    extended = (
        struct.pack(">BBHBBBBI4sHHIH", 0x80, 1, 8, 3, len(SECRET), 0, 0, 0, bytes(4), 23, 1, 0, 0) + b"eva" + SECRET
    )
    for number, datagram in enumerate((simple, extended)):
        here = seconds(40 + number)
        capture.udp(here, SWITCH, 51_620, SERVER, TACACS, datagram)
        capture.udp(
            here + MILLISECOND,
            SERVER,
            TACACS,
            SWITCH,
            51_620,
            bytes([datagram[0], 2]) + datagram[2:4] + b"\0\0\1\0" + datagram[8:26],
        )


def openvpn(capture: Capture) -> None:
    """A key exchange without a cipher, with its user and password; each protection; a shared key; the management."""
    session, peer, time = b"session7", b"session8", bytes.fromhex("00000001659a3c00")
    ports = count(51_640)
    at = 0

    def both(asked: bytes, answered: bytes, target: int = OPENVPN) -> None:
        nonlocal at
        port = next(ports)
        capture.udp(at, ENGINEERING, port, VENDOR, target, asked)
        capture.udp(at + 20 * MILLISECOND, VENDOR, target, ENGINEERING, port, answered)
        at += seconds(1)

    def control(number: int, contents: bytes) -> bytes:
        return b"\x20" + session + b"\0" + number.to_bytes(4) + contents

    def text(value: bytes) -> bytes:
        return counted(2, value + b"\0")

    # Key method 2, sent over TLS: keys, options, user, password, what the peer is.
    method = (
        bytes(4) + b"\x02" + (SECRET * 8)[:112] + text(b"V4,dev-type tun,link-mtu 1541") + text(b"eva") + text(SECRET)
    )
    method += text(b"IV_VER=2.6.3\nIV_SSO=" + SECRET + b"\n")
    pushed = record(23, b"PUSH_REPLY,route 10.20.0.0 255.255.0.0,auth-token " + SECRET + b"\0")
    reset, answer = b"\x38" + session + bytes(5), b"\x40" + peer + b"\1" + bytes(4) + session + bytes(4)
    port = next(ports)
    datagrams = (
        (True, reset),
        (False, answer),
        (True, control(1, record(23, method))),
        (False, control(1, pushed)),
        (True, control(2, record(23, b"AUTH_FAILED," + SECRET + b"\0"))),
    )
    for place, (forward, datagram) in enumerate(datagrams):
        here = 20 * place * MILLISECOND
        if forward:
            capture.udp(here, ENGINEERING, port, VENDOR, OPENVPN, datagram)
        else:
            capture.udp(here, VENDOR, OPENVPN, ENGINEERING, port, datagram)
    at += seconds(1)
    both(
        b"\x38" + session + DIGEST + time + bytes(5),
        b"\x40" + peer + DIGEST + time + b"\1" + bytes(4) + session + bytes(4),
    )
    both(b"\x38" + session + time + (SECRET * 3)[:37], b"\x40" + peer + time + (SECRET * 4)[:49])
    both(b"\x50" + session + time + SECRET * 24 + (300).to_bytes(2), b"\x40" + peer + time + SECRET * 3)
    # A key of both and nothing else: a digest, a packet without a cipher. Then data of a session without one.
    inner = b"\x45\0" + bytes(18) + b"USER eva\r\nPASS " + SECRET + b"\r\n"
    both(DIGEST + time + inner, DIGEST + time + inner)
    both(b"\x30" + inner, b"\x30" + inner)
    both(b"\x48\0\0\7" + bytes(4) + inner, b"\x48\0\0\7" + bytes(4) + inner)
    stream = (
        (C, counted(2, reset)),
        (S, counted(2, answer)),
        (C, counted(2, control(1, record(23, method)))),
        (S, counted(2, control(1, pushed))),
    )
    talk(capture, next(ports), VENDOR, 443, stream, start=at)
    management: Script = (
        (S, b">INFO:OpenVPN Management Interface Version 5\r\nENTER PASSWORD:"),
        (C, SECRET + b"\r\n"),
        (S, b"SUCCESS: password is correct\r\n>PASSWORD:Need 'Auth' username/password\r\n"),
        (C, b'username "Auth" eva\r\npassword "Auth" "' + SECRET + b'"\r\n'),
        (S, b">PASSWORD:Auth-Token:" + SECRET + b"\r\n"),
    )
    talk(capture, next(ports), SERVER, 7505, management, start=at + seconds(2))


def ike(capture: Capture) -> None:
    """Aggressive mode with identities and the hash of a key; a login behind it; version 2; payloads not encrypted."""
    ports = count(51_660)
    at = 0

    def both(asked: bytes, answered: bytes, target: int = IKE) -> None:
        nonlocal at
        port = next(ports)
        capture.udp(at, ENGINEERING, port, VENDOR, target, asked)
        capture.udp(at + 20 * MILLISECOND, VENDOR, target, ENGINEERING, port, answered)
        at += seconds(1)

    def message(version: int, kind: int, *payloads: tuple[int, bytes], first: bool = False, flags: int = 0) -> bytes:
        """`payloads` are types and contents; each names the type of the next."""
        following = (*(kind for kind, _ in payloads[1:]), 0)
        body = b"".join(
            bytes([after, 0]) + (len(contents) + 4).to_bytes(2) + contents
            for after, (_, contents) in zip(following, payloads, strict=True)
        )
        head = b"initiate" + (bytes(8) if first else b"response") + bytes([payloads[0][0], version, kind, flags])
        return head + struct.pack(">II", 0 if first else 7, 28 + len(body)) + body

    def item(contents: bytes) -> bytes:
        return b"\0\0" + (len(contents) + 4).to_bytes(2) + contents

    offer = pairs(0, 1, 0, 1) + item(b"\1\1\0\1" + item(b"\1\1\0\0" + pairs(0x8001, 5, 0x8004, 2, 0x8003, 1)))
    key, nonce = (SECRET * 9)[:128], SECRET + b"!"
    # Identities: a group by its name, a user, a host (RFC 2407, 4.6.2).
    for identity in (
        b"\x0b\x11\x01\xf4service",
        b"\x03\x11\x01\xf4eva@plant.example",
        b"\x02\0\0\0eng-1.plant.example",
    ):
        asked = message(
            0x10,
            4,
            (1, offer),
            (4, key),
            (10, nonce),
            (5, identity),
            (13, bytes.fromhex("09002689dfd6b712")),
            first=True,
        )
        theirs = message(
            0x10, 4, (1, offer), (4, key), (10, nonce), (5, b"\x02\0\0\0gate.example"), (8, HASH), (8, SECRET)
        )
        both(asked, theirs)
        both(asked, message(0x10, 5, (11, pairs(0, 1) + b"\1\0\0\x18" + SECRET)))

    # The login behind it (XAUTH): user name and password as attributes, in the clear and sealed.
    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack(">HH", kind, len(value)) + value

    login = b"\2\0\0\7" + attribute(16_521, b"eva") + attribute(16_522, SECRET) + attribute(16_524, SECRET)
    for flags in (0, 1):
        both(
            message(0x10, 6, (8, HASH), (14, b"\1\0\0\7" + pairs(16_521, 0, 16_522, 0)), flags=flags),
            message(0x10, 6, (8, HASH), (14, login), flags=flags),
        )
    # Main mode: the last two messages, as a device sends them that does not encrypt.
    both(
        message(0x10, 2, (5, b"\x03\0\0\0eva"), (8, DIGEST), (9, SECRET * 8)),
        message(0x10, 2, (5, b"\1\0\0\0\xc6\x33\x64\x14"), (8, SECRET)),
    )

    chosen = item(b"\1\1\0\2" + b"\3\0\0\x0c\1\0\0\x14" + pairs(0x800E, 256) + item(b"\4\0\0\x1f"))
    cookie = (41, b"\0\0\x40\x06" + SECRET)
    asked = message(0x20, 34, (33, chosen), (34, pairs(31, 0) + key), (40, nonce), cookie, first=True, flags=8)
    both(asked, message(0x20, 34, (33, chosen), (34, pairs(31, 0) + key), (40, nonce), flags=0x20))
    both(asked, message(0x20, 34, (41, b"\0\0\0\x18" + SECRET), flags=0x20))
    user, gate = (35, b"\3\0\0\0eva@plant.example"), (36, b"\2\0\0\0gate.example")
    proven = (39, b"\2\0\0\0" + HASH + SECRET)
    both(
        message(0x20, 35, user, gate, proven, flags=8),
        message(0x20, 35, gate, proven, (41, b"\0\0\0\x18" + SECRET), flags=0x20),
    )
    # Passwords by EAP: a card's word, a challenge and its answer, the settings that a client is sent.
    card = b"\2\1" + (5 + len(SECRET)).to_bytes(2) + b"\6" + SECRET
    digest = b"\2\2\0\x16\4\x10" + SECRET + b"!"
    both(
        message(0x20, 35, (48, card), flags=8), message(0x20, 35, (48, b"\1\2\0\x16\4\x10" + SECRET + b"!"), flags=0x20)
    )
    both(
        message(0x20, 35, (48, digest), flags=8),
        message(0x20, 35, (47, b"\2\0\0\0" + attribute(0x4001, SECRET)), flags=0x20),
    )
    both(message(0x20, 35, (46, SECRET * 5), flags=8), message(0x20, 35, (46, SECRET * 5), flags=0x20))
    both(
        bytes(4) + message(0x20, 35, user, proven, flags=8),
        bytes(4) + message(0x20, 35, (46, SECRET * 3), flags=0x20),
        NAT,
    )
    # Packets that are told from changed ones, and not encrypted (RFC 2410).
    inner = b"USER eva\r\nPASS " + SECRET + b"\r\n" + DIGEST[:12]
    both(struct.pack(">II", 0xC0DE0011, 1) + inner, struct.pack(">II", 0xC0DE0012, 1) + inner, NAT)
    capture.ip(at, GATE, VENDOR, ESP, struct.pack(">II", 0xC0DE0013, 9) + inner)
    capture.ip(
        at + MILLISECOND, GATE, VENDOR, AH, b"\x11\x04\0\0" + struct.pack(">II", 0xC0DE0014, 9) + DIGEST[:12] + inner
    )
    at += seconds(1)

    # L2TP: a challenge of the tunnel, a login that is passed on, one over the link (RFC 2661, 4.4).
    def told(kind: int, value: bytes) -> bytes:
        return struct.pack(">HHH", 0x8000 | len(value) + 6, 0, kind) + value

    def tunnel(kind: int, *attributes: bytes) -> bytes:
        contents = told(0, bytes([0, kind])) + b"".join(attributes)
        return b"\xc8\x02" + (len(contents) + 12).to_bytes(2) + bytes(8) + contents

    names = told(7, b"eng-station-7") + told(8, b"Plant Works")
    both(tunnel(1, names, told(11, SECRET)), tunnel(2, names, told(11, SECRET), told(13, SECRET + b"!")), L2TP)
    both(
        tunnel(12, told(30, b"eva"), told(31, SECRET), told(33, SECRET)), tunnel(4, told(1, b"\0\2\0\6" + SECRET)), L2TP
    )
    link = b"\xff\x03\xc0\x23\1\7" + (6 + 3 + len(SECRET)).to_bytes(2) + counted(1, b"eva") + counted(1, SECRET)
    both(
        b"\x00\x02\0\7\0\7" + link,
        b"\x00\x02\0\7\0\7\xff\x03\xc0\x23\3\7" + (5 + len(SECRET)).to_bytes(2) + counted(1, SECRET),
        L2TP,
    )


CAPTURES = (
    ("secrets-tacacs", tacacs, "Secrets in TACACS and TACACS+: logins, a change, a command; in the clear and obfuscated"),
    ("secrets-openvpn", openvpn, "Secrets in OpenVPN: the exchange without a cipher, each protection, a shared key, the management"),
    ("secrets-ike", ike, "Secrets in IKE of both versions, in packets without a cipher, and in L2TP"),
)  # fmt: skip
