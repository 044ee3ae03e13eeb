"""What was cut out of mini captures is known as such on every kind of link."""

from __future__ import annotations

import struct

import pytest

from tests.reports.pseudonyms.test_packets import ethernet, ip4, ip6, tcp, udp
from zonewatch.reports.proof.cut import cut_packets
from zonewatch.reports.proof.pcapng import Interface, MiniCapture, Packet

OPCUA = b"MSGF" + struct.pack("<I", 188) + bytes(20)
LINKS = {
    1: ethernet(b"\x45")[:14],
    101: b"",
    0: b"\2\0\0\0",
    108: b"\0\0\0\2",
    113: bytes(14) + b"\x08\0",
    276: bytes(20),
}
"""What stands before the internet layer, by link type."""


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    ("packet", "cut"),
    [
        pytest.param(ip4(6, tcp(OPCUA)), 1, id="start of an OPC UA message"),
        pytest.param(ip4(6, tcp(OPCUA + b"x")), 0, id="more of it"),
        pytest.param(ip4(6, tcp(b"MSGF" + struct.pack("<I", 28) + bytes(20))), 0, id="a whole one"),
        pytest.param(ip4(6, tcp(b"\3\0\0\x40" + bytes(25))), 1, id="start of an S7 message"),
        pytest.param(ip4(17, udp(b"")), 1, id="a datagram without its contents"),
        pytest.param(ip4(6, tcp(b"GET / HTTP/1.1")), 0, id="all that was sent"),
    ],
)
def test_cut_contents_are_known(link: int, packet: bytes, cut: int) -> None:
    data = LINKS[link] + packet
    capture = MiniCapture((Interface(link, 0),), (Packet(0, 0, data, len(data)),))
    assert cut_packets(capture) == cut


def test_of_ipv6_too() -> None:
    data = b"\x1e\0\0\0" + ip6(6, tcp(OPCUA))
    assert cut_packets(MiniCapture((Interface(0, 0),), (Packet(0, 0, data, len(data)),))) == 1
