"""Edges: conversations with what they say, everything else with its traffic, scans folded."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, flow, network, seen, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.edges import edges
from zonewatch.inventory.flows import SILENT_SERVERS, UNANSWERED_PORTS
from zonewatch.inventory.model import Edge, Evidence, Target

A, B = "10.0.0.1", "10.0.1.1"


def found(*, talks: list[Row] | None = None, flows: list[Row] | None = None) -> tuple[Edge, ...]:
    return build(network(talks=talks or [], flows=flows or [])).edges


def test_conversations_of_one_service_are_one_edge() -> None:
    (edge,) = found(
        talks=[
            talk(A, B, object_start=0, object_count=10, events=5, frame=1, sample_frames=[1, 11, 21]),
            talk(A, B, object_start=10, object_count=5, events=4, frame=2),
            talk(A, B, object_start=40, events=1, frame=3, status="error"),
            talk(A, B, "write", object_start=100, frame=4, server_unit="7"),
        ],
        flows=[flow(A, B, 502, "modbus", frame=1), flow(A, B, 502, "modbus", "reset", client_port=40001, frame=9)],
    )
    assert (edge.client, edge.server, edge.protocol, edge.server_port, edge.ot) == (A, B, "modbus", 502, True)
    assert (edge.operations, edge.events) == (("read", "write"), 11)
    assert (edge.packets, edge.bytes, edge.state) == (10, 1000, "closed")
    assert (edge.first_time, edge.last_time) == (1, 9)
    read, write = edge.functions
    assert (read.code, read.name, read.unit, read.events) == (3, "read_holding_registers", "", 10)
    assert read.targets == (Target("holding-register", 0, 15), Target("holding-register", 40, 1))
    assert read.statuses == (("error", 1), ("ok", 9))
    assert [evidence.frame for evidence in read.evidence] == [1, 2, 3, 11]
    assert (write.unit, write.operation, write.evidence) == ("7", "write", (Evidence("tap", "a.pcap", 4),))
    assert [evidence.frame for evidence in edge.evidence] == [1, 4, 11, 21]


def test_samples_over_two_captures_are_no_evidence() -> None:
    (edge,) = found(talks=[talk(A, B, last_capture="b.pcap", sample_frames=[1, 2, 3])])
    assert edge.evidence == (Evidence("tap", "a.pcap", 1),)


def test_an_outstation_that_opens_the_connection_is_still_the_server() -> None:
    (edge,) = found(
        talks=[talk(A, B, protocol="dnp3", server_port=51000)],
        flows=[flow(B, A, 20000, "dnp3", client_port=51000, packets_out=7, packets_in=1)],
    )
    assert (edge.client, edge.server, edge.packets, edge.state) == (A, B, 8, "closed")


@pytest.mark.parametrize(("transport", "everybody"), [("mstp", "mstp:255"), ("arcnet", "arcnet:0")])
def test_stations_of_a_bus_are_assets_and_its_broadcast_is_none(transport: str, everybody: str) -> None:
    client, server = f"{transport}:12", f"{transport}:27"
    on_bus: Row = {"transport": transport, "protocol": "bacnet", "server_port": 130}
    by_flow: Row = {"transport": transport, "client_port": 130}
    tables = network(
        talks=[talk(client, server, **on_bus), talk(server, everybody, "discover", **on_bus)],
        flows=[
            flow(client, server, 130, "bacnet", "two_way", **by_flow),
            flow(server, everybody, 130, "bacnet", "one_way", **by_flow),
        ],
    )
    inventory = build(tables)
    assert sorted(asset.id for asset in inventory.assets) == [client, server]
    assert [(edge.client, edge.protocol, edge.server_port) for edge in inventory.edges] == [
        (client, "bacnet", 130),
        (server, "bacnet", 130),
    ]


def test_an_outstation_that_reconnects_all_day_is_one_edge() -> None:
    talks = [talk(A, B, protocol="dnp3", server_port=50000 + n) for n in range(30)]
    flows = [flow(B, A, 20000, "dnp3", client_port=50000 + n) for n in range(30)]
    (edge,) = found(talks=talks, flows=flows)
    assert (edge.server_port, edge.events, edge.packets) == (0, 30, 150)


def test_bacnet_with_both_ends_on_one_port() -> None:
    (edge,) = found(
        talks=[talk(A, B, protocol="bacnet")],
        flows=[flow(B, A, 47808, "bacnet", "two_way", transport="udp", client_port=47808)],
    )
    assert (edge.client, edge.server, edge.packets) == (A, B, 5)


def test_what_a_server_sends_to_everybody_is_from_the_server() -> None:
    """An offer of DHCP: the port says who serves, but a group asks for nothing."""
    offer = flow("255.255.255.255", A, 67, "dhcp", "one_way", transport="udp", client_port=68)
    (edge,) = found(flows=[offer | {"packets_out": 0, "packets_in": 3}])
    assert (edge.client, edge.server, edge.server_port) == (A, "broadcast:255.255.255.255", 68)


@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("224.0.0.251", {}),
        ("255.255.255.255", {}),
        ("ff02::fb", {}),
        ("10.0.0.255", {}),
        ("10.0.3.191", {"server_mac": "ff:ff:ff:ff:ff:ff"}),
    ],
)
def test_broadcast_and_multicast_are_no_assets(address: str, more: Row) -> None:
    inventory = build(
        network(
            talks=[talk(A, address, "discover", "bacnet", status="one_way", kind="unconfirmed")],
            flows=[flow(A, address, 47808, "bacnet", "one_way", transport="udp", **more)],
        )
    )
    assert [asset.id for asset in inventory.assets] == [A]
    assert [(edge.server, edge.server_address, edge.packets) for edge in inventory.edges] == [
        (f"broadcast:{address}", address, 3)
    ]


def test_an_address_in_255_that_sends_is_a_host() -> None:
    inventory = build(
        network(seen=[seen("10.0.0.255", "00:80:f4:00:00:20")], flows=[flow(A, "10.0.0.255", 80, "http")])
    )
    assert "10.0.0.255" in {asset.id for asset in inventory.assets}


@pytest.mark.parametrize(
    ("row", "protocol", "port"),
    [
        (flow(A, B, 443, "https"), "https", 443),
        (flow(A, B, 4711), "tcp/4711", 4711),
        (flow(A, B, 514, state="one_way", transport="udp"), "udp/514", 514),
        (flow(A, B, 2048, state="two_way", transport="icmp"), "icmp", 0),
        (flow(A, B, 0, state="two_way", transport="ip-47"), "ip-47", 0),
        (flow(A, B, 0x88CC, state="one_way", transport="ethernet"), "ethernet/0x88cc", 0x88CC),
    ],
)
def test_other_traffic_is_named(row: Row, protocol: str, port: int) -> None:
    (edge,) = found(flows=[row])
    assert (edge.protocol, edge.server_port, edge.ot, edge.functions) == (protocol, port, False, ())


def test_flows_of_one_service_are_summed_and_the_best_state_stays() -> None:
    states = ("attempted", "established", "reset")
    (edge,) = found(flows=[flow(A, B, 22, "ssh", state, client_port=n, frame=n) for n, state in enumerate(states, 1)])
    assert (edge.packets, edge.state, edge.first_time, edge.last_time) == (13, "established", 1, 3)
    assert edge.evidence == (Evidence("tap", "a.pcap", 1),)


@pytest.mark.parametrize("state", ["attempted", "refused", "one_way"])
def test_a_port_scan_is_one_edge(state: str) -> None:
    scan = [flow(A, B, port, "ssh" if port == 22 else "", state, frame=port) for port in range(1, 5000)]
    answered = flow(A, B, 80, "http")
    edge, web = sorted(found(flows=[*scan, answered]), key=lambda edge: edge.server_port)
    assert (edge.protocol, edge.server_port, edge.state) == ("tcp/*", 0, state)
    assert edge.packets == sum(row["packets_out"] + row["packets_in"] for row in scan)
    assert (web.protocol, web.state) == ("http", "closed")


def test_a_few_refused_ports_are_told_one_by_one() -> None:
    assert len(found(flows=[flow(A, B, port, state="refused") for port in range(1, UNANSWERED_PORTS + 1)])) == 32


def test_a_scan_does_not_swallow_the_conversation() -> None:
    scan = [flow(A, B, port, state="attempted") for port in range(400, 600)]
    edges = found(talks=[talk(A, B)], flows=scan)
    assert [(edge.protocol, edge.packets) for edge in edges] == [("modbus", 3), ("tcp/*", 597)]


def test_a_sweep_over_silent_addresses_makes_no_assets() -> None:
    sweep = [flow(A, f"10.7.{n // 200}.{n % 200 + 1}", 502, state="attempted") for n in range(400)]
    live = flow(A, B, 502, state="refused")
    inventory = build(network(flows=[*sweep, live]))
    assert [asset.id for asset in inventory.assets] == [A, B]
    assert [(e.server, e.server_address, e.protocol, e.packets) for e in inventory.edges] == [
        (B, B, "tcp/502", 5),
        ("broadcast:10.7.0.0/24", "10.7.0.0", "tcp/502", 600),
        ("broadcast:10.7.1.0/24", "10.7.1.0", "tcp/502", 600),
    ]


def test_a_few_silent_addresses_are_assets_of_which_nothing_is_known() -> None:
    inventory = build(network(flows=[flow(A, f"10.7.0.{n}", 502, state="attempted") for n in range(SILENT_SERVERS)]))
    assert len(inventory.assets) == 1 + SILENT_SERVERS
    assert {asset.role for asset in inventory.assets} == {"unknown"}


def test_arp_is_no_edge() -> None:
    assert found(flows=[flow("00:80:f4:00:00:20", "ff:ff:ff:ff:ff:ff", 0x0806, transport="ethernet")]) == ()


def test_edges_of_nothing() -> None:
    assert edges((), (), {}) == ()
