"""A store as a RESULT, and what the commands tell of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports import sample
from tests.sensor.store.made import POLICY, SECOND, SETTINGS, Hands, begin, finding, open_store, query, result, run
from zonewatch.inventory.model import Asset, Edge
from zonewatch.reports.json_result import ResultError
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.sensor.results import of_side, read_result
from zonewatch.sensor.store import reading
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import NAME

A, B, C = finding("a"), finding("b", owner="IT"), finding("c", owner="both")


@pytest.mark.parametrize("make", [sample.sample, sample.without_policy, sample.hostile])
@pytest.mark.parametrize("ended", [False, True])
def test_what_is_read_is_what_was_recorded(make: object, ended: bool, tmp_path: Path) -> None:
    clock = Hands()
    whole = ordered(make())  # type: ignore[operator]
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        (store.end if ended else store.record)(period, whole, clock.at)
        assert read_result(tmp_path) == whole


def test_a_running_period_comes_on_top_of_the_last_whole_one(tmp_path: Path) -> None:
    clock = Hands()
    whole = sample.sample()
    with open_store(tmp_path, clock) as store:
        store.end(begin(store, clock), whole, clock.at)
        assert read_result(tmp_path) == whole
        period = begin(store, clock)
        assert read_result(tmp_path) == whole  # nothing was recorded of it yet
        few = replace(whole, inventory=replace(whole.inventory, assets=(), edges=()), findings=(A,), captures=())
        store.record(period, few, clock.go(SECOND))
        found = read_result(tmp_path)
        assert {one.id for one in found.findings} == {A.id, *(one.id for one in whole.findings)}
        assert found.inventory.assets == whole.inventory.assets
        store.end(period, few, clock.go(SECOND))
        store.end(begin(store, clock), few, clock.go(SECOND))
        assert {one.id for one in read_result(tmp_path).findings} == {A.id}


def test_counts_are_written_at_times_and_meaning_at_once(tmp_path: Path) -> None:
    clock = Hands()
    whole = sample.sample()
    edge = whole.inventory.edges[0]

    def with_edge(**more: object) -> object:
        return replace(whole, inventory=replace(whole.inventory, edges=(replace(edge, **more),)))  # type: ignore[arg-type]

    def kept() -> tuple[int, str]:
        (found,) = (one for one in read_result(tmp_path).inventory.edges if one.protocol == edge.protocol)
        return found.packets, found.state

    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        for more, wait, expected in (
            ({"packets": 1}, 1, (1, edge.state)),
            ({"packets": 2}, 1, (1, edge.state)),
            ({"packets": 3, "state": "reset"}, 1, (3, "reset")),
            ({"packets": 4, "state": "reset"}, 1, (3, "reset")),
            ({"packets": 5, "state": "reset"}, SETTINGS.refresh // SECOND, (5, "reset")),
        ):
            store.record(period, with_edge(**more), clock.go(wait * SECOND))  # type: ignore[arg-type]
            assert kept() == expected


def test_what_a_pass_that_saw_a_part_says_of_what_is_known_is_not_kept(tmp_path: Path) -> None:
    whole = ordered(sample.sample())
    (edge, *others), (asset, *assets) = whole.inventory.edges, whole.inventory.assets
    poorer = replace(edge, packets=1, functions=(), state="attempted"), replace(asset, services=(), name="")

    def seen(edges: list[Edge], found: list[Asset]) -> AuditResult:
        inventory = replace(whole.inventory, edges=tuple(edges), assets=tuple(found))
        return ordered(replace(whole, inventory=inventory, findings=(), incidents=()))

    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, seen([edge], [asset]), clock.go(SECOND))
        store.record_new(period, seen([poorer[0], *others], [poorer[1], *assets]), clock.go(100 * SECOND))
    kept = read_result(tmp_path).inventory
    assert (kept.edges, kept.assets) == (whole.inventory.edges, whole.inventory.assets)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        begin(store, clock)
    with pytest.raises(ResultError, match="has recorded nothing yet"):
        read_result(tmp_path)


@pytest.mark.parametrize(("side", "expected"), [(None, "abc"), ("OT", "ac"), ("IT", "bc"), ("both", "c")])
def test_the_findings_of_a_side(side: object, expected: str) -> None:
    found = of_side(result(A, B, C), side).findings  # type: ignore[arg-type]
    assert "".join(one.title[-1] for one in found) == expected


def test_old_rows_go(tmp_path: Path) -> None:
    clock = Hands()
    settings = StoreSettings.model_validate(
        {"reserve": "0 B", "least_free": "0 B", "results_age": "10 d", "unseen_age": "20 d"}
    )
    day = 86_400 * SECOND
    with open_store(tmp_path, clock, settings) as store:
        period = begin(store, clock)
        store.record(period, result(A, B), clock.at)
        store.end(period, replace(sample.sample(), findings=(A,), incidents=()), clock.go(SECOND))
        clock.go(11 * day)
        store.end(begin(store, clock), result(), clock.at)
        assert query(tmp_path, "SELECT count(*) FROM periods WHERE result IS NULL") == [(1,)]
        clock.go(400 * day)
        store.end(begin(store, clock), result(), clock.at)
    assert query(tmp_path, "SELECT id FROM findings") == [(A.id,)]  # open; what was resolved went
    assert query(tmp_path, "SELECT count(*) FROM edges") == [(0,)]
    removed = {row[0] for row in query(tmp_path, "SELECT name FROM removed")}
    assert {"1 whole results", "1 resolved findings", "57 edges"} <= removed


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensor") / "store"
    clock = Hands()
    with open_store(folder, clock) as made:
        period = made.begin(("tap",), "0.1.0", POLICY, "", clock.at)
        made.end(period, replace(sample.sample(), findings=(A, B, C)), clock.at)
    return folder


def test_the_commands_of_a_result_take_a_store(store: Path) -> None:
    for command in ("inventory", "map", "findings"):
        assert run(command, store, "--format", "csv").returncode == 0
    found = run("findings", store, "--format", "jsonl", "--owner", "IT").stdout.splitlines()
    assert {json.loads(line)["owner"] for line in found} == {"IT", "both"}
    shown = run("store", "show", store, "--format", "csv").stdout
    assert "open findings,3 medium\n" in shown
    assert "open findings,2 medium\n" in run("store", "show", store, "--owner", "IT", "--format", "csv").stdout


def test_what_is_damaged_is_found(store: Path, tmp_path: Path) -> None:
    done = run("store", "check", store)
    assert (done.returncode, done.stdout) == (0, f"{store}: nothing is wrong\n")
    clock = Hands()
    with open_store(tmp_path, clock) as made:
        made.keep_evidence({"a" * 16: b"\x0a\x0d\x0d\x0a" + bytes(9)})
    (tmp_path / "evidence" / f"{'a' * 16}.pcapng").write_bytes(b"other")
    done = run("store", "check", tmp_path)
    assert (done.returncode, done.stdout) == (1, f"evidence/{'a' * 16}.pcapng is not as it was written\n")


def test_a_backup_is_a_store_and_is_logged(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    done = run("store", "backup", store, out, "--by", "eva")
    assert done.returncode == 0, done.stderr
    assert reading.result(out) == reading.result(store)
    (row,) = (json.loads(line) for line in run("log", store, "--format", "jsonl").stdout.splitlines())
    assert (row["who"], row["kind"], row["subject"]) == ("eva", "export", "backup")
    again = run("store", "backup", store, out)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize("command", [("store", "show"), ("store", "check"), ("log",), ("log", "verify")])
def test_what_is_no_store_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*command, tmp_path / "nothing")
    assert done.returncode in (1, 2)
    assert len((done.stderr + done.stdout).splitlines()) == 1
    assert "STORE is the folder of a sensor" in done.stderr + done.stdout


def test_the_newest_schema_is_asked_for(store: Path, tmp_path: Path) -> None:
    shutil.copy(store / NAME, tmp_path / NAME)
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("PRAGMA user_version = 0")
    with pytest.raises(Exception, match="is of an older version; zonewatch watch brings it up to date"):
        reading.result(tmp_path)
