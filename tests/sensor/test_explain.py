"""`zonewatch explain`: one frame by two readers, from the command line."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.sensor.test_cli import PLANT
from tests.services.leaks import leak
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.extract import Wanted, extract

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
MODBUS = PCAPS / "modbus" / "read_write.pcap"
needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None or find_spec("pyshark") is None, reason="tshark or pyshark is not installed"
)


def texts(lines: list[dict[str, Any]]) -> list[str]:
    return [text for line in lines for text in (line["text"], *texts(line.get("below", [])))]


def named(lines: list[dict[str, Any]], name: str) -> list[str]:
    return [line["text"] for line in lines if line["name"] == name] + [
        text for line in lines for text in named(line.get("below", []), name)
    ]


def explained(*arguments: str | Path) -> dict[str, Any]:
    done = run("explain", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_tshark
def test_both_say_the_same_of_a_request() -> None:
    found = explained(MODBUS, "4")
    assert (found["frame"], found["frames"], found["completed_in"]) == (4, 42, 4)
    ours, theirs = found["zonewatch"], found["tshark"]
    assert "function 43 (0x2b) encapsulated_interface_transport" in texts(ours)
    assert named(theirs["layers"], "modbus.func_code") == [
        ".010 1011 = Function Code: Encapsulated Interface Transport (43)"
    ]
    assert named(ours, "frames") == ["request in frame 4; answer in frame 5"]
    assert theirs["version"][0].isdecimal()


@needs_tshark
@pytest.mark.parametrize(("columns", "beside"), [("160", True), ("70", False)])
def test_side_by_side_where_there_is_room(columns: str, beside: bool) -> None:
    done = run("explain", MODBUS, "4", env={**os.environ, "COLUMNS": columns, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    heads = [line for line in done.stdout.splitlines() if line.startswith("zonewatch -")]
    assert len(heads) == 1
    assert ("tshark" in heads[0]) == beside
    assert max(map(len, done.stdout.splitlines())) <= int(columns)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((MODBUS, "43"), "no frame 43: it has 42 frames, numbered from 1"),
        ((MODBUS, "18446744073709551615"), "it has 42 frames"),
        ((PCAPS / "modbus", "1"), "is a folder; name one capture"),
        ((PCAPS / "no.pcap", "1"), "no such file"),
        ((PCAPS / "index.csv", "1"), "not a packet capture"),
    ],
)
def test_what_is_not_there_gets_one_clear_line(arguments: tuple[Path, str], said: str) -> None:
    done = run("explain", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("zonewatch: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("frame", ["0", "-1", "four"])
def test_a_frame_is_a_number_from_1(frame: str) -> None:
    assert run("explain", MODBUS, frame).returncode == 2


def test_a_damaged_capture_says_how_far_it_goes(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(MODBUS.read_bytes()[:-7])
    done = run("explain", cut, "42")
    assert done.returncode == 2
    assert "frame 42 was not reached after 41 frames" in done.stderr


def test_without_tshark_our_own_reading_stands(tmp_path: Path) -> None:
    done = run("explain", MODBUS, "4", env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 3, done.stderr
    assert "encapsulated_interface_transport" in done.stdout
    assert " ".join(done.stdout.split()).count("tshark is not installed") == 1
    told = run("explain", MODBUS, "4", "--json", env={**os.environ, "PATH": str(tmp_path)})
    assert told.returncode == 3
    found = json.loads(told.stdout)
    assert found["tshark"] == {"version": "", "layers": []}
    assert len(found["notes"]) == 1
    assert told.stderr.count("\n") == 1


@needs_tshark
def test_a_config_of_the_working_directory_names_no_other_program(tmp_path: Path) -> None:
    # pyshark would run what it finds there.
    (tmp_path / "config.ini").write_text(f"[tshark]\ntshark_path = {tmp_path}/planted\n", encoding="utf-8")
    planted = tmp_path / "planted"
    planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n", encoding="utf-8")
    planted.chmod(0o755)
    root = str(PCAPS.parent)
    done = run("explain", MODBUS, "4", cwd=tmp_path, env={**os.environ, "PYTHONPATH": root})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "was-run").exists()


def test_the_verdict_of_the_policy() -> None:
    capture, policy = PLANT / "waterworks.pcap", PLANT / "policy.yaml"
    decoder = Decoder([Source("x", (CaptureFile("a", capture),))], detail="events")
    while decoder.advance():
        pass
    frames = [row["request_frames"][0] for row in decoder.take("events").to_pylist() if row["operation"] == "write"]
    done = run("explain", capture, str(frames[0]), "--policy", policy, "--assets", PLANT / "assets.csv", "--json")
    ours = json.loads(done.stdout)["zonewatch"]
    (section,) = [line for line in ours if line["name"] == "verdict"]
    verdicts = named(section["below"], "verdict")
    assert verdicts
    assert all(text.split(":")[0] in ("allowed", "violation", "unzoned", "cannot conclude") for text in verdicts)
    assert all(" → " in text for text in verdicts)


@needs_tshark
def test_a_part_of_a_message_shows_the_message_it_completes() -> None:
    found = explained(PCAPS / "layers" / "zero_window.pcap", "7")
    assert found["completed_in"] == 12
    assert "Part of a message that frame 12 completes" in texts(found["zonewatch"])
    assert named(found["zonewatch"], "message")


@needs_tshark
def test_a_mini_capture_is_a_capture(tmp_path: Path) -> None:
    mini = tmp_path / "finding.pcapng"
    found = extract([Wanted("span", "plant.pcap", MODBUS, ((4, 0, None), (5, 0, None)))], 1, 1 << 20)
    mini.write_bytes(found.captures[0].octets)
    told = explained(mini, "2")
    assert told["frames"] == 2
    assert "frame 5 of plant.pcap" in " ".join(texts(told["tshark"]["layers"]))
    assert "modbus" in " ".join(texts(told["zonewatch"]))


@needs_tshark
def test_a_packed_capture_too(tmp_path: Path) -> None:
    packed = tmp_path / "a.pcap.gz"
    packed.write_bytes(gzip.compress(MODBUS.read_bytes()))
    assert "modbus.func_code" in json.dumps(explained(packed, "4"))


@needs_tshark
@pytest.mark.parametrize(
    ("capture", "word"), [("services/ftp.pcap", "PASS"), ("secrets/control.pcap", ""), ("services/http.pcap", "POST")]
)
def test_no_secret_is_on_the_terminal_or_in_json(capture: str, word: str) -> None:
    octets = (PCAPS / capture).read_bytes()
    assert leak(octets) is not None
    decoder = Decoder([Source("x", (CaptureFile("a", PCAPS / capture),))], detail="events")
    while decoder.advance():
        pass
    secret = [
        row["request_frame"] or row["first_frame"]
        for row in decoder.take("activities").to_pylist()
        if any(field["name"] == "credential.kind" for field in row["fields"])
    ] + [
        row["request_frames"][0]
        for row in decoder.take("events").to_pylist()
        if row["operation"] == "authenticate" and row["request_frames"]
    ]
    assert secret
    done = run("explain", PCAPS / capture, str(secret[0]))
    told = run("explain", PCAPS / capture, str(secret[0]), "--json")
    for output in (done.stdout, told.stdout):
        assert leak(output.encode()) is None
        assert "[masked]" in output
    assert word in done.stdout
