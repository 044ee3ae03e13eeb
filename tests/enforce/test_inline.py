"""Suricata in line between two zones, dropping: what reaches a controller is what the policy permits."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import modbus

from tests.enforce.namespaces import inside, ip, no_namespaces, whole_checksums
from tests.enforce.wire import CONFIGURATION
from zonewatch.rules.enforce.plan import planned
from zonewatch.rules.enforce.suricata import suricata
from zonewatch.rules.policy.load import load_policy

HERE = Path(__file__).parent
WHY_NOT = no_namespaces("suricata")
SCADA, HMI, OTHER, PLC = "10.1.0.10", "10.1.0.15", "10.1.0.99", "10.2.0.11"
BRIDGE = """
af-packet:
  - {interface: left, threads: 1, cluster-id: 91, defrag: no, copy-mode: ips, copy-iface: right}
  - {interface: right, threads: 1, cluster-id: 92, defrag: no, copy-mode: ips, copy-iface: left}
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two zones on one wire, with Suricata in it."""
    folder = tmp_path_factory.mktemp("inline")
    supervision, middle, control = names = [f"zi{os.getpid()}-{part}" for part in ("supervision", "middle", "control")]
    running = None
    try:
        for name in names:
            ip("netns", "add", name)
        for inner, name, addresses in (("left", supervision, (SCADA, HMI, OTHER)), ("right", control, (PLC,))):
            ip("-n", middle, "link", "add", inner, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", middle, "link", "set", inner, "up")
            for address in addresses:
                ip("-n", name, "addr", "add", f"{address}/8", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            whole_checksums(name, "eth0")
            whole_checksums(middle, inner)
        rules, configuration, log = folder / "zonewatch.rules", folder / "suricata.yaml", folder / "log"
        plan = planned(load_policy(HERE / "policy.yaml"), dt.date(2026, 3, 2))
        rules.write_text(suricata(plan, "drop").files["zonewatch.rules"])
        configuration.write_text(CONFIGURATION.format(folder=folder) + BRIDGE)
        command = [
            "ip",
            "netns",
            "exec",
            middle,
            "suricata",
            "-c",
            configuration,
            "-S",
            rules,
            "-l",
            folder,
            "--af-packet",
        ]
        with log.open("w") as output:
            running = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output)
        for _ in range(300):
            if running.poll() is not None or _answers(supervision, control):
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"nothing passes: {log.read_text()}")
        assert running.poll() is None, log.read_text()
        yield supervision, control
    finally:
        if running is not None:
            running.terminate()
            running.wait(30)
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _answers(supervision: str, control: str) -> bool:
    """Whether the firmware exception's port can be reached: it is permitted whole."""
    return received(supervision, control, SCADA, 8443, [b"x"]) == b"x"


def received(supervision: str, control: str, client: str, port: int, messages: list[bytes], wait: float = 0.5) -> bytes:
    """What the server got of what the client sent, each after the answer to the one before."""
    got = bytearray()
    with inside(control, socket.socket) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((PLC, port))
        listener.listen()
        listener.settimeout(wait)

        def serve() -> None:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            with accepted:
                accepted.settimeout(wait)
                try:
                    while octets := accepted.recv(1000):
                        got.extend(octets)
                        accepted.sendall(octets)
                except OSError:
                    return

        server = threading.Thread(target=serve)
        server.start()
        with inside(supervision, socket.socket) as opener:
            opener.settimeout(wait)
            try:
                opener.bind((client, 0))
                opener.connect((PLC, port))
                for octets in messages:
                    opener.sendall(octets)
                    opener.recv(1000)
            except OSError:
                pass
        server.join(60)
    return bytes(got)


READ = modbus.tcp_adu(1, 1, modbus.read(3, 0, 10))
WITHIN = modbus.tcp_adu(2, 1, modbus.write_register(100, 500))
BEYOND = modbus.tcp_adu(3, 1, modbus.write_register(200, 500))
TOO_MUCH = modbus.tcp_adu(4, 1, modbus.write_register(100, 5000))


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize(
    ("client", "port", "sent", "arrived"),
    [
        (SCADA, 502, [READ, READ], READ + READ),
        (HMI, 502, [READ, WITHIN, READ], READ + WITHIN + READ),
        (HMI, 502, [READ, BEYOND], READ),
        (HMI, 502, [READ, WITHIN, TOO_MUCH, READ], READ + WITHIN),
        (SCADA, 502, [READ, WITHIN], READ),
        (OTHER, 502, [READ], b""),
        (SCADA, 8080, [b"x"], b""),
        (SCADA, 8443, [b"firmware"], b"firmware"),
    ],
)
def test_what_arrives(zones: tuple[str, str], client: str, port: int, sent: list[bytes], arrived: bytes) -> None:
    wait = 10 if arrived == b"".join(sent) else 1  # for a busy machine
    assert received(*zones, client, port, sent, wait) == arrived
