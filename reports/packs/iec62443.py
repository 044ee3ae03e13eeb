"""The zone and conduit assessment (IEC 62443-3-2) as a document: its sections, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.reports.beside import beside
from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.document.model import Document, Section
from zonewatch.reports.facts.measure import is_large
from zonewatch.reports.packs.appendix import appendices, sign_off
from zonewatch.reports.packs.characteristics import conduit_records, zone_records
from zonewatch.reports.packs.commands import commands
from zonewatch.reports.packs.exposure import exposure
from zonewatch.reports.packs.findings import findings
from zonewatch.reports.packs.management import management
from zonewatch.reports.packs.material import Material
from zonewatch.reports.packs.measured import measured
from zonewatch.reports.packs.partition import partition, specification
from zonewatch.reports.packs.plan import changes, exceptions, plan
from zonewatch.reports.packs.remote import remote
from zonewatch.reports.packs.scope import cover, scope
from zonewatch.reports.packs.security import security
from zonewatch.reports.packs.zoned import Zoned, zoned
from zonewatch.reports.packs.zoning import matrix, zoning

__all__ = ["iec62443"]


def _facts(case: Zoned) -> Section:
    """Every fact of the vocabulary, so that each status can be followed to its frames."""
    return measured(case, fact_kinds())


SECTIONS: Final[tuple[Callable[[Zoned], Section], ...]] = (
    management,
    scope,
    zoning,
    zone_records,
    conduit_records,
    partition,
    matrix,
    commands,
    remote,
    security,
    exposure,
    findings,
    changes,
    plan,
    exceptions,
    specification,
    sign_off,
    _facts,
    appendices,
)


LONG: Final[tuple[Callable[[Zoned], Section], ...]] = (conduit_records, appendices)
"""Of a large result their tables take longer than all other sections, which a second processor makes meanwhile."""


def _sections(case: Zoned) -> tuple[Section, ...]:
    others = [section for section in SECTIONS if section not in LONG]
    case.look_up()
    with beside(lambda: [section(case) for section in others], is_large(case.result)) as made:
        found = {section: section(case) for section in LONG}
        found |= dict(zip(others, made(), strict=True))
    return tuple(found[section] for section in SECTIONS)


def iec62443(material: Material) -> Document:
    """The document of a result."""
    case = zoned(material)
    texts, result = case.texts, case.result
    return Document(
        id="iec62443",
        title=texts.say("iec62443.title"),
        subtitle=case.system or texts.say("iec62443.unnamed"),
        language=texts.language,
        cover=cover(case),
        sections=_sections(case),
        footer=texts.say("footer", version=result.version),
        as_of=result.as_of,
    )
