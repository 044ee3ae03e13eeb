"""The communication map."""

from __future__ import annotations

from tests.inventory.network import flow, network, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.graph import communication_map

A, B = "10.0.0.1", "10.0.1.1"


def test_map_has_typed_nodes_and_edges() -> None:
    inventory = build(
        network(
            talks=[talk(A, B)],
            flows=[flow(A, B, 80, "http"), flow(A, "224.0.0.251", 5353, "mdns", "one_way", transport="udp")],
        )
    )
    graph = communication_map(inventory)
    assert list(graph) == [A, B, "broadcast:224.0.0.251"]
    assert [graph.nodes[name]["broadcast"] for name in graph] == [False, False, True]
    assert graph.nodes[B]["asset"].role == "controller"
    assert [key for _, _, key in graph.out_edges(A, keys=True)] == [
        "http:tcp:80",
        "modbus:tcp:502",
        "mdns:udp:5353",
    ]
    assert [data["edge"] for _, _, data in graph.edges(data=True)] == list(inventory.edges)
