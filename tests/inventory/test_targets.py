"""Ranges: nothing given is lost, nothing grows without bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.model import Target
from zonewatch.inventory.targets import merge_targets

ranges = st.builds(
    Target,
    st.sampled_from(["coil", "holding-register"]),
    st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    st.integers(0, 200),
    st.sampled_from(["", "present-value"]),
)


def covers(wide: Target, narrow: Target) -> bool:
    if wide.kind not in ("", narrow.kind) or wide.property_name not in ("", narrow.property_name):
        return False
    if wide.start is None or narrow.start is None:
        return wide.start is None
    return wide.start <= narrow.start and narrow.start + max(narrow.count, 1) <= wide.start + wide.count


@given(st.lists(ranges, max_size=60), st.integers(1, 64))
def test_everything_is_covered_within_the_bound(given_ranges: list[Target], most: int) -> None:
    merged = merge_targets(given_ranges, most)
    assert len(merged) <= max(most, 0)
    assert all(any(covers(wide, narrow) for wide in merged) for narrow in given_ranges)


@given(st.lists(ranges, max_size=30), st.randoms())
def test_order_does_not_matter(given_ranges: list[Target], random: object) -> None:
    shuffled = list(given_ranges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge_targets(shuffled) == merge_targets(given_ranges)


def test_the_smallest_holes_are_covered_first() -> None:
    points = [Target("coil", start, 1) for start in (0, 2, 100, 104)]
    assert merge_targets(points, 3) == (Target("coil", 0, 3), Target("coil", 100, 1), Target("coil", 104, 1))


def test_properties_then_kinds_are_given_up() -> None:
    properties = [Target("device", 1, 1, f"p{n}") for n in range(9)]
    assert merge_targets(properties, 4) == (Target("device", 1, 1),)
    kinds = [Target(f"k{n}", 1, 1) for n in range(9)]
    assert merge_targets(kinds, 4) == (Target("", None, 0),)
