"""Ranges of points, merged and bounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from zonewatch.inventory.model import Target

MOST_TARGETS: Final = 64
"""A function names at most this many ranges; beyond that, the nearest are widened into one."""

_MODBUS_TABLES: Final = {"coil": 0, "discrete-input": 1, "input-register": 3, "holding-register": 4}

_Range = tuple[int, int]  # first, and one past the last
_Name = tuple[str, str]  # kind, property


def merge_targets(given: Iterable[Target], most: int = MOST_TARGETS) -> tuple[Target, ...]:
    """Ranges that touch or overlap as one, sorted; every point given is in the result.

    Where more than `most` are left, the smallest holes are covered; then properties, then kinds are no longer told
    apart (an empty name stands for all of them).
    """
    rows = tuple(given)
    for coarsen in (_as_it_is, _without_property, _without_kind):
        merged = _merged([coarsen(row) for row in rows], most)
        if len(merged) <= most:
            break
    return merged


def _as_it_is(target: Target) -> Target:
    return target


def _without_property(target: Target) -> Target:
    return Target(target.kind, target.start, target.count)


def _without_kind(_: Target) -> Target:
    return Target("", None, 0)


def _merged(rows: Iterable[Target], most: int) -> tuple[Target, ...]:
    ranges: defaultdict[_Name, list[_Range]] = defaultdict(list)
    everything: dict[_Name, int] = {}
    for row in rows:
        name = row.kind, row.property_name
        if row.start is None:
            everything[name] = max(everything.get(name, 0), row.count)
        else:
            ranges[name].append((row.start, row.start + max(row.count, 1)))
    touching = {name: _touching(found) for name, found in ranges.items()}
    widened = _widened(touching, most - len(everything))
    targets = [Target(kind, None, count, prop) for (kind, prop), count in everything.items()]
    targets += [
        Target(kind, first, after - first, prop) for (kind, prop), found in widened.items() for first, after in found
    ]
    return tuple(sorted(targets, key=lambda t: (t.kind, t.property_name, -1 if t.start is None else t.start)))


def _touching(found: list[_Range]) -> list[_Range]:
    result: list[_Range] = []
    for first, after in sorted(found):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(after, result[-1][1]))
        else:
            result.append((first, after))
    return result


def _widened(ranges: dict[_Name, list[_Range]], most: int) -> dict[_Name, list[_Range]]:
    """Covers the smallest holes until at most `most` ranges are left, if there are holes enough."""
    surplus = sum(len(found) for found in ranges.values()) - most
    if surplus <= 0:
        return ranges
    holes = sorted(
        (found[index + 1][0] - found[index][1], name, index)
        for name, found in ranges.items()
        for index in range(len(found) - 1)
    )
    covered = {(name, index) for _, name, index in holes[:surplus]}
    return {
        name: _touching(
            [
                (first, found[index + 1][0] if (name, index) in covered else after)
                for index, (first, after) in enumerate(found)
            ]
        )
        for name, found in ranges.items()
    }


def reference(kind: str, first: int, last: int) -> str:
    """Modbus points as the numbers on a controller's drawing, which count from 1: `40100`, `40001-40008`; else empty.

    They are the table's digit and the address + 1: five digits up to address 9998, six where the range goes beyond.
    """
    if kind not in _MODBUS_TABLES:
        return ""
    digits = 4 if last < 9_999 else 5
    return "-".join(f"{_MODBUS_TABLES[kind]}{point + 1:0{digits}d}" for point in dict.fromkeys((first, last)))
