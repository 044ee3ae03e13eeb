"""Changes of facts, and of the statuses of requirements that rest on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from zonewatch.reports.catalogue.load import fact_kinds, framework
from zonewatch.reports.compare.model import Change, Move
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.facts.model import Fact
from zonewatch.reports.result import AuditResult
from zonewatch.reports.statuses import STATUSES, RequirementStatus, Status, statuses

__all__ = ["FRAMEWORKS", "judged_changes"]

FRAMEWORKS: Final = ("iec62443-3-3",)
"""Whose statuses are compared: the others rest on the same facts."""
_TOLD: Final[frozenset[Status]] = frozenset(("contradicted", "excepted", "partly_supported", "supported"))
"""Statuses that something was seen for; from and to the others nothing got better or worse."""


def judged_changes(before: AuditResult, after: AuditResult) -> Iterator[Change]:
    """Facts of the system as a whole; requirements zone by zone."""
    was, now = measure(before), measure(after)
    yield from _facts(was, now)
    for name in FRAMEWORKS:
        asked = framework(name)
        yield from _statuses(statuses(asked, was, before), statuses(asked, now, after))


def _facts(was: Iterable[Fact], now: Iterable[Fact]) -> Iterator[Change]:
    kinds = fact_kinds()
    for old, new in zip(was, now, strict=True):
        if old.status != new.status:
            kind = kinds[new.id]
            yield Change(
                "fact",
                _direction(old.status, new.status, kind.polarity),
                new.id,
                kind.title,
                "fact",
                old.status,
                new.status,
                reason="" if new.status != "not_observable" else new.reason_key,
            )


def _direction(was: str, now: str, polarity: str) -> Move:
    if "not_observable" in (was, now):
        return "unclear" if now == "not_observable" else "changed"
    if polarity in ("positive", "negative"):
        return "better" if (now == "observed") == (polarity == "positive") else "worse"
    return "changed"


def _statuses(was: Iterable[RequirementStatus], now: Iterable[RequirementStatus]) -> Iterator[Change]:
    earlier = {(row.requirement.id, row.zone): row for row in was}
    for row in now:
        old = earlier.get((row.requirement.id, row.zone))
        if old is None or old.status == row.status:
            continue
        move: Move = "changed"
        if old.status in _TOLD and row.status in _TOLD:
            move = "better" if STATUSES.index(row.status) > STATUSES.index(old.status) else "worse"
        elif row.status == "contradicted":
            move = "worse"
        elif row.status in ("not_observable", "no_evidence"):
            move = "unclear"
        name = f"{row.requirement.id} {row.requirement.title}"
        told = f"{row.requirement.framework}/{row.requirement.id}/{row.zone}"
        yield Change("status", move, told, name, "status", old.status, row.status, row.zone, row.reason_key)
