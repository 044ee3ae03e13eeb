"""The communication matrix: from each zone (rows) to each zone (columns), the verdict that asks for attention first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.drawings import svg
from zonewatch.reports.result import VERDICT_ORDER
from zonewatch.reports.words import VERDICT_MARKS, short_number
from zonewatch.rules.findings import Verdict

__all__ = ["Cell", "communication_matrix"]

_SIZES: Final = ((12, 56.0, 36.0, 11.0), (24, 34.0, 24.0, 8.5), (1 << 30, 17.0, 17.0, 0.0))
"""Up to so many zones: width and height of a cell, and the size of its count; 0: no count is written."""
HEAD: Final = 150.0
HEAD_SIZE: Final = 11.5


@dataclass(frozen=True, slots=True)
class Cell:
    """What passed from one zone to another."""

    start: str
    end: str
    verdict: Verdict | None  # none: nothing was judged
    count: int
    title: str = ""


def communication_matrix(
    zones: Sequence[tuple[str, str]],
    cells: Sequence[Cell],
    title: str,
    description: str,
    corner: str,
    legend: Mapping[Verdict, str],
) -> str:
    """The drawing. `zones` are ids with their names, in their order."""
    _, wide, high, small = next(size for size in _SIZES if len(zones) <= size[0])
    names = [name for _, name in zones]
    left = min(HEAD, max((svg.width_of(name, HEAD_SIZE, bold=True) for name in names), default=0) + 4) + 14
    rooms = [svg.width_of(name, HEAD_SIZE, bold=True) for name in names]
    top = min(HEAD, max(rooms, default=0) + 4) + 12
    places = {zone: index for index, (zone, _) in enumerate(zones)}
    width, height = left + len(zones) * wide + 2, top + len(zones) * high + 2
    parts = [svg.label(corner, 2, top - 6, 10, fill="muted", room=left - 8)]
    for index, name in enumerate(names):
        x, y = left + (index + 0.5) * wide, top + (index + 0.5) * high
        parts.append(svg.label(name, left - 8, y + 4, HEAD_SIZE, bold=True, at="end", room=left - 12))
        parts.append(svg.label(name, x + 4, top - 6, HEAD_SIZE, bold=True, room=top - 8, turned=True))
        parts.append(svg.rect(left + index * wide, top + index * high, wide, high, fill="soft"))
    for index in range(len(zones) + 1):
        x, y = left + index * wide, top + index * high
        parts.append(svg.line(x, top, x, height - 2, stroke="rule", stroke_width=1))
        parts.append(svg.line(left, y, width - 2, y, stroke="rule", stroke_width=1))
    for cell in cells:
        x, y = left + (places[cell.end] + 0.5) * wide, top + (places[cell.start] + 0.5) * high
        parts.append(_cell(cell, x, y, wide, high, small))
    return svg.drawing(
        "matrix", max(width, _legend_width(legend)), height + 26, title, description, [*parts, *_legend(legend, height)]
    )


def _cell(cell: Cell, x: float, y: float, wide: float, high: float, small: float) -> str:
    colour = cell.verdict or "accent"
    mark = VERDICT_MARKS[cell.verdict].symbol if cell.verdict else "●"
    box = svg.rect(
        x - wide / 2 + 1.5,
        y - high / 2 + 1.5,
        wide - 3,
        high - 3,
        fill="surface",
        stroke=colour,
        stroke_width=1.4,
        rx=3,
    )
    if not small:
        return svg.group([box, svg.label(mark, x, y + 4, 11, fill=colour, bold=True, at="middle")], cell.title)
    parts = [
        box,
        svg.label(mark, x, y - 1, small + 2, fill=colour, bold=True, at="middle"),
        svg.label(short_number(cell.count), x, y + small + 0.5, small, at="middle"),
    ]
    return svg.group(parts, cell.title)


def _words(legend: Mapping[Verdict, str]) -> list[tuple[Verdict, str]]:
    return [(verdict, legend[verdict]) for verdict in VERDICT_ORDER if verdict in legend]


def _legend_width(legend: Mapping[Verdict, str]) -> float:
    return sum(svg.width_of(words, 11) + 38 for _, words in _words(legend)) + 8


def _legend(legend: Mapping[Verdict, str], y: float) -> list[str]:
    parts, x = [], 4.0
    for verdict, words in _words(legend):
        parts.append(svg.label(VERDICT_MARKS[verdict].symbol, x, y + 17, 12, fill=verdict, bold=True))
        parts.append(svg.label(words, x + 16, y + 17, 11, fill="muted"))
        x += svg.width_of(words, 11) + 38
    return parts
