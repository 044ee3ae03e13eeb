"""No secret that the captures of services hold is in anything that is told of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

import pyarrow as pa
import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.schemas import TABLES

SERVICES: Final = Path(__file__).resolve().parents[2] / "pcaps" / "services"
SECRET: Final = b"Wq7-planted-Zx4"
"""What the builders of captures plant: passwords, tokens, cookies, values of queries."""
PLANTED: Final = (
    *("ftp", "http", "imap", "mqtt", "mssql", "mysql", "pop3", "postgresql", "radius", "rlogin-rsh", "rtsp", "sip"),
    *("smtp", "ssdp", "syslog", "telnet", "vnc"),
)


def forms(secret: bytes) -> list[bytes]:
    """A secret as it is, in Base64 at each offset, and in the forms of SQL Server's logins."""
    encoded = [base64.b64encode(bytes(shift) + secret)[4:-4] for shift in range(3)]
    wide = secret.decode().encode("utf-16-le")
    hidden = bytes((octet << 4 & 0xF0 | octet >> 4) ^ 0xA5 for octet in wide)
    return [secret, secret[:12], *encoded, wide, hidden, secret.hex().encode()]


def octets(table: pa.Table) -> bytes:
    """All that a table holds, names and dictionaries included."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("name", PLANTED)
def test_no_table_holds_a_planted_secret(name: str) -> None:
    capture = SERVICES / f"{name}.pcap"
    assert any(form in capture.read_bytes() for form in forms(SECRET))
    decoder = Decoder([Source("point", (CaptureFile(capture.name, capture),))])
    while decoder.advance():
        pass
    tables = {table: decoder.take(table) for table in TABLES if table != "pdus"}
    assert tables["activities"].num_rows > 0
    for table, held in tables.items():
        assert not any(form in octets(held) for form in forms(SECRET)), table
