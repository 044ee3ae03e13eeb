"""A YAML file as plain values by libyaml, where it is as plain as the files that are written here.

What is not (anchors, tags, merge keys, numbers of another form, anything that libyaml refuses) is left to `read`, which
knows more of YAML 1.2, is some twenty times slower, and tells what is wrong and where.
"""

from __future__ import annotations

import datetime as dt
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import yaml

from zonewatch.rules.policy.document import DEEPEST, MOST_BYTES, MOST_NODES, Document, Place

_UNUSUAL: Final = re.compile("^%|^---|^\\.\\.\\.|[\ufeff\x85\u2028\u2029]", re.MULTILINE)
"""Directives, several documents, and what only YAML 1.1 takes for the end of a line."""
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMBER: Final = re.compile(r"-?[0-9]+\.[0-9]+(?:[eE][-+][0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DOUBTFUL: Final = re.compile(
    r"[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|=|<<"
)
"""Numbers of another form, and what else has a meaning of its own."""


class _Unfit(Exception):
    """Left to `read`."""


def quick(text: str, most: int = MOST_BYTES) -> Document | None:
    """The same as `read`, with the same lines; None where `read` has to look at it."""
    if len(text) > most or _UNUSUAL.search(text):
        return None
    try:
        with _uncollected():
            return _Reader(text).document
    except (_Unfit, yaml.YAMLError, ValueError, UnicodeError):
        return None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing in here becomes garbage in a circle, and looking for it would take most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Reader:
    """Puts the events of the parser together, without recursion."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self._next: Any = yaml.CSafeLoader(text).get_event
        self._pass(yaml.StreamStartEvent, yaml.DocumentStartEvent)
        self.document.values = self._whole()
        self._pass(yaml.DocumentEndEvent, yaml.StreamEndEvent)

    def _pass(self, *kinds: type[yaml.Event]) -> None:
        if not all(isinstance(self._next(), kind) for kind in kinds):
            raise _Unfit

    def _whole(self) -> Any:
        """One value with all that is in it; where everything stands is noted."""
        keys, places = self.document.keys, self.document.places
        open_: list[tuple[Place, Any]] = []
        path: Place = ()
        into: Any = None  # the mapping or list that is being filled
        name: str | None = None  # the key whose value comes next
        while True:
            event = self._next()
            kind = type(event)
            if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                whole = into
                path, into = open_.pop()
                name = None
                if not open_:
                    return whole
                continue
            self.document.nodes += 1
            if self.document.nodes > MOST_NODES or kind is yaml.AliasEvent or event.anchor is not None:
                raise _Unfit
            mark = event.start_mark
            spot = mark.line + 1, mark.column + 1
            if type(into) is dict and name is None:
                name = self._key(event, into)
                keys[*path, name] = spot
                continue
            if into is None:
                here: Place = ()
            else:
                here = (*path, len(into) if name is None else name)
                places[here] = spot
            value: Any
            if kind is yaml.ScalarEvent:
                value = _scalar(event)
            elif event.tag is not None or len(open_) > DEEPEST:
                raise _Unfit
            else:
                value = {} if kind is yaml.MappingStartEvent else []
            if into is None and kind is yaml.ScalarEvent:
                return value
            if name is not None:
                into[name] = value
            elif into is not None:
                into.append(value)
            name = None
            if kind is not yaml.ScalarEvent:
                open_.append((path, into))
                path, into = here, value

    def _key(self, event: Any, known: dict[str, Any]) -> str:
        if type(event) is not yaml.ScalarEvent:
            raise _Unfit
        name = _scalar(event)
        if not isinstance(name, str) or name == "<<" or name in known:
            raise _Unfit
        return name


def _scalar(event: Any) -> Any:
    """A scalar's value. In doubt the whole file is left to `read`."""
    text: str = event.value
    if event.tag is not None or event.style == ">":
        raise _Unfit
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789-+._=<":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    if _DOUBTFUL.fullmatch(text):
        raise _Unfit
    return text
