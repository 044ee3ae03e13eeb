"""The same capture gives the same bytes, whatever the hash seed, the time zone, the folders and the threads; also where
more comes than is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import hostile
from tests.hostile import control

PLANT = Path(__file__).resolve().parent.parent / "pcaps" / "waterworks"
DIGESTS = """
import hashlib, json, sys
from pathlib import Path
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.schemas import TABLES
decoder = Decoder([Source("point", (CaptureFile("hostile", Path(sys.argv[1])),))], threads=int(sys.argv[2]))
told = {table: hashlib.sha256() for table in TABLES}
going = True
while going:
    going = decoder.advance(10_000)
    for table in TABLES.keys() - {"coverage"}:
        for row in decoder.take(table).to_pylist():
            told[table].update(repr(row).encode())
coverage = decoder.take("coverage").to_pylist()
told["coverage"].update(repr(coverage).encode())
counters = {name: value for name, value in coverage[0].items() if isinstance(value, int)}
print(json.dumps({"counters": counters} | {table: digest.hexdigest() for table, digest in told.items()}))
"""
MAIN = "from zonewatch.sensor.cli import main; main()"


def reported(result: Path, out: Path, seed: str, zone: str) -> dict[str, bytes]:
    """Every file of the report on a result, by its name."""
    arguments = ["report", str(result), "--framework", "iec62443", "--out", str(out)]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    process = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments], env=environment, capture_output=True, check=False
    )
    assert process.returncode in (0, 3), process.stderr  # 3: typst is not installed
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def audited(work: Path, out: Path, seed: str, zone: str, threads: int) -> dict[str, bytes]:
    """Every file of the result folder, by its name."""
    work.mkdir(parents=True)
    given = [f"{os.path.relpath(PLANT, work)}/{name}" for name in ("waterworks.pcap", "policy.yaml", "assets.csv")]
    arguments = ["audit", given[0], "--policy", given[1], "--assets", given[2], "--out", str(out)]
    process = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=work,
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "ZONEWATCH_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode in (0, 1), process.stderr  # 1: there are findings
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def test_same_bytes_in_every_surrounding(tmp_path: Path) -> None:
    one = audited(tmp_path / "one", tmp_path / "first result", "1", "Pacific/Auckland", 1)
    other = audited(tmp_path / "a" / "deeper" / "one", tmp_path / "b" / "result", "4711", "America/St_Johns", 2)
    assert {"report.html", "result.json"} <= one.keys()
    assert {Path(name).suffix for name in one} >= {".csv", ".ndjson", ".parquet", ".html", ".json", ".pcapng"}
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    first = reported(tmp_path / "first result", tmp_path / "report", "1", "Pacific/Auckland")
    second = reported(tmp_path / "b" / "result", tmp_path / "c" / "report", "4711", "America/St_Johns")
    assert {"report.html", "report.json", "tables.xlsx", "manifest.json"} <= first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def digests(path: Path, seed: str, threads: int) -> dict[str, Any]:
    """A digest of every table's rows in their order, and the counters of the coverage. The engine's own hashes have
    another seed in each process."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", DIGESTS, str(path), str(threads)]
    told: dict[str, Any] = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    return told


@pytest.mark.parametrize(
    ("kind", "counter", "size"),
    [
        pytest.param(control.half_open, "flows_evicted", 120_000, id="half_open"),
        pytest.param(control.other_registers, "combinations_coalesced", 40_000, id="other_registers"),
    ],
)
def test_same_rows_where_more_comes_than_is_kept(kind: Any, counter: str, size: int, tmp_path: Path) -> None:
    path = tmp_path / "hostile.pcap"
    hostile.write(path, kind(), size)
    one, other = digests(path, "1", 1), digests(path, "4711", 2)
    assert one["counters"][counter] > 0
    assert one == other
