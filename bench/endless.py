"""How the engine's memory stands over rotated captures in which new hosts, registers and names keep appearing.

    python bench/endless.py --size 50

The captures go through named pipes from the example `generate` to the example `decode`: nothing is stored. After each
the engine's resident memory is told. Fails where its peak is over the bound.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from captures import examples

GIGABYTE: Final = 1_000_000_000
BOUND: Final = 256_000_000
MEMORY: Final = re.compile(r"^Vm(RSS|HWM):\s+(\d+) kB$", re.MULTILINE)


def memory(process: int) -> tuple[int, int]:
    """Octets resident now, and at the most so far."""
    found = dict(MEMORY.findall(Path(f"/proc/{process}/status").read_text()))
    return int(found["RSS"]) * 1024, int(found["HWM"]) * 1024


def run(tools: Path, detail: str, files: int, size: int) -> int:
    """Decodes so many captures of this size; tells the memory after each and gives its peak."""
    peak = packets = 0
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="zonewatch-endless-") as name:
        pipes = [Path(name) / f"{number:05}.pcap" for number in range(files)]
        for pipe in pipes:
            os.mkfifo(pipe)
        decoder = subprocess.Popen([tools / "decode", detail, *pipes], stdout=subprocess.DEVNULL)
        maker = subprocess.Popen(
            [tools / "generate", "endless", "octets", str(size), *pipes], stdout=subprocess.PIPE, text=True
        )
        print("| GB | Packets | MB resident | Peak MB | Wall s |\n|--:|--:|--:|--:|--:|", flush=True)
        assert maker.stdout is not None
        for number in range(1, files + 1):
            packets += int(maker.stdout.readline().split()[1])
            resident, peak = memory(decoder.pid)
            print(
                f"| {number * size / GIGABYTE:.1f} | {packets:,} | {resident / 1e6:.0f} | {peak / 1e6:.0f} | "
                f"{time.perf_counter() - begin:.0f} |",
                flush=True,
            )
        maker.communicate()
        _, status, usage = os.wait4(decoder.pid, 0)
        decoder.returncode = os.waitstatus_to_exitcode(status)
        if maker.returncode or decoder.returncode:
            raise SystemExit(f"generate ended with {maker.returncode}, decode with {decoder.returncode}")
    peak = max(peak, usage.ru_maxrss * 1024)
    cpu = usage.ru_utime + usage.ru_stime
    print(f"\n{detail}: {packets:,} packets, peak {peak / 1e6:.0f} MB, {cpu:.0f} s of CPU time")
    return peak


def main() -> None:
    """Reads the command line, runs, and fails where the bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=5.0, metavar="GB", help="of all captures together")
    parser.add_argument("--rotate", type=float, default=1.0, metavar="GB", help="of each capture")
    parser.add_argument("--detail", choices=["aggregates", "pdus"], default="aggregates")
    given = parser.parse_args()
    files = max(1, round(given.size / given.rotate))
    peak = run(examples(), given.detail, files, int(given.rotate * GIGABYTE))
    if peak > BOUND:
        sys.exit(f"The peak is over {BOUND / 1e6:.0f} MB.")


if __name__ == "__main__":
    main()
