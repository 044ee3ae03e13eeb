"""The command line as a user meets it: exit codes, one clear line for bad input, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from zonewatch.sensor.sources import sources

ROOT = Path(__file__).resolve().parents[2]
PLANT = ROOT / "pcaps" / "waterworks"
SMALL = ROOT / "pcaps" / "modbus" / "read_write.pcap"


def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "zonewatch.sensor.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_the_story_of_the_plant_is_found_and_nothing_else_is_high(tmp_path: Path) -> None:
    capture, policy, assets = PLANT / "waterworks.pcap", PLANT / "policy.yaml", PLANT / "assets.csv"
    done = run("audit", capture, "--policy", policy, "--assets", assets, "--out", tmp_path, "--fail-on", "high")
    assert done.returncode == 1, done.stderr
    findings = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["findings"]
    grave = sorted(row["rule"] for row in findings if row["severity"] in ("high", "critical"))
    assert grave == [
        "exposure.public_client",
        "exposure.remote_access",
        "exposure.scan",
        "pivot.chain",
        "policy.violation",
    ]
    write = next(row for row in findings if row["rule"] == "policy.violation" and row["changes"])
    assert ("120", "950") in [(change["before"], change["after"]) for change in write["changes"]]
    for name in ("report.html", "assets.csv", "edges.csv", "findings.json", "alerts.ndjson", "manifest.json"):
        assert (tmp_path / name).stat().st_size > 0
    events = pq.read_table(tmp_path / "events.parquet")
    assert events.num_rows > 100
    ends = set(zip(events["server"].to_pylist(), events["server_name"].to_pylist(), strict=True))
    assert ("10.20.11.13", "plc-3") in ends


def test_the_page_of_the_plant_in_german(tmp_path: Path) -> None:
    """What stays English there begins with names, and no sentence does; the terminal stays English."""
    files = (f"--policy={PLANT / 'policy.yaml'}", f"--assets={PLANT / 'assets.csv'}")
    done = run("audit", PLANT / "waterworks.pcap", *files, "--lang", "de", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Ways from outside to controllers" in done.stdout.decode()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in page
    left = set(re.findall(r'<span lang="en">(.*?)</span>', page))
    assert [words for words in left if not re.match(r"[\w-]+ \([\d.]+\)(, | to )", words)] == []
    assert json.loads((tmp_path / "findings.json").read_text())["findings"][0]["severity"] == "critical"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 2, "no such file"),
        (b"", 2, "empty"),
        (b"%PDF-1.7 this is no capture at all, it is something else", 2, "not a"),
        (SMALL.read_bytes()[:-7], 3, "trunc"),
    ],
    ids=["missing", "empty", "foreign", "cut"],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, content: bytes | None, code: int, words: str) -> None:
    capture = tmp_path / "input.pcap"
    if content is not None:
        capture.write_bytes(content)
    done = run("audit", capture, "--out", tmp_path / "out")
    assert done.returncode == code
    lines = done.stderr.decode().splitlines()
    assert len([line for line in lines if line.startswith("zonewatch: ")]) == 1, lines
    assert "input.pcap" in lines[0]
    assert words in done.stderr.decode().lower() or code == 3
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "out" / "report.html").exists() == (code == 3)


def test_a_file_where_the_folder_should_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    done = run("audit", SMALL, "--out", tmp_path / "notes")
    assert done.returncode == 2
    assert done.stderr.decode().endswith("notes: is a file; name a folder for the result, new or of an audit before\n")
    assert (tmp_path / "notes").read_text() == "mine"


def test_a_wrong_policy_names_its_place(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        (PLANT / "policy.yaml").read_text(encoding="utf-8").replace("to: filtration", "to: filtratoin", 1)
    )
    done = run("audit", SMALL, "--policy", policy, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "policy.yaml:" in done.stderr.decode()
    assert "filtration" in done.stderr.decode()


def test_standard_input_and_json_on_standard_output(tmp_path: Path) -> None:
    done = run("audit", "-", "--json", "-", "--out", tmp_path, input=SMALL.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["captures"][0]["name"] == "stdin"


def test_rotated_files_of_a_folder_follow_their_numbers(tmp_path: Path) -> None:
    names = ["trace.pcap", "trace.pcap1", "trace.pcap2", "trace.pcap10", "x-20260302-9.pcap", "x-20260302-10.pcap"]
    for name in reversed(names):
        (tmp_path / name).write_bytes(b"")
    [point] = sources([str(tmp_path)], [])
    assert [file.name for file in point.files] == names


@pytest.mark.parametrize("option", ["--from", "--to", "--as-of"])
@pytest.mark.parametrize("moment", ["9999-01-01", "0001-01-01", "0001-01-01T00:00:00+12:00"])
def test_a_time_out_of_reach_is_one_clear_line(tmp_path: Path, option: str, moment: str) -> None:
    done = run("audit", SMALL, option, moment, "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"zonewatch: {option} {moment}: ")
    assert b"Traceback" not in done.stderr


def test_a_part_of_the_time_is_told_as_a_limit(tmp_path: Path) -> None:
    assert run("audit", SMALL, "--from", "2026-03-02T08:00:01Z", "--out", tmp_path).returncode == 0
    limits = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["limits"]
    assert any(line.startswith("Only traffic from 2026-03-02 08:00:01 UTC was judged") for line in limits)


@pytest.mark.parametrize("what", [[], ["--pdus"]])
def test_events_agree_in_every_form(tmp_path: Path, what: list[str]) -> None:
    lines = run("events", SMALL, *what, "--format", "jsonl")
    table = run("events", SMALL, *what, "--format", "csv")
    file = tmp_path / "rows.parquet"
    assert run("events", SMALL, *what, "--format", "parquet", "--out", file).returncode == 0
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    assert len(rows) == pq.read_table(file).num_rows > 0
    assert len(table.stdout.decode().splitlines()) == len(rows) + 1
    assert run("events", SMALL, *what).returncode == 0


def test_a_result_can_be_looked_at_again(tmp_path: Path) -> None:
    assert run("audit", SMALL, "--out", tmp_path).returncode == 0
    for command in ("inventory", "map", "findings"):
        for form in ("table", "csv", "jsonl"):
            done = run(command, tmp_path, "--format", form)
            assert done.returncode == 0, done.stderr
    assert run("inventory", tmp_path / "nowhere").returncode == 2


def test_one_unreadable_file_does_not_lose_the_others(tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "a.pcap").write_bytes(SMALL.read_bytes())
    (tmp_path / "captures" / "b.pcap").write_bytes(b"no capture")
    done = run("audit", tmp_path / "captures", "--out", tmp_path / "out")
    assert done.returncode == 3
    captures = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))["captures"]
    assert [(row["name"], row["status"]) for row in captures] == [("a.pcap", "whole"), ("b.pcap", "unreadable")]


def test_an_answer_after_the_change_of_files_has_its_own_capture(tmp_path: Path) -> None:
    data, places = SMALL.read_bytes(), [24]
    while places[-1] < len(data):
        places.append(places[-1] + 16 + int.from_bytes(data[places[-1] + 8 : places[-1] + 12], "little"))
    whole = [json.loads(line) for line in run("events", SMALL, "--format", "jsonl").stdout.splitlines()]
    asked = next(row for row in whole if row["request_frames"] and row["response_frames"])
    last = asked["request_frames"][-1]
    (tmp_path / "rot.pcap").write_bytes(data[: places[last]])
    (tmp_path / "rot.pcap1").write_bytes(data[:24] + data[places[last] :])
    rotated = [json.loads(line) for line in run("events", tmp_path, "--format", "jsonl").stdout.splitlines()]
    assert [row["response_frames"] for row in rotated if row["event"] == asked["event"]] == [
        [frame - last for frame in asked["response_frames"]]
    ]
    found = next(row for row in rotated if row["event"] == asked["event"])
    assert (found["capture"], found["response_capture"]) == ("rot.pcap", "rot.pcap1")


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", SMALL, "--out", "out"],
        ["audit", SMALL, "--out", "out", "--json", "-"],
        *(["events", PLANT / "waterworks.pcap", "--format", form] for form in ("table", "csv", "jsonl", "parquet")),
        ["inventory", "before"],
        ["findings", "before", "--format", "csv"],
    ],
    ids=lambda arguments: " ".join(str(word) for word in arguments if not isinstance(word, Path)),
)
def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path, arguments: list[str | Path]) -> None:
    if "before" in arguments:
        assert run("audit", SMALL, "--out", tmp_path / "before").returncode == 0
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "zonewatch.sensor.cli", *map(str, arguments)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ways_as_the_policy_permits_and_as_seen(tmp_path: Path) -> None:
    policy = PLANT / "policy.yaml"
    alone = run("policy", "paths", "--policy", policy, "--format", "json")
    assert alone.returncode == 0, alone.stderr
    assert [(row["basis"], row["level"], row["ways"]) for row in json.loads(alone.stdout)["paths"]] == [
        ("permitted", "zones", []),
        ("permitted", "hosts", []),
    ]
    out = tmp_path / "result"
    run("audit", PLANT / "waterworks.pcap", "--policy", policy, "--out", out)
    of_result = run("policy", "paths", out, "--format", "json")
    again = run("policy", "paths", PLANT / "waterworks.pcap", "--policy", policy, "--format", "json")
    assert of_result.stdout == again.stdout
    (way,) = next(row for row in json.loads(again.stdout)["paths"] if row["level"] == "hosts" and row["ways"])["ways"]
    assert [(step["start"], step["end"]) for step in way["steps"]] == [("45.83.64.10", "plc-4")]
    table = run("policy", "paths", out, env={**os.environ, "COLUMNS": "120"})
    assert "Closing 1 conduit cuts the way" in table.stdout.decode()
    assert run("policy", "paths", out, "--format", "csv").stdout.decode().startswith("rank,basis,level,origin")


DATED = """\
policy_version: 1
suc: {id: works}
zones:
  - {id: office, kind: business, members: {subnets: [10.20.50.0/24]}}
  - {id: filtration, kind: control, members: {subnets: [10.20.11.0/24]}}
