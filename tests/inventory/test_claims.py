"""Statements about devices: sureness, winners, and the devices behind an address."""

from __future__ import annotations

import pytest

from tests.inventory.network import arp, claim, network, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.claims import behind, is_itself, unit_order, winners
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.model import Asset, Claim, Confidence, Evidence
from zonewatch.inventory.tables import Tables
from zonewatch.inventory.vendors import mac_vendor

A, B = "10.0.0.1", "10.0.1.1"
SCHNEIDER = "00:80:f4:00:00:20"


def only(tables: Tables, declared: tuple[DeclaredAsset, ...] = (), name: str = B) -> Asset:
    return next(asset for asset in build(tables, declared).assets if asset.id == name)


def test_device_identification_fills_the_fields() -> None:
    words = {"vendor": "Schneider Electric", "product": "BMX P34 2020", "firmware": "v2.7", "serial": "7", "name": "P3"}
    found = only(network(claims=[claim(B, attribute, value) for attribute, value in words.items()]))
    assert (found.vendor, found.model, found.firmware, found.serial, found.name) == tuple(words.values())


def test_model_is_preferred_to_product() -> None:
    rows = [claim(B, "product", "BMX P34", count=9), claim(B, "model", "M340")]
    assert only(network(claims=rows)).model == "M340"


def test_name_is_the_address_where_nobody_says_one() -> None:
    assert only(network(claims=[claim(B, "vendor", "x")])).name == B


def test_mac_vendor_is_a_weak_claim() -> None:
    found = only(network(seen=[arp(B, SCHNEIDER)]))
    (vendor,) = (item for item in found.claims if item.attribute == "vendor")
    assert (vendor.protocol, vendor.confidence, vendor.evidence) == ("oui", "low", None)
    assert found.vendor == vendor.value == mac_vendor(SCHNEIDER) != ""
    told = only(network(seen=[arp(B, SCHNEIDER)], claims=[claim(B, "vendor", "Rockwell")]))
    assert told.vendor == "Rockwell"
    assert {item.value for item in told.claims if not item.winner} >= {vendor.value}


@pytest.mark.parametrize(
    "mac", ["", "x", "02:80:f4:00:00:20", "01:80:f4:00:00:20", "ff:ff:ff:ff:ff:ff", "0080f4000020"]
)
def test_mac_addresses_without_a_vendor(mac: str) -> None:
    assert mac_vendor(mac) == ""


def test_declaration_disagrees_and_both_stay() -> None:
    declared = (DeclaredAsset("plc-1", "Chlorine", (B,), vendor="WAGO", model="750", criticality="high", zone="z"),)
    found = only(network(claims=[claim(B, "vendor", "Schneider", count=99)]), declared, "plc-1")
    assert (found.name, found.vendor, found.model, found.criticality, found.zone) == (
        "Chlorine",
        "WAGO",
        "750",
        "high",
        "z",
    )
    assert [(c.value, c.confidence, c.winner) for c in found.claims if c.attribute == "vendor"] == [
        ("WAGO", "declared", True),
        ("Schneider", "high", False),
    ]


def stated(value: str, confidence: Confidence = "high", count: int = 1, frame: int = 1) -> Claim:
    return Claim("model", value, "modbus", confidence, Evidence("tap", "a.pcap", frame), count)


@pytest.mark.parametrize(
    ("claims", "best"),
    [
        ([stated("a", "medium", 99), stated("b", "high")], "b"),
        ([stated("a", count=1), stated("b", count=2, frame=2)], "b"),
        ([stated("a", frame=9), stated("b", frame=2)], "b"),
        ([stated("b"), stated("a")], "a"),
    ],
    ids=["surer", "more often", "earlier", "by name"],
)
def test_winner(claims: list[Claim], best: str) -> None:
    for given in (claims, claims[::-1]):
        assert [claim.value for claim in winners(given) if claim.winner] == [best]


