"""Whatever a sender does to fill the engine's memory, it stays bounded, and the coverage tells what was not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests import hostile

MOST_MEGABYTES: Final = 256


@pytest.mark.parametrize("kind", hostile.KINDS, ids=lambda kind: kind.packets.__name__)
def test_growth_is_bounded_and_told(kind: hostile.Kind, tmp_path: Path) -> None:
    told = hostile.decoded(kind, kind.size, tmp_path)
    assert told["peak"] < MOST_MEGABYTES
    assert told["packets"] == kind.size
    assert sum(told[counter] for counter in kind.counters) > 0, told


def test_no_flow_is_lost(tmp_path: Path) -> None:
    half_open = hostile.KINDS[0]
    assert hostile.decoded(half_open, half_open.size, tmp_path)["flows"] == half_open.size
