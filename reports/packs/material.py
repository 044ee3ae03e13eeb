"""What a pack is made of, and how its things are put into spans. Every section of every pack starts from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from zonewatch.inventory.model import Asset, Evidence
from zonewatch.reports.document.model import Column, Field, Span, Text, anchor
from zonewatch.reports.quoted import translated
from zonewatch.reports.result import EXTERNAL, AuditResult
from zonewatch.reports.texts import Texts
from zonewatch.reports.watched import Watched
from zonewatch.reports.words import VERDICT_MARKS, level, named
from zonewatch.rules.findings import Finding, Verdict
from zonewatch.rules.propose import DRAFTED

__all__ = ["MOST_FRAMES", "RULES_LANGUAGE", "Material", "columns"]

RULES_LANGUAGE: Final = "en"
"""Titles, descriptions and remedies of findings come from rules, and limits from the audit, in this language."""
MOST_FRAMES: Final = 12


@dataclass(frozen=True)
class Material:
    """A result in its one order, with the texts of the report's language."""

    result: AuditResult
    texts: Texts
    result_sha256: str = ""
    watched: Watched | None = None  # of a sensor's store

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        """By id."""
        return {asset.id: asset for asset in self.result.inventory.assets}

    @cached_property
    def zone_names(self) -> Mapping[str, str]:
        """Names for people, also of what is no zone."""
        told = {zone.id: zone.name or zone.id for zone in self.result.zones}
        return {EXTERNAL: self.texts.say("zone.external"), "": self.texts.say("zone.none"), **told}

    @cached_property
    def _zone_spans(self) -> Mapping[str, Span]:
        return {zone: Span(name) for zone, name in self.zone_names.items()}

    @property
    def system(self) -> str:
        """What the system is called; empty where nobody named it, as in a drafted policy."""
        told = self.result.policy.system
        return "" if told == DRAFTED else told or self.result.title

    def zone(self, zone: str) -> Span:
        """A zone by its name."""
        return self._zone_spans.get(zone) or Span(zone)

    def asset(self, name: str) -> Span:
        """An asset by its name and address."""
        return Span(named(self.assets[name]) if name in self.assets else name, "asset")

    def assets_listed(self, names: Iterable[str]) -> Text:
        """Several of them."""
        return self.joined(self.asset(name) for name in names)

    def frames(self, evidence: Iterable[Evidence]) -> Text:
        """Frames by capture."""
        told = self.texts.frames(evidence, MOST_FRAMES)
        return (Span(told, "frame"),) if told else ()

    def quoted(self, words: str) -> Span:
        """What a rule or the audit says: in the report's language where its file has it, else in its own."""
        told = translated(words, self.texts.language) if self._foreign else ""
        return Span(told) if told else Span(words, language=self._foreign)

    def quoted_each(self, lines: Iterable[str]) -> Text:
        """Several of them, one after the other."""
        return self.joined(map(self.quoted, lines), "; ")

    def finding(self, finding: Finding) -> Span:
        """A finding by its title, with the way to it."""
        return replace(self.quoted(finding.title), kind="finding", target=anchor("finding", finding.id))

    def verdict(self, verdict: Verdict) -> Span:
        """A verdict with its sign, so that nothing rests on colour."""
        return self._verdict_spans[verdict]

    @cached_property
    def _verdict_spans(self) -> Mapping[Verdict, Span]:
        marks = VERDICT_MARKS.items()
        return {verdict: Span(f"{mark.symbol} {self.texts.word('verdict', verdict)}") for verdict, mark in marks}

    def level(self, purdue: float | None) -> Span:
        """A Purdue level."""
        return Span(self.level_words(purdue)[0], value=purdue)

    def level_words(self, purdue: float | None) -> tuple[str, str]:
        """A level, and what stands for it."""
        if purdue is None:
            return (self.texts.say("level.unknown"), "")
        return (self.texts.say("level.number", level=level(purdue).split()[1]), self.texts.word("level", f"{purdue:g}"))

    def code(self, words: str) -> Span:
        """A hash, an id, a file's name; a dash where there is none."""
        return Span(words, "code") if words else Span("–")

    def reasoned(self, head: Span, *reasons: str) -> Text:
        """A word with what the audit says of it."""
        return (head, Span(": "), *self.quoted_each(reasons)) if any(reasons) else (head,)

    @cached_property
    def number(self) -> Callable[[int], Text]:
        """A number as a cell; in large tables the same ones come again and again."""
        return lru_cache(maxsize=1 << 14)(lambda value: (self.texts.span(value),))

    def field(self, key: str, *spans: Span | str) -> Field:
        """A line of a record or of the cover."""
        return Field(self.texts.say(key), tuple(Span(span) if isinstance(span, str) else span for span in spans))

    def joined(self, spans: Iterable[Span], between: str = ", ") -> Text:
        """Spans with something between them."""
        found: list[Span] = []
        for span in spans:
            found += [Span(between), span] if found else [span]
        return tuple(found)

    @property
    def _foreign(self) -> str:
        return RULES_LANGUAGE if self.texts.language != RULES_LANGUAGE else ""


def columns(texts: Texts, *described: tuple[str, float] | tuple[str, float, str]) -> tuple[Column, ...]:
    """Columns by the keys of their titles and their widths; a third word `right` is for numbers."""
    return tuple(
        Column(texts.say(f"column.{name}"), "right" if more else "left", width) for name, width, *more in described
    )
