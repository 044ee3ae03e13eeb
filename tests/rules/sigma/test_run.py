"""Rules over tables: rows, shared questions, and how columns are held makes no difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from tests.rules.sigma.rules import rule
from zonewatch.rules.sigma import run
from zonewatch.rules.sigma.compile import Predicate, predicates
from zonewatch.rules.sigma.conditions import Tree
from zonewatch.rules.sigma.run import judge
from zonewatch.rules.sigma.values import Record

WRITES = rule({"s": {"text": "write"}, "condition": "s"}, name="writes")
FAR = rule({"s": {"text": "write", "number|gt": 5}, "condition": "s"}, name="far")
NOT_FAR = rule({"s": {"text": "write"}, "f": {"number|gt": 5}, "condition": "s and not f"}, name="not_far")
ABSENT = rule({"s": {"other": None}, "condition": "s"}, name="absent")


def rows(made: Any, table: pa.Table) -> list[int]:
    (*hits,) = judge([made], {"c": table})
    return [] if not hits else hits[0].rows.to_pylist()  # type: ignore[return-value]


HELD: dict[str, Callable[[pa.ChunkedArray], Any]] = {
    "plain": lambda column: column,
    "dictionary": lambda column: column.dictionary_encode(),
    "chunks with dictionaries of their own": lambda column: pa.chunked_array(
        [column.slice(place, 1).combine_chunks().dictionary_encode() for place in range(len(column))]
    ),
    "large": lambda column: column.cast(pa.large_utf8()),
    "lists": lambda column: pa.array([None if one is None else [one] for one in column.to_pylist()]),
}


@pytest.mark.parametrize("held", HELD)
def test_how_a_column_is_held_makes_no_difference(held: str) -> None:
    column = pa.chunked_array([pa.array(["write", None, "read"]), pa.array(["WRITE", ""])])
    table = pa.table({"text": HELD[held](column), "number": [1, 9, 9, 9, 9]})
    assert rows(WRITES, table) == [0, 3]
    assert rows(FAR, table) == [3]
    assert rows(NOT_FAR, table) == [0]
    assert rows(ABSENT, table) == [0, 1, 2, 3, 4]


def test_lists_are_met_by_any_item() -> None:
    lists = pa.array([[1.0, 9.0], [1.0, None], [], None, [9.5]])
    table = pa.table({"text": ["write"] * 5, "number": lists, "other": pa.array([["x"], [None], [], None, ["y"]])})
    assert rows(FAR, table) == [0, 4]
    assert rows(NOT_FAR, table) == [1, 2, 3]
    assert rows(ABSENT, table) == [1, 2, 3]


def test_sliced_tables() -> None:
    table = pa.table({"text": ["write", "read", "write"], "number": pa.array([[1], [9], [9, 1]])})
    assert rows(FAR, table.slice(1)) == [1]
    assert rows(WRITES, table.slice(1, 1)) == []


def test_fields_that_are_not_there() -> None:
    table = pa.table({"word": ["a", "b"]})
    assert rows(WRITES, table) == []
    assert rows(ABSENT, table) == [0, 1]
    assert rows(rule({"s": {"text|fieldref": "word"}, "condition": "s"}), table) == []
    assert rows(rule({"s": ["B"], "condition": "s"}), table) == [1]
    assert rows(rule({"s": {"text": "x"}, "condition": "not s"}), table) == [0, 1]


def test_tables_without_rows_and_other_categories() -> None:
    table = pa.table({"text": ["write"]})
    assert judge([WRITES], {"c": table.slice(0, 0)}) == []
    assert judge([WRITES], {"other": table}) == []
    assert judge([], {"c": table}) == []


def test_hits_are_in_the_order_of_rules() -> None:
    table = pa.table({"text": ["write"], "number": [9]})
    assert [hit.rule.name for hit in judge([FAR, ABSENT, WRITES, NOT_FAR], {"c": table})] == ["far", "absent", "writes"]


def test_a_question_is_asked_once_for_each_distinct_value(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Record] = []

    def noting(trees: Sequence[Tree]) -> list[Predicate]:
        def noted(holds: Predicate) -> Predicate:
            return lambda record: asked.append(record) or holds(record)  # type: ignore[func-returns-value]

        return list(map(noted, predicates(trees)))

    monkeypatch.setattr(run, "predicates", noting)
    table = pa.table({"text": ["write", "read"] * 5000, "number": list(range(10000))})
    hits = judge([WRITES, FAR, NOT_FAR], {"c": table})
    assert [len(hit.rows) for hit in hits] == [5000, 4997, 3]
    assert asked.count({"text": "write"}) == 1
    # Numbers are asked of the rows that are left, once for each of the two rules.
    assert [record for record in asked if "number" in record] == [{"number": one} for one in range(0, 10000, 2)] * 2
