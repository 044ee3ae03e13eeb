"""What the user named on the command line, as capture points with their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.zeek import PREFIX
from zonewatch.dissectors.zeek.names import is_log, parts
from zonewatch.dissectors.zeek.streams import beginning
from zonewatch.reports.evidence import FOLDER as EVIDENCE
from zonewatch.reports.evidence import MANIFEST
from zonewatch.sensor.usage import UsageError

DEFAULT_POINT: Final = "capture"
_NO_CAPTURES: Final = frozenset(
    (".csv", ".html", ".json", ".jsonl", ".log", ".md", ".ndjson", ".parquet", ".pdf", ".png", ".py", ".toml", ".txt")
)
"""Files of a folder that are passed over without a word; everything else is tried."""
_CAPTURES: Final = (".pcap", ".pcapng", ".cap", ".dmp", ".snoop", ".erf", ".ntar", ".trc")
_MAGIC: Final = tuple(
    bytes.fromhex(word) for word in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a", "a1b2cd34", "34cdb2a1")
)
"""Beginnings of pcap in both byte orders, with microseconds, nanoseconds and its older variant, and of pcapng."""
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


def packets_only(points: Iterable[Source], doing: str) -> None:
    """Raises UsageError where one of Zeek's logs is given to what needs packets."""
    for point in points:
        for file in point.files:
            if file.name.startswith(PREFIX):
                raise UsageError(f"{file.name}: {doing} needs packets; zonewatch audit reads Zeek's logs")


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
        return _of_folder(path, text)
    if not path.exists():
        near = sorted(other.name for other in path.parent.glob(f"{path.stem[:3]}*")) if path.parent.is_dir() else []
        raise UsageError(f"{text}: no such file or folder" + (f"; beside it: {', '.join(near[:3])}" if near else ""))
    return [CaptureFile(f"{PREFIX if is_log(path) else ''}{path.name}", path)]


def _of_folder(path: Path, text: str) -> list[CaptureFile]:
    """The captures of a folder, or Zeek's logs where it holds those and no capture: logs that lie beside captures are
    mostly of the same traffic, which would be told twice."""
    files = sorted((file for file in path.rglob("*") if file.is_file() and not _is_hidden(file, path)), key=_order)
    logs = {file for file in files if parts(file.name) is not None and is_log(file)}
    candidates = [file for file in files if file not in logs and _is_candidate(file, path)]
    if logs and not any(_is_capture(file) for file in candidates):
        return [CaptureFile(PREFIX + file.relative_to(path).as_posix(), file) for file in files if file in logs]
    if not candidates:
        raise UsageError(f"{text}: no capture files and none of Zeek's logs in this folder")
    return [CaptureFile(file.relative_to(path).as_posix(), file) for file in candidates]


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _is_capture(file: Path) -> bool:
    """Whether a file is a capture by its name or its first octets."""
    return any(end.lower() in _CAPTURES for end in file.suffixes) or beginning(file, 4).startswith(_MAGIC)


def _order(file: Path) -> list[tuple[str, int, str]]:
    """Sort key that reads numbers as numbers: rotated files are named trace.pcap, trace.pcap1 … trace.pcap10."""
    parts = _NUMBERS.split(file.as_posix())
    return [(text, int(number or -1), number) for text, number in zip(parts[::2], [*parts[1::2], ""], strict=True)]


def _is_candidate(file: Path, folder: Path) -> bool:
    if file.name.startswith(".") or file.suffix.lower() in _NO_CAPTURES:
        return False
    # The evidence of an audit before is no traffic of its own, unless it is what was asked for.
    return file.parent == folder or file.parent.name != EVIDENCE or not (file.parent.parent / MANIFEST).is_file()


def _distinct(files: Iterable[CaptureFile]) -> list[CaptureFile]:
    """Files of one point need names of their own: a second one of the same name gets its folder in front."""
    seen: set[str] = set()
    distinct = []
    for file in files:
        name = file.name
        if name in seen and file.path != "-":
            prefix = PREFIX if file.name.startswith(PREFIX) else ""
            name = f"{prefix}{Path(file.path).parent.name}/{file.name.removeprefix(PREFIX)}"
        number = 2
        while name in seen:
            name, number = f"{file.name} ({number})", number + 1
        seen.add(name)
        distinct.append(CaptureFile(name, file.path))
    return distinct