def test_units_behind_a_gateway_have_claims_of_their_own() -> None:
    found = only(
        network(
            talks=[talk(A, B, server_unit="1"), talk(A, B, server_unit="12"), talk(A, B, server_unit="2")],
            claims=[claim(B, "model", "meter", unit="12"), claim(B, "model", "MGate", unit="255")],
        )
    )
    assert [(sub.protocol, sub.unit) for sub in found.units] == [("modbus", "1"), ("modbus", "2"), ("modbus", "12")]
    assert [[item.value for item in sub.claims] for sub in found.units] == [[], [], ["meter"]]
    assert found.model == "MGate"


def test_a_single_unit_speaks_for_the_device() -> None:
    found = only(network(talks=[talk(A, B, server_unit="7")], claims=[claim(B, "model", "M340", unit="7")]))
    assert (found.model, found.units) == ("M340", ())


def test_a_dnp3_outstation_is_known_by_its_link_address() -> None:
    found = only(
        network(
            talks=[talk(A, B, protocol="dnp3", server_unit="1024")],
            claims=[claim(B, "model", "SEL-2411", protocol="dnp3", unit="1024")],
        )
    )
    assert [(sub.protocol, sub.unit) for sub in found.units] == [("dnp3", "1024")]
    assert found.model == "SEL-2411"


def test_a_bacnet_device_behind_a_router_is_not_the_router() -> None:
    found = only(
        network(
            claims=[
                claim(B, "model", name, protocol="bacnet", unit=unit) for name, unit in (("a", "20:3"), ("b", None))
            ]
        )
    )
    assert [(sub.unit, [item.value for item in sub.claims]) for sub in found.units] == [("20:3", ["a"])]
    assert found.model == "b"


@pytest.mark.parametrize(
    ("protocol", "units", "expected"),
    [
        ("modbus", ("1",), ()),
        ("modbus", ("0", "1", "255"), ()),
        ("modbus", ("1", "2", "255"), ("1", "2")),
        ("dnp3", ("4",), ("4",)),
        ("bacnet", ("20:3",), ("20:3",)),
    ],
)
def test_behind(protocol: str, units: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert behind(protocol, units) == expected
    assert all(is_itself(protocol, None, units) for _ in units)


def test_units_are_ordered_as_numbers() -> None:
    assert sorted(["20:3", "9", "20:0a0b", "100", "10", "weird", ""], key=unit_order) == [
        "",
        "9",
        "10",
        "20:3",
        "20:0a0b",
        "100",
        "weird",
    ]


def test_names_that_agree_are_counted_together_and_shown_with_their_domain() -> None:
    said = [("HOST1", "smb", 1), ("host1.local", "mdns", 3), ("host1.plant.example", "rdp", 1), ("OTHER", "rdp", 4)]
    rows = [claim(B, "hostname", value, protocol=protocol, count=count) for value, protocol, count in said]
    found = only(network(claims=rows, seen=[arp(B, SCHNEIDER)]))
    assert found.name == "host1.plant.example"
    assert {item.value for item in found.claims if item.attribute == "hostname"} == {value for value, _, _ in said}


def test_the_same_said_in_two_frames_is_one_claim_with_the_first() -> None:
    mac = claim(SCHNEIDER, "hostname", "plc-1", protocol="lldp", frame=9, time=9)
    rows = [mac, claim(B, "hostname", "plc-1", protocol="lldp", frame=3, time=3, count=2)]
    (name,) = (
        item for item in only(network(claims=rows, seen=[arp(B, SCHNEIDER)])).claims if item.attribute == "hostname"
    )
    assert (name.count, name.evidence) == (3, Evidence("tap", "a.pcap", 3))


def test_a_host_is_no_user_of_itself() -> None:
    words = [("hostname", "HOST1"), ("user", "HOST1"), ("user", "EVA")]
    rows = [claim(B, attribute, value, protocol="netbios-ns") for attribute, value in words]
    assert only(network(claims=rows, seen=[arp(B, SCHNEIDER)])).users == ("EVA",)
