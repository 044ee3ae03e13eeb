"""`evidence/` written: the packets behind findings, read from the inputs a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from zonewatch.dissectors.decoder import Source
from zonewatch.dissectors.extract import MiniCapture, Wanted, extract
from zonewatch.dissectors.zeek import PREFIX
from zonewatch.inventory.model import Evidence
from zonewatch.reports.evidence import MOST_OCTETS, Behind, limits, packets_behind, shown
from zonewatch.reports.result import AuditResult, EvidenceFile, ordered
from zonewatch.reports.write import write_evidence
from zonewatch.sensor.decoding import Progress

Version = tuple[int, int]
"""Size and time of change of a file."""

_STDIN: Final = "standard input cannot be read twice"
_CHANGED: Final = "the file changed while it was audited"


@dataclass(frozen=True, slots=True)
class Proven:
    """The result with its evidence, and the files that could not be read again, each with what went wrong."""

    result: AuditResult
    unread: tuple[tuple[str, str], ...]


def versions(points: Iterable[Source]) -> dict[Path, Version | None]:
    """The files as they are now; asked before they are decoded, it shows those that change meanwhile."""
    return {file.path: _version(file.path) for point in points for file in point.files if isinstance(file.path, Path)}


def prove(
    result: AuditResult,
    tables: Mapping[str, pa.Table],
    points: Sequence[Source],
    before: Mapping[Path, Version | None],
    folder: Path,
    progress: Progress | None = None,
) -> Proven:
    """Writes a mini capture for each finding that names packets. Raises OSError where the folder cannot be written."""
    behind = packets_behind(ordered(result).findings, tables)
    packets = {packet for row in behind for packet in row.packets}
    files = tuple(_wanted(points, behind, shown(packets, tables)))
    changed = tuple((file.name, _CHANGED) for file in files if _has_changed(file.path, before))
    again = [file for file in files if not _has_changed(file.path, before)]
    found = extract(again, len(behind), MOST_OCTETS, progress)
    unread = (*changed, *((again[number].name, problem) for number, problem in found.problems))
    write_evidence(
        {row.finding: made.octets for row, made in zip(behind, found.captures, strict=True) if made.packets}, folder
    )
    left_out = sum(row.left_out + made.left_out for row, made in zip(behind, found.captures, strict=True))
    said = limits((*_piped(points, behind), *unread), left_out)
    return Proven(replace(result, evidence=_rows(behind, found.captures), limits=(*result.limits, *said)), unread)


def _rows(behind: Iterable[Behind], captures: Iterable[MiniCapture]) -> tuple[EvidenceFile, ...]:
    return tuple(
        EvidenceFile(row.finding, made.packets, len(row.packets) + row.left_out - made.packets)
        for row, made in zip(behind, captures, strict=True)
        if made.packets
    )


def _wanted(
    points: Iterable[Source], behind: Iterable[Behind], keep: Mapping[Evidence, int | None]
) -> Iterator[Wanted]:
    """The files that have packets behind findings."""
    frames: defaultdict[tuple[str, str], list[tuple[int, int, int | None]]] = defaultdict(list)
    for number, row in enumerate(behind):
        for packet in row.packets:
            frames[packet.source, packet.capture].append((packet.frame, number, keep[packet]))
    for point in points:
        for file in point.files:
            if file.name.startswith(PREFIX):
                continue  # a line is no packet
            if isinstance(file.path, Path) and (found := frames.get((point.name, file.name))):
                yield Wanted(point.name, file.name, file.path, tuple(found))


def _piped(points: Iterable[Source], behind: Iterable[Behind]) -> Iterator[tuple[str, str]]:
    """Inputs that had packets behind findings and are gone."""
    named = {(packet.source, packet.capture) for row in behind for packet in row.packets}
    for point in points:
        for file in point.files:
            if file.path == "-" and (point.name, file.name) in named:
                yield file.name, _STDIN


def _has_changed(path: Path, before: Mapping[Path, Version | None]) -> bool:
    """False for a file that is gone: reading it says more."""
    now = _version(path)
    return now is not None and now != before[path]


def _version(path: Path) -> Version | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
