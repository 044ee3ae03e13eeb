"""The assessment: an inventory and the engine's tables, judged by a policy or by the zones that are proposed.

assessment = audit(inventory, tables, policy, as_of)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors import schemas
from zonewatch.inventory.activities import MOST_DISTINCT, MOST_ROWS, merged, one_by_one
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import EARLIER, plain
from zonewatch.rules import pivots
from zonewatch.rules.baseline.compare import Comparison, compare
from zonewatch.rules.baseline.findings import detectors
from zonewatch.rules.baseline.learn import observed
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.context import Context, Fact
from zonewatch.rules.detectors import DETECTORS, findings
from zonewatch.rules.findings import Finding
from zonewatch.rules.incidents import Incident, incidents
from zonewatch.rules.judge import VerdictRow, judge
from zonewatch.rules.paths import Paths, paths
from zonewatch.rules.places import Places, placed
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.propose import propose_zones
from zonewatch.rules.register import Command, register
from zonewatch.rules.seen import days, limits
from zonewatch.rules.sigma.detect import Detection, detect
from zonewatch.rules.tags.apply import met, with_names
from zonewatch.rules.tags.learn import learned
from zonewatch.rules.tags.model import Tag, Tags
from zonewatch.rules.tags.reasons import named

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column
_READ: Final = ("aggregates", "events", "flows", "activities", "oddities", "addresses", "coverage")


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an audit found out. Everything is sorted; equal inputs give equal assessments."""

    policy: Policy  # as given, or the proposal
    proposed: bool
    inventory: Inventory  # with zones and what the policy declares
    verdicts: tuple[VerdictRow, ...]  # by first time
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]  # findings as stories, the gravest first
    unused: tuple[tuple[str, str], ...]  # (conduit, flow) that nothing was seen to use; none of a proposal
    paths: tuple[Paths, ...]  # ways from outside to controllers
    limits: tuple[str, ...]  # what was not judged
    as_of: int
    comparison: Comparison | None = None  # with a baseline
    looked_for: tuple[str, ...] = ()  # rules that were on and of which no finding was suppressed
    declared: tuple[tuple[str, str], ...] = ()  # every declared asset with its zone, by id
    commands: tuple[Command, ...] = ()  # the register of control commands


def audit(
    inventory: Inventory,
    tables: Mapping[str, pa.Table],
    policy: Policy | None,
    as_of: int,
    *,
    tags: Iterable[Tag] = (),
    baseline: Baseline | None = None,
    detection: Detection | None = None,
    declared: Iterable[DeclaredAsset] = (),
    findings_alone: bool = False,
) -> Assessment:
    """Judges everything. `tables` by the names of `schemas.TABLES`; those of `_READ` and `EARLIER` are read.

    `as_of` (UTC nanoseconds) is the moment by which last days are judged; `tags` is the tag list. With a baseline what
    deviates from it is told too. Without `detection` native detectors alone look for findings. `declared` is the asset
    list; what the policy declares needs not be in it. With `findings_alone` paths and the register of commands, which
    no finding is made of, are left empty.
    """
    used = policy if policy is not None else propose_zones(inventory)
    places = Places(used, inventory)
    table = {name: tables.get(name, schemas.TABLES[name].empty_table()) for name in _READ}
    listed, missed = met(tags, inventory)
    known = Tags((*listed, *learned(table["events"], lambda source, address: places.at(source, address).id)))
    spoken = _spoken(table["activities"])
    activities = tuple(one_by_one(spoken, inventory.by_address))
    distinct = merged(activities, MOST_DISTINCT)
    judgement = judge(
        used,
        inventory,
        table["aggregates"],
        table["events"],
        as_of,
        places,
        table["flows"],
        distinct,
        values=bool(listed),
        proposed=policy is None,
    )
    if policy is not None:
        judgement = named(judgement, known)
    zoned = with_names(placed(used, inventory), known)
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
        earlier=tables.get(EARLIER, table["events"].slice(0, 0)),
        aggregates=table["aggregates"],
        coverage=table["coverage"],
        activities=activities,
        distinct=distinct,
        days=days(table["coverage"]),
        blind=limits(table["coverage"]),
        assets={asset.id: asset for asset in zoned.assets},
        listed=bool(policy is not None and policy.assets) or any(asset.declared for asset in inventory.assets),
        verdicts=_by_fact(judgement.rows),
        tags=known,
        baseline=baseline,
    )
    comparison = None
    if baseline is not None:
        seen = observed(zoned, table, baseline.assets)
        comparison = compare(baseline, seen, zoned, table["coverage"])
    beside = (detectors(comparison), comparison.limits) if comparison is not None else ((), ())
    native = (*DETECTORS, *beside[0])
    found, switched = findings(context, native), tuple[str, ...]()
    looked_for = {detector.id for detector in native}
    if detection is not None:
        detected = detect(context, table["activities"], found, detection)
        found, switched = detected.findings, detected.limits
        # The handles of what a baseline finds are on without one, too.
        on = {name for name in detected.on if comparison is not None or not name.startswith("baseline.")}
        looked_for = (looked_for - detected.off) | on
    return Assessment(
        policy=used,
        proposed=policy is None,
        inventory=zoned,
        verdicts=judgement.rows,
        findings=found,
        incidents=incidents(found),
        unused=judgement.unused,
        paths=() if findings_alone else paths(used, places, judgement, as_of, proposed=policy is None),
        limits=(
            *judgement.limits,
            *_left_out(spoken),
            *pivots.left_out(context),
            *missed,
            *(f"baseline: {text}" for text in beside[1]),
            *switched,
        ),
        as_of=as_of,
        comparison=comparison,
        looked_for=tuple(sorted(looked_for)),
        declared=_declared(places, zoned, declared) if policy is not None else (),
        commands=() if findings_alone else register(judgement, known, proposed=policy is None),
    )


def _declared(places: Places, inventory: Inventory, listed: Iterable[DeclaredAsset]) -> tuple[tuple[str, str], ...]:
    """Declared assets with their zones: those that were seen are in the inventory, the others have addresses."""
    found: dict[str, str] = {}
    given = [(asset.id, asset.zone, asset.addresses) for asset in listed]
    given += [(asset.id, asset.zone or "", asset.addresses) for asset in places.policy.assets]
    for name, zone, addresses in given:
        found[name] = zone or (places.of(name, addresses[0]).zone if addresses else "")
    found |= {asset.declared: asset.zone for asset in inventory.assets if asset.declared}
    return tuple(sorted((name, zone) for name, zone in found.items() if zone))


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


def _by_fact(rows: tuple[VerdictRow, ...]) -> dict[Fact, tuple[VerdictRow, ...]]:
    found: defaultdict[Fact, list[VerdictRow]] = defaultdict(list)
    for row in rows:
        found[row.client.id, row.server.id, row.seen.protocol].append(row)
    return {fact: tuple(group) for fact, group in found.items()}
