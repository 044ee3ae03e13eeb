"""The tag list on the command line: the plant with its tags, a draft, a fault told as one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.command import run
from zonewatch.rules.tags.read import read_tags

pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
PLANT = Path(__file__).resolve().parents[2] / "pcaps" / "waterworks"
CAPTURE = PLANT / "waterworks.pcap"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tagged")
    given = ("--policy", PLANT / "policy.yaml", "--assets", PLANT / "assets.csv", "--tags", PLANT / "tags.csv")
    done = run("audit", CAPTURE, *given, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_plant_s_story_is_told_by_its_tags(result: Path) -> None:
    findings = json.loads((result / "result.json").read_text(encoding="utf-8"))["findings"]
    told = {row["rule"]: row for row in findings if row["rule"].startswith("process.")}
    assert set(told) == {"process.limit", "process.safety_write"}
    assert [row["severity"] for row in told.values()] == ["critical", "critical"]
    changes = [(row["name"], row["before"], row["after"]) for row in told["process.safety_write"]["changes"]]
    assert changes == [
        ("High-high chlorine trip QSHH-301", "1.8 mg/l", "24 mg/l"),
        ("High chlorine interlock QZ-301", "on", "off"),
    ]
    setpoint = "Chlorine dose setpoint QIC-301 set from 1.2 mg/l to 9.5 mg/l"
    assert f"{setpoint} at holding-register 100 (40101)" in told["process.limit"]["description"]
    violation = next(row for row in findings if row["rule"] == "policy.violation" and row["changes"])
    assert setpoint in violation["description"]


def test_every_output_says_the_names(result: Path) -> None:
    alerts = [json.loads(line) for line in (result / "alerts.ndjson").read_text(encoding="utf-8").splitlines()]
    sentence = "High-high chlorine trip QSHH-301 set from 1.8 mg/l to 24 mg/l"
    assert sum(sentence in alert["message"] for alert in alerts) == 3  # both of the process, and the violation
    assert "<b>Chlorine dose setpoint QIC-301</b>, holding-register 100 (40101)" in (result / "report.html").read_text(
        encoding="utf-8"
    )
    assert "[QIC-301, QAH-301, QSHH-301 and 1 more]" in (result / "edges.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("of", ["result", "capture"])
def test_a_draft_can_be_read(result: Path, of: str, tmp_path: Path) -> None:
    out = tmp_path / "tags.csv"
    given = [result] if of == "result" else [CAPTURE, "--assets", PLANT / "assets.csv"]
    done = run("tags", "draft", *given, "--out", out)
    assert done.returncode == 0, done.stderr
    tags = read_tags(out)
    assert {("plc-3", "holding-register", 100), ("rtu-1", "binary-output", 0), ("ahu-1", "analog-value", 1)} <= {
        (tag.asset, tag.kind, tag.start) for tag in tags
    }
    with out.open(encoding="utf-8", newline="") as file:
        notes = {(row["asset"], row["address"]): row["note"] for row in csv.DictReader(file)}
    assert notes["plc-3", "40101"] == "written by eng-1, hmi-1; read by eng-1, scada-1"
    again = run("tags", "draft", *given, "--out", out)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_a_fault_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("asset,address,name\nplc-3,4x413,X\n")
    for command in (("tags", "check", path), ("audit", CAPTURE, "--tags", path, "--out", tmp_path / "out")):
        done = run(*command)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"zonewatch: {path}:2: column address: '4x413' is no address")


def test_check_says_what_is_in_a_list() -> None:
    done = run("tags", "check", PLANT / "tags.csv")
    said = " ".join(done.stdout.split())  # a long path makes the line wrap
    assert (done.returncode, "23 tags of 9 assets, 2 of them safety" in said) == (0, True)
