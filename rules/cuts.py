"""Ways through a graph, and the fewest nodes that cut all of them.

What may be closed is a node with a cost; other nodes cannot be closed. A conduit is a node between the zones it joins,
so that conduits and hosts are cut by one method: each node is split into a way in and a way out, with the price of the
node between them (Menger's theorem by maximum flow).

networkx is loaded where there is something to cut, which is seldom: it takes longer to load than most audits to judge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import networkx as nx

    Directed = nx.DiGraph[Any]

_Node = TypeVar("_Node", bound=Hashable)
_Half = tuple[str, str]
"""A node's way in, or its way out."""
_ENTRY: Final[_Half] = ("", "entry")
_END: Final[_Half] = ("", "end")


@dataclass(frozen=True, slots=True)
class Mesh:
    """A directed graph with where somebody comes in and what must not be reached."""

    after: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    costs: Mapping[str, int] = field(default_factory=dict)  # of what may be closed

    def successors(self, node: str) -> list[str]:
        """By name."""
        return sorted(self.after.get(node, ()))


def relevant(mesh: Mesh) -> Mesh:
    """Only what lies on a way from a source to a target."""
    forward = _reached(mesh.after, mesh.sources)
    before: dict[str, set[str]] = {}
    for node, ends in mesh.after.items():
        for end in ends:
            before.setdefault(end, set()).add(node)
    both = forward & _reached(before, mesh.targets & forward)
    return Mesh(
        {node: frozenset(ends & both) for node, ends in mesh.after.items() if node in both},
        mesh.sources & both,
        mesh.targets & both,
        {node: cost for node, cost in mesh.costs.items() if node in both},
    )


def _reached(after: Mapping[str, Collection[str]], start: Iterable[str]) -> set[str]:
    return _spread(start, lambda node: after.get(node, ()))


def fewest(mesh: Mesh) -> tuple[str, ...] | None:
    """The fewest nodes whose closing cuts every way; of those the cheapest, then the first by name.

    Nothing to cut gives an empty tuple; None where some way has no node that may be closed.
    """
    mesh = relevant(mesh)
    if not mesh.sources:
        return ()
    import networkx as nx
    from networkx.algorithms.flow import preflow_push

    unit = 1 + sum(mesh.costs.values())  # one node more outweighs all costs
    try:
        left = preflow_push(_split(mesh, unit), _ENTRY, _END)
    except nx.NetworkXUnbounded:
        return None
    return tuple(_first_cut(left, sorted(mesh.costs)))


def _first_cut(left: Directed, names: list[str]) -> Iterator[str]:
    """Of all minimum cuts the one whose names come first, out of what a maximum flow left.

    The cuts are the sets of nodes with the entry, without the end, that no edge with capacity left leaves (Picard and
    Queyranne, 1980). `kept` is what such a set must hold by the names chosen so far, `barred` what it must not.
    """

    def has_room(start: _Half, end: _Half) -> bool:
        return bool(left[start][end]["flow"] < left[start][end]["capacity"])

    def forward(node: _Half) -> Iterator[_Half]:
        return (end for end in left[node] if has_room(node, end))

    def backward(node: _Half) -> Iterator[_Half]:
        return (start for start in left[node] if has_room(start, node))

    kept, barred = _spread([_ENTRY], forward), _spread([_END], backward)
    for name in names:
        start, end = (name, "in"), (name, "out")
        if start in barred or end in kept or has_room(start, end):
            continue
        if start not in kept or end not in barred:
            held = _spread([start], forward)
            if end in held:
                continue
            kept |= held
            barred |= _spread([end], backward)
        yield name


def _spread(start: Iterable[_Node], after: Callable[[_Node], Iterable[_Node]]) -> set[_Node]:
    """All that can be reached, with where it begins."""
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for end in after(waiting.pop()):
            if end not in seen:
                seen.add(end)
                waiting.append(end)
    return seen


def _split(mesh: Mesh, unit: int) -> Directed:
    """No capacity is an infinite one."""
    import networkx as nx

    graph: Directed = nx.DiGraph()
    graph.add_nodes_from((_ENTRY, _END))
    nodes = sorted({*mesh.after, *(end for ends in mesh.after.values() for end in ends), *mesh.sources, *mesh.targets})
    for node in nodes:
        if node in mesh.costs:
            graph.add_edge((node, "in"), (node, "out"), capacity=unit + mesh.costs[node])
        else:
            graph.add_edge((node, "in"), (node, "out"))
    for node in nodes:
        for end in mesh.successors(node):
            graph.add_edge((node, "out"), (end, "in"))
    for node in sorted(mesh.sources):
        graph.add_edge(_ENTRY, (node, "in"))
    for node in sorted(mesh.targets):
        graph.add_edge((node, "out"), _END)
    return graph


def choke_points(mesh: Mesh) -> tuple[tuple[str, int], ...]:
    """Nodes that may be closed and that all ways to some target pass: node and number of such targets, most first.

    They are the dominators of the target in the graph from the entry.
    """
    mesh = relevant(mesh)
    if not mesh.sources:
        return ()
    import networkx as nx

    graph: Directed = nx.DiGraph()
    graph.add_edges_from((node, end) for node in sorted(mesh.after) for end in mesh.successors(node))
    graph.add_edges_from((_ENTRY, node) for node in sorted(mesh.sources))
    above: dict[Any, Any] = nx.immediate_dominators(graph, _ENTRY)
    counts: dict[str, int] = {}
    for target in sorted(mesh.targets):
        node = above.get(target)
        while node is not None and node != _ENTRY:
            if node in mesh.costs:
                counts[node] = counts.get(node, 0) + 1
            node = above[node]
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def every_way(mesh: Mesh, longest: int) -> Iterator[tuple[str, ...]]:
    """Every way without a loop that meets no target before its end, the shortest first.

    `longest` counts nodes. The caller takes as many as it wants.
    """
    mesh = relevant(mesh)
    left = _steps_left(mesh)
    waiting: deque[tuple[str, ...]] = deque((node,) for node in sorted(mesh.sources))
    while waiting:
        way = waiting.popleft()
        if way[-1] in mesh.targets:
            yield way
            continue
        # What is too far from every target by now is not followed: there may be very many such beginnings.
        ends = (end for end in mesh.successors(way[-1]) if len(way) + 1 + left[end] <= longest)
        waiting.extend((*way, end) for end in ends if end not in way)


def _steps_left(mesh: Mesh) -> dict[str, int]:
    """From each node the steps to the nearest target."""
    before: dict[str, set[str]] = {}
    for node, ends in mesh.after.items():
        for end in ends:
            before.setdefault(end, set()).add(node)
    left = dict.fromkeys(mesh.targets, 0)
    waiting = deque(sorted(mesh.targets))
    while waiting:
        node = waiting.popleft()
        for start in before.get(node, ()):
            if start not in left:
                left[start] = left[node] + 1
                waiting.append(start)
    return left


def shortest_ways(mesh: Mesh) -> dict[str, tuple[str, ...]]:
    """For each target that can be reached the shortest way, of equals the first by name."""
    before: dict[str, str] = dict.fromkeys(sorted(mesh.sources), "")
    waiting = deque(before)
    while waiting:
        node = waiting.popleft()
        for end in mesh.successors(node):
            if end not in before:
                before[end] = node
                waiting.append(end)
    found = {}
    for target in sorted(mesh.targets & before.keys()):
        way, node = [target], before[target]
        while node:
            way.append(node)
            node = before[node]
        found[target] = tuple(reversed(way))
    return found
