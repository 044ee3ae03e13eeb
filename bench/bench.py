"""How fast and how large: a walk over the record headers, the engine, the whole audit, tshark and others, in one run.

    python bench/bench.py --size 1.0 --table build/performance.md

The captures are made by the engine's example `generate`, the same octets for the same size: Modbus/TCP polling, and
the mix of a plant and its office. Each measurement is a process of its own, repeated; the best counts. The engine is
measured by its example `decode`, without Python and without the hash of its input; the audit with both.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from captures import cut, examples, generate
from measure import HEAD, Capture, Measure, best

GIGABYTE: Final = 1_000_000_000
SLICE_PACKETS: Final = 200_000
FIELDS: Final = {
    "polling": ("mbtcp.trans_id", "mbtcp.unit_id", "modbus.func_code", "modbus.reference_num", "modbus.word_cnt"),
    "mix": ("modbus.func_code", "modbus.reference_num", "dnp3.al.func", "dnp3.al.obj", "bacapp.confirmed_service"),
}
WALK: Final = "header walk"
PDUS: Final = "engine, every PDU in Arrow"
AGGREGATES: Final = "engine, aggregates"
HASHED: Final = "engine, aggregates and SHA-256, {} thread(s)"
AUDIT: Final = "whole audit, {} thread(s)"
TSHARK: Final = "tshark, on a slice"
NDPI: Final = "ndpiReader"
SURICATA: Final = "Suricata, flow log"
SURICATA_SETTINGS: Final = Path(__file__).with_name("suricata.yaml")
"""One thread, without rules; of its log the flows alone."""

Done = dict[tuple[str, str], Measure]


def commands(tools: Path, capture: Capture, out: Path) -> Iterator[tuple[str, list[str | Path]]]:
    """What is measured on a capture besides tshark."""
    yield WALK, [tools / "walk", capture.path]
    for what, detail in ((PDUS, "pdus"), (AGGREGATES, "aggregates")):
        yield what, [tools / "decode", detail, capture.path]
    audit = Path(sysconfig.get_path("scripts")) / "zonewatch"
    for threads in ("1", "2"):
        yield HASHED.format(threads), [tools / "decode", "hashed", "threads", threads, "aggregates", capture.path]
    for threads in ("1", "2"):
        yield AUDIT.format(threads), ["env", f"ZONEWATCH_THREADS={threads}", audit, "audit", capture.path, "--out", out]


def peers(capture: Capture, out: Path) -> Iterator[tuple[str, list[str | Path]]]:
    """Those who tell flows and their services, where they are installed."""
    if ndpi := shutil.which("ndpiReader"):
        yield NDPI, [ndpi, "-q", "-i", capture.path]
    if suricata := shutil.which("suricata"):
        out.mkdir(exist_ok=True)
        settings: list[str | Path] = ["-c", SURICATA_SETTINGS, "-S", os.devnull, "--runmode", "single"]
        yield SURICATA, [suricata, "-r", capture.path, "-k", "none", "-l", out, *settings]


def measured(tools: Path, folder: Path, capture: Capture, times: int) -> Iterator[Measure]:
    """All measurements of a capture, tshark last if it is there."""
    told = (*commands(tools, capture, folder / "out"), *peers(capture, folder / "log"))
    for what, command in told:
        yield best(what, capture, command, times)
    if tshark := shutil.which("tshark"):
        part = folder / "slice.pcap"
        some = Capture(capture.name, part, cut(capture.path, part, SLICE_PACKETS))
        fields = [
            word for field in ("frame.number", "ip.src", "ip.dst", *FIELDS[capture.name]) for word in ("-e", field)
        ]
        yield best(TSHARK, some, [tshark, "-r", part, "-T", "fields", *fields], times)


def goals(done: Done) -> Iterator[str]:
    """Rows of the table of goals; what was not measured is left out."""
    captures = list(dict.fromkeys(capture for _, capture in done))

    def row(goal: str, reach: str, figures: list[str]) -> str:
        return f"| {goal} | {' | '.join(figures)} | {reach} |"

    def ratio(one: str, other: str, unit: str = "") -> list[str]:
        pairs = [(done.get((one, name)), done.get((other, name))) for name in captures]
        scale = 100 if unit else 1
        return [f"{scale * ours.pace / theirs.pace:.1f}{unit}" if ours and theirs else "–" for ours, theirs in pairs]

    yield f"| Ratio (CPU time unless told) | {' | '.join(captures)} | Goal |\n|---{'|--:' * (len(captures) + 1)}|"
    yield row(f"{PDUS}: pace of the header walk", "18 %", ratio(PDUS, WALK, " %"))
    for what, reach in ((PDUS, "200"), (AGGREGATES, ""), (AUDIT.format(1), "100")):
        yield row(f"{what}: times tshark", reach, ratio(what, TSHARK))
    for peer, reach in ((NDPI, "3 (mix)"), (SURICATA, "8 (mix)")):
        yield row(f"{PDUS}: times {peer}", reach, ratio(PDUS, peer))
    for what in (PDUS, AGGREGATES):
        yield row(f"{what}: MB/s", "1,000 (mix)", [f"{done[what, name].flow:,.0f}" for name in captures])
    for what in (HASHED, AUDIT):
        gains = [f"{done[what.format(1), name].wall / done[what.format(2), name].wall:.2f}" for name in captures]
        yield row(f"{what.format(2)}: times one (wall)", "1.4", gains)
    for what in (PDUS, AGGREGATES, AUDIT.format(2)):
        memory = [f"{done[what, name].memory / 1_000_000:,.0f}" for name in captures]
        yield row(f"{what}: peak MB", "" if what == AUDIT.format(2) else "256", memory)


def report(made: dict[str, list[str]], done: Done) -> str:
    """Everything, as Markdown."""
    place = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    shares = [f"- {name}: {'; '.join(told)}." for name, told in made.items()]
    rows = [HEAD, *(one.row() for one in done.values())]
    return "\n".join([place, "", *shares, "", *rows, "", *goals(done), ""])


def main() -> None:
    """Reads the command line and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1.0, metavar="GB", help="of each generated capture")
    parser.add_argument("--folder", type=Path, help="where they are made (a temporary folder)")
    parser.add_argument("--scenes", nargs="+", choices=FIELDS, default=[*FIELDS], help="captures to measure with")
    parser.add_argument("--times", type=int, default=3, help="each measurement is repeated")
    parser.add_argument("--table", type=Path, help="the tables are written here too")
    given = parser.parse_args()
    tools = examples()
    made: dict[str, list[str]] = {}
    done: Done = {}
    with tempfile.TemporaryDirectory(prefix="zonewatch-bench-", dir=given.folder) as name:
        folder = Path(name)
        for scene in given.scenes:
            path = folder / f"{scene}.pcap"
            packets, made[scene] = generate(tools, scene, "octets", int(given.size * GIGABYTE), path)
            capture = Capture(scene, path, packets)
            for one in measured(tools, folder, capture, given.times):
                print(one.row(), file=sys.stderr, flush=True)
                done[one.what, scene] = one
            path.unlink()
    text = report(made, done)
    print(text)
    if given.table:
        given.table.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
