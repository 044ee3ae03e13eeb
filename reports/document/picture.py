"""Whether SVG text is a still picture: what is let into a page and a PDF, whoever drew it."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

__all__ = ["PictureError", "checked", "measured"]

_SPACE: Final = "{http://www.w3.org/2000/svg}"
_ELEMENTS: Final = frozenset(("svg", "title", "desc", "g", "rect", "line", "path", "circle", "text"))
_ATTRIBUTES: Final = frozenset(
    (
        *("viewBox", "width", "height", "role", "aria-labelledby", "id", "class", "font-family", "font-size"),
        *("font-weight", "text-anchor", "transform", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "d"),
        *("fill", "stroke", "stroke-width", "stroke-dasharray"),
    )
)
_VALUE: Final = re.compile(r"[^<>{};:\\]*")
"""No value of a picture needs more: no reference to anything, no style."""


class PictureError(ValueError):
    """Not SVG, or SVG that is more than a still picture."""


def _parsed(svg: str) -> ElementTree.Element:
    if "<!" in svg or "<?" in svg:
        raise PictureError("a declaration, a comment or an instruction")
    try:
        return ElementTree.fromstring(svg)
    except (ElementTree.ParseError, ValueError) as error:
        raise PictureError(f"not XML: {error}") from None


def checked(svg: str) -> str:
    """The same text. Raises PictureError."""
    root = _parsed(svg)
    for element in root.iter():
        name = str(element.tag).removeprefix(_SPACE)
        if name not in _ELEMENTS or not str(element.tag).startswith(_SPACE):
            raise PictureError(f"element {name}")
        for attribute, value in element.attrib.items():
            if attribute not in _ATTRIBUTES or not _VALUE.fullmatch(value) or "url(" in value:
                raise PictureError(f"attribute {attribute} of {name}")
    if root.tag != f"{_SPACE}svg":
        raise PictureError("no svg")
    return svg


def measured(svg: str) -> tuple[float, float]:
    """Width and height. Raises PictureError."""
    root = _parsed(svg)
    try:
        return float(root.get("width", "")), float(root.get("height", ""))
    except ValueError:
        raise PictureError("without width and height") from None
