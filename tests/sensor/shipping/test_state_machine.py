"""Whatever a receiver and the machine do: each alert arrives or is kept as refused, in order for its subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.sensor.shipping.conftest import MEMORY
from tests.sensor.shipping.outbox import put
from tests.sensor.shipping.scripted import LATER, NAME, REFUSED, SECOND, Bench
from zonewatch.sensor.shipping.receiver import DELIVERED, Row, TooMuch, Unreachable
from zonewatch.sensor.shipping.status import figures
from zonewatch.sensor.shipping.worker import Limits

SUBJECTS = st.sampled_from(["A", "B", "C", "D"])
MOODS = ("takes", "down", "full", "picky", "broken", "half", "crowded")


class Crash(BaseException):
    """The process ends here."""


class Shipping(RuleBasedStateMachine):
    """The sensor promises, the receiver has moods, the process crashes, time passes."""

    @initialize(rows=st.integers(1, 6), held=st.integers(1, 6))
    def begin(self, rows: int, held: int) -> None:
        self.folder = TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.bench = Bench(Path(self.folder.name), Limits(rows=rows, held=held))
        self.mood = "takes"
        self.arrived: list[str] = []
        self.promised: defaultdict[str, list[str]] = defaultdict(list)
        self.bench.receiver.answer = self.answer
        self.bench.receiver.fail = self.fail
        self.retried = False
        self.again = 0  # rows that were refused and wait again, beyond what may be held

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        self.mood = "takes"
        self.bench.run(7200)
        refused = {one.row.event_id for one in self.bench.deliveries.held(NAME, refused=True, most=10**6)}
        promised = [event for events in self.promised.values() for event in events]
        assert set(self.arrived) | refused == set(promised), "lost"
        assert figures(self.bench.folder)[0].waiting == 0
        assert not self.bench.receiver.doubled
        if not self.retried:
            for subject, events in self.promised.items():
                first = list(dict.fromkeys(event for event in self.arrived if event in set(events)))
                assert first == [event for event in events if event in set(first)], f"order of {subject}"
        self.bench.deliveries.close()
        self.folder.cleanup()

    def answer(self, row: Row) -> Any:
        number = int(row.event_id.rpartition(".")[2])
        if self.mood == "full" or (self.mood == "picky" and number % 3 == 0):
            return LATER
        if self.mood == "picky" and number % 3 == 1:
            return REFUSED
        self.arrived.append(row.event_id)
        return DELIVERED

    def fail(self, rows: Sequence[Row]) -> Exception | None:
        if self.mood == "half":  # it took some of them, and the answer never came
            self.arrived += [row.event_id for row in rows[: len(rows) // 2]]
        if self.mood == "crowded" and len(rows) > 1:
            return TooMuch("413")
        return {
            "down": Unreachable("refused"),
            "half": Unreachable("reset"),
            "broken": ValueError("a fault of ours"),
        }.get(self.mood)

    @rule(subjects=st.lists(SUBJECTS, min_size=1, max_size=8))
    def promise(self, subjects: list[str]) -> None:
        rows = []
        for subject in subjects:
            event = f"{subject}.{len(self.promised[subject]) + 1}"
            self.promised[subject].append(event)
            rows.append((event, subject))
        put(self.bench.folder, rows, at=self.bench.time.now)

    @rule(mood=st.sampled_from(MOODS))
    def change(self, mood: str) -> None:
        self.mood = mood

    @rule(turns=st.integers(1, 5))
    def turn(self, turns: int) -> None:
        for _ in range(turns):
            self.bench.worker.turn()

    @rule(seconds=st.sampled_from([1, 60, 3600]))
    def wait(self, seconds: int) -> None:
        self.bench.run(seconds)

    @rule(step=st.sampled_from([-86_400, 0, 86_400]))
    def restart(self, step: int) -> None:
        self.bench.deliveries.close()
        self.bench.time.now += step * SECOND
        self.bench.restart()

    @rule()
    def crash_after_sending(self) -> None:
        """The rows went over, and the process ended before it could keep that."""

        def settle(*_: Any, **__: Any) -> None:
            raise Crash

        self.bench.deliveries.settle = settle  # type: ignore[method-assign]
        with suppress(Crash):
            self.bench.worker.turn()
        self.bench.deliveries.close()
        self.bench.restart()

    @rule()
    def retry(self) -> None:
        count = self.bench.deliveries.retry(NAME)
        self.retried |= count > 0
        self.again += count

    @invariant()
    def nothing_is_uncounted(self) -> None:
        if not hasattr(self, "bench"):
            return
        (one,) = figures(self.bench.folder)
        promised = sum(map(len, self.promised.values()))
        assert one.waiting + one.refused + one.delivered >= promised
        assert one.waiting + one.refused <= promised
        limits = self.bench.worker._limits
        assert self.bench.deliveries.waiting(NAME) <= limits.held + limits.rows + self.again


TestShipping = Shipping.TestCase
TestShipping.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
