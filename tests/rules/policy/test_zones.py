"""Membership: the most specific member wins, exclusions are respected, public addresses are in no zone by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.model import Interface
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.zones import compile_zones, ties, zone_of

MEMBERS = """\
policy_version: 1
suc: {id: plant}
zones:
  - {id: wide, members: {subnets: [10.0.0.0/8], exclude: [10.3.0.0/16, 10.1.1.66]}}
  - {id: cell, members: {subnets: [10.1.1.0/24, "fd00:1::/64"], vlans: [7], exclude: ["mac:00:00:00:00:00:99"]}}
  - {id: single, members: {include: [10.1.1.5]}}
  - {id: by-mac, members: {include: ["mac:00:80:F4:00:00:20"]}}
  - {id: by-asset, members: {include: [plc-1]}}
  - {id: ours, members: {subnets: [8.8.8.0/24]}}
assets:
  - {id: plc-1, addresses: [10.1.1.9], mac: "00:80:f4:00:00:21"}
  - {id: plc-2, zone: wide, addresses: [10.1.1.5]}
"""


@pytest.mark.parametrize(
    ("address", "mac", "vlan", "expected"),
    [
        ("10.9.9.9", "", None, "wide"),
        ("10.1.1.1", "", None, "cell"),
        ("10.1.1.1", "00:80:f4:00:00:20", None, "by-mac"),
        ("10.1.1.9", "00:80:f4:00:00:20", None, "by-asset"),
        ("10.1.1.7", "00:80:f4:00:00:21", None, "by-asset"),
        ("10.1.1.5", "", None, "wide"),  # the asset's own zone wins over the address
        ("10.3.1.1", "", None, None),
        ("10.3.1.1", "", 7, "cell"),
        ("10.1.1.66", "", None, "cell"),  # excluded from the wider zone only
        ("10.1.1.3", "00:00:00:00:00:99", None, "wide"),
        ("192.168.1.1", "", 7, "cell"),
        ("192.168.1.1", "", None, None),
        ("", "", 7, "cell"),
        ("1.2.3.4", "00:80:f4:00:00:20", 7, None),  # a router's MAC address and VLAN say nothing of the internet
        ("8.8.8.8", "", None, "ours"),
        ("fd00:1::5", "", None, "cell"),
        ("fd00:2::5", "", None, None),
        ("not an address", "", None, None),
    ],
)
def test_most_specific_member_wins(address: str, mac: str, vlan: int | None, expected: str | None) -> None:
    assert zone_of(parse_policy(MEMBERS), Interface("tap", address, mac, vlan, False)) == expected


def test_an_external_zone_without_members_takes_what_is_left_of_the_internet() -> None:
    zones = compile_zones(parse_policy(MEMBERS.replace("assets:", "  - {id: internet, kind: external}\nassets:")))
    assert [zones.of(address) for address in ("1.2.3.4", "8.8.8.8", "192.168.1.1")] == ["internet", "ours", ""]


def test_directed_broadcast_is_of_its_subnets_zone() -> None:
    zones = compile_zones(parse_policy(MEMBERS))
    assert [zones.of_directed_broadcast(text) for text in ("10.1.1.255", "10.1.1.4", "255.255.255.255")] == [
        "cell",
        "",
        "",
    ]


def _policy(first: list[str], second: list[str]) -> Policy:
    zones = [{"id": "one", "members": {"subnets": first}}, {"id": "two", "members": {"subnets": second}}]
    return Policy.model_validate({"policy_version": 1, "suc": {"id": "plant"}, "zones": zones})


subnets = st.builds(
    lambda octet, length: f"10.{octet}.0.0/{length}" if length == 16 else f"10.{octet}.{octet}.0/{length}",
    st.integers(0, 5),
    st.sampled_from([16, 24, 32]),
)


@given(st.lists(subnets, max_size=6), st.lists(subnets, max_size=6), st.integers(0, 5), st.integers(0, 5))
def test_the_longest_subnet_decides_whatever_the_order(
    first: list[str], second: list[str], high: int, low: int
) -> None:
    policy = _policy(first, second)
    address = f"10.{high}.{low}.0"
    lengths = {
        zone: max((int(text.split("/")[1]) for text in texts if _holds(text, address)), default=-1)
        for zone, texts in (("one", first), ("two", second))
    }
    found = compile_zones(policy).of(address)
    if lengths["one"] == lengths["two"]:
        assert found == "" if lengths["one"] < 0 else ties(policy)
    else:
        assert found == max(lengths, key=lengths.__getitem__)


def _holds(subnet: str, address: str) -> bool:
    import ipaddress

    return ipaddress.ip_address(address) in ipaddress.ip_network(subnet)
