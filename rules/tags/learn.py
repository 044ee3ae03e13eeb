"""Tags learned from traffic: what devices answered when they were asked for names, descriptions and units.

BACnet alone sends names of points. The other protocols say names of devices, which the inventory knows, and S7 the
numbers of data blocks, which the target tells already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.tables import plain
from zonewatch.rules.tags.model import Tag
from zonewatch.rules.tags.units import UNITS

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
MOST_LEARNED: Final = 20_000
LONGEST: Final = 64
"""Characters that are kept of a name from the network."""
_NAME, _DESCRIPTION, _UNITS = "object-name", "description", "units"
_ASKED: Final = frozenset((_NAME, _DESCRIPTION, _UNITS))
_NO_POINTS: Final = frozenset(
    ("device", "file", "network-port", "program", "schedule", "calendar", "notification-class")
)
"""Kinds of objects whose names are not names of values."""


@dataclass(slots=True)
class _Said:
    name: str = ""
    description: str = ""
    engineering_unit: str = ""


_Key = tuple[str, str, str, int]


def learned(events: pa.Table, asset: Callable[[str, str], str]) -> tuple[Tag, ...]:
    """Tags by what BACnet devices said, the last word counting; `asset` tells the id of a capture point and address.

    `events` are rows of `schemas.EVENTS`, or of the file that an audit wrote.
    """
    found: dict[_Key, _Said] = {}
    for row, item in _items(events):
        key = (asset(row["source"], row["server"]), row["server_unit"] or "", item["kind"], item["start"])
        said = found.get(key)
        if said is None:
            if len(found) >= MOST_LEARNED:
                continue
            said = found[key] = _Said()
        text = _clean(item["text"])
        if item["property_name"] == _NAME:
            said.name = text or said.name
        elif item["property_name"] == _DESCRIPTION:
            said.description = text or said.description
        elif item["values"]:
            said.engineering_unit = UNITS.get(_code(item["values"][0]), "")
    return tuple(
        Tag(
            asset=server,
            unit=unit,
            protocol="bacnet",
            kind=kind,
            start=number,
            name=said.name or said.description,
            description=said.description if said.name else "",
            engineering_unit=said.engineering_unit,
            learned=True,
        )
        for (server, unit, kind, number), said in sorted(found.items())
        if said.name or said.description or said.engineering_unit
    )


def naming(events: pa.Table) -> pa.Table:
    """The rows in which BACnet devices told names, descriptions or units."""
    answered = pc.is_in(events["status"].cast(pa.utf8()), value_set=pa.array(["ok", "one_way"]))
    spoken = events.filter(pc.and_(pc.equal(events["protocol"].cast(pa.utf8()), "bacnet"), answered)).combine_chunks()
    names = pc.struct_field(pc.list_flatten(spoken["objects"]), "property_name").cast(pa.utf8())
    asked = pc.list_parent_indices(spoken["objects"]).filter(pc.is_in(names, value_set=pa.array(sorted(_ASKED))))
    return spoken.take(pc.unique(asked))


def _items(events: pa.Table) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Objects that were told a name, description or unit, in the order of time, with their events."""
    columns = ("time", "event", "source", "server", "server_unit", "protocol", "status", "objects")
    table = plain(naming(events.select(columns)))
    for row in table.sort_by([("time", "ascending"), ("event", "ascending")]).to_pylist():
        for item in row["objects"]:
            asked = item["property_name"] in _ASKED and item["index"] is None
            if asked and item["start"] is not None and item["kind"] not in _NO_POINTS:
                yield row, item


def _code(value: float) -> int:
    return int(value) if 0 <= value < 2**16 else -1


def _clean(text: str) -> str:
    """A name as it is kept: what cannot be printed is no part of it, and it ends somewhere."""
    return "".join(char if char.isprintable() else " " for char in text).strip()[:LONGEST].strip()
