"""Instructions that the engine takes a packet, counted by callgrind and compared with the figures kept.

    python bench/instructions.py            # fails where one is more than 5 % worse
    python bench/instructions.py --update   # writes the figures anew

Each case decodes a short and a longer capture; the difference, divided by the packets between them, leaves the start
out. Unlike times, the counts are nearly the same on every machine, but not with every compiler: figures of another one
are told and not compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from captures import examples, generate

KEPT: Final = Path(__file__).with_name("instructions.toml")
CASES: Final = (("polling", "pdus"), ("polling", "aggregates"), ("mix", "pdus"), ("mix", "aggregates"))
SHORT, LONG = 20_000, 120_000
TOLERANCE: Final = 0.05
COUNT: Final = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True, slots=True)
class Figures:
    """Instructions a packet by case, and what they were compiled with and for."""

    compiler: str
    machine: str
    packets: dict[str, int]

    def text(self) -> str:
        """As they are kept."""
        cases = [f'"{case}" = {count}' for case, count in self.packets.items()]
        kind = [f'compiler = "{self.compiler}"', f'machine = "{self.machine}"', "", "[packets]"]
        return "\n".join(["# Instructions a packet: python bench/instructions.py --update", *kind, *cases, ""])


def kept(path: Path = KEPT) -> Figures | None:
    """The figures of the last update, if there was one."""
    if not path.exists():
        return None
    held = tomllib.loads(path.read_text(encoding="utf-8"))
    return Figures(held["compiler"], held["machine"], held["packets"])


def judged(now: Figures, before: Figures | None) -> tuple[bool, list[str]]:
    """Whether the figures are good enough, and a line for each."""
    same = before is not None and (before.compiler, before.machine) == (now.compiler, now.machine)
    good, lines = True, []
    for case, count in now.packets.items():
        reach = before.packets.get(case) if before and same else None
        change = count / reach - 1 if reach else 0.0
        worse = reach is not None and count > reach * (1 + TOLERANCE)
        good = good and not worse
        verdict = (
            "no figure to compare with"
            if not reach
            else f"WORSE: {change:+.1%} against {reach:,}, {TOLERANCE:.0%} are tolerated"
            if worse
            else f"better: {change:+.1%} against {reach:,}; keep it with --update"
            if change < -TOLERANCE
            else f"{change:+.1%} against {reach:,}"
        )
        lines.append(f"{case}: {count:,} instructions a packet ({verdict})")
    if before and not same:
        lines.append(
            f"The figures kept are of {before.compiler} on {before.machine}, these of {now.compiler} on {now.machine}."
        )
    return good, lines


def counted(command: list[str | Path], valgrind: str) -> int:
    """Instructions of a command."""
    tool = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    told = subprocess.run([*tool, *command], check=True, capture_output=True, text=True).stderr
    found = COUNT.search(told)
    if found is None:
        raise SystemExit(f"callgrind told no count: {told}")
    return int(found[1])


def figures(valgrind: str) -> Figures:
    """The figures of this tree."""
    tools = examples("decode", "generate")
    with tempfile.TemporaryDirectory(prefix="zonewatch-instructions-") as name:
        captures = {}
        for scene, size in product(sorted({scene for scene, _ in CASES}), (SHORT, LONG)):
            captures[scene, size] = Path(name) / f"{scene}-{size}.pcap"
            generate(tools, scene, "packets", size, captures[scene, size])
        runs = [(detail, captures[scene, size]) for (scene, detail), size in product(CASES, (SHORT, LONG))]
        # Callgrind keeps a program on one core, and what it counts does not depend on what others do.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(lambda run: counted([tools / "decode", *run], valgrind), runs))
    packets = {
        f"{scene}, {detail}": round((longer - short) / (LONG - SHORT))
        for (scene, detail), short, longer in zip(CASES, counts[::2], counts[1::2], strict=True)
    }
    compiler = subprocess.check_output(["rustc", "--version"], text=True).strip()
    return Figures(compiler, platform.machine(), packets)


def main() -> None:
    """Reads the command line, counts and compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="keep the figures of this tree")
    given = parser.parse_args()
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("valgrind is not there: instructions are not counted.")
        return
    now = figures(valgrind)
    good, lines = judged(now, kept())
    print("\n".join(lines))
    if given.update:
        KEPT.write_text(now.text(), encoding="utf-8")
    elif not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
