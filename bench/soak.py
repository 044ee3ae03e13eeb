"""A sensor under load for long: drops, memory, disk, and how long an alert takes from the wire to the outbox.

    python bench/soak.py --minutes 30 2> sensor.log

`zonewatch watch` runs as at a plant, at one end of a virtual cable in network namespaces that are made for it. At the
other end tcpreplay sends generated polling over and over, and every few seconds a stranger writes to a controller: the
alert about it is awaited in the outbox. Needs root, iproute2, ethtool, tcpreplay.
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from captures import ROOT, examples, generate
from live import cable

sys.path.insert(0, str(ROOT / "pcaps"))

from builders import modbus
from builders.tcp import TcpSession
from builders.wire import Capture, Station

SETTINGS = """\
settings_version: 1
capture:
  - {{source: span, interfaces: [b0], ring: 256 MiB}}
store: {{folder: {folder}, least_free: 1 MiB, reserve: 1 MiB}}
"""
EVERY = 6.0
"""Seconds between two strangers."""
SENDING = ("--timer=nano", "--pps-multi=200")
"""tcpreplay sleeps between bunches of a millisecond. By default it waits busily, on a core that it shares with the
sensor here, and with none at a mirror port."""


def stranger(number: int) -> tuple[str, list[bytes]]:
    """A device that nobody knows writes a register of a controller that nobody polls."""
    client = Station(f"10.99.{number // 250}.{number % 250 + 1}", f"02:00:00:99:{number // 250:02x}:{number % 250:02x}")
    capture = Capture()
    session = TcpSession(capture, client, 50_000, Station("10.98.0.1", "02:00:00:98:00:01"), 502)
    request = modbus.tcp_adu(1, 1, modbus.write_register(100, number))
    at = session.ask(session.open(0), request, request)
    session.close(at + 1_000)
    return client.address, [frame.data for frame in capture.finish()]


def inject(namespace: str, seconds: float, sent: dict[str, int]) -> None:
    """Sends strangers from the namespace, and notes when each began to send."""
    script = (
        "import socket,sys,json;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind(('a0',0))\n"
        "for l in sys.stdin:\n [s.send(bytes.fromhex(f)) for f in json.loads(l)]"
    )
    words = ["ip", "netns", "exec", namespace, sys.executable, "-c", script]
    with subprocess.Popen(words, stdin=subprocess.PIPE, text=True) as sender:
        assert sender.stdin is not None
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            address, frames = stranger(number)
            sent[address] = time.time_ns()
            sender.stdin.write(json.dumps([frame.hex() for frame in frames]) + "\n")
            sender.stdin.flush()
            number += 1
            time.sleep(EVERY)


def promised(store: Path) -> dict[str, int]:
    """When the first alert that names each address was put in the outbox."""
    found: dict[str, int] = {}
    with closing(sqlite3.connect(f"file:{store / 'store.db'}?mode=ro", uri=True)) as db:
        for at, document in db.execute("SELECT at, document FROM outbox ORDER BY seq"):
            for address in json.loads(document).get("related", {}).get("ip", ()):
                found.setdefault(address, at)
    return found


def figures(store: Path) -> dict[str, float]:
    lines = (store / "metrics.prom").read_text("utf-8").splitlines()
    return {line.split()[0].partition("{")[0]: float(line.split()[-1]) for line in lines if not line.startswith("#")}


def soak(capture: Path, minutes: float, rate: str) -> None:
    with cable() as (sender, receiver), tempfile.TemporaryDirectory() as folder:
        store, config = Path(folder) / "store", Path(folder) / "zonewatch.yaml"
        config.write_text(SETTINGS.format(folder=store))
        watch = ["ip", "netns", "exec", receiver, sys.executable, "-m", "zonewatch.sensor.cli", "watch"]
        with subprocess.Popen([*watch, "--config", str(config)], text=True) as process:
            while not (store / "metrics.prom").exists():
                assert process.poll() is None, "the sensor did not start"
                time.sleep(0.2)
            paced = SENDING if rate.startswith("--pps=") else ()
            span = ("--loop=0", f"--duration={round(minutes * 60)}")
            replay = ["tcpreplay", "-q", "-K", rate, *paced, *span, "-i", "a0"]
            sent: dict[str, int] = {}
            strangers = threading.Thread(target=inject, args=(sender, minutes * 60 - 2 * EVERY, sent))
            strangers.start()
            before = _octets(sender)
            with subprocess.Popen(
                ["ip", "netns", "exec", sender, *replay, str(capture)], stdout=subprocess.PIPE, text=True
            ) as sending:
                began, next_line = time.monotonic(), 0.0
                while sending.poll() is None:
                    assert process.poll() is None, "the sensor ended"
                    if time.monotonic() - began >= next_line:
                        _line(store, time.monotonic() - began)
                        next_line += min(60, minutes * 6)
                    time.sleep(1)
                print(sending.stdout.read().strip() if sending.stdout else "")
            strangers.join()
            time.sleep(15)
            _line(store, time.monotonic() - began)
            octets = _octets(sender) - before
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=300)
        arrived = promised(store)
        waits = sorted((arrived[address] - at) / 1e9 for address, at in sent.items() if address in arrived)
        print(f"strangers {len(sent)}, alerted {len(waits)}")
        if len(waits) > 1:
            cut = statistics.quantiles(waits, n=100)
            print(f"seconds to the outbox: median {cut[49]:.2f}, p99 {cut[98]:.2f}, longest {waits[-1]:.2f}")
        kept = sum(path.stat().st_size for path in store.rglob("*") if path.is_file() and path.name != "reserve")
        print(f"on the wire {octets / 1e9:.2f} GB, kept {kept / 1e6:.1f} MB: {100 * kept / octets:.3f} %")


def _octets(namespace: str) -> int:
    told = subprocess.check_output(
        ["ip", "netns", "exec", namespace, "cat", "/sys/class/net/a0/statistics/tx_bytes"], text=True
    )
    return int(told)


def _line(store: Path, seconds: float) -> None:
    found = figures(store)
    print(
        f"{seconds / 60:5.1f} min: {found['zonewatch_capture_packets_total']:,.0f} packets decoded,"
        f" {found['zonewatch_capture_kernel_drops_total']:,.0f} dropped, shed"
        f" {found.get('zonewatch_capture_shed_packets_total', 0):,.0f},"
        f" {found['zonewatch_resident_bytes'] / 1e6:,.0f} MB, pass {found['zonewatch_pass_seconds']:.2f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", default="--topspeed", help="as tcpreplay takes it: --mbps=500, --pps=100000")
    parser.add_argument("--size", type=float, default=0.2, help="gigabytes of polling that are sent over and over")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "polling.pcap"
        generate(examples(), "polling", "octets", int(given.size * 1_000_000_000), capture)
        soak(capture, given.minutes, given.rate)


if __name__ == "__main__":
    sys.exit(main())
