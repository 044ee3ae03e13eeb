"""Facts about the watch that only a sensor's store can show: whether it ran, and whether its alerts arrived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from zonewatch.reports.facts.model import HOUR, WHOLE, Fact, FactStatus, Observation, Place
from zonewatch.reports.watched import Watched

__all__ = ["LATEST", "UPTIME", "of_watch"]

UPTIME: Final = 0.95
"""The share of a span that has to be watched and on record before continuous monitoring may be told."""
LATEST: Final = HOUR
"""The age of an alert that no receiver has, from which on delivery may not be told."""


def of_watch(facts: Iterable[Fact], watched: Watched) -> tuple[Fact, ...]:
    """The facts, with what a sensor knows of itself."""
    found = {"mon.sensor_uptime": tuple(_uptime(watched)), "mon.alert_delivery": tuple(_delivery(watched))}
    return tuple(_with(fact, found[fact.id]) if fact.id in found else fact for fact in facts)


def _with(fact: Fact, found: tuple[Observation, ...]) -> Fact:
    """It is about the sensor, not about zones: the same is said of each."""
    status: FactStatus = "observed" if found else "not_observed"
    places = tuple(Place(place.zone, status) for place in fact.places)
    zones = (WHOLE, *(place.zone for place in fact.places))
    rows = tuple(replace(one, zone=zone) for zone in zones for one in found)
    return Fact(fact.id, status, observations=rows, places=places)


def _uptime(watched: Watched) -> Iterator[Observation]:
    if watched.uptime >= UPTIME:
        values = (("periods", str(len(watched.periods))), ("gaps", str(len(watched.gaps))))
        yield Observation(
            WHOLE,
            "mon.sensor_uptime",
            values,
            count=len(watched.periods),
            first_time=watched.first_time,
            last_time=watched.last_time,
        )


def _delivery(watched: Watched) -> Iterator[Observation]:
    told = watched.told
    late = told.oldest_time and watched.last_time - told.oldest_time > LATEST
    if told.told > told.waiting and not late:
        values = (("told", str(told.told)), ("waiting", str(told.waiting)))
        yield Observation(
            WHOLE,
            "mon.alert_delivery",
            values,
            count=told.told - told.waiting,
            first_time=watched.first_time,
            last_time=watched.last_time,
        )
