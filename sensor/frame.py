"""All that the engine and the inventory say of one frame of a capture."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.extract import Wanted, extract
from zonewatch.dissectors.schemas import TABLES
from zonewatch.inventory.model import Evidence
from zonewatch.reports.evidence import shown
from zonewatch.sensor.decoding import decode, spelled, threads
from zonewatch.sensor.usage import UsageError

__all__ = ["FrameReading", "read_frame"]

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
_POINT: Final = "capture"
_MOST_PACKET: Final = 1 << 26

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FrameReading:
    """Rows of the tables that are about one frame; times are UTC nanoseconds."""

    frame: int
    frames: int  # in the capture
    packet: Row  # coverage of the packet alone
    headers: tuple[Row, ...]  # flows of the packet alone, the outermost first
    flows: tuple[Row, ...]  # of the capture, that it belongs to
    ends_in: int  # frame that completes the message of which it holds a part; else the frame itself
    pdus: tuple[Row, ...]  # completed there
    events: tuple[Row, ...]
    activities: tuple[Row, ...]
    oddities: tuple[Row, ...]
    claims: tuple[Row, ...]
    keep: int | None  # octets of its payload that a mini capture shows; none: all
    keep_end: int | None  # the same of the frame that completes the message
    tables: dict[str, pa.Table]  # of the whole capture, as an audit has them


def read_frame(path: Path, frame: int) -> FrameReading:
    """The frame, numbered from 1. Raises UsageError where the capture cannot be read or has no such frame."""
    alone, headers = _alone(path, frame)
    point = Source(_POINT, (CaptureFile(path.name, path),))
    tables = decode([point])
    (coverage,) = tables["coverage"].to_pylist()
    if coverage["status"] == "unreadable":
        raise UsageError(f"{path}: {coverage['problem']}")
    events = _rows([point], "events", lambda table: _touching(table, ("request_frames", "response_frames"), frame))
    ends_in = max((_end(row, frame) for row in events.to_pylist()), default=frame)
    pdus = _rows([point], "pdus", lambda table: pc.equal(table["frame"], ends_in))
    named = {**tables, "events": events}
    keeps = shown([Evidence(_POINT, path.name, one) for one in (frame, ends_in)], named)
    keep = [keeps[Evidence(_POINT, path.name, one)] for one in (frame, ends_in)]
    about = ("first_frame", "last_frame", "request_frame")
    return FrameReading(
        frame=frame,
        frames=coverage["packets"],
        packet=alone,
        headers=headers,
        flows=tuple(row for row in _listed(tables["flows"]) if _holds(row, headers, frame)),
        ends_in=ends_in,
        pdus=_listed(pdus),
        events=_listed(events),
        activities=_listed(_any_equal(tables["activities"], about, frame)),
        oddities=_listed(_any_equal(tables["oddities"], ("frame",), frame, ends_in)),
        claims=_listed(_any_equal(tables["claims"], ("frame",), frame, ends_in)),
        keep=keep[0],
        keep_end=keep[1],
        tables=tables,
    )


def _alone(path: Path, frame: int) -> tuple[Row, tuple[Row, ...]]:
    """What the headers of the packet say: coverage and flows of a capture of it alone."""
    found = extract([Wanted(_POINT, path.name, path, ((frame, 0, None),))], 1, _MOST_PACKET)
    (mini,) = found.captures
    if not mini.packets:
        raise UsageError(_missing(path, frame, found.problems[0][1] if found.problems else "no such frame"))
    with tempfile.TemporaryDirectory(prefix="zonewatch-") as folder:
        alone = Path(folder, "frame.pcapng")
        alone.write_bytes(mini.octets)
        tables = decode([Source(_POINT, (CaptureFile(path.name, alone),))])
    (coverage,) = _listed(tables["coverage"])
    return coverage, _listed(tables["flows"])


def _missing(path: Path, frame: int, problem: str) -> str:
    (row,) = decode([Source(_POINT, (CaptureFile(path.name, path),))])["coverage"].to_pylist()
    if row["status"] == "unreadable" or (row["status"] == "partial" and frame > row["packets"]):
        where = f" after {row['packets']:,} frames" if row["status"] == "partial" else ""
        return f"{path}: frame {frame:,} was not reached{where}: {row['problem']}"
    if frame > row["packets"]:
        return f"{path}: no frame {frame:,}: it has {row['packets']:,} frames, numbered from 1"
    return f"{path}: frame {frame:,}: {problem}"


def _rows(points: Sequence[Source], name: Any, wanted: Callable[[pa.Table], Any]) -> pa.Table:
    """Rows of one table that are wanted; the others are let go batch by batch."""
    decoder = Decoder(list(points), detail=name, hash_inputs=False, threads=threads())
    kept = [TABLES[name].empty_table()]
    going = True
    while going:
        going = decoder.advance()
        table = decoder.take(name)
        for other in TABLES:
            if other not in (name, "coverage"):
                decoder.take(other)
        if table.num_rows and (found := table.filter(wanted(table))).num_rows:
            kept.append(found)
    return pa.concat_tables(kept).unify_dictionaries()


def _touching(table: pa.Table, lists: Sequence[str], frame: int) -> Any:
    """Which rows have the frame in one of their lists."""
    mask = [False] * table.num_rows
    for name in lists:
        values: Any = table[name].combine_chunks()
        hits = pc.equal(pc.list_flatten(values), frame)
        for holder in pc.list_parent_indices(values).filter(hits).to_pylist():
            mask[holder] = True
    return pa.array(mask, pa.bool_())


def _end(event: Mapping[str, Any], frame: int) -> int:
    """The last frame of the message of an event that the frame is a part of."""
    return max(
        (max(event[name]) for name in ("request_frames", "response_frames") if frame in event[name]), default=frame
    )


def _any_equal(table: pa.Table, columns: Sequence[str], *frames: int) -> pa.Table:
    wanted = pa.array(sorted(set(frames)), pa.uint64())
    mask = pa.array([False] * table.num_rows, pa.bool_())
    for name in columns:
        mask = pc.or_(mask, pc.fill_null(pc.is_in(table[name], value_set=wanted), False))
    return table.filter(mask)


def _listed(table: pa.Table) -> tuple[Row, ...]:
    """Rows as dictionaries, times as nanoseconds."""
    table = spelled(table)
    for field in table.schema:
        if pa.types.is_timestamp(field.type):
            place = table.schema.get_field_index(field.name)
            table = table.set_column(place, field.name, table[field.name].cast(pa.int64()))
    return tuple(table.to_pylist())


def _holds(flow: Row, headers: Sequence[Row], frame: int) -> bool:
    """Whether a flow of the capture is that of one of the packet's headers."""
    if not flow["first_frame"] <= frame <= flow["last_frame"]:
        return False
    return any(_ends(flow) == _ends(header) for header in headers)


def _ends(flow: Row) -> tuple[str, frozenset[tuple[str, int]]]:
    ports = (flow["client_port"], flow["server_port"]) if flow["transport"] in ("tcp", "udp") else (0, 0)
    return flow["transport"], frozenset(((flow["client"], ports[0]), (flow["server"], ports[1])))
