"""What a flow's row says of a connection: what became of it, its service and what that rests on, and how much went."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.reports.ecs import community_id

CAPTURE: Final = Path(__file__).resolve().parents[2] / "pcaps" / "services" / "connections.pcap"
EXPECTED: Final[dict[int, tuple[int, str, str, str, bool, tuple[int, int], int | None]]] = {
    # The client's port: the server's, state, service, what it rests on, odd port, packets each way, VLAN.
    51_001: (8081, "refused", "", "", False, (1, 1), None),
    51_002: (8082, "attempted", "", "", False, (1, 0), None),
    51_003: (8083, "reset", "", "", False, (2, 1), None),
    51_004: (8084, "established", "", "", False, (2, 1), None),
    51_005: (80, "closed", "http", "content", False, (5, 3), None),
    51_006: (9999, "established", "http", "content", True, (3, 2), None),
    51_007: (80, "reset", "http", "content", False, (3, 2), None),
    51_010: (502, "attempted", "modbus", "port", False, (1, 0), 120),
    51_011: (4443, "established", "tls", "content", True, (1, 0), None),
    51_012: (2404, "established", "iec104", "content", False, (0, 1), None),
    80: (51_013, "closed", "http", "content", False, (3, 5), None),
    51_020: (4444, "one_way", "", "", False, (1, 0), None),
    51_021: (161, "one_way", "snmp", "port", False, (1, 0), None),
    51_022: (9700, "two_way", "fins", "content", True, (1, 1), None),
    51_023: (5094, "one_way", "hart-ip", "content", False, (1, 0), None),
    36_412: (38_412, "one_way", "", "", False, (1, 0), None),
    51_030: (21, "closed", "ftp", "content", False, (15, 13), None),
    51_031: (51_201, "closed", "ftp-data", "content", False, (4, 3), None),
    51_032: (51_201, "closed", "", "", False, (4, 3), None),
    20: (51_457, "closed", "ftp-data", "content", False, (5, 2), None),
}


@cache
def flows() -> dict[int, dict[str, Any]]:
    """The capture's flows by the port of who opened each."""
    decoder = Decoder([Source("tap-3", (CaptureFile(CAPTURE.name, CAPTURE),))])
    while decoder.advance():
        pass
    rows = decoder.take("flows").drop_columns(["first_time", "last_time"]).to_pylist()
    return {row["client_port"]: row for row in rows}


def test_every_connection_is_a_flow_of_its_source() -> None:
    assert set(flows()) == set(EXPECTED)
    assert {row["source"] for row in flows().values()} == {"tap-3"}


@pytest.mark.parametrize("port", EXPECTED)
def test_a_flow_says_what_became_of_it(port: int) -> None:
    row = flows()[port]
    server_port, state, service, basis, odd_port, packets, vlan = EXPECTED[port]
    told = [row[name] for name in ("server_port", "state", "service", "basis", "odd_port", "vlan")]
    assert told == [server_port, state, service, basis, odd_port, vlan]
    assert (row["packets_out"], row["packets_in"]) == packets


def test_octets_are_those_of_the_frames() -> None:
    counted = sum(row["bytes_out"] + row["bytes_in"] for row in flows().values())
    packets = sum(row["packets_out"] + row["packets_in"] for row in flows().values())
    header, record = 24, 16
    assert counted == CAPTURE.stat().st_size - header - record * packets


@pytest.mark.parametrize("port", [port for port in EXPECTED if flows()[port]["transport"] in ("tcp", "udp")])
def test_a_community_id_is_what_others_make_of_the_same_ends(port: int) -> None:
    row = flows()[port]
    ends = (row["client"], row["server"], row["client_port"], row["server_port"])
    assert row["community_id"] == community_id(row["transport"], *ends)


def test_ports_of_sctp_are_in_its_community_id() -> None:
    assert (flows()[36_412]["transport"], flows()[36_412]["community_id"]) == ("ip-132", SCTP_ID)


SCTP_ID: Final = "1:S480X0YE0Ld+ipqGEPzYlPZtwvE="
"""Version 1, seed 0: SHA-1 of both addresses, the protocol and both ports, the lower address first."""
