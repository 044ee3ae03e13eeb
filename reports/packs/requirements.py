"""Reports for frameworks that are a list of requirements: NIST SP 800-82, CSF, CISA's goals, TSA, NERC CIP.

A framework is a file of the catalogue and a preface in the texts: `preface.ID.title`, `.what`, `.binding`, `.question`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from zonewatch.reports.catalogue.load import framework
from zonewatch.reports.document.model import Document, Field, Note, Paragraph, Section, Span, Table
from zonewatch.reports.packs.appendix import appendices, sign_off
from zonewatch.reports.packs.asked import attested, counted, reading, records, table
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.findings import findings
from zonewatch.reports.packs.management import of_requirements
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.measured import measured, named
from zonewatch.reports.packs.scope import cover, scope

__all__ = ["ASKED", "PACKS", "Pack", "origins"]


@dataclass(frozen=True, slots=True)
class Pack:
    """A framework as it is reported for."""

    id: str  # on the command line, and of its preface
    catalogue: str  # in the catalogue


def document(pack: Pack, case: Case) -> Document:
    """A page for the management; then preface, scope and how to read come before any result."""
    texts, result = case.texts, case.result
    rows = case.asked(pack.catalogue)
    facts = named(rows)
    refuted = tuple(row for row in rows if row.status in ("contradicted", "excepted"))
    caption = texts.say("requirements.caption")
    results = Section(
        "results",
        texts.say("requirements.title"),
        (
            Paragraph(texts.text("requirements.lead")),
            counted(case, rows),
            table(case, rows, "requirements", caption, linked=True),
        ),
    )
    first = Section(
        "refuted",
        texts.say("refuted.title"),
        (
            Paragraph(texts.text("refuted.lead" if refuted else "refuted.none")),
            *((table(case, refuted, "refuted", texts.say("refuted.caption"), linked=True),) if refuted else ()),
        ),
    )
    one_by_one = Section(
        "requirements",
        texts.say("each.title"),
        (Paragraph(texts.text("each.lead")), *records(case, rows)),
    )
    return Document(
        id=pack.id,
        title=texts.say(f"preface.{pack.id}.title"),
        subtitle=case.system or texts.say("iec62443.unnamed"),
        language=texts.language,
        cover=(*cover(case), _catalogue(case, pack)),
        sections=(
            of_requirements(case, rows, Span(texts.say("findings.title"), target="findings")),
            _preface(case, pack),
            scope(case),
            reading(case),
            results,
            first,
            one_by_one,
            measured(case, facts),
            findings(case),
            attested(case, rows),
            sign_off(case),
            appendices(case),
        ),
        footer=texts.say("footer", version=result.version),
        as_of=result.as_of,
    )


def _catalogue(case: Case, pack: Pack) -> Field:
    standard = framework(pack.catalogue)
    return case.field("requirements.edition", case.quoted(standard.title))


def _preface(case: Case, pack: Pack) -> Section:
    texts, standard = case.texts, framework(pack.catalogue)
    note = (Note("limit", (case.quoted(standard.note),)),) if standard.note else ()
    return Section(
        "preface",
        texts.say("preface.title"),
        (
            Paragraph(texts.text(f"preface.{pack.id}.what")),
            Paragraph(texts.text(f"preface.{pack.id}.binding")),
            Note("question", texts.text(f"preface.{pack.id}.question")),
            *note,
            origins(case, pack.catalogue),
        ),
    )


def origins(case: Case, name: str) -> Table:
    """Where the catalogue of a framework comes from, and what of it was compared with its source."""
    texts = case.texts
    rows = tuple(
        (
            (case.quoted(row.what),),
            (case.quoted(row.source),),
            texts.text("origins.yes" if row.verified else "origins.no"),
        )
        for row in framework(name).origins
    )
    described = columns(texts, ("part", 1.4), ("source", 2.8), ("compared", 0.9))
    return Table(f"table-origins-{name}", described, rows, texts.say("origins.caption"), texts.text("origins.note"))


_LISTS: Final = (
    Pack("nist-800-82", "nist-800-82r3"),
    Pack("csf", "nist-csf-2.0"),
    Pack("cpg", "cisa-cpg-2.0"),
    Pack("tsa", "tsa-sd-pipeline-2021-02"),
    Pack("nerc-cip", "nerc-cip"),
)
ASKED: Final[Mapping[str, tuple[str, ...]]] = {pack.id: (pack.catalogue,) for pack in _LISTS}
"""The frameworks of the catalogue by the id on the command line."""
PACKS: Final[Mapping[str, Callable[[Case], Document]]] = {pack.id: partial(document, pack) for pack in _LISTS}
"""What builds the document of each, by its id on the command line."""
