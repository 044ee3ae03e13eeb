from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.model import Asset, Evidence, Interface, Target
from zonewatch.reports import words

SECOND = words.SECOND


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plc-1", "plc-1"),
        ("Wasserwerk Süd ✓", "Wasserwerk Süd ✓"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("line\nbreak\u2028", "line\\x0abreak\\u2028"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_text_from_packets_is_made_visible(text: str, shown: str) -> None:
    assert words.visible(text) == shown


@given(st.text(), st.integers(0, 20))
def test_visible_text_is_printable_and_bounded(text: str, limit: int) -> None:
    shown = words.visible(text, limit)
    assert shown.isprintable()
    assert not limit or len(shown) <= limit


@given(st.integers(1, 2**63 - 1))
def test_times_come_back(nanoseconds: int) -> None:
    assert words.parse_time(words.iso_time(nanoseconds)) == nanoseconds


@given(st.integers(1, 2**63 - 1))
def test_a_time_for_people_is_that_of_the_calendar(nanoseconds: int) -> None:
    assert words.clock(nanoseconds) == f"{datetime.fromtimestamp(nanoseconds // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


rows = st.lists(st.builds(Evidence, st.sampled_from("ab"), st.sampled_from("xy"), st.integers(1, 9)), max_size=20)


@given(rows, st.integers(1, 9))
def test_first_frames_are_the_least_each_once(found: list[Evidence], most: int) -> None:
    assert words.first_frames(found, most) == tuple(sorted(set(found)))[:most]


@given(rows, st.integers(0, 4))
def test_frames_are_told_by_capture(found: list[Evidence], limit: int) -> None:
    told = words.frames(found, limit)
    captures = sorted({row.capture for row in found})
    assert [part.split(" ")[0] for part in told.split("; ")] == (captures or [""])
    for part, capture in zip(told.split("; "), captures, strict=False):
        numbers = list(dict.fromkeys(row.frame for row in sorted(found) if row.capture == capture))
        head, _, more = part.partition(" and ")
        assert head.split(" ", 2)[2] == ", ".join(map(str, numbers[: limit or None]))
        assert more == (f"{len(numbers) - limit} more" if limit and len(numbers) > limit else "")


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "under a second"),
        (1 * SECOND, "1 second"),
        (61 * SECOND, "1 minute 1 second"),
        (1_799 * SECOND, "30 minutes"),
        (86_400 * SECOND + 3_600 * SECOND, "1 day 1 hour"),
        (-5, "under a second"),
    ],
)
def test_durations(nanoseconds: int, shown: str) -> None:
    assert words.duration(nanoseconds) == shown


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Target("holding-register", 99, 1), "holding-register 99 (40100)"),
        (Target("holding-register", 0, 40), "holding-register 0-39 (40001-40040)"),
        (Target("coil", 4, 1), "coil 4 (00005)"),
        (Target("holding-register", 10_000, 1), "holding-register 10000 (410001)"),
        (Target("analog-value", 4, 1, "present_value"), "analog-value 4 present value"),
        (Target("class-0-data", None, 1), "class-0-data"),
    ],
)
def test_targets_are_zero_based_with_the_customary_number(row: Target, shown: str) -> None:
    assert words.target(row) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (1_000, "1k"), (12_345, "12.3k"), (123_456, "123k"), (4_600_000, "4.6M")],
)
def test_short_numbers(count: int, shown: str) -> None:
    assert words.short_number(count) == shown


def test_evidence_is_told_by_capture() -> None:
    rows = [
        Evidence("s", "b.pcap", 7),
        Evidence("s", "a.pcap", 2),
        Evidence("s", "a.pcap", 1),
        Evidence("s", "a.pcap", 2),
    ]
    assert words.frames(rows) == "a.pcap frames 1, 2; b.pcap frame 7"
    assert words.frames(rows, 1) == "a.pcap frames 1 and 1 more; b.pcap frame 7"


def test_lists_end_in_a_count() -> None:
    assert words.listed(["a"]) == "a"
    assert words.listed("abc") == "a, b and c"
    assert words.listed("abcde", 3) == "a, b and 3 more"


def test_the_name_stands_beside_the_address() -> None:
    interface = Interface("tap", "10.0.0.5", "", None, False)
    asset = Asset(id="10.0.0.5", name="plc-3", interfaces=(interface,))
    assert (words.named(asset), words.beside(asset)) == ("plc-3 (10.0.0.5)", "10.0.0.5")
    bare = Asset(id="10.0.0.5", name="10.0.0.5", interfaces=(interface,))
    assert (words.named(bare), words.beside(bare)) == ("10.0.0.5", "")
    unseen = Asset(id="rtu-4", name="rtu-4", interfaces=())
    assert words.named(unseen) == "rtu-4"
