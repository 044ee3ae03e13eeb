"""A baseline as questions are put to it: is this known, and what was expected?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.baseline.model import (
    VALUED,
    Baseline,
    Edge,
    EdgeKey,
    Function,
    FunctionKey,
    KnownAsset,
    Objects,
    Points,
    Span,
)

FEWEST_BITS: Final = 3.0
"""A value beyond its range by less than the width of that range is told from here on: 15 values before it."""
FEWEST_VALUES: Final = 2


def surprise(times: int, of: int, kinds: int = 2) -> float:
    """−log2 of the probability of what was seen this often out of so many, with add-half smoothing."""
    return round(-math.log2((times + 0.5) / (of + 0.5 * kinds)), 1)


class Expected(NamedTuple):
    """The values that were learned for objects, or that an engineer set."""

    span: Span
    samples: int
    is_limit: bool
    changing: bool  # of what is written, not read

    @property
    def bits(self) -> float:
        """Surprise of a new extreme: of n values before it and itself, any of which may be the least or greatest."""
        return round(math.log2((self.samples + 1) / 2), 1)

    def leaves(self, low: float, high: float) -> bool:
        """True where values leave the range so far that it says something.

        Readings drift: they must be off by more than the width of the range, and so must written values of which few
        are known.
        """
        if self.span.holds(low, high):
            return False
        if self.is_limit:
            return True
        if self.samples < FEWEST_VALUES:
            return False
        width = (self.span.high - self.span.low) or max(abs(self.span.high), 1.0)
        far = not Span(self.span.low - width, self.span.high + width).holds(low, high)
        enough = self.bits >= FEWEST_BITS
        return (far or enough) if self.changing else (far and enough)


class Known:
    """A baseline with indexes."""

    def __init__(self, baseline: Baseline, edges: Iterable[Edge] | None = None) -> None:
        self.assets: dict[str, KnownAsset] = {asset.id: asset for asset in baseline.assets}
        self.edges: dict[EdgeKey, Edge] = {edge.key: edge for edge in (baseline.edges if edges is None else edges)}
        self.functions: dict[tuple[EdgeKey, FunctionKey], Function] = {}
        self.of_server: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
        self.of_end: defaultdict[str, list[Edge]] = defaultdict(list)
        self._objects: defaultdict[tuple[str, str, str, str, str], list[tuple[EdgeKey, Function, Objects]]]
        self._objects = defaultdict(list)
        for edge in self.edges.values():
            self.of_server[edge.server, edge.protocol].append(edge)
            for end in {edge.client, edge.server}:
                self.of_end[end].append(edge)
            for function in edge.functions:
                self.functions[edge.key, function.key] = function
                for item in function.objects:
                    points = item.range
                    place = (edge.server, edge.protocol, function.unit, points.kind, points.property_name)
                    self._objects[place].append((edge.key, function, item))

    def operations(self, edges: Iterable[Edge]) -> dict[str, int]:
        """The operations of edges, with how often."""
        found: defaultdict[str, int] = defaultdict(int)
        for edge in edges:
            for function in edge.functions:
                found[function.operation] += function.seen.times
        return found

    def _about(self, edge: EdgeKey, unit: str, points: Points) -> Iterator[tuple[EdgeKey, Function, Objects]]:
        """Known objects of the same kind: those of the edge, or where it is not known those of the server."""
        found = self._objects.get((edge[1], edge[2], unit, points.kind, points.property_name), [])
        yield from (item for item in found if item[0] == edge or edge not in self.edges)

    def written(self, edge: EdgeKey, unit: str, points: Points) -> bool:
        """True where all of these objects were written before (by the client; of a new client, by anyone)."""
        known = [
            item.range for _, function, item in self._about(edge, unit, points) if function.operation in STATE_CHANGING
        ]
        return covers(known, points)

    def expected(self, edge: EdgeKey, unit: str, points: Points, *, changing: bool) -> Expected | None:
        """The values of these objects: of the very same range, else of those that it touches."""
        if points.kind not in VALUED:
            return None
        found = [
            item
            for _, function, item in self._about(edge, unit, points)
            if (function.operation in STATE_CHANGING) == changing and item.range.meets(points)
        ]
        limits = [item.limits for item in found if item.limits is not None]
        if limits:
            return Expected(_all(limits), 0, is_limit=True, changing=changing)
        found = [item for item in found if item.range == points] or found
        spans = [item.values for item in found if item.values is not None]
        if not spans:
            return None
        return Expected(_all(spans), sum(item.changes + 1 for item in found), is_limit=False, changing=changing)


def _all(spans: list[Span]) -> Span:
    whole = spans[0]
    for span in spans[1:]:
        whole = whole.joined(span)
    return whole


def covers(known: Iterable[Points], points: Points) -> bool:
    """True where every object is in one of the ranges (all of one kind and property)."""
    spans = []
    for item in known:
        if (item.kind, item.property_name) != (points.kind, points.property_name):
            continue
        if item.start is None or item.end is None:
            return True
        spans.append((item.start, item.end))
    if points.start is None or points.end is None:
        return False
    need = points.start
    for start, end in sorted(spans):
        if start > need:
            break
        need = max(need, end + 1)
    return need > points.end
