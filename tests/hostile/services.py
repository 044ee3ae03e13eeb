"""What fills the engine's memory by way of services: names without end, half handshakes, questions nobody answers."""

from __future__ import annotations

import runpy
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.hostile.wire import CLIENT, SERVER, Kind, Stream, address, datagram, ethernet

_INITIAL: Final = Path(__file__).resolve().parents[2] / "pcaps" / "builders" / "services" / "initial.py"
_LLDP_GROUP: Final = bytes.fromhex("0180c200000e")
_EVERYBODY: Final = bytes((255, 255, 255, 255))
QUARTER_US: Final = 15 * 60 * 1_000_000


def counted(size: int, octets: bytes) -> bytes:
    """Octets with their length before them."""
    return len(octets).to_bytes(size) + octets


def label(text: bytes, size: int = 63) -> bytes:
    return counted(1, text.rjust(size, b"a")[-size:])


def long_name(number: int) -> bytes:
    """A name of 253 characters."""
    return label(str(number).encode(), 61) + label(b"b") * 3 + b"\0"


def question(number: int, name: bytes) -> bytes:
    return struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name + b"\0\1\0\1"


def dns_names() -> Iterator[bytes]:
    """Ever other names are asked for, and have ever other addresses."""
    for number in count():
        name = label(b"host%d" % number, 12) + b"\7example\0"
        yield datagram((CLIENT, SERVER), (50_000, 53), question(number, name))
        answer = struct.pack(">HHHHHH", number & 0xFFFF, 0x8180, 1, 1, 0, 0) + name + b"\0\1\0\1"
        answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address(number)
        yield datagram((SERVER, CLIENT), (53, 50_000), answer)


def dns_questions() -> Iterator[bytes]:
    """As many questions as one flow may have open, on ever other connections; nobody answers."""
    names = [question(number, long_name(number)) for number in range(64)]
    asked = b"".join(counted(2, name) for name in names)
    for number in count():
        yield Stream((40_000, 53), address(number)).ask(asked)


