"""Traffic as the distinct combinations that a policy tells apart, with how often, on which days and how recently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.model import Inventory
from zonewatch.rules.judge import Judge
from zonewatch.rules.observe import Sessions, from_aggregates, from_edges, sessions_of
from zonewatch.rules.places import Places
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.verdicts import VerdictRow

DAY: Final = 86_400 * SECOND


@dataclass(slots=True)
class Use:
    """One combination of ends, function and objects, with its verdict."""

    row: VerdictRow  # as of the first time that it was seen
    events: int = 0
    refused: int = 0
    unanswered: int = 0
    first: int = 0
    last: int = 0
    further: int = 0  # of the events, those counted with another of their objects too
    days: set[int] = field(default_factory=set)  # UTC days since the epoch

    @property
    def obeyed(self) -> bool:
        """True unless all of it is known to have been refused, or was due an answer that nobody saw."""
        return self.refused + self.unanswered < self.events

    def add(self, row: VerdictRow, days: Iterable[int]) -> None:
        """Counts more of it."""
        seen = row.seen
        self.first = min(self.first, seen.first_time) if self.events else seen.first_time
        self.last = max(self.last, seen.last_time)
        self.events += seen.events
        self.refused += seen.refused
        self.unanswered += seen.unanswered
        self.further += seen.further
        self.days.update(days)


def usage(
    policy: Policy, places: Places, inventory: Inventory, tables: Mapping[str, pa.Table], as_of: int
) -> list[Use]:
    """Every combination, in the order of its first time. `tables` are aggregates and flows."""
    judge = Judge(policy, places, as_of)
    found: dict[tuple[object, ...], Use] = {}
    aggregates = from_aggregates(tables["aggregates"], judge.calendar, values=False, rated=frozenset(PROTOCOLS))
    for seen in aggregates:
        row = judge.row(seen)
        found.setdefault(_key(row), Use(row)).add(row, (seen.bucket // DAY,))
    sessions = sessions_of(tables["flows"], lambda source, address: places.at(source, address).id)
    for edge, seen in from_edges(inventory.edges, judge.calendar, sessions):
        row = judge.row(seen, places.of(edge.client, seen.client), places.of(edge.server, seen.server))
        key = (edge.client, edge.server, edge.transport, edge.server_port)
        found.setdefault(_key(row), Use(row)).add(row, _days(sessions, key, seen.first_time, seen.last_time))
    return sorted(found.values(), key=lambda use: use.first)


def _key(row: VerdictRow) -> tuple[object, ...]:
    seen = row.seen
    ends = (row.client.id, row.client.address, row.server.id, row.server.address)
    what = (seen.protocol, seen.transport, seen.server_port, seen.kind, seen.function, seen.operation)
    return (*ends, *what, seen.object_kind, seen.object_start, seen.object_count, seen.coalesced)


def _days(sessions: Sessions, key: tuple[str, str, str, int], first: int, last: int) -> Iterator[int]:
    """Days that connections touch; of those that are counted together, the first and the last."""
    for span in sessions.get(key, ((first, last),)):
        begin, end = span or (first, last)
        if span is None:
            yield from (begin // DAY, end // DAY)
        else:
            yield from range(begin // DAY, end // DAY + 1)


def without_zones(inventory: Inventory) -> Inventory:
    """The same assets, in no zone: what another policy said of them does not count."""
    return replace(inventory, assets=tuple(replace(asset, zone="") for asset in inventory.assets))
