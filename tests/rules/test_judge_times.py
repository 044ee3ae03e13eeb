"""Verdicts that depend on time: schedules, rates, exceptions, maintenance windows, remote access."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from tests.inventory.network import Row, flow, talk
from tests.rules.plant import ENGINEERING, HMI, LAPTOP, OFFICE_PC, PLC_1, POLICY, inventory, policy, write, write_event
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.rules.calendar import Calendar
from zonewatch.rules.judge import Judgement, judge
from zonewatch.rules.policy.times import MINUTE, SECOND, Schedule, nanoseconds

MONDAY = nanoseconds(dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
HOUR = 60 * MINUTE


def verdicts(*talks: Row, flows: tuple[Row, ...] = (), events: tuple[Any, ...] = (), by: str = POLICY) -> Judgement:
    return judge(
        policy(by),
        inventory(talks, flows),
        rows(schemas.AGGREGATES, talks),
        rows(schemas.EVENTS, events),
        MONDAY + 12 * HOUR,
        flows=rows(schemas.FLOWS, flows),
    )


def when(first: int, last: int | None = None) -> dict[str, int]:
    """The times of a row of aggregates."""
    return {"first_time": first, "last_time": first if last is None else last, "bucket": first - first % (15 * MINUTE)}


SHIFT = POLICY.replace("purpose: process values", 'schedule: "06:00-18:05", purpose: process values')


@pytest.mark.parametrize(
    ("first", "last", "verdict", "reason"),
    [
        (6 * HOUR, 6 * HOUR + 14 * MINUTE, "allowed", ""),
        (18 * HOUR, 18 * HOUR + 4 * MINUTE, "allowed", ""),
        (
            18 * HOUR,
            18 * HOUR + 5 * MINUTE,
            "violation",
            "does not hold: some of it outside its schedule (06:00-18:05)",
        ),
        (19 * HOUR, 19 * HOUR + MINUTE, "violation", "flow poll of conduit scada-to-filtration does not hold: outside"),
    ],
)
def test_a_schedule_is_judged_by_the_time_of_the_events(first: int, last: int, verdict: str, reason: str) -> None:
    row = talk(HMI, PLC_1, events=9, **when(MONDAY + first, MONDAY + last))
    (judged,) = verdicts(row, by=SHIFT).rows
    assert (judged.decision.verdict, reason in judged.decision.reason) == (verdict, True), judged.decision


def test_a_gap_inside_the_quarter_of_an_hour_leaves_it_open() -> None:
    text = POLICY.replace("purpose: process values", 'schedule: "daily 06:00-06:05,06:10-07:00", purpose: values')
    inside = talk(HMI, PLC_1, events=2, **when(MONDAY + 6 * HOUR, MONDAY + 6 * HOUR + 12 * MINUTE))
    (judged,) = verdicts(inside, by=text).rows
    assert judged.decision.verdict == "cannot_conclude"
    assert "some of it may be outside its schedule" in judged.decision.reason


def test_the_day_and_the_night_are_two_verdicts() -> None:
    day = talk(HMI, PLC_1, events=9, **when(MONDAY + 8 * HOUR))
    more = talk(HMI, PLC_1, events=1, **when(MONDAY + 9 * HOUR))
    night = talk(HMI, PLC_1, events=2, **when(MONDAY + 22 * HOUR))
    judged = verdicts(day, more, night, by=SHIFT).rows
    assert [(row.decision.verdict, row.seen.events) for row in judged] == [("allowed", 10), ("violation", 2)]


def test_the_calendar_of_a_table_is_that_of_each_row() -> None:
    calendar = Calendar()
    for text in ("daily 06:00-18:05", "daily 06:00-06:05,06:10-07:00", "sat,sun"):
        calendar.number(Schedule.parse(text))
    given = [
        when(MONDAY + hour * HOUR + first * MINUTE, MONDAY + hour * HOUR + last * MINUTE)
        for hour in (5, 6, 18, 150)
        for first, last in ((0, 2), (2, 12), (6, 14), (11, 14))
    ]
    table = pa.table({name: [row[name] for row in given] for name in ("bucket", "first_time", "last_time")})
    held = calendar.of_table(table).to_pylist()
    assert held == [calendar.held(row["first_time"], row["last_time"]) for row in given]
    assert len(set(held)) > 3
    assert Calendar().of_table(table).to_pylist() == [""] * len(given)


RATED = POLICY.replace("purpose: process values", "rate_max_per_s: 2, purpose: process values")


@pytest.mark.parametrize(
    ("events", "seconds", "verdict"),
    [
        (1800, 899, "violation"),
        (1799, 899, "allowed"),
        (60, 10, "violation"),
        (21, 10, "allowed"),
        (3, 0, "allowed"),
        (4, 0, "violation"),
    ],
)
def test_a_rate_is_an_average_of_the_quarter_of_an_hour(events: int, seconds: int, verdict: str) -> None:
    row = talk(HMI, PLC_1, events=events, **when(MONDAY, MONDAY + seconds * SECOND))
    (judged,) = verdicts(row, by=RATED).rows
    assert judged.decision.verdict == verdict
    assert verdict == "allowed" or "events per second (allowed: 2) not in flow poll" in judged.decision.reason


def test_a_rate_is_of_all_that_a_client_does_by_the_flow_and_told_as_an_average() -> None:
    span = when(MONDAY, MONDAY + 10 * SECOND)
    slow = [talk(HMI, PLC_1, events=15, object_start=start, **span) for start in (0, 10)]
    other = talk(ENGINEERING, PLC_1, events=15, **span)
    later = talk(HMI, PLC_1, events=5, object_start=0, **when(MONDAY + HOUR, MONDAY + HOUR + 10 * SECOND))
    judgement = verdicts(*slow, other, later, by=RATED)
    told = {(row.client.label, row.seen.object_start, row.seen.events): row.decision.verdict for row in judgement.rows}
    assert told == {
        ("hmi-1", 0, 15): "violation",
        ("hmi-1", 10, 15): "violation",
        ("eng-1", 0, 15): "allowed",
        ("hmi-1", 0, 5): "allowed",
    }
    assert any("rate_max_per_s was judged on the average" in line for line in judgement.limits)


def test_a_rate_counts_an_event_once_though_it_reads_several_objects() -> None:
    span = when(MONDAY, MONDAY + 10 * SECOND)
    first = talk(HMI, PLC_1, events=20, count=20, **span)
    others = [talk(HMI, PLC_1, events=0, count=20, object_start=start, **span) for start in (10, 20, 30)]
    assert {row.decision.verdict for row in verdicts(first, *others, by=RATED).rows} == {"allowed"}
    many = talk(HMI, PLC_1, events=21, count=21, object_start=40, **span)
    assert {row.decision.verdict for row in verdicts(first, *others, many, by=RATED).rows} == {"violation"}


def test_quarters_of_an_hour_within_the_rate_are_one_row_again() -> None:
    quiet = [
        talk(HMI, PLC_1, events=5, **when(MONDAY + hour * HOUR, MONDAY + hour * HOUR + MINUTE)) for hour in range(9)
    ]
    (judged,) = verdicts(*quiet, by=RATED).rows
    assert (judged.decision.verdict, judged.seen.events) == ("allowed", 45)


EXCEPTION = (
    POLICY
    + """\
    exceptions:
      - {id: x1, match: {client: eng-1, operations: [program_download]}, approved_by: ops, ticket: CHG-1,
         from: 2026-06-01T06:00Z, to: 2026-06-01T12:00Z}
      - {id: x2, match: {client: eng-1, protocol: dnp3}, approved_by: ops, ticket: CHG-2}
      - {id: x3, match: {client: eng-1, protocol: ssh}, approved_by: ops, ticket: CHG-3, to: 2026-06-01}
