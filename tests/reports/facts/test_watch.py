"""What a sensor's record adds to the facts: only where it ran, and where its alerts arrived."""

from __future__ import annotations

import pytest

from tests.reports import sample
from zonewatch.reports.catalogue.load import framework
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.facts.model import HOUR
from zonewatch.reports.facts.watch import of_watch
from zonewatch.reports.statuses import statuses
from zonewatch.reports.watched import Gap, Told, Watched

DAY = 24 * HOUR
BEGUN = 1_772_442_000 * 10**9


NOTHING = Told()


def of(gap: int = 0, told: Told = NOTHING) -> dict[str, str]:
    gaps = (Gap(BEGUN, BEGUN + gap, "not_running"),) if gap else ()
    watched = Watched(BEGUN, BEGUN + 10 * DAY, (), gaps, told=told)
    return {fact.id: fact.status for fact in of_watch(measure(sample.sample()), watched)}


@pytest.mark.parametrize(
    ("gap", "status"),
    [(0, "observed"), (DAY // 2, "observed"), (DAY // 2 + 1, "not_observed"), (10 * DAY, "not_observed")],
)
def test_continuous_monitoring_is_told_up_to_a_set_share_of_gaps(gap: int, status: str) -> None:
    assert of(gap)["mon.sensor_uptime"] == status


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (Told(), "not_observed"),
        (Told(3, 3, BEGUN + 10 * DAY), "not_observed"),  # none arrived
        (Told(3, 1, BEGUN + 10 * DAY - HOUR), "observed"),
        (Told(3, 1, BEGUN + 10 * DAY - HOUR - 1), "not_observed"),  # one waits for too long
        (Told(3, 0, 0), "observed"),
    ],
)
def test_delivery_is_told_where_alerts_arrived_and_none_waits_for_long(told: Told, status: str) -> None:
    assert of(told=told)["mon.alert_delivery"] == status


def test_no_other_fact_changes_and_the_same_is_said_of_each_zone() -> None:
    before = {fact.id: fact for fact in measure(sample.sample())}
    watched = Watched(BEGUN, BEGUN + DAY)
    after = {fact.id: fact for fact in of_watch(before.values(), watched)}
    changed = {name for name, fact in after.items() if fact != before[name]}
    assert changed == {"mon.sensor_uptime", "mon.alert_delivery"}
    fact = after["mon.sensor_uptime"]
    assert {place.status for place in fact.places} == {"observed"}
    assert [place.zone for place in fact.places] == [place.zone for place in before["mon.sensor_uptime"].places]
    assert {one.zone for one in fact.observations} == {"", *(place.zone for place in fact.places)}


def test_a_span_without_length_was_not_watched() -> None:
    assert Watched(BEGUN, BEGUN).uptime == 0.0


def test_statuses_can_be_made_of_them() -> None:
    watched = Watched(BEGUN, BEGUN + DAY)
    rows = statuses(framework("nis2-annex"), of_watch(measure(sample.sample()), watched), sample.sample())
    supporting = {row.requirement.id for row in rows if "mon.sensor_uptime" in row.supporting}
    assert {"3.2", "3.2.1", "3.2.2"} <= supporting
