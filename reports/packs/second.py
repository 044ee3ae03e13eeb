"""What a second reader counted in the same captures, as a section of the scope."""

from __future__ import annotations

from collections.abc import Iterator

from zonewatch.reports.document.model import Note, Paragraph, Section, Span, Table, text
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.second_opinion import Difference, frames_of

__all__ = ["second_reader"]


def second_reader(material: Material) -> Iterator[Section]:
    """Messages by protocol, counted by both, and the counts that differ; nothing where nobody asked for it."""
    opinion, texts = material.result.second_opinion, material.texts
    if opinion is None:
        return
    title = texts.say("second.title")
    if not opinion.version:
        yield Section("second-reader", title, (Note("limit", texts.text("second.none", why=opinion.problem)),))
        return
    lead = texts.text(
        "second.lead", reader=f"{opinion.tool} {opinion.version}", equal=opinion.equal_rows, count=opinion.rows
    )
    counted = Table(
        "table-second",
        columns(texts, ("protocol", 1.4), ("ours", 1.0, "right"), ("theirs", 1.0, "right")),
        tuple(
            (text(row.protocol), material.number(row.ours), material.number(row.theirs)) for row in opinion.protocols
        ),
        texts.say("second.caption", reader=opinion.tool),
        heads=True,
    )
    differing = (_differing(material, opinion.differences),) if opinion.differences else ()
    yield Section("second-reader", title, (Paragraph(lead), counted, *differing))


def _differing(material: Material, rows: tuple[Difference, ...]) -> Table:
    """Those that nobody can explain first."""
    texts = material.texts
    lines = tuple(
        (
            text(" ".join(part for part in (row.protocol, row.fact, row.code, row.name) if part)),
            text(Span(row.sender, "code"), " → ", Span(row.receiver, "code")),
            material.number(row.ours),
            material.number(row.theirs),
            text(texts.word("second_reason", row.reason) if row.reason else texts.say("unknown")),
            text(Span(frames_of(row), "frame")),
        )
        for row in sorted(rows, key=lambda row: bool(row.reason))
    )
    described = columns(
        texts,
        ("measured", 1.3),
        ("ends", 1.8),
        ("ours", 0.6, "right"),
        ("theirs", 0.6, "right"),
        ("reason", 1.8),
        ("frames", 1.6),
    )
    return Table("table-differing", described, lines, texts.say("second.differing"))