def dns_pairs() -> Iterator[bytes]:
    """A thousand clients that ask a thousand servers, each of them one."""
    asked = question(7, b"\4plc3\5plant\0")
    for number in count():
        ends = struct.pack(">BBH", 10, 1, number % 1_000), struct.pack(">BBH", 10, 2, number // 1_000 % 1_000)
        yield datagram(ends, (50_000, 53), asked)


def mdns_names() -> Iterator[bytes]:
    """A host announces ever other names of itself."""
    for number in count():
        name = label(b"printer%d" % number, 20) + b"\5local\0"
        answer = struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + name
        answer += b"\0\1\x80\1\0\0\0\x78\0\4" + address(number % 1_000)
        yield datagram((CLIENT, bytes((224, 0, 0, 251))), (5353, 5353), answer)


def _hello(ciphers: int, server: bytes = b"plant.example") -> bytes:
    name = counted(2, counted(2, b"\0" + counted(2, server)))
    numbers = counted(2, counted(2, bytes(range(256)) * 8))
    extensions = b"\0\0" + name + b"\0\x0d" + numbers
    extensions += b"".join(struct.pack(">HH", 0x4000 + number, 0) for number in range(1_000))
    offered = b"".join(struct.pack(">H", number) for number in range(ciphers))
    body = b"\3\3" + bytes(32) + b"\0" + counted(2, offered) + b"\1\0" + counted(2, extensions)
    return b"\x16\3\1" + counted(2, b"\1" + counted(3, body))


def tls_hellos() -> Iterator[bytes]:
    """Hellos that offer everything, on ever other connections; nobody answers."""
    hello = _hello(2_000)
    for number in count():
        yield Stream((40_000, 443), address(number)).ask(hello)


def tls_halves() -> Iterator[bytes]:
    """Certificate chains of 60,000 octets, of which the last part lacks, on ever other connections."""
    server = b"\2" + counted(3, b"\3\3" + bytes(32) + b"\0\xc0\x2f\0")
    chain = b"\x0b" + (60_000).to_bytes(3) + bytes(48_000)
    records = [b"\x16\3\3" + counted(2, part) for part in (server + chain[:16_000], chain[16_000:32_000])]
    last = b"\x16\3\3" + counted(2, chain[32_000:]) + b"\x16\3\3\x40\0" + bytes(16_000)
    hello = _hello(8)
    for number in count():
        stream = Stream((40_000, 443), address(number))
        yield stream.ask(hello)
        for part in (*records, last):
            yield stream.answer(part)


def dtls_halves() -> Iterator[bytes]:
    """The same in datagrams."""

    def fragment(kind: int, sequence: int, whole: int, offset: int, part: bytes) -> bytes:
        body = bytes([kind]) + whole.to_bytes(3) + sequence.to_bytes(2) + offset.to_bytes(3) + counted(3, part)
        return b"\x16\xfe\xfd" + bytes(7) + b"\1" + counted(2, body)

    hello = b"\xfe\xfd" + bytes(32) + b"\0\0" + counted(2, b"\xc0\x2b") + b"\1\0" + counted(2, b"")
    parts = [fragment(11, 0, 60_000, at, bytes(16_000)) for at in (0, 16_000, 32_000)]
    for number in count():
        client = address(number)
        yield datagram((client, SERVER), (40_000, 4433), fragment(1, 0, len(hello), 0, hello))
        for part in parts:
            yield datagram((SERVER, client), (4433, 40_000), part)


def quic_initials() -> Iterator[bytes]:
    """Initial packets of ever other clients with the end of a hello, but for its first octets."""
    packet: Any = runpy.run_path(str(_INITIAL))["packet"]
    connections = [struct.pack(">Q", number) for number in range(4)]
    packets = [
        [
            packet(
                name,
                True,
                at,
                struct.pack(">BHH", 6, 0x4000 | 1 + 1_000 * at, 0x4000 | 1_000) + bytes(1_000),
                (name, b""),
            )
            for at in range(15)
        ]
        for name in connections
    ]
    for number in count():
        for octets in packets[number % len(packets)]:
            yield datagram((address(number), SERVER), (40_000, 443), octets)


def ssh_offers() -> Iterator[bytes]:
    """Both sides offer lists of algorithms of 30,000 octets, on ever other connections, and go no further."""
    lists = counted(4, b"a" * 15_000) * 2 + counted(4, b"b") * 8
    body = b"\4\x14" + bytes(16) + lists + bytes(5) + bytes(4)
    offer = counted(4, body)
    for number in count():
        stream = Stream((40_000, 22), address(number))
        yield stream.ask(b"SSH-2.0-OpenSSH_9.2\r\n" + offer)
        yield stream.answer(b"SSH-2.0-OpenSSH_9.2\r\n" + offer)


def http_heads() -> Iterator[bytes]:
    """Heads that do not end, on ever other connections."""
    start = b"GET / HTTP/1.1\r\nHost: plant.example\r\n" + b"".join(
        b"X-%d: %s\r\n" % (n, b"a" * 90) for n in range(300)
    )
    for number in count():
        yield Stream((40_000, 80), address(number)).ask(start)


def http_requests() -> Iterator[bytes]:
    """As many requests as one connection may have open, on ever other connections; nobody answers."""
    path = b"/" + b"p" * 200
    fields = b"Host: %s\r\nUser-Agent: %s\r\nAuthorization: Basic ZXZhOmV2YQ==\r\n" % (b"h" * 200, b"u" * 250)
    asked = b"".join(b"GET %s/%d?%s HTTP/1.1\r\n%s\r\n" % (path, n, b"n=1&" * 50, fields) for n in range(16))
    for number in count():
        yield Stream((40_000, 80), address(number)).ask(asked)


def _smb2(
    command: int, message: int, body: bytes, *, response: bool = False, status: int = 0, session: int = 1
) -> bytes:
    head = struct.pack(
        "<4sHHIHHIIQIIQ", b"\xfeSMB", 64, 1, status, command, 1, int(response), 0, message, 0, 5, session
    )
    return counted(4, head + bytes(16) + body)


def _create(message: int, name: str) -> bytes:
    wide = name.encode("utf-16-le")
    body = struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 0x12019F, 0, 7, 1, 0, 120, len(wide), 0, 0)
    return _smb2(5, message, body + wide)


def smb_files() -> Iterator[bytes]:
    """A client that opens ever other files and closes none."""
    stream = Stream((40_000, 445))
    for number in count():
        yield stream.ask(_create(number, f"recipes\\{number}".ljust(250, "x")))
        opened = struct.pack("<HBBI32xQQII16sII", 89, 0, 0, 1, 8192, 4711, 0x20, 0, number.to_bytes(16), 0, 0)
        yield stream.answer(_smb2(5, number, opened, response=True))


def smb_requests() -> Iterator[bytes]:
    """Files with long names are asked for by the hundred, on ever other connections; nobody answers."""
    asked = b"".join(_create(number, f"{number}".ljust(255, "x")) for number in range(90))
    for number in count():
        yield Stream((40_000, 445), address(number)).ask(asked)


def ntlm_users() -> Iterator[bytes]:
    """Logins of ever other users from ever other hosts, each refused."""
    stream = Stream((40_000, 445))
    for number in count():
        parts = tuple(f"{word}{number}".encode("utf-16-le") for word in ("DOMAIN", "user", "HOST"))
        texts, at = b"", 72 + 48
        heads = []
        for part in parts:
            heads.append(struct.pack("<HHI", len(part), len(part), at + len(texts)))
            texts += part
        answer = struct.pack("<HHI", 24, 24, 72)
        token = b"NTLMSSP\0" + struct.pack("<I", 3) + answer + answer + b"".join(heads) + bytes(8)
        token += struct.pack("<I", 0x02000001) + bytes(8) + bytes(48) + texts
        body = struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token
        yield stream.ask(_smb2(1, number, body))
        refused = struct.pack("<HHHH", 9, 0, 72, 0)
        yield stream.answer(_smb2(1, number, refused, response=True, status=0xC000006D))


