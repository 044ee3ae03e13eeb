"""What the next start says of how the last run ended."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sensor.store.made import DAY, HOUR, SECOND, Hands, begin, finding, open_store, query, result, told
from zonewatch.sensor.store.backups import back_up
from zonewatch.sensor.store.database import StoreError
from zonewatch.sensor.store.store import NAME

A, B = finding("a"), finding("b")


def killed(folder: Path, target: Path, clock: Hands) -> None:
    """`target` is what a run left that was killed after two passes: the second lies in the write-ahead log alone."""
    with open_store(folder, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.record(period, result(A, B), clock.go(SECOND))
        shutil.copytree(folder, target)


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    clock = Hands()
    killed(tmp_path / "run", left := tmp_path / "left", clock)
    with open_store(left, clock) as store:
        ended, log = store.opened.notes
        assert ended == "the last run ended without closing; it recorded last at 2026-03-02 09:00:01 UTC"
        assert log.endswith("of changes were taken over from the write-ahead log")
        period = begin(store, clock)
        assert store.record(period, result(A, B), clock.go(SECOND)) == 0  # nothing is told twice
    assert told(left) == [(A.id, "open"), (B.id, "open")]
    assert query(left, "SELECT state FROM periods") == [("broken",), ("running",)]
    with open_store(left, clock) as store:
        assert store.opened.notes == ()


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_torn_write_ahead_log(damage: str, tmp_path: Path) -> None:
    clock = Hands()
    killed(tmp_path / "run", left := tmp_path / "left", clock)
    path = left / f"{NAME}-wal"
    octets = path.read_bytes()
    path.write_bytes(octets[:-100] if damage == "cut" else octets[:-9] + bytes(octet ^ 0xFF for octet in octets[-9:]))
    with open_store(left, clock) as store:
        says_lost = any(note.endswith("were torn: what they held is lost") for note in store.opened.notes)
        assert says_lost == (damage == "changed")  # of what was cut off one cannot know that it was whole
        assert told(left) == [(A.id, "open")]
        assert store.record(begin(store, clock), result(A, B), clock.go(SECOND)) == 1
    assert told(left) == [(A.id, "open"), (B.id, "open")]
    seqs = [row[0] for row in query(left, "SELECT seq FROM outbox ORDER BY seq")]
    assert seqs[1] > 1_000_000  # what was given out as 2 is not given to another


@pytest.mark.parametrize(
    ("step", "note"),
    [
        (-HOUR, "the clock was stepped back since by 1 hour"),
        (-400 * DAY, "the clock was stepped back since by 400 days"),
        (
            40 * DAY,
            "nothing was recorded for 40 days, or the clock was stepped on: for a day nothing is removed for its age",
        ),
        (HOUR, None),
    ],
)
def test_a_clock_that_was_stepped(step: int, note: str | None, tmp_path: Path) -> None:
    clock = Hands()
    open_store(tmp_path, clock).close()
    clock.step(step)
    with open_store(tmp_path, clock) as store:
        assert store.opened.notes == ((note,) if note else ())


def test_a_backup_that_is_opened_gives_other_numbers(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path / "run", clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        back_up(tmp_path / "run", tmp_path / "copy", "eva", clock.now)
        store.record(period, result(A, B), clock.go(SECOND))
    with open_store(tmp_path / "copy", clock) as store:
        assert any(note.startswith("this is a backup of 2026-03-02T09:00:00") for note in store.opened.notes)
        period = begin(store, clock)
        store.record(period, result(replace(A, severity="critical"), B), clock.go(SECOND))
    assert set(told(tmp_path / "copy")) == {(A.id, "open"), (B.id, "open"), (f"{A.id}.1002", "open")}
    assert query(tmp_path / "copy", "SELECT max(seq) > 1000000 FROM outbox") == [(1,)]
    with open_store(tmp_path / "copy", clock) as store:
        assert store.opened.notes == ()


@pytest.mark.parametrize(
    ("octets", "why"),
    [(b"no database at all, but long enough to be read as one" * 100, "file is not a database"), (None, "malformed")],
)
def test_a_damaged_file_is_refused(octets: bytes | None, why: str, tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        store.record(begin(store, clock), result(*(finding(str(number)) for number in range(500))), clock.at)
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(octets or whole[:4096] + bytes(len(whole) - 4096))
    with pytest.raises(StoreError, match=f"{NAME}: .*{why}.*restore a backup, or move it away to begin anew"):
        open_store(tmp_path, clock)
    path.write_bytes(whole)
    open_store(tmp_path, clock).close()  # the lock was let go


def test_what_is_still_wrong_is_said(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        store.health("mirror", "high", "one direction only", "", clock.at)
    with open_store(tmp_path, clock) as store:
        assert store.opened.notes == ("still to be mended when it ended: one direction only (2026-03-02 09:00:00 UTC)",)


def test_an_exception_is_no_end_in_order(tmp_path: Path) -> None:
    clock = Hands()
    with pytest.raises(ZeroDivisionError), open_store(tmp_path, clock):
        _ = 1 // 0
    with open_store(tmp_path, clock) as store:
        assert "ended without closing" in store.opened.notes[0]


def test_readers_see_one_state_while_it_is_written(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        reader = sqlite3.connect(f"{(tmp_path / NAME).as_uri()}?mode=ro", uri=True)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM findings").fetchone() == (1,)
        store.record(period, result(A, B), clock.go(SECOND))
        assert reader.execute("SELECT count(*) FROM findings").fetchone() == (1,)
        reader.close()
