"""Captures, and logs in place of them, to the engine's tables, in one pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from zonewatch.dissectors import schemas
from zonewatch.dissectors.decoder import Decoder, Detail, Source
from zonewatch.dissectors.zeek import PREFIX
from zonewatch.dissectors.zeek import decoder as zeek
from zonewatch.sensor.usage import UsageError

KEPT: Final = ("events", "aggregates", "flows", "activities", "claims", "addresses", "oddities", "coverage")
"""Tables that an audit is made of."""

_STEP: Final = 500_000
"""Packets decoded before rows are taken and progress is told."""

PIECES: Final = 8
"""Tables taken before they are joined: each brings the words of all before it once more."""

AnyTables = dict[str, pa.Table]
Progress = Callable[[int, int], None]
"""Called with the packets and the octets of input read so far."""


def decode(
    points: Sequence[Source], detail: Detail = "aggregates", progress: Progress | None = None
) -> dict[str, pa.Table]:
    """All tables of one pass over the captures and logs."""
    captures, logs = divided(points)
    made = [zeek.decode(point.name, _log_files(point), progress) for point in logs]
    if captures or not made:
        made.insert(0, _decode(captures, detail, progress))
    return made[0] if len(made) == 1 else {name: joined([one[name] for one in made]) for name in KEPT}


def divided(points: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    """The same points with their captures, and with Zeek's logs; those that have none of them are left out."""
    captures, logs = [], []
    for point in points:
        found = tuple(file for file in point.files if file.name.startswith(PREFIX))
        rest = tuple(file for file in point.files if file not in found)
        if found:
            logs.append(Source(point.name, found))
        if rest:
            captures.append(Source(point.name, rest))
    return captures, logs


def _log_files(point: Source) -> list[zeek.LogFile]:
    return [zeek.LogFile(file.name.removeprefix(PREFIX), Path(file.path)) for file in point.files]


def _decode(points: list[Source], detail: Detail, progress: Progress | None) -> dict[str, pa.Table]:
    decoder = Decoder(points, detail=detail, threads=threads())
    pieces: dict[str, list[pa.Table]] = {name: [] for name in KEPT}
    going = True
    while going:
        going = decoder.advance(_STEP)
        for name in KEPT:
            table = decoder.take(name)
            if table.num_rows or not pieces[name]:
                pieces[name].append(table)
            if len(pieces[name]) >= PIECES:
                pieces[name] = [joined(pieces[name])]
        if progress is not None:
            progress(decoder.packets, decoder.bytes_read)
    return {name: joined(found) for name, found in pieces.items()}


def threads() -> int:
    """How many threads decode: ZONEWATCH_THREADS, else two where the machine has as many. The results are the same."""
    wanted = os.environ.get("ZONEWATCH_THREADS", "")
    if not wanted:
        return min(2, os.cpu_count() or 1)
    if wanted not in ("1", "2"):
        raise UsageError(f"ZONEWATCH_THREADS is {wanted!r}; it is 1 or 2")
    return int(wanted)


def joined(pieces: Sequence[pa.Table]) -> pa.Table:
    """One table, with one set of words."""
    return pa.concat_tables(pieces).unify_dictionaries()


def spelled(table: pa.Table) -> pa.Table:
    """The same rows with dictionary words as plain text."""
    columns = {
        field.name: table[field.name].cast(pa.utf8()) if field.type == schemas.WORD else table[field.name]
        for field in table.schema
    }
    return pa.table(columns)
