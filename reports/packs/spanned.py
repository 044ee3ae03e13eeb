"""How a sensor watched a span of time: its periods, what is not on record, and what was wrong with it."""

from __future__ import annotations

from zonewatch.reports.document.model import Note, Paragraph, Section, Table, text
from zonewatch.reports.packs.material import Material, columns
from zonewatch.reports.watched import Watched

__all__ = ["spanned"]


def spanned(material: Material) -> tuple[Section, ...]:
    """Nothing where the result is that of one audit."""
    watched, texts = material.watched, material.texts
    if watched is None:
        return ()
    share = f"{texts.decimal(watched.uptime * 100)} %"
    lead = texts.text(
        "span.lead",
        period=texts.period(watched.first_time, watched.last_time),
        periods=len(watched.periods),
        share=share,
    )
    return (
        Section(
            "span",
            texts.say("span.title"),
            (
                Paragraph(lead),
                *_gaps(material, watched),
                _periods(material, watched),
                *_policies(material, watched),
                Paragraph(texts.text("span.whole")),
            ),
        ),
    )


def _gaps(material: Material, watched: Watched) -> tuple[Note | Table, ...]:
    texts = material.texts
    if not watched.gaps:
        return (Note("limit", texts.text("span.no_gaps")),)
    rows = tuple(
        (
            text(texts.time(gap.first_time)),
            text(texts.time(gap.last_time)),
            text(texts.duration(gap.last_time - gap.first_time)),
            text(texts.word("gap", gap.why)),
        )
        for gap in watched.gaps
    )
    described = columns(texts, ("gap_from", 1.2), ("gap_to", 1.2), ("length", 1.0), ("reason", 2.4))
    gaps = Table("table-gaps", described, rows, texts.say("span.gaps"), texts.text("span.gaps.note"))
    lost = texts.text("span.unknown", count=len(watched.gaps), length=texts.duration(watched.unknown))
    return (Note("limit", lost), gaps)


def _periods(material: Material, watched: Watched) -> Table:
    texts = material.texts
    rows = tuple(
        (
            material.number(row.number),
            text(texts.time(row.first_time)),
            text(texts.duration(row.last_time - row.first_time)),
            text(texts.word("period_state", row.state if row.kept else "not_kept")),
            material.number(row.packets),
            material.number(row.dropped),
            material.number(row.allowed),
            material.number(row.violations),
        )
        for row in watched.periods
    )
    described = columns(
        texts,
        ("period", 0.6, "right"),
        ("start", 1.3),
        ("length", 0.9),
        ("state", 0.9),
        ("packets", 0.8, "right"),
        ("drops", 0.7, "right"),
        ("allowed", 0.8, "right"),
        ("violations", 0.9, "right"),
    )
    return Table("table-periods", described, rows, texts.say("span.periods"), texts.text("span.periods.note"))


def _policies(material: Material, watched: Watched) -> tuple[Note, ...]:
    """More than one policy in the span: each period was judged by its own."""
    found = dict.fromkeys(row.policy for row in watched.periods)
    if len(found) < 2:
        return ()
    return (Note("limit", material.texts.text("span.policies", count=len(found))),)
