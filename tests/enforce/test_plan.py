"""What is enforced, before it is written for a target: never more than the policy says, unless a limit says so."""

from __future__ import annotations

import datetime as dt
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zonewatch.rules.enforce.approval import pending
from zonewatch.rules.enforce.nftables import nftables
from zonewatch.rules.enforce.plan import ExportError, Plan, planned, shielded
from zonewatch.rules.enforce.services import Service, services
from zonewatch.rules.enforce.space import Addresses, texts
from zonewatch.rules.enforce.suricata import suricata
from zonewatch.rules.policy.load import load_policy, parse_policy
from zonewatch.rules.policy.model import Policy, Traffic
from zonewatch.rules.policy.zones import compile_zones, ties

HERE = Path(__file__).parent
POLICY = (HERE / "policy.yaml").read_text("utf-8")
PLANT = load_policy(HERE.parents[1] / "pcaps" / "waterworks" / "policy.yaml")
DAY = dt.date(2026, 3, 2)


def plan(old: str = "", new: str = "", day: dt.date = DAY) -> Plan:
    assert old in POLICY
    return planned(parse_policy(POLICY.replace(old, new) if old else POLICY), day)


def limits(made: Plan, where: str) -> list[str]:
    return [f"{limit.effect}: {limit.text}" for limit in made.limits if limit.where == where]


def ends(made: Plan, label: str) -> list[tuple[list[str], list[str]]]:
    return [(texts(item.source), texts(item.destination)) for item in made.permits if item.label == label]


@pytest.mark.parametrize(
    ("old", "new", "left", "told"),
    [
        ("servers: [plc-1], purpose", "servers: [plc-1, ghost-9, plc-2], purpose", ["10.2.0.11"], "server plc-2"),
        ("servers: [plc-1], purpose", "servers: [plc-2], purpose", None, "left out: no servers with an address"),
        (
            "servers: [plc-1], purpose",
            'servers: ["mac:02:00:00:00:00:01"], purpose',
            None,
            "no servers with an address",
        ),
        ("servers: [plc-1], purpose", "servers: [10.2.0.0/28], purpose", ["10.2.0.0/28"], ""),
        ("servers: [plc-1], purpose", "servers: [control], purpose", ["10.2.0.0/24", "fd00:2::/64"], ""),
        (
            "protocol: modbus, operations: [read], clients",
            "protocol: omron, clients",
            None,
            "no port of omron is known",
        ),
    ],
)
def test_an_end_or_a_service_that_is_not_known_is_nobody_never_everybody(
    old: str, new: str, left: list[str] | None, told: str
) -> None:
    asset = "  - {id: rtu-1,"
    text = POLICY.replace(old, new).replace(asset, f"  - {{id: plc-2, zone: control}}\n  - {{id: ghost-9}}\n{asset}")
    made = planned(parse_policy(text), DAY)
    found = ends(made, "scada-to-control/poll")
    assert [servers for _, servers in found] == ([left] if left else [])
    assert told in " ".join(limits(made, "scada-to-control/poll"))


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ({"protocol": "modbus"}, (Service("tcp", ((502, 502),)),)),
        ({"protocol": "s7comm"}, (Service("tcp", ((102, 102),)),)),
        ({"protocol": "bacnet"}, (Service("udp", ((47808, 47808),)),)),
        ({"protocol": "ntp"}, (Service("udp", ((123, 123),)),)),
        ({"protocol": "modbus", "ports": ["1502/tcp"]}, (Service("tcp", ((1502, 1502),)),)),
        ({"protocol": "tcp", "ports": ["80", "81-90"]}, (Service("tcp", ((80, 90),)),)),
        ({"protocol": "any", "ports": ["80"]}, (Service("tcp", ((80, 80),)), Service("udp", ((80, 80),)))),
        ({"protocol": "any"}, (Service("any"),)),
        ({"protocol": "icmp"}, (Service("icmp"),)),
        ({"protocol": "udp/4000"}, (Service("udp", ((4000, 4000),)),)),
        ({"protocol": "tcp/70000"}, ()),
        ({"protocol": "ip-47"}, (Service("47"),)),
        ({"protocol": "goose"}, ()),
    ],
)
def test_services(flow: dict[str, object], expected: tuple[Service, ...]) -> None:
    assert services(Traffic.model_validate(flow)) == expected


def test_members_without_an_address() -> None:
    members = (
        "members: {subnets: [10.2.0.0/24], vlans: [20], include: [ghost-9], exclude: ['02:00:00:00:00:01', 10.2.0.9]}"
    )
    text = POLICY.replace('members: {subnets: [10.2.0.0/24, "fd00:2::/64"]}', members)
    made = planned(parse_policy(text.replace("assets:\n", "assets:\n  - {id: ghost-9}\n", 1)), DAY)
    assert limits(made, "zone control") == [
        "wider: excluded 02:00:00:00:00:01: no address of it is known, so it is not kept out",
        "wider: asset ghost-9: no address of it is known, so it counts to the zone of its subnet",
        "narrower: vlan 20: no address of it is known, so its hosts are in no zone here",
    ]
    assert "10.2.0.9" not in made.zones["control"]