"""
)


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        (
            talk(ENGINEERING, PLC_1, "program_download", **when(MONDAY + 7 * HOUR)),
            "allowed",
            "by exception x1 of conduit",
        ),
        (
            talk(ENGINEERING, PLC_1, "program_download", **when(MONDAY + 12 * HOUR)),
            "violation",
            "exception x1 of conduit",
        ),
        (
            talk(ENGINEERING, PLC_1, "program_download", **when(MONDAY + 5 * HOUR)),
            "violation",
            "outside its time (from",
        ),
        (talk(HMI, PLC_1, "program_download", **when(MONDAY + 7 * HOUR)), "violation", "operation program_download"),
        (talk(ENGINEERING, PLC_1, "read", "dnp3", **when(MONDAY + 7 * HOUR)), "violation", "protocol dnp3"),
    ],
)
def test_an_exception_lets_pass_what_it_says_while_it_says(row: Row, verdict: str, reason: str) -> None:
    judgement = verdicts(row, by=EXCEPTION)
    decision = judgement.rows[0].decision
    assert (decision.verdict, reason in decision.reason) == (verdict, True), decision
    assert decision.by == ("exception" if verdict == "allowed" else decision.by)
    assert "exception x2 of conduit scada-to-filtration has no end: it lets nothing pass" in judgement.limits


def session(client: str, server: str, port: int, service: str, first: int, minutes: float, **more: Any) -> Row:
    return flow(
        client, server, port, service, first_time=first, last_time=first + int(minutes * MINUTE), flows=1, **more
    )


def test_a_connection_is_judged_by_when_each_one_was() -> None:
    inside = session(ENGINEERING, PLC_1, 22, "ssh", MONDAY + HOUR, 5)
    later = session(ENGINEERING, PLC_1, 22, "ssh", MONDAY + 30 * HOUR, 5, client_port=40001)
    for flows, verdict in (((inside,), "allowed"), ((inside, later), "violation"), ((later,), "violation")):
        (judged,) = verdicts(flows=flows, by=EXCEPTION).rows
        assert judged.decision.verdict == verdict, judged


def test_an_exception_for_an_operation_lets_no_other_connection_pass() -> None:
    (judged,) = verdicts(flows=(session(ENGINEERING, PLC_1, 4711, "", MONDAY + 7 * HOUR, 1),), by=EXCEPTION).rows
    assert judged.decision.verdict == "violation"


WINDOW = (
    POLICY.replace("zones:\n", "defaults: {within_zone: deny}\nzones:\n", 1)
    + """\
