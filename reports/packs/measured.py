"""The facts that a report rests on: each with its observations, frames and findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.catalogue.model import RELATIONS
from zonewatch.reports.document.model import Field, Paragraph, Record, Section, Span, Table, Text, anchor
from zonewatch.reports.document.model import text as spans
from zonewatch.reports.facts.model import WHOLE, Fact
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.statuses import RequirementStatus

__all__ = ["facts_table", "measured", "named"]

MOST_BRIEF: Final = 3
MOST_SHOWN: Final = 6
"""Observations of one fact that are written out."""


def named(rows: Iterable[RequirementStatus]) -> tuple[str, ...]:
    """The facts that requirements name, in the order of the vocabulary."""
    wanted = {name for row in rows for relation in RELATIONS for name in getattr(row.requirement.relations, relation)}
    return tuple(name for name in fact_kinds() if name in wanted)


def measured(case: Case, names: Iterable[str]) -> Section:
    """A record for each fact that was observed, a line for each that was not."""
    texts, facts = case.texts, [case.facts[name] for name in names]
    observed = [fact for fact in facts if fact.observations]
    others = [fact for fact in facts if not fact.observations]
    lines = tuple(
        (
            spans(Span(fact.id, "fact")),
            spans(case.fact_title(fact.id)),
            spans(texts.word("fact_status", fact.status)),
            spans(case.reason(fact.reason_key) if fact.reason_key else "–"),
        )
        for fact in others
    )
    described = columns(texts, ("fact", 1.3), ("measured", 1.8), ("status", 1.0), ("reason", 2.2))
    return Section(
        "evidence",
        texts.say("evidence.title"),
        (Paragraph(texts.text("evidence.lead")),),
        (
            Section(
                "facts-observed",
                texts.say("evidence.observed"),
                tuple(_record(case, fact) for fact in observed) or (Paragraph(texts.text("evidence.none")),),
            ),
            Section(
                "facts-absent",
                texts.say("evidence.absent"),
                (
                    Table(
                        "table-absent",
                        described,
                        lines,
                        texts.say("evidence.absent.caption"),
                        texts.text("evidence.absent.note"),
                        True,
                    ),
                ),
            ),
        ),
    )


def facts_table(case: Case, names: Iterable[str], name: str, caption: str) -> Table:
    """Some facts with what is said of each, in a line."""
    texts = case.texts
    rows = []
    for fact in (case.facts[each] for each in names):
        once = tuple({(one.values, one.exception): one for one in fact.observations}.values())
        shown = [case.observation(one) for one in once[:MOST_BRIEF]]
        more = texts.text("evidence.more", count=len(once) - MOST_BRIEF) if len(once) > MOST_BRIEF else ()
        told = _lines(shown, more) if once else spans(case.reason(fact.reason_key) if fact.reason_key else "–")
        word = texts.word("fact_status", fact.status)
        rows.append((spans(case.fact(fact.id)), spans(case.fact_title(fact.id)), spans(word), told))
    described = columns(texts, ("fact", 1.3), ("measured", 1.5), ("status", 0.9), ("told", 2.8))
    return Table(f"table-{name}", described, tuple(rows), caption, heads=True)


def _record(case: Case, fact: Fact) -> Record:
    texts, kind = case.texts, fact_kinds()[fact.id]
    seen = fact.seen_in(WHOLE)
    # The same traffic stands once for every zone that it concerns: told once here, and never added.
    once = tuple({(one.values, one.exception): one for one in seen}.values())
    zones = tuple(dict.fromkeys(one.zone for one in seen if one.zone))
    first = min((one.first_time for one in seen if one.first_time), default=0)
    last = max((one.last_time for one in seen), default=0)
    findings = case.findings_of((fact.id,))
    exceptions = tuple(dict.fromkeys(one.exception for one in seen if one.exception))
    shown = [case.observation(one) for one in once[:MOST_SHOWN]]
    more = texts.text("evidence.more", count=len(once) - MOST_SHOWN) if len(once) > MOST_SHOWN else ()
    fields: tuple[tuple[str, Text], ...] = (
        ("what", (case.quoted(kind.measured),)),
        ("zones", case.joined(case.zone(zone) for zone in zones)),
        ("when", spans(texts.period(first, last)) if first else ()),
        ("seen", _lines(shown, more)),
        ("proof", case.frames(frame for one in once for frame in one.evidence)),
        ("findings", case.joined((case.finding(finding) for finding in findings), " · ")),
        ("exceptions", case.joined(Span(name, "code") for name in exceptions)),
        ("limits", (case.quoted(kind.limits),) if kind.limits else ()),
    )
    title = spans(Span(fact.id, "code"), f"  {case.fact_title(fact.id)}")
    return Record(
        anchor("fact", fact.id),
        title,
        tuple(Field(texts.say(f"evidence.field.{key}"), cell) for key, cell in fields if cell),
    )


def _lines(shown: list[Text], more: Text) -> Text:
    found: list[Span] = []
    for line in (*filter(None, shown), *filter(None, (more,))):
        found += ([Span(" · ")] if found else []) + list(line)
    return tuple(found)
