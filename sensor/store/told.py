"""What is told, and when it is told again: decided without a database.

A subject is a finding or an incident. It is told when it is new, when its severity or verdict is another, when its
story went on (not more often than `retell`), when it is withdrawn, and when it comes back after it was accepted or
withdrawn.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.rules.findings import Finding
from zonewatch.rules.incidents import Incident

__all__ = ["Digests", "Known", "State", "digests", "is_told"]

State = Literal["open", "accepted", "resolved"]
_NUMBER: Final = re.compile(r"\b\d+(?:[.,]\d+)*\b")
"""Counts in sentences go on with every packet; a story does not."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What an alert says, in two short texts."""

    gravity: str
    story: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of a subject, but for its document."""

    state: State
    owner: str
    severity: str
    decision: int | None
    period: int
    earlier: int | None
    digests: Digests  # of what was told last
    told: int
    told_at: int


def digests(subject: Finding | Incident) -> Digests:
    """Of what a finding or incident tells."""
    if isinstance(subject, Incident):
        gravity = [subject.severity, subject.pattern]
        story: list[object] = [subject.findings, subject.owner, [(step.client, step.servers) for step in subject.steps]]
    else:
        gravity = [subject.severity, subject.verdict or "", subject.owner]
        story = [
            subject.assets,
            subject.zones,
            subject.operation,
            sorted({change.target for change in subject.changes}),
            [_NUMBER.sub("#", reason) for reason in subject.reasons],
            [(step.client, step.server, step.protocol, _NUMBER.sub("#", step.what)) for step in subject.steps],
        ]
    return Digests(_digest(gravity), _digest(story))


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def is_told(known: Known | None, state: State, now: Digests, at: int, retell: int, *, final: bool) -> bool:
    """Whether an alert is due. `final`: the period ends, and nothing waits any longer."""
    if known is None or known.told == 0:
        return state == "open"
    if state != "open":  # an acceptance is no alert; a withdrawal is one where somebody believes the alert
        return state == "resolved" and known.state == "open"
    if known.state != "open" or known.digests.gravity != now.gravity:
        return True
    waits = 0 <= at - known.told_at < retell and not final
    return known.digests.story != now.story and not waits
