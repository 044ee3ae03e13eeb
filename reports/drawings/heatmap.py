"""The heat map of ATT&CK for ICS: a row a tactic, its techniques as tiles: seen, could be seen, cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.reports.drawings import svg

__all__ = ["TILE_MARKS", "Sight", "Technique", "heat_map"]

Sight = Literal["seen", "could_be_seen", "cannot_be_seen"]
TILE_MARKS: Final[dict[Sight, tuple[str, str, str]]] = {
    "seen": ("●", "violation", ""),
    "could_be_seen": ("○", "accent", ""),
    "cannot_be_seen": ("–", "muted", "2.5 2.5"),
}
"""Sign, colour and dashes of the frame."""
WIDTH: Final = 880.0
LABEL: Final = 150.0
TILE: Final = 140.0
HIGH: Final = 34.0
GAP: Final = 5.0
PER_LINE: Final = int((WIDTH - LABEL) / (TILE + GAP))


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique, with the tactics that it serves."""

    id: str
    name: str
    tactics: tuple[str, ...]
    sight: Sight


def heat_map(
    tactics: Sequence[tuple[str, str]],
    techniques: Sequence[Technique],
    title: str,
    description: str,
    legend: Mapping[Sight, str],
) -> str:
    """The drawing. `tactics` are ids with their names, in their order; those without a technique are left out."""
    parts, y = [], 4.0
    for tactic, name in tactics:
        found = [technique for technique in techniques if tactic in technique.tactics]
        if not found:
            continue
        parts.append(svg.line(0, y, WIDTH, y, stroke="rule", stroke_width=1))
        parts.append(svg.label(name, 2, y + 26, 12, bold=True, room=LABEL - 12))
        for index, technique in enumerate(found):
            x = LABEL + index % PER_LINE * (TILE + GAP)
            parts.append(_tile(technique, x, y + 6 + index // PER_LINE * (HIGH + GAP), legend))
        y += 8 + -(-len(found) // PER_LINE) * (HIGH + GAP)
    parts += _legend(legend, y + 4)
    return svg.drawing("techniques", WIDTH, y + 30, title, description, parts)


def _tile(technique: Technique, x: float, y: float, legend: Mapping[Sight, str]) -> str:
    mark, colour, dashes = TILE_MARKS[technique.sight]
    more = {"stroke_dasharray": dashes} if dashes else {}
    parts = [
        svg.rect(x, y, TILE, HIGH, fill="surface", stroke=colour, rx=4, stroke_width=1.4, **more),
        svg.label(mark, x + 12, y + 15, 12, fill=colour, bold=True, at="middle"),
        svg.label(technique.id, x + 23, y + 14, 10.5, bold=True, room=TILE - 30),
        svg.label(technique.name, x + 7, y + 28, 10, room=TILE - 14, fill="ink"),
    ]
    return svg.group(parts, f"{technique.id} {technique.name}: {legend[technique.sight]}")


def _legend(legend: Mapping[Sight, str], y: float) -> list[str]:
    parts, x = [], 4.0
    for sight, words in legend.items():
        mark, colour, _ = TILE_MARKS[sight]
        parts.append(svg.label(mark, x + 6, y + 16, 13, fill=colour, bold=True, at="middle"))
        parts.append(svg.label(words, x + 18, y + 16, 11, fill="muted"))
        x += svg.width_of(words, 11) + 46
    return parts
