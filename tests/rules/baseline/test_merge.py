"""Learning into what is there: reviewed lines stay, late arrivals learn on their own."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.rules.baseline.days import (
    ENG,
    HMI,
    PLC,
    TODAY,
    Row,
    Traffic,
    at,
    at_stage,
    command,
    kinds,
    poll,
    said,
    write,
)
from zonewatch.rules.baseline.merge import is_learned, together
from zonewatch.rules.baseline.model import SeenRecord
from zonewatch.rules.baseline.states import reviewed


def seen(times: int, days: int, first: int, last: int) -> SeenRecord:
    return SeenRecord(times=times, days=days, first=dt.date(2026, 3, first), last=dt.date(2026, 3, last))


@pytest.mark.parametrize(
    ("one", "other", "days"),
    [
        (seen(5, 2, 1, 2), seen(5, 2, 3, 4), 4),
        (seen(5, 2, 1, 2), seen(5, 2, 2, 3), 3),
        (seen(5, 2, 3, 4), seen(5, 1, 1, 1), 3),
        (seen(5, 3, 1, 9), seen(5, 2, 4, 5), 3),
    ],
    ids=["after", "the same day", "before", "within: as many as are certain"],
)
def test_days_that_are_known_to_be_different(one: SeenRecord, other: SeenRecord, days: int) -> None:
    both = together(one, other)
    assert (both.times, both.days) == (one.times + other.times, days)


DAY_1 = [*poll(), write(101, 120)]


def day_2(*more: Row) -> Traffic:
    return Traffic([*poll(at(1)), write(101, 120, when=at(1)), *more])


def test_while_learning_everything_is_added() -> None:
    both = day_2(write(102, 9, when=at(1))).learn(Traffic(DAY_1).learn())
    (edge,) = both.edges
    assert (edge.seen.days, edge.seen.times) == (2, 3603)
    assert [str(item.range) for item in edge.functions[1].objects] == ["holding-register 101", "holding-register 102"]
    assert both.pending == ()
    assert len(both.learned) == 2


@pytest.mark.parametrize(
    ("more", "waits"),
    [
        ([], []),
        ([write(102, 9, when=at(1))], ["holding-register 102"]),
        ([write(101, 121, when=at(1))], []),  # one value more of two
        ([write(101, 999, when=at(1), changes=3)], []),
        ([said(HMI, PLC, when=at(1), object_start=300)], []),
    ],
    ids=["nothing", "an object", "a value", "far off", "read"],
)
def test_what_is_reviewed_stays_and_the_rest_waits(more: list[Row], waits: list[str]) -> None:
    old = at_stage(Traffic(DAY_1).learn())
    both = day_2(*more).learn(old)
    assert both.edges == old.edges
    assert [str(item.range) for edge in both.pending for part in edge.functions for item in part.objects] == waits


def test_what_waits_is_told_with_low_severity_until_it_is_reviewed() -> None:
    old = at_stage(Traffic(DAY_1).learn())
    traffic = day_2(write(102, 9, when=at(1)), said(ENG, PLC, "program_download", when=at(1)))
    assert {one.severity for one in traffic.compare(old).deviations} == {"medium", "high"}
    both = traffic.learn(old)
    found = traffic.compare(both)
    assert {one.severity for one in found.told if one.kind != "new_asset"} == {"low"}
    assert "it was learned, and waits for review" in found.told[0].reasons
    done = reviewed(both, [PLC], "enforcing", "J. Doe", TODAY)
    assert done.pending == ()
    assert traffic.compare(done).deviations == ()


def test_late_arrivals_learn_on_their_own() -> None:
    old = at_stage(Traffic(DAY_1).learn())
    late = [said("10.0.7.1", "10.0.7.2", when=at(1), object_start=5), said("10.0.7.1", PLC, when=at(1))]
    both = day_2(*late).learn(old)
    assert {asset.id: asset.stage for asset in both.assets} == {
        HMI: "enforcing",
        PLC: "enforcing",
        "10.0.7.1": "learning",
        "10.0.7.2": "learning",
    }
    assert [edge.key[:2] for edge in both.pending] == [("10.0.7.1", PLC)]
    again = day_2(said("10.0.7.1", "10.0.7.2", "program_download", when=at(2)))
    assert [(one.kind, one.severity) for one in again.compare(both).deviations] == [("new_operation", "info")]


def test_a_capture_is_not_learned_twice() -> None:
    traffic = Traffic(DAY_1)
    old = traffic.learn()
    assert is_learned(old, traffic.learn().learned) == ("a.pcap",)
    assert is_learned(old, day_2().learn().learned) == ()


def test_habits_add_up() -> None:
    one = Traffic([command(3, "select", events=4)]).learn()
    both = Traffic([command(3, "select", events=3, when=at(1)), command(5, "direct_operate", when=at(1))]).learn(one)
    habit = both.edges[0].select_before_operate
    assert habit is not None
    assert (habit.selected, habit.direct) == (7, 1)
    assert kinds(Traffic([command(5, "direct_operate", when=at(2))]).compare(both)) == []
