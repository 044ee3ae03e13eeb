from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import sample
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.reports.ecs import alerts, alerts_ndjson, community_id, finding_flows
from zonewatch.reports.result import FindingFlow

# Baselines of the Community ID specification, version 1, seed 0.
COMMUNITY_IDS = [
    ("tcp", "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("tcp", "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("udp", "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    ("sctp", "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    ("icmp", "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    ("icmp", "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    ("icmp", "192.168.0.89", "192.168.0.1", 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I="),
    ("icmp", "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    ("icmp", "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 3, 0, "1:/OGBt9BN1ofenrmSPWYicpij2Vc="),  # noqa: E501
    ("tcp", "10.0.0.1", "fe80::1", 1, 2, ""),
    ("ethernet", "00:80:f4:00:00:20", "01:80:c2:00:00:0e", 0, 0x88CC, ""),
]  # fmt: skip


@pytest.mark.parametrize(("transport", "client", "server", "client_port", "server_port", "expected"), COMMUNITY_IDS)
def test_community_ids(
    transport: str, client: str, server: str, client_port: int, server_port: int, expected: str
) -> None:
    assert community_id(transport, client, server, client_port, server_port) == expected


PORT = st.integers(0, 65535)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), PORT, PORT)
def test_both_directions_have_one_community_id(client: Any, server: Any, one: int, other: int) -> None:
    there = community_id("tcp", str(client), str(server), one, other)
    assert there == community_id("tcp", str(server), str(client), other, one)


@pytest.mark.parametrize("make", [sample.sample, sample.without_policy, sample.hostile])
def test_every_finding_is_an_alert(make: Any) -> None:
    result = make()
    found = [json.loads(line) for line in alerts_ndjson(result).split("\n")[:-1]]
    assert [alert["event"]["id"] for alert in found] == [finding.id for finding in result.findings]
    for alert in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", alert["@timestamp"])
        assert alert["event"]["kind"] == "alert"
        assert {"rule", "message", "observer", "zonewatch"} <= set(alert)
        assert alert["zonewatch"]["remedy"]


def test_a_finding_of_one_flow_has_its_ends_and_community_id() -> None:
    alert = next(iter(alerts(sample.sample())))
    assert alert["source"] == {"address": "10.20.1.20", "ip": "10.20.1.20", "port": 51_514}
    assert alert["destination"]["port"] == 502
    assert alert["network"]["community_id"] == community_id("tcp", "10.20.11.13", "10.20.1.20", 502, 51_514)
    assert alert["threat"]["technique"]["id"] == ["T0836"]
    assert alert["zonewatch"]["changes"][0] == {
        "target": "holding-register 100 (40101)",
        "before": "120",
        "after": "310",
    }


def test_a_finding_between_two_assets_has_their_addresses() -> None:
    alert = next(alert for alert in alerts(sample.sample()) if alert["rule"]["id"] == "exposure.public_client")
    assert alert["source"]["ip"] == sample.SCANNER
    assert alert["destination"] == {"address": "10.20.11.14", "ip": "10.20.11.14", "port": 502}
    assert "community_id" not in alert["network"]


def event(frame: int, client_port: int, capture: str = sample.CAPTURE, answered: str = "") -> dict[str, object]:
    return {
        "capture": capture,
        "transport": "tcp",
        "client": "10.20.1.20",
        "server": "10.20.11.13",
        "client_port": client_port,
        "server_port": 502,
        "request_frames": [frame],
        "response_frames": [frame + 1],
        "response_capture": answered or capture,
    }


FIRST = sample.FINDINGS[0]  # its evidence: frames 44120, 44121, 44388


@pytest.mark.parametrize(
    ("events", "ports"),
    [
        ([], []),
        ([event(44_120, 5000)], [5000]),
        ([event(44_120, 5000), event(44_387, 5000)], [5000]),
        ([event(44_120, 5000), event(44_388, 5001)], []),
        ([event(44_120, 5000, "other.pcap")], []),
        ([event(7, 5000)], []),
        ([event(44_387, 5000, answered="other.pcap")], []),
        ([event(44_387, 5000, "other.pcap", answered=sample.CAPTURE)], [5000]),
    ],
)
def test_the_flow_of_a_finding_is_looked_up_by_its_frames(events: list[dict[str, object]], ports: list[int]) -> None:
    flows = [{"capture": sample.CAPTURE, "client": "10.0.0.1", "first_frame": 9, "last_frame": 12}]
    found = finding_flows((FIRST,), rows(schemas.EVENTS, events), rows(schemas.FLOWS, flows))
    assert found == tuple(FindingFlow(FIRST.id, "tcp", "10.20.1.20", port, "10.20.11.13", 502) for port in ports)


def test_a_flow_without_events_is_known_by_its_first_frame() -> None:
    flow = {**event(7, 5000), "first_frame": 44_120, "last_frame": 44_388}
    kept = {name: value for name, value in flow.items() if name in schemas.FLOWS.names}
    found = finding_flows((FIRST,), rows(schemas.EVENTS, []), rows(schemas.FLOWS, [kept]))
    assert [row.client_port for row in found] == [5000]
