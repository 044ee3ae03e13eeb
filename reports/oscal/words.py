"""Values as OSCAL's data types ask for them."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

from zonewatch.reports.words import iso_time, visible

__all__ = ["NAMESPACE", "filled", "line", "moment", "prop", "prose", "token", "uuid5"]

NAMESPACE: Final = uuid.UUID("5d0c1f4e-6a3e-5c0b-9d55-2f7b0e3a9c41")
"""Of every id: the same thing has the same id in the next edition, too."""
PROPERTIES: Final = "urn:zonewatch:oscal"
_MARKUP: Final = re.compile(r"([\\\\`*_{}\[\]<>()#+!|~&$^@])")
_TOKEN: Final = re.compile(r"[^0-9A-Za-z._-]+")
NOTHING: Final = "–"
"""No text may be empty."""


def uuid5(*parts: str) -> str:
    """The id of a thing by its kind and names (RFC 9562, version 5)."""
    return str(uuid.uuid5(NAMESPACE, "\x1f".join(parts).encode("utf-8", "backslashreplace").decode()))


def token(text: str) -> str:
    """Letters, digits, points, hyphens and low lines; it begins with a letter."""
    made = _TOKEN.sub("-", text).strip("-.").lower() or "none"
    return made if made[0].isalpha() else f"_{made}"


def line(text: str) -> str:
    """A line of markup in which nothing that came from the network is any."""
    shown = " ".join(visible(text.replace("\n", " ")).split())
    return _MARKUP.sub(r"\\\1", shown) or NOTHING


def prose(*sentences: str) -> str:
    """Paragraphs of markup."""
    return "\n\n".join(line(sentence) for sentence in sentences if sentence.strip()) or NOTHING


def moment(nanoseconds: int) -> str:
    """A time with its zone; the beginning of all times where there is none."""
    return iso_time(nanoseconds) or "1970-01-01T00:00:00Z"


def prop(name: str, value: str | int) -> dict[str, str]:
    """A property of our own."""
    shown = " ".join(visible(str(value)).split())
    return {"name": token(name), "ns": PROPERTIES, "value": shown or NOTHING}


def filled(**members: Any) -> dict[str, Any]:
    """An object without its empty members, which the schema forbids; low lines of names stand for hyphens."""
    return {name.strip("_").replace("_", "-"): value for name, value in members.items() if value not in ([], "", None)}
