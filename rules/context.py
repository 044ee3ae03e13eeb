"""What detectors look at, and the words they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Activity, Asset, Edge, Evidence, Inventory
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.findings import SEVERITIES, Change, Finding, Owner, Severity, Step
from zonewatch.rules.judge import JudgedChange, Judgement, VerdictRow
from zonewatch.rules.places import CONTROL_LEVEL, End, Places
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.words import REMOTE_SERVICES as REMOTE_SERVICES
from zonewatch.rules.tags import written
from zonewatch.rules.tags.model import NO_TAGS, Tags

MOST_EVIDENCE: Final = 8
MOST_CHANGES: Final = 32
MOST_LISTED: Final = 12
ANSWERED: Final = frozenset(("established", "closed", "reset", "two_way"))
DEVICE_ROLES: Final = frozenset(("controller", "rtu", "io_device", "gateway"))
OPERATOR_ROLES: Final = frozenset(("hmi_scada", "engineering_station", "historian"))

Fact = tuple[str, str, str]
"""Client, server, protocol: what one finding tells, no other tells again."""


class Told(NamedTuple):
    """A finding with the facts that it tells."""

    finding: Finding
    facts: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class Context:
    """All that is known when findings are made."""

    policy: Policy
    proposed: bool  # nobody approved the zones
    inventory: Inventory  # with zones
    places: Places
    judgement: Judgement
    flows: pa.Table
    oddities: pa.Table
    addresses: pa.Table
    events: pa.Table
    earlier: pa.Table  # changes before those events, where these are not all
    aggregates: pa.Table
    coverage: pa.Table
    activities: tuple[Activity, ...]  # by first time, each row of the table by itself
    distinct: tuple[Activity, ...]  # those that differ in time alone counted together, at most MOST_DISTINCT
    days: int  # on which packets were captured (UTC)
    blind: dict[str, str]  # by capture point, what it did not let us see
    assets: dict[str, Asset]
    listed: bool  # somebody declared what assets there are
    verdicts: dict[Fact, tuple[VerdictRow, ...]]
    tags: Tags = NO_TAGS
    baseline: Baseline | None = None

    def name(self, end_id: str) -> str:
        """How people are told an asset: `plc-3 (10.20.11.13)`."""
        asset = self.assets.get(end_id)
        if asset is None:
            return end_id
        short = asset.short_name
        address = asset.addresses[0] if asset.addresses else ""
        return f"{short} ({address})" if address and address not in short else short

    def names(self, ids: Iterable[str]) -> str:
        """Several of them, the first dozen by name."""
        return listing(self.name(item) for item in ids)

    def is_process(self, end_id: str) -> bool:
        """True for an asset of the process side: an OT device or operator's host, or a member of a low zone."""
        asset = self.assets.get(end_id)
        if asset is None or asset.kind == "external":
            return False
        if asset.kind == "ot" or asset.role in DEVICE_ROLES | OPERATOR_ROLES:
            return True
        return self.is_low(asset.zone)

    def is_low(self, zone_id: str) -> bool:
        """True for a zone of supervision or below."""
        zone = next((zone for zone in self.policy.zones if zone.id == zone_id), None)
        return zone is not None and zone.purdue is not None and zone.purdue < CONTROL_LEVEL

    def zone(self, end_id: str) -> str:
        """The zone of an asset; empty where it has none."""
        asset = self.assets.get(end_id)
        return asset.zone if asset else ""

    def is_declared(self, asset: Asset) -> bool:
        """True for a device that somebody declared; a proposal names devices by itself."""
        if self.proposed:
            return self.listed and asset.declared == asset.id
        return bool(asset.declared)

    def is_unknown(self, asset: Asset) -> bool:
        """True for a device that nobody declared; without any list, for one in no zone of the policy."""
        if asset.kind == "external" or not (asset.addresses or asset.macs):
            return False
        if self.listed:
            return not asset.declared
        return not self.proposed and not asset.zone

    def flow_for(self, fact: Fact) -> str:
        """The flow that allows all of this; empty where none does, or the policy is a proposal."""
        rows = () if self.proposed else self.verdicts.get(fact, ())
        flows = {row.decision.flow if row.decision.verdict == "allowed" else "" for row in rows}
        return "" if "" in flows else min(flows, default="")

    def end(self, edge: Edge, *, client: bool) -> End:
        """The client or the server of an edge."""
        if client:
            return self.places.of(edge.client, edge.client_address)
        return self.places.of(edge.server, edge.server_address)


