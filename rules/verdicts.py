"""What the policy says of one combination of ends and function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.rules.findings import Verdict
from zonewatch.rules.matching import Sort
from zonewatch.rules.observe import Observation, events_of
from zonewatch.rules.places import End

ATTEMPTED: Final = frozenset(("attempted", "refused"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one combination."""

    verdict: Verdict
    reason: str
    conduit: str = ""  # of the flow that allows it, or would have had to
    flow: str = ""  # the flow, exception or maintenance window
    by: Sort | None = None  # which of the three
    differs: tuple[str, ...] = ()  # aspects in which that flow differs
    reported: bool = False  # allowed by a default that asks to be told


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One distinct combination with its verdict."""

    client: End
    server: End
    client_zone: str
    server_zone: str
    seen: Observation
    decision: Decision

    @property
    def attempted(self) -> bool:
        """True for a connection that was refused or never answered."""
        return self.seen.state in ATTEMPTED


def counted(rows: Iterable[VerdictRow], what: Literal["events", "refused", "unanswered"] = "events") -> int:
    """How many events (or packets of connections) these rows are, each once though several of its objects are rows."""
    return events_of(
        ((row.client.id, row.server.id, *row.seen[3:11]), count, min(row.seen.further, count))
        for row in rows
        for count in (getattr(row.seen, what),)
    )
