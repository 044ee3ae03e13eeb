"""A receiver whose behaviour a test says, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.sensor.shipping.outbox import START
from zonewatch.sensor.shipping.backoff import Backoff
from zonewatch.sensor.shipping.delivery import Deliveries
from zonewatch.sensor.shipping.outbox import Outbox
from zonewatch.sensor.shipping.receiver import DELIVERED, Outcome, Row
from zonewatch.sensor.shipping.worker import Limits, Worker

SECOND = 1_000_000_000
LATER = Outcome("later", "429 busy")
REFUSED = Outcome("refused", "400 no such field")
NAME = "siem"


@dataclass
class Time:
    """A clock."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@dataclass
class Scripted:
    """Takes what `answer` says, and remembers what it got: every row that came over, in order."""

    answer: Callable[[Row], Outcome] = lambda _: DELIVERED
    fail: Callable[[Sequence[Row]], Exception | None] = lambda _: None
    got: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    closed: int = 0
    doubled: bool = False
    """A batch had two rows of one subject."""

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        self.batches.append(len(rows))
        self.doubled |= len({row.subject for row in rows}) < len(rows)
        error = self.fail(rows)
        if error is not None:
            raise error
        outcomes = [self.answer(row) for row in rows]
        self.got += [row.event_id for row, outcome in zip(rows, outcomes, strict=True) if outcome == DELIVERED]
        return outcomes

    def close(self) -> None:
        self.closed += 1


@dataclass
class Bench:
    """A worker on a folder, with its receiver and clock; `restart` begins anew on the same files."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    receiver: Scripted = field(default_factory=Scripted)
    time: Time = field(default_factory=Time)
    said: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.deliveries = Deliveries(self.folder)
        self.deliveries.begin([NAME])
        self.worker = Worker(
            NAME,
            lambda: self.receiver,
            Outbox(self.folder),
            self.deliveries,
            Backoff(SECOND, 300 * SECOND, lambda: 0.5),
            self.time,
            self.limits,
            self.secrets,
            self.said.append,
        )

    def run(self, seconds: float = 0) -> int:
        """Turns until nothing is to be done within so many seconds; how many turns."""
        end = self.time.now + int(seconds * SECOND)
        for turns in range(1, 100_000):
            wait = self.worker.turn()
            if wait < 0 or self.time.now + wait > end:
                self.time.now = max(self.time.now, end)
                return turns
            self.time.now += wait
        raise AssertionError("no end")
