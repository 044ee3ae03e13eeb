"""A result as a zone and conduit assessment looks at it: by zone, by conduit, by finding's number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final

from zonewatch.reports.document.model import Field, Span, Text, anchor, text
from zonewatch.reports.facts.model import Observation, Visibility
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import Material
from zonewatch.reports.result import VerdictRow, ZoneInfo
from zonewatch.reports.statuses import RequirementStatus
from zonewatch.rules.findings import Finding

__all__ = ["RISK", "SECURITY", "Zoned", "zoned"]

SECURITY: Final = "iec62443-3-3"
RISK: Final = "iec62443-3-2"
MOST_NAMED: Final = 4
"""Findings and frames named beside a fact; the rest is counted."""


@dataclass(frozen=True)
class Zoned(Case):
    """A case with what is looked up again and again."""

    def look_up(self) -> None:
        """What most sections need, before two processes make them: later each would look it up for itself."""
        for name in ("facts", "observed", "crossing"):
            getattr(self, name)

    @cached_property
    def zone_infos(self) -> Mapping[str, ZoneInfo]:
        """By id."""
        return {zone.id: zone for zone in self.result.zones}

    @cached_property
    def observed(self) -> Mapping[tuple[str, str], tuple[Observation, ...]]:
        """What was observed of a fact in a zone."""
        found: defaultdict[tuple[str, str], list[Observation]] = defaultdict(list)
        for fact in self.facts.values():
            for one in fact.observations:
                found[fact.id, one.zone].append(one)
        return {key: tuple(rows) for key, rows in found.items()}

    @cached_property
    def sight(self) -> Mapping[str, Visibility]:
        """How much of each zone was seen."""
        return {row.zone: row for row in self.visibilities}

    @cached_property
    def by_zone(self) -> Mapping[str, tuple[Finding, ...]]:
        """The open findings of each zone, the gravest first."""
        found: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in self.result.findings:
            if finding.state == "open":
                for zone in dict.fromkeys(finding.zones):
                    found[zone].append(finding)
        return {zone: tuple(rows) for zone, rows in found.items()}

    @cached_property
    def passing(self) -> Mapping[tuple[str, str], tuple[VerdictRow, ...]]:
        """The verdicts by the zones of client and server; a conduit may lie within one zone."""
        found: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
        for row in self.result.verdicts:
            found[row.client_zone, row.server_zone].append(row)
        return {pair: tuple(rows) for pair, rows in found.items()}

    @cached_property
    def crossing(self) -> Mapping[tuple[str, str], tuple[VerdictRow, ...]]:
        """The verdicts on traffic from zone to zone."""
        return {pair: rows for pair, rows in self.passing.items() if pair[0] != pair[1]}

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[tuple[str, tuple[VerdictRow, ...]], ...]]:
        """By the zone of the client: the zones of servers, with the verdicts."""
        found: defaultdict[str, list[tuple[str, tuple[VerdictRow, ...]]]] = defaultdict(list)
        for (start, end), rows in self.crossing.items():
            found[start].append((end, rows))
        return {zone: tuple(rows) for zone, rows in found.items()}

    @cached_property
    def traffic(self) -> Mapping[str, Mapping[tuple[str, str], int]]:
        """By zone: how much was counted from zone to zone."""
        found: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for cell in self.result.matrix:
            for zone in {cell.from_zone, cell.to_zone}:
                found[zone][cell.from_zone, cell.to_zone] += cell.events
        return found

    @cached_property
    def judged(self) -> Mapping[str, tuple[RequirementStatus, ...]]:
        """The requirements of IEC 62443-3-3 by zone; all of them under the empty name where there is no policy."""
        found: defaultdict[str, list[RequirementStatus]] = defaultdict(list)
        for row in self.asked(SECURITY):
            found[row.zone].append(row)
        return {zone: tuple(rows) for zone, rows in found.items()}

    def numbers_of(self, findings: Iterable[str], most: int = MOST_NAMED) -> Text:
        """Several of them, the gravest first; the rest is counted."""
        known = sorted((name for name in dict.fromkeys(findings) if name in self.numbers), key=self.numbers.__getitem__)
        told = self.joined(self.numbered(name) for name in known[:most])
        more = len(known) - most
        return (*told, Span(" "), *self.texts.text("more", count=more)) if more > 0 else told

    def zone_link(self, zone: str) -> Span:
        """A zone with the way to its record."""
        target = anchor("zone", zone) if zone in self.zone_infos else ""
        return Span(self.zone_names.get(zone, zone), target=target)

    def conduit_link(self, conduit: str) -> Span:
        """A conduit with the way to its record."""
        return Span(conduit, "code", anchor("conduit", conduit))

    def titled(self, name: str) -> Span:
        """A fact by its short name, with the way to its record where it was observed."""
        target = anchor("fact", name) if self.facts[name].observations else ""
        return Span(self.fact_title(name), "fact", target)

    def proof(self, name: str, zone: str = "") -> Text:
        """A fact with how often it was seen in a zone (empty: in any), and its findings, or else its frames."""
        rows = self.observed.get((name, zone), ()) if zone else self.facts[name].observations
        if not rows:
            return (self.titled(name),)
        told = self.numbers_of(found for one in rows for found in one.findings)
        told = told or self.frames([item for one in rows[:MOST_NAMED] for item in one.evidence][:MOST_NAMED])
        more = (Span("; "), *told) if told else ()
        return (self.titled(name), Span(" ("), *self.texts.text("seen.times", count=len(rows)), *more, Span(")"))

    def proofs(self, names: Iterable[str], zone: str = "") -> Text:
        """Several facts."""
        return self.lines(self.proof(name, zone) for name in names)

    def short(self, name: str) -> str:
        """An asset by the name that sentences use."""
        return self._short_names.get(name, name)

    @cached_property
    def _short_names(self) -> Mapping[str, str]:
        return {name: asset.short_name for name, asset in self.assets.items()}

    def short_span(self, name: str) -> Span:
        """An asset by its short name, made once for all rows of a table."""
        return self._short_spans.get(name) or Span(name, "asset")

    @cached_property
    def _short_spans(self) -> Mapping[str, Span]:
        return {name: Span(word, "asset") for name, word in self._short_names.items()}

    def lines(self, parts: Iterable[Text], between: str = "; ") -> Text:
        """Texts one after the other."""
        told: list[Span] = []
        for part in parts:
            if part:
                told += [*([Span(between)] if told else []), *part]
        return tuple(told)

    def declared(self, key: str, value: str | Text) -> Field:
        """A line of a record as the policy, or the proposal in its place, states it; OPEN where it does not."""
        cell = text(value) if isinstance(value, str) and value else value
        if not cell or isinstance(cell, str):
            return Field(self.texts.say(key), self.texts.text("open.cell"), "open")
        return Field(self.texts.say(key), cell, "declared" if self.result.policy.given else "proposed")

    def measured(self, key: str, value: Text) -> Field:
        """A line of a record as it was observed."""
        return Field(self.texts.say(key), value or self.texts.text("none.cell"), "observed")


def zoned(material: Material) -> Zoned:
    """The same with what is looked up."""
    if isinstance(material, Zoned):
        return material
    return Zoned(**{field.name: getattr(material, field.name) for field in fields(material)})
