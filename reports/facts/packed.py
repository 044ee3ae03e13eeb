"""A fact as plain tuples, as it is carried from one process to another: a tenth of the time of its own classes."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from zonewatch.inventory.model import Evidence
from zonewatch.reports.facts.model import Fact, Observation, Place

__all__ = ["packed", "unpacked"]

_BEFORE: Final = attrgetter("zone", "key", "values", "count", "first_time", "last_time")
_FRAME: Final = attrgetter("source", "capture", "frame")


def packed(fact: Fact) -> tuple[Any, ...]:
    """Fields by their place."""
    observations = [
        (_BEFORE(one), [_FRAME(frame) for frame in one.evidence], one.findings, one.exception)
        for one in fact.observations
    ]
    places = [(place.zone, place.status, place.reason_key) for place in fact.places]
    return fact.id, fact.status, fact.reason_key, observations, places


def unpacked(fact: tuple[Any, ...]) -> Fact:
    """The fact that it was."""
    name, status, reason, observations, places = fact
    return Fact(
        name,
        status,
        reason,
        tuple(
            [
                Observation(
                    zone,
                    key,
                    values,
                    count,
                    first,
                    last,
                    tuple([Evidence(*frame) for frame in frames]),
                    findings,
                    covered,
                )
                for (zone, key, values, count, first, last), frames, findings, covered in observations
            ]
        ),
        tuple([Place(*place) for place in places]),
    )
