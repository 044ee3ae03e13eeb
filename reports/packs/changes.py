"""What changed since another edition, as a section of any report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from zonewatch.reports.compare.model import MOVES, SUBJECTS, Change, Comparison, Step, Subject
from zonewatch.reports.document.model import (
    Block,
    Column,
    Document,
    Figure,
    Note,
    Paragraph,
    Section,
    Span,
    Table,
    Text,
    text,
)
from zonewatch.reports.drawings.trend import MOST_BARS, Bar, trend
from zonewatch.reports.packs.material import RULES_LANGUAGE
from zonewatch.reports.quoted import translated
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import SEVERITY_MARKS
from zonewatch.rules.findings import SEVERITIES

__all__ = [
    "MARKS",
    "Told",
    "changes",
    "move_name",
    "named",
    "trend_section",
    "value_words",
    "why_words",
    "with_changes",
]

MARKS: Final[Mapping[str, str]] = {
    "worse": "▲",
    "new": "▲",
    "graver": "▲",
    "appeared": "+",
    "changed": "≠",
    "better": "▼",
    "milder": "▼",
    "closed": "✓",
    "vanished": "−",
    "unclear": "?",
}
"""Nothing rests on colour."""
_PARTS: Final[tuple[tuple[str, tuple[Subject, ...]], ...]] = (
    ("findings", ("finding",)),
    ("assets", ("asset",)),
    ("services", ("service",)),
    ("traffic", ("edge", "operation")),
    ("plan", ("policy", "zone", "conduit", "flow")),
    ("facts", ("fact",)),
    ("statuses", ("status",)),
)
"""The tables, in their order."""
_FAMILIES: Final[Mapping[str, str]] = {
    "severity": "severity",
    "state": "state",
    "verdict": "verdict",
    "authentication": "posture",
    "role": "role",
    "fact": "fact_status",
}
"""Vocabularies of values, by the property that they are of."""
_DURATIONS: Final = ("window",)
_OCTETS: Final = ("bytes", "undecoded", "unrecognised")


@dataclass(frozen=True, slots=True)
class Told:
    """A comparison with what it takes to tell it."""

    comparison: Comparison
    texts: Texts
    zones: Mapping[str, str]  # names by id

    def zone(self, places: str) -> str:
        """Zones by their names."""
        return " → ".join(self.zones.get(place, place) for place in places.split(" → ")) if places else ""


def move_name(change: Change) -> str:
    """The word's key: findings have words of their own."""
    if change.subject != "finding":
        return change.move
    if change.aspect == "severity":
        return "graver" if change.move == "worse" else "milder"
    if change.aspect:
        return "closed" if change.move == "vanished" else change.move
    return {"worse": "new", "appeared": "new", "vanished": "closed"}.get(change.move, change.move)


def why_words(change: Change, texts: Texts) -> str:
    """Why nobody can say that it is gone, or that it is new; of facts and requirements the status itself says it."""
    if not change.reason or change.subject in ("fact", "status"):
        return ""
    reason = texts.word("unclear", change.reason)
    return reason if change.move == "unclear" else texts.say("since.earlier", reason=reason)


def with_changes(document: Document, told: Told) -> Document:
    """A report with the changes since the last edition after its first section."""
    first, *rest = document.sections
    return replace(document, sections=(first, changes(told), *rest))


def changes(told: Told) -> Section:
    """The latest step: what differs in how it was seen and judged first, then what became of everything."""
    texts, step = told.texts, told.comparison.last
    return Section(
        "since",
        texts.say("since.title"),
        (
            Paragraph(texts.text("since.lead", before=step.before, after=step.after)),
            *notes(told, step),
            _counts(told, step),
        ),
        (*(_part(told, step, *part) for part in _PARTS), _coverage(told, step)),
    )


def notes(told: Told, step: Step) -> tuple[Block, ...]:
    """What a reader has to know before any change: other policies, versions, points of capture."""
    texts = told.texts
    found: list[Text] = []
    if not step.same_policy:
        missing = "" in step.policies
        found.append(texts.text("since.policy_missing" if missing else "since.policy"))
    if not step.same_version:
        found.append(texts.text("since.version", before=step.versions[0], after=step.versions[1]))
    if any(step.points):
        gone, new = (", ".join(points) or "–" for points in step.points)
        found.append(texts.text("since.points", gone=gone, new=new))
    if step.blind:
        found.append(texts.text("since.blind", reason=texts.word("unclear", step.blind)))
    return tuple(Note("limit", words) for words in found)


def _columns(texts: Texts, *described: tuple[str, float] | tuple[str, float, str]) -> tuple[Column, ...]:
    return tuple(
        Column(texts.say(f"since.column.{name}"), "right" if more else "left", width)
        for name, width, *more in described
    )


def _counts(told: Told, step: Step) -> Table:
    texts = told.texts
    counts = Counter((change.subject, change.move) for change in step.changes)
    rows = tuple(
        (
            text(texts.word("subject", subject)),
            *((texts.span(counts[subject, move]),) for move in MOVES),
        )
        for subject in SUBJECTS
    )
    described = (
        Column(texts.say("since.column.what"), width=1.6),
        *(Column(f"{MARKS[move]} {texts.word('move', move)}", "right") for move in MOVES),
    )
    return Table("table-since", described, rows, texts.say("since.caption"), texts.text("since.note"), heads=True)


