"""What rules and the audit say in English, told in the language of a report where that language's file has it.

    translated("Allow SSH version 2 only.", "de")

A sentence of the file has holes for what comes out of the traffic. They are found by the words around them, from the
left, in one pass: names in a sentence are hostile, and a pattern that goes back would take its time from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import yaml

__all__ = ["Book", "book", "translated"]

HOLE: Final = "{}"
_COUNTED: Final = re.compile(r"([0-9][0-9,]*) ([a-z ]{1,40})")
_HOLES: Final = re.compile(r"\{([0-9]?)\}")


@dataclass(frozen=True, slots=True)
class Book:
    """The sentences of one language: English ones in parts between their holes, each with its translation."""

    whole: Mapping[str, str]
    holed: tuple[tuple[tuple[str, ...], str], ...]
    units: Mapping[str, tuple[str, str]]
    joints: tuple[tuple[tuple[str, ...], str], ...]
    ends: tuple[str, str]


@cache
def book(language: str) -> Book | None:
    """The file of a language; none where there is none."""
    folder = files("zonewatch.reports.texts")
    file = folder / f"quoted.{language}.yaml"
    if not file.is_file():
        return None
    data: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    more = folder / f"quoted.{language}.rules.yaml"
    said = [*data["said"], *(yaml.safe_load(more.read_text(encoding="utf-8"))["said"] if more.is_file() else ())]
    rows = [(tuple(english.split(HOLE)), told) for english, told in said]
    units: dict[str, tuple[str, str]] = {}
    for name, (one, many) in data["units"].items():
        units[name] = (one, many)
        units[f"{name}s"] = (one, many)
    return Book(
        {parts[0]: told for parts, told in rows if len(parts) == 1},
        tuple((parts, told) for parts, told in rows if len(parts) > 1),
        units,
        tuple((tuple(english.split(HOLE)), told) for english, told in data["joints"]),
        (data["ends"][0], data["ends"][1]),
    )


@lru_cache(maxsize=1 << 12)
def translated(words: str, language: str) -> str:
    """The same in another language; empty where its file does not have it."""
    known = book(language)
    if known is None:
        return ""
    if words in known.whole:
        return known.whole[words]
    for parts, told in known.holed:
        found = _filled(words, parts)
        if found is not None:
            return _told(told, [_inner(value, known) for value in found])
    head, found_at, rest = words.partition(": ")
    if found_at and head in known.whole:  # a rule's title, and of whom it is said
        before, after = known.ends
        whom = rest.replace(before, after) if rest.count(before) == 1 else rest  # more than one: a name holds it
        return f"{known.whole[head]}: {_inner(whom, known)}"
    return ""


def _filled(words: str, parts: tuple[str, ...]) -> list[str] | None:
    """What stands in the holes: the shortest that fits, from the left; none where the sentence is another one."""
    if not words.startswith(parts[0]) or not words.endswith(parts[-1]):
        return None
    place, end, found = len(parts[0]), len(words) - len(parts[-1]), []
    for part in parts[1:-1]:
        after = words.find(part, place + 1, end)
        if after < 0:
            return None
        found.append(words[place:after])
        place = after + len(part)
    if place >= end:
        return None
    return [*found, words[place:end]]


def _told(told: str, values: list[str]) -> str:
    rest = iter(values)
    return _HOLES.sub(lambda hole: values[int(hole[1])] if hole[1] else next(rest), told)


def _inner(value: str, known: Book) -> str:
    """A number with its unit, and the rest of a list, in the language; names as they are."""
    counted = _COUNTED.fullmatch(value)
    if counted is not None and counted[2] in known.units:
        return f"{counted[1].replace(',', '.')} {known.units[counted[2]][counted[1] != '1']}"
    for (before, after), told in known.joints:
        head, found, number = value.rpartition(before)
        if found and number.removesuffix(after).isdecimal() and number.endswith(after):
            return head + told.replace(HOLE, number.removesuffix(after))
    return value
