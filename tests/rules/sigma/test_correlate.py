"""Correlations: cases that a reader can follow, and the same bursts as the SQL of pySigma's sqlite backend."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.backends.sqlite import sqliteBackend
from sigma.backends.sqlite.runtime import execute_plan
from sigma.collection import SigmaCollection

from tests.rules.sigma.rules import TAXONOMY, rule_text
from zonewatch.rules.sigma import windows
from zonewatch.rules.sigma.correlate import MOST_ROWS, Burst, _inner_first, correlate
from zonewatch.rules.sigma.load import parsed
from zonewatch.rules.sigma.run import judge
from zonewatch.rules.sigma.windows import Event

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Seen:
    """A record: `what` happened at a second, in group `by`, with a value; `times` until another second."""

    at: int
    what: str
    by: Any = "g"
    value: Any = "1"
    times: int = 1
    until: int | None = None


def correlation(name: str = "all", **more: Any) -> str:
    """A correlation over 10 seconds of group `word`."""
    part = {"group-by": ["word"], "timespan": "10s"} | {key.replace("_", "-"): value for key, value in more.items()}
    return json.dumps({"title": name, "name": name, "correlation": part})


def bases() -> list[str]:
    return [rule_text({"s": {"text": name}, "condition": "s"}, name=name) for name in "abc"]


def bursts(records: list[Seen], *correlations: str) -> list[Burst]:
    """What the last of the correlations finds."""
    found = parsed("\n---\n".join([*bases(), *correlations]), taxonomy=TAXONOMY)
    many = any(isinstance(one.by, list) or isinstance(one.value, list) for one in records)

    def column(values: list[Any]) -> pa.Array[Any]:
        return pa.array([one if isinstance(one, list) else [one] for one in values] if many else values)

    times = pa.timestamp("ns", "UTC")
    table = pa.table(
        {
            "event.start": pa.array([one.at * SECOND for one in records], times),
            "event.end": pa.array([(one.at if one.until is None else one.until) * SECOND for one in records], times),
            "event.count": pa.array([one.times for one in records], pa.uint64()),
            "text": pa.array([one.what for one in records]),
            "word": column([one.by for one in records]),
            "other": column([one.value for one in records]),
        }
    )
    tables = {"c": table}
    last = found.correlations[-1].name
    return [
        one for one in correlate(found.correlations, judge(found.rules, tables), tables) if one.correlation.name == last
    ]


def spans(found: list[Burst]) -> list[tuple[str, int, int, int]]:
    """Group, seconds of the first and last event, count."""
    return [(" ".join(dict(one.group).values()), one.first // SECOND, one.last // SECOND, one.count) for one in found]


THREE = correlation(type="event_count", rules=["a"], condition={"gte": 3})
VALUES = correlation(type="value_count", rules=["a"], condition={"gte": 3, "field": "other"})
BOTH = correlation(type="temporal", rules=["a", "b"])
ORDER = correlation(type="temporal_ordered", rules=["a", "b"])
LONG = correlation(type="temporal_ordered", rules=["a", "b", "a"])
ALIASED = correlation(type="temporal", rules=["a", "b"], group_by=["who"], aliases={"who": {"a": "word", "b": "other"}})
NO_GROUP = correlation(type="event_count", rules=["a", "b"], group_by=[], condition={"gt": 2})
NESTED = correlation("two", type="temporal_ordered", rules=["all", "b"])


def a(*seconds: int, **more: Any) -> list[Seen]:
    return [Seen(second, "a", **more) for second in seconds]


def b(*seconds: int, **more: Any) -> list[Seen]:
    return [Seen(second, "b", **more) for second in seconds]


CASES: dict[str, tuple[list[Seen], list[str], list[tuple[str, int, int, int]]]] = {
    "both ends of a window belong to it": (a(0, 5, 10), [THREE], [("g", 0, 10, 3)]),
    "one second more is too long": (a(0, 5, 11), [THREE], []),
    "a window slides and does not tumble": (a(9, 10, 11), [THREE], [("g", 9, 11, 3)]),
    "windows that overlap are one burst": (a(*range(0, 60, 4)), [THREE], [("g", 0, 56, 3)]),
    "apart they are two": (a(0, 1, 2, 30, 31, 32), [THREE], [("g", 0, 2, 3), ("g", 30, 32, 3)]),
    "touching windows are one": (a(0, 1, 2, 10, 11, 12), [THREE], [("g", 0, 12, 4)]),
    "groups do not add up": (a(0, 1, by="x") + a(0, 1, by="y"), [THREE], []),
    "every group by itself": (a(5, 6, 7, by="y") + a(0, 1, 2, by="x"), [THREE], [("x", 0, 2, 3), ("y", 5, 7, 3)]),
    "without the field there is no group": (a(0, 1, 2, by=None), [THREE], []),
    "each of several values is a group": (a(0, 1, by=["x", "y"]) + a(2, by=["y"]), [THREE], [("y", 0, 2, 3)]),
    "the order of records does not matter": (a(10, 0, 5), [THREE], [("g", 0, 10, 3)]),
    "a record that stands for three": (a(0, times=3), [THREE], [("g", 0, 0, 3)]),
    "spread over the window": (a(0, times=3, until=10), [THREE], [("g", 0, 10, 3)]),
    "spread too thin": (a(0, times=30, until=150), [THREE], []),
    "spread dense enough": (a(0, times=30, until=100), [THREE], [("g", 0, 100, 3)]),
    "two spread ones overlap": (
        a(0, times=20, until=100) + a(50, times=20, until=150),
        [THREE],
        [("g", 50, 100, 4)],
    ),
    "a spread one and points": (a(0, times=10, until=100) + a(50, 51), [THREE], [("g", 41, 60, 3)]),
    "rules add up, without groups": (a(0, by="x") + b(1, by="y") + a(2, by=None), [NO_GROUP], [("", 0, 2, 3)]),
    "as many values": (a(0, value="1") + a(1, value="2") + a(10, value="3"), [VALUES], [("g", 0, 10, 3)]),
    "values that repeat count once": (a(0, 1, value="1") + a(2, value="2"), [VALUES], []),
    "each of several values counts": (a(0, value=["1", "2"]) + a(1, value=["3", "1"]), [VALUES], [("g", 0, 1, 3)]),
    "what lasts is there all the time": (
        a(0, value="1", times=9, until=100) + a(50, value="2") + a(55, value="3"),
        [VALUES],
        [("g", 45, 55, 3)],
    ),
    "both, the second first": (b(0) + a(10), [BOTH], [("g", 0, 10, 2)]),
    "both, too far apart": (b(0) + a(11), [BOTH], []),
    "both at one moment": (b(0) + a(0), [BOTH], [("g", 0, 0, 2)]),
    "in order": (a(0) + b(10), [ORDER], [("g", 0, 10, 2)]),
    "in the wrong order": (b(0) + a(5), [ORDER], []),
    "at one moment is no order": (a(0) + b(0), [ORDER], []),
    "too late": (a(0) + b(11), [ORDER], []),
    "the latest begin counts": (a(0, 8) + b(15), [ORDER], [("g", 8, 15, 2)]),
    "one rule twice": (a(0) + b(3) + a(6), [LONG], [("g", 0, 6, 3)]),
    "one rule twice needs two": (a(0) + b(3), [LONG], []),
    "order with what lasts": (a(0, times=50, until=100) + b(60), [ORDER], [("g", 60, 60, 2)]),
    "an alias": (a(0, by="x") + b(1, by="y", value="x"), [ALIASED], [("x", 0, 1, 2)]),
    "an alias of another": (a(0, by="x") + b(1, by="x", value="y"), [ALIASED], []),
    "in order, and one that comes after": (a(0) + b(1) + a(3), [ORDER], [("g", 0, 3, 2)]),
    "nested": (a(0, 1, 2) + b(9), [THREE, NESTED], [("g", 2, 9, 2)]),
    "nested, while the inner one lasts": (a(*range(0, 40, 3)) + b(31), [THREE, NESTED], [("g", 31, 31, 2)]),
    "nested in the wrong order": (b(0) + a(3, 4, 5), [THREE, NESTED], []),
    "nested, of another group": (a(0, 1, 2) + b(9, by="h"), [THREE, NESTED], []),
    "nothing": ([], [THREE], []),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    records, correlations, wanted = CASES[name]
    assert spans(bursts(records, *correlations)) == wanted


@pytest.mark.parametrize(
    ("relation", "count", "wanted"),
    [
        ("gt", 2, True),
        ("gt", 3, False),
        ("gte", 3, True),
        ("eq", 3, True),
        ("eq", 4, False),
        ("lt", 2, True),
        ("lte", 0, False),
        ("neq", 1, True),
    ],
)
def test_relations(relation: str, count: int, wanted: bool) -> None:
    made = correlation(type="event_count", rules=["a"], condition={relation: count})
    assert bool(bursts(a(0, 1, 2), made)) is wanted


def test_rows_are_named_by_rule_and_bounded() -> None:
    (burst,) = bursts([*b(500), *a(*[0] * 300), *a(700)], correlation(type="temporal", rules=["b", "a"], timespan="1d"))
    assert [(part.rule, part.category, part.total) for part in burst.parts] == [("b", "c", 1), ("a", "c", 301)]
    assert burst.parts[0].rows == (0,)
    assert burst.parts[1].rows == tuple(range(1, MOST_ROWS + 1))


def test_a_burst_counts_the_events_that_its_rows_stand_for() -> None:
    (burst,) = bursts(a(0, times=300) + a(1), THREE)
    assert [(part.rows, part.total) for part in burst.parts] == [((0, 1), 301)]
    assert burst.count == 301


def test_correlations_may_be_made_of_each_other_however_deep() -> None:
    chain = [
        correlation(f"n{number}", type="event_count", rules=[f"n{number - 1}" if number else "a"], condition={"gte": 1})
        for number in reversed(range(1500))
    ]
    found = parsed("\n---\n".join([*bases(), *chain]), taxonomy=TAXONOMY)
    assert [one.name for one in _inner_first(found.correlations)] == [f"n{number}" for number in range(1500)]


def test_rows_of_a_nested_one_are_those_of_its_rules() -> None:
    (burst,) = bursts(a(0, 1, 2) + b(9), THREE, NESTED)
    assert [(part.rule, part.rows) for part in burst.parts] == [("a", (0, 1, 2)), ("b", (3,))]
    assert (burst.met // SECOND, burst.correlation.name) == (9, "two")


def test_a_separator_in_a_value_does_no_harm() -> None:
    (burst,) = bursts(a(0, 1, 2, by="x\x1fy"), THREE)
    assert burst.group == (("word", "x\x1ey"),)


KINDS = {
    "event_count": (["a"], [{"gte": 3}, {"gt": 1}, {"eq": 2}, {"lt": 3}, {"neq": 2}]),
    "value_count": (["a"], [{"gte": 2, "field": "other"}, {"eq": 1, "field": "other"}]),
    "temporal": (["a", "b", "c"], [{"gte": 3}, {"gte": 2}]),
    "temporal_ordered": (["a", "b", "c"], [None]),
}
EVENTS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from("abc"), st.sampled_from("gh"), st.sampled_from("123")), max_size=25
)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.sampled_from(sorted(KINDS)), st.data())
def test_bursts_are_those_of_sql(events: list[tuple[int, str, str, str]], kind: str, data: st.DataObject) -> None:
    names, conditions = KINDS[kind]
    condition = data.draw(st.sampled_from(conditions))
    text = correlation(type=kind, rules=names, **({"condition": condition} if condition else {}))
    records = [Seen(at, what, by, value) for at, what, by, value in events]
    found = [(dict(one.group)["word"], one.met // SECOND, one.last // SECOND) for one in bursts(records, text)]
    assert sorted(found) == by_sql(events, text)


def by_sql(events: list[tuple[int, str, str, str]], text: str) -> list[tuple[str, int, int]]:
    """Group, first and last end of the windows that SQL finds, put together as bursts are."""
    rules = SigmaCollection.from_yaml("\n---\n".join([*bases(), text]))
    made = json.loads(sqliteBackend(collate_nocase=True, timestamp_format="unix").convert(rules, "zircolite"))
    (plan,) = [one["correlation_plan"] for one in made if one.get("correlation")]
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE logs (timestamp INTEGER, text TEXT, word TEXT, other TEXT)")
        base.executemany("INSERT INTO logs VALUES (?, ?, ?, ?)", events)
        alerts, _ = execute_plan(base, plan, include_events=False)
    ends = sorted({(alert["group_keys"]["word"], int(alert["occurrence_time"])) for alert in alerts})
    found: list[tuple[str, int, int]] = []
    for group, end in ends:
        if found and found[-1][0] == group and end - found[-1][2] <= 10:
            found[-1] = (group, found[-1][1], end)
        else:
            found.append((group, end, end))
    return found


SPREAD = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(1, 12)), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(SPREAD, st.integers(1, 15))
def test_spread_events_count_by_their_share(rows: list[tuple[int, int, int]], wanted: int) -> None:
    events = sorted(Event(start, start + length, number) for start, length, number in rows)
    span = 10

    def held(end: int) -> Fraction:
        return sum((share(event, end - span, end) for event in events), Fraction())

    most = max(int(held(end)) for end in range(0, 100))
    found = list(windows.counted(events, span, "gte", wanted))
    assert bool(found) is (most >= wanted)
    assert max((one.count for one in found), default=0) in (0, most)
    for one in found:
        assert held(one.met) >= wanted


def share(event: Event, begin: int, end: int) -> Fraction:
    if event.start == event.end:
        return Fraction(event.number if begin <= event.start <= end else 0)
    inside = min(end, event.end) - max(begin, event.start)
    return Fraction(event.number * max(inside, 0), event.end - event.start)
