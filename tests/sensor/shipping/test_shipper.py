"""The process: receivers that keep nobody else waiting, its end, one at a time, and the commands."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.sensor.shipping.outbox import put
from tests.sensor.shipping.scripted import Scripted
from tests.sensor.shipping.servers import Web, web
from zonewatch.sensor.cli import app, main
from zonewatch.sensor.shipping import notify as notifying
from zonewatch.sensor.shipping.backoff import Backoff
from zonewatch.sensor.shipping.clock import steady
from zonewatch.sensor.shipping.receiver import DELIVERED, Outcome, Row, Unreachable
from zonewatch.sensor.shipping.shipper import Place, Shipper, only_one, prepare
from zonewatch.sensor.shipping.status import figures
from zonewatch.sensor.shipping.worker import Limits
from zonewatch.sensor.usage import UsageError

SECOND = 1_000_000_000


def place(name: str, receiver: Any, **given: Any) -> Place:
    return Place(name, lambda: receiver, Backoff(SECOND // 100, SECOND), Limits(**given), (), False)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


class Stuck:
    """Never answers, as long as the test runs."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        self.free.wait(60)
        return [DELIVERED] * len(rows)

    def close(self) -> None:
        pass


def test_who_hangs_or_is_dead_keeps_nobody_waiting(tmp_path: Path) -> None:
    put(tmp_path, [(f"e{number}", f"s{number}") for number in range(700)])
    stuck, dead, well = Stuck(), Scripted(fail=lambda _: Unreachable("dead")), Scripted()
    found = (place("stuck", stuck), place("dead", dead), place("well", well))
    prepare(tmp_path, found)
    ending = threading.Event()
    done: list[bool] = []
    shipper = Shipper(tmp_path, found, steady(), lambda _: None)
    thread = threading.Thread(target=lambda: done.append(shipper.run(ending.wait)))
    thread.start()
    until(lambda: len(well.got) == 700)
    put(tmp_path, [("new", "new")])
    until(lambda: well.got[-1] == "new")
    until(lambda: {one.receiver: one.waiting for one in figures(tmp_path)} == {"dead": 701, "stuck": 701, "well": 0})
    stuck.free.set()
    until(lambda: {one.receiver: one.delivered for one in figures(tmp_path)}["stuck"] == 701)
    ending.set()
    thread.join(30)
    assert done == [True]


def test_once_tells_who_did_not_take_all(tmp_path: Path) -> None:
    put(tmp_path, [("a", "A"), ("b", "B")])
    dead, well = Scripted(fail=lambda _: Unreachable("dead")), Scripted()
    found = (place("dead", dead), place("well", well))
    prepare(tmp_path, found)
    assert Shipper(tmp_path, found, steady(), lambda _: None).once() == {"dead": False, "well": True}
    dead.fail = lambda _: None
    assert Shipper(tmp_path, found, steady(), lambda _: None).once() == {"dead": True, "well": True}, "no back-off"
    assert dead.got == well.got == ["a", "b"]


