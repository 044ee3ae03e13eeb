"""Bytes to columns: the decoding engine and its Python face.

    decoder = Decoder([Source("span-1", (CaptureFile("a.pcap", path),))])
    while decoder.advance():
        events = decoder.take("events")

The work is done natively with the interpreter lock released; tables come over without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from zonewatch.dissectors import _native
from zonewatch.dissectors.schemas import TABLES

__all__ = ["CaptureFile", "Decoder", "Detail", "Source"]

Detail = Literal["aggregates", "events", "pdus"]
"""What is kept: aggregates with the events that matter; every event; every PDU (and no events)."""


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One input: its name in results, and its path (`-` is standard input)."""

    name: str
    path: Path | Literal["-"]


@dataclass(frozen=True, slots=True)
class Source:
    """A capture point. Its files are one stream, in the order given."""

    name: str
    files: tuple[CaptureFile, ...]


class Decoder:
    """One streaming pass over all sources.

    With two threads one reads, hashes and unpacks the files while the other decodes; the results are the same.
    A file that cannot be read, or is damaged, ends early and says so in its row of the `coverage` table.
    """

    def __init__(
        self,
        sources: tuple[Source, ...] | list[Source],
        *,
        detail: Detail = "aggregates",
        hash_inputs: bool = True,
        threads: int = 1,
    ) -> None:
        self._native = _native.Decoder(
            [(source.name, [(file.name, str(file.path)) for file in source.files]) for source in sources],
            detail,
            hash_inputs,
            threads,
        )

    def advance(self, packets: int = 16_384) -> bool:
        """Decodes up to this many packets; False when nothing is left. Rows of few packets stay in a core's cache."""
        return self._native.advance(packets)

    @property
    def packets(self) -> int:
        """Packets read so far."""
        return self._native.packets()

    @property
    def bytes_read(self) -> int:
        """Octets of the input files read so far, as stored."""
        return self._native.bytes_read()

    def take(self, table: str) -> pa.Table:
        """Rows of one table (a key of `schemas.TABLES`) made since it was last taken."""
        if table not in TABLES:
            raise KeyError(f"no table {table!r}; tables are {', '.join(TABLES)}")
        return pa.RecordBatchReader.from_stream(self._native.take(table)).read_all()
