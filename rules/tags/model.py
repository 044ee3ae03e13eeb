"""Tags: what a point of the process is called, in which unit it counts, and between which limits it may be.

A point is told as the decoders tell it: the kind of an object and its zero-based number. In S7 it is an octet of an
area or a data block; there and in BACnet a second word (`db7`, `present-value`) belongs to it.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from zonewatch.rules.targets import value_text

Use = Literal["", "measurement", "setpoint", "command", "alarm", "trip"]
USES: Final[tuple[str, ...]] = ("measurement", "setpoint", "command", "alarm", "trip")
LIMITING: Final = frozenset(("alarm", "trip"))
"""Uses of a point that holds a limit of the process itself."""

DATA_TYPES: Final[Mapping[str, str]] = {
    "bool": "",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "uint64": "Q",
    "int64": "q",
    "float64": "d",
}
"""By name, the letter that `struct` knows a type by."""
SWAPPED: Final = "-swapped"
"""Behind a type of several registers: the low word comes first."""
REGISTERS: Final = frozenset(("holding-register", "input-register"))
"""Kinds whose values come as words of 16 bits, and take several for a larger type."""

SAME_POINT: Final[Mapping[str, str]] = {
    "control-relay-output": "binary-output",
    "frozen-counter": "counter",
    "frozen-analog-input": "analog-input",
}
"""Objects of DNP3 by which a point is operated or frozen (groups 12, 21, 31), by the kind that it is read as."""
PRESENT_VALUE: Final = "present-value"
OBJECT_LIMITS: Final = frozenset(
    ("high-limit", "low-limit", "fault-high-limit", "fault-low-limit", "deadband", "limit-enable", "event-enable")
)
"""Properties of BACnet that decide when an object alarms (ASHRAE 135, clause 13.3)."""
_IN_UNITS: Final = frozenset(
    (
        "",
        PRESENT_VALUE,
        "cov-increment",
        "deadband",
        "fault-high-limit",
        "fault-low-limit",
        "high-limit",
        "low-limit",
        "max-pres-value",
        "min-pres-value",
        "priority-array",
        "relinquish-default",
    )
)
"""Properties that are values in the object's engineering unit."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A point, or a range of points that are alike."""

    asset: str  # id, name or address in a list; the id where it was met
    kind: str
    start: int
    count: int = 1  # points, or octets in S7
    unit: str = ""  # of the protocol, at the asset; empty: any
    protocol: str = ""  # empty: any
    area: str = ""  # data block of S7: `db7`
    name: str = ""
    description: str = ""
    engineering_unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    data_type: str = ""  # one of DATA_TYPES, with SWAPPED where so; empty: as it is decoded
    low: float | None = None
    high: float | None = None
    alarm_low: float | None = None
    alarm_high: float | None = None
    safety: bool = False
    criticality: str = ""
    use: Use = ""
    learned: bool = False
    bit: int | None = None  # of an octet of S7

    @property
    def words(self) -> int:
        """How many registers one value takes."""
        letter = DATA_TYPES.get(self.data_type.removesuffix(SWAPPED), "")
        return max(struct.calcsize(letter) // 2, 1) if letter and self.kind in REGISTERS else 1

    @property
    def title(self) -> str:
        """`High-level trip LSHH-101`."""
        return f"{self.description} {self.name}" if self.description not in ("", self.name) else self.name

    def title_at(self, point: int) -> str:
        """The title; of a range with the number of the value in it: `Backwash step KC-201 3`."""
        several = self.count > self.words and self.kind not in OCTETS
        return f"{self.title} {(point - self.start) // self.words + 1}" if several else self.title

    def value(self, raw: Sequence[float], about: str = "") -> float:
        """What these raw values, as many as there are words, stand for; `about` is the property of BACnet."""
        value = self._number(raw)
        return value * self.scale + self.offset if about in _IN_UNITS else value

    def _number(self, raw: Sequence[float]) -> float:
        letter = DATA_TYPES.get(self.data_type.removesuffix(SWAPPED), "")
        if not letter or self.kind not in REGISTERS or not all(_is_word(value) for value in raw):
            return raw[0]
        words = [int(value) for value in raw]
        if self.data_type.endswith(SWAPPED):
            words.reverse()
        return float(struct.unpack(f">{letter}", struct.pack(f">{len(words)}H", *words))[0])

    def text(self, value: float, about: str = "") -> str:
        """A value with its unit: `92 %`, `1.15 mg/l`."""
        if about not in _IN_UNITS or not self.engineering_unit:
            return value_text(self.kind if about in ("", PRESENT_VALUE) else None, value)
        return f"{value_text(None, value)} {self.engineering_unit}"

    def beyond(self, value: float) -> str:
        """What a value is outside of, in words: `above 150 mg/l`; empty where it is inside or no limit is known."""
        return self._outside(value, self.low, self.high)

    def alarming(self, value: float) -> str:
        """The same by the alarm limits."""
        return self._outside(value, self.alarm_low, self.alarm_high)

    def _outside(self, value: float, low: float | None, high: float | None) -> str:
        if low is None and high is None:
            return ""
        if not math.isfinite(value):
            return "no finite number"
        if high is not None and value > high:
            return f"above {self.text(high)}"
        return f"below {self.text(low)}" if low is not None and value < low else ""


OCTETS: Final = frozenset(
    ("data-block", "instance-data-block", "flag", "input", "output", "peripheral", "local-data", "caller-local-data")
)
"""Areas of S7, whose points are octets."""


def _is_word(value: float) -> bool:
    return math.isfinite(value) and 0 <= value <= 0xFFFF and value == int(value)


class Point(NamedTuple):
    """Where a value is, at one asset."""

    unit: str
    protocol: str
    kind: str
    number: int
    property_name: str = ""  # of BACnet; data block of S7
    bit: int | None = None


_Key = tuple[str, str, str]
"""Asset, kind, area."""


class Tags:
    """Tags, found by asset and point. What is declared comes before what was learned."""

    def __init__(self, tags: Iterable[Tag] = ()) -> None:
        self.all = tuple(tags)
        found: defaultdict[_Key, list[Tag]] = defaultdict(list)
        for tag in self.all:
            found[tag.asset, SAME_POINT.get(tag.kind, tag.kind), tag.area].append(tag)
        self._by_key = {key: sorted(group, key=_order) for key, group in found.items()}
        self._reach = {key: max(tag.count for tag in group) for key, group in self._by_key.items()}

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def limited(self) -> bool:
        """True where some tag says which values are right."""
        return any((tag.low, tag.high, tag.alarm_low, tag.alarm_high) != (None,) * 4 for tag in self.all)

    def at(self, asset: str, point: Point) -> Tag | None:
        """The tag of a point of an asset: the most exactly declared one."""
        found = [tag for tag in self._near(asset, point, 1) if _holds(tag, point)]
        return min(found, key=lambda tag: (tag.learned, not tag.unit, not tag.protocol, tag.count), default=None)

    def within(self, asset: str, point: Point, count: int) -> tuple[Tag, ...]:
        """All tags of a range of points, in their order."""
        found = dict.fromkeys(self._near(asset, point, count))
        declared = {(tag.kind, tag.start) for tag in found if not tag.learned}
        kept = [tag for tag in found if not tag.learned or (tag.kind, tag.start) not in declared]
        return tuple(sorted(kept, key=_order))

    def _near(self, asset: str, point: Point, count: int) -> Iterator[Tag]:
        kind = SAME_POINT.get(point.kind, point.kind)
        area = point.property_name if kind in OCTETS else ""
        group = self._by_key.get((asset, kind, area), ())
        most = self._reach.get((asset, kind, area), 0)
        for index in range(bisect_right(group, point.number + max(count, 1) - 1, key=_start) - 1, -1, -1):
            tag = group[index]
            if tag.start + most <= point.number:
                break
            if tag.start + tag.count > point.number and _speaks(tag, point):
                yield tag


def _start(tag: Tag) -> int:
    return tag.start


def _order(tag: Tag) -> tuple[int, int, int, bool, str]:
    return tag.start, -1 if tag.bit is None else tag.bit, tag.count, tag.learned, tag.name


def _speaks(tag: Tag, point: Point) -> bool:
    return tag.unit in ("", point.unit) and tag.protocol in ("", point.protocol)


def _holds(tag: Tag, point: Point) -> bool:
    if tag.kind in OCTETS:  # a value that begins elsewhere is another one
        return tag.start == point.number and tag.bit in (None, point.bit)
    return True


NO_TAGS: Final = Tags()
