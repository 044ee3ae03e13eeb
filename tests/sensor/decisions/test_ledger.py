"""The log of decisions as a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.sensor.store.made import START
from zonewatch.sensor.decisions import ledger


def _nothing(path: Path) -> None:
    path.touch()


def _header(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("VACUUM")


@pytest.mark.parametrize("broken_off", [_nothing, _header])
def test_a_first_decision_that_was_broken_off_leaves_none(broken_off: Callable[[Path], None], tmp_path: Path) -> None:
    broken_off(tmp_path / ledger.NAME)
    assert ledger.read(tmp_path) == ()
    assert ledger.missing_guards(tmp_path) == ()
    made = ledger.append(tmp_path, lambda: START, "eva", "export", "backup", "weekly")
    assert ledger.read(tmp_path) == (made,)
    assert ledger.missing_guards(tmp_path) == ()
