"""Calls by a clock to the internet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.inventory.network import Row, flow
from tests.rules.plant import HMI, INTERNET, OFFICE_PC, PLC_1, POLL, assess, of_rule, write
from zonewatch.rules.exposure.beacons import FEWEST, spread
from zonewatch.rules.findings import Finding

MINUTE = 60_000_000_000


def calls(times: Iterable[int], client: str = HMI, server: str = INTERNET, port: int = 443, **more: Any) -> list[Row]:
    return [flow(client, server, port, first_time=at, last_time=at, flows=1, frame=1, **more) for at in times]


def every(period: int, count: int = FEWEST) -> list[int]:
    return [number * period for number in range(1, count + 1)]


def found(flows: list[Row], *talks: Row) -> list[Finding]:
    return of_rule(assess([POLL, *talks], flows=flows), "malware.beacon")


@pytest.mark.parametrize("state", ["closed", "attempted"])
def test_calls_by_a_clock_are_told_answered_or_not(state: str) -> None:
    (finding,) = found(calls([*every(MINUTE), 30 * MINUTE], state=state))
    assert finding.title.startswith("hmi-1 (10.20.1.15) calls")
    assert finding.title.endswith("every 60 s")
    assert (finding.severity, finding.count) == ("medium", FEWEST + 1)
    assert finding.assets[0] == "hmi-1"


def test_it_is_told_that_the_host_changes_the_process() -> None:
    change = write(HMI, PLC_1, 100, [1.0], first_time=5 * MINUTE, last_time=5 * MINUTE)
    (finding,) = found(calls(every(MINUTE)), change)
    assert "since the first call the host changed devices of the process" in finding.reasons


@pytest.mark.parametrize(
    "flows",
    [
        pytest.param(calls(every(MINUTE)[1:]), id="too few"),
        pytest.param(calls(number * number * MINUTE for number in range(1, 30)), id="no clock"),
        pytest.param(calls(every(MINUTE // 60)), id="a program at work"),
        pytest.param(
            [row for at in every(MINUTE) for row in calls([at], bytes_out=at // MINUTE * 1000)], id="sizes that differ"
        ),
        pytest.param(calls(every(MINUTE), client=OFFICE_PC), id="of the office"),
        pytest.param(calls(every(MINUTE), server=OFFICE_PC), id="inside the plant"),
        pytest.param(calls(every(MINUTE), port=123, service="ntp", transport="udp"), id="time"),
    ],
)
def test_what_is_no_beacon(flows: list[Row]) -> None:
    assert found(flows) == []


def test_the_spread_is_that_of_a_normal_distribution() -> None:
    assert spread([10, 10, 10]) == 0
    assert spread([0, 0]) == 0
    assert round(spread([9, 10, 11, 10, 9, 11]), 3) == 0.148
