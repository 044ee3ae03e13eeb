"""What is told when: a table of passes, each with the findings it has and the alerts that come of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sensor.store.made import (
    HOUR,
    SECOND,
    Hands,
    begin,
    finding,
    incident,
    open_store,
    query,
    result,
    states,
    told,
)
from zonewatch.rules.findings import Change, Finding
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.store.database import StoreError

A, B = finding("a"), finding("b")
GRAVER = replace(A, severity="critical")
VERDICT = replace(A, verdict="violation")
COUNTED = replace(A, count=7, last_time=A.last_time + SECOND, reasons=("it is made up",))
WENT_ON = replace(A, changes=(Change("holding-register 1", "0", "1"),))
NEXT = "next period"
MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        pytest.param([(A,)], ["a"], id="new"),
        pytest.param([(A,), (A,)], ["a"], id="once"),
        pytest.param([(A,), (COUNTED,)], ["a"], id="only counts went on"),
        pytest.param([(A, B)], ["a", "b"], id="two"),
        pytest.param([(A,), (GRAVER,)], ["a", "a.2"], id="graver"),
        pytest.param([(A,), (VERDICT,)], ["a", "a.2"], id="another verdict"),
        pytest.param([(A,), (WENT_ON,)], ["a"], id="a story waits"),
        pytest.param([(A,), 11 * MINUTE, (WENT_ON,)], ["a", "a.2"], id="a story goes on"),
        pytest.param([(A,), (WENT_ON,), 11 * MINUTE, (WENT_ON,)], ["a", "a.2"], id="a story that waited"),
        pytest.param([(A,), -HOUR, (WENT_ON,)], ["a", "a.2"], id="a story waits not for a clock that was stepped"),
        pytest.param([(A,), ()], ["a", "a.2 resolved"], id="withdrawn"),
        pytest.param([(A,), (), ()], ["a", "a.2 resolved"], id="withdrawn once"),
        pytest.param([(A,), (), (A,)], ["a", "a.2 resolved", "a.3"], id="back"),
        pytest.param([(A,), NEXT, ()], ["a"], id="not seen in the next period"),
        pytest.param([(A,), NEXT, (A,)], ["a"], id="the same in the next period"),
        pytest.param([(A,), NEXT, (A,), ()], ["a"], id="what an earlier period supports stays"),
        pytest.param([(A,), NEXT, (A,), NEXT, (A,), ()], ["a"], id="and of three"),
        pytest.param(
            [(A,), (), NEXT, (A,), ()], ["a", "a.2 resolved", "a.3", "a.4 resolved"], id="resolved supports not"
        ),
    ],
)
def test_what_is_told(passes: list[object], expected: list[str], tmp_path: Path) -> None:
    names = {A.id: "a", B.id: "b"}
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        count = 0
        last: tuple[Finding, ...] = ()
        for step in passes:
            if step == NEXT:
                count += store.end(period, result(*last), clock.go(SECOND))
                period = begin(store, clock)
            elif isinstance(step, int):
                clock.step(step) if step < 0 else clock.go(step)
            else:
                assert isinstance(step, tuple)
                last = step
                count += store.record(period, result(*last), clock.go(SECOND))
    found = []
    for event, state in told(tmp_path):
        if event.startswith("health."):
            continue
        name, _, number = event.partition(".")
        found.append(f"{names[name]}{'.' if number else ''}{number}{'' if state == 'open' else f' {state}'}")
    assert sorted(found) == sorted(expected)
    assert count == len(expected)


def test_a_pass_that_saw_a_part_tells_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        assert store.record(period, result(A), clock.at) == 1
        story = incident((A, B))
        assert store.record_new(period, result(B, incidents=(story,)), clock.go(SECOND)) == 1
        assert store.record_new(period, result(GRAVER, B), clock.go(SECOND)) == 0
        assert states(tmp_path) == {A.id: "open", B.id: "open"}
        assert store.record(period, result(GRAVER), clock.go(SECOND)) == 2
    assert told(tmp_path) == [
        (A.id, "open"),
        (B.id, "open"),
        (f"{A.id}.2", "open"),
        (f"{B.id}.2", "resolved"),
    ]


def test_an_alert_is_the_audit_s_with_its_number(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        store.record(period, result(GRAVER), clock.go(SECOND))
    first, second = (json.loads(row[0]) for row in query(tmp_path, "SELECT document FROM outbox ORDER BY seq"))
    assert first["event"]["id"] == A.id
    assert second["event"]["id"] == f"{A.id}.2"
    assert second["event"]["severity"] == 99
    about = {name: second["zonewatch"][name] for name in ("subject", "telling", "state")}
    assert about == {"subject": A.id, "telling": 2, "state": "open"}
    assert query(tmp_path, "SELECT DISTINCT subject FROM outbox") == [(A.id,)]


def test_the_gravest_come_first_and_incidents_last(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        story = incident((A, B))
        store.record(begin(store, clock), result(B, GRAVER, incidents=(story,)), clock.at)
    assert [event for event, _ in told(tmp_path)] == [A.id, B.id, story.id]


def accept(folder: Path, subject: Finding, until: int, clock: Hands, owner: str = "OT", most: str = "medium") -> int:
    scope = {"owner": owner, "most": most, "finding": subject.id}
    return ledger.append(
        folder, clock.now, "eva", "acceptance", subject.id, "planned", until=until, document=scope
    ).number


def test_an_acceptance_is_silent_and_its_end_is_told(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        accept(tmp_path, A, clock.at + HOUR, clock)
        assert store.record(period, result(A), clock.go(SECOND)) == 0
        assert states(tmp_path) == {A.id: "accepted"}
        assert query(tmp_path, "SELECT decision FROM findings") == [(1,)]
        store.end(period, result(A), clock.go(SECOND))
        period = begin(store, clock)
        assert store.record(period, result(), clock.go(HOUR)) == 1  # not seen again, and back all the same
    assert states(tmp_path) == {A.id: "open"}
    assert told(tmp_path) == [(A.id, "open"), (f"{A.id}.2", "open")]


def test_an_acceptance_ends_in_the_pass_that_withdraws_the_finding(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        accept(tmp_path, A, clock.at + HOUR, clock)
        store.end(period, result(A), clock.go(SECOND))
        period = begin(store, clock)
        store.record(period, result(A), clock.go(SECOND))
        assert store.record(period, result(), clock.go(HOUR)) == 1
    assert states(tmp_path) == {A.id: "open"}


def test_an_acceptance_that_ends_while_passes_saw_a_part_is_told_by_the_next_whole_one(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        store.end(begin(store, clock), result(A), clock.at)
        accept(tmp_path, A, clock.at + HOUR, clock)
        period = begin(store, clock)
        assert store.record(period, result(), clock.go(SECOND)) == 0
        assert states(tmp_path) == {A.id: "accepted"}
        assert store.record_new(period, result(B), clock.go(2 * HOUR)) == 1
        assert store.record(period, result(B), clock.go(SECOND)) == 1
    assert told(tmp_path)[-1] == (f"{A.id}.2", "open")


def test_what_is_accepted_before_it_is_seen_is_never_told(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        accept(tmp_path, A, clock.at + HOUR, clock)
        period = begin(store, clock)
        assert store.record(period, result(A), clock.at) == 0
        assert store.record(period, result(), clock.go(SECOND)) == 0  # withdrawn: nobody believes it
    assert states(tmp_path) == {A.id: "resolved"}


def test_an_acceptance_covers_no_graver_finding(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        accept(tmp_path, A, clock.at + HOUR, clock)
        store.record(period, result(A), clock.go(SECOND))
        assert store.record(period, result(GRAVER), clock.go(SECOND)) == 1
    assert told(tmp_path) == [(A.id, "open"), (f"{A.id}.2", "open")]


def test_an_incident_is_accepted_with_all_of_its_findings(tmp_path: Path) -> None:
    clock = Hands()
    story = incident((A, B))
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        for one in (A, B):
            store.record(period, result(A, B, incidents=(story,)), clock.go(SECOND))
            assert query(tmp_path, "SELECT state FROM incidents") == [("open",)]
            accept(tmp_path, one, clock.at + HOUR, clock)
        store.record(period, result(A, B, incidents=(story,)), clock.go(SECOND))
    assert query(tmp_path, "SELECT state FROM incidents") == [("accepted",)]


def test_a_changed_log_accepts_nothing_and_that_is_told(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        accept(tmp_path, A, clock.at + HOUR, clock)
        store.record(period, result(A), clock.at)
        with sqlite3.connect(tmp_path / ledger.NAME) as db:
            db.execute("DROP TRIGGER decisions_are_not_changed")
            db.execute("UPDATE decisions SET until = '2099-01-01T00:00:00.000000000Z'")
        store.record(period, result(A), clock.go(SECOND))
        assert states(tmp_path) == {A.id: "open"}
        assert told(tmp_path) == [("health.decisions", "open"), (A.id, "open")]
        (tmp_path / ledger.NAME).unlink()  # all of it is gone: known by the head that was seen
        store.record(period, result(A), clock.go(SECOND))
    assert "is gone" in query(tmp_path, "SELECT text FROM health WHERE subject = 'health.decisions'")[0][0]


def test_texts_are_kept_once(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        begin(store, clock)
        begin(store, clock)
    assert query(tmp_path, "SELECT count(*) FROM texts") == [(1,)]
    assert query(tmp_path, "SELECT number, state FROM periods") == [(1, "broken"), (2, "running")]


def test_a_policy_that_was_read_anew_is_the_period_s_and_the_one_before_is_kept(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        before = query(tmp_path, "SELECT hash FROM texts WHERE kind = 'policy'")
        store.judge_by("zones: [another]", "", clock.go(SECOND))
        store.record(period, result(), clock.go(SECOND))
    ((name,),) = query(tmp_path, "SELECT policy FROM periods")
    assert query(tmp_path, f"SELECT text FROM texts WHERE hash = '{name}'") == [("zones: [another]",)]
    assert (name,) not in before
    assert query(tmp_path, "SELECT count(*) FROM texts WHERE kind = 'policy'") == [(2,)]


def test_one_writer(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock), pytest.raises(StoreError, match=r"another zonewatch writes .*process \d+"):
        open_store(tmp_path, clock)
    open_store(tmp_path, clock).close()


def test_health_is_told_when_it_changes(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        assert store.health("mirror", "high", "one direction only", "see the switch", clock.at)
        assert not store.health("mirror", "high", "one direction only", "still", clock.at)
        assert store.health("mirror", "critical", "nothing comes", "see the switch", clock.at)
        assert store.healthy("mirror", clock.at)
        assert not store.healthy("mirror", clock.at)
        assert store.health("mirror", "high", "one direction only", "again", clock.at)
    name = "health.mirror"
    assert told(tmp_path) == [(name, "open"), (f"{name}.2", "open"), (f"{name}.3", "resolved"), (f"{name}.4", "open")]


def test_delivered_alerts_go_and_their_numbers_do_not_come_again(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        period = begin(store, clock)
        store.record(period, result(A), clock.at)
        assert store.forget_delivered(1) == 1
        store.record(period, result(A, B), clock.go(SECOND))
    assert query(tmp_path, "SELECT seq, event_id FROM outbox") == [(2, B.id)]


def test_without_a_receiver_the_newest_alerts_stay(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        assert store.keep_newest(2) == 0
        for number in range(3):
            store.health(f"subject-{number}", "high", "title", "text", clock.at)
        assert [store.keep_newest(2), store.keep_newest(2)] == [1, 0]
        store.health("subject-3", "high", "title", "text", clock.at)
    assert query(tmp_path, "SELECT seq FROM outbox") == [(2,), (3,), (4,)]
