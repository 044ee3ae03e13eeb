"""The assessment: an inventory and the engine's tables, judged by a policy or by the zones that are proposed.

assessment = audit(inventory, tables, policy, as_of)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from zonewatch.dissectors import schemas
from zonewatch.inventory.model import Evidence, Inventory
from zonewatch.rules.context import Context, Fact
from zonewatch.rules.detectors import findings
from zonewatch.rules.findings import Finding, Verdict
from zonewatch.rules.judge import Decision, Judgement, VerdictRow, judge
from zonewatch.rules.places import Places, placed
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.propose import propose_zones

UNZONED: Final = "unzoned"
EXTERNAL: Final = "external"
WORST: Final[tuple[Verdict, ...]] = ("violation", "unzoned", "cannot_conclude", "allowed")
NO_POLICY: Final = Decision("cannot_conclude", "no policy: the zones are a proposal")


@dataclass(frozen=True, slots=True)
class Cell:
    """Traffic from one zone to another."""

    from_zone: str  # zone id, `external` or `unzoned`
    to_zone: str
    operations: tuple[tuple[str, int], ...]  # operation, or service of other traffic → events, or packets of these
    verdicts: tuple[tuple[Verdict, int], ...]  # → distinct combinations
    worst: Verdict
    events: int
    packets: int  # of traffic without events


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdict on one distinct combination, as results show it."""

    client: str  # asset ids
    server: str
    client_zone: str
    server_zone: str
    protocol: str
    server_port: int
    unit: str
    function: int | None
    function_name: str
    operation: str
    object_kind: str
    object_start: int | None
    object_count: int
    verdict: Verdict
    conduit: str
    flow: str
    reason: str
    count: int
    first_time: int
    last_time: int
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an audit found out. Everything is sorted; equal inputs give equal assessments."""

    policy: Policy  # as given, or the proposal
    proposed: bool
    inventory: Inventory  # with zones and what the policy declares
    verdicts: tuple[Verdicts, ...]
    matrix: tuple[Cell, ...]
    findings: tuple[Finding, ...]
    unused: tuple[tuple[str, str], ...]  # (conduit, flow) that nothing was seen to use; none of a proposal
    limits: tuple[str, ...]  # what was not judged
    as_of: int


def audit(inventory: Inventory, tables: Mapping[str, pa.Table], policy: Policy | None, as_of: int) -> Assessment:
    """Judges everything. `tables` by the names of `schemas.TABLES`; of them aggregates, events and flows are read.

    `as_of` (UTC nanoseconds) is the moment by which last days are judged.
    """
    used = policy if policy is not None else propose_zones(inventory)
    places = Places(used, inventory)
    table = {name: tables.get(name, schemas.TABLES[name].empty_table()) for name in ("aggregates", "events", "flows")}
    judgement = judge(used, inventory, table["aggregates"], table["events"], as_of, places)
    if policy is None:
        judgement = _unjudged(judgement)
    zoned = placed(used, inventory)
    context = Context(
        policy=used,
        proposed=policy is None,
        inventory=zoned,
        places=places,
        judgement=judgement,
        flows=table["flows"],
        assets={asset.id: asset for asset in zoned.assets},
        listed=bool(policy is not None and policy.assets) or any(asset.declared for asset in inventory.assets),
        verdicts=_by_fact(judgement.rows),
    )
    return Assessment(
        policy=used,
        proposed=policy is None,
        inventory=zoned,
        verdicts=tuple(_verdicts(row) for row in judgement.rows),
        matrix=matrix(judgement.rows),
        findings=findings(context),
        unused=judgement.unused,
        limits=judgement.limits,
        as_of=as_of,
    )


def _unjudged(judgement: Judgement) -> Judgement:
    """The same without verdicts: by flows made from the traffic itself, everything would be allowed."""
    return Judgement(
        rows=tuple(replace(row, decision=NO_POLICY) for row in judgement.rows),
        changes=tuple(replace(item, row=replace(item.row, decision=NO_POLICY)) for item in judgement.changes),
        unused=(),
        limits=judgement.limits,
    )


def _by_fact(rows: tuple[VerdictRow, ...]) -> dict[Fact, tuple[VerdictRow, ...]]:
    found: defaultdict[Fact, list[VerdictRow]] = defaultdict(list)
    for row in rows:
        found[row.client.id, row.server.id, row.seen.protocol].append(row)
    return {fact: tuple(group) for fact, group in found.items()}


def matrix(rows: tuple[VerdictRow, ...]) -> tuple[Cell, ...]:
    """Zone by zone: what is done, how often, and what the policy says of it."""
    cells: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        one = row.client_zone or (EXTERNAL if row.client.public else UNZONED)
        other = row.server_zone or (EXTERNAL if row.server.public else UNZONED)
        cells[one, other].append(row)
    return tuple(_cell(pair, group) for pair, group in sorted(cells.items()))


def _cell(pair: tuple[str, str], rows: list[VerdictRow]) -> Cell:
    operations: Counter[str] = Counter()
    for row in rows:
        operations[row.seen.operation or row.seen.protocol] += row.seen.events
    verdicts = Counter(row.decision.verdict for row in rows)
    return Cell(
        from_zone=pair[0],
        to_zone=pair[1],
        operations=tuple(sorted(operations.items(), key=lambda item: (-item[1], item[0]))),
        verdicts=tuple((verdict, verdicts[verdict]) for verdict in WORST if verdicts[verdict]),
        worst=min((row.decision.verdict for row in rows), key=WORST.index),
        events=sum(row.seen.events for row in rows if row.seen.operation),
        packets=sum(row.seen.events for row in rows if not row.seen.operation),
    )


def _verdicts(row: VerdictRow) -> Verdicts:
    seen, decision = row.seen, row.decision
    return Verdicts(
        client=row.client.id,
        server=row.server.id,
        client_zone=row.client_zone,
        server_zone=row.server_zone,
        protocol=seen.protocol,
        server_port=seen.server_port,
        unit=seen.unit,
        function=seen.function,
        function_name=seen.function_name,
        operation=seen.operation,
        object_kind=seen.object_kind or "",
        object_start=seen.object_start,
        object_count=seen.object_count,
        verdict=decision.verdict,
        conduit=decision.conduit,
        flow=decision.flow,
        reason=decision.reason,
        count=seen.events,
        first_time=seen.first_time,
        last_time=seen.last_time,
        evidence=seen.evidence,
    )
