"""The built wheel works in a clean virtual environment, from another folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_installs_and_audits(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    wheel = next(tmp_path.glob("zonewatch-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"zonewatch"}
    assert "zonewatch/py.typed" in names
    assert "abi3" in wheel.name
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    folder = environment / ("Scripts" if sys.platform == "win32" else "bin")
    constraints = ROOT / "requirements" / "constraints.txt"
    install = [str(folder / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*install, "-c", str(constraints), str(wheel)], check=True)
    capture = ROOT / "pcaps" / "modbus" / "read_write.pcap"
    command = [str(folder / "zonewatch"), "audit", str(capture), "--out", str(tmp_path / "result")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "result" / "report.html").stat().st_size > 100_000
    assert (tmp_path / "result" / "result.json").exists()
