"""Blocks made by another thread come as they would without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from zonewatch.dissectors.zeek.streams import ahead


def numbers(count: int, fails_at: int | None = None) -> Iterator[int]:
    for number in range(count):
        if number == fails_at:
            raise OSError(5, "the disk is gone")
        yield number


def test_all_come_in_order() -> None:
    assert list(ahead(numbers(1_000))) == list(range(1_000))
    assert list(ahead(numbers(0))) == []


def test_what_fails_fails_behind_what_came_before() -> None:
    found: list[int] = []

    def take() -> None:
        for number in ahead(numbers(9, fails_at=5)):
            found.append(number)

    with pytest.raises(OSError, match="the disk is gone"):
        take()
    assert found == list(range(5))


@pytest.mark.parametrize("taken", [0, 1, 2, 5])
def test_who_stops_early_leaves_no_thread(taken: int) -> None:
    before = threading.active_count()
    made = ahead(numbers(1_000_000))
    for _ in range(taken):
        next(made)
    made.close()
    assert threading.active_count() == before
