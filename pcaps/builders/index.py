"""The index of captures: one row a file, kept by the scripts that make the files."""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

PCAPS = Path(__file__).resolve().parent.parent
INDEX = PCAPS / "index.csv"
COLUMNS = ("file", "made_by", "origin", "licence", "sha256", "packets", "shows")


def run(script: str, make: Callable[[Path], Mapping[str, int]], shows: Mapping[str, str]) -> None:
    """Make a script's captures in the folder that the command line names, or in place, with their rows.

    `make` writes the files and gives the packets of each by its name; `shows` says what each is for.
    """
    if len(sys.argv) > 1:
        make(Path(sys.argv[1]))
        return
    packets = make(PCAPS)
    for name, purpose in shows.items():
        record(PCAPS / name, Path(script).name, packets[name], purpose)


def record(file: Path, made_by: str, packets: int, shows: str) -> None:
    """Write the file's row, in the place of an older one."""
    name = file.relative_to(PCAPS).as_posix()
    rows = {row["file"]: row for row in read()}
    rows[name] = {
        "file": name,
        "made_by": made_by,
        "origin": "synthetic; made by this project, no recorded traffic in it",
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "packets": str(packets),
        "shows": shows,
    }
    with INDEX.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def read() -> list[dict[str, str]]:
    if not INDEX.exists():
        return []
    with INDEX.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
