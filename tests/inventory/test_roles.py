"""Roles are inferred from what devices do, never from a port."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, claim, flow, network, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.facts import Tally
from zonewatch.inventory.model import Asset, Role
from zonewatch.inventory.roles import KINDS, PURDUE, RULES, RoleRule, infer

A, B = "10.0.0.1", "10.0.1.1"


def asset(name: str, *, talks: list[Row], flows: list[Row], claims: list[Row]) -> Asset:
    inventory = build(network(talks=talks, flows=flows, claims=claims))
    return next(found for found in inventory.assets if found.id == name)


def servers(count: int) -> list[str]:
    return [f"10.0.1.{n}" for n in range(1, count + 1)]


CASES: list[tuple[str, list[Row], str, Role]] = [
    ("a server of reads is a controller", [talk(A, B)], B, "controller"),
    ("a server of writes is a controller", [talk(A, B, "write")], B, "controller"),
    ("a server that only asks back is not", [talk(A, B, status="no_response")], B, "unknown"),
    ("a DNP3 server is an RTU", [talk(A, B, protocol="dnp3")], B, "rtu"),
    (
        "unsolicited data alone shows an RTU",
        [talk(A, B, "report", "dnp3", kind="unsolicited", status="one_way")],
        B,
        "rtu",
    ),
    ("two units answer: a gateway", [talk(A, B, server_unit="1"), talk(A, B, server_unit="2")], B, "gateway"),
    (
        "a unit that did not answer does not count",
        [talk(A, B, server_unit="1"), talk(A, B, server_unit="2", status="no_response")],
        B,
        "controller",
    ),
    ("units 0 and 255 are the device itself", [talk(A, B, server_unit=u) for u in ("0", "1", "255")], B, "controller"),
    (
        "one BACnet device on another network: a gateway",
        [talk(A, B, protocol="bacnet"), talk(A, B, protocol="bacnet", server_unit="20:3")],
        B,
        "gateway",
    ),
    ("the client that polls is an HMI", [talk(A, s) for s in servers(2)], A, "hmi_scada"),
    (
        "the client that polls many and writes is an HMI",
        [*(talk(A, s) for s in servers(5)), talk(A, B, "write")],
        A,
        "hmi_scada",
    ),
    ("the client that only reads from many is a historian", [talk(A, s) for s in servers(4)], A, "historian"),
    (
        "the master of many outstations is SCADA, also without a command",
        [talk(A, s, protocol="dnp3") for s in servers(4)],
        A,
        "hmi_scada",
    ),
    ("a program download shows an engineering station", [talk(A, B, "program_download")], A, "engineering_station"),
    (
        "identification and writes to few show one too",
        [talk(A, B, "discover"), talk(A, B, "write")],
        A,
        "engineering_station",
    ),
    (
        "steady polling outweighs one identification",
        [talk(A, B, "discover"), talk(A, B, "write"), talk(A, B, events=500), *(talk(A, s) for s in servers(3))],
        A,
        "hmi_scada",
    ),
    ("PLC to PLC: client and server both", [talk(A, B), talk(B, A), talk(B, "10.0.2.2", "write")], B, "controller"),
    ("who only asks in vain is unknown", [talk(A, B, status="no_response")], A, "unknown"),
]


@pytest.mark.parametrize(("talks", "name", "role"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_role_of_ot_traffic(talks: list[Row], name: str, role: Role) -> None:
    found = asset(name, talks=talks, flows=[], claims=[])
    assert found.role == role
    assert bool(found.role_reasons) == (role != "unknown")
    assert found.purdue == PURDUE.get(role)


@pytest.mark.parametrize(
    ("flows", "name", "role", "confidence"),
    [
        ([flow(A, B, 8080, "http")], B, "it_server", "medium"),
        ([flow(A, B, 8080, "http")], A, "it_host", "medium"),
        ([flow(A, B, 80, "http", basis="port")], B, "it_server", "low"),
        ([flow(A, B, 502, "modbus", basis="port")], B, "unknown", "low"),
        ([flow(A, B, 502)], B, "unknown", "low"),
        ([flow(A, B, 102, "s7comm")], B, "controller", "medium"),
        ([flow(A, B, 80, "http", "attempted")], A, "unknown", "low"),
        ([flow(A, B, 123, "ntp", "two_way", transport="udp")], A, "unknown", "low"),
        ([flow(A, "203.0.113.9", 443, "https")], "203.0.113.9", "external", "high"),
        ([flow(A, "01:80:c2:00:00:00", 0, transport="ethernet")], A, "network_device", "medium"),
    ],
)
def test_role_of_other_traffic(flows: list[Row], name: str, role: Role, confidence: str) -> None:
    found = asset(name, talks=[], flows=flows, claims=[])
    assert (found.role, found.role_confidence) == (role, confidence)


def test_reasons_name_counts_and_frames() -> None:
    found = asset(B, talks=[talk(A, B, events=812, frame=7), talk(A, B, "write", frame=90)], flows=[], claims=[])
    assert found.role_reasons == (
        "answered 812 reads of 1 client (modbus), first in a.pcap frame 7",
        "obeyed 1 command of 1 client (modbus), first in a.pcap frame 90",
    )


def test_announced_identity_is_a_weak_hint() -> None:
    found = asset(A, talks=[], flows=[], claims=[claim(A, "instance", "7", protocol="bacnet")])
    assert (found.role, found.role_confidence, found.kind) == ("controller", "low", "ot")


def test_declared_role_wins_and_the_traffic_is_told() -> None:
    declared = DeclaredAsset("x", addresses=(B,), role="historian")
    inventory = build(network(talks=[talk(A, B)]), [declared])
    found = next(item for item in inventory.assets if item.id == "x")
    assert (found.role, found.role_confidence, found.purdue, found.kind) == ("historian", "declared", 3, "ot")
    assert found.role_reasons[0] == "declared in the asset list"
    assert found.role_reasons[1].startswith("traffic suggests controller: answered 1 read")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.role} {rule.fact}")
def test_every_rule_speaks_for_its_role(rule: RoleRule) -> None:
    facts = {rule.fact: Tally(events=max(rule.events, 2), peers=max(rule.peers, 2), words=("modbus",))}
    assert rule.holds(facts)
    assert all(reason and "{" not in reason for reason in infer(facts).reasons)


def test_every_role_has_a_level_or_none_on_purpose() -> None:
    assert {rule.role for rule in RULES} - set(PURDUE) == {"router", "network_device"}
    assert set(KINDS) == set(PURDUE)
