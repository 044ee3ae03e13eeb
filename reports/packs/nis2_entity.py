"""Who the evidence pack is about, which law it is read under, and the statement of the management body (Art. 20)."""

from __future__ import annotations

from typing import Final

from zonewatch.reports.document.model import (
    Field,
    Note,
    Paragraph,
    Record,
    Section,
    Signature,
    SignOff,
    Span,
    text,
)
from zonewatch.reports.entity import Contact
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.forms import blank, stated
from zonewatch.reports.packs.requirements import origins

__all__ = ["applicability", "entity_cover", "governance"]

_SIGNING: Final = ("body", "officer")
_BOUND: Final[dict[bool | None, tuple[str, str]]] = {
    None: ("regulation.unknown", "regulation.unknown.said"),
    True: ("regulation.binds", "regulation.binds.said"),
    False: ("regulation.yardstick", "regulation.yardstick.said"),
}
"""What is said of the implementing regulation, in a word and in full."""


def entity_cover(case: Case) -> tuple[Field, ...]:
    """The lines of the cover that are about the entity."""
    texts, entity = case.texts, case.entity
    return (
        case.field("entity.name", entity.name or texts.say("form.fill")),
        case.field("entity.classification", _word(case, "classification", entity.classification)),
        case.field("entity.member_state", entity.member_state or texts.say("form.fill")),
        case.field("entity.national_act", entity.national_act or texts.say("form.fill")),
        case.field("entity.regulation", texts.say(_BOUND[entity.bound][0])),
    )


def _word(case: Case, family: str, name: str | None) -> str:
    return case.texts.word(family, name) if name else case.texts.say("form.fill")


def applicability(case: Case) -> Section:
    """Which act applies is asked before anything is told under it."""
    texts, entity = case.texts, case.entity
    sector = texts.word("sector", entity.sector) if entity.sector else ""
    services = ", ".join(texts.word("service", name) for name in entity.services or ())
    none = texts.say("entity.services.none") if entity.services == () else ""
    classification = texts.word("classification", entity.classification) if entity.classification else ""
    authority = ", ".join(
        filter(None, (entity.authority.name, entity.authority.portal, entity.authority.phone, entity.authority.email))
    )
    rows = (
        stated(case, "entity.name", entity.name),
        stated(case, "entity.registration", entity.registration),
        stated(case, "entity.sector", sector),
        stated(case, "entity.classification", classification),
        stated(case, "entity.member_state", entity.member_state or ""),
        stated(case, "entity.national_act", entity.national_act),
        stated(case, "entity.services", services or none),
        stated(case, "entity.authority", authority),
        *(_contact(case, one) for one in entity.contacts),
        *(() if entity.contacts else (stated(case, "entity.contacts", ""),)),
    )
    act = (
        Paragraph(texts.text("applicability.act", act=Span(entity.national_act, "strong")))
        if entity.national_act
        else Note("question", texts.text("applicability.which"))
    )
    return Section(
        "applicability",
        texts.say("applicability.title"),
        (
            Paragraph(texts.text("applicability.lead")),
            act,
            Note("question" if entity.bound is None else "limit", texts.text(_BOUND[entity.bound][1])),
            Record("entity", texts.text("entity.title"), rows),
            Paragraph(texts.text("applicability.catalogue")),
            origins(case, "nis2"),
        ),
    )


def _contact(case: Case, one: Contact) -> Field:
    told = ", ".join(filter(None, (one.role, one.name, one.phone, one.email)))
    return stated(case, "entity.contact", told)


def governance(case: Case) -> Section:
    """Blank until people sign: the tool never fills it."""
    texts = case.texts
    rows = tuple(
        Signature(texts.say(f"governance.{role}"), texts.say(f"governance.{role}.statement")) for role in _SIGNING
    )
    fields = (
        blank(case, "governance.approved", 1, texts.say("governance.approved.hint")),
        blank(case, "governance.oversight", 2, texts.say("governance.oversight.hint")),
        blank(case, "governance.training", 2, texts.say("governance.training.hint")),
        blank(case, "governance.decisions", 3, texts.say("governance.decisions.hint")),
    )
    return Section(
        "governance",
        texts.say("governance.title"),
        (
            Paragraph(texts.text("governance.lead")),
            Note("limit", texts.text("governance.never")),
            Record("governance-record", text(texts.say("governance.record")), fields),
            SignOff(rows),
        ),
    )
