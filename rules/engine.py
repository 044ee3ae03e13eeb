"""The assessment: an inventory and the engine's tables, judged by a policy or by the zones that are proposed.

assessment = audit(inventory, tables, policy, as_of)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors import schemas
from zonewatch.inventory.activities import MOST_ROWS, one_by_one
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context, Fact
from zonewatch.rules.detectors import findings
from zonewatch.rules.findings import Finding
from zonewatch.rules.judge import Decision, Judgement, VerdictRow, judge
from zonewatch.rules.paths import Paths, paths
from zonewatch.rules.places import Places, placed
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.propose import propose_zones
from zonewatch.rules.seen import days, limits

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
_READ: Final = ("aggregates", "events", "flows", "activities", "oddities", "addresses", "coverage")
NO_POLICY: Final = Decision("cannot_conclude", "no policy: the zones are a proposal")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an audit found out. Everything is sorted; equal inputs give equal assessments."""

    policy: Policy  # as given, or the proposal
    proposed: bool
    inventory: Inventory  # with zones and what the policy declares
    verdicts: tuple[VerdictRow, ...]  # by first time
    findings: tuple[Finding, ...]
    unused: tuple[tuple[str, str], ...]  # (conduit, flow) that nothing was seen to use; none of a proposal
    paths: tuple[Paths, ...]  # ways from outside to controllers
    limits: tuple[str, ...]  # what was not judged
    as_of: int


def audit(inventory: Inventory, tables: Mapping[str, pa.Table], policy: Policy | None, as_of: int) -> Assessment:
    """Judges everything. `tables` by the names of `schemas.TABLES`; those of `_READ` are read.

    `as_of` (UTC nanoseconds) is the moment by which last days are judged.
    """
    used = policy if policy is not None else propose_zones(inventory)
    places = Places(used, inventory)
    table = {name: tables.get(name, schemas.TABLES[name].empty_table()) for name in _READ}
    judgement = judge(used, inventory, table["aggregates"], table["events"], as_of, places, table["flows"])
    if policy is None:
        judgement = _unjudged(judgement)
    zoned = placed(used, inventory)
    spoken = _spoken(table["activities"])
    context = Context(
        policy=used,
        proposed=policy is None,
        inventory=zoned,
        places=places,
        judgement=judgement,
        flows=table["flows"],
        oddities=table["oddities"],
        addresses=table["addresses"],
        events=table["events"],
        aggregates=table["aggregates"],
        activities=tuple(one_by_one(spoken, inventory.by_address)),
        days=days(table["coverage"]),
        blind=limits(table["coverage"]),
        assets={asset.id: asset for asset in zoned.assets},
        listed=bool(policy is not None and policy.assets) or any(asset.declared for asset in inventory.assets),
        verdicts=_by_fact(judgement.rows),
    )
    return Assessment(
        policy=used,
        proposed=policy is None,
        inventory=zoned,
        verdicts=judgement.rows,
        findings=findings(context),
        unused=judgement.unused,
        paths=paths(used, places, judgement, as_of, proposed=policy is None),
        limits=(*judgement.limits, *_left_out(spoken)),
        as_of=as_of,
    )


_LOOKUPS: Final = ("dns", "mdns", "llmnr", "netbios-ns", "netbios-dgm", "dhcp", "dhcpv6", "ssdp", "ws-discovery", "ntp")


def _spoken(activities: pa.Table) -> pa.Table:
    """Without names looked up and the like, which are many and of which no detector asks."""
    table = plain(activities)
    return table.filter(pc.invert(pc.is_in(table["protocol"], value_set=pa.array(_LOOKUPS))))


def _left_out(activities: pa.Table) -> tuple[str, ...]:
    left = activities.num_rows - MOST_ROWS
    if left <= 0:
        return ()
    return (f"{left} activities of services beyond the first {MOST_ROWS} were not looked at by detectors",)


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
