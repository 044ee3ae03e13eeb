from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reports.drawings import plans
from zonewatch.reports.document.picture import checked, measured
from zonewatch.reports.drawings.heatmap import TILE_MARKS, Technique, heat_map
from zonewatch.reports.drawings.matrix import Cell, communication_matrix
from zonewatch.reports.drawings.svg import fitting, width_of, wrapped
from zonewatch.reports.drawings.timeline import MOST_TICKS, Track, steps, timeline
from zonewatch.reports.drawings.zones import LINK_KINDS, Link, ZoneBox, zone_map
from zonewatch.reports.result import VERDICT_ORDER
from zonewatch.reports.words import SECOND

SPACE = "{http://www.w3.org/2000/svg}"
LINKS = {"declared": "declared and seen", "observed": "seen only", "unused": "declared, not seen"}
SIGHTS = {"seen": "seen", "could_be_seen": "could be seen", "cannot_be_seen": "cannot be seen"}
VERDICTS = {verdict: verdict for verdict in VERDICT_ORDER}


def zones(count: int) -> str:
    return zone_map(plans.zones(count), plans.links(count), "Zones", "All of them", LINKS)


def matrix(count: int) -> str:
    names = [(zone.id, zone.label) for zone in plans.zones(count)]
    return communication_matrix(names, plans.cells(count), "Matrix", "All pairs", "from ↓ to →", VERDICTS)


def times(count: int) -> str:
    return timeline(plans.tracks(count), plans.START, plans.START + 7_200 * SECOND, "Times", "All of them")


def techniques(count: int) -> str:
    return heat_map(plans.TACTICS, plans.techniques(count), "Techniques", "All of them", SIGHTS)


DRAWN: tuple[Callable[[int], str], ...] = (zones, matrix, times, techniques)
COUNTS = (3, 4, 7, 12, 13, 24, 25, 60)


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right - 0.1
            and other.left < self.right - 0.1
            and self.top < other.bottom - 0.1
            and other.top < self.bottom - 0.1
        )


def texts(svg: str) -> list[tuple[str, Box]]:
    """Every text that is drawn, with its place."""
    found = []
    for node in ElementTree.fromstring(svg).iter(f"{SPACE}text"):
        words, size = node.text or "", float(node.get("font-size", ""))
        x, y = float(node.get("x", "")), float(node.get("y", ""))
        wide = width_of(words, size, bold=node.get("font-weight") == "700")
        anchor = node.get("text-anchor", "start")
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[anchor]
        box = Box(left, y - size * 0.75, left + wide, y + size * 0.2)
        if node.get("transform"):
            box = Box(x - size * 0.75, y - wide, x + size * 0.2, y)
        found.append((words, box))
    return found


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("draw", DRAWN)
def test_no_label_lies_on_another_or_leaves_the_picture(draw: Callable[[int], str], count: int) -> None:
    svg = draw(count)
    found = texts(svg)
    wide, high = measured(svg)
    assert [words for words, box in found if box.left < -0.1 or box.top < -0.1 or box.right > wide + 0.1] == []
    assert [words for words, box in found if box.bottom > high + 0.1] == []
    pairs = itertools.combinations(found, 2)
    assert [(one[0], other[0]) for one, other in pairs if one[1].meets(other[1])] == []


@pytest.mark.parametrize("draw", DRAWN)
def test_a_drawing_is_a_picture_with_title_and_description_and_always_the_same(draw: Callable[[int], str]) -> None:
    svg = draw(7)
    assert checked(svg) == draw(7) == svg
    root = ElementTree.fromstring(svg)
    assert root[0].tag == f"{SPACE}title"
    assert root[1].tag == f"{SPACE}desc"
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"


def _stretches(svg: str) -> list[list[tuple[float, float]]]:
    """The lines of the map as corner points."""
    found = []
    for node in ElementTree.fromstring(svg).iter(f"{SPACE}path"):
        if node.get("fill") == "none":
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", node.get("d", ""))]
            found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


@pytest.mark.parametrize("count", COUNTS)
def test_no_line_crosses_a_zone_and_none_runs_on_another(count: int) -> None:
    svg = zones(count)
    boxes = [
        Box(x, y, x + wide, y + high)
        for node in ElementTree.fromstring(svg).iter(f"{SPACE}rect")
        if "k-muted" in node.get("class", "")
        for x, y, wide, high in [tuple(float(node.get(name, "")) for name in ("x", "y", "width", "height"))]
    ]
    assert len(boxes) == count
    straight: set[tuple[bool, float, float, float]] = set()
    lines = _stretches(svg)
    assert len(lines) == len(plans.links(count))
    for points in lines:
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            one = Box(min(x1, x2), min(y1, y2), max(x1, x2) + 0.2, max(y1, y2) + 0.2)
            assert not [box for box in boxes if one.meets(Box(box.left, box.top + 0.3, box.right, box.bottom - 0.3))]
            if x1 == x2 or y1 == y2:
                straight.add((x1 == x2, x1 if x1 == x2 else y1, *sorted((y1, y2) if x1 == x2 else (x1, x2))))
    rows = sorted(straight)
    for (up, place, _, end), (other_up, other_place, start, _) in itertools.pairwise(rows):
        assert (up, place) != (other_up, other_place) or end <= start