def _part(told: Told, step: Step, name: str, subjects: tuple[Subject, ...]) -> Section:
    texts, found = told.texts, step.of(*subjects)
    title = texts.say(f"since.part.{name}")
    block = _table(told, name, title, found) if found else Paragraph(texts.text("since.none"))
    return Section(f"since-{name}", title, (block,))


def _table(told: Told, name: str, title: str, found: Iterable[Change]) -> Table:
    texts, grave = told.texts, name == "findings"
    rows = tuple(_row(told, change, grave=grave) for change in found)
    described = _columns(
        texts,
        ("move", 1.0),
        *((("severity", 1.15),) if grave else ()),
        ("thing", 2.6),
        ("property", 1.2),
        ("before", 1.1),
        ("after", 1.1),
        ("place", 1.2),
        ("reason", 1.5),
    )
    return Table(f"table-since-{name}", described, rows, title)


def _row(told: Told, change: Change, *, grave: bool) -> tuple[Text, ...]:
    texts, move = told.texts, move_name(change)
    severity: Text = ()
    if change.severity is not None:
        mark = next(mark for name, mark in SEVERITY_MARKS.items() if name == change.severity)
        severity = text(f"{mark.symbol} {texts.word('severity', change.severity)}")
    why = why_words(change, texts)
    return (
        text(Span(f"{MARKS[move]} {texts.word('move', move)}", "strong")),
        *((severity,) if grave else ()),
        text(named(change, texts)),
        text(texts.word("aspect", change.aspect)) if change.aspect else (),
        text(value_words(told, change, change.before)),
        text(value_words(told, change, change.after)),
        text(told.zone(change.place)),
        text(why) if why else (),
    )


def named(change: Change, texts: Texts) -> Span:
    """The thing in the report's language; what its file lacks is quoted in English."""
    if change.subject == "fact":
        return Span(texts.say(f"fact.{change.id}"))
    if texts.language == RULES_LANGUAGE or change.subject not in ("finding", "status"):
        return Span(change.name, "asset" if change.subject == "asset" else "")
    told = translated(change.name, texts.language)
    return Span(told) if told else Span(change.name, language=RULES_LANGUAGE)


def value_words(told: Told, change: Change, value: str) -> str:
    """A value of a property in words of the language."""
    family = _FAMILIES.get(change.aspect)
    if not value:
        return ""
    if family is not None:
        return told.texts.word(family, value)
    if change.aspect == "status":
        return told.texts.word("requirement_status", value)
    if change.aspect == "zone":
        return told.zone(value)
    if change.subject in ("edge", "operation") and not change.aspect:
        return ", ".join(told.texts.word("operation", word) for word in value.split(", "))
    return value


def _coverage(told: Told, step: Step) -> Section:
    texts = told.texts

    def shown(name: str, value: int) -> Text:
        if name in _DURATIONS:
            return text(texts.duration(value) if value else "–")
        return text(texts.size(value)) if name in _OCTETS else (texts.span(value),)

    rows = tuple(
        (texts.text(f"since.measure.{row.name}"), shown(row.name, row.before), shown(row.name, row.after))
        for row in step.coverage
    )
    described = _columns(texts, ("measured", 2.0), ("before", 1.0, "right"), ("after", 1.0, "right"))
    title = texts.say("since.part.coverage")
    table = Table("table-since-coverage", described, rows, title, heads=True)
    return Section("since-coverage", title, (Paragraph(texts.text("since.coverage")), table))


def trend_section(told: Told) -> Section:
    """Over all editions: a drawing and its table."""
    texts, editions = told.texts, told.comparison.trend
    legend = {name: texts.word("severity", name) for name in reversed(SEVERITIES)}
    bars = [Bar(row.name, row.severities, f"{row.name}: {_tally(texts, row.severities)}") for row in editions]
    title = texts.say("trend.title")
    description = texts.say("trend.description", count=len(editions))
    svg = trend(bars[-MOST_BARS:], title, description, legend)
    rows = tuple(
        (
            text(row.name),
            text(texts.period(row.first_time, row.last_time)),
            *((texts.span(number),) for number in (row.packets, row.assets, row.edges, row.violations)),
            *((texts.span(count),) for _, count in row.severities),
        )
        for row in editions
    )
    described = (
        *_columns(
            texts,
            ("edition", 1.4),
            ("period", 2.0),
            ("packets", 0.9, "right"),
            ("assets", 0.8, "right"),
            ("edges", 1.3, "right"),
            ("violations", 0.9, "right"),
        ),
        *(Column(legend[name], "right", 0.8) for name in reversed(SEVERITIES)),
    )
    return Section(
        "trend",
        title,
        (
            Paragraph(texts.text("trend.lead")),
            Figure("figure-trend", svg, texts.say("trend.drawn"), description),
            Table("table-trend", described, rows, texts.say("trend.caption"), heads=True),
        ),
    )


def _tally(texts: Texts, counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{texts.word('severity', name)} {texts.number(count)}" for name, count in counts)
