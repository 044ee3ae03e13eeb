"""`zonewatch policy …` from the outside: output, exit codes, and what is written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import command

PLANT = Path(__file__).parents[2] / "pcaps" / "waterworks" / "policy.yaml"
DAY = ("--as-of", "2026-03-02")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command.run("policy", *arguments)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = PLANT.read_text("utf-8")
    assert old in text
    path = tmp_path / "policy.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_the_bundled_policy_is_clean_on_its_day() -> None:
    done = run("check", PLANT, *DAY)
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (
        0,
        "0 errors, 0 warnings, 0 notes; 3 accepted",
        "",
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("purpose: NTP", 'purpose: ""', 0, "note ZP305"),
        ("    to: dmz\n", "    to: dnz\n", 1, "error ZP004: unknown zone 'dnz'; did you mean 'dmz'?"),
        ("policy_version: 1\n", "policy_version: 1\n\t", 1, "error ZP001"),
    ],
)
def test_only_errors_end_with_1(tmp_path: Path, old: str, new: str, code: int, told: str) -> None:
    done = run("check", changed(tmp_path, old, new), *DAY)
    assert (done.returncode, told in done.stdout, done.stderr) == (code, True, ""), done.stdout


def test_octets_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(PLANT.read_bytes().replace(b"Office network", b"Office \xff network"))
    done = run("check", path, *DAY)
    assert done.returncode == 1
    assert "error ZP001: is no UTF-8 text" in done.stdout
    assert done.stdout.startswith(f"{path}:20:")


def test_fix_writes_the_file_and_keeps_its_comments(tmp_path: Path) -> None:
    path = changed(tmp_path, "objects: [coil 0-7]", "objects: [coil 0-3, coil 4-7]   # eight")
    path.chmod(0o640)
    done = run("check", path, "--fix", *DAY)
    assert (done.returncode, "ZP311" in done.stdout) == (0, False)
    assert path.read_text("utf-8") == PLANT.read_text("utf-8").replace(
        "objects: [coil 0-7]", "objects: [coil 0-7]   # eight"
    )
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["policy.yaml"]


@pytest.mark.parametrize(("form", "key"), [("json", "diagnostics"), ("sarif", "runs")])
def test_forms(form: str, key: str) -> None:
    assert json.loads(run("check", PLANT, "--format", form, *DAY).stdout)[key]


def test_the_register_goes_out_and_comes_back(tmp_path: Path) -> None:
    path = changed(tmp_path, "policy_version", "policy_version")
    register = tmp_path / "zones.csv"
    register.write_text(run("zones", "export", path).stdout.replace("Control room", "Main room"), "utf-8")
    shown = run("zones", "import", path, register)
    expected = PLANT.read_text("utf-8").replace("name: Control room\n", "name: Main room\n")
    assert shown.stdout == expected
    assert path.read_text("utf-8") == PLANT.read_text("utf-8")
    assert run("zones", "import", path, register, "--write").returncode == 0
    assert path.read_text("utf-8") == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nowhere.yaml"),
        ("check", PLANT, "--as-of", "soon"),
        ("zones", "export", "nowhere.yaml"),
        ("zones", "import", PLANT, "nowhere.csv"),
        ("zones", "import", PLANT, PLANT),
    ],
    ids=str,
)
def test_wrong_use_ends_with_2_and_one_line(arguments: tuple[str | Path, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("zonewatch: ")
    assert "Traceback" not in done.stderr


def test_a_register_that_breaks_the_policy_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, "policy_version", "policy_version")
    (tmp_path / "zones.csv").write_text("id,subnets\noffice,10.20.40.0/24\n", "utf-8")
    done = run("zones", "import", path, tmp_path / "zones.csv", "--write")
    assert (done.returncode, "is a member of zone" in done.stderr) == (2, True)
    assert path.read_text("utf-8") == PLANT.read_text("utf-8")
