"""What a sensor's store adds to a result: how it ran in a span of time, and what people decided. Rows are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Decided", "Gap", "Health", "Told", "Watched", "WatchedPeriod"]


@dataclass(frozen=True, slots=True)
class WatchedPeriod:
    """A period of the sensor, with what was judged in it."""

    number: int
    first_time: int
    last_time: int
    state: Literal["whole", "running", "broken"]
    kept: bool  # its result is in the store still
    version: str  # of zonewatch
    policy: str  # SHA-256 of its text; empty: none was in force
    packets: int = 0
    dropped: int = 0  # as the capturing machine reported
    allowed: int = 0  # exchanges of control protocols
    violations: int = 0
    conform: int = 0  # conduits of which all traffic was allowed
    judged: int = 0  # conduits with traffic


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the span of which nothing is known."""

    first_time: int
    last_time: int
    why: Literal["not_running", "not_kept", "not_yet"]


@dataclass(frozen=True, slots=True)
class Health:
    """What was wrong with the sensor itself."""

    severity: str
    title: str
    text: str
    state: str  # open, resolved
    first_time: int
    last_time: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of a person about findings, made up to the end of the span."""

    number: int
    when_time: int
    who: str
    kind: str  # acceptance, exception, withdrawal
    subject: str
    until_time: int
    reason: str
    holds: bool  # at the end of the span
    finding: str = ""  # the id of the finding, where it is about one


@dataclass(frozen=True, slots=True)
class Told:
    """Alerts of the store since it began: how often told, how many wait for a receiver."""

    told: int = 0
    waiting: int = 0
    oldest_time: int = 0  # of those that wait


@dataclass(frozen=True, slots=True)
class Watched:
    """A sensor within a span."""

    first_time: int
    last_time: int
    periods: tuple[WatchedPeriod, ...] = ()
    gaps: tuple[Gap, ...] = ()
    health: tuple[Health, ...] = ()
    decisions: tuple[Decided, ...] = ()
    told: Told = Told()
    problem: str = ""  # why decisions cannot be trusted from some number on

    @property
    def span(self) -> int:
        """Its length in nanoseconds."""
        return self.last_time - self.first_time

    @property
    def unknown(self) -> int:
        """The nanoseconds of it of which nothing is known."""
        return sum(gap.last_time - gap.first_time for gap in self.gaps)

    @property
    def uptime(self) -> float:
        """The share of the span that was watched and is on record."""
        return 1 - self.unknown / self.span if self.span > 0 else 0.0
