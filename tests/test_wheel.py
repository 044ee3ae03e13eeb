"""What is built is complete: the wheel works in a clean virtual environment, the source archive builds that wheel."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("sensor", "reports", "rules", "inventory", "dissectors")
SOURCES = {".py", ".pyi", ".rs", ".toml", ".j2", ".js", ".css", ".json"}


def test_the_wheel_installs_and_audits(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True)
    wheel = next(tmp_path.glob("zonewatch-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"zonewatch"}
    assert "zonewatch/py.typed" in names
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}
    assert "abi3" in wheel.name
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    folder = environment / ("Scripts" if sys.platform == "win32" else "bin")
    runtime = ROOT / "requirements" / "runtime.txt"
    install = [str(folder / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*install, "--require-hashes", "-r", str(runtime)], check=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    capture = ROOT / "pcaps" / "modbus" / "read_write.pcap"
    command = [str(folder / "zonewatch"), "audit", str(capture), "--out", str(tmp_path / "result")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "result" / "report.html").stat().st_size > 100_000
    assert (tmp_path / "result" / "result.json").exists()


def test_the_source_archive_holds_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    """The archive is only listed here: the wheel above is built from the same files."""
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("zonewatch-*.tar.gz"))) as archive:
        held = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    beside = {"LICENSE", "NOTICE", "README.md", "pyproject.toml", "Cargo.toml", "Cargo.lock"}
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES)
    needed = {name for path in found if not (name := path.relative_to(ROOT).as_posix()).startswith("dissectors/fuzz/")}
    assert needed | beside <= held
    assert not [name for name in held if name.endswith((".so", ".pyc")) or name.startswith("dissectors/fuzz/")]
