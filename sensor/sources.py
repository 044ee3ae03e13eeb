"""What the user named on the command line, as capture points with their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.evidence import FOLDER as EVIDENCE
from zonewatch.reports.evidence import MANIFEST
from zonewatch.reports.proof.given import FOLDER as INPUTS
from zonewatch.sensor.usage import UsageError

DEFAULT_POINT: Final = "capture"
_NO_CAPTURES: Final = frozenset(
    (".csv", ".html", ".json", ".jsonl", ".log", ".md", ".ndjson", ".parquet", ".pdf", ".png", ".py", ".toml", ".txt")
)
"""Files of a folder that are passed over without a word; everything else is tried."""
_NUMBERS: Final = re.compile(r"([0-9]{1,18})")


def sources(inputs: Sequence[str], named: Iterable[str]) -> list[Source]:
    """Capture points: all unnamed inputs are one point (rotated files of it are one stream), each NAME one more.

    Raises UsageError where an input does not exist or a folder holds no file.
    """
    points: dict[str, list[CaptureFile]] = {}
    if inputs:
        points[DEFAULT_POINT] = [file for one in inputs for file in _files(one)]
    for item in named:
        name, separator, path = item.partition("=")
        if not separator or not name or not path:
            raise UsageError(f"--source {item}: NAME=PATH expected, such as --source span-1=captures/")
        points.setdefault(name, []).extend(_files(path))
    if not points:
        raise UsageError("no input: name a capture file, a folder of captures, or - for standard input")
    return [Source(name, tuple(_distinct(files))) for name, files in points.items()]


def total_bytes(points: Iterable[Source]) -> int:
    """Octets of all files, for progress; 0 where standard input is among them."""
    paths = [file.path for point in points for file in point.files]
    if "-" in paths:
        return 0
    return sum(Path(path).stat().st_size for path in paths)


def _files(text: str) -> list[CaptureFile]:
    if text == "-":
        return [CaptureFile("stdin", "-")]
    path = Path(text)
    if path.is_dir():
        found = sorted((file for file in path.rglob("*") if file.is_file() and _is_candidate(file, path)), key=_order)
        if not found:
            raise UsageError(f"{text}: no capture files in this folder")
        return [CaptureFile(file.relative_to(path).as_posix(), file) for file in found]
    if not path.exists():
        near = sorted(other.name for other in path.parent.glob(f"{path.stem[:3]}*")) if path.parent.is_dir() else []
        raise UsageError(f"{text}: no such file or folder" + (f"; beside it: {', '.join(near[:3])}" if near else ""))
    return [CaptureFile(path.name, path)]


def _order(file: Path) -> list[tuple[str, int, str]]:
    """Sort key that reads numbers as numbers: rotated files are named trace.pcap, trace.pcap1 … trace.pcap10."""
    parts = _NUMBERS.split(file.as_posix())
    return [(text, int(number or -1), number) for text, number in zip(parts[::2], [*parts[1::2], ""], strict=True)]


def _is_candidate(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or file.suffix.lower() in _NO_CAPTURES:
        return False
    # What lies beside the result of an audit before is no traffic of its own, unless it is what was asked for.
    beside = file.parent.name in (EVIDENCE, INPUTS) and (file.parent.parent / MANIFEST).is_file()
    return file.parent == folder or not beside


def _distinct(files: Iterable[CaptureFile]) -> list[CaptureFile]:
    """Files of one point need names of their own: a second one of the same name gets its folder in front."""
    seen: set[str] = set()
    distinct = []
    for file in files:
        name = file.name
        if name in seen and file.path != "-":
            name = f"{Path(file.path).parent.name}/{file.name}"
        number = 2
        while name in seen:
            name, number = f"{file.name} ({number})", number + 1
        seen.add(name)
        distinct.append(CaptureFile(name, file.path))
    return distinct
