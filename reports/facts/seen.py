"""The result of an audit, arranged for measuring: by zone, by pair, by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Asset, Edge, Evidence
from zonewatch.reports.declared import ConduitInfo, PermitInfo
from zonewatch.reports.facts.model import MINIMUM, WHOLE, Minimum, Visibility
from zonewatch.reports.result import AuditResult, Capture, VerdictRow, ZoneInfo, declared_as, edge_verdicts, totals
from zonewatch.rules.context import ANSWERED, DEVICE_ROLES, OPERATOR_ROLES
from zonewatch.rules.findings import Finding
from zonewatch.rules.places import BROADCAST, CONTROL_LEVEL
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.remote import OUTSIDE
from zonewatch.rules.scan import MOST_PACKETS_ANSWERED

PROCESS_KINDS: Final = frozenset(("supervisory", "control", "safety"))
"""Kinds of zones that hold the process."""
UNTRUSTED_KINDS: Final = OUTSIDE | {"temporary", "wireless"}
"""Kinds of zones that the process does not trust."""
SPOKEN: Final = ANSWERED | {"one_way"}
"""States of connections in which something was said; the others were attempts."""

Blind = Literal["", "no_capture", "partial_capture", "window_short", "dropped", "undecoded"]
"""Why no absence may be told anywhere."""


class _Zones(dict[str, str]):
    def __missing__(self, end: str) -> str:
        return WHOLE


class _Names(dict[str, str]):
    def __missing__(self, end: str) -> str:
        return end


@dataclass(frozen=True)
class Seen:
    """A result and what is looked up in it again and again. Everything is computed when it is first asked for."""

    result: AuditResult
    minimum: Minimum = MINIMUM

    @cached_property
    def total(self) -> Capture:
        """The sum of the captures."""
        return totals(self.result.captures)

    @cached_property
    def zones(self) -> dict[str, ZoneInfo]:
        """The zones of the policy by id; none where the zones are a proposal."""
        return {zone.id: zone for zone in self.result.zones} if self.result.policy.given else {}

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """The assets by id."""
        return {asset.id: asset for asset in self.result.inventory.assets}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges between two hosts: neither end is a broadcast, nor are both the same."""
        return tuple(
            edge
            for edge in self.result.inventory.edges
            if not edge.server.startswith(BROADCAST)
            and not edge.client.startswith(BROADCAST)
            and edge.client != edge.server
        )

    @cached_property
    def spoken(self) -> tuple[Edge, ...]:
        """Of these, those by which something was said."""
        return tuple(edge for edge in self.edges if said(edge))

    @cached_property
    def answered(self) -> tuple[Edge, ...]:
        """Of these, those that were answered."""
        return tuple(edge for edge in self.spoken if edge.state in ANSWERED or (not edge.state and edge.functions))

    @cached_property
    def _protocols(self) -> frozenset[str]:
        return frozenset([edge.protocol for edge in self.result.inventory.edges])

    def of_services(self, edges: Iterable[Edge], wanted: Container[str]) -> list[Edge]:
        """Those of some services, by their canonical names."""
        words = {word for word in self._protocols if canonical_service(word) in wanted}
        return [edge for edge in edges if edge.protocol in words]

    @cached_property
    def _obeyed(self) -> tuple[VerdictRow, ...]:
        return tuple([row for row in self.result.verdicts if row.events - row.refused - row.unanswered > 0])

    @cached_property
    def _operations(self) -> frozenset[str]:
        return frozenset([row.operation for row in self.result.verdicts])

    def done(self, wanted: Callable[[str], bool]) -> list[VerdictRow]:
        """Verdicts on some operations of which an event at least was neither refused nor left without a due answer."""
        words = set(filter(wanted, self._operations))
        return [row for row in self._obeyed if row.operation in words]

    @cached_property
    def crossing(self) -> tuple[VerdictRow, ...]:
        """Verdicts on traffic between two different zones by which something was said; broadcasts stay in theirs."""
        return tuple(
            row
            for row in self.result.verdicts
            if row.client_zone and row.server_zone and row.client_zone != row.server_zone and was_said(row)
        )

    @cached_property
    def by_rule(self) -> dict[str, tuple[Finding, ...]]:
        """The findings by rule."""
        found: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in self.result.findings:
            found[finding.rule].append(finding)
        return {rule: tuple(rows) for rule, rows in found.items()}

    @cached_property
    def verdicts(self) -> dict[tuple[str, str, str], tuple[VerdictRow, ...]]:
        """The verdicts of each pair and protocol."""
        return edge_verdicts(self.result)

    @cached_property
    def looked_for(self) -> frozenset[str]:
        """The rules that were on."""
        return frozenset(self.result.looked_for)

    @cached_property
    def listed(self) -> bool:
        """Whether somebody declared what assets there are."""
        return bool(self.result.inventory.unseen or self._declared)

    def is_declared(self, asset: Asset) -> bool:
        """Whether somebody declared an asset; a proposal names devices by itself."""
        return asset.id in self._declared

    @cached_property
    def _declared(self) -> frozenset[str]:
        return frozenset(asset.id for asset in self.result.inventory.assets if declared_as(self.result, asset))

    @cached_property
    def conduits(self) -> dict[tuple[str, str], tuple[ConduitInfo, ...]]:
        """The conduits from zone to zone."""
        found: defaultdict[tuple[str, str], list[ConduitInfo]] = defaultdict(list)
        for conduit in self.result.policy.conduits:
            found[conduit.from_zone, conduit.to_zone].append(conduit)
        return {pair: tuple(rows) for pair, rows in found.items()}

    @cached_property
    def permits(self) -> dict[tuple[str, str], PermitInfo]:
        """Exceptions by conduit and id, maintenance windows by id alone."""
        return {(permit.conduit, permit.id): permit for permit in self.result.policy.permits}

    @cached_property
    def _findings_by_pair(self) -> dict[tuple[str, str], tuple[Finding, ...]]:
        found: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in self.result.findings:
            for one in finding.assets[:1]:
                for other in finding.assets[1:]:
                    found[one, other].append(finding)
                    found[other, one].append(finding)
        return {pair: tuple(rows) for pair, rows in found.items()}

    @cached_property
    def _findings_by_asset(self) -> dict[str, tuple[Finding, ...]]:
        found: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in self.result.findings:
            for name in finding.assets:
                found[name].append(finding)
        return {name: tuple(rows) for name, rows in found.items()}

    def told_about(self, asset: str, rules: Iterable[str]) -> tuple[str, ...]:
        """The ids of findings of some rules about one asset."""
        wanted = frozenset(rules)
        return tuple(finding.id for finding in self._findings_by_asset.get(asset, ()) if finding.rule in wanted)

    @cached_property
    def zone(self) -> Callable[[str], str]:
        """The zone of an asset; WHOLE where it is in none of the policy."""
        found = ((asset.id, asset.zone) for asset in self.result.inventory.assets if asset.zone in self.zones)
        return _Zones(found).__getitem__

    def kind(self, zone: str) -> str:
        """The kind of a zone; empty where it is not known."""
        return self.zones[zone].kind if zone in self.zones else ""

    @cached_property
    def name(self) -> Callable[[str], str]:
        """How a sentence names an asset."""
        return _Names((asset.id, asset.short_name) for asset in self.result.inventory.assets).__getitem__

    @cached_property
    def is_public(self) -> Callable[[str], bool]:
        """True for an address of the internet."""
        return frozenset(asset.id for asset in self.result.inventory.assets if asset.kind == "external").__contains__

    @cached_property
    def is_process(self) -> Callable[[str], bool]:
        """True for an asset of the process side: by its zone where that has a kind, else by what it is."""
        return frozenset(asset.id for asset in self.result.inventory.assets if self._is_process(asset)).__contains__

    def _is_process(self, asset: Asset) -> bool:
        if asset.kind == "external":
            return False
        kind = self.kind(asset.zone)
        if kind:
            return kind in PROCESS_KINDS
        if asset.zone in self.zones or not self.zones:
            level = asset.purdue
            if level is not None:
                return level < CONTROL_LEVEL
        return asset.kind == "ot" or asset.role in DEVICE_ROLES | OPERATOR_ROLES

    def findings(self, rules: Iterable[str]) -> Iterator[Finding]:
        """The findings of some rules, those that nobody accepted first known as they are."""
        for rule in rules:
            yield from self.by_rule.get(rule, ())

    @cached_property
    def _ids_by_pair(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {
            pair: tuple(dict.fromkeys(finding.id for finding in found))
            for pair, found in self._findings_by_pair.items()
        }

    @property
    def pairs_told(self) -> Container[tuple[str, str]]:
        """The pairs of assets, both ways round, about which there are findings."""
        return self._ids_by_pair

    def told_of(self, client: str, server: str, rules: Iterable[str] = ()) -> tuple[str, ...]:
        """The ids of findings about two assets, of some rules only where any are named."""
        if not rules:
            return self._ids_by_pair.get((client, server), ())
        found = self._findings_by_pair.get((client, server), ())
        wanted = frozenset(rules)
        return tuple(dict.fromkeys(finding.id for finding in found if finding.rule in wanted)) if found else ()

    @cached_property
    def frames_known(self) -> dict[int, tuple[Evidence, ...]]:
        """The first frames of rows of the result by their identity, as they are looked up."""
        return {}

    def permit(self, row: VerdictRow) -> str:
        """The id of the approved exception or maintenance window that allows this; empty where none does."""
        if row.by not in ("exception", "maintenance"):
            return ""
        place = row.conduit if row.by == "exception" else ""
        permit = self.permits.get((place, row.flow))
        return permit.id if permit is not None and permit.approved_by else ""

    @cached_property
    def visibilities(self) -> dict[str, Visibility]:
        """How much of each zone was seen."""
        known: defaultdict[str, int] = defaultdict(int)
        whole: defaultdict[str, int] = defaultdict(int)
        pairs = Counter(
            [
                (self.zone(edge.client), self.zone(edge.server), edge.state == "one_way")
                for edge in self.result.inventory.edges
                if edge.transport == "tcp" and edge.state in SPOKEN
            ]
        )
        for (client, server, one_way), count in pairs.items():
            for zone in {client, server}:
                known[zone] += count
                whole[zone] += 0 if one_way else count
        unseen = frozenset(self.result.inventory.unseen)
        found = {}
        for place in self.zones.values():
            row = Visibility(
                place.id,
                declared=len(place.declared),
                seen=sum(name not in unseen for name in place.declared),
                connections=known[place.id],
                both_ways=whole[place.id],
            )
            found[place.id] = Visibility(
                row.zone, row.declared, row.seen, row.connections, row.both_ways, self._blind(row)
            )
        return found

    @cached_property
    def blind(self) -> Blind:
        """Why no absence may be told anywhere; empty: it depends on the zone."""
        total = self.total
        if not total.packets:
            return "no_capture"
        if total.status != "whole":
            return "partial_capture"
        if self.window < self.minimum.window:
            return "window_short"
        if any(getattr(total, name) for name in _DROPPED) or (total.reported_drops or 0):
            return "dropped"
        if total.bytes and 1 - self.unknown_bytes / total.bytes < self.minimum.decoded:
            return "undecoded"
        return ""

    @cached_property
    def window(self) -> int:
        """The time that captures cover: overlapping ones count once, and what lies between them not at all."""
        spans = sorted((row.first_time, row.last_time) for row in self.result.captures if row.packets)
        total, reached = 0, 0
        for first, last in spans:
            total += max(last - max(first, reached), 0)
            reached = max(reached, last)
        return total

    @cached_property
    def unknown_bytes(self) -> int:
        """Octets that were not recognised, or belong to no message of a recognised protocol."""
        total = self.total
        return sum(item.bytes for item in total.unknown) + sum(item.bytes for item in total.undecoded)

    def _blind(self, row: Visibility) -> str:
        if self.blind:
            return self.blind
        if not row.declared:
            return "nothing_declared"
        if row.seen < self.minimum.seen * row.declared:
            return "assets_unseen"
        if row.both_ways < self.minimum.both_ways * row.connections:
            return "one_way"
        return ""


_DROPPED: Final = (
    "undecoded_packets",
    "recognitions_dropped",
    "exchanges_dropped",
    "messages_dropped",
    "oddities_dropped",
    "claims_dropped",
    "activities_dropped",
    "addresses_dropped",
)
"""Counters of what was lost on the way: what is not there may have been among it."""


def said(edge: Edge) -> bool:
    """True where something was said by it. An opened port that was only tried carried nothing of its service."""
    if edge.functions:
        return True
    probe = edge.transport == "tcp" and edge.packets <= MOST_PACKETS_ANSWERED
    return edge.state in SPOKEN and not probe


def was_said(row: VerdictRow) -> bool:
    """Messages were decoded, or the connection opened: an attempt alone crosses no boundary for certain."""
    return not row.server.startswith(BROADCAST) and (bool(row.operation) or row.state in SPOKEN)


def changes(operation: str) -> bool:
    """True for an operation that can alter the process, the device or its program."""
    return operation in STATE_CHANGING
