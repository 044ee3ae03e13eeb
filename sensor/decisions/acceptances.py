"""Which findings are accepted at a moment, by the decisions made so far.

An acceptance holds for one finding, an exception for all that its words fit. Both hold until their end and for findings
no graver than they say. A side (OT, IT) accepts for itself: a finding of both needs both, by one decision or by two.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.codec import ShapeError, decode
from zonewatch.reports.result import AuditResult
from zonewatch.reports.words import parse_time
from zonewatch.rules.findings import SEVERITIES, Finding, Owner, Severity
from zonewatch.sensor.decisions.chain import Decision

__all__ = ["SIDES", "Acceptance", "Scope", "accepted_by", "conduit_pairs", "in_force", "missing_sides"]

SIDES: Final[Mapping[Owner, frozenset[str]]] = {
    "OT": frozenset(("OT",)),
    "IT": frozenset(("IT",)),
    "both": frozenset(("OT", "IT")),
}
Pairs = Mapping[str, Set[frozenset[str]]]
"""Conduit → the zones that it joins."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an acceptance or exception is about: the document of its decision. All that is given must fit."""

    owner: Owner  # the side that accepts
    most: Severity  # graver findings are not covered
    finding: str = ""
    rule: str = ""  # name of a rule; * stands for anything
    zone: str = ""  # all zones of the finding are this one
    conduit: str = ""  # the finding is about traffic between its zones
    asset: str = ""  # one of the finding's assets


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An acceptance or exception in force."""

    number: int
    until: int
    scope: Scope

    def covers(self, finding: Finding, pairs: Pairs) -> bool:
        """Whether it is about this finding."""
        scope = self.scope
        return (
            SEVERITIES.index(finding.severity) <= SEVERITIES.index(scope.most)
            and scope.finding in ("", finding.id)
            and (not scope.rule or fnmatch.fnmatchcase(finding.rule, scope.rule))
            and (not scope.zone or set(finding.zones) == {scope.zone})
            and (not scope.conduit or frozenset(finding.zones) in pairs.get(scope.conduit, ()))
            and (not scope.asset or scope.asset in finding.assets)
        )


def in_force(decisions: Iterable[Decision], at: int) -> tuple[Acceptance, ...]:
    """The acceptances and exceptions that hold at a moment, the oldest first."""
    found: dict[int, Acceptance] = {}
    for decision in decisions:
        if decision.kind == "withdrawal":
            found.pop(int(decision.subject) if decision.subject.isdecimal() else 0, None)
        elif decision.kind in ("acceptance", "exception") and (scope := _scope(decision)) is not None:
            found[decision.number] = Acceptance(decision.number, _moment(decision.until), scope)
    return tuple(one for one in found.values() if at < one.until)


def _moment(text: str) -> int:
    """An end that cannot be read has passed: what it accepts is told."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return 0


def _scope(decision: Decision) -> Scope | None:
    """None of a document that a later version wrote and this one cannot read: what it accepts is told."""
    try:
        values = json.loads(decision.document)
        scope: Scope = decode(Scope, values)
    except (ValueError, ShapeError):
        return None
    return scope if set(values) <= {*Scope.__dataclass_fields__, "title"} else None


def accepted_by(finding: Finding, acceptances: Sequence[Acceptance], pairs: Pairs) -> int | None:
    """The number of the decision by which the last side accepted a finding; none where a side has not."""
    waiting = set(SIDES[finding.owner])
    for one in acceptances:
        if waiting & SIDES[one.scope.owner] and one.covers(finding, pairs):
            waiting -= SIDES[one.scope.owner]
            if not waiting:
                return one.number
    return None


def missing_sides(finding: Finding, acceptances: Sequence[Acceptance], pairs: Pairs) -> tuple[str, ...]:
    """The sides that have not accepted a finding."""
    covering = (one for one in acceptances if one.covers(finding, pairs))
    given = frozenset(side for one in covering for side in SIDES[one.scope.owner])
    return tuple(sorted(SIDES[finding.owner] - given))


def conduit_pairs(result: AuditResult) -> dict[str, set[frozenset[str]]]:
    """The zones that each conduit joins, as far as a result names them."""
    found: dict[str, set[frozenset[str]]] = {}
    for row in result.verdicts:
        if row.conduit:
            found.setdefault(row.conduit, set()).add(frozenset((row.client_zone, row.server_zone)))
    for flow in result.unused_flows:
        found.setdefault(flow.conduit, set()).add(frozenset((flow.from_zone, flow.to_zone)))
    return found
