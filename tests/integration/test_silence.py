"""The sensor never sends: proven on a mirror port by the peer of its cable and by the kernel's counter, and by trying
every system call that could.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.attempts import FRAME, others
from tests.netns import MirrorPort, mirror_port, why_not
from zonewatch.sensor.confine import Denied, denied

ROOT = Path(__file__).resolve().parents[2]
PLANT = ROOT / "pcaps" / "modbus" / "read_write.pcap"
WHY_NOT = why_not()
TABLE = denied()
pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture(scope="module")
def port() -> Iterator[MirrorPort]:
    with mirror_port() as made:
        yield made


class Confined:
    """A process that captures, and tries to send."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program
        assert program.stdout is not None
        if program.stdout.readline() != "ready\n":
            assert program.stderr is not None
            pytest.fail(program.stderr.read())

    def tries(self, what: str) -> str:
        """How an attempt ends: the name of its error, `done`, or the signal that ended the process."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{what}\n")
        self._program.stdin.flush()
        told = self._program.stdout.readline().strip()
        return told or signal.Signals(-self._program.wait(10)).name


@contextmanager
def process(port: MirrorPort, mode: str = "confined") -> Iterator[Confined]:
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's own, which is root's alone
        Path(folder).chmod(0o777)
        command = [sys.executable, "-m", "tests.integration.attempts", port.interface, mode, folder]
        with port.sensor(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}"}) as program:
            yield Confined(program)


def arrived(port: MirrorPort, *, do: str, mode: str) -> tuple[str, list[bytes], int]:
    """What an attempt ended with, what came to the other end of the cable, and how many packets the kernel counted."""
    before = port.counter("tx_packets")
    with port.listen_far() as far, process(port, mode) as sensor:
        told = sensor.tries(do)
        frames = []
        try:
            while True:
                frames.append(far.recv(65_535))
        except TimeoutError:
            return told, frames, port.counter("tx_packets") - before


def test_an_injected_frame_is_seen_without_the_filter_and_fails_with_it(port: MirrorPort) -> None:
    assert arrived(port, do="injected", mode="free") == (f"sent {len(FRAME)}", [FRAME], 1)
    assert arrived(port, do="injected", mode="confined") == ("EPERM", [], 0)


def test_nothing_is_sent_while_a_plant_is_heard(port: MirrorPort) -> None:
    heard, before = port.counter("rx_packets"), port.counter("tx_packets")
    with port.listen_far() as far, process(port) as sensor:
        sent = port.replay(PLANT)
        assert sensor.tries("to read") == "done"
        with pytest.raises(TimeoutError):
            far.recv(65_535)
    assert port.counter("rx_packets") - heard == sent > 0
    assert port.counter("tx_packets") == before


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.call} {row.when}")
def test_every_row_of_the_table_is_denied(port: MirrorPort, row: Denied) -> None:
    before = port.counter("tx_packets")
    with process(port) as sensor:
        told = sensor.tries(f"{row.call} {row.when}")
        assert told == ("SIGSYS" if row.fate == "killed" else "EPERM")
        if row.fate == "refused":
            assert sensor.tries("to read") == "done", "it goes on, and the socket is still there"
    assert port.counter("tx_packets") == before


REALLY_SENDS = ("sendto", "sendmsg", "sendmmsg", "write", "writev", "pwritev2", "sendfile", "splice")


@pytest.mark.parametrize("call", REALLY_SENDS)
def test_what_the_table_calls_sending_sends_where_nothing_denies_it(port: MirrorPort, call: str) -> None:
    """Or the rows would be tried by calls that fail anyhow."""
    (row,) = [row for row in TABLE if row.call == call]
    told, frames, counted = arrived(port, do=f"{row.call} {row.when}", mode="free")
    assert (told, frames, counted) == ("done", [FRAME], 1)


ENDS = {
    "the second of dup2": "EPERM",
    "the second of dup3": "EPERM",
    "F_DUPFD_CLOEXEC": "EPERM",
    "upper bits of the descriptor": "EPERM",
    "a thread that began before": "EPERM",
    "an unknown call": "ENOSYS",
    "UDP to a name server": "EPERM",
    "netlink": "EPERM",
    "a program": "EACCES",
    "a file outside": "EACCES",
    "a secret": "EACCES",
    "to be root again": "EPERM",
    "its own file": "done",
    "the flags of the interface": "done",
    "to read": "done",
    "the service manager": "done",
}


@pytest.mark.parametrize(("what", "end"), ENDS.items())
def test_ways_around_are_closed_and_what_it_needs_is_open(port: MirrorPort, what: str, end: str) -> None:
    with process(port) as sensor:
        assert sensor.tries(what) == end


def test_every_attempt_is_expected_to_end_in_some_way() -> None:
    assert set(others(0, ROOT)) == set(ENDS)


def test_live_capture_decodes_on_when_its_rights_are_given_up(port: MirrorPort) -> None:
    """A whole run: packets, events, an interface that goes down and comes back, the end; and not one packet sent."""
    before = port.counter("tx_packets")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder, port.listen_far() as far:
        Path(folder).chmod(0o777)
        command = [sys.executable, "-m", "tests.integration.listening", port.interface, folder]
        with port.sensor(command, cwd=ROOT, env=environment) as program:
            assert program.stdin is not None
            assert program.stdout is not None

            def told() -> dict[str, object]:
                program.stdin.write("\n")
                program.stdin.flush()
                return dict(json.loads(program.stdout.readline()))

            def until(wanted: dict[str, object]) -> dict[str, object]:
                end = time.monotonic() + 30
                while not wanted.items() <= (now := told()).items() and time.monotonic() < end:
                    time.sleep(0.1)
                return now

            in_force = json.loads(program.stdout.readline() or "[]")
            assert len(in_force) >= 2, program.communicate()
            sent = port.replay(PLANT)
            first = until({"packets": sent})
            assert (first["packets"], first["state"], first["drops"]) == (sent, "up", 0)
            assert int(str(first["events"])) > 0
            port.run("ip", "link", "set", "dev", port.interface, "down")
            assert until({"state": "down"})["state"] == "down"
            port.run("ip", "link", "set", "dev", port.interface, "up")
            assert until({"state": "up"})["state"] == "up"
            assert until({"packets": sent + port.replay(PLANT)})["packets"] == 2 * sent
            program.stdin.close()
            assert json.loads(program.stdout.readline()) == {"closed": True}
            assert program.wait(30) == 0
        assert (Path(folder) / "kept").exists()
        with pytest.raises(TimeoutError):
            far.recv(65_535)
    assert port.counter("tx_packets") == before
