"""`zonewatch policy draft` and `replay` from the outside."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests import command
from zonewatch.rules.policy.load import load_policy

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "pcaps" / "waterworks"
CAPTURE = PLANT / "waterworks.pcap"
NORMAL = ("--to", "2026-03-02T08:15:00Z")

run = partial(command.run, cwd=ROOT)


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("draft") / "policy.yaml"
    done = run("policy", "draft", CAPTURE, *NORMAL, "--out", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "long enough" in done.stderr
    return path


def test_the_draft_loads_and_has_no_errors(drafted: Path) -> None:
    assert load_policy(drafted).conduits
    done = run("policy", "check", drafted, "--as-of", "2026-03-03")
    assert (done.returncode, "\n0 errors" in done.stdout) == (0, True), done.stdout


def test_an_existing_file_stays_and_the_difference_is_shown(drafted: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(drafted.read_bytes())
    done = run("policy", "draft", CAPTURE, "--out", path)
    assert path.read_bytes() == drafted.read_bytes()
    assert (done.returncode, done.stdout.startswith(f"--- {path}\n+++ {path} (draft)\n")) == (0, True)
    assert "holding-register 101-103" in done.stdout  # the unapproved change of the story
    assert "# supervision-10-20-1-to-control-10-20-11/http-10-20-1-77: is part of what looks like a scan" in done.stdout


@pytest.mark.parametrize("entry", ["conduit-flow=x", "a/b", "a/b= "])
def test_a_purpose_must_say_something(entry: str) -> None:
    done = run("policy", "draft", CAPTURE, "--purpose", entry)
    assert (done.returncode, "CONDUIT/FLOW=TEXT expected" in done.stderr) == (2, True)


def test_the_draft_replayed_on_its_own_traffic_breaks_nothing(drafted: Path) -> None:
    done = run("policy", "replay", CAPTURE, *NORMAL, "--policy", drafted, "--format", "jsonl")
    assert (done.returncode, "Nothing breaks." in done.stderr) == (0, True), done.stdout
    assert {json.loads(line)["outcome"] for line in done.stdout.splitlines()} <= {"in no zone"}


def test_without_a_conduit_its_functions_break(drafted: Path) -> None:
    away = "supervision-10-20-1-to-control-10-20-11"
    done = run("policy", "replay", CAPTURE, *NORMAL, "--policy", drafted, "--without", away, "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert {(row["outcome"], row["conduit"]) for row in rows} == {("breaks", away)}
    assert {row["protocol"] for row in rows} == {"modbus"}


def test_a_result_is_replayed_as_its_captures_are(drafted: Path, tmp_path: Path) -> None:
    result = tmp_path / "result"
    assert run("audit", CAPTURE, "--policy", PLANT / "policy.yaml", "--out", result, "--json", "-").returncode == 0
    outcomes = []
    for given in (CAPTURE, result):
        done = run("policy", "replay", given, "--policy", drafted, "--format", "jsonl")
        assert done.returncode == 1
        outcomes.append(
            {
                (row["outcome"], row["client"], row["asset"], row["protocol"], row["operation"])
                for row in map(json.loads, done.stdout.splitlines())
                if row["outcome"] == "breaks" and row["operation"] != "connection"
            }
        )
    assert ("breaks", "engineering-station-10-20-1-20", "controller-10-20-11-13", "modbus", "write") in outcomes[1]
    assert outcomes[1] <= outcomes[0]


def test_replay_needs_a_policy_and_a_conduit_that_is_there(drafted: Path) -> None:
    assert run("policy", "replay", CAPTURE).returncode == 2
    done = run("policy", "replay", CAPTURE, "--policy", drafted, "--without", "nothing")
    assert (done.returncode, "no conduit 'nothing' in the policy" in done.stderr) == (2, True)
