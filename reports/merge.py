"""Results of one sensor, one after the other, as one: what a report of a span of time is made from.

Counts are added, times spanned, frames keep the names of their captures. What a later result knows better (names,
zones, the policy) is that of the last. Verdicts stay as they were given: each period was judged by the policy of its
time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from zonewatch.inventory.edges import MOST_EVIDENCE as MOST_OF_EDGE
from zonewatch.inventory.flows import STATES
from zonewatch.inventory.model import Activity, Asset, Claim, Edge, Evidence, Function, Inventory, Target
from zonewatch.inventory.targets import merge_targets
from zonewatch.reports.collect import limits
from zonewatch.reports.result import AuditResult, MatrixCell, OddityCount, VerdictRow, ordered
from zonewatch.rules.context import MOST_EVIDENCE
from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.rules.register import Command

__all__ = ["after", "merged"]

_KNOWN: Final = ("vendor", "model", "firmware", "serial", "operating_system", "criticality", "declared", "zone")
"""Fields of an asset of which an empty one knows less than one before."""
_SUMMED: Final = frozenset(("events", "refused", "unanswered", "first_time", "last_time", "evidence", "state"))
_ROW: Final = tuple(field.name for field in fields(VerdictRow) if field.name not in _SUMMED)
_ACT: Final = tuple(
    field.name for field in fields(Activity) if field.name not in ("count", "first_time", "last_time", "evidence")
)
_TOLD: Final = frozenset(("before", "after", "least", "greatest"))
_COMMAND: Final = tuple(field.name for field in fields(Command) if field.name not in _SUMMED | _TOLD)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_T = TypeVar("_T")


def merged(results: Sequence[AuditResult]) -> AuditResult:
    """One result of several, in the order of their times. Raises ValueError for none."""
    if not results:
        raise ValueError("no result")
    found = results[0]
    for later in results[1:]:
        found = after(found, later)
    return ordered(found)


def after(one: AuditResult, later: AuditResult) -> AuditResult:
    """The first with the one that came after it."""
    rows = (*one.captures, *later.captures)
    return replace(
        later,
        captures=rows,
        as_of=max(one.as_of, later.as_of),
        inventory=_inventory(one.inventory, later.inventory),
        verdicts=_folded(
            one.verdicts, later.verdicts, lambda row: tuple(getattr(row, name) for name in _ROW), _verdict
        ),
        matrix=_folded(
            one.matrix,
            later.matrix,
            lambda cell: (cell.from_zone, cell.to_zone, cell.protocol, cell.operation, cell.verdict),
            _cell,
        ),
        findings=_folded(one.findings, later.findings, lambda finding: finding.id, _finding),
        incidents=_folded(one.incidents, later.incidents, lambda row: row.id, lambda before, row: _later(before, row)),
        flows=_folded(one.flows, later.flows, lambda row: row.finding, lambda _, row: row),
        evidence=_folded(one.evidence, later.evidence, lambda row: row.finding, lambda _, row: row),
        oddities=_folded(
            one.oddities, later.oddities, lambda row: (row.protocol, row.layer, row.code, row.expected), _oddity
        ),
        unused_flows=_both(one.unused_flows, later.unused_flows, lambda row: (row.conduit, row.flow, row.protocol)),
        commands=_folded(
            one.commands, later.commands, lambda row: tuple(getattr(row, name) for name in _COMMAND), _command
        ),
        limits=tuple(dict.fromkeys((*limits(rows), *_own_limits(one), *_own_limits(later)))),
        looked_for=_both(one.looked_for, later.looked_for, lambda rule: rule),
    )


def _folded(
    one: Iterable[_T], later: Iterable[_T], key: Callable[[_T], Hashable], both: Callable[[_T, _T], _T]
) -> tuple[_T, ...]:
    found: dict[Hashable, _T] = {key(row): row for row in one}
    for row in later:
        name = key(row)
        found[name] = both(found[name], row) if name in found else row
    return tuple(found.values())


def _both(one: Iterable[_T], later: Iterable[_T], key: Callable[[_T], Hashable]) -> tuple[_T, ...]:
    """What is in both, as the later has it."""
    known = {key(row) for row in one}
    return tuple(row for row in later if key(row) in known)


def _own_limits(result: AuditResult) -> tuple[str, ...]:
    """Those that do not come from its captures, which are told anew of all of them."""
    told = frozenset(limits(result.captures)) if result.captures else frozenset[str]()
    return tuple(sentence for sentence in result.limits if sentence not in told)


def _first(*times: int) -> int:
    return min((time for time in times if time), default=0)


def _frames(one: Iterable[Evidence], later: Iterable[Evidence], most: int) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys((*one, *later)))[:most]


def _verdict(one: VerdictRow, row: VerdictRow) -> VerdictRow:
    return replace(
        row,
        events=one.events + row.events,
        refused=one.refused + row.refused,
        unanswered=one.unanswered + row.unanswered,
        first_time=_first(one.first_time, row.first_time),
        last_time=max(one.last_time, row.last_time),
        evidence=_frames(one.evidence, row.evidence, MOST_EVIDENCE),
        state=max(one.state, row.state, key=_state),
    )


def _state(state: str) -> int:
    return STATES.index(state) if state in STATES else 0


def _command(one: Command, row: Command) -> Command:
    """The value before is that of the first, the one after that of the last; bounds are those of both."""
    return replace(
        row,
        before=one.before or row.before,
        after=row.after or one.after,
        least=_bound(one.least, row.least, min),
        greatest=_bound(one.greatest, row.greatest, max),
        events=one.events + row.events,
        refused=one.refused + row.refused,
        unanswered=one.unanswered + row.unanswered,
        first_time=_first(one.first_time, row.first_time),
        last_time=max(one.last_time, row.last_time),
        evidence=_frames(one.evidence, row.evidence, MOST_EVIDENCE),
    )


def _bound(one: str, other: str, pick: Callable[..., tuple[float, str]]) -> str:
    """The smaller or greater of two values in words; the later where they are no numbers."""
    if not one or not other:
        return one or other
    first, second = _NUMBER.match(one), _NUMBER.match(other)
    if first is None or second is None:
        return other
    return pick((float(first[0]), one), (float(second[0]), other))[1]


def _cell(one: MatrixCell, cell: MatrixCell) -> MatrixCell:
    return replace(cell, events=one.events + cell.events)


def _oddity(one: OddityCount, row: OddityCount) -> OddityCount:
    return replace(row, count=one.count + row.count, evidence=_frames(one.evidence, row.evidence, 3))


def _finding(one: Finding, row: Finding) -> Finding:
    """The graver of the two tells it."""
    telling = one if SEVERITIES.index(one.severity) > SEVERITIES.index(row.severity) else row
    return replace(
        telling,
        count=one.count + row.count,
        first_time=_first(one.first_time, row.first_time),
        last_time=max(one.last_time, row.last_time),
        evidence=_frames(one.evidence, row.evidence, max(MOST_EVIDENCE, len(telling.evidence))),
        state=row.state,
    )


def _later(one: Any, row: Any) -> Any:
    return row if row.last_time >= one.last_time else one


def _inventory(one: Inventory, later: Inventory) -> Inventory:
    return Inventory(
        assets=_folded(one.assets, later.assets, lambda asset: asset.id, _asset),
        edges=_folded(one.edges, later.edges, _edge_key, _edge),
        unseen=_both(one.unseen, later.unseen, lambda name: name),
        by_address={**one.by_address, **later.by_address},
        activities=_folded(
            one.activities, later.activities, lambda row: tuple(getattr(row, name) for name in _ACT), _activity
        ),
    )


def _asset(one: Asset, asset: Asset) -> Asset:
    """What a period alone does not show, another may have."""
    known = {name: getattr(one, name) for name in _KNOWN if not getattr(asset, name)}
    if asset.role == "unknown":
        known |= {"role": one.role, "role_confidence": one.role_confidence, "role_reasons": one.role_reasons}
    if asset.purdue is None:
        known["purdue"] = one.purdue
    if asset.kind == "unknown":
        known["kind"] = one.kind
    return replace(
        asset,
        **known,
        interfaces=tuple(dict.fromkeys((*asset.interfaces, *one.interfaces))),
        users=tuple(sorted({*one.users, *asset.users})),
        claims=_claims(one.claims, asset.claims),
        units=_folded(one.units, asset.units, lambda unit: (unit.protocol, unit.unit), lambda _, unit: unit),
        services=_folded(
            one.services, asset.services, lambda row: (row.protocol, row.transport, row.port), lambda _, row: row
        ),
        first_time=_first(one.first_time, asset.first_time),
        last_time=max(one.last_time, asset.last_time),
        first_evidence=one.first_evidence or asset.first_evidence,
    )


def _claims(one: tuple[Claim, ...], later: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """Those of before lose where the later ones name a winner."""
    won = {claim.attribute for claim in later if claim.winner}
    before = (replace(claim, winner=claim.winner and claim.attribute not in won) for claim in one)
    return _folded(
        before,
        later,
        lambda claim: (claim.attribute, claim.value, claim.protocol),
        lambda first, claim: replace(claim, count=first.count + claim.count, evidence=first.evidence or claim.evidence),
    )


def _edge_key(edge: Edge) -> Hashable:
    ends = (edge.client, edge.server, edge.client_address, edge.server_address)
    return (*ends, edge.protocol, edge.transport, edge.server_port)


def _edge(one: Edge, edge: Edge) -> Edge:
    return replace(
        edge,
        ot=one.ot or edge.ot,
        functions=_folded(
            one.functions, edge.functions, lambda row: (row.code, row.name, row.operation, row.unit), _function
        ),
        operations=tuple(sorted({*one.operations, *edge.operations})),
        events=one.events + edge.events,
        packets=one.packets + edge.packets,
        bytes=one.bytes + edge.bytes,
        state=max(one.state, edge.state, key=_state),
        first_time=_first(one.first_time, edge.first_time),
        last_time=max(one.last_time, edge.last_time),
        evidence=_frames(one.evidence, edge.evidence, MOST_OF_EDGE),
    )


def _function(one: Function, row: Function) -> Function:
    statuses = Counter(dict(one.statuses)) + Counter(dict(row.statuses))
    return replace(
        row,
        events=one.events + row.events,
        targets=_targets(one, row),
        statuses=tuple(sorted(statuses.items())),
        evidence=_frames(one.evidence, row.evidence, MOST_OF_EDGE),
    )


def _targets(one: Function, row: Function) -> tuple[Target, ...]:
    """Ranges joined; a name stays with the range that it was given for."""
    names = {replace(target, names=""): target.names for target in (*one.targets, *row.targets)}
    joined = merge_targets(replace(target, names="") for target in (*one.targets, *row.targets))
    return tuple(replace(target, names=names.get(target, "")) for target in joined)


def _activity(one: Activity, row: Activity) -> Activity:
    return replace(
        row,
        count=one.count + row.count,
        first_time=_first(one.first_time, row.first_time),
        last_time=max(one.last_time, row.last_time),
        evidence=one.evidence,
    )
