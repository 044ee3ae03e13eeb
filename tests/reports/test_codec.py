from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.reports import sample
from zonewatch.reports.codec import encode, indented
from zonewatch.reports.json_result import document, dumps


class Frame(NamedTuple):
    capture: str
    number: int


class Level(IntEnum):
    low = 1


@dataclass(frozen=True, slots=True)
class Row:
    """Has a time and every kind of value."""

    name: str
    first_time: int
    as_of: int
    frames: tuple[Frame, ...] = ()
    inner: Row | None = None


VALUES: list[Any] = [
    *(None, True, False, 0, -1, 2**70, 1.5, -0.0, 1e300, "", 'é\u2028\ud800"\\\x00', Level.low),
    *((), [], {}, ((),), {"": {}}, [[1], {"a": [None, True]}]),
    Row("plc", 0, 1_780_000_000_123_456_789, (Frame("a.pcap", 1), Frame("", 2)), Row("", 1, 0)),
    {"rows": (Row("a", 1, 1),), "count": 1},
]


def standard(value: Any) -> str:
    return json.dumps(encode(value), indent=2, allow_nan=False)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_it_is_written_as_the_standard_library_does(value: Any) -> None:
    assert indented(value) == standard(value)
    assert indented(value, "") == json.dumps(encode(value), separators=(",", ": "))


leaves = (
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text()
)


@given(some.recursive(leaves, lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner)))
def test_any_value_is_written_so(value: Any) -> None:
    assert indented(value) == standard(value)


@pytest.mark.parametrize("name", ["sample", "without_policy", "hostile", "empty"])
def test_whole_results_are_written_so(name: str) -> None:
    result = getattr(sample, name)()
    assert dumps(result) == json.dumps(document(result), indent=2) + "\n"


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (float("inf"), ValueError), (b"", TypeError)])
def test_what_json_has_no_form_for_is_refused(value: Any, error: type[Exception]) -> None:
    for whole in (value, [value], {"key": value}):
        with pytest.raises(error):
            indented(whole)
