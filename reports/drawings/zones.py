"""The zone map: zones as boxes by Purdue level, conduits as lines that run between the boxes and never across them.

Boxes stand on a grid. A line leaves its box into the gutter under or over it, runs there on a track of its own, and
where it passes other rows, through a channel between columns, again on a track of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from zonewatch.reports.drawings import svg

__all__ = ["LINK_KINDS", "Link", "LinkKind", "ZoneBox", "zone_map"]

LinkKind = Literal["declared", "observed", "unused"]
LINK_KINDS: Final[dict[LinkKind, tuple[str, str, float]]] = {
    "declared": ("accent", "", 1.8),
    "observed": ("violation", "6 4", 1.8),
    "unused": ("muted", "1.5 3.5", 1.5),
}
"""Colour, dashes and width: declared and seen is solid, only seen is red and dashed, declared and unused is grey."""
MOST_COLUMNS: Final = 5
BOX_WIDTHS: Final = {1: 190.0, 2: 190.0, 3: 180.0, 4: 154.0}
"""By the number of columns; where there are more, as wide as the last."""
BOX_WIDTH: Final = 138.0
BOX_HEIGHT: Final = 66.0
MARGIN: Final = 96.0
TRACK: Final = 7.0
CHANNEL: Final = 16.0
GUTTER: Final = 26.0
PORT_EDGE: Final = 12.0


@dataclass(frozen=True, slots=True)
class ZoneBox:
    """A zone to be drawn; those of one level follow each other."""

    id: str
    label: str
    level: str  # "Level 3.5"
    level_word: str = ""  # "DMZ"
    lines: tuple[str, ...] = ()  # at most two small ones under the label
    outside: bool = False  # no zone of the model: public addresses, devices without a zone


@dataclass(frozen=True, slots=True)
class Link:
    """A conduit or what was seen where none is, from the zone of the client to the zone of the server."""

    start: str
    end: str
    kind: LinkKind
    title: str = ""


@dataclass(slots=True)
class _Segment:
    """A stretch along a gutter or channel, between two places; its track is found later."""

    low: float
    high: float
    track: int = 0


@dataclass(slots=True)
class _Route:
    link: Link
    upper: tuple[int, int]  # line and column
    lower: tuple[int, int]
    first: int  # the gutter under `upper`
    last: int  # the gutter that `lower` is reached from
    channel: int | None
    ends_lower: bool  # the link ends at `lower`: the lower box, or the right one of a line
    ports: list[float] = field(default_factory=lambda: [0.0, 0.0])
    segments: list[_Segment] = field(default_factory=list)
    down: _Segment | None = None


def zone_map(
    boxes: Sequence[ZoneBox], links: Sequence[Link], title: str, description: str, legend: Mapping[LinkKind, str]
) -> str:
    """The drawing. Links within a zone are not drawn."""
    cells, lines, columns = _grid(boxes)
    wide = BOX_WIDTHS.get(columns, BOX_WIDTH)
    routes = _routes([link for link in links if link.start != link.end], cells)
    channels = _channels(routes, columns)
    left = _columns(channels, columns, wide)
    _ports(routes, left, wide)
    gutters = _gutters(routes, channels, len(lines))
    tops, y = [], 14.0
    for under in gutters[1:]:
        tops.append(y)
        y += BOX_HEIGHT + GUTTER + under * TRACK
    width = left[-1] + wide + CHANNEL + channels[columns][0] * TRACK + 8
    parts = [*_bands(lines, tops, width), *(_drawn(route, channels, tops) for route in routes)]
    parts += [_box(box, left[cells[box.id][1]], tops[cells[box.id][0]], wide) for box in boxes]
    key, end = _legend(legend, y)
    return svg.drawing("zone-map", max(width, end), y + 24, title, description, [*parts, *key])


def _grid(boxes: Sequence[ZoneBox]) -> tuple[dict[str, tuple[int, int]], list[ZoneBox], int]:
    """Where each box stands, the first box of each line, and how many columns there are."""
    levels = [list(found) for _, found in groupby(boxes, key=lambda box: (box.level, box.level_word))]
    columns = max((min(len(found), MOST_COLUMNS) for found in levels), default=1)
    cells: dict[str, tuple[int, int]] = {}
    lines: list[ZoneBox] = []
    for found in levels:
        rows = -(-len(found) // columns)
        each = -(-len(found) // rows)
        for start in range(0, len(found), each):
            row = found[start : start + each]
            shift = (columns - len(row)) // 2
            cells |= {box.id: (len(lines), shift + index) for index, box in enumerate(row)}
            lines.append(row[0])
    return cells, lines, columns


def _routes(links: Sequence[Link], cells: Mapping[str, tuple[int, int]]) -> list[_Route]:
    load: dict[int, int] = defaultdict(int)
    routes = []
    for link in links:
        upper, lower = sorted((cells[link.start], cells[link.end]))
        first, last = upper[0] + 1, max(lower[0], upper[0] + 1)
        channel = None
        if last > first:
            beside = (lower[1], lower[1] + 1)
            near = [one for one in beside if min(upper[1], lower[1]) < one <= max(upper[1], lower[1])]
            channel = min(near or beside, key=lambda one: (load[one], one))
            load[channel] += 1
        routes.append(_Route(link, upper, lower, first, last, channel, cells[link.end] == lower))
    return routes


def _tracks(segments: list[_Segment], gap: float) -> int:
    """Gives each segment a track on which it meets no other; how many tracks there are."""
    ends: list[float] = []
    for segment in sorted(segments, key=lambda segment: (segment.low, segment.high)):
        free = next((index for index, end in enumerate(ends) if end + gap <= segment.low), len(ends))
        ends[free:] = [segment.high, *ends[free + 1 :]]
        segment.track = free
    return len(ends)


def _channels(routes: list[_Route], columns: int) -> list[tuple[int, float]]:
    """Of each channel the number of its tracks, and its left edge, which `_columns` sets."""
    found: dict[int, list[_Segment]] = defaultdict(list)
    for route in routes:
        if route.channel is not None:
            route.down = _Segment(route.first, route.last)
            found[route.channel].append(route.down)
    return [(_tracks(found[channel], 0.5), 0.0) for channel in range(columns + 1)]


def _columns(channels: list[tuple[int, float]], columns: int, wide: float) -> list[float]:
    """The left edges of the columns; those of the channels are filled in."""
    left, x = [], MARGIN
    for column in range(columns + 1):
        tracks = channels[column][0]
        channels[column] = (tracks, x + CHANNEL / 2)
        x += CHANNEL + tracks * TRACK
        if column < columns:
            left.append(x)
            x += wide
    return left


def _aims(route: _Route) -> tuple[tuple[int, int, float], tuple[int, int, float]]:
    """Of both ends the gutter, the column, and whereto the line goes on from there."""
    between = None if route.channel is None else route.channel - 0.5
    there = route.lower[1] if between is None else between
    back = route.upper[1] if between is None else between
    return (route.first, route.upper[1], there), (route.last, route.lower[1], back)


def _ports(routes: list[_Route], left: list[float], wide: float) -> None:
    """Gives every end of a line a place of its own along its column: no two lines leave on one another."""
    ends: dict[tuple[int, int], list[tuple[float, int, int]]] = defaultdict(list)
    for index, route in enumerate(routes):
        for end, (gutter, column, aim) in enumerate(_aims(route)):
            ends[gutter, column].append((aim - column, index, end))
    for (_, column), found in ends.items():
        step = (wide - 2 * PORT_EDGE) / (len(found) + 1)
        for place, (_, index, end) in enumerate(sorted(found), 1):
            routes[index].ports[end] = left[column] + PORT_EDGE + place * step


def _channel_x(route: _Route, channels: list[tuple[int, float]]) -> float:
    assert route.channel is not None
    assert route.down is not None
    return channels[route.channel][1] + (route.down.track + 0.5) * TRACK


def _gutters(routes: list[_Route], channels: list[tuple[int, float]], lines: int) -> list[int]:
    """The number of tracks of every gutter; the one over the first line is never used."""
    found: dict[int, list[_Segment]] = defaultdict(list)
    for route in routes:
        start, end = route.ports
        stops = [start, end] if route.channel is None else [start, _channel_x(route, channels), end]
        gutters = [route.first] if route.channel is None else [route.first, route.last]
        for gutter, one, other in zip(gutters, stops, stops[1:], strict=False):
            segment = _Segment(min(one, other), max(one, other))
            route.segments.append(segment)
            found[gutter].append(segment)
    return [_tracks(found[gutter], TRACK) for gutter in range(lines + 1)]


def _drawn(route: _Route, channels: list[tuple[int, float]], tops: list[float]) -> str:
    colour, dashes, width = LINK_KINDS[route.link.kind]
    same = route.upper[0] == route.lower[0]
    top = tops[route.upper[0]] + BOX_HEIGHT
    bottom = top if same else tops[route.lower[0]]

    def level(gutter: int, segment: _Segment) -> float:
        return tops[gutter - 1] + BOX_HEIGHT + GUTTER / 2 + (segment.track + 0.5) * TRACK

    (start, end), first = route.ports, level(route.first, route.segments[0])
    points = [(start, top), (start, first)]
    if route.channel is not None:
        x, last = _channel_x(route, channels), level(route.last, route.segments[1])
        points += [(x, first), (x, last), (end, last), (end, bottom)]
    else:
        points += [(end, first), (end, bottom)]
    more = {"stroke_dasharray": dashes} if dashes else {}
    tip = (end, bottom) if route.ends_lower else (start, top)
    head = svg.arrow(*tip, down=route.ends_lower and not same, fill=colour)
    return svg.group([svg.path(points, stroke=colour, stroke_width=width, **more), head], route.link.title)


def _bands(lines: list[ZoneBox], tops: list[float], width: float) -> list[str]:
    parts = []
    rows = list(zip(lines, tops, strict=True))
    for (level, word), found in groupby(rows, key=lambda row: (row[0].level, row[0].level_word)):
        tall = [top for _, top in found]
        y, height = tall[0] - 8, tall[-1] - tall[0] + BOX_HEIGHT + 16
        parts.append(svg.rect(0, y, width, height, fill="band", rx=6))
        parts.append(svg.label(level, 12, y + 30, 12, bold=True, room=MARGIN - 18))
        parts.append(svg.label(word, 12, y + 46, 11, fill="muted", room=MARGIN - 18) if word else "")
    return parts


def _box(box: ZoneBox, x: float, y: float, wide: float) -> str:
    dashes = {"stroke_dasharray": "4 3"} if box.outside else {}
    room = wide - 16
    names = svg.wrapped(box.label, room, 12, bold=True)
    parts = [
        svg.rect(x, y, wide, BOX_HEIGHT, fill="zone", stroke="muted", rx=5, stroke_width=1.1, **dashes),
        *(svg.label(name, x + 8, y + 17 + 14 * row, 12, bold=True) for row, name in enumerate(names)),
        *(
            svg.label(words, x + 8, y + 19 + 13 * (row + len(names)), 10.5, fill="muted", room=room)
            for row, words in enumerate(box.lines)
        ),
    ]
    return svg.group(parts, f"{box.label} ({box.id})" if box.id and box.id != box.label else box.label)


def _legend(legend: Mapping[LinkKind, str], y: float) -> tuple[list[str], float]:
    """The key to the lines, and where it ends."""
    parts, x = [], 12.0
    for kind, words in legend.items():
        colour, dashes, width = LINK_KINDS[kind]
        more = {"stroke_dasharray": dashes} if dashes else {}
        parts.append(svg.line(x, y + 8, x + 34, y + 8, stroke=colour, stroke_width=width, **more))
        parts.append(svg.label(words, x + 42, y + 12, 11, fill="muted"))
        x += 42 + svg.width_of(words, 11) + 22
    return parts, x
