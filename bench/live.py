"""How much live capture takes: generated polling over a virtual cable at top speed, and what is dropped.

    python bench/live.py --size 0.3 --loops 5 --threads 1

Two network namespaces are made for it and deleted after; nothing leaves them. Needs root, iproute2, ethtool, tcpreplay.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from captures import examples, generate

from zonewatch.dissectors.live import Live
from zonewatch.dissectors.schemas import TABLES

OFFLOADS: Final = ("gro", "off", "gso", "off", "tso", "off", "tx", "off")
CLONE_NEWNET: Final = 0x4000_0000
PASS: Final = 1_000
"""Milliseconds between two snapshots."""


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two namespaces; what is sent on `a0` in the first is received on `b0` in the second."""
    names = (f"zw-bench-a-{os.getpid()}", f"zw-bench-b-{os.getpid()}")
    try:
        for name in names:
            run("ip", "netns", "add", name)
            run("ip", "netns", "exec", name, "sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", names[0], "link", "add", "a0", "type", "veth", "peer", "b0", "netns", names[1])
        for name, end in zip(names, "ab", strict=True):
            run("ip", "netns", "exec", name, "ethtool", "-K", f"{end}0", *OFFLOADS)
            run("ip", "-n", name, "link", "set", f"{end}0", "arp", "off", "multicast", "off", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def listen(namespace: str, threads: int, ring: int) -> Live:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as own, Path("/run/netns", namespace).open() as other:
        libc.setns(other.fileno(), CLONE_NEWNET)
        try:
            return Live("bench", ["b0"], threads=threads, ring_octets=ring)
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)


def measure(capture: Path, loops: int, rate: str, threads: int, ring: int) -> None:
    with cable() as (sender, receiver):
        live = listen(receiver, threads, ring)
        replay = ["tcpreplay", "-q", "-K", rate, f"--loop={loops}", "-i", "a0", str(capture)]
        command = ["ip", "netns", "exec", sender, *replay]
        sent: list[str] = []
        sending = threading.Thread(
            target=lambda: sent.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        )
        before, started = time.process_time(), time.monotonic()
        sending.start()
        passes, longest, made, fullest = 0, 0.0, 0, 0
        while sending.is_alive():
            live.advance(PASS)
            fullest = max(fullest, live.counts().waiting_percent)
            began = time.monotonic()
            made += sum(live.take(table).num_rows for table in TABLES)
            live.snapshot()
            passes, longest = passes + 1, max(longest, time.monotonic() - began)
        took = time.monotonic() - started
        live.close()
        cpu = time.process_time() - before
        counts = live.counts()
    print(sent[0].strip())
    captured = sum(interface.packets for interface in counts.interfaces)
    shed = ", ".join(f"{row.packet_class} {row.packets}" for row in counts.shed)
    print(f"captured {captured}, decoded {counts.packets}, dropped by the kernel {counts.drops}, shed: {shed}")
    print(f"{counts.packets / took:,.0f} packets/s, {counts.octets * 8 / took / 1e6:,.0f} Mbit/s, {took:.1f} s")
    print(f"{cpu / took:.2f} cores; queue at most {fullest} % full")
    print(f"{passes} passes, the longest {longest * 1000:.0f} ms; {made} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capture", type=Path, help="instead of generated polling")
    parser.add_argument("--scene", default="polling", choices=("polling", "mix"))
    parser.add_argument("--size", type=float, default=0.1, help="gigabytes that are generated")
    parser.add_argument("--loops", type=int, default=10)
    parser.add_argument("--rate", default="--topspeed", help="as tcpreplay takes it: --mbps=500, --pps=100000")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ring", type=int, default=64 << 20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture = given.capture or Path(folder) / "made.pcap"
        if given.capture is None:
            generate(examples(), given.scene, "octets", int(given.size * 1_000_000_000), capture)
        measure(capture, given.loops, given.rate, given.threads, given.ring)


if __name__ == "__main__":
    sys.exit(main())
