"""Which addresses are one device, and which MAC addresses are routers'."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, arp, flow, network, seen, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.identity import _Neighbourhood
from zonewatch.inventory.model import Asset, Inventory

PLC, HMI, ROUTER = "00:80:f4:00:00:20", "00:d0:c9:00:00:01", "00:1b:54:c0:de:01"


def assets(inventory: Inventory) -> dict[str, Asset]:
    return {asset.id: asset for asset in inventory.assets}


def shape(*rows: Row) -> dict[str, tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Asset id → its addresses, MAC addresses and role."""
    return {name: (a.addresses, a.macs, a.role) for name, a in assets(build(network(seen=rows))).items()}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [arp("10.0.0.1", PLC), seen("10.0.0.1", PLC), seen("fe80::1", PLC), seen("fd00::1", PLC)],
            {"10.0.0.1": (("10.0.0.1", "fd00::1", "fe80::1"), (PLC,), "unknown")},
            id="one IPv4 with IPv6 addresses is one device",
        ),
        pytest.param(
            [arp("10.0.0.1", PLC), arp("10.0.0.2", PLC)],
            {"10.0.0.1": (("10.0.0.1",), (PLC,), "unknown"), "10.0.0.2": (("10.0.0.2",), (PLC,), "unknown")},
            id="two IPv4 addresses are not joined",
        ),
        pytest.param(
            [seen("10.0.0.1", PLC), seen("10.9.1.1", ROUTER), seen("10.9.1.2", ROUTER), seen("10.9.2.1", ROUTER)],
            {
                "10.0.0.1": (("10.0.0.1",), (PLC,), "unknown"),
                "10.9.1.1": (("10.9.1.1",), (), "unknown"),
                "10.9.1.2": (("10.9.1.2",), (), "unknown"),
                "10.9.2.1": (("10.9.2.1",), (), "unknown"),
                ROUTER: ((), (ROUTER,), "router"),
            },
            id="one MAC in front of many subnets merges nothing",
        ),
        pytest.param(
            [arp("10.0.0.1", ROUTER), *(seen(f"10.9.{n}.7", ROUTER) for n in range(3)), seen("fe80::9", ROUTER)],
            {
                "10.0.0.1": (("10.0.0.1", "fe80::9"), (ROUTER,), "router"),
                "10.9.0.7": (("10.9.0.7",), (), "unknown"),
                "10.9.1.7": (("10.9.1.7",), (), "unknown"),
                "10.9.2.7": (("10.9.2.7",), (), "unknown"),
            },
            id="a router is known by the address that it answers ARP for",
        ),
        pytest.param(
            [*(arp(f"10.0.{n}.1", ROUTER) for n in range(3))],
            {"10.0.0.1": (("10.0.0.1", "10.0.1.1", "10.0.2.1"), (ROUTER,), "router")},
            id="the same host number in each subnet is the router's custom",
        ),
        pytest.param(
            [*(arp(f"10.0.0.{n}", ROUTER) for n in (7, 8, 9))],
            {
                "10.0.0.7": (("10.0.0.7",), (), "unknown"),
                "10.0.0.8": (("10.0.0.8",), (), "unknown"),
                "10.0.0.9": (("10.0.0.9",), (), "unknown"),
                ROUTER: ((), (ROUTER,), "router"),
            },
            id="proxy ARP merges nothing",
        ),
        pytest.param(
            [arp("10.0.0.1", PLC), seen("10.0.0.1", ROUTER), seen("10.0.1.5", ROUTER)],
            {
                "10.0.0.1": (("10.0.0.1",), (PLC,), "unknown"),
                "10.0.1.5": (("10.0.1.5",), (), "unknown"),
                ROUTER: ((), (ROUTER,), "router"),
            },
            id="a capture on both sides of a router",
        ),
        pytest.param(
            [seen("10.0.0.1", PLC), seen("8.8.8.8", ROUTER)],
            {
                "10.0.0.1": (("10.0.0.1",), (PLC,), "unknown"),
                "8.8.8.8": (("8.8.8.8",), (), "external"),
                ROUTER: ((), (ROUTER,), "router"),
            },
            id="a public address beside private ones is behind a router",
        ),
        pytest.param(
            [arp("8.8.8.8", PLC), seen("8.8.8.8", PLC)],
            {"8.8.8.8": (("8.8.8.8",), (PLC,), "unknown")},
            id="a public address that answers ARP here is local",
        ),
        pytest.param(
            [seen("140.9.0.1", PLC), seen("140.9.0.2", HMI), seen("10.0.0.1", ROUTER)],
            {
                "10.0.0.1": (("10.0.0.1",), (ROUTER,), "unknown"),
                "140.9.0.1": (("140.9.0.1",), (PLC,), "unknown"),
                "140.9.0.2": (("140.9.0.2",), (HMI,), "unknown"),
            },
            id="public neighbours with a MAC address each are local",
        ),
        pytest.param(
            [arp("10.0.0.1", PLC), seen("192.168.1.20", PLC)],
            {"10.0.0.1": (("10.0.0.1",), (PLC,), "unknown"), "192.168.1.20": (("192.168.1.20",), (PLC,), "unknown")},
            id="a second address makes no router",
        ),
        pytest.param(
            [seen("10.0.0.1", "00:00:00:00:00:00"), seen("10.0.0.2", ""), seen("10.0.0.3", "weird")],
            {f"10.0.0.{n}": ((f"10.0.0.{n}",), (), "unknown") for n in (1, 2, 3)},
            id="no MAC address is no reason to join",
        ),
        pytest.param(
            [seen("0.0.0.0", PLC), seen("224.0.0.1", HMI), seen("nonsense", HMI), arp("::", HMI)],
            {},
            id="what is no address of one device is no asset",
        ),
    ],
)
def test_addresses_become_devices(rows: list[Row], expected: dict[str, object]) -> None:
    assert shape(*rows) == expected


