"""The members of a large JSON object, with its long lists read straight into their rows.

msgspec makes rows without a tree of JSON between, in a tenth of the time. Times are texts to it: it makes rows of a
class that has texts in their place, and these become nanoseconds before the row becomes one of its own class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, make_dataclass
from functools import cache
from sys import intern
from types import GenericAlias
from typing import Any, get_type_hints

import msgspec

from zonewatch.reports.codec import is_time
from zonewatch.reports.words import parse_time

__all__ = ["members"]

Times = dict[str | None, int]
"""Nanoseconds by what is written: the times of an edge come again in its verdicts."""
Rows = Callable[[msgspec.Raw, Times], tuple[Any, ...]]


def members(text: str, rows: Mapping[str, type[Any]]) -> dict[str, Any] | None:
    """The members by name; those named in `rows` as tuples of these dataclasses, which have times at the top alone.

    None where the text is no object, or an item is not what its row asks for: more of what is wrong it does not say.
    """
    try:
        found = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        known: Times = {None: 0}
        return {name: _rows(rows[name])(raw, known) if name in rows else _plain(raw) for name, raw in found.items()}
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


_plain: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder().decode


def _rows_of(kind: type[Any]) -> Rows:
    """What reads a list of rows of a kind."""
    read = msgspec.json.Decoder(GenericAlias(tuple, (_with_texts(kind), ...))).decode
    times = [one.name for one in fields(kind) if is_time(one.name)]
    names = [one.name for one in fields(kind) if one.type == "str"]

    def rows(raw: msgspec.Raw, known: Times) -> tuple[Any, ...]:
        found: tuple[Any, ...] = read(raw)
        for name in times:
            for row in found:
                told = getattr(row, name)
                moment = known.get(told)
                if moment is None:
                    moment = known[told] = parse_time(told)
                setattr(row, name, moment)
        for name in names:  # of assets and protocols come again and again: each is kept once, and compared at a glance
            for row in found:
                setattr(row, name, intern(getattr(row, name)))
        for row in found:  # it has the same slots, and making each anew would take thrice the time of all the rest
            row.__class__ = kind
        return found

    return rows


_rows: Callable[[Any], Rows] = cache(_rows_of)


def _with_texts(kind: type[Any]) -> type[Any]:
    """The same dataclass with its times as they are written."""
    hints = get_type_hints(kind)
    described = [
        (one.name, str | None if is_time(one.name) else hints[one.name], _default(one)) for one in fields(kind)
    ]
    return make_dataclass(f"{kind.__name__}Read", described, slots=True)


def _default(one: Field[Any]) -> Any:
    if one.default is not MISSING:
        return field(default=None if is_time(one.name) else one.default)
    return field(default_factory=one.default_factory) if one.default_factory is not MISSING else field()
