"""What a check is, and what it gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, NamedTuple

from zonewatch.dissectors.vocabulary import PROTOCOLS, STATE_CHANGING
from zonewatch.rules.policy.document import Place
from zonewatch.rules.policy.edit import Edit
from zonewatch.rules.policy.model import Conduit, Flow, Policy, Zone
from zonewatch.rules.policy.words import ANY, TRANSPORTS
from zonewatch.rules.policy.zones import Zones, compile_zones

Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")


class Told(NamedTuple):
    """One thing that a check found, at a place of the file, with the edits that mend it where that is safe."""

    path: Place
    message: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Subject:
    """A policy on a day."""

    policy: Policy
    today: dt.date
    known_assets: frozenset[str] = field(default=frozenset())

    @cached_property
    def zones(self) -> dict[str, Zone]:
        """By id."""
        return {zone.id: zone for zone in self.policy.zones}

    @cached_property
    def members(self) -> Zones:
        """Of all zones, ready to be asked."""
        return compile_zones(self.policy)

    def conduits(self) -> Iterator[tuple[Place, Conduit]]:
        """Each with its place."""
        yield from ((("conduits", i), conduit) for i, conduit in enumerate(self.policy.conduits))

    def flows(self) -> Iterator[tuple[Place, Conduit, Flow]]:
        """Each with its place and its conduit."""
        for path, conduit in self.conduits():
            yield from (((*path, "flows", j), conduit, flow) for j, flow in enumerate(conduit.flows))


@dataclass(frozen=True, slots=True)
class Check:
    """A check with its code; docs/policy-check.md has a section for each."""

    code: str
    severity: Severity
    title: str
    clause: str  # of IEC 62443-3-2, or of the requirement behind it
    find: Callable[[Subject], Iterator[Told]]


def changing(flow: Flow) -> tuple[str, ...]:
    """The state-changing operations that a flow allows; all of them where it names none and its protocol has some."""
    if flow.operations:
        return tuple(operation for operation in flow.operations if operation in STATE_CHANGING)
    decoded = flow.protocol in PROTOCOLS or (flow.protocol in (ANY, *TRANSPORTS) and not flow.ports)
    return tuple(sorted(STATE_CHANGING)) if decoded else ()
