"""The quick reader gives what the thorough one gives, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.rules.policy.document import Unreadable, read
from zonewatch.rules.policy.quick import quick

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "pcaps/waterworks/policy.yaml", *sorted((ROOT / "rules/detections/modbus").glob("*.yml"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_of_the_project_are_read_alike(path: Path) -> None:
    text = path.read_text(encoding="utf-8").split("\n---\n")[0]
    plain, document = quick(text), read(text)
    assert plain is not None
    assert (plain.values, plain.keys, plain.places) == (document.values, document.keys, document.places)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: !!str 1",
        "<<: {a: 1}",
        "a: 1\na: 2",
        "1: a",
        "[a]: b",
        "a: 0x1f",
        "a: 017",
        "a: 1_000",
        "a: +5",
        "a: .5",
        "a: 1e5",
        "a: .inf",
        "a: >\n  folded\n  text",
        "%YAML 1.1\n---\na: yes",
        "a: 1\n---\nb: 2",
        "a: [",
        "a: \ufeffb",
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 50 + "1" + "}" * 50,
    ],
)
def test_what_is_not_plain_is_left_to_the_thorough_one(text: str) -> None:
    assert quick(text) is None


def test_much_is_left_to_the_thorough_one_too() -> None:
    assert quick("a: 1", 3) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.20.1.15", "10.20.1.15"),
        ("5060 times, 14 days", "5060 times, 14 days"),
        ("-12", -12),
        ("1.50", 1.5),
        ("yes", "yes"),
        ("10:30", "10:30"),
        ("2026-02-30", "2026-02-30"),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
        ("00:1b:54:c0:de:01", "00:1b:54:c0:de:01"),
        ("'1'", "1"),
        ("", None),
    ],
)
def test_scalars(text: str, value: object) -> None:
    plain = quick(f"a: {text}")
    assert plain is not None
    assert plain.values == {"a": value} == read(f"a: {text}").values


PIECES = st.sampled_from(
    [
        *"ab0159.-+:_eEx~=<>|[]{},&*!%@`'\"# \n\t\\?",
        "  ",
        "\n  ",
        ": ",
        "- ",
        "a: ",
        "true",
        "No",
        "null",
        "2026-03-02",
        " #c",
    ]
)


@given(st.lists(PIECES, max_size=24).map("".join))
def test_no_text_is_read_otherwise(text: str) -> None:
    plain = quick(text)
    if plain is not None:
        try:
            document = read(text)
        except Unreadable:
            return  # libyaml lets pass what YAML 1.2 does not
        assert repr(plain.values) == repr(document.values)


@given(
    st.one_of(
        st.floats(allow_nan=False),
        st.integers(),
        st.dates(),
        st.datetimes(),
        st.text("0123456789.-+_xoeE:Z", max_size=9),
    )
)
def test_no_scalar_is_read_otherwise(value: object) -> None:
    text = f"a: [{value}]"
    plain = quick(text)
    if plain is not None:
        assert repr(plain.values) == repr(read(text).values)
