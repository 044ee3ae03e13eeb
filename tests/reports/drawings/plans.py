"""Made-up networks of any size, for the drawings."""

from __future__ import annotations

from zonewatch.reports.drawings.heatmap import Technique
from zonewatch.reports.drawings.matrix import Cell
from zonewatch.reports.drawings.timeline import Track
from zonewatch.reports.drawings.zones import LINK_KINDS, Link, ZoneBox
from zonewatch.reports.result import VERDICT_ORDER
from zonewatch.reports.words import SECOND
from zonewatch.rules.findings import SEVERITIES

LEVELS = ((5, "enterprise"), (4, "business"), (3.5, "DMZ"), (3, "operations"), (2, "supervision"), (1, "control"))
START = 1_772_438_400 * SECOND
NAMES = ("Filters", "Pumping stations and tank of the northern district", "DMZ", "Control room", "BÜRO", "x" * 60)


def zones(count: int) -> tuple[ZoneBox, ...]:
    of_level = sorted(range(count), key=lambda index: (index * 5 % len(LEVELS), index))
    return tuple(
        ZoneBox(
            f"zone-{index}",
            f"{index} {NAMES[index % len(NAMES)]}",
            f"Level {LEVELS[index * 5 % len(LEVELS)][0]:g}",
            LEVELS[index * 5 % len(LEVELS)][1],
            (f"SL-T 2 · {index} assets", "10.0.0.0/24"),
        )
        for index in of_level
    )


def links(count: int) -> tuple[Link, ...]:
    pairs = [(index, (index * 7 + step) % count) for index in range(count) for step in (1, 3)]
    pairs += [(0, index) for index in range(1, count, 3)]
    kinds = tuple(LINK_KINDS)
    return tuple(
        Link(f"zone-{start}", f"zone-{end}", kinds[place % 3], f"{start} to {end}")
        for place, (start, end) in enumerate(dict.fromkeys(pairs))
        if start != end
    )


def cells(count: int) -> tuple[Cell, ...]:
    return tuple(
        Cell(link.start, link.end, VERDICT_ORDER[place % 4], 17 ** (place % 6), "title")
        for place, link in enumerate(links(count))
    )


def tracks(count: int) -> tuple[Track, ...]:
    return tuple(
        Track(
            f"{index} {NAMES[index % len(NAMES)]} wrote to a controller from outside of its zone",
            SEVERITIES[index % 5],
            START + index * 60 * SECOND,
            START + index * 90 * SECOND,
            "title",
        )
        for index in range(count)
    )


TACTICS = (("initial-access", "Initial Access"), ("execution", "Execution"), ("impact", "Impact"), ("none", "None"))


def techniques(count: int) -> tuple[Technique, ...]:
    sights = ("seen", "could_be_seen", "cannot_be_seen")
    return tuple(
        Technique(
            f"T{800 + index:04}",
            f"Technique {NAMES[index % len(NAMES)]}",
            (TACTICS[index % 3][0], *(("impact",) if index % 4 == 0 else ())),
            sights[index % 3],  # type: ignore[arg-type]
        )
        for index in range(count)
    )
