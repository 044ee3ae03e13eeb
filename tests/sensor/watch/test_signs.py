"""A pass that computes is told as alive, one that hangs or never ends is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from zonewatch.sensor.watch.notify import Notifier
from zonewatch.sensor.watch.signs import signs_of_work

EVERY = 0.05


class Manager(Notifier):
    def __init__(self) -> None:
        super().__init__({})
        self.signs: list[float] = []

    def tell(self, **state: str) -> None:
        assert state == {"WATCHDOG": "1"}
        self.signs.append(time.monotonic())


def computes(until: Callable[[], bool]) -> None:
    while not until():
        sum(range(10_000))


def after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def test_who_computes_is_alive() -> None:
    manager, late = Manager(), after(30)
    with signs_of_work(manager, EVERY):
        computes(lambda: len(manager.signs) >= 3 or late())
    assert len(manager.signs) >= 3


def test_who_waits_for_what_never_comes_is_not() -> None:
    manager = Manager()
    with signs_of_work(manager, EVERY):
        threading.Event().wait(10 * EVERY)
    assert manager.signs == []


def test_who_never_ends_is_not_for_ever() -> None:
    manager, begun = Manager(), time.monotonic()
    with signs_of_work(manager, EVERY, longest=4 * EVERY):
        computes(after(12 * EVERY))
    assert all(sign < begun + 8 * EVERY for sign in manager.signs)


def test_nothing_is_told_afterwards_whatever_happened() -> None:
    manager, before = Manager(), threading.active_count()
    with pytest.raises(ValueError, match="wrong"), signs_of_work(manager, EVERY):
        raise ValueError("wrong")
    assert threading.active_count() == before
    computes(after(3 * EVERY))
    assert manager.signs == []
