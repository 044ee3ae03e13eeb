"""Runs fuzz targets one after another and keeps the record of what was run, `record.csv`.

    python dissectors/fuzz/campaign.py --binaries FOLDER --corpora FOLDER TARGET...

A target has had enough when it ran for `--cpu` seconds in all, the last `--quiet` of them on the code as it is and
without new coverage. A run ends then, or after `--most` seconds; the next one adds to the row. Seconds are user and
system time of the fuzzing process. `make fuzz` builds the targets and calls this.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
RECORD: Final = HERE / "record.csv"
TICKS: Final = os.sysconf("SC_CLK_TCK")
LOOK: Final = 2  # seconds between two looks at a process
WRITE: Final = 60  # seconds between two writings of its row
NET: Final = ("src/net",)
PROTOCOLS: Final = ("src/protocols", "src/registry.rs", "tables")
ABOUT: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("link", "tunnel", "wrapped", "mirror"), NET),
    **dict.fromkeys(("services", "neighbours"), PROTOCOLS),
    **{
        name: (f"src/protocols/{name}", f"tables/{name}.toml")
        for name in ("modbus", "dnp3", "bacnet", "opcua", "profibus")
    },
    "bacnet_link": ("src/protocols/bacnet", "tables/bacnet.toml"),
    "s7comm": ("src/protocols/s7comm", "src/protocols/cotp.rs", "tables/s7comm.toml"),
    "tcp": ("src/net/tcp.rs",),
    "fragments": ("src/net/fragments.rs",),
    "serial": ("src/line.rs", "src/line"),
    "capture": ("src/capture",),
    "engine": ("src", "tables"),
}
"""Folders and files of the engine that a target is about."""
STATUS: Final = re.compile(r"#(\d+)\s.*?cov: (\d+) .*?corp: (\d+)/")
EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
CRASH: Final = re.compile(r"Test unit written to .*/(crash|timeout|oom|leak)-")

_lock: Final = threading.Lock()


@dataclass
class Row:
    """What was run of one target on one state of the code."""

    target: str
    version: str
    cpu_seconds: int = 0
    executions: int = 0
    edges: int = 0
    corpus: int = 0
    cpu_seconds_since_new_edge: int = 0
    crashes: int = 0


def rows() -> dict[tuple[str, str], Row]:
    """The record by target and version."""
    if not RECORD.exists():
        return {}
    with RECORD.open(newline="") as file:
        read = [Row(row["target"], row["version"], *map(int, list(row.values())[2:])) for row in csv.DictReader(file)]
    return {(row.target, row.version): row for row in read}


def earlier(row: Row) -> int:
    """CPU seconds of a target on the code as it was before."""
    return sum(
        other.cpu_seconds for (target, code), other in rows().items() if target == row.target and code != row.version
    )


def keep(row: Row) -> None:
    """Writes a row into the record."""
    with _lock:
        record = rows()
        record[row.target, row.version] = row
        with RECORD.open("w", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in sorted(record.values(), key=lambda row: row.target))


def version(target: str) -> str:
    """The last commit that changed the target or what it is about; with a plus where they were changed since."""
    tests = (":(exclude,glob)dissectors/src/**/tests/**", ":(exclude,glob)dissectors/src/**/tests.rs")
    about = tuple(f"dissectors/{place}" for place in (*ABOUT[target], f"fuzz/targets/{target}.rs"))

    def git(*command: str) -> str:
        ran = subprocess.run(
            ["git", *command, "--", *about, *tests], cwd=HERE.parents[1], capture_output=True, text=True
        )
        return ran.stdout.strip()

    return git("log", "-1", "--format=%h", "--abbrev=10") + ("+" if git("status", "--porcelain") else "")


class Process:
    """One fuzzing process, and its row."""

    def __init__(self, row: Row, command: list[str]) -> None:
        self.row = row
        self.before = Row(**asdict(row))
        self.last_new = -row.cpu_seconds_since_new_edge
        self.crashes: set[str] = set()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def cpu(self) -> int:
        """Seconds of CPU time so far, or those at the last look."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return self.row.cpu_seconds - self.before.cpu_seconds
        return (int(stat[11]) + int(stat[12])) // TICKS

    def read(self) -> None:
        """Follows what the process says."""
        assert self.process.stderr
        for line in self.process.stderr:
            if found := STATUS.search(line):
                executions, edges, corpus = map(int, found.groups())
                if edges > self.row.edges:
                    self.last_new = self.cpu()
                self.row.edges = max(edges, self.row.edges)
                self.row.executions, self.row.corpus = self.before.executions + executions, corpus
            elif found := EXECUTED.search(line):
                self.row.executions = self.before.executions + int(found[1])
            elif CRASH.search(line):
                self.crashes.add(line)
                print(self.row.target, line, end="", flush=True)

    def look(self) -> Row:
        """The row as it is now."""
        cpu = self.cpu()
        if self.process.poll() is None:
            self.row.cpu_seconds = self.before.cpu_seconds + cpu
        self.row.cpu_seconds_since_new_edge = self.row.cpu_seconds - self.before.cpu_seconds - self.last_new
        self.row.crashes = self.before.crashes + len(self.crashes)
        return self.row

    def looks(self, hold: Path | None) -> Iterator[Row]:
        """The row now and then while the process runs; it stands still while the file `hold` is there."""
        is_held, last = False, time.monotonic()
        while self.process.poll() is None:
            if bool(hold and hold.exists()) != is_held:
                is_held = not is_held
                self.process.send_signal(signal.SIGSTOP if is_held else signal.SIGCONT)
            if time.monotonic() - last >= WRITE:
                keep(self.look())
                last = time.monotonic()
            yield self.look()
            time.sleep(LOOK)

    def end(self) -> Row:
        """Ends the process and gives its last row."""
        self.process.send_signal(signal.SIGINT)
        self.process.send_signal(signal.SIGCONT)
        self.process.wait()
        self.reader.join()
        return self.look()


