"""What rules and the audit say in English, told in the language of a report where that language's file has it.

    translated("Allow SSH version 2 only.", "de")

A sentence of the files has holes for what comes out of the traffic. They are found by the words around them, from the
left, in one pass: names in a sentence are hostile, and a pattern that goes back would take its time from them. A known
sentence may lead others, and one may end in words that many have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from typing import Any, Final

import yaml

__all__ = ["Book", "book", "translated"]

HOLE: Final = "{}"
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COUNTED: Final = re.compile(r"([0-9][0-9,]*) ([a-z ]{1,40})")
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+[.][0-9] [kMG]B")
"""A number with its thousands set apart, or a size, as English writes them."""
_HOLES: Final = re.compile(r"\{([0-9]?)(s?)\}")
_POINTS: Final = str.maketrans(",.", ".,")
_SENTENCE_END: Final = re.compile(r"[.] ")
MOST_DEPTH: Final = 3
"""Sentences within sentences."""
MOST_PARTS: Final = 16
"""Sentences one after the other, or told with semicolons between them."""


@dataclass(frozen=True, slots=True)
class Book:
    """The sentences of one language: English ones in parts between their holes, each with its translation."""

    whole: Mapping[str, str]
    holed: tuple[tuple[tuple[str, ...], str], ...]
    units: Mapping[str, tuple[str, str]]
    joints: tuple[tuple[tuple[str, ...], str], ...]
    tails: tuple[tuple[tuple[str, ...], str], ...]
    """What many sentences may end in."""
    after: tuple[tuple[tuple[str, ...], str], ...]
    """What may follow a known sentence, and is none of its own."""
    ends: tuple[str, str]


@cache
def book(language: str) -> Book | None:
    """The file of a language; none where there is none."""
    folder = files("zonewatch.reports.texts")
    file = folder / f"quoted.{language}.yaml"
    if not file.is_file():
        return None
    data: dict[str, Any] = _read(file)
    more = sorted(one.name for one in folder.iterdir() if one.name.startswith(f"quoted.{language}."))
    said = [pair for name in dict.fromkeys((file.name, *more)) for pair in _read(folder / name)["said"]]
    rows = [(tuple(english.split(HOLE)), told) for english, told in said]
    units: dict[str, tuple[str, str]] = {}
    for name, (one, many) in data["units"].items():
        units[name] = (one, many)
        units[f"{name}s"] = (one, many)

    def pairs(key: str) -> tuple[tuple[tuple[str, ...], str], ...]:
        return tuple((tuple(english.split(HOLE)), told) for english, told in data[key])

    return Book(
        {parts[0]: told for parts, told in rows if len(parts) == 1},
        tuple(sorted(((parts, told) for parts, told in rows if len(parts) > 1), key=_most_said)),
        units,
        pairs("joints"),
        pairs("tails"),
        pairs("after"),
        (data["ends"][0], data["ends"][1]),
    )


def _most_said(row: tuple[tuple[str, ...], str]) -> tuple[bool, int]:
    """What begins with words of its own comes first, then what says the most itself."""
    return (not row[0][0], -sum(map(len, row[0])))


def _read(file: Traversable) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
    return found


@lru_cache(maxsize=1 << 12)
def translated(words: str, language: str) -> str:
    """The same in another language; empty where its files do not have it."""
    known = book(language)
    return _translated(words, known, MOST_DEPTH) if known is not None and words else ""


def _translated(words: str, known: Book, depth: int) -> str:
    if words in known.whole:
        return known.whole[words]
    led = _led(words, known, depth)
    if led:
        return led
    for parts, told in known.holed:
        found = _filled(words, parts)
        if found is not None:
            return _told(told, found, known, depth)
    ended = _tailed(words, known, depth)
    if ended:
        return ended
    head, found_at, rest = words.partition(": ")
    if found_at and head in known.whole:  # a rule's title, and of whom it is said
        before, after = known.ends
        whom = rest.replace(before, after) if rest.count(before) == 1 else rest  # more than one: a name holds it
        return f"{known.whole[head]}: {_inner(whom, known)}"
    return ""


def _led(words: str, known: Book, depth: int) -> str:
    """A known sentence and what follows it, which may stay as it is."""
    ends = list(islice((found.end() - 1 for found in _SENTENCE_END.finditer(words)), MOST_PARTS)) if depth else []
    for end in reversed(ends):  # the longest: of a description its sentences may be known one by one, too
        if words[:end] in known.whole:
            return f"{known.whole[words[:end]]} {_followed(words[end + 1 :], known, depth - 1)}"
    return ""


def _followed(words: str, known: Book, depth: int) -> str:
    for parts, told in known.after:
        found = _filled(words, parts)
        if found is not None:
            return _told(told, found, known, depth)
    return _translated(words, known, depth) or words


def _tailed(words: str, known: Book, depth: int) -> str:
    """A sentence that ends in what many end in; both must be known."""
    for parts, told in known.tails:
        start = words.rfind(parts[0]) if depth else -1
        found = _filled(words[start:], parts) if start > 0 else None
        if found is not None:
            head = _translated(words[:start], known, depth - 1)
            return head and head + _told(told, found, known, depth)
    return ""


def _filled(words: str, parts: tuple[str, ...]) -> list[str] | None:
    """What stands in the holes: the shortest that fits, from the left; none where the sentence is another one."""
    if not words.startswith(parts[0]) or not words.endswith(parts[-1]):
        return None
    if not parts[-1] and words.endswith("."):  # a title has no full stop: this is another sentence that goes on
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


def _told(told: str, values: list[str], known: Book, depth: int) -> str:
    """The translation with its holes filled; in a hole `{s}` stand sentences of their own."""
    rest = iter(values)

    def value(hole: re.Match[str]) -> str:
        found = values[int(hole[1])] if hole[1] else next(rest)
        return _sentences(found, known, depth) if hole[2] else _inner(found, known)

    return _HOLES.sub(value, told)


def _sentences(value: str, known: Book, depth: int) -> str:
    if not depth:
        return value
    parts = value.split("; ", MOST_PARTS)
    return "; ".join(_translated(part, known, depth - 1) or _inner(part, known) for part in parts)


def _inner(value: str, known: Book) -> str:
    """A number with its unit, and the rest of a list, in the language; names as they are."""
    if _NUMBER.fullmatch(value):
        return value.translate(_POINTS)
    counted = _COUNTED.fullmatch(value)
    if counted is not None and counted[2] in known.units:
        return f"{counted[1].replace(',', '.')} {known.units[counted[2]][counted[1] != '1']}"
    for (before, after), told in known.joints:
        head, found, number = value.rpartition(before)
        if found and number.removesuffix(after).isdecimal() and number.endswith(after):
            return head + told.replace(HOLE, number.removesuffix(after))
    return value
