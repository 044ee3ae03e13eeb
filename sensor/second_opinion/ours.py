"""Our counts of one capture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.schemas import TABLES
from zonewatch.sensor.decoding import spelled, threads
from zonewatch.sensor.second_opinion.counts import Counts
from zonewatch.sensor.second_opinion.facts import Key, of_message

__all__ = ["Ours", "count"]

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
_TOLD: Final = (
    "protocol", "source_address", "destination_address", "kind", "link_code", "message_type", "function", "status_code",
    "source_unit", "destination_unit", "function_name", "operation",
)  # fmt: skip
"""Columns that facts are made of, and the names of codes."""


@dataclass(slots=True)
class Ours:
    """What the engine says of a capture: counts, names of codes, flows, frames with oddities."""

    counts: Counts = field(default_factory=Counts)
    names: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)  # protocol, fact, code
    flows: list[dict[str, Any]] = field(default_factory=list)
    odd_frames: set[int] = field(default_factory=set)
    duplicates: int = 0


def count(file: CaptureFile, last: int) -> Ours:
    """Counts the messages that end in frames up to `last`. The file is read by itself, as tshark reads it."""
    ours = Ours()
    decoder = Decoder([Source("", (file,))], detail="pdus", hash_inputs=False, threads=threads())
    going = True
    while going:
        going = decoder.advance()
        _add(ours, spelled(decoder.take("pdus")), last)
        odd: list[Any] = decoder.take("oddities")["frame"].to_pylist()
        ours.odd_frames.update(odd)
        ours.flows += spelled(decoder.take("flows").select(_FLOW)).to_pylist()
        for other in TABLES:
            if other not in ("pdus", "oddities", "flows", "coverage"):
                decoder.take(other)
    copies: list[Any] = decoder.take("coverage")["duplicates"].to_pylist()
    ours.duplicates = sum(copies)
    return ours


_FLOW: Final = (
    "transport", "client", "server", "client_port", "server_port", "service", "packets_out", "packets_in",
)  # fmt: skip


def _add(ours: Ours, table: pa.Table, last: int) -> None:
    table = table.filter(pc.less_equal(table["frame"], last))
    if not table.num_rows:
        return
    grouped = table.group_by(list(_TOLD), use_threads=False).aggregate([("frame", "list")])
    for row in grouped.to_pylist():
        for key in of_message(row):
            ours.counts.add(key, row["frame_list"])
            _name(ours, key, row)


def _name(ours: Ours, key: Key, row: dict[str, Any]) -> None:
    """A code's name and operation, of facts that are the function."""
    place = (key.protocol, key.fact, key.code)
    if key.fact in ("function", "service", "link function", "function group") and place not in ours.names:
        group = key.fact == "function group"
        ours.names[place] = ("" if group else row["function_name"], "" if group else row["operation"])
