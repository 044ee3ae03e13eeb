"""Polling that stopped or changed: what is silence, and what may be no more than a capture that saw less."""

from __future__ import annotations

import pytest

from tests.rules.baseline.days import (
    ENG,
    HMI,
    MINUTE,
    PLC,
    RTU,
    SECOND,
    START,
    Row,
    Traffic,
    at,
    at_stage,
    kinds,
    poll,
    said,
)

HALF_HOUR = 30 * MINUTE
NEXT = at(7)


def day(when: int = START, **of_plc: object) -> list[Row]:
    """Two controllers polled by one client, the first of them by another one too."""
    rows = [*poll(when), *poll(when, server=RTU), *poll(when, client=ENG, object_start=300)]
    return [{**row, **of_plc} if row["server"] == PLC else row for row in rows]


BOTH = [(at(number), at(number) + HALF_HOUR) for number in range(2)]
LEARNED = at_stage(Traffic([row for number in range(2) for row in day(at(number))], captures=BOTH).learn())


def without(rows: list[Row], *, server: str = "", client: str = "", after: int = 0) -> list[Row]:
    return [
        row
        for row in rows
        if not (row["server"] == (server or row["server"]) and row["client"] == (client or row["client"]))
        or row["first_time"] < after
    ]


def test_a_week_later_all_is_as_it_was() -> None:
    assert Traffic(day(NEXT)).compare(LEARNED).deviations == ()


def test_a_device_that_falls_silent() -> None:
    rows = without(day(NEXT), server=PLC, after=NEXT + 10 * MINUTE)
    (found,) = Traffic(rows).compare(LEARNED).deviations
    assert (found.kind, found.server, found.client, found.severity) == ("silent_device", PLC, "", "medium")
    assert "10.0.1.1 was silent for 900 s; learned: read_holding_registers of holding-register 100-107" in found.text
    assert found.last_time - found.first_time == pytest.approx(15 * MINUTE, abs=2 * SECOND)


def test_a_device_that_is_asked_and_does_not_answer_is_silent_too() -> None:
    rows = [{**row, "status": "no_response"} if row["server"] == PLC else row for row in day(NEXT)]
    found = Traffic(rows).compare(LEARNED).deviations
    assert [(one.kind, one.server) for one in found] == [("silent_device", PLC)]


def test_one_client_that_stops_is_no_silent_device() -> None:
    rows = without(day(NEXT), server=PLC, client=HMI, after=NEXT + 10 * MINUTE)
    (found,) = Traffic(rows).compare(LEARNED).deviations
    assert (found.kind, found.client, found.server) == ("changed_period", HMI, PLC)
    assert "did not ask 10.0.1.1 for 900 s" in found.text


def test_where_nothing_else_is_seen_nobody_is_silent() -> None:
    rows = [row for row in day(NEXT) if row["first_time"] < NEXT + 10 * MINUTE]
    assert Traffic(rows, end=NEXT + HALF_HOUR).compare(LEARNED).deviations == ()


def test_a_silent_wire_is_no_silent_device() -> None:
    rows = without(day(NEXT), server=PLC, after=NEXT + 10 * MINUTE)
    quiet = {"silence": 15 * MINUTE, "silence_start_time": NEXT + 15 * MINUTE}
    assert Traffic(rows, coverage=quiet, end=NEXT + HALF_HOUR).compare(LEARNED).deviations == ()


def test_the_capture_of_another_place_says_nothing_of_silence() -> None:
    rows = [said(HMI, "10.0.1.50", when=NEXT + minute * MINUTE) for minute in range(0, 31, 5)]
    comparison = Traffic(rows).compare(LEARNED)
    assert kinds(comparison) == ["new_asset", "new_edge"]
    assert "2 of 2 polled devices were not seen at all" in comparison.limits[0]


def test_loss_of_capture_looks_like_silence() -> None:
    rows = without(day(NEXT), server=PLC, after=NEXT + 10 * MINUTE)
    (found,) = Traffic(rows, coverage={"gaps": 3}).compare(LEARNED).deviations
    assert (found.severity, found.limits) == ("low", ("loss of capture looks the same: at tap 3 gaps in the streams",))


def test_a_short_capture_is_no_silence() -> None:
    rows = without(day(NEXT), server=PLC, client=HMI)
    some = {"last_time": NEXT + 20 * SECOND, "events": 21, "count": 21}
    short = [{**row, **some} for row in rows if row["first_time"] == NEXT]
    assert Traffic(short).compare(LEARNED).deviations == ()


@pytest.mark.parametrize(
    ("period", "expected"),
    [(1.0, []), (1.1, []), (2.0, ["changed_period"]), (0.5, ["changed_period"]), (10.0, ["changed_period"])],
)
def test_another_pace(period: float, expected: list[str]) -> None:
    rows = [*poll(NEXT, period=period), *poll(NEXT, server=RTU), *poll(NEXT, client=ENG, object_start=300)]
    found = Traffic(rows).compare(LEARNED).deviations
    assert [one.kind for one in found] == expected
    if expected:
        assert f"every 1 s now every {period:g} s" in found[0].text
