"""Twenty rounds of what `python -m tests.crash` plays a thousand of."""

from __future__ import annotations

from pathlib import Path

from tests.crash.rounds import run


def test_nothing_promised_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    told = run(tmp_path / "store", rounds=20, seed=20)
    assert told.rounds == 20
    assert told.killed
    assert told.promises["pass"]
