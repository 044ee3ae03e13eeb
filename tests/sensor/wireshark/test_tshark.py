"""tshark as a program: found or not, apart from the user's profile, ended in time, its output bounded."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from zonewatch.sensor.wireshark import tshark
from zonewatch.sensor.wireshark.tshark import MISSING, TsharkMissing, find, running

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs are scripts of a shell here")


def program(folder: Path, body: str) -> str:
    path = folder / "tshark"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_where_there_is_none_the_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tshark, "_ELSEWHERE", ())
    with pytest.raises(TsharkMissing, match="tshark is not installed") as caught:
        find()
    assert str(caught.value) == MISSING
    assert "\n" not in MISSING


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('TShark (Wireshark) 4.2.5 (Git v4.2.5).')", "4.2.5"),
        ("print('TShark (Wireshark) 3.6')", "3.6"),
    ],
)
def test_the_version_is_read(body: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find().version == said


@pytest.mark.parametrize("body", ["print('no number')", "sys.exit('libwireshark.so: cannot open')", ""])
def test_a_program_that_is_no_tshark_is_refused_in_one_line(
    body: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TsharkMissing, match="does not tell its version") as caught:
        find()
    assert "\n" not in str(caught.value)


def test_the_profile_of_the_user_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = program(tmp_path, "for name in sorted(os.environ): print(name, os.environ[name], sep='=')")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", "/somebody/profile")
    monkeypatch.setenv("WIRESHARK_PLUGIN_DIR", "/somebody/plugins")
    monkeypatch.setenv("HOME", "/somebody")
    with running(path, (), seconds=60, most_octets=10_000) as output:
        told = dict(line.decode().rstrip("\n").split("=", 1) for line in output)
    assert "WIRESHARK_PLUGIN_DIR" not in told
    assert told["TZ"] == "UTC"
    home = Path(told["HOME"])
    assert told["WIRESHARK_CONFIG_DIR"] == told["XDG_CONFIG_HOME"] == str(home)
    assert str(home) != "/somebody"
    assert not home.exists(), "its folder is gone with it"


def test_it_is_ended_after_its_time(tmp_path: Path) -> None:
    path = program(tmp_path, "print('one', flush=True)\ntime.sleep(600)")
    start = time.monotonic()
    with running(path, (), seconds=0.5, most_octets=10_000) as output:
        lines = list(output)
    assert lines in ([b"one\n"], [])  # a machine under load may not have started it by then
    assert output.stopped == "stopped after 0.5 s"
    assert time.monotonic() - start < 300


def test_its_output_is_bounded(tmp_path: Path) -> None:
    path = program(tmp_path, "while True: print('x' * 99)")
    with running(path, (), seconds=600, most_octets=1_000) as output:
        lines = list(output)
    assert len(lines) == 10
    assert output.stopped == "more than 1.0 kB of output"


def test_an_endless_line_is_left_out(tmp_path: Path) -> None:
    path = program(tmp_path, "print('y' * 3_000_000)\nprint('last')")
    with running(path, (), seconds=600, most_octets=10_000_000) as output:
        assert list(output) == [b"last\n"]
    assert output.long_lines == 1
    assert not output.stopped


def test_what_it_complains_of_is_told_in_one_line(tmp_path: Path) -> None:
    path = program(
        tmp_path,
        "say = lambda text: print(text, file=sys.stderr)\n"
        "say('Running as user \"root\"')\nsay('tshark: \\x1b[31mno such field')\nsys.exit(2)",
    )
    with running(path, (), seconds=60, most_octets=10_000) as output:
        assert list(output) == []
    assert output.said == "tshark: \\x1b[31mno such field"


def test_nothing_is_read_of_a_reader_that_leaves(tmp_path: Path) -> None:
    path = program(tmp_path, "while True: print('x')")
    with running(path, (), seconds=600, most_octets=1_000_000) as output:
        next(iter(output))
    assert not output.said


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_the_installed_one_tells_its_version() -> None:
    found = find()
    assert found.version.split(".")[0].isdecimal()
    assert Path(found.path).is_file()
