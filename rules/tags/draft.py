"""A tag list to start from: every point that was seen read or written, with the names that devices gave it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from zonewatch.inventory.model import Edge, Inventory
from zonewatch.inventory.targets import reference
from zonewatch.rules.tags.detect import SETTING
from zonewatch.rules.tags.model import NO_TAGS, OCTETS, SAME_POINT, Point, Tags
from zonewatch.rules.tags.read import COLUMNS
from zonewatch.rules.tags.written import ONE_UNIT

MOST_ROWS: Final = 50_000
MOST_BY: Final = 4
_POINTS: Final = """
coil discrete-input input-register holding-register
binary-input double-bit-input binary-output counter analog-input analog-output
analog-value binary-value multi-state-input multi-state-output multi-state-value accumulator integer-value
positive-integer-value large-analog-value loop life-safety-point
s7-counter s7-timer s7-analog-input s7-analog-output
"""
POINTS: Final = OCTETS | frozenset(_POINTS.split())
"""Kinds of objects that hold values of the process."""


@dataclass(slots=True)
class _Seen:
    property_name: str = ""
    readers: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)


_Key = tuple[str, str, str, str, str, int]
"""Asset, unit, protocol, kind, area, number."""


def draft(inventory: Inventory, tags: Tags = NO_TAGS) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Rows with a cell for each of `read.COLUMNS`, and how many points were left out beyond `MOST_ROWS`."""
    names = {asset.id: asset.short_name for asset in inventory.assets}
    found: defaultdict[_Key, _Seen] = defaultdict(_Seen)
    left = 0
    for edge in inventory.edges:
        for key, property_name, operation in _points(edge):
            if key not in found and len(found) >= MOST_ROWS:
                left += 1
                continue
            seen = found[key]
            seen.property_name = property_name
            (seen.writers if operation in SETTING else seen.readers).add(names.get(edge.client, edge.client))
    rows = (_row(key, seen, names.__getitem__, tags) for key, seen in sorted(found.items()) if key[0] in names)
    return tuple(rows), left


def _points(edge: Edge) -> Iterator[tuple[_Key, str, str]]:
    for function in edge.functions:
        for target in function.targets:
            kind = SAME_POINT.get(target.kind, target.kind)
            if target.start is None or kind not in POINTS:
                continue
            octets = kind in OCTETS  # how many belong to one value is not known
            area = target.property_name if octets else ""
            for number in range(target.start, target.start + (1 if octets else min(target.count, MOST_ROWS))):
                key = (edge.server, function.unit, edge.protocol, kind, area, number)
                yield key, target.property_name, function.operation


def _row(key: _Key, seen: _Seen, name: Callable[[str], str], tags: Tags) -> tuple[str, ...]:
    server, unit, protocol, kind, area, number = key
    tag = tags.at(server, Point(unit, protocol, kind, number, seen.property_name))
    address = reference(kind, number, number) or (f"{area.upper()}.{number}" if area else str(number))
    use = (("written", seen.writers), ("read", seen.readers))
    cells = {
        "asset": name(server),
        "unit": unit if unit not in ONE_UNIT else "",
        "protocol": protocol,
        "kind": kind,
        "address": address,
        "name": (tag.name if tag else "") or f"{kind} {address}",
        "description": tag.description if tag else "",
        "engineering_unit": tag.engineering_unit if tag else "",
        "note": "; ".join(f"{verb} by {_listed(clients)}" for verb, clients in use if clients),
    }
    return tuple(cells.get(column, "") for column in COLUMNS)


def _listed(clients: Iterable[str]) -> str:
    names = sorted(clients)
    return ", ".join(names[:MOST_BY]) + (f" and {len(names) - MOST_BY} more" if len(names) > MOST_BY else "")
