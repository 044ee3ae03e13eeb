"""The inventory, the edges, the coverage and the rest of a running period's result, written as they change."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any, Final

from zonewatch.inventory.model import Asset, Edge
from zonewatch.reports.result import AuditResult
from zonewatch.sensor.store.documents import EdgeKey, asset_meaning, edge_key, edge_meaning, rest, text_of

__all__ = ["Picture"]

_MERGED: Final = """
    period = excluded.period, document = excluded.document, last = max(last, excluded.last),
    first = CASE WHEN min(first, excluded.first) = 0 THEN max(first, excluded.first)
        ELSE min(first, excluded.first) END
"""
_ASSET: Final = f"""
INSERT INTO assets (id, period, first, last, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {_MERGED}
"""
_EDGE: Final = f"""
INSERT INTO edges (client, server, protocol, transport, server_port, client_address, server_address, period, first,
    last, document)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {_MERGED}
"""
_Seen = tuple[tuple[object, ...], tuple[int, ...]]
"""What an asset or edge says, and its counts."""


@dataclass(slots=True)
class _Plan:
    assets: list[tuple[Any, ...]] = field(default_factory=list)
    edges: list[tuple[Any, ...]] = field(default_factory=list)
    coverage: list[tuple[Any, ...]] = field(default_factory=list)
    rest: bytes | None = None
    seen_assets: dict[str, _Seen] = field(default_factory=dict)
    seen_edges: dict[EdgeKey, _Seen] = field(default_factory=dict)


class Picture:
    """What was written of the period at hand, so that only changes are written."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.begin()

    def begin(self) -> None:
        """A period begins: each asset and edge is written when it is seen first in it."""
        self._assets: dict[str, _Seen] = {}
        self._edges: dict[EdgeKey, _Seen] = {}

    def plan(self, result: AuditResult, period: int, *, refresh: bool, new: bool = False) -> _Plan:
        """What the pass changes. `refresh`: counts and times are written too; `new`: it did not look at everything, and
        what is written already says more."""
        plan = _Plan()
        for asset in result.inventory.assets:
            if new and asset.id in self._assets:
                continue
            seen: _Seen = (asset_meaning(asset), (asset.last_time,))
            if _is_due(self._assets.get(asset.id), seen, refresh=refresh):
                plan.seen_assets[asset.id] = seen
                plan.assets.append(_asset(asset, period))
        for edge in result.inventory.edges:
            key = edge_key(edge)
            if new and key in self._edges:
                continue
            seen = (edge_meaning(edge), (edge.last_time, edge.events, edge.packets, edge.bytes))
            if _is_due(self._edges.get(key), seen, refresh=refresh):
                plan.seen_edges[key] = seen
                plan.edges.append(_edge(key, edge, period))
        plan.coverage = [(period, place, text_of(row)) for place, row in enumerate(result.captures)]
        if refresh:
            plan.rest = rest(result)
        return plan

    def apply(self, plan: _Plan, period: int, at: int) -> None:
        """Writes it, inside the transaction at hand."""
        self._db.executemany(_ASSET, plan.assets)
        self._db.executemany(_EDGE, plan.edges)
        self._db.execute("DELETE FROM coverage WHERE period = ? AND place >= ?", (period, len(plan.coverage)))
        self._db.executemany(
            "INSERT OR REPLACE INTO coverage (period, place, document) VALUES (?, ?, ?)", plan.coverage
        )
        self._db.execute(
            "UPDATE periods SET last = ?, passes = passes + 1, rest = coalesce(?, rest) WHERE number = ?",
            (at, plan.rest, period),
        )

    def done(self, plan: _Plan) -> None:
        """The transaction is on the disk."""
        self._assets.update(plan.seen_assets)
        self._edges.update(plan.seen_edges)


def _is_due(before: _Seen | None, now: _Seen, *, refresh: bool) -> bool:
    return before is None or before[0] != now[0] or (refresh and before[1] != now[1])


def _asset(asset: Asset, period: int) -> tuple[Any, ...]:
    return (asset.id, period, asset.first_time, asset.last_time, text_of(asset))


def _edge(key: EdgeKey, edge: Edge, period: int) -> tuple[Any, ...]:
    return (*key, period, edge.first_time, edge.last_time, text_of(edge))
