"""What a tag makes of raw values, and which tag a point has."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.rules.tags.model import Point, Tag, Tags
from zonewatch.rules.tags.units import UNITS


def tag(start: int = 0, count: int = 1, **more: object) -> Tag:
    return Tag(**{"asset": "p", "kind": "holding-register", "start": start, "count": count, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data_type", "raw", "value"),
    [
        ("", (65535.0,), 65535.0),
        ("uint16", (65535.0,), 65535.0),
        ("int16", (65535.0,), -1.0),
        ("int16", (0x8000,), -32768.0),
        ("uint32", (1.0, 2.0), 65538.0),
        ("uint32-swapped", (2.0, 1.0), 65538.0),
        ("int32", (0xFFFF, 0xFFFE), -2.0),
        ("float32", (0x42B8, 0x0000), 92.0),
        ("float32-swapped", (0x0000, 0x42B8), 92.0),
        ("float64", (0x4057, 0, 0, 0), 92.0),
        ("uint64", (0, 0, 1, 0), 65536.0),
        ("int16", (70000.0,), 70000.0),  # no word: told as it is
    ],
)
def test_values_of_registers(data_type: str, raw: tuple[float, ...], value: float) -> None:
    made = tag(count=len(raw), data_type=data_type)
    assert (made.words, made.value(raw)) == (len(raw), value)


@given(st.floats(width=32, allow_nan=False), st.booleans())
def test_any_float_comes_back(number: float, swapped: bool) -> None:
    high, low = struct.unpack(">2H", struct.pack(">f", number))
    made = tag(count=2, data_type="float32-swapped" if swapped else "float32")
    assert made.value((low, high) if swapped else (high, low)) == number


def test_scale_offset_and_unit() -> None:
    made = tag(scale=0.1, offset=-40.0, engineering_unit="°C")
    assert made.text(made.value((1320.0,))) == "92 °C"
    assert made.text(made.value((3.0,), "priority"), "priority") == "3"  # no value of the process


@pytest.mark.parametrize(
    ("value", "outside"),
    [(0.8, ""), (1.5, ""), (1.51, "above 1.5 mg/l"), (0.79, "below 0.8 mg/l"), (math.nan, "no finite number")],
)
def test_limits(value: float, outside: str) -> None:
    limited = tag(low=0.8, high=1.5, engineering_unit="mg/l")
    assert (limited.beyond(value), limited.alarming(value)) == (outside, "")


def test_a_range_counts_its_values() -> None:
    pair = tag(10, 4, name="FT", description="Flow", data_type="float32")
    assert [pair.title_at(number) for number in (10, 12)] == ["Flow FT 1", "Flow FT 2"]
    assert tag(10, 2, name="FT", data_type="float32").title_at(10) == "FT"


TAGS = Tags(
    (
        tag(0, 100, name="all"),
        tag(7, 1, name="of unit 2", unit="2"),
        tag(3, 1, name="learned", learned=True),
        Tag("p", "binary-output", 4, name="pump"),
        Tag("p", "data-block", 8, area="db7", name="real"),
        Tag("p", "flag", 10, bit=3, name="bit 3"),
        Tag("p", "flag", 10, bit=4, name="bit 4"),
        Tag("p", "analog-value", 4, name="learned only", learned=True),
        Tag("p", "coil", 5, name="of dnp3", protocol="dnp3"),
    )
)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (Point("1", "modbus", "holding-register", 7), "all"),
        (Point("2", "modbus", "holding-register", 7), "of unit 2"),
        (Point("1", "modbus", "holding-register", 3), "all"),
        (Point("1", "modbus", "holding-register", 100), ""),
        (Point("11", "dnp3", "control-relay-output", 4), "pump"),
        (Point("", "s7comm", "data-block", 8, "db7"), "real"),
        (Point("", "s7comm", "data-block", 8, "db8"), ""),
        (Point("", "s7comm", "data-block", 9, "db7"), ""),
        (Point("", "s7comm", "flag", 10, "", 3), "bit 3"),
        (Point("", "s7comm", "flag", 10, "", 4), "bit 4"),
        (Point("", "s7comm", "flag", 10, "", 5), ""),
        (Point("", "bacnet", "analog-value", 4, "present-value"), "learned only"),
        (Point("1", "modbus", "coil", 5), ""),
    ],
)
def test_the_tag_of_a_point(point: Point, name: str) -> None:
    found = TAGS.at("p", point)
    assert (found.name if found else "") == name
    assert TAGS.at("q", point) is None


def test_tags_of_a_range() -> None:
    several = Tags((tag(0, 2, name="a"), tag(5, name="b"), tag(6, name="c"), tag(6, name="d", learned=True)))
    names = [found.name for found in several.within("p", Point("", "modbus", "holding-register", 1), 6)]
    assert names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("code", "symbol"), [(62, "°C"), (98, "%"), (47, "W"), (53, "Pa"), (135, "m³/h"), (215, "mg/l"), (254, "MMSCFM")]
)
def test_units_of_bacnet(code: int, symbol: str) -> None:
    assert UNITS[code] == symbol


def test_no_unit_has_no_symbol() -> None:
    assert 95 not in UNITS
    assert max(UNITS) == 254
