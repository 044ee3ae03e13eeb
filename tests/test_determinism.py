"""The same capture gives the same bytes, whatever the hash seed, the time zone, the folders and the threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLANT = Path(__file__).resolve().parent.parent / "pcaps" / "waterworks"
AUDIT = "from zonewatch.sensor.cli import main; main()"


def audited(work: Path, out: Path, seed: str, zone: str, threads: int) -> dict[str, bytes]:
    """Every file of the result folder, by its name."""
    work.mkdir(parents=True)
    given = [f"{os.path.relpath(PLANT, work)}/{name}" for name in ("waterworks.pcap", "policy.yaml", "assets.csv")]
    arguments = ["audit", given[0], "--policy", given[1], "--assets", given[2], "--out", str(out)]
    process = subprocess.run(
        [sys.executable, "-c", AUDIT, *arguments],
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
