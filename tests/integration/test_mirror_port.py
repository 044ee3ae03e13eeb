"""An interface as the kernel makes it, before and after it is prepared; a mirror port that the doctor listens to."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.integration.attempts import FRAME, capture_socket
from tests.netns import MirrorPort, mirror_port, why_not

ROOT = Path(__file__).resolve().parents[2]
PLANT = ROOT / "pcaps" / "waterworks" / "waterworks.pcap"
WHY_NOT = why_not() or ("" if find_spec("pyroute2") else "pyroute2 is not installed")
pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


def zonewatch(port: MirrorPort, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in the sensor's namespace."""
    command = ["ip", "netns", "exec", port.sensor_side, sys.executable, "-m", "zonewatch.sensor.cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def told(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {answer["id"]: answer for answer in json.loads(ended.stdout)["answers"]}


def plugged_again(port: MirrorPort) -> int:
    """Packets that the kernel sends by itself when the link goes down and comes up again."""
    before = port.counter("tx_packets")
    for state in ("down", "up"):
        port.run("ip", "link", "set", "dev", port.interface, state)
    time.sleep(2.5)
    return port.counter("tx_packets") - before


@pytest.fixture(scope="module")
def fresh() -> Iterator[MirrorPort]:
    with mirror_port(silent=False) as made:
        yield made


def test_an_interface_is_silent_once_it_is_prepared(fresh: MirrorPort) -> None:
    found = zonewatch(fresh, "interface", "check", fresh.interface, "--format", "json")
    assert found.returncode == 1, found.stderr
    loud = {name for name, answer in told(found).items() if answer["state"] == "wrong"}
    assert {"interface.arp", "interface.multicast", "interface.ipv6", "interface.addrgenmode"} <= loud
    assert plugged_again(fresh) > 0, "the negative control"
    prepared = zonewatch(fresh, "interface", "prepare", fresh.interface)
    assert prepared.returncode in (0, 3), prepared.stderr  # 3: a tool of a note is not installed
    after = zonewatch(fresh, "interface", "check", fresh.interface, "--format", "json")
    assert after.returncode == 0
    assert told(after)["interface.silence"]["state"] == "good"
    assert plugged_again(fresh) == 0


def test_what_other_programs_send_is_stopped_at_the_way_out(fresh: MirrorPort) -> None:
    zonewatch(fresh, "interface", "prepare", fresh.interface)
    if "interface.egress" in told(zonewatch(fresh, "interface", "check", fresh.interface, "--format", "json")):
        pytest.skip("nftables is not installed, or this kernel has no egress hook")
    before = fresh.counter("tx_packets")
    with fresh.listen_far() as far, fresh.make(lambda: capture_socket(fresh.interface)) as other:
        with pytest.raises(OSError, match=os.strerror(errno.ENOBUFS)):
            other.send(FRAME)
        with pytest.raises(TimeoutError):
            far.recv(65_535)
    assert fresh.counter("tx_packets") == before


def test_preparing_again_changes_nothing(fresh: MirrorPort) -> None:
    zonewatch(fresh, "interface", "prepare", fresh.interface)
    again = zonewatch(fresh, "interface", "prepare", fresh.interface, "--dry-run")
    assert (again.returncode, again.stdout) == (0, ""), "nothing is left to mend"


@pytest.mark.parametrize(("rate", "state", "code"), [(3_000.0, "good", 0), (None, "wrong", 1)])
def test_the_doctor_listens_and_sends_nothing(rate: float | None, state: str, code: int) -> None:
    with mirror_port() as port:
        command = [sys.executable, "-m", "zonewatch.sensor.cli", "doctor", "-i", port.interface]
        words = [*command, "--seconds", "6", "--format", "json"]
        with port.listen_far() as far, port.sensor(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as run:
            assert run.stderr is not None
            assert "listening on mirror" in run.stderr.readline()
            if rate is not None:
                port.replay(PLANT, rate)
            out, errors = run.communicate(timeout=60)
            with pytest.raises(TimeoutError):
                far.recv(65_535)
        answers = {answer["id"]: answer["state"] for answer in json.loads(out)["answers"]}
        assert answers["mirror" if rate else "nothing"] == state, answers
        assert run.returncode == code, (answers, errors)
        assert port.counter("tx_packets") == 0
