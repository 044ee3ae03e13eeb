"""The tables of a period, whole and with the newest events alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.inventory.network import Row, talk
from tests.rules.baseline.days import ENG, RTU, Traffic, kinds, said
from tests.rules.baseline.test_silence import HALF_HOUR, LEARNED, NEXT, day
from tests.rules.plant import HMI, PLC_1, POLICY, policy, write
from tests.rules.test_judge_times import HOUR, MONDAY, RATED, when
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.inventory.tables import EARLIER, every_event
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.tags.learn import naming
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.pipeline import Given, assess
from zonewatch.sensor.watch.loaded import load
from zonewatch.sensor.watch.news import news
from zonewatch.sensor.watch.period import Period
from zonewatch.sensor.watch.settings import JudgeSettings
from zonewatch.sensor.watch.thin import asked_whole

PCAPS = Path(__file__).parents[3] / "pcaps"
CAPTURES = sorted(PCAPS.rglob("*.pcap"))


@cache
def bundled() -> Given:
    """What a sensor judges by that was given nothing."""
    return load(JudgeSettings()).given


class Taken:
    """Some rows, finished at once."""

    def __init__(self, tables: dict[str, pa.Table]) -> None:
        self._tables = tables

    def take(self, table: str) -> pa.Table:
        return self._tables[table]


def in_portions(tables: dict[str, pa.Table], events: int) -> Period:
    """A period to which everything but events comes at once, and these in portions."""
    period = Period()
    period.add(Taken({**tables, "events": tables["events"].slice(0, 0)}))
    nothing = {name: table.slice(0, 0) for name, table in tables.items()}
    for start in range(0, tables["events"].num_rows, events):
        period.add(Taken({**nothing, "events": tables["events"].slice(start, events)}))
    return period


@pytest.mark.parametrize("portion", [1, 3, 7, 1000])
@pytest.mark.parametrize("most", [0, 1, 5, 10**6])
def test_the_newest_events_are_the_last_ones(most: int, portion: int) -> None:
    tables = decode([Source("capture", (CaptureFile("a", PCAPS / "waterworks" / "waterworks.pcap"),))])
    tables["events"] = tables["events"].slice(0, 40)
    period = in_portions(tables, portion)
    whole, latest = period.tables(), period.latest(most)
    assert whole["events"].num_rows == period.events == 40
    assert latest["events"]["event"].to_pylist() == whole["events"]["event"].to_pylist()[-most or 40 :]
    assert latest["flows"].equals(whole["flows"])


def test_what_tells_names_of_points_stays() -> None:
    path = next(path for path in CAPTURES if "bacnet" in path.name and naming(_events(path)).num_rows)
    tables = decode([Source("capture", (CaptureFile("a", path),))])
    period = in_portions(tables, 5)
    assert naming(tables["events"]).num_rows > 0
    for most in (0, 3, period.events // 2, 10**6):
        latest = period.latest(most)["events"]
        assert naming(latest).num_rows == naming(tables["events"]).num_rows
        assert pc.count_distinct(latest["event"]).as_py() == latest.num_rows, "an event is there twice"


def test_of_what_came_before_the_newest_events_a_part_is_judged_again_and_a_part_is_not() -> None:
    tables = decode([Source("capture", (CaptureFile("a", PCAPS / "waterworks" / "waterworks.pcap"),))])
    period = in_portions(tables, 11)
    seen = set()
    for most in (0, 5, period.events // 2, period.events):
        latest = period.latest(most)
        numbers = [name for part in ("events", EARLIER) for name in latest[part]["event"].to_pylist()]
        assert len(set(numbers)) == len(numbers), "an event is there twice"
        assert set(tables["events"]["event"].to_pylist()[-most or period.events :]) <= set(numbers)
        assert every_event(latest)["event"].to_pylist() == [
            *latest[EARLIER]["event"].to_pylist(),
            *latest["events"]["event"].to_pylist(),
        ]
        seen.add(latest[EARLIER].num_rows > 0)
    assert seen == {True, False}


def _events(path: Path) -> pa.Table:
    return decode([Source("capture", (CaptureFile("a", path),))])["events"]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_what_the_newest_events_show_all_of_them_show(path: Path) -> None:
    """Otherwise alerts were told that the next whole pass takes back."""
    given = bundled()
    tables = decode([Source("capture", (CaptureFile("a", path),))])
    period = in_portions(tables, 50)
    known = assess(period.tables(), given, "all").findings
    assert news(known, known, given.detection) == ()
    for most in sorted({0, period.events // 10, period.events // 2}):
        found = assess(period.latest(most), given, "some").findings
        assert news(found, known, given.detection) == (), most


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_of_what_goes_on_a_few_rows_show_nothing_else(path: Path) -> None:
    """The capture nine times, a minute apart: what was always done is told for what it is by its first rows."""
    given = bundled()
    tables = repeated(decode([Source("capture", (CaptureFile("a", path),))]), 9, 61 * 10**9)
    period = Period(least=0)
    period.add(Taken(tables))
    known = assess(period.tables(), given, "all").findings
    few = period.latest(period.events // 10)
    assert few["flows"].num_rows <= tables["flows"].num_rows
    assert news(assess(few, given, "some", findings_alone=True).findings, known, given.detection) == ()


def test_where_a_baseline_tells_who_fell_silent_all_quarters_of_an_hour_are_there() -> None:
    polling = [row for number in range(4) for row in day(NEXT + number * HALF_HOUR)]
    other = [
        said(ENG, RTU, object_start=500 + number, when=NEXT + number * HALF_HOUR // 2, lasts=HALF_HOUR // 3)
        for number in range(8)
    ]
    traffic = Traffic([*polling, *other])
    period = Period(least=0)
    period.add(Taken({**traffic.tables, "oddities": schemas.ODDITIES.empty_table()}))
    whole = traffic.tables["aggregates"].num_rows
    asked = tuple(asked_whole(Given(baseline=LEARNED)))
    for tables, told in ((asked, ["new_edge"]), ((), ["new_edge", "silent_device"])):
        traffic.tables["aggregates"] = period.latest(0, whole=tables)["aggregates"]
        assert (traffic.tables["aggregates"].num_rows == whole) is bool(tables)
        assert kinds(traffic.compare(LEARNED)) == told


TWO_SHIFTS = POLICY.replace(
    "purpose: process values}",
    'schedule: "12:00-20:00", purpose: process values}\n      - '
    '{id: morning, protocol: modbus, operations: [read], clients: [hmi-1], schedule: "06:00-12:00", purpose: values}',
)


@pytest.mark.parametrize(
    ("by", "talks"),
    [
        (  # without the middle one the quarter of an hour is a few seconds long
            RATED,
            [
                *(talk(HMI, PLC_1, events=1, **when(MONDAY + HOUR * hour)) for hour in (1, 3)),
                talk(HMI, PLC_1, events=1700, **when(MONDAY + 2 * HOUR, MONDAY + 2 * HOUR + 899 * SECOND)),
                talk(HMI, PLC_1, events=1, **when(MONDAY + HOUR * 4)),
                talk(HMI, PLC_1, events=60, object_start=9, **when(MONDAY + 2 * HOUR, MONDAY + 2 * HOUR + 10 * SECOND)),
            ],
        ),
        (  # without the middle one nobody reads in the morning
            TWO_SHIFTS,
            [
                write(HMI, PLC_1, 100, [5.0], **when(MONDAY + 13 * HOUR)),
                *(talk(HMI, PLC_1, events=9, **when(MONDAY + HOUR * hour)) for hour in (13, 24 + 8, 24 + 13)),
            ],
        ),
    ],
    ids=["rate", "use"],
)
def test_of_a_policy_a_few_rows_show_nothing_that_all_do_not(by: str, talks: list[Row]) -> None:
    given = replace(bundled(), policy=policy(by))
    period = Period(least=0)
    empty = {name: schema.empty_table() for name, schema in schemas.TABLES.items()}
    coverage = rows(schemas.COVERAGE, [{"source": "tap", "capture": "a.pcap"}])
    period.add(Taken({**empty, "aggregates": rows(schemas.AGGREGATES, talks), "coverage": coverage}))
    known = assess(period.tables(), given, "all").findings
    few = period.latest(0, whole=tuple(asked_whole(given)))
    assert news(assess(few, given, "some").findings, known, given.detection) == ()


def repeated(tables: dict[str, pa.Table], times: int, apart: int) -> dict[str, pa.Table]:
    """What grows with time, so many times over, so many nanoseconds apart."""
    again = {
        name: pa.concat_tables([moved(tables[name], number * apart) for number in range(times)])
        for name in ("events", "flows", "aggregates")
    }
    return {**tables, **again}


def moved(table: pa.Table, nanoseconds: int) -> pa.Table:
    """The same rows later."""
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            later = pc.add(table[column.name].cast(pa.int64()), nanoseconds).cast(column.type)
            table = table.set_column(place, column, later)
    return table
