"""`zonewatch rules …` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import run
from tests.sensor.test_cli import ROOT

PCAPS = ROOT / "pcaps"
OWN = """\
title: A write
name: {name}
logsource: {{product: zonewatch, category: ot_operation}}
detection: {{s: {{ot.operation: write}}, condition: s}}
zonewatch: {{unless: [{unless}]}}
"""
COUNT = """\
title: Many of them
name: own.count
correlation: {type: event_count, rules: [modbus.force_listen_only], group-by: [source.ip], timespan: 1m,
  condition: {gte: 9}}
"""


def test_a_bundled_rule_can_be_tried_by_its_file() -> None:
    done = run("rules", "test", "rules/detections/modbus/force_listen_only.yml", cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "")
    assert "examples, 0 failed" in done.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OWN.format(name="own.write", unless="exposure.scan"), "0 errors; 1 rules"),
        (COUNT, "0 errors; 0 rules and 1 correlations"),
        (
            OWN.format(name="modbus.force_listen_only", unless=""),
            ":2:7: error: name 'modbus.force_listen_only' is also",
        ),
        (OWN.format(name="own.write", unless="exposure.scam"), "no rule 'exposure.scam' for 'unless'; did you mean"),
        ("\n" * 99 + OWN.format(name="../evil", unless=""), ":101:7: error: name '../evil' has to be of letters"),
    ],
)
def test_rules_are_checked_beside_the_bundled_ones(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "own.yml"
    path.write_text(text)
    done = run("rules", "check", path)
    assert line in done.stdout
    assert done.returncode == (0 if line.startswith("0 errors") else 1)
    listed = run("rules", "list", "--rules", path)
    assert listed.returncode == (0 if line.startswith("0 errors") or "unless" in line else 2)


def test_a_place_is_no_emoji(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text("#\n" * 99 + "title: ]")
    done = run("rules", "list", "--rules", path)
    assert f"{path}:100:" in done.stderr


def test_a_rule_on_what_is_new_is_tried_with_a_baseline(tmp_path: Path) -> None:
    plant, other, learned = (
        PCAPS / "waterworks" / "waterworks.pcap",
        PCAPS / "modbus" / "read_write.pcap",
        tmp_path / "b.yaml",
    )
    assert run("baseline", "learn", other, "--out", learned).returncode == 0
    signed = ("--every", "--to", "enforcing", "--by", "J. Doe", "--on", "2026-03-01")
    assert run("baseline", "review", learned, *signed).returncode == 0
    without = run("rules", "test", "baseline.new_asset", plant, "--format", "jsonl")
    assert (without.returncode, without.stdout) == (1, "")
    found = run("rules", "test", "baseline.new_asset", plant, "--baseline", learned, "--format", "jsonl")
    assert found.returncode == 0
    assert "baseline.new_asset" in found.stdout
