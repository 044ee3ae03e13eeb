"""What is wrong with an interface is told row by row, and mended by the commands that the rows name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zonewatch.sensor.answers import Answer, as_json, worst
from zonewatch.sensor.interface import answers
from zonewatch.sensor.interfaces.checks import chain, deviations
from zonewatch.sensor.interfaces.mend import mend
from zonewatch.sensor.interfaces.model import Command, Interface
from zonewatch.sensor.interfaces.read import _manager, names, read
from zonewatch.sensor.usage import UsageError

SILENT = Interface("span0", egress_dropped=True, speed=1000, duplex="Full")
CASES: list[tuple[str, dict[str, Any], Command]] = [
    ("link-type", {"ethernet": False}, ()),
    ("manager", {"manager": "NetworkManager"}, ("nmcli", "device", "set", "span0", "managed", "no")),
    ("manager", {"manager": "systemd-networkd"}, ()),
    ("member", {"master": "br0", "master_kind": "bridge"}, ("ip", "link", "set", "dev", "span0", "nomaster")),
    ("addrgenmode", {"address_generation": "eui64"}, ("ip", "link", "set", "dev", "span0", "addrgenmode", "none")),
    ("ipv6", {"ipv6": True}, ("sysctl", "-q", "-w", "net/ipv6/conf/span0/disable_ipv6=1")),
    ("arp", {"arp": True}, ("ip", "link", "set", "dev", "span0", "arp", "off")),
    ("multicast", {"multicast": True}, ("ip", "link", "set", "dev", "span0", "multicast", "off")),
    ("addresses", {"addresses": ("192.0.2.7/24",)}, ("ip", "address", "flush", "dev", "span0")),
    ("merging", {"features": ("rx-gro", "rx-lro")}, ("ethtool", "-K", "span0", "gro", "off", "lro", "off")),
    ("mtu", {"mtu": 576}, ("ip", "link", "set", "dev", "span0", "mtu", "1500")),
    ("down", {"up": False, "carrier": False}, ("ip", "link", "set", "dev", "span0", "up")),
    ("carrier", {"carrier": False}, ()),
    ("speed", {"speed": 100, "duplex": "Half"}, ()),
]
ADVICE: list[tuple[str, dict[str, Any]]] = [
    ("egress", {"egress_dropped": False}),
    ("vlan-tags", {"features": ("rx-vlan-hw-parse",)}),
    ("checksums", {"features": ("rx-checksum",)}),
    ("speed", {"speed": 100}),
    ("lost", {"received": 10, "lost": 3}),
    ("sent", {"sent": 1}),
]


def test_a_silent_interface_deviates_in_nothing() -> None:
    assert deviations(SILENT) == ()
    assert [(answer.id, answer.state) for answer in answers(SILENT)] == [
        ("interface.silence", "good"),
        ("interface.capture", "good"),
    ]


@pytest.mark.parametrize(("name", "change", "command"), CASES)
def test_a_deviation_is_one_row_with_its_command(name: str, change: dict[str, Any], command: Command) -> None:
    (row,) = deviations(replace(SILENT, **change))
    assert (row.id, row.advice) == (name, False)
    assert row.commands == ((command,) if command else ())
    assert row.commands or row.remedy, "nobody is told what to do"
    assert worst(answers(replace(SILENT, **change))) == "wrong"


@pytest.mark.parametrize(("name", "change"), ADVICE)
def test_advice_is_no_fault(name: str, change: dict[str, Any]) -> None:
    (row,) = deviations(replace(SILENT, **change))
    assert (row.id, row.advice) == (name, True)
    assert worst(answers(replace(SILENT, **change))) == "note"


def test_what_cannot_be_asked_is_not_told() -> None:
    assert deviations(replace(SILENT, egress_dropped=None, speed=None, duplex="")) == ()


def test_addresses_go_after_what_makes_them_and_the_link_comes_up_last() -> None:
    fresh = replace(
        SILENT, up=False, arp=True, multicast=True, ipv6=True, address_generation="eui64", addresses=("fe80::1/64",)
    )
    order = [row.id for row in deviations(fresh)]
    assert order.index("addrgenmode") < order.index("ipv6") < order.index("addresses") < order.index("down")


def test_mending_runs_what_was_told_and_says_what_failed() -> None:
    ran: list[Command] = []

    def run(command: Command) -> str:
        ran.append(command)
        return "Operation not permitted" if command[0] == "sysctl" else ""

    found = replace(SILENT, ipv6=True, arp=True)
    mended = mend(found, run)
    assert ran == [command for row in deviations(found) for command in row.commands]
    assert [command[0] for command in mended.done] == ["ip"]
    assert [(failed.command[0], failed.reason) for failed in mended.failed] == [("sysctl", "Operation not permitted")]


def test_the_interface_of_the_machines_own_network_is_left_alone() -> None:
    with pytest.raises(UsageError, match=r"how this machine reaches 192\.0\.2\.1"):
        mend(replace(SILENT, arp=True, gateways=("192.0.2.1",)), lambda command: pytest.fail(f"{command} was run"))


def test_names_of_chains_are_what_nftables_allows() -> None:
    assert [chain(name) for name in ("eth0", "enp3s0.10", "wan-a")] == ["out_eth0", "out_enp3s0_10", "out_wan_a"]


@pytest.mark.parametrize(
    ("file", "text", "manager"),
    [
        ("run/NetworkManager/devices/4", "[device]\nmanaged=true\n", "NetworkManager"),
        ("run/NetworkManager/devices/4", "[device]\nmanaged=false\n", ""),
        ("run/systemd/netif/links/4", "ADMIN_STATE=configured\nNETWORK_FILE=/etc/x.network\n", "systemd-networkd"),
        ("run/systemd/netif/links/4", "ADMIN_STATE=unmanaged\n", ""),
        ("run/NetworkManager/devices/5", "[device]\nmanaged=true\n", ""),
    ],
)
def test_who_configures_it_is_known_by_its_notes(tmp_path: Path, file: str, text: str, manager: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    assert _manager(4, tmp_path) == manager


def test_loopback_is_read_and_is_no_ethernet() -> None:
    pytest.importorskip("pyroute2")
    found = read("lo")
    assert (found.name, found.index, found.kind) == ("lo", 1, "")
    assert "link-type" not in [row.id for row in deviations(replace(found, ethernet=True))]
    assert next(row.id for row in deviations(found)) == "link-type"
    with pytest.raises(UsageError, match="no interface nowhere0"):
        read("nowhere0")
    assert "lo" in names()


def test_answers_as_json_carry_the_gravest_state() -> None:
    given = [Answer("a", "good", "fine"), Answer("b", "wrong", "not fine", commands=(("ip", "link"),))]
    told = json.loads(as_json(given, interface="span0"))
    assert (told["state"], told["interface"], [row["id"] for row in told["answers"]]) == ("wrong", "span0", ["a", "b"])
    assert told["answers"][1]["commands"] == [["ip", "link"]]
    assert worst([]) == "good"
