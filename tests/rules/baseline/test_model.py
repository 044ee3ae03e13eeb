"""The written forms of a baseline file."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from zonewatch.rules.baseline.model import Hours, Points, PointsText, Seen, SpanText, hours_text


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("holding-register 100-107", Points("holding-register", 100, 107)),
        ("coil 5", Points("coil", 5, 5)),
        ("class", Points("class")),
        ("analog-input 3 present-value", Points("analog-input", 3, 3, "present-value")),
        ("device * object-list", Points("device", None, None, "object-list")),
        ("data-block 4-7 db3", Points("data-block", 4, 7, "db3")),
    ],
)
def test_ranges_of_objects(text: str, points: Points) -> None:
    assert TypeAdapter(PointsText).validate_python(text) == points
    assert str(points) == text


@pytest.mark.parametrize("text", ["", "7", "coil 5-2", "Coil 5", "coil -1", "coil 5 6", None, 5, ["coil 5"]])
def test_what_is_no_range_of_objects(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(PointsText).validate_python(text)


@pytest.mark.parametrize(
    ("given", "low", "high", "text"),
    [
        ("0..1000", 0, 1000, "0..1000"),
        ("-5..-1.5", -5, -1.5, "-5..-1.5"),
        (7, 7, 7, "7"),
        ("1e-3..2.5e10", 0.001, 2.5e10, "0.001..25000000000"),
    ],
)
def test_ranges_of_values(given: object, low: float, high: float, text: str) -> None:
    span = TypeAdapter(SpanText).validate_python(given)
    assert (span.low, span.high, str(span)) == (low, high, text)


@pytest.mark.parametrize("text", ["", "5..1", "a..b", "0..", "1e999", "nan", True, None])
def test_what_is_no_range_of_values(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SpanText).validate_python(text)


@pytest.mark.parametrize(
    ("given", "hours", "text"),
    [(8, (8,), "8"), ("6-8, 20", (6, 7, 8, 20), "6-8, 20"), ("23, 0", (0, 23), "0, 23")],
)
def test_hours_of_the_day(given: object, hours: tuple[int, ...], text: str) -> None:
    assert TypeAdapter(Hours).validate_python(given) == hours
    assert hours_text(hours) == text


@pytest.mark.parametrize("given", ["", "24", "8-6", "morning", [8], True])
def test_what_are_no_hours(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Hours).validate_python(given)


@pytest.mark.parametrize(
    "text",
    [
        "1 time, 1 day, 2026-03-02",
        "1441 times, 3 days, 2026-03-02 to 2026-03-05, hours 6-13, 20",
        "0 times, 1 day, 2026-03-02, hours 8",
    ],
)
def test_what_was_seen_reads_back(text: str) -> None:
    assert str(TypeAdapter(Seen).validate_python(text)) == text


@pytest.mark.parametrize(
    "text", ["", "often", "1 time", "1 time, 1 day, 2026-13-02", "1 time, 1 day, 2026-03-02, hours 25"]
)
def test_what_says_nothing_of_what_was_seen(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Seen).validate_python(text)