def test_times() -> None:
    assert limits(plan("to: 2026-03-31", "to: 2026-03-01"), "scada-to-control/firmware") == [
        "narrower: ended on 2026-03-02 00:00 UTC; left out"
    ]
    assert limits(plan("        to: 2026-03-31\n", ""), "scada-to-control/firmware") == [
        "narrower: has no end: it lets nothing pass"
    ]
    ended = plan("{id: poll,", "{id: poll, expires: 2026-03-01,")
    assert (ends(ended, "scada-to-control/poll"), limits(ended, "scada-to-control/poll")) == (
        [],
        ["narrower: ended on 2026-03-01; left out"],
    )


def test_the_zone_of_the_server_opens_the_connection() -> None:
    made = plan("    to: control\n", "    to: control\n    initiator: control\n")
    assert ends(made, "scada-to-control/poll") == [(["10.2.0.11"], ["10.1.0.10", "10.1.0.15"])]


@pytest.mark.parametrize(
    ("access", "clients"),
    [
        ("entry_zone: supervision, jump_host: hmi-1", ["10.1.0.15"]),
        ("entry_zone: supervision, protocols: [rdp], jump_host: hmi-1", []),
        ("entry_zone: supervision", ["10.1.0.0/24", "fd00:1::/64"]),
        ("entry_zone: office", ["10.1.0.0/24", "fd00:1::/64"]),
    ],
)
def test_remote_access_narrows_sessions(access: str, clients: list[str]) -> None:
    flow = "      - {id: shell, protocol: ssh, purpose: repair}\n    exceptions:\n"
    text = POLICY.replace("    exceptions:\n", flow)
    made = planned(parse_policy(f"{text}remote_access:\n  - {{id: vendor, target_zone: control, {access}}}\n"), DAY)
    found = [texts(item.source) for item in made.permits if item.label == "scada-to-control/shell"]
    assert found == ([clients] if clients else [])


def test_a_policy_that_denies_nothing_is_refused() -> None:
    with pytest.raises(ExportError, match="denies nothing"):
        plan("zones:\n", "defaults: {between_zones: report}\nzones:\n")


@pytest.mark.parametrize("asset", ["plc-9", "control", "10.9.9.9"])
def test_a_shield_needs_an_asset_with_an_address(asset: str) -> None:
    with pytest.raises(ExportError, match="no asset of the policy"):
        shielded(plan(), asset)


@pytest.mark.parametrize(
    ("old", "new", "day", "told"),
    [
        ("", "", DAY, []),
        ("approved_by: plant manager, approved_on", "approved_on", DAY, ["nobody approved the policy of mill"]),
        ("valid_until: 2027-01-10", "valid_until: 2026-03-01", DAY, ["the approval of mill ended on 2026-03-01"]),
        ("approved_on: 2026-01-10", "approved_on: 2026-03-03", DAY, ["the approval of mill begins on 2026-03-03"]),
        ("        ticket: CHG-7\n", "", DAY, ["exception scada-to-control/firmware lacks ticket"]),
        (
            "        purpose: pumps\n        approved: {by: control engineering, on: 2026-01-10}\n",
            "        purpose: pumps\n",
            DAY,
            ["flow scada-to-control/telemetry changes state, and nobody approved it"],
        ),
        ("", "", dt.date(2027, 1, 1), ["flow scada-to-control/setpoints ended on 2026-12-31"]),
        ("", "", dt.date(2026, 1, 9), [
            "the approval of mill begins on 2026-01-10",
            "flow scada-to-control/setpoints is approved from 2026-01-10 on only",
            "flow scada-to-control/telemetry is approved from 2026-01-10 on only",
        ]),
    ],
)  # fmt: skip
def test_approvals(old: str, new: str, day: dt.date, told: list[str]) -> None:
    assert old in POLICY
    assert list(pending(parse_policy(POLICY.replace(old, new) if old else POLICY), day)) == told


def test_the_bundled_policy_is_approved_on_its_day() -> None:
    assert pending(PLANT, DAY) == ()


NETWORKS = st.builds(
    lambda address, length: f"{ip_address(address >> (32 - length) << (32 - length))}/{length}",
    st.integers(10 << 24, (10 << 24) + 255),
    st.integers(24, 32),
)
ZONES = st.lists(
    st.fixed_dictionaries({"subnets": st.lists(NETWORKS, max_size=3), "exclude": st.lists(NETWORKS, max_size=2)}),
    min_size=1,
    max_size=4,
)


@settings(max_examples=50, deadline=None)
@given(ZONES, st.booleans())
def test_every_address_is_in_the_zone_that_the_policy_says(members: list[dict[str, list[str]]], rest: bool) -> None:
    zones: list[dict[str, object]] = [{"id": f"z{number}", "members": part} for number, part in enumerate(members)]
    zones += [{"id": "rest", "kind": "external"}] if rest else []
    policy = Policy.model_validate({"policy_version": 1, "suc": {"id": "s"}, "zones": zones})
    assume(not ties(policy))  # `load` refuses them
    asked, spaces = compile_zones(policy), Addresses(policy).zones
    for address in (
        *(str(ip_address((10 << 24) + number)) for number in range(256)),
        "8.8.8.8",
        "2a00::1",
        "192.168.1.1",
    ):
        assert [zone for zone, space in spaces.items() if address in space] == [
            zone for zone in (asked.of(address),) if zone
        ]


def test_the_same_policy_gives_the_same_octets() -> None:
    for write in (nftables, suricata):
        first, second = (write(planned(PLANT, DAY)).files for _ in range(2))
        assert first == second
