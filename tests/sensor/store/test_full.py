"""A full disk: evidence goes, then the room held back; findings are written, and what is wrong is said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from tests.sensor.store.made import HOUR, SECOND, Hands, begin, finding, open_store, query, result, told
from zonewatch.sensor.store.database import StoreError
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import NAME, Store

SETTINGS = StoreSettings.model_validate({"reserve": "1 MiB", "least_free": "0 B", "refresh": "0 s"})
CAPTURE = b"\x0a\x0d\x0d\x0a" + os.urandom(200_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of four MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=False).returncode:
        pytest.skip("a small disk is made by mount, which needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(place: Path) -> Path:
    """Something else takes all that is left."""
    path = place / "something-else"
    with path.open("ab", buffering=0) as file:
        try:
            for size in (1 << 16, 1 << 12, 1):
                while file.write(bytes(size)) == size:
                    pass
        except OSError:
            pass
    return path


def many(number: int) -> list[str]:
    return [f"{number}-{place}" for place in range(40)]


def record(store: Store, period: int, clock: Hands, count: int) -> int:
    found = (finding(name) for number in range(count) for name in many(number))
    return store.record(period, result(*found), clock.go(SECOND))


def test_evidence_goes_then_the_reserve_and_nothing_is_lost(small: Path) -> None:
    clock = Hands()
    folder = small / "store"
    with open_store(folder, clock, SETTINGS) as store:
        period = begin(store, clock)
        for number in range(5):
            store.keep_evidence({f"{number:016}": CAPTURE})
        other = fill(small)
        store.keep_evidence({"f" * 16: CAPTURE})  # no room, no complaint
        assert not (folder / f"evidence/{'f' * 16}.pcapng").exists()
        told_now = sum(record(store, period, clock, count) for count in range(1, 6))
        assert told_now == 5 * 40
        assert not store.behind
        assert len(list((folder / "evidence").iterdir())) < 5
        fill(small)
        count = 6
        while not store.behind and count < 60:
            told_now += record(store, period, clock, count)
            fill(small)
            count += 1
        assert store.behind.startswith("the disk has no room")
        assert not (folder / "evidence").exists() or not list((folder / "evidence").iterdir())
        assert not (folder / "reserve").exists()
        kept = len(query(folder, "SELECT 1 FROM findings"))
        assert kept == told_now
        other.unlink()
        told_now += record(store, period, clock, count)  # the next pass brings what one could not write
        assert told_now == count * 40
        assert not store.behind
        assert query(folder, "SELECT state FROM health WHERE subject = 'health.disk'") == [("open",)]
        clock.go(HOUR)
        record(store, period, clock, count)
        assert (folder / "reserve").stat().st_size == SETTINGS.reserve
        assert query(folder, "SELECT state FROM health WHERE subject = 'health.disk'") == [("resolved",)]
    events = [event for event, _ in told(folder) if not event.startswith("health.")]
    assert len(events) == len(set(events)) == told_now
    assert query(folder, "PRAGMA integrity_check") == [("ok",)]
    assert query(folder, "SELECT DISTINCT why FROM removed") == [("the disk was full",)]


def test_a_period_that_cannot_end_waits_and_those_after_it(small: Path) -> None:
    clock = Hands()
    settings = SETTINGS.model_copy(update={"reserve": 0})
    with open_store(small, clock, settings) as store:
        period = begin(store, clock)
        record(store, period, clock, 1)
        other = fill(small)
        found = [finding(name) for number in range(40) for name in many(number)]
        store.end(period, result(*found), clock.go(SECOND))
        assert store.behind
        following = begin(store, clock)
        fill(small)
        assert store.record(following, result(finding("later")), clock.go(SECOND)) == 0
        assert store.behind
        other.unlink()
        assert store.record(following, result(finding("later")), clock.go(SECOND)) == 1
        assert not store.behind
    assert query(small, "SELECT number, state FROM periods") == [(period, "whole"), (following, "running")]
    assert len(query(small, "SELECT 1 FROM findings")) == len(found) + 1
    assert len([event for event, _ in told(small) if not event.startswith("health.")]) == len(found) + 1


def test_the_next_start_says_that_the_disk_was_full(small: Path) -> None:
    clock = Hands()
    with open_store(small / "store", clock, SETTINGS) as store:
        period = begin(store, clock)
        fill(small)
        store.keep_events(period, {"events": pa.table({"row": list(os.urandom(100_000))})})
        record(store, period, clock, 1)
    with open_store(small / "store", clock, SETTINGS) as store:
        assert any("The sensor's disk is nearly full" in note for note in store.opened.notes)
    assert (small / "store" / NAME).exists()


def test_a_store_on_a_full_disk_opens_in_the_room_held_back(small: Path) -> None:
    clock = Hands()
    folder = small / "store"
    with suppress(KeyError), open_store(folder, clock, SETTINGS) as store:
        period = begin(store, clock)
        record(store, period, clock, 1)
        raise KeyError  # as a crash: what was changed lies in the write-ahead log
    other = fill(small)
    with open_store(folder, clock, SETTINGS) as store:
        assert record(store, begin(store, clock), clock, 2) == 40
        assert not store.behind
        assert query(folder, "SELECT state FROM health WHERE subject = 'health.disk'") == [("open",)]
    other.unlink()


def test_a_disk_without_any_room_is_one_line_and_nothing_is_lost(small: Path) -> None:
    clock = Hands()
    settings = SETTINGS.model_copy(update={"reserve": 0})
    with suppress(KeyError), open_store(small, clock, settings) as store:
        told_now = record(store, begin(store, clock), clock, 1)
        raise KeyError
    other = fill(small)
    with pytest.raises(StoreError, match="the disk has no room"):
        open_store(small, clock, settings)
    other.unlink()
    with open_store(small, clock, settings):
        assert len(query(small, "SELECT 1 FROM findings")) == told_now


def test_little_room_stops_evidence_before_the_disk_is_full(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock, SETTINGS.model_copy(update={"least_free": 2**60})) as store:
        period = begin(store, clock)
        store.keep_evidence({"a" * 16: CAPTURE})
        assert record(store, period, clock, 1) == 40
        assert list((tmp_path / "evidence").iterdir()) == []
    assert ("health.disk", "open") in told(tmp_path)
