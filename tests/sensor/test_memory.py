"""What commands do about memory."""

from __future__ import annotations

import gc

from zonewatch.sensor.memory import uncollected, uncollected_to_the_end


def test_what_a_pass_of_the_sensor_made_is_searched_afterwards() -> None:
    before = gc.get_freeze_count()
    with uncollected():
        assert not gc.isenabled()
        circle: list[object] = []
        circle.append(circle)
        del circle
    assert gc.isenabled()
    assert gc.get_freeze_count() == before
    assert gc.collect() >= 1


def test_what_a_command_made_is_searched_neither_meanwhile_nor_later() -> None:
    before = gc.get_freeze_count()
    try:
        with uncollected_to_the_end():
            assert not gc.isenabled()
            made: list[list[int]] = [[] for _ in range(1_000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() - before >= len(made)
    finally:
        gc.unfreeze()
