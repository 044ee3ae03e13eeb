"""Addresses that are too many to be told one by one: those beyond a limit are told by what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.addresses import GROUPS, OTHERS, PUBLIC, is_group, is_public
from zonewatch.inventory.tables import EARLIER

MOST: Final[Mapping[str, int]] = {PUBLIC: 1_024, OTHERS: 4_096, GROUPS: 1_024}
"""Addresses of each kind that are told one by one in a run."""

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "events": ("client", "server"),
    "aggregates": ("client", "server"),
    "claims": ("address",),
    "flows": ("client", "server"),
    "addresses": ("address",),
    EARLIER: ("client", "server"),
}


def without_crowds(tables: Mapping[str, pa.Table]) -> tuple[dict[str, pa.Table], Mapping[str, int]]:
    """The tables with the crowd's addresses replaced by their kind, and how many addresses that were, by kind.

    Who takes part in OT traffic comes first, then who was answered, so that no flood of packets with forged senders
    takes the place of a device. Networks, by which the engine tells the addresses beyond its own limits, are always
    replaced.
    """
    told: dict[str, int] = dict.fromkeys(MOST, 0)
    crowd: dict[str, str] = {}
    for address in dict.fromkeys(_by_weight(tables)):
        kind = kind_of(address)
        if "/" in address or told[kind] >= MOST[kind]:
            crowd[address] = kind
        else:
            told[kind] += 1
    if not crowd:
        return dict(tables), {}
    replaced = {
        name: _replaced(table, _COLUMNS[name], crowd) if name in _COLUMNS else table for name, table in tables.items()
    }
    return replaced, {kind: count for kind in MOST if (count := sum(found == kind for found in crowd.values()))}


def kind_of(address: str) -> str:
    """What an address, or a network of the engine's, has in common with many."""
    base, _, bits = address.partition("/")
    if bits == "0" and base in ("0.0.0.0", "::"):
        return PUBLIC
    if is_group(base):
        return GROUPS
    return PUBLIC if is_public(base) else OTHERS


def _by_weight(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    flows = tables["flows"]
    answered = pc.and_(pc.greater(flows["packets_in"], 0), pc.greater(flows["packets_out"], 0))
    announced = pc.equal(tables["addresses"]["via"].cast(pa.utf8()), "arp")
    ordered = (
        ("aggregates", tables["aggregates"]),
        ("claims", tables["claims"]),
        ("flows", flows.filter(answered)),
        ("addresses", tables["addresses"].filter(announced)),
        *((name, tables[name]) for name in ("addresses", "flows", "events")),
    )
    for name, table in ordered:
        for column in _COLUMNS[name]:
            yield from map(str, table[column].cast(pa.utf8()).unique().to_pylist())


def _replaced(table: pa.Table, columns: tuple[str, ...], crowd: Mapping[str, str]) -> pa.Table:
    known, kinds = pa.array(list(crowd), pa.utf8()), pa.array(list(crowd.values()), pa.utf8())
    for name in columns:
        words: Any = table[name].cast(pa.utf8()).combine_chunks()
        positions = pc.index_in(words, value_set=known)
        column = pc.coalesce(kinds.take(positions), words).dictionary_encode()
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column.cast(table.schema.field(at).type))
    return table
