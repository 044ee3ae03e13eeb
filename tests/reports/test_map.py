from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import sample
from zonewatch.reports.graph import MAX_ASSETS, MAX_LINES, map_data
from zonewatch.reports.layout import CELL_HEIGHT, CELL_WIDTH, Box, Place, arrange
from zonewatch.reports.result import PolicyInfo
from zonewatch.reports.speech import english


def apart(one: Place, other: Place) -> bool:
    return (
        abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= (one.height + other.height) / 2
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30)), max_size=8))
def test_nothing_stands_on_anything_else(shape: list[tuple[int, int]]) -> None:
    boxes = [
        Box(f"z{index}", f"row {row}", tuple(f"z{index}-{member}" for member in range(count)))
        for index, (row, count) in enumerate(sorted(shape))
    ]
    found = arrange(boxes)
    assert set(found.members) == {member for box in boxes for member in box.members}
    assert all(apart(one, other) for one, other in combinations(found.members.values(), 2))
    assert all(apart(title, place) for title in found.titles.values() for place in found.members.values())
    assert all(apart(one.place, other.place) for one, other in combinations(found.bands, 2))
    rows = {band.label: band.place for band in found.bands}
    for box in boxes:
        for member in box.members:
            band, place = rows[box.row], found.members[member]
            assert abs(place.x - band.x) <= (band.width - CELL_WIDTH) / 2
            assert abs(place.y - band.y) <= (band.height - CELL_HEIGHT) / 2


def test_levels_are_rows_from_the_business_down_to_the_process() -> None:
    bands = map_data(sample.sample(), english())["bands"]
    assert [band["label"].partition("\n")[0] for band in bands] == [
        "Outside",
        "Level 4",
        "Level 3.5",
        "Level 2",
        "Level 1",
    ]
    assert [band["y"] for band in bands] == sorted(band["y"] for band in bands)


def test_lines_carry_verdict_functions_and_frames() -> None:
    lines = map_data(sample.sample(), english())["lines"]
    link = next(
        link for line in lines for link in line["links"] if (link["client"], link["server"]) == ("eng-1", "plc-3")
    )
    line = next(line for line in lines if link in line["links"])
    assert line["verdict"] == "violation"
    assert line["ot"]
    assert line["operations"] == ["write"]
    (function,) = link["functions"]
    assert function["name"] == "6 write_single_register"
    assert function["targets"] == ["holding-register 100 (40101)"]
    assert function["frames"] == f"{sample.CAPTURE} frame 44120"
    assert function["verdicts"][0]["verdict"] == "violation"


def test_claims_that_lost_stay_visible() -> None:
    data = map_data(sample.sample(), english())
    claims = {(row["what"], row["value"], row["winner"]) for row in data["assets"][data["find"]["plc-3"]]["claims"]}
    assert {("model", "750-8212", True), ("model", "M340", False)} <= claims


def test_a_name_that_a_proposal_gave_is_no_declaration() -> None:
    given = sample.sample()
    assets = tuple(
        replace(asset, declared="controller-1" if asset.id == "plc-3" else "") for asset in given.inventory.assets
    )
    proposed = replace(given, policy=PolicyInfo(), inventory=replace(given.inventory, assets=assets))
    for result, told in ((proposed, False), (replace(proposed, policy=given.policy), True)):
        data = map_data(result, english())
        facts = dict(data["assets"][data["find"]["plc-3"]]["facts"])
        assert ("declared as" in facts) is told


def test_every_line_joins_drawn_nodes_and_other_traffic_is_one_line_a_pair() -> None:
    data = map_data(sample.sample(), english())
    nodes = {node["id"] for node in data["nodes"]}
    assert all({line["source"], line["target"]} <= nodes for line in data["lines"])
    pairs = [(line["source"], line["target"]) for line in data["lines"] if not line["ot"]]
    assert len(pairs) == len(set(pairs))
    assert {node["zone"] for node in data["nodes"]} == {zone["id"] for zone in data["zones"]}


def test_broadcasts_stand_in_the_zone_of_their_sender() -> None:
    data = map_data(sample.sample(), english())
    (cast,) = [node for node in data["nodes"] if node["kind"] == "cast"]
    zone = next(zone for zone in data["zones"] if zone["id"] == cast["zone"])
    assert (cast["label"], zone["label"]) == ("10.20.30.255\nbroadcast", "Building automation")


@pytest.mark.parametrize(("count", "edges"), [(MAX_ASSETS, 400), (2_000, 8_000)])
def test_a_crowd_is_drawn_together(count: int, edges: int) -> None:
    data = map_data(sample.crowd(count, edges), english())
    assert len(data["nodes"]) <= MAX_ASSETS + 100
    assert len(data["lines"]) <= MAX_LINES
    assert set(data["find"]) <= {f"host-{index:05}" for index in range(count)}
    assert bool(data["notes"]) == (count > MAX_ASSETS)
    assert len(json.dumps(data)) < 3_000_000


def test_an_empty_result_has_an_empty_map() -> None:
    data = map_data(sample.empty(), english())
    assert (data["bands"], data["nodes"], data["lines"]) == ([], [], [])