def test_memory_is_flat_whatever_the_backlog(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        put(tmp_path, [(f"{count}-{number}", f"{count}-{number}") for number in range(count)], message="x" * 2000)
        well = Scripted()
        found = (place(f"r{count}", well, octets=1 << 20),)
        prepare(tmp_path, found)
        tracemalloc.start()
        assert Shipper(tmp_path, found, steady(), lambda _: None).once() == {f"r{count}": True}
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - sum(map(sys.getsizeof, well.got))

    few = peak(2000)
    many = peak(20_000)
    assert many < few * 1.3, f"{few} octets for 2,000 alerts, {many} for 22,000"


def test_a_new_receiver_may_begin_now(tmp_path: Path) -> None:
    put(tmp_path, [("old", "O")])
    well = Scripted()
    found = (Place("late", lambda: well, Backoff(1, 1), Limits(), (), True),)
    prepare(tmp_path, found)
    put(tmp_path, [("new", "N")])
    Shipper(tmp_path, found, steady(), lambda _: None).once()
    prepare(tmp_path, found)
    Shipper(tmp_path, found, steady(), lambda _: None).once()
    assert well.got == ["new"]


def test_one_shipper_for_a_folder(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(UsageError, match="another zonewatch ship"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_waits_double_up_to_a_bound_and_are_shortened_by_chance() -> None:
    whole, half = Backoff(SECOND, 300 * SECOND, lambda: 0.0), Backoff(SECOND, 300 * SECOND, lambda: 1.0)
    assert [whole.wait(attempts) // SECOND for attempts in (1, 2, 3, 8, 9, 10, 10_000)] == [1, 2, 4, 128, 256, 300, 300]
    assert half.wait(10) == 150 * SECOND
    found = {Backoff(SECOND, SECOND).wait(1) for _ in range(50)}
    assert len(found) > 40
    assert all(SECOND // 2 <= one <= SECOND for one in found)


def test_a_clock_that_steps_is_not_followed() -> None:
    wall, monotonic = [1000], [5]
    clock = steady(lambda: wall[0], lambda: monotonic[0])
    wall[0], monotonic[0] = 0, 7
    assert clock() == 1002


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notifying.notify("READY=1")  # nobody asks
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notifying.notify("READY=1")
        assert listener.recv(100) == b"READY=1"
    notifying.notify("READY=1")  # nobody reads any longer
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    assert notifying.watchdog_interval() == 5.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert notifying.watchdog_interval() == 0.0


CONFIG = """\
settings_version: 1
store: {{folder: {folder}}}
receivers:
  hook: {{to: webhook, url: "{url}", secret: {{environment: ZW_HOOK}}, first_wait: 100 ms}}
  log: {{to: file, path: {folder}/alerts.ndjson}}
"""
SECRET = "hunter2-hunter2-hunter2-hunter2"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZW_HOOK", SECRET)
    put(tmp_path, [("a", "A"), ("b", "B")])
    return tmp_path / "zonewatch.yaml"


def ship(config: Path, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["ship", "--config", str(config), *arguments])


def test_once_status_retry_and_test(config: Path, tmp_path: Path) -> None:
    status = [422]
    with web(Web(lambda *_: (status[0], {}, f"no: {SECRET}".encode()))) as server:
        config.write_text(CONFIG.format(folder=tmp_path, url=server.url))
        assert ship(config, "--once").exit_code == 0, "refused is told by --status, and does not wait"
        shown = ship(config, "--status")
        assert shown.exit_code == 1
        assert "422 no: ***" in shown.stdout
        rows = [json.loads(line) for line in ship(config, "--status", "--format", "jsonl").stdout.splitlines()]
        assert [(one["receiver"], one["waiting"], one["delivered"], one["refused"]) for one in rows] == [
            ("hook", 0, 0, 2),
            ("log", 0, 2, 0),
        ]
        tested = ship(config, "--test", "hook")
        assert tested.exit_code == 1
        status[0] = 200
        tested = ship(config, "--test", "hook")
        assert tested.exit_code == 0
        (last,) = json.loads(server.got[-1][1])["alerts"]
        assert "test" in last["tags"]
        assert "2 refused" in ship(config, "--retry", "hook").stderr
        assert ship(config, "--once").exit_code == 0
        assert ship(config, "--status").exit_code == 0
    assert [one.delivered for one in figures(tmp_path)] == [2, 2]
    for path in tmp_path.iterdir():
        assert SECRET.encode() not in path.read_bytes()
    assert SECRET not in shown.output + tested.output


def test_once_exits_with_3_where_somebody_is_dead(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.format(folder=tmp_path, url="http://127.0.0.1:9/"))
    found = ship(config, "--once")
    assert found.exit_code == 3
    assert "hook: NewConnectionError" in found.stderr
    assert (tmp_path / "alerts.ndjson").read_text().count("\n") == 2


def run_main(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "zonewatch.sensor.cli", "ship", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--config", "CONFIG", "--retry", "nobody"), "nobody: no such receiver; there are hook, log"),
        (("--config", "CONFIG", "--once", "--status"), "one of them at a time"),
        (("--once",), "--config FILE is needed"),
        (("--dashboards", "splunk"), "one of kibana, opensearch"),
    ],
)
def test_wrong_use_is_one_line(
    config: Path,
    tmp_path: Path,
    arguments: Sequence[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.write_text(CONFIG.format(folder=tmp_path, url="http://127.0.0.1:9/"))
    given = (str(config) if one == "CONFIG" else one for one in arguments)
    monkeypatch.setattr(sys, "argv", ["zonewatch", "ship", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_secret_that_is_missing_is_told_at_the_start(config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.format(folder=tmp_path, url="http://127.0.0.1:9/"))
    process = run_main("--config", str(config), ZW_HOOK="")
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (2, "zonewatch: ZW_HOOK: no secret there\n")


def test_the_process_says_that_it_is_ready_delivers_and_ends(config: Path, tmp_path: Path) -> None:
    with (
        web(Web(lambda *_: (200, {}, b""))) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        config.write_text(CONFIG.format(folder=tmp_path, url=server.url))
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        process = run_main("--config", str(config), NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
        assert listener.recv(100) == b"READY=1"
        until(lambda: sum(one.delivered for one in figures(tmp_path)) == 4)
        put(tmp_path, [("c", "C")])
        until(lambda: sum(one.delivered for one in figures(tmp_path)) == 6)
        assert listener.recv(100) == b"WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        listener.settimeout(0.5)
        told = set()
        while b"STOPPING=1" not in told:
            told.add(listener.recv(100))


def test_figures_while_the_file_is_being_made(tmp_path: Path) -> None:
    (tmp_path / "delivery.db").touch()
    assert figures(tmp_path) == ()


def test_dashboards_are_written() -> None:
    found = CliRunner().invoke(app, ["ship", "--dashboards", "kibana"])
    assert found.exit_code == 0
    assert len(re.findall(r'"type":"dashboard"', found.stdout)) == 4
