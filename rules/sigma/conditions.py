"""What a rule asks of a record, as a tree of frozen rows: pySigma's condition tree without pySigma.

A tree is what is kept in the cache and what code is generated from. The tests of a field hold when any of its values
meets them; a missing field meets none but `Absent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Relation = Literal["lt", "lte", "gt", "gte", "eq", "neq"]
Unit = Literal["", "minute", "hour", "day", "week", "month", "year"]
Likeness = Literal["eq", "startswith", "endswith", "contains"]

MANY: Final = "*"
ONE: Final = "?"


@dataclass(frozen=True, slots=True)
class Among:
    """The text is one of these; upper and lower case are alike, and so are a number and its digits."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exact:
    """The text is this one, letter by letter."""

    word: str


@dataclass(frozen=True, slots=True)
class Glob:
    """The text has this form: (is a wildcard, text) in their order."""

    parts: tuple[tuple[bool, str], ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """A part of the text matches. `flags` are letters of i, m, s."""

    pattern: str
    flags: str = ""


Test = Among | Exact | Glob | Regex


@dataclass(frozen=True, slots=True)
class Text:
    """A value of the field meets one of the tests."""

    field: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The text of any of these fields meets one of the tests: Sigma's keywords."""

    fields: tuple[str, ...]
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """An address of the field is in the network."""

    field: str
    network: str


@dataclass(frozen=True, slots=True)
class Compare:
    """A number of the field, or a part of a time, stands in this relation to the number."""

    field: str
    relation: Relation
    number: int | float
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """The field is missing."""

    field: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A value of the field is that of another field, or begins with it …"""

    field: str
    other: str
    how: Likeness = "eq"


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """One part holds."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Tree


Leaf = Text | Words | Within | Compare | Absent | Alike
Tree = Leaf | Every | Some | Not


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All questions of a tree, in their order."""
    if isinstance(tree, Not):
        yield from leaves(tree.part)
    elif isinstance(tree, Every | Some):
        for part in tree.parts:
            yield from leaves(part)
    else:
        yield tree


def fields(tree: Tree) -> tuple[str, ...]:
    """The fields that a tree reads, sorted."""
    found: set[str] = set()
    for leaf in leaves(tree):
        found.update(leaf.fields if isinstance(leaf, Words) else (leaf.field,))
        if isinstance(leaf, Alike):
            found.add(leaf.other)
    return tuple(sorted(found))


def every(parts: list[Tree]) -> Tree:
    """All of them, without nesting."""
    flat: list[Tree] = []
    for part in parts:
        flat += part.parts if isinstance(part, Every) else (part,)
    return flat[0] if len(flat) == 1 else Every(tuple(flat))


def some(parts: list[Tree]) -> Tree:
    """One of them, without nesting; the tests of one field become one question."""
    flat: list[Tree] = []
    for part in parts:
        flat += part.parts if isinstance(part, Some) else (part,)
    merged: dict[object, Tree] = {}
    for number, part in enumerate(flat):
        match part, merged.get(key := _subject(part, number)):
            case Text(field, tests), Text(_, before):
                merged[key] = Text(field, joined((*before, *tests)))
            case Words(names, tests), Words(_, before):
                merged[key] = Words(names, joined((*before, *tests)))
            case _:
                merged[key] = part
    found = tuple(merged.values())
    return found[0] if len(found) == 1 else Some(found)


def _subject(part: Tree, number: int) -> object:
    match part:
        case Text(field, _):
            return field
        case Words(names, _):
            return names
        case _:
            return number


def joined(tests: tuple[Test, ...]) -> tuple[Test, ...]:
    """The same with all words in one test, which costs as much as one word."""
    words = [word for test in tests if isinstance(test, Among) for word in test.words]
    others = list(dict.fromkeys(test for test in tests if not isinstance(test, Among)))
    return (*((Among(tuple(dict.fromkeys(words))),) if words else ()), *others)