def listing(items: Iterable[str], most: int = MOST_LISTED) -> str:
    """`a, b, c and 5 more`."""
    texts = list(items)
    shown = ", ".join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"


def bounded(evidence: Iterable[Evidence], most: int = MOST_EVIDENCE) -> tuple[Evidence, ...]:
    """The first frames, each once, in order of source, capture and frame."""
    return tuple(sorted(set(evidence))[:most])


def span(times: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """First and last of all times (UTC nanoseconds); zero where there are none."""
    pairs = list(times)
    return min((first for first, _ in pairs), default=0), max((last for _, last in pairs), default=0)


def sentence(text: str) -> str:
    """With a full stop, but not with two: names like `Dell Inc.` bring one."""
    return text if text.endswith(".") else f"{text}."


def named_changes(changes: Iterable[Change], most: int = 3) -> str:
    """Changes of points with a name, in sentences; empty where none has one."""
    return "; ".join(change.sentence for change in islice((change for change in changes if change.name), most))


def times(count: int, noun: str) -> str:
    """`1 event`, `12 events`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def lower(severity: Severity) -> Severity:
    """One step less severe."""
    return SEVERITIES[max(SEVERITIES.index(severity) - 1, 0)]


def higher(one: Severity, other: Severity) -> Severity:
    """The more severe of two."""
    return max(one, other, key=SEVERITIES.index)


def value_changes(judged: Iterable[JudgedChange], tags: Tags = NO_TAGS) -> tuple[Change, ...]:
    """What state-changing events altered, as the tags tell it; bounded."""
    return written.value_changes(judged, tags, MOST_CHANGES)


@dataclass(frozen=True, slots=True)
class Detector:
    """A native detector: what it finds and what is said of it."""

    id: str
    title: str
    severity: Severity  # where nothing raises or lowers it
    technique: tuple[str, ...]  # ATT&CK for ICS 19.1, the id of 18.1 behind it where that was another
    requirement: tuple[str, ...]  # IEC 62443-3-3
    owner: Owner
    remedy: str
    find: Callable[[Context, Detector, frozenset[Fact]], Iterator[Told]]
    weighs: bool = False  # criticality and maintenance windows move its severity (`weigh`)

    def finding(
        self,
        identity: Iterable[tuple[str, str]],
        title: str,
        severity: Severity,
        reasons: Iterable[str],
        description: str,
        evidence: Iterable[Evidence],
        *,
        remedy: str = "",
        assets: Iterable[str] = (),
        protocol: str = "",
        operation: str = "",
        zones: Iterable[str] = (),
        technique: tuple[str, ...] = (),
        changes: tuple[Change, ...] = (),
        steps: tuple[Step, ...] = (),
        count: int = 0,
        when: tuple[int, int] = (0, 0),
        most: int = MOST_EVIDENCE,
    ) -> Finding:
        """A finding of this detector, with at most so many frames."""
        return Finding(
            rule=self.id,
            identity=tuple(identity),
            title=title,
            severity=severity,
            reasons=tuple(reasons),
            description=description,
            remedy=remedy or self.remedy,
            owner=self.owner,
            assets=tuple(dict.fromkeys(assets)),
            protocol=protocol,
            operation=operation,
            zones=tuple(dict.fromkeys(zone for zone in zones if zone)),
            technique=technique or self.technique,
            requirement=self.requirement,
            changes=changes,
            steps=steps,
            count=count,
            first_time=when[0],
            last_time=when[1],
            evidence=bounded(evidence, most),
        )


def changes_state(operation: str) -> bool:
    """True for an operation that can alter the process, the device or its program."""
    return operation in STATE_CHANGING
