"""`zonewatch audit --second-opinion`, from the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import command
from tests.sensor import test_cli
from zonewatch.reports.json_result import dumps
from zonewatch.reports.write import read_result

PCAPS = Path(__file__).resolve().parents[3] / "pcaps"
MODBUS = PCAPS / "modbus" / "read_write.pcap"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def audit(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return command.run("audit", "--second-opinion", *arguments, **options)


@needs_tshark
def test_equal_counts_and_a_name_for_what_is_not_decoded(tmp_path: Path) -> None:
    done = audit(MODBUS, PCAPS / "services" / "connections.pcap", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Every count is equal." in done.stdout
    opinion = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["second_opinion"]
    assert opinion["tool"] == "tshark"
    assert opinion["version"].count(".") >= 1
    assert opinion["rows"] == opinion["equal_rows"] > 20
    assert opinion["protocols"][0] | {"ours": 24, "theirs": 24} == opinion["protocols"][0]
    names = {(row["transport"], row["port"], row["theirs"]) for row in opinion["named"]}
    assert ("tcp", 2404, "iec60870_104") in names
    result = read_result(tmp_path)
    assert any("By tshark" in sentence and "iec60870_104" in sentence for sentence in result.limits)
    assert "Second opinion" in (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "second-opinion.csv").read_text(encoding="utf-8"))))
    assert {row["level"] for row in rows} == {"protocol", "function", "edge", "named"}
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert "second-opinion.csv" in {row["name"] for row in manifest["outputs"]}
    assert dumps(result) == (tmp_path / "result.json").read_text(encoding="utf-8")


@needs_tshark
def test_a_difference_is_listed_with_frames_and_reason(tmp_path: Path) -> None:
    done = audit(PCAPS / "modbus" / "rtu_over_tcp.pcap", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO((tmp_path / "second-opinion.csv").read_text(encoding="utf-8"))))
    differences = [row for row in rows if row["level"] == "difference"]
    assert differences
    assert {row["reason"] for row in differences} == {"not_dissected"}
    read = next(row for row in differences if (row["fact"], row["code"], row["ours"]) == ("function", "3", "1"))
    assert (read["name"], read["theirs"], read["frames_only_ours"]) == ("read_holding_registers", "0", "8")
    assert "rtu_over_tcp.pcap: " in done.stdout


def test_without_tshark_one_line_says_so_and_the_rest_is_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    done = audit(MODBUS, "--out", out, env={**os.environ, "PATH": str(tmp_path / "empty")})
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("zonewatch: no second opinion: tshark is not installed")
    result = read_result(out)
    assert result.second_opinion is not None
    assert result.second_opinion.problem
    assert any("No second opinion" in sentence for sentence in result.limits)
    assert result.inventory.assets
    assert not (out / "second-opinion.csv").exists()
    assert (out / "report.html").exists()


def test_unasked_nothing_is_said_of_it_and_an_old_file_is_gone(tmp_path: Path) -> None:
    (tmp_path / "second-opinion.csv").write_text("of an audit before\n", encoding="utf-8")
    done = command.run("audit", MODBUS, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path).second_opinion is None
    assert not (tmp_path / "second-opinion.csv").exists()
    assert "econd opinion" not in (tmp_path / "report.html").read_text(encoding="utf-8")


@needs_tshark
def test_the_user_s_profile_changes_nothing(tmp_path: Path) -> None:
    profile = tmp_path / "wireshark"
    profile.mkdir()
    # Modbus at another port: a tshark with this profile would find nothing.
    (profile / "preferences").write_text("mbtcp.tcp.port: 10000\ntcp.desegment_tcp_streams: FALSE\n", encoding="utf-8")
    (profile / "disabled_protos").write_text("mbtcp\nmodbus\n", encoding="utf-8")
    done = audit(MODBUS, "--out", tmp_path / "out", env={**os.environ, "WIRESHARK_CONFIG_DIR": str(profile)})
    assert "Every count is equal." in done.stdout


@needs_tshark
def test_two_runs_are_equal(tmp_path: Path) -> None:
    for name in ("a", "b"):
        audit(MODBUS, PCAPS / "s7comm" / "engineering.pcap", "--out", tmp_path / name)
    for name in ("result.json", "second-opinion.csv", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@needs_tshark
def test_standard_input_cannot_be_compared(tmp_path: Path) -> None:
    done: Any = test_cli.run("audit", "--second-opinion", "-", "--out", tmp_path, input=MODBUS.read_bytes())
    assert done.returncode == 0, done.stderr
    result = read_result(tmp_path)
    assert result.second_opinion is not None
    assert result.second_opinion.captures[0].problem == "standard input cannot be read twice"
