"""What detectors ask of connections, and whether an earlier finding tells them."""

from __future__ import annotations

from collections.abc import Iterable

from zonewatch.inventory.model import Edge
from zonewatch.rules.context import ANSWERED, Context, Fact
from zonewatch.rules.judge import VerdictRow
from zonewatch.rules.seen import unanswered


def answered(edge: Edge) -> bool:
    """True where the server was seen to answer."""
    if edge.functions:
        return any(status in ("ok", "error", "response_only") for item in edge.functions for status, _ in item.statuses)
    return edge.state in ANSWERED


def not_answered(context: Context, edges: Iterable[Edge]) -> str:
    """That no answer was seen, with what may have hidden one."""
    return unanswered((item.source for edge in edges for item in edge.evidence), context.blind)


def fact_of(edge: Edge) -> Fact:
    """What an edge is as a fact."""
    return edge.client, edge.server, edge.protocol


def facts_of(edges: Iterable[Edge]) -> frozenset[Fact]:
    """The facts that edges are."""
    return frozenset(fact_of(edge) for edge in edges)


def is_told(row: VerdictRow, told: frozenset[Fact]) -> bool:
    """True for what an earlier finding tells. What a flow allows is told by none, whatever else the two ends did."""
    if row.decision.verdict == "allowed":
        return False
    return row.decision.verdict == "violation" or (row.client.id, row.server.id, row.seen.protocol) in told