def telnet_line() -> Iterator[bytes]:
    """Lines that do not end, on ever other connections."""
    for number in count():
        stream = Stream((40_000, 23), address(number))
        yield stream.answer(b"\xff\xfd\x18\xff\xfb\x01login: ")
        yield stream.ask(b"\xff\xfb\x18" + b"a" * 8_000)
        yield stream.answer(b"\xff\xfa\x18" + b"b" * 8_000)


def snmp_bindings() -> Iterator[bytes]:
    """Requests of a hundred ever other variables each; nobody answers."""

    def ber(tag: int, *contents: bytes) -> bytes:
        value = b"".join(contents)
        return bytes([tag, 0x82]) + counted(2, value)

    for number in count():
        rows = b"".join(
            ber(0x30, ber(6, b"\x2b\6\1\4\1" + bytes([0x80 | n >> 7 & 0x7F, n & 0x7F])), b"\5\0")
            for n in range(number % 1_000 * 16, number % 1_000 * 16 + 100)
        )
        request = b"\2\4" + struct.pack(">I", number & 0x7FFFFFFF) + b"\2\1\0\2\1\0" + ber(0x30, rows)
        message = ber(0x30, b"\2\1\1\4\6public", ber(0xA3, request))
        yield datagram((CLIENT, SERVER), (50_000 + number % 8, 161), message)


def arp_stations() -> Iterator[bytes]:
    """Questions from ever other stations."""
    for number in count():
        mac = struct.pack(">HI", 0x0200, number)
        question = bytes.fromhex("0806 0001 0800 06 04 0001") + mac + address(number) + bytes(6) + SERVER
        yield bytes([255] * 6) + mac + question


def _dhcp(number: int, options: bytes) -> bytes:
    mac = struct.pack(">HI", 0x0200, number)
    head = struct.pack(">BBBBIHH", 1, 1, 6, 0, number, 0, 0x8000) + bytes(16) + mac.ljust(16, b"\0") + bytes(192)
    message = head + b"\x63\x82\x53\x63\x35\1\1" + options + b"\xff"
    return datagram((bytes(4), _EVERYBODY), (68, 67), message)


def dhcp_starvation() -> Iterator[bytes]:
    """Ever other clients with names of their own ask for an address."""
    for number in count():
        yield _dhcp(number, b"\x0c" + counted(1, b"host%d" % number))


def dhcp_in_ever_other_quarters() -> Iterator[bytes]:
    """Requests with options as long as can be, each in another quarter of an hour."""
    for number in count():
        text = b"%d" % number + b"x" * 240
        options = b"".join(bytes([code]) + counted(1, text) for code in (12, 60, 15, 56, 66, 67, 61, 43, 82, 124, 77))
        yield _dhcp(number % 50_000, options)


def lldp_chassis() -> Iterator[bytes]:
    """Ever other stations that say of themselves as much as they can."""
    for number in count():
        mac = struct.pack(">HI", 0x0200, number)
        text = b"%d " % number + b"x" * 240
        pairs = ((1, b"\4" + mac), (2, b"\7" + text), (3, b"\0\x78"), (4, text), (5, text), (6, text))
        rows = b"".join(struct.pack(">H", kind << 9 | len(value)) + value for kind, value in pairs)
        yield _LLDP_GROUP + mac + b"\x88\xcc" + rows + b"\0\0"


def ospf_routers() -> Iterator[bytes]:
    """Ever other routers greet."""
    for number in count():
        hello = struct.pack(">BBH4s4sHH8s", 2, 1, 44, address(number), bytes(4), 0, 0, bytes(8))
        yield ethernet(89, (address(number), bytes((224, 0, 0, 5))), hello + bytes(20))


KINDS: Final = (
    Kind(dns_names, ("claims_dropped",), 210_000),
    Kind(dns_questions, ("messages_dropped",), 5_000),
    Kind(dns_pairs, ("activities_coalesced",), 200_000),
    Kind(mdns_names, ("claims_dropped",), 110_000),
    Kind(tls_hellos, ("messages_dropped",), 30_000),
    Kind(tls_halves, ("messages_dropped",), 16_000),
    Kind(dtls_halves, ("messages_dropped",), 20_000),
    Kind(quic_initials, ("messages_dropped",), 60_000),
    Kind(ssh_offers, ("messages_dropped",), 8_000),
    Kind(http_heads, ("messages_dropped",), 8_000),
    Kind(http_requests, ("messages_dropped",), 16_000),
    Kind(smb_files, ("activities_coalesced",)),
    Kind(smb_requests, ("messages_dropped",), 4_000),
    Kind(ntlm_users, ("activities_coalesced",)),
    Kind(telnet_line, ("flows",)),
    Kind(snmp_bindings, ("activities_coalesced",)),
    Kind(arp_stations, ("addresses_dropped",), 110_000),
    Kind(dhcp_starvation, ("claims_dropped",), 110_000),
    Kind(dhcp_in_ever_other_quarters, ("flows",), 70_000, QUARTER_US),
    Kind(lldp_chassis, ("claims_dropped",), 40_000),
    Kind(ospf_routers, ("claims_dropped", "activities_coalesced"), 110_000),
)
