"""The clock of Art. 23: hours are hours, a month ends on the same day or on the last one."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.reports.packs.deadlines import HOUR, SECOND, deadlines, month_later
from zonewatch.reports.words import iso_time, parse_time


def moment(text: str) -> int:
    return parse_time(f"{text}:00.000000000Z")


def told(nanoseconds: int) -> str:
    return iso_time(nanoseconds)[:16]


@pytest.mark.parametrize(
    ("aware", "warning", "notification", "final"),
    [
        ("2026-03-02T07:40", "2026-03-03T07:40", "2026-03-05T07:40", "2026-04-05T07:40"),
        ("2026-01-28T12:00", "2026-01-29T12:00", "2026-01-31T12:00", "2026-02-28T12:00"),  # no 31 February
        ("2028-01-28T12:00", "2028-01-29T12:00", "2028-01-31T12:00", "2028-02-29T12:00"),  # a leap year
        ("2026-02-25T23:59", "2026-02-26T23:59", "2026-02-28T23:59", "2026-03-28T23:59"),  # not the last day of March
        ("2026-12-29T00:00", "2026-12-30T00:00", "2027-01-01T00:00", "2027-02-01T00:00"),
        ("2026-12-20T10:00", "2026-12-21T10:00", "2026-12-23T10:00", "2027-01-23T10:00"),
        ("2026-03-28T00:30", "2026-03-29T00:30", "2026-03-31T00:30", "2026-04-30T00:30"),  # clocks of people change
    ],
)
def test_deadlines_run_from_awareness(aware: str, warning: str, notification: str, final: str) -> None:
    found = deadlines(moment(aware))
    assert (told(found.warning), told(found.notification), told(found.final)) == (warning, notification, final)


def test_a_provider_of_trust_services_notifies_within_a_day() -> None:
    found = deadlines(moment("2026-03-02T07:40"), trust=True)
    assert found.notification == found.warning
    assert told(found.final) == "2026-04-03T07:40"


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2200, 1, 1)))
def test_a_month_is_never_shorter_than_february_nor_longer_than_a_month_of_31_days(at: dt.datetime) -> None:
    begun = int(at.replace(tzinfo=dt.UTC, microsecond=0).timestamp()) * SECOND + at.microsecond * 1_000
    length = month_later(begun) - begun
    assert 28 * 24 * HOUR <= length <= 31 * 24 * HOUR
    after = dt.datetime.fromtimestamp(month_later(begun) // SECOND, dt.UTC)
    assert (after.month - at.month) % 12 == 1
    assert (after.hour, after.minute, after.second) == (at.hour, at.minute, at.second)
    assert after.day == at.day or (after.day < at.day and (after + dt.timedelta(days=1)).day == 1)
