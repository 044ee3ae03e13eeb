"""What a mini capture holds beside the packets of a finding, so that its rule can be asked again: how their
conversations began.

A rule reads a message by what was agreed before it: who opened the connection, which secure channel and session it is
of, by which content the service was recognised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain

__all__ = ["beginnings"]

MOST_AGREED: Final = 6
"""Frames by which a conversation agreed on something, and as many by which its service was told."""
_AGREEING: Final = frozenset(("session", "authenticate"))
"""Operations that a session starts with."""
_ENDS: Final = ("source", "transport", "client", "server", "client_port", "server_port")
_TOLD: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "flows": (("capture", "first_frame"), ("capture", "last_frame")),
    "activities": (("capture", "request_frame"), ("capture", "first_frame")),
    "events": (("capture", "request_frames"), ("response_capture", "response_frames")),
}
"""By table: columns of frames, each with the column that names their capture."""

Ends = tuple[Any, ...]
"""A conversation: the values of _ENDS."""


def beginnings(named: Collection[Evidence], tables: Mapping[str, pa.Table]) -> dict[Evidence, tuple[Evidence, ...]]:
    """By frame: those by which its conversations began, in order. A frame of no conversation that is known has none."""
    present = {name: tables[name] for name in _TOLD if name in tables}
    ends: defaultdict[Evidence, set[Ends]] = defaultdict(set)
    for name, table in present.items():
        for row in _holding(table, _TOLD[name], {packet.frame for packet in named}):
            for packet in _packets(row, _TOLD[name]):
                if packet in named:
                    ends[packet].add(_key(row))
    wanted = {key for keys in ends.values() for key in keys}
    first: defaultdict[Ends, list[Evidence]] = defaultdict(list)
    for name, table in present.items():
        for key, packets in _starts(name, _between(_agreeing(table) if name == "events" else table, wanted), wanted):
            first[key] += packets
    return {packet: tuple(sorted({one for key in keys for one in first[key]})) for packet, keys in ends.items()}


def _starts(
    name: str, rows: Iterable[Mapping[str, Any]], wanted: Collection[Ends]
) -> Iterator[tuple[Ends, list[Evidence]]]:
    found: defaultdict[Ends, set[Evidence]] = defaultdict(set)
    for row in rows:
        key = _key(row)
        if key in wanted:
            found[key].update(_packets(row, _TOLD[name][:1] if name == "flows" else _TOLD[name]))
    for key, packets in found.items():
        yield key, sorted(packets)[:MOST_AGREED]


def _key(row: Mapping[str, Any]) -> Ends:
    return tuple(row[name] for name in _ENDS)


def _packets(row: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> Iterator[Evidence]:
    for capture, name in columns:
        frames = row[name]
        if row[capture] and frames is not None:
            # A part that comes long after its end is of the file before, which the row does not name.
            kept = [one for one in frames if one <= frames[-1] + 1_000] if isinstance(frames, list) else [frames]
            yield from (Evidence(row["source"], row[capture], frame) for frame in kept)


def _rows(table: pa.Table, mask: Any) -> list[dict[str, Any]]:
    columns = [name for name in dict.fromkeys((*_ENDS, *_FRAMES)) if name in table.column_names]
    return plain(table.select(columns).filter(mask)).to_pylist()


_FRAMES: Final = tuple(dict.fromkeys(name for pairs in _TOLD.values() for pair in pairs for name in pair))


def _holding(table: pa.Table, columns: Sequence[tuple[str, str]], frames: Collection[int]) -> list[dict[str, Any]]:
    """The rows that have one of these frames, in whatever capture."""
    wanted = pa.array(sorted(frames), pa.uint64())
    found: set[int] = set()
    for _, name in columns:
        values: Any = table.column(name).combine_chunks()
        is_list = pa.types.is_list(values.type)
        mask: Any = pc.is_in(pc.list_flatten(values) if is_list else values, value_set=wanted)
        places: Any = pc.list_parent_indices(values) if is_list else pa.array(range(len(values)), pa.int64())
        found.update(places.filter(mask).to_pylist())
    mask = pc.is_in(pa.array(range(table.num_rows), pa.int64()), value_set=pa.array(sorted(found), pa.int64()))
    return _rows(table, mask)


def _agreeing(events: pa.Table) -> pa.Table:
    """Those that a session starts with; most events are none, and rows are dear."""
    operations: Any = events.column("operation").cast(pa.utf8())
    return events.filter(pc.is_in(operations, value_set=pa.array(sorted(_AGREEING))))


def _between(table: pa.Table, wanted: Collection[Ends]) -> list[dict[str, Any]]:
    """The rows of these conversations, and some more."""
    ports = pa.array(sorted({key[_ENDS.index("client_port")] for key in wanted}), pa.uint16())
    clients = pa.array(sorted({key[_ENDS.index("client")] for key in wanted}), pa.utf8())
    column: Any = table.column("client")
    names: Any = column.cast(pa.utf8()) if pa.types.is_dictionary(column.type) else column
    mask: Any = pc.and_(pc.is_in(table.column("client_port"), value_set=ports), pc.is_in(names, value_set=clients))
    return _rows(table, mask)
