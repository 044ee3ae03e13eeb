"""`zonewatch events`: everything decoded, streamed to a file or to standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zonewatch.dissectors.decoder import Decoder, Detail, Source
from zonewatch.dissectors.schemas import TABLES
from zonewatch.reports.rows import csv_text, emit, from_arrow
from zonewatch.reports.words import iso_time
from zonewatch.sensor.decoding import decode, divided, spelled, threads
from zonewatch.sensor.usage import UsageError

SHOWN: Final = {
    "pdus": (
        "frame", "time", "protocol", "source_address", "destination_address", "kind", "function", "function_name",
        "object_kind", "object_start", "object_count", "status_name", "complete",
    ),
    "activities": (
        "first_frame", "protocol", "client", "server", "action", "status", "code", "count", "fields",
    ),
    "events": (
        "time", "protocol", "client", "server", "server_unit", "function_name", "operation", "status",
        "request_frames", "response_frames", "objects",
    ),
}  # fmt: skip
"""Columns of the table form; the other forms have all."""
_DETAILS: Final[Mapping[str, Detail]] = {"pdus": "pdus", "events": "events", "activities": "aggregates"}
"""What the engine is to keep for a table."""
_BESIDE: Final = {
    "pdus": ("activities",),
    "events": ("aggregates", "activities"),
    "activities": ("aggregates", "events"),
}
"""Tables that grow with it, and are let go."""
TABLE_ROWS: Final = 200
"""Rows of the table form: for looking, not for processing."""


def write(points: list[Source], name: str, protocol: str, form: str, out: Path | None) -> list[dict[str, Any]]:
    """Writes all rows of a table; gives the coverage of each input as capture, status and problem.

    Of Zeek's logs that is what an audit keeps whole: they have no PDUs, and their events are counted as they are read.
    """
    captures, logs = divided(points)
    if logs and name == "pdus":
        raise UsageError(f"--pdus: {logs[0].files[0].name} is one of Zeek's logs, which hold events and no PDUs")
    decoder = Decoder(captures, detail=_DETAILS[name], hash_inputs=False, threads=threads())
    coverage = []
    with nullcontext(sys.stdout.buffer) if out is None else out.open("wb") as stream:
        sink = _SINKS[form](name, stream)
        going = True
        while going:
            going = decoder.advance()
            table = decoder.take(name)
            for other in _BESIDE[name]:
                decoder.take(other)
            sink.add(_of(table, protocol))
        for point in logs:
            tables = decode([point])
            sink.add(_of(tables[name], protocol))
            coverage.append(tables["coverage"])
        sink.close()
    rows = pa.concat_tables([decoder.take("coverage"), *coverage])
    return rows.select(["capture", "status", "problem"]).to_pylist()


def _of(table: pa.Table, protocol: str) -> pa.Table:
    """The rows of a protocol; all of them where none is named."""
    if not protocol:
        return table
    return table.filter(pc.is_in(table["protocol"].cast(pa.utf8()), value_set=pa.array([protocol])))


class _Sink(Protocol):
    """Takes rows batch by batch."""

    def __init__(self, name: str, stream: BinaryIO) -> None: ...

    def add(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class _Table:
    """The first rows, for a person."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._name, self._stream, self._kept, self._all = name, stream, [TABLES[name].empty_table()], 0

    def add(self, table: pa.Table) -> None:
        room = TABLE_ROWS - sum(kept.num_rows for kept in self._kept)
        self._all += table.num_rows
        if room > 0:
            self._kept.append(table.slice(0, room))

    def close(self) -> None:
        rows = pa.concat_tables([spelled(kept) for kept in self._kept])
        text = open(self._stream.fileno(), "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        emit(from_arrow(rows, SHOWN[self._name]), "table", text)
        if self._all > rows.num_rows:
            text.write(f"… {self._all - rows.num_rows:,} more; --format csv, jsonl or parquet gives all\n")
        text.flush()


class _Lines:
    """JSON lines: every row whole, its objects as objects."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        del name
        self._stream = stream

    def add(self, table: pa.Table) -> None:
        self._stream.writelines(f"{line}\n".encode() for line in json_lines(table))

    def close(self) -> None:
        self._stream.flush()


def json_lines(table: pa.Table) -> Iterator[str]:
    """Rows as JSON, plain ASCII, times as RFC 3339 with nanoseconds; what is not a number is null."""
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    for name in times:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].cast(pa.int64()))
    for row in table.to_pylist():
        for name in times:
            row[name] = None if row[name] is None else iso_time(row[name])
        yield json.dumps(_finite(row), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class _Csv:
    """CSV, the header once."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._stream = stream
        self._write(csv_text(from_arrow(spelled(TABLES[name].empty_table()))))

    def add(self, table: pa.Table) -> None:
        if table.num_rows:
            self._write(csv_text(from_arrow(spelled(table))).split("\n", 1)[1])

    def close(self) -> None:
        self._stream.flush()

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "backslashreplace"))


class _Parquet:
    """Parquet, a row group a batch."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self._schema = spelled(TABLES[name].empty_table()).schema
        self._writer = pq.ParquetWriter(cast(Any, stream), self._schema, compression="zstd", store_schema=False)

    def add(self, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(spelled(table).cast(self._schema))

    def close(self) -> None:
        self._writer.close()


_SINKS: Final[dict[str, type[_Sink]]] = {"table": _Table, "csv": _Csv, "jsonl": _Lines, "parquet": _Parquet}
