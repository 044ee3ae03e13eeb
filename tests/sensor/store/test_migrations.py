"""A store of version 1, as it was stored, is opened by every later version; one of a later version is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.sensor.store.made import POLICY, SECOND, START, Hands, begin, finding, open_store, query, result, states
from zonewatch.sensor.proof.inputs import Named, collected
from zonewatch.sensor.store import reading
from zonewatch.sensor.store.database import StoreError, connect, migrate
from zonewatch.sensor.store.schema import MIGRATIONS, VERSION_1
from zonewatch.sensor.store.store import NAME

DUMP = Path(__file__).with_name("version-1.sql").read_text(encoding="utf-8")
"""Never made anew: it is what stands on disks."""
A = finding("a")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / NAME) as db:
        db.executescript(DUMP)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / f"{A.id}.pcapng").write_bytes(b"\x0a\x0d\x0d\x0a")
    return tmp_path


def schema(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}


def test_version_1_is_what_it_was(old: Path) -> None:
    new = sqlite3.connect(":memory:")
    new.executescript(VERSION_1)
    with sqlite3.connect(old / NAME) as db:
        assert schema(db) == schema(new)


def test_an_old_store_goes_on(old: Path) -> None:
    clock = Hands(START + 10 * SECOND)
    with open_store(old, clock) as store:
        period = begin(store, clock)
        assert store.record(period, result(A), clock.at) == 0  # known
        assert store.record(period, result(A, finding("new")), clock.go(SECOND)) == 1
    assert query(old, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert query(old, "SELECT DISTINCT given FROM periods") == [("",)]
    assert states(old)[A.id] == "open"
    assert "resolved" in states(old).values()
    assert {one.id for one in reading.result(old).findings} == {A.id, finding("new").id}


def test_periods_of_version_1_tell_no_inputs_and_later_ones_do(old: Path) -> None:
    before = [number for (number,) in query(old, "SELECT number FROM periods")]
    clock = Hands(START + 10 * SECOND)
    made = collected(Named(assets=_written(old / "assets.csv", b"address\n10.0.0.1\n")))
    with open_store(old, clock) as store:
        assert reading.inputs(old, before) == {}
        period = store.begin(("tap",), "0.1.0", POLICY, "", clock.at, made)
    assert reading.inputs(old, [*before, period]) == made


def _written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


LATER = (
    *MIGRATIONS,
    "CREATE TABLE more (name TEXT) STRICT;\nALTER TABLE runs ADD COLUMN host TEXT NOT NULL DEFAULT '';\n",
)


def test_a_migration_keeps_what_there_was(old: Path) -> None:
    path = old / NAME
    db = connect(path, "WAL")
    assert migrate(db, path, LATER) == 1
    assert db.execute("PRAGMA user_version").fetchone() == (len(LATER),)
    assert db.execute("SELECT host FROM runs").fetchall() == [("",)]
    assert migrate(db, path, LATER) == len(LATER)
    db.close()
    kept = sqlite3.connect(old / f"{NAME}.version-1")
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    assert kept.execute("SELECT count(*) FROM findings").fetchone() == (2,)
    kept.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CREATE TABLE more (name TEXT) STRICT;\nCREATE TABLE runs (name TEXT);\n", "table runs already exists"),
        ("CREATE TABLE more (name TEXT) STRICT;\nDELETE FROM periods;\n", "FOREIGN KEY constraint failed"),
    ],
)
def test_a_migration_that_fails_changes_nothing(text: str, why: str, old: Path) -> None:
    path = old / NAME
    db = connect(path, "WAL")
    before = list(db.iterdump())
    with pytest.raises(StoreError, match=f"version 1 could not be brought to 2: {why}; it is as it was"):
        migrate(db, path, (*MIGRATIONS[:1], text))
    assert list(db.iterdump()) == before
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_later_store_is_refused(old: Path) -> None:
    with sqlite3.connect(old / NAME) as db:
        db.execute("PRAGMA user_version = 99")
    line = rf"{NAME}: is of version 99, made by a newer zonewatch; this one reads up to version {len(MIGRATIONS)}"
    with pytest.raises(StoreError, match=line):
        open_store(old, Hands())
    with pytest.raises(StoreError, match=line):
        reading.result(old)
