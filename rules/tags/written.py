"""Values that events wrote, point by point, as their tags tell them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from zonewatch.inventory.model import Target
from zonewatch.rules.findings import Change
from zonewatch.rules.judge import JudgedChange
from zonewatch.rules.observe import Observation
from zonewatch.rules.tags.model import OCTETS, Point, Tag, Tags
from zonewatch.rules.targets import target_text, value_text

UNKNOWN: Final = "unknown"
MOST_NAMES: Final = 3
ONE_UNIT: Final = ("", "0", "1", "255")
"""Units of Modbus that stand for the device itself."""


@dataclass(frozen=True, slots=True)
class Written:
    """One value that an event wrote."""

    item: JudgedChange
    tag: Tag | None
    about: str  # the property of BACnet, or the data block of S7
    title: str  # the tag's, of this point; empty without a tag
    target: str  # "unit 3: holding-register 100 (40101)"
    before: float | None  # as the tag counts it
    after: float
    same: bool  # as it was before
    command: str = ""  # of DNP3: latch_on

    @property
    def change(self) -> Change:
        """The same as a row of a finding."""
        before = UNKNOWN if self.before is None else self._text(self.before)
        return Change(self.target, before, self.command or self._text(self.after), self.title)

    def _text(self, value: float) -> str:
        if self.tag is None:
            return value_text(self.item.row.seen.object_kind, value)
        return self.tag.text(value, _property(self.item.row.seen, self.about))


def written(item: JudgedChange, tags: Tags) -> Iterator[Written]:
    """Every value of an object of a state-changing event. Values of several registers are put together."""
    seen, change = item.row.seen, item.change
    kind, start, about = seen.object_kind or "", seen.object_start, seen.property_name
    where = f"unit {seen.unit}: " if seen.unit not in ONE_UNIT else ""
    if change.text:  # a command by its name: latch_on …
        tag = _tag(item, tags, start, about)
        target = where + target_text(kind, start, seen.object_count, about)
        before = change.before[0] if change.before else None
        after = change.values[0] if change.values else math.nan
        title = _title(tag, start, about)
        yield Written(item, tag, about, title, target, before, after, same=False, command=change.text.split()[0])
        return
    step = _octets(seen, len(change.values), change.bit)
    index = 0
    while index < len(change.values):
        number = None if start is None else start + _place(index, step, change.bit)
        tag = _tag(item, tags, number, about, index)
        words = _whole(tag, number, len(change.values) - index)
        raw = change.values[index : index + words]
        old = change.before[index : index + words]
        target = target_text(kind, number, words, about)
        if target:
            prop = _property(seen, about)
            single = tag is not None and words == tag.words
            after = tag.value(raw, prop) if tag is not None and single else raw[0]
            known = len(old) == words
            before = (tag.value(old, prop) if tag is not None and single else old[0]) if known else None
            title = _title(tag, number, about)
            if tag is not None and not single:
                part = (number or 0) - tag.start
                title = f"{title}, register {part % tag.words + 1} of {tag.words}"
            kept = tag if single else None
            yield Written(item, kept, about, title, where + target, before, after, same=known and old == raw)
        index += words


def value_changes(judged: Iterable[JudgedChange], tags: Tags, most: int) -> tuple[Change, ...]:
    """What state-changing events altered, in the order of time, each change once.

    What was refused altered nothing; of what was not answered nobody knows.
    """
    found: dict[Change, None] = {}
    for item in judged:
        if len(found) >= most:
            break
        if item.row.seen.obeyed:
            found.update(dict.fromkeys(value.change for value in written(item, tags) if not value.same))
    return tuple(found)[:most]


def _tag(item: JudgedChange, tags: Tags, number: int | None, about: str, index: int = 0) -> Tag | None:
    if number is None or not tags:
        return None
    seen, bit = item.row.seen, item.change.bit
    place = None if bit is None else (bit + index) % 8
    point = Point(seen.unit, seen.protocol, seen.object_kind or "", number, about, place)
    return tags.at(item.row.server.id, point)


def _title(tag: Tag | None, number: int | None, about: str) -> str:
    """The tag's title at a point; of another property than its value with that: `LT-101 high-limit`."""
    if tag is None or number is None:
        return ""
    title = tag.title_at(number)
    return f"{title} {about}".strip() if about not in ("", "present-value") and tag.kind not in OCTETS else title


def _property(seen: Observation, about: str) -> str:
    """What `Tag.value` asks for: the property of BACnet alone."""
    return about if seen.protocol == "bacnet" else ""


def _whole(tag: Tag | None, number: int | None, left: int) -> int:
    """How many values one value of the tag takes here; 1 where it begins elsewhere or is cut."""
    if tag is None or number is None or tag.words == 1:
        return 1
    return tag.words if (number - tag.start) % tag.words == 0 and left >= tag.words else 1


def _octets(seen: Observation, values: int, bit: int | None) -> int:
    """From one value to the next: octets in S7, which counts its objects so; one point elsewhere."""
    if seen.object_kind not in OCTETS or seen.protocol != "s7comm" or bit is not None or not values:
        return 1
    whole, rest = divmod(seen.object_count, values)
    return whole if not rest and whole in (1, 2, 4, 8) else 1


def _place(index: int, step: int, bit: int | None) -> int:
    return index * step if bit is None else (bit + index) // 8


def names_of_range(tags: Tags, asset: str, point: Point, count: int) -> str:
    """The names of the tags of a range: `LSHH-101, LT-101 and 4 more`; empty where there are none."""
    names = list(dict.fromkeys(tag.name for tag in tags.within(asset, point, count) if tag.name))
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def about_text(seen: Observation, asset: str, tags: Tags) -> str:
    """A range of objects with the names in it: `holding-register 412 (40413) [LSHH-101]`."""
    text = target_text(seen.object_kind, seen.object_start, seen.object_count, seen.property_name)
    if not tags or seen.object_start is None or not text:
        return text
    point = Point(seen.unit, seen.protocol, seen.object_kind or "", seen.object_start, seen.property_name)
    names = names_of_range(tags, asset, point, seen.object_count)
    return f"{text} [{names}]" if names else text


def target_names(target: Target, unit: str, protocol: str, asset: str, tags: Tags) -> str:
    """The names of a range of an edge."""
    if target.start is None:
        return ""
    point = Point(unit, protocol, target.kind, target.start, target.property_name)
    return names_of_range(tags, asset, point, target.count)
