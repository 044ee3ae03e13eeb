"""A comparison out of editions, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from zonewatch.reports.compare.assets import asset_changes, service_changes
from zonewatch.reports.compare.findings import finding_changes
from zonewatch.reports.compare.judged import judged_changes
from zonewatch.reports.compare.model import MOVES, SUBJECTS, Change, Comparison, Edition, Measured, Step, Trend
from zonewatch.reports.compare.pairs import Pairs, paired
from zonewatch.reports.compare.plan import plan_changes
from zonewatch.reports.compare.sight import Sight
from zonewatch.reports.compare.traffic import traffic_changes
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.result import AuditResult, Capture, totals
from zonewatch.rules.findings import SEVERITIES

__all__ = ["MEASURES", "compare", "step"]

MEASURES: Final[tuple[tuple[str, Callable[[Capture], int]], ...]] = (
    ("packets", lambda row: row.packets),
    ("bytes", lambda row: row.bytes),
    ("drops", lambda row: row.reported_drops or 0),
    ("gaps", lambda row: row.gaps),
    ("one_sided", lambda row: row.one_sided_flows),
    ("undecoded", lambda row: sum(item.bytes for item in row.undecoded)),
    ("unrecognised", lambda row: sum(item.bytes for item in row.unknown)),
    ("evicted", lambda row: row.flows_evicted + row.combinations_coalesced + row.events_thinned),
)
"""What is told of the coverage of both editions, side by side."""


def compare(editions: Sequence[Edition]) -> Comparison:
    """Each with the one before. Raises ValueError where there are fewer than two."""
    if len(editions) < 2:
        raise ValueError("a comparison needs two editions")
    return Comparison(tuple(map(_trend, editions)), tuple(step(one, other) for one, other in pairwise(editions)))


def step(before: Edition, after: Edition) -> Step:
    """What became of everything between two editions, in one order."""
    was, now = before.result, after.result
    pairs = paired(was, now)
    sights = (Sight(was, now), Sight(now, was))
    changes = sorted(_changes(was, now, pairs, sights), key=_order)
    points = tuple(frozenset(row.source for row in one.captures if row.packets) for one in (was, now))
    return Step(
        before=before.name,
        after=after.name,
        versions=(was.version, now.version),
        policies=(was.policy.sha256, now.policy.sha256),
        coverage=tuple(_measured(was, now)),
        points=(tuple(sorted(points[0] - points[1])), tuple(sorted(points[1] - points[0]))),
        changes=tuple(changes),
        blind=sights[1].blind or "",
    )


def _changes(was: AuditResult, now: AuditResult, pairs: Pairs, sights: tuple[Sight, Sight]) -> Iterator[Change]:
    yield from finding_changes(was, now, pairs, *sights)
    yield from asset_changes(pairs, *sights)
    yield from service_changes(pairs, *sights)
    yield from traffic_changes(was, now, pairs, *sights)
    yield from plan_changes(was, now)
    yield from judged_changes(was, now)


def _order(change: Change) -> tuple[int | str, ...]:
    severity = SEVERITIES.index(change.severity) if change.severity is not None else 0
    where = (SUBJECTS.index(change.subject), MOVES.index(change.move), -severity)
    return (*where, change.name, change.id, change.aspect, change.before, change.after)


def _measured(was: AuditResult, now: AuditResult) -> Iterator[Measured]:
    one, other = totals(was.captures), totals(now.captures)
    yield Measured("captures", len(was.captures), len(now.captures))
    yield Measured("window", Seen(was).window, Seen(now).window)
    for name, value in MEASURES:
        yield Measured(name, value(one), value(other))


def _trend(edition: Edition) -> Trend:
    result = edition.result
    total = totals(result.captures)
    counts = Counter(finding.severity for finding in result.findings if finding.state == "open")
    return Trend(
        name=edition.name,
        first_time=total.first_time,
        last_time=total.last_time,
        packets=total.packets,
        assets=len(result.inventory.assets),
        edges=len(result.inventory.edges),
        violations=sum(cell.events for cell in result.matrix if cell.verdict == "violation"),
        severities=tuple((severity, counts[severity]) for severity in reversed(SEVERITIES)),
    )
