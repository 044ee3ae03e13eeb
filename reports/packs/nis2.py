"""The evidence pack for NIS2 Art. 21 as a document: its parts, in their order.

The annex of Implementing Regulation (EU) 2024/2690 is the yardstick. It binds few operators of plants; the pack asks
which national act applies, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.document.model import Document, Section, Span
from zonewatch.reports.packs.appendix import appendices, sign_off
from zonewatch.reports.packs.asked import attested, reading
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.findings import findings
from zonewatch.reports.packs.management import of_requirements
from zonewatch.reports.packs.measured import measured, named
from zonewatch.reports.packs.nis2_dossiers import DOSSIER_FACTS, assets, monitoring, segmentation
from zonewatch.reports.packs.nis2_effect import corrective, effectiveness, proportionality
from zonewatch.reports.packs.nis2_entity import applicability, entity_cover, governance
from zonewatch.reports.packs.nis2_measures import annex, measures
from zonewatch.reports.packs.nis2_notices import readiness
from zonewatch.reports.packs.nis2_outside import suppliers
from zonewatch.reports.packs.nis2_sheets import sheets
from zonewatch.reports.packs.scope import cover, scope

__all__ = ["SECTIONS", "nis2"]


def _evidence(case: Case) -> Section:
    asked = named((*case.asked("nis2"), *case.asked("nis2-annex")))
    return measured(case, (name for name in fact_kinds() if name in asked or name in DOSSIER_FACTS))


def _attested(case: Case) -> Section:
    points = (row for row in case.asked("nis2-annex") if not row.requirement.parent)
    return attested(case, (*case.asked("nis2"), *points))


def _appendices(case: Case) -> Section:
    """But for the inventory, which has its own part."""
    found = appendices(case)
    return replace(found, sections=tuple(section for section in found.sections if section.id != "inventory"))


def _management(case: Case) -> Section:
    rows = (*case.asked("nis2"), *case.asked("nis2-annex"))
    return of_requirements(case, rows, Span(case.texts.say("corrective.title"), target="corrective"))


SECTIONS: Final[tuple[Callable[[Case], Section], ...]] = (
    _management,
    applicability,
    governance,
    scope,
    reading,
    measures,
    sheets,
    segmentation,
    monitoring,
    assets,
    suppliers,
    effectiveness,
    readiness,
    corrective,
    proportionality,
    annex,
    _evidence,
    findings,
    _attested,
    sign_off,
    _appendices,
)


def nis2(case: Case) -> Document:
    """The document of a result."""
    texts, result = case.texts, case.result
    return Document(
        id="nis2",
        title=texts.say("nis2.title"),
        subtitle=case.entity.name or case.system or texts.say("iec62443.unnamed"),
        language=texts.language,
        cover=(*entity_cover(case), *cover(case)),
        sections=tuple(section(case) for section in SECTIONS),
        footer=texts.say("footer", version=result.version),
        as_of=result.as_of,
    )
