"""Addresses that several devices have at once."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, network, seen
from tests.rules.plant import AS_OF
from zonewatch.inventory.build import build
from zonewatch.rules.engine import audit
from zonewatch.rules.findings import Finding

ONE, OTHER, THIRD = "00:80:f4:00:00:01", "00:0e:8c:00:00:02", "00:1b:1b:00:00:03"
VRRP, BALANCED = "00:00:5e:00:01:0a", "02:bf:0a:00:00:05"
PLC, HMI = "10.0.0.5", "10.0.0.6"


def announced(address: str, mac: str, first: int, last: int, **more: object) -> Row:
    times = {"first_time": first, "last_time": last, "first_frame": first, "last_frame": last, "packets": 3}
    return seen(address, mac, **({"via": "arp"} | times | more))


def found(*rows: Row) -> list[Finding]:
    tables = network(seen=rows)
    findings = audit(build(tables), {"addresses": tables.addresses}, None, AS_OF).findings
    return [finding for finding in findings if finding.rule == "network.address_conflict"]


def test_an_address_that_goes_over_and_back_has_two_owners() -> None:
    (finding,) = found(announced(PLC, ONE, 1, 9), announced(PLC, OTHER, 4, 5))
    assert finding.title == f"{PLC} has 2 MAC addresses at once"
    assert finding.severity == "medium"
    assert finding.description == f"Announced 3 times by {ONE} and 3 times by {OTHER}."
    assert [row.frame for row in finding.evidence] == [1, 4]
    assert finding.assets == (PLC,)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([announced(PLC, ONE, 1, 3), announced(PLC, OTHER, 4, 9)], id="given anew, or replaced"),
        pytest.param([announced(PLC, ONE, 1, 9), announced(PLC, VRRP, 2, 5)], id="a virtual router"),
        pytest.param([announced(PLC, ONE, 1, 9), announced(PLC, BALANCED, 2, 5)], id="load balancing"),
        pytest.param([announced(PLC, ONE, 1, 9), announced(PLC, OTHER, 2, 5, via="ip")], id="sent by a router"),
        pytest.param([announced(PLC, ONE, 1, 9, vlan=1), announced(PLC, OTHER, 2, 5, vlan=2)], id="two networks"),
        pytest.param([announced(PLC, ONE, 1, 9), announced(PLC, OTHER, 2, 5, source="b")], id="two capture points"),
        pytest.param([announced(PLC, ONE, 1, 9), announced(HMI, ONE, 2, 5)], id="proxy ARP"),
        pytest.param([announced("0.0.0.0", ONE, 1, 9), announced("0.0.0.0", OTHER, 2, 5)], id="no address yet"),
    ],
)
def test_what_is_no_conflict(rows: list[Row]) -> None:
    assert found(*rows) == []


def test_who_takes_the_addresses_of_several_others_is_told_once() -> None:
    own, taken = [announced(PLC, ONE, 1, 9), announced(HMI, OTHER, 1, 9)], (PLC, HMI)
    (finding,) = found(*own, *(announced(address, THIRD, 4, 8) for address in taken))
    assert (finding.severity, finding.title) == ("high", f"{THIRD} announces addresses of others as its own")
    assert set(taken) <= set(finding.assets)
    assert finding.technique == ("T0830",)


def test_a_host_with_two_cards_is_no_taker() -> None:
    rows = [announced(address, mac, 1, 9) for address in (PLC, HMI) for mac in (ONE, OTHER)]
    assert [finding.severity for finding in found(*rows)] == ["medium", "medium"]