maintenance_windows:
  - {id: mw1, zones: [filtration], from: 2026-06-01T06:00Z, to: 2026-06-01T12:00Z, allow: [program_download, mode],
     ticket: CHG-1}
  - {id: mw2, zones: [filtration], from: 2026-06-02, to: 2026-06-02, allow: [stop], clients: [eng-1], ticket: CHG-2}
"""
)
TUESDAY = MONDAY + 24 * HOUR


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (talk(HMI, PLC_1, "program_download", **when(MONDAY + 7 * HOUR)), "allowed"),
        (talk(PLC_1, "10.20.11.99", "mode", **when(MONDAY + 7 * HOUR)), "allowed"),
        (talk(PLC_1, "10.20.11.99", "read", **when(MONDAY + 7 * HOUR)), "violation"),
        (talk(HMI, PLC_1, "program_download", **when(MONDAY + 13 * HOUR)), "violation"),
        (talk(HMI, PLC_1, "stop", **when(MONDAY + 7 * HOUR)), "violation"),
        (talk(OFFICE_PC, PLC_1, "program_download", **when(MONDAY + 7 * HOUR)), "violation"),  # no conduit
        (talk(ENGINEERING, PLC_1, "stop", **when(TUESDAY + 23 * HOUR)), "allowed"),
        (talk(HMI, PLC_1, "stop", **when(TUESDAY + 23 * HOUR)), "violation"),
        (talk(ENGINEERING, PLC_1, "stop", **when(TUESDAY + 24 * HOUR)), "violation"),
    ],
)
def test_a_maintenance_window_allows_more_to_whom_a_conduit_lets_in(row: Row, verdict: str) -> None:
    decision = verdicts(row, by=WINDOW).rows[0].decision
    assert decision.verdict == verdict, decision
    assert decision.by == "maintenance" or verdict == "violation"


def test_a_window_opens_no_connections_of_unknown_purpose() -> None:
    (judged,) = verdicts(flows=(session(HMI, PLC_1, 4711, "", MONDAY + 7 * HOUR, 1),), by=WINDOW).rows
    assert judged.decision.verdict == "violation"


def test_values_within_an_exception_are_limited_too() -> None:
    text = POLICY + (
        "    exceptions: [{id: x, match: {client: eng-1, protocol: modbus, operations: [write], values: {max: 5}}, "
        "to: 2026-06-30}]\n"
    )
    low = write(ENGINEERING, PLC_1, 100, [5.0], **when(MONDAY))
    high = write(ENGINEERING, PLC_1, 100, [6.0], **when(MONDAY))
    assert [row.decision.verdict for row in verdicts(low, high, by=text).rows] == ["allowed", "violation"]


def test_a_whole_event_is_judged_by_its_own_moment() -> None:
    event = write_event(ENGINEERING, PLC_1, 100, [5], [4], operation="program_download", time=MONDAY + 7 * HOUR)
    late = write_event(
        ENGINEERING, PLC_1, 100, [5], [4], frame=8, operation="program_download", time=MONDAY + 13 * HOUR
    )
    changes = verdicts(events=(event, late), by=EXCEPTION).changes
    assert [item.row.decision.verdict for item in changes] == ["allowed", "violation"]


REMOTE = """\
policy_version: 1
suc: {id: riverside}
zones:
  - {id: office, purdue: 4, members: {subnets: [10.20.50.0/24]}}
  - {id: dmz, purdue: 3.5, members: {subnets: [10.20.40.0/24]}}
  - {id: supervision, purdue: 2, members: {subnets: [10.20.1.0/24]}}
  - {id: filtration, purdue: 1, members: {subnets: [10.20.11.0/24]}}
