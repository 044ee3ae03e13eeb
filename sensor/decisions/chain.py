"""The chain of decisions: each holds the hash of the one before, so that none can be changed or taken out unseen.

The hash is SHA-256 over the canonical JSON of all other fields: keys sorted, no spaces, ASCII; times in RFC 3339, UTC,
nine digits. Anybody can compute it again with a few lines of any language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

__all__ = ["KINDS", "Broken", "Decision", "Head", "first_broken", "missing_heads", "sealed", "trusted"]

Kind = Literal["acceptance", "exception", "withdrawal", "export"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the log. Times are RFC 3339 in UTC with nine digits, empty is none."""

    number: int  # from 1 on, without gaps
    time: str
    who: str
    kind: Kind
    subject: str  # id of the finding; what an exception is about; number of the decision withdrawn; what was exported
    until: str
    reason: str
    document: str  # JSON object: what else belongs to the kind
    previous: str  # hash of the one before; empty for the first
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The last decision as somebody saw it once."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first decision that cannot be trusted, and why."""

    number: int
    why: str


def sealed(decision: Decision) -> Decision:
    """The same with its hash."""
    values = {
        "number": decision.number,
        "time": decision.time,
        "who": decision.who,
        "kind": decision.kind,
        "subject": decision.subject,
        "until": decision.until,
        "reason": decision.reason,
        "document": decision.document,
        "previous": decision.previous,
    }
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return replace(decision, hash=hashlib.sha256(text.encode()).hexdigest())


def first_broken(decisions: Iterable[Decision]) -> Broken | None:
    """The first broken link of the chain, in the order of the numbers; none where it is whole."""
    number, previous = 0, ""
    for number, decision in enumerate(decisions, 1):
        if decision.number != number:
            return Broken(number, f"is missing: decision {decision.number} comes where {number} is expected")
        if decision.previous != previous:
            return Broken(number, "does not hold the hash of the decision before")
        if decision.hash != sealed(decision).hash:
            return Broken(number, "was changed: its hash is not that of its fields")
        previous = decision.hash
    return None


def trusted(decisions: Sequence[Decision]) -> Sequence[Decision]:
    """Those before the first broken link."""
    broken = first_broken(decisions)
    return decisions if broken is None else decisions[: broken.number - 1]


def missing_heads(decisions: Sequence[Decision], heads: Iterable[Head]) -> Broken | None:
    """The first decision that was seen once and is gone or another now: the end was cut off, or written anew."""
    for head in sorted(heads, key=lambda head: head.number):
        if head.number > len(decisions):
            return Broken(head.number, f"is gone: it was seen once with hash {head.hash}")
        if decisions[head.number - 1].hash != head.hash:
            return Broken(head.number, f"is not the one that was seen once with hash {head.hash}")
    return None
