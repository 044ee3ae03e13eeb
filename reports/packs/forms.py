"""Lines of a form: what was measured, what people declared, and what is left for them to write."""

from __future__ import annotations

from zonewatch.reports.document.model import Field, Span, Text, text
from zonewatch.reports.packs.material import Material

__all__ = ["blank", "observed", "stated"]


def observed(material: Material, key: str, cell: Text | str | Span) -> Field:
    """What traffic or the sensor's clock shows; a dash where it shows nothing."""
    found = cell if isinstance(cell, tuple) else text(cell)
    if not any(span.text for span in found):
        return Field(material.texts.say(key), text("–"))
    return Field(material.texts.say(key), found, "observed")


def stated(material: Material, key: str, words: str, lines: int = 0) -> Field:
    """What people said; where they did not, that it is to be filled in."""
    if words:
        return Field(material.texts.say(key), text(words), "declared")
    return Field(material.texts.say(key), material.texts.text("form.fill"), "open", lines)


def blank(material: Material, key: str, lines: int = 2, hint: str = "") -> Field:
    """Lines for a person, with a hint at what belongs there."""
    return Field(material.texts.say(key), text(hint) if hint else (), "open", lines)
