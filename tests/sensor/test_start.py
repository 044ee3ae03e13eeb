"""What a command needs not is not loaded: it would take longer than what the command does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "pcaps/waterworks/policy.yaml"
CAPTURE = ROOT / "pcaps/modbus/read_write.pcap"
TELL = """
import atexit, sys
atexit.register(lambda: print(*{name.split(".")[0] for name in sys.modules}, file=sys.stderr))
from zonewatch.sensor.cli import main
main()
"""
HEAVY = {"jinja2", "networkx", "pyarrow", "ruamel"}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("--version",), set()),
        (("--help",), set()),
        (("policy", "check", "--help"), set()),
        (("policy", "check", str(POLICY)), {"ruamel"}),
        (("events", str(CAPTURE)), {"pyarrow"}),
        (("audit", str(CAPTURE), "--out", "out"), {"jinja2", "pyarrow"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_loaded(arguments: tuple[str, ...], needed: set[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", TELL, *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if arguments[0] == "audit":  # the first one reads the rules, and keeps them
        subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert HEAVY & set(done.stderr.splitlines()[-1].split()) == needed


def test_a_sensor_has_one_thread_when_it_gives_up_its_rights() -> None:
    """Rights to files, and capabilities, are a thread's own; Arrow starts threads as soon as it is loaded."""
    loaded = "import os, zonewatch.sensor.cli, zonewatch.sensor.watch.command"
    program = f"{loaded}; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