assets: [{id: jump, name: Jump host, zone: dmz, addresses: [10.20.40.20]}]
conduits:
  - {id: a, from: dmz, to: supervision, flows: [{id: desk, protocol: rdp}, {id: shell, protocol: ssh}]}
  - {id: b, from: office, to: supervision, flows: [{id: desk, protocol: rdp}]}
  - {id: c, from: filtration, to: supervision, flows: [{id: shell, protocol: ssh}]}
remote_access:
  - {id: ra1, entry_zone: dmz, jump_host: Jump host, target_zone: supervision, protocols: [rdp], max_minutes: 60}
"""
JUMP = "10.20.40.20"


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        (session(JUMP, ENGINEERING, 3389, "rdp", MONDAY, 60), "allowed", ""),
        (session(JUMP, ENGINEERING, 3389, "rdp", MONDAY, 61), "violation", "a session of 61 minutes, at most 60"),
        (session(JUMP, ENGINEERING, 22, "ssh", MONDAY, 1), "violation", "ssh is not among the protocols"),
        (session("10.20.40.7", ENGINEERING, 3389, "rdp", MONDAY, 1), "violation", "10.20.40.7 is not the jump host"),
        (session(OFFICE_PC, ENGINEERING, 3389, "rdp", MONDAY, 1), "violation", "past entry zone dmz"),
        (session(PLC_1, ENGINEERING, 22, "ssh", MONDAY, 1), "allowed", ""),
        (session(LAPTOP, ENGINEERING, 3389, "rdp", MONDAY, 1), "allowed", "inside zone supervision by default"),
        (
            session(JUMP, ENGINEERING, 3389, "rdp", MONDAY, 90) | {"flows": 3, "client_port": 0},
            "cannot_conclude",
            "sessions were counted together",
        ),
        (session(JUMP, ENGINEERING, 3389, "rdp", MONDAY, 50) | {"flows": 3, "client_port": 0}, "allowed", ""),
    ],
)
def test_remote_access_narrows_what_flows_allow(row: Row, verdict: str, reason: str) -> None:
    decision = verdicts(flows=(row,), by=REMOTE).rows[0].decision
    assert (decision.verdict, reason in decision.reason) == (verdict, True), decision


def test_several_sessions_are_as_long_as_each_of_them() -> None:
    flows = tuple(
        session(JUMP, ENGINEERING, 3389, "rdp", MONDAY + hour * HOUR, 50, client_port=40000 + hour) for hour in range(4)
    )
    (judged,) = verdicts(flows=flows, by=REMOTE).rows
    assert judged.decision.verdict == "allowed"