conduits:
  - id: in
    from: office
    to: filtration
    flows:
      - {id: always, protocol: modbus, operations: [read]}
      - {id: tests, protocol: modbus, operations: [write], expires: 2026-03-31}
"""


@pytest.mark.parametrize(
    ("as_of", "writes"),
    [((), True), (("--as-of", "2026-03-31T23:59:59Z"), True), (("--as-of", "2026-04-01"), False)],
)
@pytest.mark.parametrize("captures", [(), (PLANT / "waterworks.pcap",)], ids=["policy", "traffic"])
def test_ways_by_the_day_that_is_asked_for(
    tmp_path: Path, captures: tuple[Path, ...], as_of: tuple[str, ...], writes: bool
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(DATED, encoding="utf-8")
    arguments = ("policy", "paths", *captures, "--policy", policy, *as_of, "--format", "json")
    first, again = run(*arguments), run(*arguments)
    assert (first.returncode, first.stdout) == (0, again.stdout), first.stderr
    levels = {(row["basis"], row["level"]): row["ways"] for row in json.loads(first.stdout)["paths"]}
    (way,) = levels["permitted", "zones"]
    assert way["changes"] is writes


def test_ways_of_a_result_have_their_own_day(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    done = run("policy", "paths", tmp_path, "--as-of", "2026-04-01")
    assert done.returncode == 2
    assert b"a RESULT has the ways of its own moment" in done.stderr


def test_ways_of_nothing_are_wrong_use() -> None:
    done = run("policy", "paths")
    assert done.returncode == 2
    assert b"name captures, a result folder, or --policy FILE" in done.stderr
