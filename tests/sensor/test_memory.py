"""What commands do about memory."""

from __future__ import annotations

import gc

from zonewatch.sensor.memory import uncollected


def test_what_a_command_made_is_searched_neither_meanwhile_nor_later() -> None:
    before = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            made: list[list[int]] = [[] for _ in range(1_000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() - before >= len(made)
    finally:
        gc.unfreeze()
