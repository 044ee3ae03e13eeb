"""`zonewatch accept` and `zonewatch log`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sensor.store.made import SECOND, Hands, begin, finding, open_store, result, run, states, told
from zonewatch.sensor.decisions import ledger

A, BOTH = finding("a"), finding("b", owner="both", rule="exposure.scan")
WHO = ("--by", "eva", "--why", "planned work")
END = ("--until", "2099-12-31")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    clock = Hands()
    with open_store(tmp_path / "store", clock) as made:
        made.record(begin(made, clock), result(A, BOTH), clock.at)
    return tmp_path / "store"


def again(store: Path) -> dict[str, str]:
    clock = Hands()
    with open_store(store, clock) as made:
        made.record(begin(made, clock), result(A, BOTH), clock.go(SECOND))
    return states(store)


def test_a_decision_from_its_making_to_its_withdrawal(store: Path) -> None:
    done = run("accept", store, A.id, *WHO, *END)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("decision 1: finding a: accepted until 2100-01-01 00:00:00 UTC\nhead of the log: 1 ")
    assert again(store)[A.id] == "accepted"
    done = run("accept", store, BOTH.id, *WHO, *END, "--owner", "OT")
    assert "it stays open until IT accepts it too" in done.stdout
    assert again(store)[BOTH.id] == "open"
    done = run("accept", store, "--exception", "--rule", "exposure.*", "--owner", "IT", *WHO, *END)
    assert done.stdout.startswith("decision 3: findings of rule exposure.*: accepted until")
    assert again(store) == {A.id: "accepted", BOTH.id: "accepted"}
    assert run("accept", store, "--withdraw", 1, *WHO).returncode == 0
    assert again(store) == {A.id: "open", BOTH.id: "accepted"}
    assert [event for event, _ in told(store) if event.startswith(A.id)] == [A.id, f"{A.id}.2"]
    rows = [json.loads(line) for line in run("log", store, "--format", "jsonl").stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["acceptance", "acceptance", "exception", "withdrawal"]
    assert {row["reason"] for row in rows} == {"planned work"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((A.id, *WHO), "--until: until when it is accepted"),
        ((A.id, *WHO, "--until", "2020-01-01"), "--until 2020-01-01: has passed"),
        ((A.id, *WHO, "--until", "soon"), "--until soon: an ISO 8601 time expected"),
        ((A.id, "--by", "eva", *END), "--by and --why"),
        ((A.id, "--why", "x", "--by", " ", *END), "--by and --why"),
        (("f" * 16, *WHO, *END), "no such finding"),
        ((*WHO, *END), "name a finding, or --exception with what it is about, or --withdraw NUMBER"),
        ((A.id, "--exception", "--rule", "x", *WHO, *END), "name a finding, or --exception"),
        (("--exception", *WHO, *END), "say what it is about, with --rule, --zone, --conduit or --asset"),
        ((A.id, "--owner", "IT", *WHO, *END), "is for OT to decide"),
        (("--withdraw", "7", *WHO), "no acceptance or exception in force has this number; none is in force"),
    ],
)
def test_what_is_wrong_is_one_line_and_no_decision(arguments: tuple[str, ...], why: str, store: Path) -> None:
    done = run("accept", store, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert why in done.stderr
    assert ledger.read(store) == ()


def tamper(store: Path, *statements: str) -> None:
    with sqlite3.connect(store / ledger.NAME) as db:
        for name in ("decisions_are_not_changed", "decisions_are_not_removed"):
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)


def test_verify_finds_what_was_changed_and_what_was_cut_off(store: Path, tmp_path: Path) -> None:
    for _ in range(3):
        run("accept", store, A.id, *WHO, *END)
    anchor = tmp_path / "anchor"
    head = run("log", "head", store, "--anchor", anchor).stdout
    assert anchor.read_text() == head
    done = run("log", "verify", store, "--anchor", anchor, "--head", head.strip())
    assert (done.returncode, done.stdout) == (
        0,
        f"3 decisions, 1 head compared: the chain is whole\nhead of the log: {head}",
    )
    guards = (
        sqlite3.connect(store / ledger.NAME).execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    )
    tamper(store, "DELETE FROM decisions WHERE number = 3")
    assert "guard decisions_are_not_changed of decisions.db was taken out" in run("log", "verify", store).stdout
    with sqlite3.connect(store / ledger.NAME) as db:  # one who knows how puts the guards back
        for (guard,) in guards:
            if "INSERT" not in guard:
                db.execute(guard)
    assert run("log", "verify", store).returncode == 0  # what is left is whole by itself
    done = run("log", "verify", store, "--anchor", anchor)
    assert done.returncode == 1
    assert done.stdout.startswith("decision 3 is gone: it was seen once with hash ")


def test_the_sensor_remembers_the_head_it_saw(store: Path) -> None:
    for _ in range(2):
        run("accept", store, A.id, *WHO, *END)
    again(store)
    tamper(store, "DELETE FROM decisions WHERE number = 2")
    done = run("log", "verify", store)
    assert done.returncode == 1
    assert "decision 2 is gone" in done.stdout


def test_a_broken_log_takes_no_more_decisions(store: Path) -> None:
    run("accept", store, A.id, *WHO, *END)
    tamper(store, "UPDATE decisions SET who = 'eve'")
    done = run("accept", store, A.id, *WHO, *END)
    assert done.returncode == 2
    assert "the log of decisions is broken at 1" in done.stderr


@pytest.fixture
def key(tmp_path: Path) -> Path:
    pytest.importorskip("cryptography", reason="the package cryptography is not installed")
    assert run("keygen", tmp_path / "key").returncode == 0
    return tmp_path / "key"


def test_a_signed_head_shows_what_was_cut_off_and_rewritten(store: Path, key: Path, tmp_path: Path) -> None:
    kept, public = tmp_path / "heads", tmp_path / "key.pub"
    done = run("log", "sign", store, "--key", key, "--out", kept)
    assert (done.returncode, "there is no decision to sign yet" in done.stderr) == (2, True)
    for by in ("eva", "ida"):
        assert run("accept", store, A.id, "--by", by, "--why", "planned", *END).returncode == 0
        done = run("log", "sign", store, "--key", key, "--out", kept)
        assert (done.returncode, done.stdout.startswith("head of the log, signed: ")) == (0, True), done.stderr
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [row["number"] for row in rows] == [1, 2], "a signature is added, none is written over"
    compared = ("log", "verify", store, "--signed", kept, "--key", public)
    done = run(*compared)
    assert (done.returncode, "the chain is whole" in done.stdout) == (0, True), done.stderr
    before = ledger.read(store)
    with sqlite3.connect(store / ledger.NAME) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("DELETE FROM decisions WHERE number = (SELECT max(number) FROM decisions)")
    assert len(ledger.read(store)) == len(before) - 1
    done = run(*compared)
    assert (done.returncode, "decision 2" in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row | {"signature": "00" * 64}, "is not signed by this key"),
        (lambda row: row | {"number": 7}, "is not signed by this key"),
        (lambda row: row | {"hash": "f" * 64}, "is not signed by this key"),
        (lambda row: row | {"key_sha256": "0" * 64}, "is not signed by this key"),
        (lambda row: row | {"signature": "no hexadecimal"}, "no signed head"),
        (lambda row: {"number": 1}, "no signed head"),
        (lambda row: [row], "no signed head"),
    ],
)
def test_a_signed_head_that_was_changed_is_refused(
    change: Callable[[dict[str, object]], object], why: str, store: Path, key: Path, tmp_path: Path
) -> None:
    assert run("accept", store, A.id, *WHO, *END).returncode == 0
    assert run("log", "sign", store, "--key", key, "--out", tmp_path / "heads").returncode == 0
    row = json.loads((tmp_path / "heads").read_text())
    (tmp_path / "heads").write_text(json.dumps(change(row)) + "\n")
    done = run("log", "verify", store, "--signed", tmp_path / "heads", "--key", tmp_path / "key.pub")
    assert (done.returncode, f"heads, line 1: {why}" in done.stderr) == (2, True)


def test_an_export_of_rules_is_told_to_the_log(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "queries"
    done = run("rules", "convert", "modbus.force_listen_only", "-t", "lucene", "--out", out, "--store", store)
    assert done.returncode == 0, done.stderr
    (row,) = [json.loads(line) for line in run("log", store, "--format", "jsonl").stdout.splitlines()]
    assert row["kind"] == "export"
    told = json.dumps(row)
    assert "rules lucene" in told
    assert str(out) in told
    again = run("rules", "convert", "modbus.force_listen_only", "-t", "lucene", "--out", out, "--store", store)
    assert again.returncode == 0
    first, second = ledger.read(store)
    assert first.document == second.document, "the same rules have the same hash"
    assert run("rules", "convert", "-t", "lucene", "--store", tmp_path).returncode == 2


def test_rules_converted_without_a_store_are_told_to_nobody(store: Path, tmp_path: Path) -> None:
    assert run("rules", "convert", "modbus.force_listen_only", "-t", "lucene", "--out", tmp_path / "q").returncode == 0
    assert ledger.read(store) == ()
