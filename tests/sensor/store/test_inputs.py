"""What the periods of a store were judged by: names, hashes and copies, as a report of the store tells them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reports import sample
from tests.sensor.store.made import POLICY, SECOND, Hands, open_store, query, run
from zonewatch.reports.result import PolicyInfo
from zonewatch.sensor.proof.inputs import Named, collected
from zonewatch.sensor.store import reading

FIRST = b"address,name\n10.20.11.11,plc-1\n"
SECOND_LIST = b"\xef\xbb\xbfaddress,name\r\n10.20.11.11,plc-1\r\n10.20.11.12,plc-2\r\n"
TAGS = b"protocol,kind,start,name\nmodbus,holding-register,100,QIC-301\n"
HASH = hashlib.sha256(POLICY.encode()).hexdigest()


def inputs(folder: Path, assets: bytes) -> dict[str, bytes]:
    """As the sensor collects them from the files that its settings name."""
    folder.mkdir(exist_ok=True)
    named = {}
    for name, octets in (("policy.yaml", POLICY.encode()), ("site-assets.csv", assets), ("tags.csv", TAGS)):
        named[name] = folder / name
        named[name].write_bytes(octets)
    return collected(Named(named["policy.yaml"], named["site-assets.csv"], named["tags.csv"]))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two whole periods, of which the second has another asset list, read anew once."""
    folder, files, clock = tmp_path / "store", tmp_path / "files", Hands()
    result = replace(sample.sample(), policy=PolicyInfo("policy.yaml", HASH, "Riverside"))
    with open_store(folder, clock) as made:
        for assets in (FIRST, SECOND_LIST):
            period = made.begin(("tap",), "0.1.0", POLICY, "", clock.at, inputs(files, FIRST))
            made.judge_by(POLICY, "", clock.at, inputs(files, assets))
            made.end(period, result, clock.go(60 * SECOND))
            clock.go(SECOND)
    return folder


def told(folder: Path) -> list[dict[str, Any]]:
    rows = json.loads((folder / "manifest.json").read_text())["inputs"]
    return [row for row in rows if row["kind"] not in ("capture", "result")]


def test_each_list_is_kept_once_by_its_hash_and_the_policy_as_a_text(store: Path) -> None:
    kept = {row[0] for row in query(store, "SELECT hash FROM inputs")}
    assert kept == {hashlib.sha256(octets).hexdigest() for octets in (FIRST, SECOND_LIST, TAGS)}
    assert query(store, "SELECT hash FROM texts") == [(HASH,)]


@pytest.mark.parametrize("number", [1, 2])
def test_a_period_has_the_files_that_were_in_force_octet_by_octet(number: int, store: Path, tmp_path: Path) -> None:
    assert reading.inputs(store, {number}) == inputs(tmp_path / "files", (FIRST, SECOND_LIST)[number - 1])


def test_a_report_of_the_store_names_them_as_that_of_an_audit_does(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = run("report", store, "--framework", "csf", "--out", out)
    assert done.returncode in (0, 3), done.stderr
    named = {(row["kind"], row["name"], row["sha256"], row["copy"]) for row in told(out)}
    assert named == {
        ("policy", "policy.yaml", HASH, "inputs/policy.yaml"),
        ("assets", "site-assets.csv", hashlib.sha256(SECOND_LIST).hexdigest(), "inputs/assets.csv"),
        ("tags", "tags.csv", hashlib.sha256(TAGS).hexdigest(), "inputs/tags.csv"),
    }
    assert (out / "inputs" / "assets.csv").read_bytes() == SECOND_LIST
    assert (out / "inputs" / "tags.csv").read_bytes() == TAGS


def test_a_span_names_what_was_in_force_before_without_a_copy(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = run("report", store, "--framework", "csf", "--from", "2026-03-01", "--to", "2026-03-03", "--out", out)
    assert done.returncode in (0, 3), done.stderr
    lists = [(row["sha256"], row["copy"]) for row in told(out) if row["kind"] == "assets"]
    assert lists == [
        (hashlib.sha256(SECOND_LIST).hexdigest(), "inputs/assets.csv"),
        (hashlib.sha256(FIRST).hexdigest(), ""),
    ]


def test_a_list_that_is_gone_is_named_still(store: Path) -> None:
    sha256 = hashlib.sha256(TAGS).hexdigest()

    with sqlite3.connect(store / "store.db") as db:
        db.execute("DELETE FROM inputs WHERE hash = ?", (sha256,))
    made = reading.inputs(store, {2})
    assert "inputs/tags.csv" not in made
    rows = json.loads(made["inputs/given.json"])["files"]
    assert [(row["sha256"], row["copy"]) for row in rows if row["kind"] == "tags"] == [(sha256, "")]
