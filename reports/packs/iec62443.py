"""The zone and conduit assessment (IEC 62443-3-2) as a document: its sections, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.reports.document.model import Document, Section
from zonewatch.reports.packs.appendix import appendices, sign_off
from zonewatch.reports.packs.findings import findings, management
from zonewatch.reports.packs.material import Material
from zonewatch.reports.packs.scope import cover, scope
from zonewatch.reports.packs.zoning import matrix, zoning

__all__ = ["iec62443"]

SECTIONS: Final[tuple[Callable[[Material], Section], ...]] = (
    management,
    scope,
    zoning,
    matrix,
    findings,
    sign_off,
    appendices,
)


def iec62443(material: Material) -> Document:
    """The document of a result."""
    texts, result = material.texts, material.result
    return Document(
        id="iec62443",
        title=texts.say("iec62443.title"),
        subtitle=result.policy.system or result.title or texts.say("iec62443.unnamed"),
        language=texts.language,
        cover=cover(material),
        sections=tuple(section(material) for section in SECTIONS),
        footer=texts.say("footer", version=result.version),
        as_of=result.as_of,
    )
