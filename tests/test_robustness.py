"""No panic and no hang, whatever is in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests import robustness

MUTANTS: Final = range(5)
SMALL: Final = robustness.captures(robustness.SMALL)


@pytest.mark.parametrize("path", SMALL, ids=robustness.name_of)
def test_capture_and_its_mutants(path: Path, tmp_path: Path) -> None:
    with robustness.bounded(robustness.HANG):
        assert robustness.failures(path, MUTANTS, tmp_path) == []


@pytest.mark.parametrize("path", sorted(set(robustness.captures()) - set(SMALL)), ids=robustness.name_of)
def test_large_capture(path: Path) -> None:
    with robustness.bounded(robustness.HANG):
        assert robustness.failure(path) is None


def test_mutants_are_repeatable() -> None:
    original = bytes(range(256)) * 40
    assert robustness.mutant(original, "a", 3) == robustness.mutant(original, "a", 3)
    assert len({robustness.mutant(original, "a", number) for number in range(50)}) == 50
