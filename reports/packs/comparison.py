"""Two or more results beside each other, as a document of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from zonewatch.reports.compare.model import MOVES, Comparison, Edition
from zonewatch.reports.document.model import Column, Document, Field, Paragraph, Section, Span, Table, text
from zonewatch.reports.packs.changes import MARKS, Told, changes, trend_section
from zonewatch.reports.packs.material import Material
from zonewatch.reports.texts import Texts

__all__ = ["comparison_document", "told"]


def told(comparison: Comparison, editions: Sequence[Edition], texts: Texts) -> Told:
    """With the names of zones that any edition knows, the latest first."""
    names = {zone.id: zone.name or zone.id for edition in editions for zone in edition.result.zones}
    return Told(comparison, texts, names)


def comparison_document(comparison: Comparison, editions: Sequence[Edition], texts: Texts) -> Document:
    """The trend over all editions, and the latest step in detail."""
    last = editions[-1]
    tale = told(comparison, editions, texts)
    steps = (_steps(tale),) if len(editions) > 2 else ()
    return Document(
        id="comparison",
        title=texts.say("compare.title"),
        subtitle=Material(last.result, texts).system or texts.say("iec62443.unnamed"),
        language=texts.language,
        cover=(
            Field(texts.say("compare.editions"), text(", ".join(edition.name for edition in editions))),
            Field(texts.say("cover.as_of"), text(texts.time(last.result.as_of))),
        ),
        sections=(changes(tale), trend_section(tale), *steps, _inputs(tale, editions)),
        footer=texts.say("footer", version=last.result.version),
        as_of=last.result.as_of,
    )


def _steps(tale: Told) -> Section:
    texts = tale.texts
    rows = []
    for step in tale.comparison.steps:
        counts = Counter(change.move for change in step.of("finding"))
        rows.append(
            (text(f"{step.before} → {step.after}"), *((texts.span(counts[move]),) for move in MOVES)),
        )
    described = (
        Column(texts.say("since.column.step"), width=2.0),
        *(Column(f"{MARKS[move]} {texts.word('move', move)}", "right") for move in MOVES),
    )
    table = Table("table-steps", described, tuple(rows), texts.say("compare.steps.caption"), heads=True)
    return Section("steps", texts.say("compare.steps"), (Paragraph(texts.text("compare.steps.lead")), table))


def _inputs(tale: Told, editions: Sequence[Edition]) -> Section:
    texts = tale.texts
    rows = tuple(
        (
            text(edition.name),
            text(edition.result.version),
            text(Span(edition.sha256, "code")) if edition.sha256 else texts.text("inputs.not_taken"),
            text(Span(edition.result.policy.sha256, "code")) if edition.result.policy.given else text("–"),
        )
        for edition in editions
    )
    described = tuple(
        Column(texts.say(f"since.column.{name}"), width=width)
        for name, width in (("edition", 1.4), ("version", 0.8), ("result", 3.2), ("policy", 3.2))
    )
    title = texts.say("compare.inputs")
    return Section("compared", title, (Table("table-compared", described, rows, title, heads=True),))
