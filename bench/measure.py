"""What a process takes: wall and CPU time, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

HEAD: Final = (
    "| What | Capture | Packets | Wall s | CPU s | ns a packet (CPU) | Packets/s (CPU) | MB/s (CPU) | Peak MB |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """The best of some runs of a command."""

    what: str
    capture: str
    packets: int
    octets: int
    wall: float
    cpu: float
    memory: int  # octets, at the peak

    @property
    def pace(self) -> float:
        """Packets a second of CPU time."""
        return self.packets / self.cpu

    @property
    def flow(self) -> float:
        """Megabytes a second of CPU time."""
        return self.octets / self.cpu / 1_000_000

    def row(self) -> str:
        """A row of the table."""
        return (
            f"| {self.what} | {self.capture} | {self.packets:,} | {self.wall:.2f} | {self.cpu:.2f} | "
            f"{1e9 / self.pace:,.0f} | {self.pace:,.0f} | {self.flow:,.0f} | {self.memory / 1_000_000:,.0f} |"
        )


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture to measure with."""

    name: str
    path: Path
    packets: int

    @property
    def octets(self) -> int:
        return self.path.stat().st_size


def once(what: str, capture: Capture, command: Sequence[str | Path]) -> Measure:
    """Runs a command; its peak memory is that of its largest process."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        if process.returncode not in (0, 1):  # 1: an audit with findings
            errors.seek(0)
            raise SystemExit(f"{what} ended with {process.returncode}: {errors.read().decode(errors='replace')}")
    unit = 1 if sys.platform == "darwin" else 1024
    cpu = usage.ru_utime + usage.ru_stime
    return Measure(what, capture.name, capture.packets, capture.octets, wall, cpu, usage.ru_maxrss * unit)


def best(what: str, capture: Capture, command: Sequence[str | Path], times: int) -> Measure:
    """Least times and most memory of some runs: what else the machine does only adds to a time."""
    runs = [once(what, capture, command) for _ in range(times)]
    return replace(
        runs[0],
        wall=min(run.wall for run in runs),
        cpu=min(run.cpu for run in runs),
        memory=max(run.memory for run in runs),
    )
