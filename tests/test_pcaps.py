"""The captures of this project are the ones in the index, and their scripts make them again byte for byte."""

from __future__ import annotations

import csv
import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

PCAPS = Path(__file__).resolve().parent.parent / "pcaps"
with (PCAPS / "index.csv").open(encoding="utf-8", newline="") as file:
    INDEX = {row["file"]: row for row in csv.DictReader(file)}


def count_packets(capture: bytes) -> int:
    packets, offset = 0, 24
    while offset < len(capture):
        (captured_length,) = struct.unpack_from("<8xI", capture, offset)
        offset += 16 + captured_length
        packets += 1
    return packets


def test_every_capture_has_its_row() -> None:
    assert set(INDEX) == {file.relative_to(PCAPS).as_posix() for file in PCAPS.rglob("*.pcap*")}


@pytest.mark.parametrize("name", INDEX)
def test_index_tells_the_truth(name: str) -> None:
    capture = (PCAPS / name).read_bytes()
    assert hashlib.sha256(capture).hexdigest() == INDEX[name]["sha256"]
    assert count_packets(capture) == int(INDEX[name]["packets"])


@pytest.mark.parametrize("script", sorted({row["made_by"] for row in INDEX.values()}))
def test_scripts_make_the_same_bytes(script: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(PCAPS / script), str(tmp_path)], check=True)
    folder = (PCAPS / script).parent
    made = [file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()]
    assert made
    for name in made:
        if name.suffix == ".pcap":
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
        else:
            assert (tmp_path / name).read_text("utf-8") == (folder / name).read_text("utf-8"), name


def test_story_points_into_the_capture() -> None:
    story = json.loads((PCAPS / "waterworks/story.json").read_text("utf-8"))
    packets = int(INDEX["waterworks/waterworks.pcap"]["packets"])
    for step in story["steps"]:
        assert step["frames"] == sorted(set(step["frames"])), step["id"]
        assert 1 <= step["frames"][0] <= step["frames"][-1] <= packets, step["id"]
        assert step["allowed"] == (step["finding"] is None), step["id"]