def test_addresses_behind_a_router_say_so() -> None:
    found = assets(build(network(seen=[seen(f"10.9.{n}.1", ROUTER, vlan=7) for n in range(3)])))
    behind = found["10.9.1.1"].interfaces[0]
    assert (behind.mac, behind.behind_router, behind.vlan) == ("", True, 7)
    assert not found[ROUTER].interfaces[0].behind_router
    assert "3 addresses of 3 subnets" in found[ROUTER].role_reasons[0]


def test_a_mac_that_stands_for_one_subnet_is_a_router_with_low_confidence() -> None:
    found = assets(build(network(seen=[seen(f"10.0.0.{n}", ROUTER) for n in range(1, 9)])))
    assert (found[ROUTER].role, found[ROUTER].role_confidence) == ("router", "low")
    assert {asset.macs for name, asset in found.items() if name != ROUTER} == {()}


def test_mac_of_arp_wins_over_more_packets() -> None:
    rows = [arp("10.0.0.1", PLC), seen("10.0.0.1", HMI, packets=99)]
    asset = assets(build(network(seen=rows)))["10.0.0.1"]
    assert asset.macs == (PLC,)
    assert [(c.value, c.winner) for c in asset.claims if c.attribute == "mac"] == [(PLC, True), (HMI, False)]


def test_layer_2_device_is_an_asset_by_its_mac() -> None:
    inventory = build(network(flows=[flow(PLC, "01:80:c2:00:00:0e", 0x88CC, transport="ethernet", state="one_way")]))
    assert [asset.id for asset in inventory.assets] == [PLC]
    assert inventory.by_address == {("tap", PLC): PLC}
    (edge,) = inventory.edges
    assert (edge.server, edge.protocol) == ("broadcast:01:80:c2:00:00:0e", "ethernet/0x88cc")


def test_layer_2_traffic_belongs_to_the_device_with_that_mac() -> None:
    inventory = build(
        network(
            seen=[arp("10.0.0.1", PLC)],
            flows=[flow(PLC, "01:80:c2:00:00:0e", 0x88CC, transport="ethernet", state="one_way")],
        )
    )
    assert [asset.id for asset in inventory.assets] == ["10.0.0.1"]
    assert inventory.edges[0].client == "10.0.0.1"


def test_client_without_an_address_is_known_by_its_mac() -> None:
    dhcp = flow("0.0.0.0", "255.255.255.255", 67, "dhcp", "one_way", transport="udp", client_mac=PLC)
    inventory = build(network(seen=[arp("10.0.0.1", PLC)], flows=[dhcp]))
    assert [(edge.client, edge.server) for edge in inventory.edges] == [("10.0.0.1", "broadcast:255.255.255.255")]


