"""The communication map as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from zonewatch.inventory.edges import BROADCAST
from zonewatch.inventory.model import Inventory

if TYPE_CHECKING:
    CommunicationMap = nx.MultiDiGraph[str]
else:
    CommunicationMap = nx.MultiDiGraph


def communication_map(inventory: Inventory) -> CommunicationMap:
    """Assets as nodes, edges from client to server.

    A node has `asset` (Asset, or None) and `broadcast` (True where it stands for many, and is no asset); an edge has
    `edge` (Edge), and its key is the protocol, transport and port. Nodes and edges come in the inventory's order.

        graph = communication_map(inventory)
        [data["edge"].protocol for _, _, data in graph.out_edges("hmi-1", data=True)]
    """
    graph: CommunicationMap = nx.MultiDiGraph()
    for asset in inventory.assets:
        graph.add_node(asset.id, asset=asset, broadcast=False)
    for edge in inventory.edges:
        for end in (edge.client, edge.server):
            if end not in graph:
                graph.add_node(end, asset=None, broadcast=end.startswith(BROADCAST))
        graph.add_edge(edge.client, edge.server, key=f"{edge.protocol}:{edge.transport}:{edge.server_port}", edge=edge)
    return graph
