"""Edits: the values become what was asked for, and every other character stays."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.policy.test_load import FULL
from zonewatch.rules.policy.document import read
from zonewatch.rules.policy.edit import Add, Edit, EditError, Remove, Replace, edited
from zonewatch.rules.policy.written import scalar, sequence

BLOCK = """\
# head
a: 1   # one

# about b
b:
  # first
  - x: 1   # of x
    y: [p, q]
  # second
  - x: 2
    y: []

c: {d: 1, e: 2}
empty:
last:
  - z"""


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Replace(("a",), "7"), "a: 1 ", "a: 7 "),
        (Replace(("c", "d"), "[1, 2]"), "{d: 1,", "{d: [1, 2],"),
        (Replace(("empty",), "x"), "empty:\n", "empty: x\n"),
        (Replace(("b", 0, "y"), "[r]"), "[p, q]", "[r]"),
        (Remove(("b", 0)), "  - x: 1   # of x\n    y: [p, q]\n", ""),
        (Remove(("b", 0, "x")), "x: 1   # of x\n    y", "y"),
        (Remove(("b", 0, "y")), "    y: [p, q]\n", ""),
        (Remove(("b", 0, "y", 0)), "[p, q]", "[q]"),
        (Remove(("b", 0, "y", 1)), "[p, q]", "[p]"),
        (Remove(("c", "e")), "{d: 1, e: 2}", "{d: 1}"),
        (Remove(("a",)), "a: 1   # one\n", ""),
        (Remove(("last", 0)), "- z", "[]"),
        (Add(("c",), "f", "3"), "e: 2}", "e: 2, f: 3}"),
        (Add(("b", 1), "z", "3"), "    y: []\n", "    y: []\n    z: 3\n"),
        (Add(("b", 1, "y"), "", "r"), "y: []", "y: [r]"),
        (Add(("b",), "", "x: 3\ny: 4"), "    y: []\n", "    y: []\n  - x: 3\n    y: 4\n"),
        (Add(("empty",), "", "r"), "empty:\n", "empty: [r]\n"),
        (Add(("empty",), "", "k: 1\nl: 2"), "empty:\n", "empty: [{k: 1, l: 2}]\n"),
        (Remove(("empty",)), "empty:\n", ""),
        (Add(("last",), "", "w"), "  - z", "  - z\n  - w"),
        (Add((), "empty", "{k: 1}"), "empty:\n", "empty: {k: 1}\n"),
        (Add((), "new", "{k: 1}"), "  - z", "  - z\nnew: {k: 1}"),
        (Add((), "new", "k: 1\nl: 2"), "  - z", "  - z\nnew:\n  k: 1\n  l: 2"),
    ],
    ids=str,
)
def test_edits(edit: Edit, old: str, new: str) -> None:
    assert BLOCK.count(old) == 1
    assert edited(BLOCK, [edit]) == BLOCK.replace(old, new)


@pytest.mark.parametrize("edit", [Replace(("x",), "1"), Remove(("b", 7)), Remove(("a", "b")), Add(("a",), "k", "1")])
def test_a_place_that_is_not_there_is_told(edit: Edit) -> None:
    with pytest.raises(EditError):
        edited(BLOCK, [edit])


def test_a_key_without_colon_takes_a_value() -> None:
    assert edited("a: {b, c: 1}\n", [Replace(("a", "b"), "2")]) == "a: {b: 2, c: 1}\n"
    assert edited("a: {b, c: 1}\n", [Add(("a",), "b", "2")]) == "a: {b: 2, c: 1}\n"


def test_many_edits_at_once_in_any_order() -> None:
    edits = [Replace(("a",), "7"), Remove(("b", 1)), Add(("c",), "f", "3"), Remove(("b", 0, "y", 0))]
    assert edited(BLOCK, edits) == edited(BLOCK, edits[::-1])
    assert read(edited(BLOCK, edits)).values["c"] == {"d": 1, "e": 2, "f": 3}


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


TEXTS = {text: sorted(places(read(text).values), key=str) for text in (FULL, BLOCK + "\n")}


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_values_become_what_was_asked_for_and_comments_stay(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(list(TEXTS)))
    path = data.draw(st.sampled_from(TEXTS[text]))
    edit = data.draw(st.sampled_from([Replace(path, "[7]"), Remove(path)]))
    expected = copy.deepcopy(read(text).values)
    part = expected
    for key in path[:-1]:
        part = part[key]
    if isinstance(edit, Replace):
        part[path[-1]] = [7]
    else:
        del part[path[-1]]
    new = edited(text, [edit])
    assert read(new).values == expected
    gone = "".join(set(comments(text)) - set(comments(new)))
    assert not gone or len(text) - len(new) >= len(gone)  # only comments inside what is removed may go


@given(st.text(max_size=12))
def test_any_text_is_a_scalar_in_a_list(text: str) -> None:
    values = read(f"a: {sequence([text, 'b'])}\nc: {scalar(text)}\n").values
    assert values == {"a": [text, "b"], "c": text}
