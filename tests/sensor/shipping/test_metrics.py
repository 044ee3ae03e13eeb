"""How far every receiver is, for Prometheus."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.sensor.shipping.outbox import put

SETTINGS = """\
settings_version: 1
store: {{folder: {folder}}}
receivers:
  log: {{to: file, path: {folder}/alerts.ndjson}}
  nowhere: {{to: file, path: {folder}/missing/alerts.ndjson}}
metrics: {{listen: "127.0.0.1:{port}"}}
"""


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_process_that_ships_serves_the_figures_of_both(tmp_path: Path) -> None:
    put(tmp_path, [("a", "A"), ("b", "B")])
    (tmp_path / "metrics.prom").write_text("# TYPE zonewatch_assets gauge\nzonewatch_assets 3\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "zonewatch.yaml"
    config.write_text(SETTINGS.format(folder=tmp_path, port=port))
    command = (sys.executable, "-m", "zonewatch.sensor.cli", "ship", "--config", str(config))
    process = subprocess.Popen(command, env={**os.environ}, stderr=subprocess.PIPE)
    try:
        found = _asked(port, ("zonewatch_receiver_delivered_total", "log"), 2.0)
        assert found["zonewatch_assets",] == 3
        assert found["zonewatch_receiver_waiting", "log"] == 0
        assert found["zonewatch_receiver_waiting", "nowhere"] == 2
        assert found["zonewatch_receiver_attempts_in_vain", "nowhere"] >= 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert len([json.loads(line) for line in (tmp_path / "alerts.ndjson").read_text().splitlines()]) == 2


def _asked(port: int, name: tuple[str, ...], value: float) -> dict[tuple[str, ...], float]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                found = samples(answer.read().decode())
        except OSError:
            found = {}
        if found.get(name) == value and found.get(("zonewatch_receiver_attempts_in_vain", "nowhere"), 0) >= 1:
            return found
        time.sleep(0.2)
    raise AssertionError(found)
