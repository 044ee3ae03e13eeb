"""Where things stand on the map: Purdue levels as rows, zones side by side, assets in a grid inside their zone.

Positions are computed here, so that a map looks the same in every report of the same network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

__all__ = ["Band", "Box", "Place", "arrange"]

CELL_WIDTH: Final = 138
CELL_HEIGHT: Final = 84
ZONE_PADDING: Final = 20
ZONE_TITLE: Final = 26
ZONE_GAP: Final = 44
LINE_GAP: Final = 46
BAND_PADDING: Final = 30
BAND_LABEL: Final = 150
ROW_WIDTH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Box:
    """A zone to be placed: its members in the order they are to stand."""

    id: str
    row: str  # label of its band
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The middle of a thing and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Band:
    """A row across the whole map."""

    label: str
    place: Place


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Bands from top to bottom, and the middle of every member."""

    bands: tuple[Band, ...]
    members: dict[str, Place]


def _columns(count: int) -> int:
    return max(1, min(count, max(4, ceil(sqrt(count * 2.2)))))


def _size(box: Box) -> tuple[int, int]:
    columns = _columns(len(box.members))
    lines = ceil(len(box.members) / columns)
    return columns * CELL_WIDTH + 2 * ZONE_PADDING, lines * CELL_HEIGHT + 2 * ZONE_PADDING + ZONE_TITLE


def _lines(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes of one band, wrapped where they are wider than the map should be."""
    lines: list[list[Box]] = [[]]
    width = 0
    for box in boxes:
        own = _size(box)[0] + ZONE_GAP
        if lines[-1] and width + own > ROW_WIDTH:
            lines.append([])
            width = 0
        lines[-1].append(box)
        width += own
    return lines


def arrange(boxes: Sequence[Box]) -> Arrangement:
    """Places the boxes in the order given; boxes of one row label must follow each other."""
    rows: dict[str, list[Box]] = {}
    for box in boxes:
        rows.setdefault(box.row, []).append(box)
    wrapped = {label: _lines(found) for label, found in rows.items()}
    widths = [sum(_size(box)[0] + ZONE_GAP for box in line) - ZONE_GAP for lines in wrapped.values() for line in lines]
    inner = max(widths, default=0)
    members: dict[str, Place] = {}
    bands = []
    top = 0.0
    for label, lines in wrapped.items():
        y = top + BAND_PADDING
        for line in lines:
            x = BAND_LABEL + (inner - sum(_size(box)[0] + ZONE_GAP for box in line) + ZONE_GAP) / 2
            for box in line:
                members |= _grid(box, x, y)
                x += _size(box)[0] + ZONE_GAP
            y += max(_size(box)[1] for box in line) + LINE_GAP
        height = y - LINE_GAP + BAND_PADDING - top
        width = BAND_LABEL + inner + BAND_PADDING
        bands.append(Band(label, Place(width / 2, top + height / 2, width, height)))
        top += height + LINE_GAP
    return Arrangement(tuple(bands), members)


def _grid(box: Box, x: float, y: float) -> dict[str, Place]:
    columns = _columns(len(box.members))
    return {
        member: Place(
            x + ZONE_PADDING + (index % columns + 0.5) * CELL_WIDTH,
            y + ZONE_PADDING + ZONE_TITLE + (index // columns + 0.5) * CELL_HEIGHT,
            CELL_WIDTH - 20,
            CELL_HEIGHT - 36,
        )
        for index, member in enumerate(box.members)
    }
