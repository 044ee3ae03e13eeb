"""What a report for requirements starts from: the result, its facts, and what people say beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import fact_kinds, framework, in_language
from zonewatch.reports.catalogue.model import Requirement
from zonewatch.reports.document.model import Span, Text, anchor
from zonewatch.reports.entity import NOBODY, Entity
from zonewatch.reports.facts.measure import measure, visibilities
from zonewatch.reports.facts.model import Fact, Observation, Visibility
from zonewatch.reports.facts.watch import of_watch
from zonewatch.reports.packs.material import Material
from zonewatch.reports.statuses import RequirementStatus, statuses
from zonewatch.rules.findings import Finding
from zonewatch.rules.incidents import Incident

__all__ = ["Case"]

_PARTS: Mapping[str, str] = {"nis2": "articles", "nis2-annex": "annex"}
"""Parts of the catalogue that there are in other languages, by framework."""


@dataclass(frozen=True)
class Case(Material):
    """A result with its facts."""

    entity: Entity = NOBODY
    attestations: tuple[Attestation, ...] = ()
    aware: int = 0  # when somebody knew of the incident; 0: not said
    incident: str = ""  # its id; empty: none was named

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """All of the vocabulary, by id."""
        found = measure(self.result)
        if self.watched is not None:
            found = of_watch(found, self.watched)
        return {fact.id: fact for fact in found}

    @cached_property
    def visibilities(self) -> tuple[Visibility, ...]:
        """How much of each zone was seen."""
        return visibilities(self.result)

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """By id."""
        return {finding.id: finding for finding in self.result.findings}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each finding by its id: the gravest is the first."""
        return {finding.id: number for number, finding in enumerate(self.result.findings, 1)}

    def numbered(self, finding: str) -> Span:
        """A finding by its number, with the way to it."""
        return Span(f"F-{self.numbers[finding]}", "finding", anchor("finding", finding))

    @cached_property
    def notified(self) -> Incident | None:
        """The incident that was named."""
        return next((one for one in self.result.incidents if one.id == self.incident), None)

    def asked(self, name: str) -> tuple[RequirementStatus, ...]:
        """The statuses of a framework."""
        known: dict[str, tuple[RequirementStatus, ...]] = self._asked
        if name not in known:
            facts, sight = self.facts.values(), self.visibilities
            known[name] = statuses(framework(name), facts, self.result, self.attestations, sight=sight)
        return known[name]

    @cached_property
    def _asked(self) -> dict[str, tuple[RequirementStatus, ...]]:
        return {}

    def title(self, requirement: Requirement) -> Span:
        """The title of a requirement; its own wording where it has none."""
        part = _PARTS.get(requirement.framework, "")
        own = in_language(part, self.texts.language).get(requirement.id, ()) if part else ()
        return Span(own[0] or own[1]) if own else self.quoted(requirement.title)

    def wording(self, requirement: Requirement) -> Span:
        """What it asks, in our own words; empty where the title says it."""
        part = _PARTS.get(requirement.framework, "")
        own = in_language(part, self.texts.language).get(requirement.id, ()) if part else ()
        words = own[1] if own else requirement.text
        return Span("") if words in (requirement.title, own[0] if own else "") else self.quoted_or(words, own)

    def quoted_or(self, words: str, own: tuple[str, ...]) -> Span:
        """Words of the report's language, or quoted ones."""
        return Span(words) if own else self.quoted(words)

    def fact(self, name: str) -> Span:
        """A fact by its id, with the way to its record where it was observed."""
        target = anchor("fact", name) if self.facts[name].observations else ""
        return Span(name, "fact", target)

    def fact_title(self, name: str) -> str:
        """How people call it."""
        return self.texts.say(f"fact.{name}")

    def facts_listed(self, names: Iterable[str]) -> Text:
        """Several of them."""
        return self.joined(self.fact(name) for name in names)

    def findings_of(self, names: Iterable[str], most: int = 6) -> tuple[Finding, ...]:
        """The findings behind some facts, the gravest first."""
        told = {finding for name in names for one in self.facts[name].observations for finding in one.findings}
        return tuple(finding for finding in self.result.findings if finding.id in told)[:most]

    def observation(self, one: Observation) -> Text:
        """What was observed, in one line: who to whom, then the rest by name."""
        values = dict(one.values)
        parts: list[Text] = []
        for first, second in (("client", "server"), ("from", "to")):
            if first in values and second in values:
                ends = (values.pop(first), values.pop(second))
                told = [self.zone(end) if first == "from" else Span(end, "asset") for end in ends]
                parts.append(self.joined(told, " → "))
        if not parts and one.zone and not values.keys() & {"asset", "host", "conduit"}:
            parts.append((self.zone(one.zone),))
        named = ((name, value) for name, value in values.items() if value)
        parts += [(Span(f"{self.texts.word('value', name)}: "), Span(value)) for name, value in named]
        found: list[Span] = []
        for part in parts:
            found += ([Span("; ")] if found else []) + list(part)
        return tuple(found)

    def reason(self, key: str) -> str:
        """Why nothing may be said."""
        return self.texts.word("why", key)

    @cached_property
    def used_facts(self) -> tuple[str, ...]:
        """The ids of all facts, in the order of the vocabulary."""
        return tuple(fact_kinds())
