"""The tag list (`--tags CSV`).

    asset,unit,kind,address,name,description,engineering_unit,scale,data_type,low,high,safety
    plc-3,1,holding-register,40413,LSHH-101,High-level trip,%,0.1,uint16,0,95,yes

Only `asset`, `address` and `name` are needed; the columns may come in any order. An address is

- a number of the object as it goes over the wire, which counts from 0: `412`, `0x19c`, `100-103`;
- of Modbus also the number on a controller's drawing, which counts from 1 and begins with the digit of its table (0, 1,
  3, 4): five or six digits, `40413`, `400413`. A number over the wire that looks like one is written in hexadecimal;
- of S7 an octet, with its data block and its bit where it has them: `DB7.8`, `DB7.DBD8`, `DB7.DBX8.3`, `8`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.addresses import parse
from zonewatch.inventory.declared import CRITICALITIES
from zonewatch.inventory.lists import Cells, Fault, ListError, records, word
from zonewatch.rules.policy.words import OBJECT_KINDS, hint
from zonewatch.rules.tags.model import DATA_TYPES, OCTETS, SAME_POINT, SWAPPED, USES, Tag

COLUMNS: Final = (
    "asset",
    "unit",
    "protocol",
    "kind",
    "address",
    "name",
    "description",
    "engineering_unit",
    "scale",
    "offset",
    "data_type",
    "low",
    "high",
    "alarm_low",
    "alarm_high",
    "safety",
    "criticality",
    "use",
    "note",  # for people: not read
)
TYPES: Final = (*DATA_TYPES, *(f"{name}{SWAPPED}" for name in DATA_TYPES if name[-2:] in ("32", "64")))
_TABLES: Final = {"0": "coil", "1": "discrete-input", "3": "input-register", "4": "holding-register"}
_MODBUS: Final = frozenset(_TABLES.values())
_MOST: Final = 2**32 - 1
_MOST_MODBUS: Final = 0xFFFF

_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_RANGE = re.compile(r"(0x[0-9a-f]{1,8}|[0-9]{1,10})(?:\s*-\s*(0x[0-9a-f]{1,8}|[0-9]{1,10}))?", re.IGNORECASE)
_BLOCK = re.compile(r"db([0-9]{1,5})[.:](?:db[xbwd])?([0-9]{1,8})(?:\.([0-7]))?", re.IGNORECASE)
_OCTET = re.compile(r"([0-9]{1,8})(?:\.([0-7]))?")


def read_tags(path: Path) -> tuple[Tag, ...]:
    """Reads the list, in the order of the file. Raises ListError at the first fault."""
    tags: list[Tag] = []
    lines: list[int] = []
    for line, cells in records(path, COLUMNS, ("asset", "address", "name"), "a text with a comma is put in quotes"):
        tags.append(_tag(cells, path, line))
        lines.append(line)
    for one, other in _overlapping(tags):
        first, second = sorted((lines[one], lines[other]))
        raise ListError(f"a point of it is also in line {first}", path, second, "address")
    return tuple(tags)


def _tag(cells: Cells, path: Path, line: int) -> Tag:
    values: dict[str, Any] = {}
    for column, read in _READERS.items():
        values[column] = _cell(partial(read, cells.get(column, "")), path, line, column)
    kind, place = _cell(partial(_place, values["kind"], cells.get("address", "")), path, line, "address")
    tag = Tag(**{**values, "kind": kind, **place})
    for low, high in (("low", "high"), ("alarm_low", "alarm_high")):
        least, most = values[low], values[high]
        if least is not None and most is not None and least > most:
            raise ListError(f"{least:g} is above {high.replace('_', ' ')}, {most:g}", path, line, low)
    if tag.count % tag.words:
        problem = f"{tag.count} registers hold no whole number of {tag.data_type}, each of which takes {tag.words}"
        raise ListError(problem, path, line, "address")
    return tag


def _cell(read: Callable[[], Any], path: Path, line: int, column: str) -> Any:
    try:
        return read()
    except Fault as fault:
        raise ListError(str(fault), path, line, column) from fault


def _text(cell: str) -> str:
    if not cell.isprintable():
        raise Fault("holds a character that cannot be printed")
    return cell


def _needed(cell: str) -> str:
    if not cell:
        raise Fault("is empty")
    return _text(cell)


def _asset(cell: str) -> str:
    address = parse(_needed(cell))
    return cell if address is None else str(address)


def _kind(cell: str) -> str:
    if cell and cell.lower() not in OBJECT_KINDS:
        raise Fault(f"unknown word {cell!r}{hint(cell, OBJECT_KINDS) or '; such as holding-register, analog-input'}")
    return cell.lower()


def _number(cell: str) -> float | None:
    if not cell:
        return None
    if _NUMBER.fullmatch(cell) is None:
        hint = "; a decimal point is '.'" if "," in cell else ""
        raise Fault(f"{cell!r} is no number{hint}")
    return float(cell)


def _scale(cell: str) -> float:
    number = _number(cell)
    if number == 0:
        raise Fault("0 makes every value the same")
    return 1.0 if number is None else number


def _yes(cell: str) -> bool:
    return word(cell, ("yes", "no")) == "yes"


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "asset": _asset,
    "unit": _text,
    "protocol": partial(word, words=PROTOCOLS),
    "kind": _kind,
    "name": _needed,
    "description": _text,
    "engineering_unit": _text,
    "scale": _scale,
    "offset": lambda cell: _number(cell) or 0.0,
    "data_type": partial(word, words=TYPES),
    "low": _number,
    "high": _number,
    "alarm_low": _number,
    "alarm_high": _number,
    "safety": _yes,
    "criticality": partial(word, words=CRITICALITIES),
    "use": partial(word, words=USES),
}


def _place(kind: str, cell: str) -> tuple[str, dict[str, Any]]:
    """The kind, where the address says it, and where the points are."""
    block = _BLOCK.fullmatch(cell)
    if block is not None:
        if kind not in ("", "data-block", "instance-data-block"):
            raise Fault(f"{cell!r} is in a data block, and the kind is {kind}")
        bit = int(block[3]) if block[3] else None
        return kind or "data-block", {"start": int(block[2]), "area": f"db{int(block[1])}", "bit": bit}
    if kind in OCTETS:
        octet = _OCTET.fullmatch(cell)
        if octet is None or kind in ("data-block", "instance-data-block"):
            example = "DB7.8" if kind in ("data-block", "instance-data-block") else "8' or '8.3"
            raise Fault(f"{cell!r} is no octet; write it like '{example}'")
        return kind, {"start": int(octet[1]), "bit": int(octet[2]) if octet[2] else None}
    match = _RANGE.fullmatch(cell)
    if match is None:
        raise Fault(f"{cell!r} is no address; write it like '412', '40413', '0x19c' or '100-103'")
    kinds, numbers = zip(*(_zero_based(kind, text) for text in match.groups() if text), strict=True)
    if not kinds[0]:
        raise Fault(f"{cell!r} needs a kind, such as holding-register")
    first, last = numbers[0], numbers[-1]
    if last < first or len(set(kinds)) > 1:
        raise Fault(f"{cell!r} ends before it starts" if last < first else f"{cell!r} is in two tables")
    most = _MOST_MODBUS if kinds[0] in _MODBUS else _MOST
    if last > most:
        raise Fault(f"{cell!r} is beyond {most}")
    return kinds[0], {"start": first, "count": last - first + 1}


def _zero_based(kind: str, text: str) -> tuple[str, int]:
    """The kind and the number from 0 of what is written; numbers of a drawing count from 1."""
    if text.lower().startswith("0x"):
        return kind, int(text, 16)
    table = _TABLES.get(text[0])
    if len(text) not in (5, 6) or table is None or not int(text[1:]) or not (kind in _MODBUS or not kind):
        return kind, int(text)
    if kind not in ("", table):
        raise Fault(f"{text} is the number of a {table}, and the kind is {kind}; from 0 it is {hex(int(text))}")
    return table, int(text[1:]) - 1


def _overlapping(tags: list[Tag]) -> Iterator[tuple[int, int]]:
    """Pairs of tags (by their places in the list) that name one point of one unit of one asset."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, tag in enumerate(tags):
        kind = SAME_POINT.get(tag.kind, tag.kind)
        groups[tag.asset, tag.unit, tag.protocol, kind, tag.area, tag.bit].append(index)
    for group in groups.values():
        group.sort(key=lambda index: (tags[index].start, index))
        for one, other in pairwise(group):
            if tags[one].start + tags[one].count > tags[other].start:
                yield one, other
