"""Cuts, choke points and ways beside brute force on small random graphs."""

from __future__ import annotations

from itertools import combinations, islice, pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zonewatch.rules.cuts import Mesh, choke_points, every_way, fewest, shortest_ways

NODES = "abcdefgh"


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    count = draw(st.integers(3, len(NODES)))
    nodes = NODES[:count]
    pairs = [(one, other) for one in nodes for other in nodes if one != other]
    edges = draw(st.sets(st.sampled_from(pairs), max_size=18))
    sources = draw(st.sets(st.sampled_from(nodes), min_size=1, max_size=2))
    targets = draw(st.sets(st.sampled_from([node for node in nodes if node not in sources]), min_size=1, max_size=2))
    inner = [node for node in nodes if node not in sources | targets]
    closable = draw(st.sets(st.sampled_from(inner))) if inner else set()
    return Mesh(
        {node: frozenset(end for start, end in edges if start == node) for node in nodes},
        frozenset(sources),
        frozenset(targets),
        {node: draw(st.integers(0, 3)) for node in sorted(closable)},
    )


def reached(mesh: Mesh, closed: tuple[str, ...] = ()) -> set[str]:
    """The targets that can be reached with some nodes closed."""
    graph = nx.DiGraph((node, end) for node, ends in mesh.after.items() for end in ends)
    graph.add_nodes_from(NODES)
    graph.remove_nodes_from(closed)
    found = {end for node in mesh.sources - set(closed) for end in (*nx.descendants(graph, node), node)}
    return found & mesh.targets


def brute_force(mesh: Mesh) -> tuple[str, ...] | None:
    closable = sorted(mesh.costs)
    for size in range(len(closable) + 1):
        cuts = [closed for closed in combinations(closable, size) if not reached(mesh, closed)]
        if cuts:
            return min(cuts, key=lambda closed: (sum(mesh.costs[node] for node in closed), closed))
    return None


@settings(max_examples=400, deadline=None)
@given(meshes())
def test_the_cut_is_the_fewest_the_cheapest_the_first_by_name(mesh: Mesh) -> None:
    assert fewest(mesh) == brute_force(mesh)


@settings(max_examples=300, deadline=None)
@given(meshes())
def test_a_choke_point_closed_alone_cuts_its_targets_off(mesh: Mesh) -> None:
    all_of_them = reached(mesh)
    expected = {node: len(all_of_them - reached(mesh, (node,))) for node in mesh.costs}
    assert dict(choke_points(mesh)) == {node: count for node, count in expected.items() if count}


@settings(max_examples=300, deadline=None)
@given(meshes())
def test_every_way_is_found_once_the_shortest_first(mesh: Mesh) -> None:
    graph = nx.DiGraph((node, end) for node, ends in mesh.after.items() for end in ends)
    graph.add_nodes_from(NODES)
    expected = {
        tuple(way)
        for source in mesh.sources
        for target in mesh.targets
        for way in nx.all_simple_paths(graph, source, target)
        if not set(way[:-1]) & mesh.targets
    }
    found = list(every_way(mesh, len(NODES)))
    for longest in (1, 3, 5):
        assert list(every_way(mesh, longest)) == [way for way in found if len(way) <= longest]
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert [len(way) for way in found] == sorted(len(way) for way in found)
    shortest = shortest_ways(mesh)
    assert set(shortest) == reached(mesh)
    for target, way in shortest.items():
        assert len(way) == min(nx.shortest_path_length(graph, source, target) + 1 for source in mesh.sources
                               if nx.has_path(graph, source, target))  # fmt: skip


LADDER = Mesh(
    {"office": frozenset("xy"), "x": frozenset("p"), "y": frozenset("q"), "p": frozenset({"plant"}),
     "q": frozenset({"plant"})},
    frozenset({"office"}), frozenset({"plant"}), {"x": 1, "y": 1, "p": 1, "q": 0},
)  # fmt: skip


@pytest.mark.parametrize(
    ("mesh", "cut"),
    [
        (LADDER, ("p", "q")),  # two ways need two; p and x cost the same, q is cheaper than y
        (Mesh({"a": frozenset("b")}, frozenset("a"), frozenset("b")), None),  # nothing between them
        (Mesh({"a": frozenset("b")}, frozenset("a"), frozenset("c"), {"b": 1}), ()),
        (Mesh(), ()),
    ],
)
def test_cuts(mesh: Mesh, cut: tuple[str, ...] | None) -> None:
    assert fewest(mesh) == cut


def test_what_is_too_far_from_every_target_is_not_followed() -> None:
    crowd = [f"n{number:02}" for number in range(14)]
    far = [f"z{number:02}" for number in range(12)]
    after = {node: frozenset((*crowd, far[0])) for node in crowd}
    after |= {one: frozenset((other,)) for one, other in pairwise(far)}
    mesh = Mesh(after, frozenset(crowd[:1]), frozenset(far[-1:]))
    assert [len(way) for way in every_way(mesh, 14)] == [13] + [14] * 13
    assert list(every_way(mesh, 12)) == []


def test_ways_can_be_taken_from_a_graph_with_too_many() -> None:
    nodes = [f"n{number:02}" for number in range(40)]
    mesh = Mesh({node: frozenset(nodes) for node in nodes}, frozenset({"n00"}), frozenset({"n39"}))
    assert len(list(islice(every_way(mesh, 8), 50))) == 50
