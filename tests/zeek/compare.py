"""What is told of a capture, and of Zeek's logs of the same packets: who speaks what with whom, which operations on
which points, and what devices say that they are.

`python -m tests.zeek.compare` writes `differences.csv` anew and keeps the reasons that are there; a row without one has
to get it by hand. The reasons are explained in `docs/zeek.md`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from tests.oracles.compare import CAPTURES
from tests.services.zeek import OF_ANOTHER_CAPTURE
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.zeek.decoder import LogFile, decode
from zonewatch.dissectors.zeek.logs import BESIDE, KINDS
from zonewatch.dissectors.zeek.names import is_log
from zonewatch.sensor.decoding import decode as decode_captures

DIFFERENCES: Final = Path(__file__).with_name("differences.csv")
_SAME_SERVICE: Final = ("llmnr", "mdns", "netbios-ns")
"""What is one service to Zeek, and told apart here by its port alone."""
Fact = tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Logs:
    """The logs of one run of Zeek over a capture."""

    capture: str
    folder: str
    names: tuple[str, ...]

    @property
    def files(self) -> list[LogFile]:
        """Its files. The run of one test is told by a suffix (`conn-second.log`), which is no part of the name."""
        return [LogFile(f"{name.partition('-')[0]}.log", CAPTURES / self.folder / f"{name}.log") for name in self.names]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of logs that are there."""
        return frozenset(name.partition("-")[0] for name in self.names)


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A fact that only one side tells."""

    capture: str
    fact: str
    told_by: str  # packets, logs


def there() -> Iterator[Logs]:
    """Every folder with logs that are read, beside a capture."""
    folders = sorted({path.parent for path in CAPTURES.glob("**/*.truth/**/*.log")})
    for folder in folders:
        capture = next(parent for parent in (folder, *folder.parents) if parent.suffix == ".truth").with_suffix("")
        names = tuple(
            path.stem
            for path in sorted(folder.glob("*.log"))
            if path.stem.partition("-")[0] in {*KINDS, *BESIDE}
            and str(path.relative_to(CAPTURES)) not in OF_ANOTHER_CAPTURE
            and is_log(path)
        )
        if names and capture.is_file():
            yield Logs(str(capture.relative_to(CAPTURES)), str(folder.relative_to(CAPTURES)), names)


def told(logs: Logs) -> tuple[frozenset[Fact], frozenset[Fact]]:
    """The facts of the capture, and those of its logs."""
    protocols = frozenset(KINDS[BESIDE.get(kind, kind)].protocol for kind in logs.kinds)
    has_connections = "conn" in logs.kinds
    ours = _facts(_of_capture(logs.capture), protocols, connections=has_connections)
    theirs = _facts(decode("x", logs.files), protocols, connections=has_connections)
    return ours, theirs


def differences(logs: Logs) -> list[Difference]:
    """What one side tells and the other not."""
    ours, theirs = told(logs)
    return sorted(
        Difference(logs.capture, " ".join(fact), by)
        for by, facts in (("packets", ours - theirs), ("logs", theirs - ours))
        for fact in facts
    )


@lru_cache(maxsize=2)
def _of_capture(capture: str) -> Mapping[str, pa.Table]:
    path = CAPTURES / capture
    return decode_captures([Source("x", (CaptureFile(path.name, path),))])


def _facts(tables: Mapping[str, pa.Table], protocols: frozenset[str], *, connections: bool) -> frozenset[Fact]:
    found = {fact for row in _rows(tables["aggregates"]) if row["protocol"] in protocols for fact in _events(row)}
    found |= {
        ("identity", row["protocol"], row["address"], row["attribute"], row["value"])
        for row in _rows(tables["claims"])
        if row["protocol"] in protocols
    }
    if connections:
        found |= {
            ("edge", row["transport"], row["client"], row["server"], _service(row["service"]))
            for row in _rows(tables["flows"])
            if row["transport"] in ("tcp", "udp") and row["service"]
        }
    return frozenset(found)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    times = [name for name in table.column_names if pa.types.is_timestamp(table.schema.field(name).type)]
    return table.drop_columns(times).to_pylist()


def _events(row: Mapping[str, Any]) -> Iterator[Fact]:
    ends = (row["protocol"], row["transport"], row["client"], row["server"], str(row["server_port"]))
    name = row["function_name"] or f"function-{row['function']}"
    if row["events"]:
        yield ("operation", *ends, row["kind"], name, row["operation"])
        yield ("outcome", *ends, name, row["status"])
    if row["object_kind"] is not None:
        target = (row["object_kind"], str(row["object_start"]), str(row["object_count"]), row["property_name"])
        yield ("target", *ends, name, *(word for word in target if word))


def _service(name: str) -> str:
    return "dns" if name in _SAME_SERVICE else name


def listed() -> dict[Difference, str]:
    """The committed differences with their reasons."""
    if not DIFFERENCES.is_file():
        return {}
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        return {Difference(row["capture"], row["fact"], row["told_by"]): row["reason"] for row in csv.DictReader(file)}


def write() -> None:
    """Writes the differences of today, with the reasons that are known."""
    known = listed()
    found = sorted({row for logs in there() for row in differences(logs)})
    with DIFFERENCES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("capture", "fact", "told_by", "reason"))
        for row in found:
            writer.writerow((row.capture, row.fact, row.told_by, known.get(row, "?")))


if __name__ == "__main__":
    write()
