"""The register of control commands: who wrote, operated or programmed what, and what lets him."""

from __future__ import annotations

from collections import Counter
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.reports.document.model import Note, Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned
from zonewatch.reports.result import VERDICT_ORDER
from zonewatch.rules.register import Command

__all__ = ["commands"]

_UNJUDGED: Final = len(VERDICT_ORDER)


def commands(case: Zoned) -> Section:
    """What was commanded, what may be, and by whom."""
    texts, rows = case.texts, case.result.commands
    if not rows:
        return Section("commands", texts.say("commands.title"), (Paragraph(texts.text("commands.none")),))
    counts = Counter(row.verdict for row in rows)
    sums: tuple[Paragraph, ...] = ()
    if case.result.policy.given:
        told = case.lines(
            text(case.verdict(verdict), f" {texts.number(counts[verdict])}")
            for verdict in VERDICT_ORDER
            if counts[verdict]
        )
        sums = (Paragraph(texts.text("commands.sums", count=len(rows), verdicts=told)),)
    return Section(
        "commands",
        texts.say("commands.title"),
        (Paragraph(texts.text("commands.lead")), *sums, _register(case), Note("limit", texts.text("commands.limit"))),
        (Section("entitled", texts.say("entitled.title"), _entitled(case)),),
    )


def _register(case: Zoned) -> Table:
    texts = case.texts
    rows = tuple(
        (
            _ends(case, row),
            text(texts.word("operation", row.operation), f" ({row.protocol} ", Span(row.function, "code"), ")"),
            _point(row),
            _values(case, row),
            _counted(case, row),
            case.frames(row.evidence),
            _permit(case, row),
        )
        for row in sorted(case.result.commands, key=_gravest)
    )
    described = columns(
        texts,
        ("ends", 1.7),
        ("operation", 1.2),
        ("point_written", 1.6),
        ("values", 1.2),
        ("times_when", 1.3),
        ("proof", 1.3),
        ("allowed_by", 1.6),
    )
    return Table("table-commands", described, rows, texts.say("commands.caption"), texts.text("commands.note"))


def _gravest(row: Command) -> tuple[int, int, str]:
    order = VERDICT_ORDER.index(row.verdict) if row.verdict is not None else _UNJUDGED
    return (order, row.first_time, row.client)


def _ends(case: Zoned, row: Command) -> Text:
    ends = text(Span(case.short(row.client), "asset"), " → ", Span(case.short(row.server), "asset"))
    if row.client_zone == row.server_zone:
        return text(*ends, " (", case.zone(row.client_zone), ")")
    return text(*ends, " (", case.zone(row.client_zone), " → ", case.zone(row.server_zone), ")")


def _point(row: Command) -> Text:
    if row.name:
        return text(row.name, " · ", Span(row.target, "code"))
    return text(Span(row.target, "code")) if row.target else ()


def _values(case: Zoned, row: Command) -> Text:
    """`1.8 mg/l → 24 mg/l`; with the range, where the commands differ."""
    if not row.after:
        return ()
    told = f"{row.before or '?'} → {row.after}"
    if row.least != row.greatest:
        span = case.texts.say("commands.range", least=row.least, greatest=row.greatest)
        told += f" ({span})"
    return text(told)


def _counted(case: Zoned, row: Command) -> Text:
    texts = case.texts
    told = []
    if row.refused:
        told.append(texts.text("commands.refused", count=row.refused))
    if row.unanswered:
        told.append(texts.text("commands.unanswered", count=row.unanswered))
    times = texts.text("commands.times", count=row.events)
    beside = text(" (", *case.lines(told), ")") if told else ()
    return text(*times, *beside, f" · {texts.period(row.first_time, row.last_time)}")


def _permit(case: Zoned, row: Command) -> Text:
    texts = case.texts
    if row.verdict is None:
        return texts.text("matrix.unjudged")
    if row.verdict == "allowed":
        if not row.flow:
            return texts.text("commands.default", verdict=case.verdict("allowed"))
        place = "/".join(filter(None, (row.conduit, row.flow)))
        sort = () if row.by in ("", "flow") else (f" ({texts.word('permit', row.by)})",)
        return text(case.verdict("allowed"), " ", Span(place, "code"), *sort)
    return text(case.verdict(row.verdict), *((": ", case.quoted(row.reason)) if row.reason else ()))


def _entitled(case: Zoned) -> tuple[Paragraph | Table, ...]:
    """Every flow of the policy that lets somebody command, used or not."""
    texts = case.texts
    used = Counter((row.conduit, row.flow) for row in case.result.commands if row.verdict == "allowed" and row.by)
    rows = tuple(
        (
            text(Span(f"{conduit.id}/{flow.id}", "code")),
            text(", ".join(flow.clients) or case.zone(conduit.from_zone)),
            text(", ".join(flow.servers) or case.zone(conduit.to_zone)),
            text(
                f"{flow.protocol} "
                + (", ".join(texts.word("operation", word) for word in flow.operations) or texts.say("all"))
            ),
            text("; ".join(filter(None, (", ".join(flow.objects), _limits(flow.least, flow.greatest))))),
            text(", ".join(filter(None, (flow.approved_by, flow.until))) or texts.say("open")),
            case.number(used[conduit.id, flow.id]),
        )
        for conduit in case.result.policy.conduits
        for flow in conduit.flows
        if not flow.operations or STATE_CHANGING.intersection(flow.operations)
    )
    if not rows:
        return (Paragraph(texts.text("entitled.none" if case.result.policy.given else "unused.no_policy")),)
    described = columns(
        texts,
        ("flow", 1.5),
        ("who", 1.1),
        ("device", 1.1),
        ("operation", 1.0),
        ("objects", 1.2),
        ("approved", 1.2),
        ("rows_used", 0.7, "right"),
    )
    return (
        Paragraph(texts.text("entitled.lead")),
        Table("table-entitled", described, rows, texts.say("entitled.caption"), (), True),
    )


def _limits(least: float | None, greatest: float | None) -> str:
    if least is None and greatest is None:
        return ""
    return f"{'' if least is None else f'{least:g}'} … {'' if greatest is None else f'{greatest:g}'}"
