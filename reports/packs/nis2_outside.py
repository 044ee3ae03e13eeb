"""The view of the supply chain (Art. 21(2)(d), 5.1, 6.7.2.h): every connection of a supplier, with its approval."""

from __future__ import annotations

from collections.abc import Iterator

from zonewatch.inventory.model import Edge
from zonewatch.reports.document.model import Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.facts.svc import remote_edges
from zonewatch.reports.packs.asked import table
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.material import columns
from zonewatch.reports.result import edge_key, worst

__all__ = ["suppliers"]

_POINTS = ("5.1", "5.2", "6.7.2.d", "6.7.2.h")


def suppliers(case: Case) -> Section:
    """What was seen of connections from and to outside, and what was declared."""
    texts = case.texts
    rows = tuple(row for row in case.asked("nis2-annex") if row.requirement.id in _POINTS)
    return Section(
        "suppliers",
        texts.say("suppliers.title"),
        (
            Paragraph(texts.text("suppliers.lead")),
            table(case, rows, "suppliers-points", texts.say("suppliers.points")),
            _seen(case),
            _declared(case),
        ),
    )


def _outside(seen: Seen) -> Iterator[Edge]:
    """Sessions by which people work at another host, and all that reaches the internet or comes from there."""
    remote = {id(edge) for edge in remote_edges(seen)}
    for edge in seen.answered:
        if id(edge) in remote or seen.is_public(edge.client) or seen.is_public(edge.server):
            yield edge


def _seen(case: Case) -> Table:
    texts = case.texts
    seen = Seen(case.result)
    rows = []
    for edge in _outside(seen):
        found = seen.verdicts.get(edge_key(edge), ())
        verdict = worst(row.verdict for row in found)
        purposes = dict.fromkeys(filter(None, (_purpose(case, row.conduit, row.flow) for row in found)))
        rows.append(
            (
                text(case.asset(edge.client), " → ", case.asset(edge.server)),
                text(edge.protocol),
                text(case.verdict(verdict)) if verdict and case.result.policy.given else texts.text("matrix.unjudged"),
                text("; ".join(purposes) or texts.say("open")),
                text(texts.time(edge.first_time)),
                text(texts.duration(edge.last_time - edge.first_time)),
                text(texts.size(edge.bytes)),
                (),
            )
        )
    described = columns(
        texts,
        ("connection", 2.3),
        ("protocol", 0.7),
        ("approval", 1.0),
        ("purpose", 1.3),
        ("first", 1.1),
        ("length", 0.9),
        ("size", 0.7, "right"),
        ("supplier", 1.0),
    )
    return Table(
        "table-suppliers", described, tuple(rows), texts.say("suppliers.seen"), texts.text("suppliers.seen.note")
    )


def _purpose(case: Case, conduit: str, flow: str) -> str:
    for one in case.result.policy.conduits:
        if one.id == conduit:
            return next((row.purpose for row in one.flows if row.id == flow), "")
    return ""


def _declared(case: Case) -> Table:
    texts = case.texts
    rows = tuple(
        (
            text(Span(access.id, "code")),
            text(case.zone(access.entry_zone), " → ", case.zone(access.target_zone)),
            text(access.user_group or texts.say("open")),
            text(access.jump_host or texts.say("open")),
            _answer(case, access.mfa),
            text(texts.decimal(access.max_minutes)) if access.max_minutes is not None else texts.text("open"),
            text(access.approval or texts.say("open")),
            text(access.purpose or texts.say("open")),
        )
        for access in case.result.policy.remote_access
    )
    described = columns(
        texts,
        ("id", 1.0),
        ("between", 1.6),
        ("group", 1.0),
        ("jump", 1.0),
        ("mfa", 0.8),
        ("minutes", 0.8, "right"),
        ("approval", 1.1),
        ("purpose", 1.3),
    )
    return Table(
        "table-remote", described, rows, texts.say("suppliers.declared"), texts.text("suppliers.declared.note"), True
    )


def _answer(case: Case, value: bool | None) -> Text:
    return case.texts.text("open" if value is None else "answer.yes" if value else "answer.no")
