"""Rows of a comparison. Absence is a claim as well: it is told only where the later captures could have shown it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Severity

__all__ = [
    "MOVES",
    "REASONS",
    "SUBJECTS",
    "Change",
    "Comparison",
    "Edition",
    "Measured",
    "Move",
    "Reason",
    "Step",
    "Subject",
    "Trend",
]

Move = Literal["worse", "appeared", "changed", "better", "vanished", "unclear"]
"""What became of a thing. A new finding is `worse`, a closed one `vanished`; `unclear`: gone, nobody can say why."""
MOVES: Final[tuple[Move, ...]] = get_args(Move)
Subject = Literal[
    "finding",
    "asset",
    "service",
    "edge",
    "operation",
    "zone",
    "conduit",
    "flow",
    "policy",
    "fact",
    "status",
]
SUBJECTS: Final[tuple[Subject, ...]] = get_args(Subject)
Reason = Literal[
    "no_capture",
    "partial_capture",
    "window_short",
    "dropped",
    "undecoded",
    "one_way",
    "point_missing",
    "ends_unseen",
    "rule_off",
    "zone_unseen",
    "no_policy",
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
"""Why an edition cannot say that a thing is not there."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A result, and what a reader calls it."""

    name: str
    result: AuditResult
    sha256: str = ""  # of its result.json


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one thing between two editions."""

    subject: Subject
    move: Move
    id: str  # of the thing in the later edition, or in the earlier where it is gone
    name: str  # for people
    aspect: str = ""  # which of its properties: a key of the texts; empty: the thing itself
    before: str = ""
    after: str = ""
    place: str = ""  # zones
    reason: str = ""  # why nobody can say that it is gone, or that it is new: one of REASONS
    severity: Severity | None = None  # of a finding: the later one, or the last known


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of an edition, beside that of the other."""

    name: str  # a key of the texts
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Step:
    """From one edition to the next."""

    before: str  # names
    after: str
    versions: tuple[str, str]  # of zonewatch
    policies: tuple[str, str]  # SHA-256; empty: none was given
    coverage: tuple[Measured, ...]
    points: tuple[tuple[str, ...], tuple[str, ...]]  # capture points that are only in the earlier, only in the later
    changes: tuple[Change, ...]
    blind: str = ""  # why the later edition as a whole cannot say that anything is gone; empty: it depends

    @property
    def same_policy(self) -> bool:
        """Whether both were judged by the same policy, or both by none."""
        return self.policies[0] == self.policies[1]

    @property
    def same_version(self) -> bool:
        """Whether the same version of zonewatch made both."""
        return self.versions[0] == self.versions[1]

    def of(self, *subjects: Subject) -> tuple[Change, ...]:
        """The changes of some subjects."""
        return tuple(change for change in self.changes if change.subject in subjects)


@dataclass(frozen=True, slots=True)
class Trend:
    """What an edition counts."""

    name: str
    first_time: int
    last_time: int
    packets: int
    assets: int
    edges: int
    violations: int  # events
    severities: tuple[tuple[Severity, int], ...]  # open findings, the gravest first


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it; `steps` are one fewer than the editions."""

    trend: tuple[Trend, ...]
    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """The latest step, which reports tell in detail."""
        return self.steps[-1]