def run(target: str, code: str, given: argparse.Namespace) -> Row:
    """Runs one target until it had enough."""
    corpus, artifacts = given.corpora / target, HERE / "artifacts" / target
    for folder in (corpus, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(given.corpora / "bin" / target), str(corpus), f"-artifact_prefix={artifacts}/"]
    process = Process(
        rows().get((target, code), Row(target, code)),
        # Whoever is held for long is no hang.
        ["nice", "-n", str(given.nice), *command, f"-timeout={1200 if given.hold else 20}", "-print_final_stats=1"],
    )
    before = earlier(process.row)
    for row in process.looks(given.hold):
        if before + row.cpu_seconds >= given.cpu and row.cpu_seconds_since_new_edge >= given.quiet:
            break
        if process.cpu() >= given.most:
            break
    row = process.end()
    keep(row)
    print(row, flush=True)
    return row


def main() -> None:
    """Reads the command line; ends with 1 where a target crashed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--binaries", type=Path, required=True, help="folder with the built targets")
    parser.add_argument("--corpora", type=Path, required=True, help="folder with a corpus for each target")
    parser.add_argument("--cpu", type=int, default=1800, help="CPU seconds of a target in all runs")
    parser.add_argument("--quiet", type=int, default=600, help="the last CPU seconds without new coverage")
    parser.add_argument("--most", type=int, default=7200, help="CPU seconds of a target in this run at most")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--hold", type=Path, metavar="FILE", help="the processes stand still while this file exists")
    given = parser.parse_args()
    code = {target: version(target) for target in given.targets}
    # What is built meanwhile is not what is recorded.
    (given.corpora / "bin").mkdir(parents=True, exist_ok=True)
    for target in given.targets:
        shutil.copy2(given.binaries / target, given.corpora / "bin" / target)
    with ThreadPoolExecutor(given.jobs) as pool:
        done = list(pool.map(lambda target: run(target, code[target], given), given.targets))
    raise SystemExit(any(row.crashes for row in done))


if __name__ == "__main__":
    main()
