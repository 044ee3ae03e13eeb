"""Segments of events and mini captures: written whole, kept by size and age, looked through at each start."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sensor.store.made import DAY, SECOND, Hands, begin, finding, open_store, query, result
from zonewatch.sensor.store.segments import FAN, Segment, due
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import Store

HEAD = b"\x0a\x0d\x0d\x0a"


def rows(*values: int) -> dict[str, pa.Table]:
    return {"events": pa.table({"row": list(values)}), "activities": pa.table({"row": pa.array([], pa.int64())})}


def kept(folder: Path) -> list[int]:
    return [
        row for path in sorted((folder / "events").glob("*.parquet")) for row in pq.read_table(path)["row"].to_pylist()
    ]


def test_every_row_is_kept_once_in_few_files(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        for number in range(2 * FAN + 3):
            store.keep_events(period, rows(number))
    assert kept(tmp_path) == list(range(2 * FAN + 3))
    assert len(list((tmp_path / "events").iterdir())) == 2 + 3
    assert query(tmp_path, "SELECT count(*) FROM files") == [(5,)]


@pytest.mark.parametrize(
    ("count", "tier", "expected"),
    [(FAN - 1, 0, 0), (FAN, 0, FAN), (FAN + 5, 1, FAN), (FAN, 2, 0)],
)
def test_what_becomes_one(count: int, tier: int, expected: int) -> None:
    segments = [Segment(1, number, number, tier, "events") for number in range(count)]
    assert due(segments) == tuple(segments[:expected])
    assert all(Segment.parse(segment.name) == segment for segment in segments)


def test_other_names_are_none() -> None:
    assert Segment.parse("events.parquet") is None
    assert Segment.parse("000001-00000001-00000001-0.events.parquet.part") is None


def settings(**more: str) -> StoreSettings:
    return StoreSettings.model_validate({"reserve": "64 KiB", "least_free": "0 B", **more})


def names(store: Store) -> list[str]:
    return sorted(path.stem for path in (store._folder / "evidence").iterdir())


def test_mini_captures_of_grave_open_findings_go_last(tmp_path: Path) -> None:
    clock = Hands()
    grave, mild, last = finding("a", "critical"), finding("b", "low"), finding("c", "low")
    with open_store(tmp_path, clock, settings(evidence_size="2500 B")) as store:
        period = begin(store, clock)
        store.record(period, result(grave, mild, last), clock.at)
        for one in (grave, mild, last):
            clock.go(SECOND)
            store.keep_evidence({one.id: HEAD + bytes(1000)})
        assert names(store) == sorted((grave.id, last.id))  # the oldest but the grave one went
        assert query(tmp_path, "SELECT name, why FROM removed") == [
            (f"evidence/{mild.id}.pcapng", "evidence/ was over 2.5 kB")
        ]
        store.record(period, result(mild, last), clock.go(SECOND))  # withdrawn: no longer open
        store.keep_evidence({mild.id: HEAD + bytes(1000)})
        assert names(store) == sorted((mild.id, last.id))


def test_the_old_go(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock, settings(events_age="10 d", evidence_age="20 d")) as store:
        period = begin(store, clock)
        store.keep_events(period, rows(1))
        store.keep_evidence({"a" * 16: HEAD})
        clock.go(11 * DAY)
        store.keep_events(period, rows(2))
        assert kept(tmp_path) == [2]
        assert len(names(store)) == 1
        clock.go(10 * DAY)
        store.keep_events(period, rows(3))
        assert names(store) == []


def test_a_clock_that_was_stepped_on_makes_nothing_old(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock, settings(events_age="10 d")) as store:
        period = begin(store, clock)
        store.keep_events(period, rows(1))
        clock.step(400 * DAY)
        store.record(period, result(), clock.at)
        store.keep_events(period, rows(2))
        assert kept(tmp_path) == [1, 2]
        clock.step(-400 * DAY)
        store.record(period, result(), clock.at)
        for _ in range(26):  # in order again for a day
            store.record(period, result(), clock.go(DAY // 24))
        assert query(tmp_path, "SELECT title, state FROM health WHERE subject = 'health.clock'")[0][1] == "resolved"
        store.keep_events(period, rows(3))
        assert 1 in kept(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
@pytest.mark.parametrize("kind", ["events", "evidence"])
def test_what_is_torn_is_set_aside(kind: str, damage: str, tmp_path: Path) -> None:
    clock = Hands()
    store = open_store(tmp_path, clock)
    period = begin(store, clock)
    store.keep_events(period, rows(1))
    store.keep_evidence({"a" * 16: HEAD + bytes(100)})
    store._leave()  # as if it was killed
    path = next((tmp_path / kind).iterdir())
    octets = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(octets[:-7] if damage == "cut" else octets[:20] + b"\xff" + octets[21:])
    with open_store(tmp_path, clock) as again:
        (note,) = (note for note in again.opened.notes if path.name in note)
        assert note.endswith("was gone" if damage == "gone" else "was torn or changed: set aside")
        again.keep_events(begin(again, clock), rows(2))
    assert (tmp_path / "set-aside" / path.name).exists() == (damage != "gone")
    assert not path.exists()
    with open_store(tmp_path, clock) as third:
        assert third.opened.notes == ()


def test_what_was_being_written_is_taken_over_or_removed(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        for number in range(FAN):
            store.keep_events(period, rows(number))
    merged = next((tmp_path / "events").iterdir())
    # a merge whose old segments were not removed yet; one that was whole; one that was not
    (tmp_path / "events" / Segment(period, 1, 1, 0, "events").name).write_bytes(merged.read_bytes())
    whole = tmp_path / "events" / Segment(period, 90, 90, 0, "events").name
    pq.write_table(pa.table({"row": [90]}), whole)
    torn = tmp_path / "events" / Segment(period, 91, 91, 0, "events").name
    torn.write_bytes(whole.read_bytes()[:-3])
    (tmp_path / "events" / f".{torn.name}.part").write_bytes(b"")
    with open_store(tmp_path, clock) as again:
        notes = again.opened.notes
    assert notes == (
        f"events/{whole.name} was written when the last run ended: taken over",
        f"events/{torn.name} was torn: set aside",
    )
    assert kept(tmp_path) == [*range(FAN), 90]
