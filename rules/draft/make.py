"""The whole draft: for a network without a policy, or of what an existing policy does not allow.

    made = fresh(inventory, tables, as_of)          # zones and conduits
    made = beside(policy, inventory, tables, as_of) # flows that the policy lacks

A flow that nobody should draft by itself goes to the review list, until a purpose is given for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from zonewatch.inventory.model import Inventory
from zonewatch.rules.draft.flows import Draft, drafted
from zonewatch.rules.draft.review import Review
from zonewatch.rules.draft.usage import Use, usage
from zonewatch.rules.places import Places
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.words import ANY
from zonewatch.rules.propose import proposed_zones
from zonewatch.rules.scan import scans
from zonewatch.rules.suggest import identifier

DECIDED: Final = frozenset(("value", "schedule", "rate", "expiry", "remote access"))
"""Aspects in which a flow was narrowed on purpose: the draft does not widen them."""
OPEN: Final = frozenset(("business", "external"))
"""Zones inside of which traffic is not told flow by flow."""
TENTH: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A flow of the draft in its place."""

    conduit: str
    from_zone: str
    to_zone: str
    id: str
    draft: Draft
    purpose: str = ""

    @property
    def name(self) -> str:
        """How the command line calls it."""
        return f"{self.conduit}/{self.id}"


@dataclass(frozen=True, slots=True)
class Length:
    """Whether the record was long enough: how much new came in its last tenth."""

    first: int
    last: int
    combinations: int
    late: int  # seen for the first time in the last tenth

    @property
    def share(self) -> float:
        """Of all combinations, those that came late."""
        return self.late / self.combinations if self.combinations else 0.0


@dataclass(frozen=True, slots=True)
class Made:
    """A draft."""

    policy: Policy  # zones and assets; with the conduits that were there before
    lines: tuple[Line, ...]
    review: tuple[Line, ...]
    length: Length
    combinations: int  # that the lines stand for
    attempts: int  # connections that nobody answered: not drafted
    unzoned: tuple[str, ...]  # addresses in no zone
    narrowed: int  # combinations beyond a limit of values or time that a flow sets


def fresh(
    inventory: Inventory, tables: Mapping[str, pa.Table], as_of: int, purposes: Mapping[str, str] | None = None
) -> Made:
    """Zones by subnet, VLAN, role and behaviour, and the flows between and inside them."""
    made = beside(proposed_zones(inventory), inventory, tables, as_of, purposes)
    natures = {zone.id: zone.nature for zone in made.policy.zones}
    return replace(made, lines=tuple(_opened(made.lines, natures)))


def _opened(lines: Iterable[Line], natures: Mapping[str, str | None]) -> Iterator[Line]:
    """Inside zones that are not of the process, one line for everything."""
    opened: dict[str, Line] = {}
    for line in lines:
        if line.from_zone != line.to_zone or natures.get(line.from_zone) not in OPEN:
            yield line
            continue
        known = opened.get(line.conduit)
        if known is None:
            draft = replace(
                line.draft, protocol=ANY, ports=(), operations=(), codes=(), objects=(), clients=(), servers=()
            )
            opened[line.conduit] = replace(line, id="inside", draft=draft)
        else:
            known.draft.include(line.draft)
    yield from opened.values()


def beside(
    policy: Policy,
    inventory: Inventory,
    tables: Mapping[str, pa.Table],
    as_of: int,
    purposes: Mapping[str, str] | None = None,
) -> Made:
    """The flows that a policy would need for what was seen and it does not allow. Tables are aggregates and flows."""
    places = Places(policy, inventory)
    uses = usage(policy, places, inventory, tables, as_of)
    review = Review(policy, uses, scans(tables["flows"], inventory.by_address))
    missing = [use for use in uses if use.row.decision.verdict == "violation" and not use.row.client.many]
    answered = [use for use in missing if not use.row.attempted]
    wanted = [use for use in answered if not set(use.row.decision.differs) & DECIDED]
    pairs: defaultdict[tuple[str, str, tuple[str, ...]], list[Use]] = defaultdict(list)
    for use in wanted:
        pairs[use.row.client_zone, use.row.server_zone, review.reasons(use)].append(use)
    names = _Names(policy)
    lines = [
        names.line(one, other, draft, purposes or {})
        for (one, other, reasons), found in sorted(pairs.items())
        for draft in drafted(found, places, reasons)
    ]
    put = tuple(line for line in lines if line.purpose or not line.draft.reasons)
    return Made(
        policy=policy,
        lines=put,
        review=tuple(line for line in lines if line.draft.reasons and not line.purpose),
        length=_length(uses),
        combinations=sum(line.draft.combinations for line in put),
        attempts=sum(use.row.attempted for use in missing),
        unzoned=_unzoned(uses),
        narrowed=len(answered) - len(wanted),
    )


class _Names:
    """Ids of conduits and flows, each once."""

    def __init__(self, policy: Policy) -> None:
        self._conduits = {(conduit.from_, conduit.to): conduit.id for conduit in reversed(policy.conduits)}
        self._flows = {conduit.id: {flow.id for flow in conduit.flows} for conduit in policy.conduits}

    def line(self, one: str, other: str, draft: Draft, purposes: Mapping[str, str]) -> Line:
        conduit = self._conduits.get((one, other))
        if conduit is None:
            wanted = identifier("inside", one) if one == other else identifier(one, "to", other)
            conduit = self._conduits[one, other] = _free(wanted, self._flows)
        taken = self._flows.setdefault(conduit, set())
        who = draft.clients[0] if len(draft.clients) == 1 else ""
        flow = _free(identifier(draft.protocol, draft.part, who), taken)
        taken.add(flow)
        return Line(conduit, one, other, flow, draft, purposes.get(f"{conduit}/{flow}", ""))


def _free(wanted: str, taken: Iterable[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def _length(uses: list[Use]) -> Length:
    first, last = min((use.first for use in uses), default=0), max((use.last for use in uses), default=0)
    begin = last - (last - first) // TENTH
    return Length(first, last, len(uses), sum(use.first > begin for use in uses))


def _unzoned(uses: list[Use]) -> tuple[str, ...]:
    ends = (
        end.label
        for use in uses
        for end, zone in ((use.row.client, use.row.client_zone), (use.row.server, use.row.server_zone))
        if not zone and not end.many and not end.public
    )
    return tuple(dict.fromkeys(ends))
