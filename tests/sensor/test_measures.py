"""Durations and sizes, as settings write them."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from zonewatch.sensor.measures import parse_duration, parse_size
from zonewatch.sensor.store.settings import StoreSettings

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90 s", 90 * SECOND), ("400d", 400 * 86_400 * SECOND), ("10 min", 600 * SECOND), ("250 ms", SECOND // 4)],
)
def test_durations(text: str, expected: int) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("20 GiB", 20 * 2**30), ("5 MB", 5_000_000), ("0 B", 0), (" 1TiB ", 2**40)]
)
def test_sizes(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "90", "90 seconds", "-1 s", "1.5 h", "9 S", "999999999999999 d"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"events_size": 20}, "20 is no size: its unit is missing; write it like '20 GiB'"),
        ({"events_size": "20 gib"}, "'20 gib' is no size; write it like '20 GiB', with one of B, kB,"),
        ({"retell": True}, "True is no duration"),
        ({"event_size": "20 GiB"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_say_what_is_wrong(values: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(why)):
        StoreSettings.model_validate(values)


def test_the_schema_describes_every_setting_and_takes_what_is_read() -> None:
    schema = StoreSettings.model_json_schema()
    for name, field in schema["properties"].items():
        assert field["description"], name
        if field["type"] == "string":
            for example in field["examples"]:
                assert re.search(field["pattern"], example)
                StoreSettings.model_validate({name: example})