def test_equal_addresses_at_two_points_are_two_assets() -> None:
    tables = network(seen=[seen("10.0.0.1", PLC), seen("10.0.0.1", PLC, source="span")], sources=("tap", "span"))
    assert [asset.id for asset in build(tables).assets] == ["span/10.0.0.1", "tap/10.0.0.1"]


def test_declared_id_names_the_asset_by_address_or_mac() -> None:
    declared = (DeclaredAsset("plc-1", addresses=("10.0.0.1", "10.0.1.1")), DeclaredAsset("hmi-1", mac=HMI))
    rows = [seen("10.0.0.1", PLC), seen("10.0.1.1", PLC), seen("10.0.0.5", HMI)]
    assert shape(*rows)["10.0.0.1"] == (("10.0.0.1",), (PLC,), "unknown")
    found = assets(build(network(seen=rows), declared))
    assert {name: asset.addresses for name, asset in found.items()} == {
        "plc-1": ("10.0.0.1", "10.0.1.1"),
        "hmi-1": ("10.0.0.5",),
    }


def test_ids_are_unique_whatever_is_declared() -> None:
    declared = (DeclaredAsset("10.0.0.2", addresses=("10.0.0.1",)),)
    rows = [seen("10.0.0.1", PLC), seen("10.0.0.2", HMI), seen("10.0.0.1", PLC, source="span")]
    found = build(network(seen=rows, sources=("tap",)), declared)
    names = [asset.id for asset in found.assets]
    assert len(set(names)) == len(names) == 3
    assert {asset.declared for asset in found.assets} == {"10.0.0.2", ""}


def test_declared_assets_that_no_packet_showed() -> None:
    declared = (DeclaredAsset("b", addresses=("10.0.0.9",)), DeclaredAsset("a", mac=PLC), DeclaredAsset("c", mac=HMI))
    assert build(network(seen=[seen("10.0.0.1", HMI)]), declared).unseen == ("a", "b")


def test_times_and_first_evidence_are_the_earliest() -> None:
    asset = assets(
        build(
            network(
                seen=[seen("10.0.0.1", PLC, first_time=50, last_time=60, first_frame=5)],
                talks=[talk("10.0.0.2", "10.0.0.1", frame=40, last_time=90)],
            )
        )
    )["10.0.0.1"]
    assert (asset.first_time, asset.last_time) == (40, 90)
    assert asset.first_evidence is not None
    assert asset.first_evidence.frame == 40


def test_a_router_is_looked_at_once_however_many_addresses_are_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    look = _Neighbourhood._own_of_router
    monkeypatch.setattr(_Neighbourhood, "_own_of_router", lambda self, mac: looked.append(mac) or look(self, mac))
    rows = [seen(f"10.{subnet}.0.{host}", ROUTER) for subnet in range(4) for host in range(1, 100)]
    assert len(shape(*rows)) == 397
    assert looked == [ROUTER]


def test_a_host_in_the_middle_stands_for_others_and_is_no_router() -> None:
    """It announces their addresses as its own; a router between them only sends for them."""
    own = arp("10.0.0.1", PLC), arp("10.0.0.2", HMI), arp("10.0.0.66", ROUTER)
    sent = seen("10.0.0.1", ROUTER), seen("10.0.0.2", ROUTER)
    announced = arp("10.0.0.1", ROUTER), arp("10.0.0.2", ROUTER)
    assert shape(*own, *sent)["10.0.0.66"] == (("10.0.0.66",), (ROUTER,), "router")
    assert shape(*own, *sent, *announced)["10.0.0.66"] == (("10.0.0.66",), (ROUTER,), "unknown")


def test_a_host_whose_address_changes_is_no_router() -> None:
    spans = [(1, 10), (11, 20), (21, 30)]
    rows = [
        seen(f"10.0.0.{host}", PLC, first_time=first, last_time=last) for host, (first, last) in enumerate(spans, 1)
    ]
    assert {role for _, _, role in shape(*rows).values()} == {"unknown"}
    at_once = [{**row, "first_time": 1, "last_time": 30} for row in rows]
    assert "router" in {role for _, _, role in shape(*at_once).values()}
