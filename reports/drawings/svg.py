"""Drawings as SVG text: elements, colours by meaning, and how wide a text is about.

A colour is a name of the palette: it is written as the light value, for forms that know no other, and as a class that a
page sets to its own. Texts are made visible and escaped here and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from zonewatch.reports.palette import PALETTES
from zonewatch.reports.words import visible

__all__ = [
    "Number",
    "arrow",
    "drawing",
    "element",
    "fitting",
    "group",
    "label",
    "line",
    "path",
    "rect",
    "width_of",
    "wrapped",
]

Number = int | float
FAMILY: Final = "'Source Sans Pro', system-ui, 'Segoe UI', Roboto, Arial, sans-serif"
BEND: Final = 5.0
"""How far before a corner a line begins to turn."""
_NARROW: Final = frozenset("iljtfrI.,;:'|!()[]{}/\\ -·")
_WIDE: Final = frozenset("mwMW@%—…▲✗✓◆●○")


def _units(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _WIDE or ord(char) > 0x2E80:
        return 0.95
    return 0.7 if char.isupper() else 0.6


def width_of(words: str, size: Number, *, bold: bool = False) -> float:
    """About how wide a text is in a usual sans-serif; rather too much than too little."""
    return sum(map(_units, words)) * size * (1.12 if bold else 1)


def fitting(words: str, room: Number, size: Number, *, bold: bool = False) -> str:
    """A text cut to a room, with an ellipsis where something is left out."""
    words = visible(words)
    if width_of(words, size, bold=bold) <= room:
        return words
    left = room - width_of("…", size, bold=bold)
    kept = 0
    while kept < len(words) and (left := left - width_of(words[kept], size, bold=bold)) >= 0:
        kept += 1
    return f"{words[:kept].rstrip()}…"


def wrapped(words: str, room: Number, size: Number, *, bold: bool = False) -> list[str]:
    """A text on at most two lines, broken between words; the second is cut to the room."""
    first, rest = "", visible(words).split()
    while rest and width_of(f"{first} {rest[0]}".strip(), size, bold=bold) <= room:
        first = f"{first} {rest.pop(0)}".strip()
    if not first:
        return [fitting(words, room, size, bold=bold)]
    return [first, fitting(" ".join(rest), room, size, bold=bold)] if rest else [first]


def _shown(value: str | Number) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def element(
    name: str, attributes: Mapping[str, str | Number], content: str = "", *, fill: str = "", stroke: str = ""
) -> str:
    """One element; underscores in names stand for hyphens. `content` is SVG already."""
    colours = PALETTES["light"]
    classes = [*([f"f-{fill}"] if fill else []), *([f"k-{stroke}"] if stroke else [])]
    written = {
        **({"class": " ".join(classes)} if classes else {}),
        **({"fill": colours.get(fill, "none")} if fill or stroke else {}),
        **({"stroke": colours[stroke]} if stroke else {}),
        **{key.replace("_", "-"): value for key, value in attributes.items()},
    }
    head = "".join(f" {key}={quoteattr(_shown(value))}" for key, value in written.items())
    return f"<{name}{head}>{content}</{name}>" if content else f"<{name}{head}/>"


def label(
    words: str,
    x: Number,
    y: Number,
    size: Number = 12,
    *,
    fill: str = "ink",
    bold: bool = False,
    at: str = "start",
    room: Number = 0,
    turned: bool = False,
) -> str:
    """A line of text on its baseline, cut to its room; `turned` reads upwards."""
    shown = fitting(words, room, size, bold=bold) if room else visible(words)
    more: dict[str, str | Number] = {}
    if bold:
        more["font_weight"] = "700"
    if at != "start":
        more["text_anchor"] = at
    if turned:
        more["transform"] = f"rotate(-90 {_shown(x)} {_shown(y)})"
    return element("text", {"x": x, "y": y, "font_size": size, **more}, escape(shown), fill=fill)


def rect(
    x: Number, y: Number, width: Number, height: Number, *, fill: str = "", stroke: str = "", **more: str | Number
) -> str:
    """A rectangle."""
    return element("rect", {"x": x, "y": y, "width": width, "height": height, **more}, fill=fill, stroke=stroke)


def line(x1: Number, y1: Number, x2: Number, y2: Number, *, stroke: str, **more: str | Number) -> str:
    """A straight line."""
    return element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, **more}, stroke=stroke)


def path(points: list[tuple[float, float]], *, stroke: str, **more: str | Number) -> str:
    """A line along points, its corners rounded."""
    (x, y), *rest = points
    told = [f"M{_shown(x)} {_shown(y)}"]
    for (x0, y0), (x1, y1), (x2, y2) in zip(points, rest, rest[1:], strict=False):
        before = min(BEND, (abs(x1 - x0) + abs(y1 - y0)) / 2)
        after = min(BEND, (abs(x2 - x1) + abs(y2 - y1)) / 2)
        ax, ay = x1 - _sign(x1 - x0) * before, y1 - _sign(y1 - y0) * before
        bx, by = x1 + _sign(x2 - x1) * after, y1 + _sign(y2 - y1) * after
        told.append(f"L{_shown(ax)} {_shown(ay)}Q{_shown(x1)} {_shown(y1)} {_shown(bx)} {_shown(by)}")
    told.append(f"L{_shown(rest[-1][0])} {_shown(rest[-1][1])}")
    return element("path", {"d": "".join(told), **more}, stroke=stroke)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def arrow(x: Number, y: Number, *, down: bool, fill: str) -> str:
    """A head of an arrow whose tip is at a place."""
    back = -8 if down else 8
    return element("path", {"d": f"M{_shown(x)} {_shown(y)}l-3.5 {back}h7z"}, fill=fill)


def group(parts: Iterable[str], title: str = "") -> str:
    """Parts that belong together, with what is said of them."""
    told = element("title", {}, escape(visible(title))) if title else ""
    return element("g", {}, told + "".join(parts))


def drawing(name: str, width: Number, height: Number, title: str, description: str, parts: Iterable[str]) -> str:
    """The whole picture. Its ids are set apart from those of others on a page by its name and its title."""
    name = f"drawing-{name}-{hashlib.sha256(title.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    told = element("title", {"id": f"{name}-title"}, escape(visible(title)) or " ")
    told += element("desc", {"id": f"{name}-desc"}, escape(visible(description)) or " ")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 {_shown(width)} {_shown(height)}" '
        f'width="{_shown(width)}" height="{_shown(height)}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" font-family="{FAMILY}">'
    )
    return f"{head}{told}{''.join(parts)}</svg>"
