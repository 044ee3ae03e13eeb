"""The sensor as it runs at a plant: `zonewatch watch` at a mirror port, `zonewatch ship` beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.netns import MirrorPort, mirror_port, why_not
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.live import Live
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.pipeline import assess
from zonewatch.sensor.results import read_result
from zonewatch.sensor.watch.loaded import load
from zonewatch.sensor.watch.settings import JudgeSettings

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "pcaps" / "waterworks"
PATIENCE = 120
SETTINGS = """\
settings_version: 1
capture:
  - {{source: span, interfaces: [{interface}]}}
judge: {{policy: {policy}, assets: {plant}/assets.csv, tags: {plant}/tags.csv}}
store: {{folder: {folder}, least_free: 1 MiB, reserve: 1 MiB}}
receivers:
  log: {{to: file, path: {folder}/alerts.ndjson}}
"""

pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def port() -> Iterator[MirrorPort]:
    with mirror_port() as made:
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="zw") as made:
        path = Path(made)
        path.chmod(0o777)
        (path / "store").mkdir()
        (path / "store").chmod(0o777)
        yield path


@contextmanager
def watching(port: MirrorPort, folder: Path, policy: Path = PLANT / "policy.yaml") -> Iterator[subprocess.Popen[str]]:
    """The process that captures, ready."""
    config = folder / "zonewatch.yaml"
    config.write_text(SETTINGS.format(interface=port.interface, plant=PLANT, policy=policy, folder=folder / "store"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        (folder / "notify").chmod(0o777)
        manager.settimeout(PATIENCE)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": str(folder / "notify")}
        command = [sys.executable, "-m", "zonewatch.sensor.cli", "watch", "--config", str(config)]
        with port.sensor(command, cwd=ROOT, env=environment) as program:
            while b"READY=1" not in manager.recv(4096):
                assert program.poll() is None, program.communicate()
            yield program
            program.send_signal(signal.SIGTERM)
            manager.setblocking(False)
            _, told = program.communicate(timeout=PATIENCE)
            assert program.returncode == 0, told
            assert "can reach all files" not in told, "every thread is confined to the files of the sensor"


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def figure(folder: Path, name: str) -> int:
    """One of the figures that the process keeps."""
    path = folder / "store" / "metrics.prom"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return int(float(next((line.split()[-1] for line in lines if line.startswith(name)), "0")))


def packets(folder: Path) -> int:
    return figure(folder, "zonewatch_capture_packets_total")


def audited(capture: Path, name: str) -> AuditResult:
    loaded = load(JudgeSettings(policy=PLANT / "policy.yaml", assets=PLANT / "assets.csv", tags=PLANT / "tags.csv"))
    tables = decode([Source("span", (CaptureFile(name, capture),))])
    return ordered(assess(tables, loaded.given, loaded.title))


def test_a_run_finds_what_an_audit_of_the_packets_finds_and_sends_nothing(port: MirrorPort, folder: Path) -> None:
    """A second socket records what the interface hears, with the kernel's times: the audit is of that file."""
    before = port.counter("tx_packets")
    recorder = port.make(lambda: Live("span", [port.interface], most_remembered_octets=256 << 20))
    with port.listen_far() as far, recorder:
        with watching(port, folder):
            sent = port.replay(PLANT / "waterworks.pcap", rate=20_000)
            until(lambda: packets(folder) == sent)
        with pytest.raises(TimeoutError):
            far.recv(65_535)
        until(lambda: recorder.advance(100) and recorder.counts().packets == sent)
        (recorded,) = recorder.packets([(frame, 0, None) for frame in range(1, sent + 1)], 1, 1 << 30)
    assert port.counter("tx_packets") == before
    capture = folder / "recorded.pcapng"
    capture.write_bytes(recorded.octets)
    found = read_result(folder / "store")
    file = audited(capture, found.captures[0].name)
    assert bare(found.inventory.assets) == bare(file.inventory.assets)
    assert bare(found.inventory.edges) == bare(file.inventory.edges)
    assert bare(found.findings) == bare(file.findings)
    assert bare(found.incidents) == bare(file.incidents)
    assert len(found.findings) > 20


def bare(value: Any) -> Any:
    """The same without times, which two sockets tell apart by a few microseconds."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {field.name: bare(getattr(value, field.name)) for field in fields(value)}
        return replace(value, **kept | {name: 0 for name in kept if name.endswith("_time")})
    if isinstance(value, tuple):
        return tuple(bare(item) for item in value)
    return value


def test_alerts_are_shipped_while_it_listens(port: MirrorPort, folder: Path) -> None:
    config = folder / "zonewatch.yaml"
    with watching(port, folder):
        port.replay(PLANT / "waterworks.pcap", rate=20_000)
        shipping = [sys.executable, "-m", "zonewatch.sensor.cli", "ship", "--config", str(config), "--once"]
        log = folder / "store" / "alerts.ndjson"

        def arrived() -> bool:
            subprocess.run(shipping, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)
            return log.exists() and b"policy.violation" in log.read_bytes()

        until(arrived)
    subprocess.run(shipping, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)
    told = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    ids = [alert["event"]["id"] for alert in told]
    assert len(ids) == len(set(ids))
    found = read_result(folder / "store")
    assert {finding.id for finding in found.findings} <= {identity.partition(".")[0] for identity in ids}


def test_policy_and_rules_are_read_anew_while_it_listens(port: MirrorPort, folder: Path) -> None:
    policy = folder / "policy.yaml"
    shutil.copy(PLANT / "policy.yaml", policy)
    with watching(port, folder, policy) as program:
        sent = port.replay(PLANT / "waterworks.pcap", rate=20_000)
        until(lambda: packets(folder) == sent)
        policy.write_text(policy.read_text("utf-8").replace("Riverside", "Lakeside"), "utf-8")
        program.send_signal(signal.SIGHUP)
        seen = figure(folder, "zonewatch_passes_total")
        until(lambda: figure(folder, "zonewatch_passes_total") > seen + 1)
        policy.write_text("zones: [", "utf-8")
        program.send_signal(signal.SIGHUP)
        seen = figure(folder, "zonewatch_passes_total")
        until(lambda: figure(folder, "zonewatch_passes_total") > seen + 1)
    assert read_result(folder / "store").title.startswith("Lakeside")
    assert packets(folder) == sent, "not one packet was lost"
    assert b"old ones are in force" in outbox(folder)


def outbox(folder: Path) -> bytes:
    with closing(sqlite3.connect(f"file:{folder / 'store' / 'store.db'}?mode=ro", uri=True)) as db:
        return "\n".join(row[0] for row in db.execute("SELECT document FROM outbox")).encode()
