"""Periods of polling, out of whole events and out of aggregates."""

from __future__ import annotations

import random

import pytest

from tests.rules.baseline.days import HMI, MINUTE, PLC, SECOND, START
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.model import Evidence
from zonewatch.rules.baseline.rhythm import Line, Rhythm, Windows, coarse, exact
from zonewatch.rules.baseline.rows import Row

LINE = Line((HMI, PLC, "modbus"), (3, "read", "read", ""), None)
ONE_HOUR = 60 * MINUTE


def windows(*spans: tuple[int, int], **more: int) -> Windows:
    told = [{"source": "tap", "capture": str(n), "first_time": a, "last_time": b} for n, (a, b) in enumerate(spans)]
    return Windows(rows(schemas.COVERAGE, [{**row, **more} for row in told]))


def every(period: float, *, jitter: float = 0.0, loss: float = 0.0, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    times = [START + int((n * period + chance.gauss(0, jitter)) * SECOND) for n in range(int(3600 / period))]
    return sorted(time for time in times if chance.random() >= loss)


def at_random(mean: float, seed: int = 2) -> list[int]:
    chance = random.Random(seed)
    times, time = [], 0.0
    while time < 3600:
        time += chance.expovariate(1 / mean)
        times.append(START + int(time * SECOND))
    return times


def by_events(times: list[int]) -> Rhythm:
    return exact({LINE: [("tap", time) for time in times]}, windows((START, START + ONE_HOUR)))[LINE]


def by_aggregates(times: list[int]) -> Rhythm:
    found = []
    for bucket in sorted({time // (15 * MINUTE) for time in times}):
        own = [time for time in times if time // (15 * MINUTE) == bucket]
        evidence = Evidence("tap", "a.pcap", 1)
        head = ("tap", HMI, PLC, "modbus", "", "", "request", 3, "read", "read", "ok", None, False, bucket)
        found.append(Row(*head, len(own), 0, own[0], own[-1], None, None, 0, evidence))
    return coarse(found, windows((START, START + ONE_HOUR)))[LINE]


@pytest.mark.parametrize("rhythm_of", [by_events, by_aggregates])
@pytest.mark.parametrize(
    ("times", "period", "regular"),
    [
        (every(1, jitter=0.02), 1, True),
        (every(1, jitter=0.02, loss=0.01), 1, True),
        (every(10, jitter=0.2), 10, True),
        (at_random(1), None, False),
        (at_random(10), None, False),
        (every(60), None, False),  # an hour of it is 59 gaps
    ],
    ids=["1 s", "1 s with loss", "10 s", "at random", "seldom at random", "too few"],
)
def test_what_is_regular(rhythm_of: object, times: list[int], period: float | None, regular: bool) -> None:
    rhythm = rhythm_of(times)  # type: ignore[operator]
    assert rhythm.regular == regular
    if period is not None:
        assert rhythm.period / SECOND == pytest.approx(period, rel=0.03)


def test_a_tenth_of_loss_does_not_hide_a_poll_where_every_event_is_known() -> None:
    rhythm = by_events(every(1, jitter=0.02, loss=0.1))
    assert rhythm.regular
    assert rhythm.period / SECOND == pytest.approx(1, rel=0.05)


def test_another_pace_for_a_quarter_of_an_hour_is_no_rhythm() -> None:
    times = every(1)
    assert not by_events([time for n, time in enumerate(times) if n > 900 or n % 2 == 0]).regular


def test_gaps_between_captures_are_none() -> None:
    one, other = (START, START + 10 * MINUTE), (START + 40 * MINUTE, START + 50 * MINUTE)
    times = [time for time in every(1) if any(first <= time <= last for first, last in (one, other))]
    rhythm = exact({LINE: [("tap", time) for time in times]}, windows(one, other))[LINE]
    assert rhythm.longest / SECOND == pytest.approx(1)


def test_rotated_files_are_one_capture_and_a_silent_wire_is_none() -> None:
    half = START + 30 * MINUTE
    assert windows((START, half), (half + SECOND, START + ONE_HOUR)).spans("tap") == ((START, START + ONE_HOUR),)
    quiet = windows((START, START + ONE_HOUR), silence=MINUTE, silence_start_time=half)
    assert quiet.spans("tap") == ((START, half), (half + MINUTE, START + ONE_HOUR))
