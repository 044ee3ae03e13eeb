"""What capture points tell of boundaries, of VLANs and of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inventory.network import Row, arp, flow
from tests.rules.plant import ENGINEERING, OFFICE_PC, PLC_1, PLC_3, POLICY, assess, of_rule
from zonewatch.rules.findings import Finding

SECOND = 1_000_000_000
PC, FIREWALL, INNER, PLC = "00:0e:8c:00:00:05", "00:09:0f:00:00:01", "00:09:0f:00:00:02", "00:80:f4:00:00:11"
OUTSIDE, INSIDE = (PC, FIREWALL), (INNER, PLC)
BOUNDARY = POLICY.replace("    flows:\n", "    enforcement: {device: hmi-1, deny_by_default: true}\n    flows:\n", 1)


def passage(source: str, macs: tuple[str, str], client: str = OFFICE_PC, server: str = PLC_1, **more: Any) -> Row:
    return flow(
        client,
        server,
        502,
        more.pop("service", "modbus"),
        source=source,
        client_mac=macs[0],
        server_mac=macs[1],
        **more,
    )


@pytest.mark.parametrize(
    ("flows", "found"),
    [
        pytest.param([passage("a", OUTSIDE), passage("b", INSIDE)], 1, id="before and behind"),
        pytest.param(
            [passage("a", (PC, FIREWALL)), passage("b", (FIREWALL, PLC))], 1, id="one MAC address on all interfaces"
        ),
        pytest.param([passage("a", OUTSIDE), passage("b", OUTSIDE)], 0, id="twice on the same side"),
        pytest.param([passage("a", OUTSIDE), passage("a", INSIDE)], 0, id="one capture point"),
        pytest.param([passage("a", OUTSIDE), passage("b", INSIDE, client_port=40001)], 0, id="another connection"),
        pytest.param([passage("a", OUTSIDE), passage("b", INSIDE, frame=9)], 0, id="at another time"),
        pytest.param(
            [passage("a", OUTSIDE, ENGINEERING), passage("b", INSIDE, ENGINEERING)], 0, id="which the policy allows"
        ),
    ],
)
def test_what_is_forbidden_and_seen_on_both_sides_passed_the_boundary(flows: list[Row], found: int) -> None:
    findings = of_rule(assess(flows=flows), "policy.not_enforced")
    assert len(findings) == found
    for finding in findings:
        assert finding.severity == "critical"
        assert finding.title.endswith("pc-1 (10.20.50.5) to plc-1 (10.20.11.11)")
        assert {item.source for item in finding.evidence} == {"a", "b"}


def test_the_device_that_should_have_blocked_it_is_named() -> None:
    flows = [
        passage(point, macs, ENGINEERING, server=PLC_3, service="ssh")
        for point, macs in (("a", OUTSIDE), ("b", INSIDE))
    ]
    (finding,) = of_rule(assess(flows=flows, by=BOUNDARY), "policy.not_enforced")
    assert finding.title.startswith("hmi-1 lets pass what the policy forbids")
    assert "conduit scada-to-filtration says that what it does not name is denied" in finding.reasons


def blind(**coverage: Any) -> list[Finding]:
    whole = {"status": "whole", "packets": 90_000, "first_time": SECOND, "last_time": 3601 * SECOND}
    return of_rule(assess(coverage=whole | coverage), "infrastructure.sensor_blind")


@pytest.mark.parametrize(
    ("coverage", "severity"),
    [
        ({}, None),
        ({"reported_drops": 800}, None),
        ({"reported_drops": 2_000}, "medium"),
        ({"reported_drops": 30_000}, "high"),
        ({"packets": 100, "reported_drops": 50}, None),
        ({"silence": 290 * SECOND, "silence_start_time": 600 * SECOND}, None),
        ({"silence": 310 * SECOND, "silence_start_time": 600 * SECOND}, "high"),
        ({"silence": 310 * SECOND, "silence_start_time": 600 * SECOND, "packets": 30_000}, None),
    ],
)
def test_a_capture_point_that_loses_packets_or_falls_silent(coverage: dict[str, Any], severity: str | None) -> None:
    assert [finding.severity for finding in blind(**coverage)] == ([severity] if severity else [])


def tagged(mac: str, vlan: int | None, first: int, last: int) -> Row:
    return {**arp(PLC_1, mac), "vlan": vlan, "first_time": first, "last_time": last}


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param([tagged(PLC, 10, 1, 9), tagged(PLC, 20, 5, 6)], 1, id="back again"),
        pytest.param([tagged(PLC, 10, 1, 4), tagged(PLC, 20, 5, 6)], 0, id="moved once"),
        pytest.param([tagged(PLC, 10, 1, 9), tagged(PLC, None, 5, 6)], 0, id="with and without a tag"),
        pytest.param([tagged(PLC, 10, 1, 9), tagged(INNER, 20, 5, 6)], 0, id="two devices"),
        pytest.param([tagged("00:00:5e:00:01:07", 10, 1, 9), tagged("00:00:5e:00:01:07", 20, 5, 6)], 0, id="VRRP"),
    ],
)
def test_one_device_in_two_vlans_in_turn(seen: list[Row], found: int) -> None:
    findings = of_rule(assess(seen=seen), "network.vlan_flap")
    assert len(findings) == found
    assert all(PLC in finding.description and "in VLAN 20" in finding.description for finding in findings)
