"""What is built is complete: the wheel works in a clean virtual environment, the source archive builds that wheel."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("sensor", "reports", "rules", "inventory", "dissectors")
SOURCES = {".py", ".pyi", ".rs", ".toml", ".j2", ".js", ".css", ".json"}


PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""An environment in which the checkout's own packages are not found."""
PROGRAMS = "bin"
CONVERTED = ("pysigma-backend-elasticsearch", "sigma-cli", "prettytable", "wcwidth", "click", "colorama")
"""What `sigma convert` needs beside the runtime requirements."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    def build(folder: Path) -> None:
        words = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
        subprocess.run([sys.executable, *PIP, *words], check=True)

    return next(_made_once("wheel", build, tmp_path_factory, worker_id).glob("zonewatch-*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of programs of a clean environment with the wheel in it."""

    def make(environment: Path) -> None:
        venv.create(environment, with_pip=True)
        _install(environment / PROGRAMS, "--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt"))
        _install(environment / PROGRAMS, "--no-deps", str(wheel))

    return _made_once("environment", make, tmp_path_factory, worker_id) / PROGRAMS


def _made_once(
    name: str, make: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """A folder that processes of one run share: the first makes it, others wait. Two would build in the same place."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / name
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


def _install(programs: Path, *what: str) -> None:
    subprocess.run([str(programs / "python"), *PIP, "install", *what], check=True, env=CLEAN)


def test_the_wheel_holds_what_it_needs_and_nothing_of_others(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"zonewatch", "sigma"}
    beside = [name for name in names if name.startswith("sigma/")]
    assert beside == ["sigma/pipelines/zonewatch/__init__.py"], "pySigma's own package stays its own"
    assert "zonewatch/py.typed" in names
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}
    assert "abi3" in wheel.name


def test_the_installed_wheel_audits(programs: Path, tmp_path: Path) -> None:
    capture = ROOT / "pcaps" / "modbus" / "read_write.pcap"
    command = [str(programs / "zonewatch"), "audit", str(capture), "--out", str(tmp_path / "result")]
    done = subprocess.run(command, cwd=tmp_path, env=CLEAN, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "result" / "report.html").stat().st_size > 100_000
    assert (tmp_path / "result" / "result.json").exists()


def test_plain_sigma_finds_the_pipelines_of_the_installed_wheel(programs: Path, tmp_path: Path) -> None:
    needed = tmp_path / "siem.txt"
    needed.write_text("".join(_locked("dev.txt", CONVERTED)))
    _install(programs, "--require-hashes", "--no-deps", "-r", str(needed))
    rule = ROOT / "rules" / "detections" / "modbus" / "force_listen_only.yml"
    sigma = str(programs / "sigma")
    done = subprocess.run(
        [sigma, "convert", "-p", "zonewatch", "-t", "lucene", str(rule)],
        cwd=tmp_path,
        env=CLEAN,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "event.dataset:zonewatch.ot_operation" in done.stdout
    assert "modbus.subfunction:4" in done.stdout
    listed = subprocess.run(
        [sigma, "list", "pipelines"], cwd=tmp_path, env=CLEAN, capture_output=True, text=True, check=True
    )
    assert {"zonewatch", "zonewatch_icsnpp"} <= set(re.findall(r"zonewatch\w*", listed.stdout))


def _locked(name: str, packages: tuple[str, ...]) -> list[str]:
    """The requirements of packages in a locked file, each with its hashes."""
    text = (ROOT / "requirements" / name).read_text()
    found = re.findall(r"^[a-z].*\n(?: +.*\n)*", text, re.M)
    chosen = [one for one in found if one.split("==", 1)[0] in packages]
    assert len(chosen) == len(packages)
    return chosen


def test_the_locked_requirements_name_no_address() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


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
