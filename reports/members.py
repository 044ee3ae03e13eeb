"""The members of a large JSON object, with its long lists decoded row by row.

What JSON itself makes of a large result is several times what the rows take: here no more of it is there at a time than
one row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from zonewatch.reports.codec import ShapeError

__all__ = ["members"]

_BLANK: Final = re.compile(r"[ \t\n\r]*").match
_KEY: Final = re.compile(r'[ \t\n\r]*"([a-z_]+)"[ \t\n\r]*:[ \t\n\r]*').match


def members(text: str, rows: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any] | None:
    """The members by name; those named in `rows` as tuples of what these make of each item.

    None where the text is no object of such members, or an item is not what its row asks for.
    """
    try:
        return _members(text, rows)
    except (ValueError, RecursionError, IndexError):  # IndexError: it ends too early
        return None


def _members(text: str, rows: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any] | None:
    read = json.JSONDecoder().raw_decode
    place = _skipped(text, 0)
    found: dict[str, Any] = {}
    sign = text[place]
    if sign != "{":
        return None
    while sign != "}":
        key = _KEY(text, place + 1)
        if key is None or sign not in "{,":
            return None
        name, place = key[1], key.end()
        if name in rows and text[place] == "[":
            found[name], place = _list(text, place, read, rows[name])
        else:
            found[name], place = read(text, place)
        place = _skipped(text, place)
        sign = text[place]
    return found if _skipped(text, place + 1) == len(text) else None


def _list(
    text: str, place: int, read: Callable[[str, int], tuple[Any, int]], row: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], int]:
    """The items of the list that begins here, and where it ends. Raises ValueError where it does not go on so."""
    place = _skipped(text, place + 1)
    if text[place] == "]":
        return (), place + 1
    found = []
    while True:
        item, place = read(text, place)
        found.append(row(item))
        place = _skipped(text, place)
        sign = text[place]
        if sign == "]":
            return tuple(found), place + 1
        if sign != ",":
            raise ShapeError("", "a comma")
        place = _skipped(text, place + 1)


def _skipped(text: str, place: int) -> int:
    blank = _BLANK(text, place)
    return blank.end() if blank is not None else place
