"""The register of control commands: who wrote, operated or programmed what, with the values, and what lets him.

rows = register(judgement, tags)

One row is one function of one client at one point of one server under one verdict; its values are those of all its
events. What was not kept event by event is counted in a row without a point.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Evidence
from zonewatch.rules.findings import Verdict
from zonewatch.rules.judge import JudgedChange, Judgement
from zonewatch.rules.tags.model import Tags
from zonewatch.rules.tags.written import UNKNOWN, Written, written
from zonewatch.rules.targets import target_text
from zonewatch.rules.verdicts import VerdictRow, counted

__all__ = ["Command", "register"]

MOST_COMMANDS: Final = 5_000
"""Rows told by their points; further points of a function are counted in its row without one."""
MOST_VALUES: Final = 50_000
"""Values that are looked at one by one."""
MOST_EVIDENCE: Final = 4
SELECT: Final = "select"
CLOCK: Final = ("dnp3", "time")


@dataclass(frozen=True, slots=True)
class Command:
    """What one client commanded at one point of one server."""

    client: str  # asset id, or address
    server: str
    protocol: str
    function: str
    operation: str
    target: str = ""  # "unit 3: holding-register 100 (40101)"; empty: no point, or too many to tell
    name: str = ""  # of the point, in the tag list or as the device calls it
    before: str = ""  # the value before the first command; empty: not seen, or no value
    after: str = ""  # that of the last command
    least: str = ""  # of all values that were commanded
    greatest: str = ""
    client_zone: str = ""
    server_zone: str = ""
    verdict: Verdict | None = None  # none: no policy was given
    conduit: str = ""
    flow: str = ""  # the flow, exception or window that allows it, or the flow that would have had to
    by: Literal["", "flow", "exception", "maintenance"] = ""  # which of the three `flow` is; empty: a default
    reason: str = ""
    events: int = 0
    refused: int = 0
    unanswered: int = 0
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()


_Key = tuple[str, ...]


@dataclass(slots=True)
class _Gathered:
    row: VerdictRow
    before: str = ""
    after: str = ""
    least: tuple[float, str] = (math.inf, "")
    greatest: tuple[float, str] = (-math.inf, "")
    events: int = 0
    refused: int = 0
    unanswered: int = 0
    first: int = 0
    last: int = 0
    evidence: dict[Evidence, None] = field(default_factory=dict)

    def take(self, item: JudgedChange, value: Written | None, before: str) -> None:
        """Counts one event in, of which `before` was the value before. They come in the order of time."""
        seen = item.row.seen
        if not self.events:
            self.before = before
        self.events += seen.events
        self.refused += seen.refused
        self.unanswered += seen.unanswered
        self.first = self.first or seen.first_time
        self.last = max(self.last, seen.last_time)
        if len(self.evidence) < MOST_EVIDENCE:
            self.evidence |= dict.fromkeys(seen.evidence)
        if value is None:
            return
        clock = (seen.protocol, seen.object_kind) == CLOCK
        self.after = after = _moment(value.after) if clock else value.change.after
        if not value.command and not clock and math.isfinite(value.after):
            self.least = min(self.least, (value.after, after))
            self.greatest = max(self.greatest, (value.after, after))


def _moment(milliseconds: float) -> str:
    """A time that a clock was set to, in UTC; the number itself where it is no time."""
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds:g}"


def register(judgement: Judgement, tags: Tags, *, proposed: bool = False) -> tuple[Command, ...]:
    """The rows, by client, server, protocol, function and point. Without a policy (`proposed`) none has a verdict."""
    found: dict[_Key, _Gathered] = {}
    for item, value, before in _values(judgement.changes, tags):
        target, name = ("", "") if value is None else (value.target, value.title)
        key = (*_key(item.row), target, name)
        if key not in found and len(found) >= MOST_COMMANDS:
            key = (*_key(item.row), "", "")
        found.setdefault(key, _Gathered(item.row)).take(item, value, before)
    commands = [_command(key, gathered, proposed) for key, gathered in found.items()]
    commands += _rest(judgement, proposed)
    return tuple(sorted(commands, key=_order))


def _values(changes: Iterable[JudgedChange], tags: Tags) -> Iterator[tuple[JudgedChange, Written | None, str]]:
    """Each event with its values; none for an event without one, and once enough were looked at."""
    left = MOST_VALUES
    selected: dict[_Key, str] = {}
    for item in changes:
        bare = True
        for value in written(item, tags) if left > 0 else ():
            bare = False
            left -= 1
            yield item, value, _before(item.row, value, selected)
        if bare:
            yield item, None, ""


def _before(row: VerdictRow, value: Written, selected: dict[_Key, str]) -> str:
    """What the point was before a command; of an operate, before the select that it carries out."""
    place = (row.client.id, row.server.id, row.seen.protocol, value.target)
    told = "" if value.change.before == UNKNOWN else value.change.before
    if row.seen.function_name == SELECT:
        selected[place] = told
    elif row.seen.operation == "operate":
        return selected.pop(place, told)
    return told


def _key(row: VerdictRow) -> _Key:
    seen, decision = row.seen, row.decision
    ends = (row.client.id, row.server.id, seen.protocol, seen.function_name, seen.operation)
    return (*ends, decision.verdict, decision.conduit, decision.flow, decision.by or "")


def _command(key: _Key, gathered: _Gathered, proposed: bool) -> Command:
    row, decision = gathered.row, gathered.row.decision
    client, server, protocol, function, operation, *_, target, name = key
    seen = row.seen
    if not target and not gathered.after:
        target = target_text(seen.object_kind, seen.object_start, seen.object_count, seen.property_name)
    return Command(
        client=client,
        server=server,
        protocol=protocol,
        function=function,
        operation=operation,
        target=target,
        name=name,
        before=gathered.before,
        after=gathered.after,
        least=gathered.least[1],
        greatest=gathered.greatest[1],
        client_zone=row.client_zone,
        server_zone=row.server_zone,
        verdict=None if proposed else decision.verdict,
        conduit=decision.conduit,
        flow=decision.flow,
        by=decision.by or "",
        reason="" if proposed else decision.reason,
        events=gathered.events,
        refused=gathered.refused,
        unanswered=gathered.unanswered,
        first_time=gathered.first,
        last_time=gathered.last,
        evidence=tuple(gathered.evidence),
    )


def _rest(judgement: Judgement, proposed: bool) -> Iterator[Command]:
    """What aggregates count beyond the events that were kept whole."""
    whole: Counter[_Key] = Counter()
    for item in judgement.changes:
        if not item.row.seen.further:
            whole[_key(item.row)] += item.row.seen.events
    rows: defaultdict[_Key, list[VerdictRow]] = defaultdict(list)
    for row in judgement.rows:
        if row.seen.operation in STATE_CHANGING:
            rows[_key(row)].append(row)
    for key, same in rows.items():
        left = counted(same) - whole[key]
        if left > 0:
            gathered = _Gathered(same[0], events=left)
            gathered.refused = min(counted(same, "refused"), left)
            gathered.unanswered = min(counted(same, "unanswered"), left)
            gathered.first = min(row.seen.first_time for row in same)
            gathered.last = max(row.seen.last_time for row in same)
            proof = dict.fromkeys(one for row in same for one in row.seen.evidence)
            gathered.evidence = dict.fromkeys(tuple(proof)[:MOST_EVIDENCE])
            yield _command((*key, "", ""), gathered, proposed)


def _order(row: Command) -> tuple[object, ...]:
    names = (row.client, row.server, row.protocol, row.operation, row.function, row.target, row.name)
    return (*names, row.verdict or "", row.conduit, row.flow, row.by, row.first_time)
