"""Whether an edition could have shown a thing: only then is its absence told.

A capture of the same points, at least as long as the other or a day, whole, without losses, in which an end of the
traffic spoke, and with the rule on, could have shown it. That it really would have is not claimed: what happens once a
month is in no day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from zonewatch.inventory.model import Evidence
from zonewatch.reports.compare.model import Reason
from zonewatch.reports.facts.model import MINIMUM, Minimum
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Finding

__all__ = ["Sight"]

_ZONE: Final = frozenset(("one_way",))
"""Of what is said of a zone's visibility, what matters here: which share is declared does not."""


@dataclass(frozen=True)
class Sight:
    """What an edition could have shown of what another has."""

    result: AuditResult
    other: AuditResult

    @cached_property
    def _seen(self) -> Seen:
        length = Seen(self.other).window
        return Seen(self.result, Minimum(window=min(length, MINIMUM.window)))

    @cached_property
    def blind(self) -> Reason | None:
        """Why it shows no absence at all."""
        return self._seen.blind or None

    @cached_property
    def points(self) -> frozenset[str]:
        """Capture points at which something was seen."""
        return frozenset(row.source for row in self.result.captures if row.packets)

    @cached_property
    def _one_way(self) -> frozenset[str]:
        return frozenset(row.zone for row in self._seen.visibilities.values() if row.reason_key in _ZONE)

    @cached_property
    def _spoke(self) -> frozenset[str]:
        return frozenset(asset.id for asset in self.result.inventory.assets)

    @cached_property
    def _zones(self) -> frozenset[str]:
        return frozenset(asset.zone for asset in self.result.inventory.assets if asset.kind != "external")

    def of(self, evidence: Iterable[Evidence], ends: Iterable[str], zones: Iterable[str] = ()) -> Reason | None:
        """Why it does not show that something between these assets (its own ids) is not there; none: it does."""
        if self.blind is not None:
            return self.blind
        if not self._points_kept(evidence):
            return "point_missing"
        known = [end for end in ends if end]
        if known and self._spoke.isdisjoint(known):
            return "ends_unseen"
        if not self._one_way.isdisjoint(zones):
            return "one_way"
        return None

    def asset(self, evidence: Iterable[Evidence], zone: str) -> Reason | None:
        """Why it does not show that an asset is not there: others of its zone must have been seen."""
        if self.blind is not None:
            return self.blind
        if not self._points_kept(evidence):
            return "point_missing"
        return None if zone in self._zones else "zone_unseen"

    def finding(self, finding: Finding, ends: Iterable[str]) -> Reason | None:
        """Why it does not show that a finding of the other no longer holds."""
        if self.result.looked_for and finding.rule not in self.result.looked_for:
            return "rule_off"
        if finding.verdict is not None and not self.result.policy.given:
            return "no_policy"
        return self.of(finding.evidence, ends, finding.zones)

    def _points_kept(self, evidence: Iterable[Evidence]) -> bool:
        sources = {item.source for item in evidence}
        return not sources or not self.points.isdisjoint(sources)
