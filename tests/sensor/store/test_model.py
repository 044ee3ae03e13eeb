"""Findings come and go, are accepted, and acceptances end: the store against a model of a few lines."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.sensor.store.made import HOUR, SECOND, Hands, begin, finding, open_store, result, states, told
from zonewatch.rules.findings import SEVERITIES, Finding, Severity
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.store.store import Store

MEMORY = Path("/dev/shm")  # whole transactions to a real disk take most of the time
NAMES = ("a", "b", "c", "d")
MADE = {name: finding(name, owner="both" if name == "d" else "OT") for name in NAMES}


@dataclass
class One:
    """What the model knows of a finding."""

    severity: Severity
    state: Literal["open", "accepted", "resolved"] = "resolved"
    told: list[str] | None = None  # the state of each alert
    said: Severity | None = None  # severity of the last alert
    periods: tuple[int, ...] = ()  # that support it, the last one last


@dataclass
class Accepted:
    """An acceptance of the model."""

    name: str
    side: str
    most: Severity
    until: int
    number: int


class StoreAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.folder = Path(self.place.name)
        self.clock = Hands()
        self.ones: dict[str, One] = {}
        self.accepted: list[Accepted] = []
        self.now: dict[str, Severity] = {}
        self.store: Store = open_store(self.folder, self.clock)
        self.number = begin(self.store, self.clock)

    def teardown(self) -> None:
        self.store.close()
        self.place.cleanup()

    @rule(found=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(("low", "high")), max_size=4))
    def record(self, found: dict[str, Severity]) -> None:
        self.clock.go(SECOND)
        self.now = found
        count = self.store.record(self.number, self._result(), self.clock.at)
        assert count == self._model()

    @rule()
    def next_period(self) -> None:
        self.clock.go(SECOND)
        assert self.store.end(self.number, self._result(), self.clock.at) == self._model()
        self._begin()

    @rule(closes=st.booleans())
    def restart(self, closes: bool) -> None:
        self.store.close() if closes else self.store._leave()
        self.store = open_store(self.folder, self.clock)
        self._begin()

    def _begin(self) -> None:
        self.number = begin(self.store, self.clock)
        self.now = {}

    @rule(
        name=st.sampled_from(NAMES),
        side=st.sampled_from(("OT", "IT", "both")),
        most=st.sampled_from(("low", "high")),
        hours=st.integers(1, 3),
    )
    def accept(self, name: str, side: str, most: Severity, hours: int) -> None:
        until = self.clock.at + hours * HOUR
        scope = {"owner": side, "most": most, "finding": MADE[name].id}
        made = ledger.append(self.folder, self.clock.now, "eva", "acceptance", name, "why", until=until, document=scope)
        self.accepted.append(Accepted(name, side, most, until, made.number))

    @precondition(lambda self: self.accepted)
    @rule(place=st.integers(0, 20))
    def withdraw(self, place: int) -> None:
        one = self.accepted.pop(place % len(self.accepted))
        ledger.append(self.folder, self.clock.now, "eva", "withdrawal", str(one.number), "why")

    @rule()
    def an_hour_goes_by(self) -> None:
        self.clock.go(HOUR)

    def _result(self) -> object:
        return result(*(self._made(name) for name in self.now))

    def _made(self, name: str) -> Finding:
        return replace(MADE[name], severity=self.now[name])

    def _is_accepted(self, name: str, severity: Severity) -> bool:
        grave = SEVERITIES.index(severity)
        held = [
            one
            for one in self.accepted
            if one.name == name and self.clock.at < one.until and grave <= SEVERITIES.index(one.most)
        ]
        sides = {side for one in held for side in (("OT", "IT") if one.side == "both" else (one.side,))}
        return {"OT", "IT"} <= sides if name == "d" else "OT" in sides

    def _model(self) -> int:
        """The same pass in the model; how many alerts it tells."""
        count = 0
        for name, severity in self.now.items():
            one = self.ones.setdefault(name, One(severity))
            if one.state == "resolved":
                one.periods = ()
            if self.number not in one.periods:
                one.periods = (*one.periods, self.number)
            one.severity = severity
            count += self._is(name, one, "accepted" if self._is_accepted(name, severity) else "open")
        for name, one in self.ones.items():
            if name in self.now or one.state == "resolved":
                continue
            if one.periods[-1] == self.number:
                one.periods = one.periods[:-1][-1:]  # the store knows the one before, not all
                if not one.periods:
                    count += self._is(name, one, "resolved")
                    continue
            count += self._is(name, one, "accepted" if self._is_accepted(name, one.severity) else "open")
        return count

    def _is(self, name: str, one: One, state: Literal["open", "accepted", "resolved"]) -> int:
        before, one.state = one.state, state
        back = state == "open" and (before != "open" or one.said != one.severity)
        gone = state == "resolved" and before == "open" and one.told is not None
        if not (back or gone):
            return 0
        one.told = [*(one.told or []), state]
        one.said = one.severity
        return 1

    @invariant()
    def both_agree(self) -> None:
        assert states(self.folder) == {MADE[name].id: one.state for name, one in self.ones.items()}
        found: dict[str, list[str]] = {}
        counts: Counter[str] = Counter()
        for event, state in told(self.folder):
            subject, _, number = event.partition(".")
            counts[subject] += 1
            assert int(number or 1) == counts[subject]
            found.setdefault(subject, []).append(state)
        assert found == {MADE[name].id: one.told for name, one in self.ones.items() if one.told}


StoreAgainstModel.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStoreAgainstModel = StoreAgainstModel.TestCase
