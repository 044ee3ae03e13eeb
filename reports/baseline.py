"""A baseline and its deviations as rows."""

from __future__ import annotations

from typing import Final

from zonewatch.reports.rows import Cell, Column, Rows
from zonewatch.reports.words import frames, iso_time
from zonewatch.rules.baseline.deviation import Deviation
from zonewatch.rules.baseline.merge import stage_of
from zonewatch.rules.baseline.model import Baseline, Edge, Function, Objects
from zonewatch.rules.context import listing

_SHORT: Final = 5


def baseline_rows(baseline: Baseline) -> Rows:
    """One row for each function of each edge, and one for an edge of which no messages are decoded."""
    columns = (
        Column("client"),
        Column("server"),
        Column("protocol"),
        Column("function", rank=1),
        Column("operation", rank=3),
        Column("unit", rank=6),
        Column("objects", rank=2),
        Column("period", rank=5),
        Column("times", right=True, rank=2),
        Column("days", right=True, rank=2),
        Column("last", rank=7),
        Column("hours", rank=8),
        Column("stage"),
    )
    stages = {asset.id: asset.stage for asset in baseline.assets}
    rows: list[tuple[Cell, ...]] = []
    for edges, waits in ((baseline.edges, False), (baseline.pending, True)):
        for edge in edges:
            stage = "waits for review" if waits else stage_of(edge.key, stages)
            parts: tuple[Function | None, ...] = edge.functions or (None,)
            rows += [_row(edge, part, stage) for part in parts]
    return Rows(columns, tuple(rows))


def _row(edge: Edge, function: Function | None, stage: str) -> tuple[Cell, ...]:
    seen = function.seen if function is not None else edge.seen
    objects = function.objects if function is not None else ()
    periods = dict.fromkeys(f"{item.period:g} s" for item in objects if item.period is not None)
    hours = str(seen).partition("hours ")[2]
    return (
        edge.client,
        edge.server,
        edge.protocol,
        function.label if function is not None else "",
        function.operation if function is not None else "",
        function.unit if function is not None else "",
        listing(map(_objects, objects), 8),
        listing(periods, 3),
        seen.times,
        seen.days,
        str(seen.last),
        hours,
        stage,
    )


def _objects(item: Objects) -> str:
    values = item.limits or item.values
    return f"{item.range} = {values}" if values is not None else str(item.range)


def deviation_rows(deviations: tuple[Deviation, ...], *, short: bool = False) -> Rows:
    """One row for each deviation; short: what fits on a terminal."""
    rows = Rows(
        (
            Column("severity"),
            Column("kind"),
            Column("text", "what"),
            Column("bits", "surprise", right=True, rank=1),
            Column("first_time", "first", rank=2),
            *(Column(name) for name in ("last_time", "stage", "client", "server", "protocol", "function")),
            *(Column(name) for name in ("operation", "target", "days", "learned", "count", "reasons", "evidence")),
        ),
        tuple(_deviation(one) for one in deviations),
    )
    return Rows(rows.columns[:_SHORT], tuple(row[:_SHORT] for row in rows.rows)) if short else rows


def _deviation(one: Deviation) -> tuple[Cell, ...]:
    return (
        one.severity,
        one.kind,
        one.text,
        one.bits,
        iso_time(one.first_time) if one.first_time else "",
        iso_time(one.last_time) if one.last_time else "",
        one.stage,
        one.client,
        one.server,
        one.protocol,
        one.function,
        one.operation,
        one.target,
        one.days,
        one.learned,
        one.count,
        one.reasons,
        frames(one.evidence, 4),
    )
