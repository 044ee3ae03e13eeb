"""Messages, logs and databases: MQTT, syslog, MS SQL, MySQL, PostgreSQL, RADIUS."""

from __future__ import annotations

import struct

from builders.services.hosts import SECRET, SERVER, SWITCH
from builders.services.logins import C, S, Script, talk
from builders.wire import MILLISECOND, Capture, seconds

SYSLOG, MSSQL, RADIUS, MQTT, MYSQL, POSTGRESQL = 514, 1433, 1812, 1883, 3306, 5432


def _text(octets: bytes) -> bytes:
    return struct.pack(">H", len(octets)) + octets


def mqtt(capture: Capture) -> None:
    """A sensor connects with a password, subscribes and publishes."""
    body = _text(b"MQTT") + b"\x04\xc6\x00\x3c" + _text(b"sensor-7") + _text(b"plant/gone") + _text(SECRET)
    body += _text(b"eva") + _text(SECRET)
    subscribe = b"\x00\x01" + _text(b"plant/#") + b"\x00"
    publish = _text(b"plant/line3/speed") + SECRET
    script: Script = (
        (C, bytes([0x10, len(body)]) + body),
        (S, b"\x20\x02\x00\x00"),
        (C, bytes([0x82, len(subscribe)]) + subscribe),
        (S, b"\x90\x03\x00\x01\x00"),
        (C, bytes([0x30, len(publish)]) + publish),
        (S, bytes([0x30, len(publish)]) + publish),
        (C, b"\xe0\x00"),
    )
    talk(capture, 50_300, SERVER, MQTT, script)


def syslog(capture: Capture) -> None:
    """Messages of both standards, and over TCP."""
    capture.udp(0, SWITCH, 50_310, SERVER, SYSLOG, b"<36>Mar  2 08:00:00 switch-1 sshd[7]: password " + SECRET)
    text = b"<165>1 2026-03-02T08:00:01Z plc-3.plant.example runtime - ID47 - " + SECRET
    capture.udp(seconds(1), SWITCH, 50_310, SERVER, SYSLOG, text)
    framed = b"%d " % len(text) + text
    talk(capture, 50_311, SERVER, SYSLOG, ((C, framed),), start=seconds(2))


def _tds(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBHHBB", kind, 1, 8 + len(body), 0, 1, 0) + body


def mssql(capture: Capture) -> None:
    """A login to SQL Server that is refused."""
    options = b"\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff"
    prelogin = options + b"\x0f\x00\x07\xd0\x00\x00\x02"
    hidden = bytes((octet << 4 & 0xF0 | octet >> 4) ^ 0xA5 for octet in SECRET.decode().encode("utf-16-le"))
    texts = [word.encode("utf-16-le") for word in ("eng-10", "sa", "", "Historian", "SQL1", "", "ODBC", "", "plant")]
    texts[2] = hidden
    table, data = b"", b""
    for text in texts:
        table += struct.pack("<HH", 94 + len(data), len(text) // 2)
        data += text
    login = struct.pack("<II", 94 + len(data), 0x74000004) + bytes(28) + table + bytes(22) + data
    message = "Login failed for user 'sa'.".encode("utf-16-le")
    error = struct.pack("<IBBH", 18456, 1, 14, len(message) // 2) + message + bytes(6)
    refused = b"\xaa" + struct.pack("<H", len(error)) + error + b"\xfd\x02\x00" + bytes(10)
    script: Script = ((C, _tds(0x12, prelogin)), (S, _tds(4, prelogin)), (C, _tds(0x10, login)), (S, _tds(4, refused)))
    talk(capture, 50_320, SERVER, MSSQL, script)


def _mysql(number: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def mysql(capture: Capture) -> None:
    """A login to MySQL with the password in the clear."""
    greeting = b"\x0a5.7.33-0ubuntu0.18.04.1\x00\x07\x00\x00\x00saltsalt\x00\xff\xf7\x08\x02\x00\xff\x81\x15" + bytes(
        10
    )
    password = SECRET + b"\x00"
    attributes = b"\x03_os\x05Linux\x0cprogram_name\x09historian"
    login = struct.pack("<IIB", 0x0018_8208, 1 << 24, 8) + bytes(23) + b"eva\x00" + bytes([len(password)]) + password
    login += b"plant\x00mysql_clear_password\x00" + bytes([len(attributes)]) + attributes
    script: Script = (
        (S, _mysql(0, greeting)),
        (C, _mysql(1, login)),
        (S, _mysql(2, b"\x00\x00\x00\x02\x00\x00\x00")),
        (C, _mysql(0, b"\x03SELECT '" + SECRET + b"'")),
    )
    talk(capture, 50_330, SERVER, MYSQL, script)


def _postgresql(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", 4 + len(body)) + body


def postgresql(capture: Capture) -> None:
    """Encryption refused, then a login with the password in the clear."""
    start = struct.pack(">I", 3 << 16) + b"user\x00eva\x00database\x00plant\x00application_name\x00psql\x00\x00"
    ready = (
        _postgresql(b"R", bytes(4))
        + _postgresql(b"S", b"server_version\x0014.5 (Debian 14.5-1)\x00")
        + _postgresql(b"Z", b"I")
    )
    script: Script = (
        (C, b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
        (S, b"N"),
        (C, _postgresql(b"", start)),
        (S, _postgresql(b"R", struct.pack(">I", 3))),
        (C, _postgresql(b"p", SECRET + b"\x00")),
        (S, ready),
        (C, _postgresql(b"Q", b"SELECT '" + SECRET + b"'\x00")),
    )
    talk(capture, 50_340, SERVER, POSTGRESQL, script)


def radius(capture: Capture) -> None:
    """Access to a switch is asked for and refused."""

    def packet(code: int, *attributes: tuple[int, bytes]) -> bytes:
        body = b"".join(bytes([kind, 2 + len(value)]) + value for kind, value in attributes)
        return struct.pack(">BBH", code, 9, 20 + len(body)) + bytes(range(16)) + body

    asked = packet(
        1, (1, b"eva"), (2, (SECRET + bytes(16))[:16]), (4, bytes([192, 168, 20, 2])), (5, bytes([0, 0, 0, 3]))
    )
    capture.udp(0, SWITCH, 50_350, SERVER, RADIUS, asked)
    capture.udp(8 * MILLISECOND, SERVER, RADIUS, SWITCH, 50_350, packet(3, (18, b"no")))


CAPTURES = (
    ("mqtt", mqtt, "MQTT: a connection with a password, a subscription, a topic published"),
    ("syslog", syslog, "Syslog: RFC 3164, RFC 5424, and over TCP"),
    ("mssql", mssql, "MS SQL: the server's version, a login that fails"),
    ("mysql", mysql, "MySQL: a login with the password in the clear"),
    ("postgresql", postgresql, "PostgreSQL: encryption refused, a login"),
    ("radius", radius, "RADIUS: access refused"),
)
