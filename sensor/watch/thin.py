"""Of rows that repeat, a few: what a brief pass reads of tables that grow as long as a period lasts.

What is left out may make a finding late, and must never make one up: what rows of long ago refute is told by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.tables import plain
from zonewatch.rules.sessions import gives_a_hand
from zonewatch.rules.tags.learn import naming
from zonewatch.sensor.decoding import PIECES, joined
from zonewatch.sensor.pipeline import Given

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "flows": (
        *("source", "transport", "client", "server", "server_port", "vlan", "client_mac", "server_mac"),
        *("service", "basis", "odd_port", "state"),
    ),
    "aggregates": (
        *("source", "protocol", "transport", "client", "server", "server_port", "client_unit", "server_unit", "vlan"),
        *("kind", "function", "operation", "status", "object_kind", "object_start", "object_count", "property"),
        "coalesced",
    ),
}
"""Tables that are thinned: rows that agree in these columns tell the same of another time."""

_CHANGE: Final = ("source", "client", "server", "server_unit", "protocol", "operation", "function")
_OBJECT: Final = ("kind", "start", "property_name")
_MOST_CHANGES: Final = 20_000
"""Kinds of changes whose first event stays."""
_ROW: Final = "_row"
_ALONE: Final = "_alone"
_PART: Final = "_part"


def asked_whole(given: Given) -> Iterator[str]:
    """The tables of which every row counts: quarters of an hour tell a baseline who fell silent and a policy how often
    a flow is used, and connections who opened them, where a conduit says who may."""
    conduits = given.policy.conduits if given.policy is not None else ()
    rated = any(flow.rate_max_per_s is not None for conduit in conduits for flow in conduit.flows)
    if given.baseline is not None or rated:
        yield "aggregates"
    if any(conduit.initiator is not None for conduit in conduits):
        yield "flows"


def thinned(table: pa.Table, kind: Sequence[str]) -> pa.Table:
    """The first and the last row of every kind, in their order.

    All rows stay of flows that nobody knows the service of, as all of them together tell what it is, and of remote
    sessions: of a pivot every hop counts.
    """
    words, row = plain(table.select(list(kind))), _numbers(table)
    alone = pa.array([False] * table.num_rows)
    if "service" in kind:
        alone = pc.or_(pc.equal(words["service"], ""), gives_a_hand(words["service"]))
    words = words.append_column(_ALONE, pc.if_else(alone, row, -1)).append_column(_ROW, row)
    groups = words.group_by([*kind, _ALONE], use_threads=False).aggregate([(_ROW, "min"), (_ROW, "max")])
    ends: list[Any] = [*groups[f"{_ROW}_min"].to_pylist(), *groups[f"{_ROW}_max"].to_pylist()]
    return table.take(pa.array(sorted(set(ends)), pa.int64()))


def told_for_good(events: pa.Table, of: Sequence[str] = (*_CHANGE, *_OBJECT)) -> pa.Table:
    """The events that count however old they are, in their order: names that devices told, and the first of every
    change, as who did it before does not do it for the session of a stranger.

    Changes that agree in `of` are one; without the columns of objects, those of all objects.
    """
    row = _numbers(events)
    names: list[Any] = naming(events.append_column(_ROW, row))[_ROW].to_pylist()
    return events.take(pa.array(sorted({*names, *_first_changes(events, of)}), pa.int64()))


def parted(told: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Of events that count for good those that are judged again (names, and the first change of a client on a device
    with a function, which tells whether they may), and those that only tell what went on before."""
    told = told.append_column(_PART, _numbers(told))
    judged = told_for_good(told, _CHANGE)
    earlier = told.filter(pc.invert(pc.is_in(told[_PART], value_set=judged[_PART].combine_chunks())))
    return judged.drop_columns([_PART]), earlier.drop_columns([_PART])


def _first_changes(events: pa.Table, of: Sequence[str]) -> Iterable[int]:
    is_change = pc.is_in(events["operation"].cast(pa.utf8()), value_set=pa.array(sorted(STATE_CHANGING)))
    changes = events.append_column(_ROW, _numbers(events)).filter(is_change).combine_chunks()
    if not changes.num_rows:
        return ()
    words = plain(changes.select([*_CHANGE, _ROW]))
    objects: Any = changes["objects"].combine_chunks()
    first = pc.if_else(pc.greater(pc.list_value_length(objects), 0), objects.offsets[:-1], pa.scalar(None, pa.int32()))
    item = objects.values.take(first)
    for name in _OBJECT:
        column = pc.struct_field(item, name)
        words = words.append_column(name, column.cast(pa.utf8()) if pa.types.is_dictionary(column.type) else column)
    groups = words.group_by(list(of), use_threads=False).aggregate([(_ROW, "min")])
    rows: list[Any] = groups[f"{_ROW}_min"].to_pylist()
    return sorted(rows)[:_MOST_CHANGES]


def _numbers(table: pa.Table) -> Any:
    return pa.array(range(table.num_rows), pa.int64())


class Thin:
    """Rows that are thinned whenever they are twice as many as were left the last time."""

    def __init__(self, kind: Sequence[str], least: int) -> None:
        self._kind, self._least = kind, least
        self._pieces: list[pa.Table] = []
        self._rows, self._most = 0, least

    def add(self, table: pa.Table) -> None:
        """Takes the next rows."""
        self._pieces.append(table)
        self._rows += table.num_rows
        if self._rows > self._most:
            left = thinned(joined(self._pieces), self._kind)
            self._pieces, self._rows = [left], left.num_rows
            self._most = max(2 * self._rows, self._least)
        elif len(self._pieces) >= PIECES:
            self._pieces = [joined(self._pieces)]

    def rows(self) -> list[pa.Table]:
        """What is left, and what came since."""
        return list(self._pieces)
