"""What is said of a fact: observations with their frames, and in which zones its absence may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.inventory.model import Evidence

__all__ = ["MINIMUM", "REASONS", "WHOLE", "Fact", "FactStatus", "Minimum", "Observation", "Place", "Visibility"]

FactStatus = Literal["observed", "not_observed", "not_observable"]
WHOLE: Final = ""
"""The zone of what is about the whole system, or about no zone of the policy."""
MOST_FRAMES: Final = 8
MOST_OBSERVATIONS: Final = 100
"""Of one fact in one zone; the rest is counted together."""
OTHERS: Final = "*"
"""Stands for words that differ among observations that are counted together."""
MINUTE: Final = 60 * 1_000_000_000
HOUR: Final = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Minimum:
    """How much has to be seen before an absence may be told. A report prints it."""

    window: int = 24 * HOUR  # nanoseconds: what a day brings has been there once
    seen: float = 0.8  # share of the declared assets of a zone
    both_ways: float = 0.9  # share of a zone's connections of which both directions were captured
    decoded: float = 0.8  # share of the octets that were recognised


MINIMUM: Final = Minimum()
"""The project's default."""

REASONS: Final = {
    "no_capture": "no packet was captured",
    "partial_capture": "a capture could be read only in part",
    "window_short": "the captures span less than the set minimum",
    "nothing_declared": "no asset is declared in the zone, so nobody can say which share of it was seen",
    "assets_unseen": "too few of the zone's declared assets were seen",
    "one_way": "of too many of the zone's connections only one direction was captured",
    "undecoded": "too much of the traffic is of protocols that are not known",
    "dropped": "the capturing machine dropped packets, or the analysis had to drop rows to bound its memory",
    "no_policy": "no policy was given",
    "no_assets": "no asset list was given",
    "no_baseline": "no baseline was given",
    "no_windows": "the policy declares no remote access, exceptions or maintenance windows to compare with",
    "no_safety_zone": "no zone of the policy is designated as a safety zone",
    "no_diode": "no conduit of the policy is declared as one-way",
    "rule_off": "a rule that finds it was off, or some of its findings were suppressed",
    "radio": "a wired capture point does not see the radio side",
    "no_indicators": "no list of indicators was compared with the traffic",
    "only_if_used": "it is seen only when somebody uses it",
    "encrypted": "it is seen only where it is not encrypted",
    "not_measured": "this version does not measure it",
    "not_on_the_network": "it is nothing that traffic could show",
}
"""Why nothing may be said, by the key that stands in a fact."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was observed. The same traffic stands once for every zone that it concerns."""

    zone: str  # WHOLE: no zone, or all of them
    key: str  # of the sentence that tells it: the fact's id
    values: tuple[tuple[str, str], ...]  # of the sentence, by name
    count: int = 0
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()  # at most MOST_FRAMES
    findings: tuple[str, ...] = ()  # ids
    exception: str = ""  # id of the approved exception or maintenance window that covers it


@dataclass(frozen=True, slots=True)
class Place:
    """What is said of a fact in one zone."""

    zone: str
    status: FactStatus
    reason_key: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the vocabulary, measured."""

    id: str
    status: FactStatus  # in the system as a whole
    reason_key: str = ""  # why it is not observable
    observations: tuple[Observation, ...] = ()
    places: tuple[Place, ...] = ()  # by zone, in the order of the policy

    def seen_in(self, zone: str) -> tuple[Observation, ...]:
        """The observations of a zone; of the whole system all."""
        return tuple(one for one in self.observations if zone == WHOLE or one.zone == zone)

    def status_in(self, zone: str) -> FactStatus:
        """What may be said of it in a zone."""
        if zone == WHOLE:
            return self.status
        return next((place.status for place in self.places if place.zone == zone), "not_observable")


@dataclass(frozen=True, slots=True)
class Visibility:
    """How much of a zone was seen."""

    zone: str
    declared: int
    seen: int  # of the declared ones
    connections: int  # over TCP, with data
    both_ways: int  # of these
    reason_key: str = ""  # why an absence may not be told; empty: it may

    @property
    def sufficient(self) -> bool:
        """Whether an absence may be told."""
        return not self.reason_key
