"""Where things stand on the map: Purdue levels as rows, zones side by side, assets in a grid inside their zone.

Positions are computed here, so that a map looks the same in every report of the same network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Final

__all__ = ["Band", "Box", "Place", "arrange"]

CELL_WIDTH: Final = 126
CELL_HEIGHT: Final = 74
ZONE_PADDING: Final = 16
ZONE_TITLE: Final = 26
TITLE_WIDTH: Final = 160
ZONE_GAP: Final = 44
LINE_GAP: Final = 30
BAND_GAP: Final = 8
BAND_PADDING: Final = 20
BAND_LABEL: Final = 130
ROW_WIDTHS: Final = (1_000, 1_400, 1_900, 2_500, 3_200, 4_200)
ASPECT: Final = 1.6
"""Width to height that fills the drawing best; the row width that comes nearest is taken."""


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
    titles: dict[str, Place]  # the title line of every box

    @property
    def aspect(self) -> float:
        """Width to height."""
        if not self.bands:
            return ASPECT
        last = self.bands[-1].place
        return last.width / (last.y + last.height / 2)


def _columns(count: int) -> int:
    return max(1, min(count, max(3, ceil(sqrt(count * 2.4)))))


def _size(box: Box) -> tuple[int, int]:
    columns = _columns(len(box.members))
    lines = ceil(len(box.members) / columns)
    return max(
        columns * CELL_WIDTH, TITLE_WIDTH
    ) + 2 * ZONE_PADDING, lines * CELL_HEIGHT + 2 * ZONE_PADDING + ZONE_TITLE


def _lines(boxes: Sequence[Box], limit: int) -> list[list[Box]]:
    """The boxes of one band, wrapped where they are wider than the map should be."""
    lines: list[list[Box]] = [[]]
    width = 0
    for box in boxes:
        own = _size(box)[0] + ZONE_GAP
        if lines[-1] and width + own > limit:
            lines.append([])
            width = 0
        lines[-1].append(box)
        width += own
    return lines


def arrange(boxes: Sequence[Box]) -> Arrangement:
    """Places the boxes in the order given; boxes of one row label must follow each other."""
    return min((_arranged(boxes, limit) for limit in ROW_WIDTHS), key=lambda found: abs(log(found.aspect / ASPECT)))


def _arranged(boxes: Sequence[Box], limit: int) -> Arrangement:
    rows: dict[str, list[Box]] = {}
    for box in boxes:
        rows.setdefault(box.row, []).append(box)
    wrapped = {label: _lines(found, limit) for label, found in rows.items()}
    widths = [sum(_size(box)[0] + ZONE_GAP for box in line) - ZONE_GAP for lines in wrapped.values() for line in lines]
    inner = max(widths, default=0)
    members: dict[str, Place] = {}
    titles: dict[str, Place] = {}
    bands = []
    top = 0.0
    for label, lines in wrapped.items():
        y = top + BAND_PADDING
        for line in lines:
            x = BAND_LABEL + (inner - sum(_size(box)[0] + ZONE_GAP for box in line) + ZONE_GAP) / 2
            for box in line:
                members |= _grid(box, x, y)
                own = _size(box)[0]
                titles[box.id] = Place(
                    x + own / 2, y + ZONE_PADDING + ZONE_TITLE / 2, own - 2 * ZONE_PADDING, ZONE_TITLE
                )
                x += own + ZONE_GAP
            y += max(_size(box)[1] for box in line) + LINE_GAP
        height = y - LINE_GAP + BAND_PADDING - top
        width = BAND_LABEL + inner + BAND_PADDING
        bands.append(Band(label, Place(width / 2, top + height / 2, width, height)))
        top += height + BAND_GAP
    return Arrangement(tuple(bands), members, titles)


def _grid(box: Box, x: float, y: float) -> dict[str, Place]:
    columns = _columns(len(box.members))
    left = x + (_size(box)[0] - columns * CELL_WIDTH) / 2
    return {
        member: Place(
            left + (index % columns + 0.5) * CELL_WIDTH,
            y + ZONE_PADDING + ZONE_TITLE + (index // columns + 0.5) * CELL_HEIGHT,
            CELL_WIDTH - 14,
            CELL_HEIGHT - 32,
        )
        for index, member in enumerate(box.members)
    }
