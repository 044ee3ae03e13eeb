"""Schedules and spans: what is inside, what is not, and what a first and a last moment leave open."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.rules.policy.times import MINUTE, SECOND, Schedule, Span, nanoseconds


def at(text: str) -> int:
    """A moment of the week of Monday, 5 January 2026: `mon 06:00`."""
    day, clock = text.split()
    number = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "next").index(day)
    hour, minute = map(int, clock.split(":"))
    return nanoseconds(dt.datetime(2026, 1, 5, hour, minute, tzinfo=dt.UTC) + dt.timedelta(days=number))


SHIFT = "mon-fri 06:00-18:00"


@pytest.mark.parametrize(
    ("schedule", "first", "last", "held"),
    [
        ("always", "mon 00:00", "next 00:00", "in"),
        ("daily 00:00-24:00", "mon 00:00", "next 12:00", "in"),
        (SHIFT, "mon 06:00", "mon 17:59", "in"),
        (SHIFT, "mon 17:50", "mon 18:00", "mixed"),
        (SHIFT, "mon 05:59", "mon 06:05", "mixed"),
        (SHIFT, "mon 17:59", "tue 06:00", "unclear"),
        (SHIFT, "mon 18:00", "tue 05:59", "out"),
        (SHIFT, "mon 18:00", "tue 18:00", "mixed"),
        (SHIFT, "sat 12:00", "sun 23:00", "out"),
        (SHIFT, "fri 19:00", "next 05:00", "out"),
        (SHIFT, "fri 19:00", "next 06:00", "mixed"),
        ("sun 22:00-06:00", "sun 22:30", "next 05:59", "in"),
        ("22:00-06:00", "mon 23:00", "tue 05:00", "in"),
        ("22:00-06:00", "mon 05:00", "mon 05:30", "in"),
        ("22:00-06:00", "mon 06:00", "mon 21:59", "out"),
        ("sat,sun", "sat 00:00", "sun 23:59", "in"),
        ("fri-mon", "sun 23:00", "next 12:00", "in"),
        ("mon-fri 06:00-12:00,13:00-18:00", "mon 12:30", "mon 12:45", "out"),
        ("mon-fri 06:00-18:00; sat 08:00-12:00", "sat 08:00", "sat 11:00", "in"),
        ("MON-FRI 06:00-18:00 +01:00", "mon 05:00", "mon 16:59", "in"),
        ("mon-fri 06:00-18:00 +01:00", "mon 17:00", "mon 17:30", "out"),
        ("mon-fri 06:00-18:00 -02:30", "mon 08:30", "mon 20:29", "in"),
        ("mon 06:00-18:00 utc", "mon 06:00", "mon 07:00", "in"),
    ],
)
def test_schedules(schedule: str, first: str, last: str, held: str) -> None:
    assert Schedule.parse(schedule).held(at(first), at(last)) == held


@given(
    st.sampled_from(
        ["mon-fri 06:00-18:00", "22:00-06:00", "sun 20:00-04:00 +05:30", "sat,sun", "tue 00:00-24:00; wed"]
    ),
    st.integers(0, 3 * 7 * 24 * 12),
    st.integers(0, 7 * 24 * 12),
)
def test_schedules_by_counting_every_five_minutes(text: str, start: int, length: int) -> None:
    schedule, step = Schedule.parse(text), 5 * MINUTE
    base = at("mon 00:00")
    moments = [schedule.held(base + n * step, base + n * step) for n in range(start, start + length + 1)]
    assert set(moments) <= {"in", "out"}
    if set(moments) == {"in"}:
        expected = "in"
    elif set(moments) == {"out"}:
        expected = "out"
    else:
        expected = "unclear" if moments[0] == moments[-1] == "in" else "mixed"
    assert schedule.held(base + start * step, base + (start + length) * step) == expected


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [(9, 9, "out"), (10, 19, "in"), (9, 10, "mixed"), (19, 20, "mixed"), (20, 25, "out"), (5, 25, "mixed")],
)
def test_spans(first: int, last: int, held: str) -> None:
    assert Span(10 * SECOND, 20 * SECOND).held(first * SECOND, last * SECOND) == held