@pytest.mark.parametrize("kind", LINK_KINDS)
def test_the_state_of_a_conduit_is_colour_and_dashes_and_words(kind: str) -> None:
    boxes = (ZoneBox("a", "A", "Level 2"), ZoneBox("b", "B", "Level 1"))
    svg = zone_map(boxes, (Link("a", "b", kind, f"A to B: {kind}"),), "t", "d", {})  # type: ignore[arg-type]
    colour, dashes, _ = LINK_KINDS[kind]  # type: ignore[index]
    node = next(node for node in ElementTree.fromstring(svg).iter(f"{SPACE}path"))
    assert node.get("class") == f"k-{colour}"
    assert node.get("stroke-dasharray", "") == dashes
    assert f"A to B: {kind}" in svg


def test_an_arrow_stands_at_the_server() -> None:
    boxes = (ZoneBox("a", "A", "Level 2"), ZoneBox("b", "B", "Level 1"))
    down = zone_map(boxes, (Link("a", "b", "declared"),), "t", "d", {})
    up = zone_map(boxes, (Link("b", "a", "declared"),), "t", "d", {})
    tips = [re.findall(r'd="M[\d.]+ ([\d.]+)l-3.5 (-?8)h7z"', svg)[0] for svg in (down, up)]
    assert [back for _, back in tips] == ["-8", "8"]
    assert float(tips[0][0]) > float(tips[1][0])


def test_the_matrix_says_counts_where_there_is_room_and_signs_always() -> None:
    assert "83.5k" in [words for words, _ in texts(matrix(12))]
    assert "83.5k" not in [words for words, _ in texts(matrix(60))]
    assert {"✗", "?", "~", "✓"} <= {words for words, _ in texts(matrix(60))}


@pytest.mark.parametrize("seconds", [1, 7, 59, 600, 1_800, 86_400, 604_800, 31_536_000, 400_000_000])
def test_an_axis_has_few_round_moments(seconds: int) -> None:
    moments = steps(plans.START, plans.START + seconds * SECOND)
    assert 1 <= len(moments) <= MOST_TICKS
    assert all(moment % SECOND == 0 for moment in moments)


def test_what_has_no_time_is_not_on_the_timeline() -> None:
    svg = timeline(
        (Track("untimed", "low", 0, 0), Track("timed", "high", plans.START, plans.START)), plans.START, 0, "t", "d"
    )
    assert [words for words, _ in texts(svg)].count("timed") == 1
    assert "untimed" not in [words for words, _ in texts(svg)]


@pytest.mark.parametrize("sight", TILE_MARKS)
def test_a_technique_says_by_a_sign_whether_it_was_seen(sight: str) -> None:
    tile = Technique("T0800", "Name", ("impact", "execution"), sight)  # type: ignore[arg-type]
    found = [words for words, _ in texts(heat_map(plans.TACTICS, (tile,), "t", "d", SIGHTS))]  # type: ignore[arg-type]
    assert found.count(TILE_MARKS[sight][0]) == 2 + 1  # type: ignore[index]
    assert "Initial Access" not in found


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_hostile_names_stay_text(name: str) -> None:
    boxes = (ZoneBox("a", name, name, name, (name, name)), ZoneBox("b", "B", "Level 1"))
    drawn = (
        zone_map(boxes, (Link("a", "b", "observed", name),), name, name, {"observed": name}),
        communication_matrix([("a", name)], (Cell("a", "a", None, 1, name),), name, name, name, {}),
        timeline((Track(name, "low", plans.START, plans.START, name),), plans.START, plans.START, name, name),
        heat_map((("x", name),), (Technique(name, name, ("x",), "seen"),), name, name, SIGHTS),
    )
    assert [checked(svg) for svg in drawn] == list(drawn)


@pytest.mark.parametrize("words", ["", "a", "Intake, filters and dosing", "W" * 5_000, "x" * 5_000, "中" * 90])
def test_a_text_is_cut_to_its_room(words: str) -> None:
    assert width_of(fitting(words, 100, 12), 12) <= 100
    lines = wrapped(words, 100, 12, bold=True)
    assert len(lines) <= 2
    assert all(width_of(line, 12, bold=True) <= 100 for line in lines)
