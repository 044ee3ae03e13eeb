"""Frozen dataclasses to JSON and back, and their JSON Schema, by their types alone.

Times (fields named `…_time` and `as_of`) are RFC 3339 in UTC with nine digits, null where unknown.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from zonewatch.reports.words import iso_time, parse_time

__all__ = [
    "ShapeError",
    "decode",
    "decode_time",
    "decoder",
    "definitions",
    "encode",
    "indented",
    "is_time",
    "schema",
    "values",
]

TIME_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$"
_SCALARS: Final[dict[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class ShapeError(ValueError):
    """A JSON value that is not what its place asks for."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place or 'document'}: {expected} expected")
        self.place, self.expected = place, expected

    def within(self, outer: str) -> ShapeError:
        """The same, told from further outside."""
        between = "." if outer and self.place and not self.place.startswith("[") else ""
        return ShapeError(f"{outer}{between}{self.place}", self.expected)


Decoder = Callable[[Any], Any]


def is_time(name: str) -> bool:
    """Whether a field of this name holds a time."""
    return name.endswith("_time") or name == "as_of"


def _read_names(kind: Any) -> tuple[tuple[str, str, bool], ...]:
    """The fields of a dataclass, with the keys before their values and whether they are times; none of other types."""
    named = fields(kind) if is_dataclass(kind) else ()
    return tuple((field.name, f"{encode_basestring_ascii(field.name)}: ", is_time(field.name)) for field in named)


_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)
_names: Callable[[Any], tuple[tuple[str, str, bool], ...]] = cache(_read_names)


def values(value: Any, omit: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of a dataclass but for those in `omit`; times as texts, all else as it is."""
    return {
        name: (iso_time(getattr(value, name)) or None) if time else getattr(value, name)
        for name, _, time in _names(type(value))
        if name not in omit
    }


def encode(value: Any) -> Any:
    """Dataclasses become objects, tuples arrays, at every depth."""
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {name: encode(item) for name, item in value.items()}
    return {name: encode(item) for name, item in values(value).items()} if _names(type(value)) else value


def _other(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


_WRITTEN: Final[dict[type, Callable[[Any], str]]] = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
}
"""How the usual values that hold no others are written."""


def indented(value: Any, margin: str = "\n") -> str:
    """What `json.dumps(encode(value), indent=2, allow_nan=False)` gives, in one pass and a third of its time.

    Without a margin all of it stands in one line.
    """
    inner = margin and f"{margin}  "
    if isinstance(value, tuple | list):
        parts = [_part(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(parts)}{margin}]" if parts else "[]"
    if isinstance(value, dict):
        parts = [f"{encode_basestring_ascii(name)}: {_part(item, inner)}" for name, item in value.items()]
    elif names := _names(type(value)):
        parts = [
            key + _part((iso_time(getattr(value, name)) or None) if time else getattr(value, name), inner)
            for name, key, time in names
        ]
    else:
        return _other(value)
    return f"{{{inner}{f',{inner}'.join(parts)}{margin}}}" if parts else "{}"


def _part(value: Any, margin: str) -> str:
    written = _WRITTEN.get(type(value))
    return written(value) if written is not None else indented(value, margin)


def decode(kind: Any, value: Any, place: str = "") -> Any:
    """The value of a type. Fields that are not there take their defaults, unknown ones are passed over.

    Raises ShapeError.
    """
    try:
        return decoder(kind)(value)
    except ShapeError as error:
        raise error.within(place) from None


def _decoder_of(kind: Any) -> Decoder:
    origin, arms = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(arms)
    if origin is tuple:
        return _row(decoder(arms[0])) if arms[-1] is Ellipsis else _record(tuple(map(decoder, arms)))
    if origin is Literal:
        return _literal(arms)
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind)
    return _text if kind is str else _scalar(kind)


decoder: Callable[[Any], Decoder] = cache(_decoder_of)
"""What decodes values of a type: put together once a type, because a large result holds millions of values."""


def _text(value: Any) -> str:
    """A text; equal ones are kept once, because names of assets and protocols come again and again."""
    if type(value) is not str:
        raise ShapeError("", _SCALARS[str])
    return sys.intern(value)


def _scalar(kind: Any) -> Decoder:
    def scalar(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ShapeError("", _SCALARS.get(kind, str(kind)))
        return value

    return scalar


def _literal(allowed: tuple[Any, ...]) -> Decoder:
    words = {value: value for value in allowed if isinstance(value, str)}

    def literal(value: Any) -> Any:
        found = words.get(value) if type(value) is str else None
        if found is None and value not in allowed:
            raise ShapeError("", f"one of {', '.join(map(str, allowed))}")
        return value if found is None else found

    return literal


def _one_of(arms: tuple[Any, ...]) -> Decoder:
    """The first type that takes the value; dataclasses of a union differ in a field of one literal."""
    nothing = type(None) in arms
    *others, last = (decoder(arm) for arm in arms if arm is not type(None))

    def one_of(value: Any) -> Any:
        if value is None and nothing:
            return None
        for other in others:
            try:
                return other(value)
            except ShapeError:
                continue
        return last(value)

    return one_of


def _row(inner: Decoder) -> Decoder:
    def row(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ShapeError("", "array")
        if not value:
            return ()
        try:
            return tuple([inner(item) for item in value])
        except ShapeError:
            return tuple(_item(inner, item, index) for index, item in enumerate(value))

    return row


def _record(inner: tuple[Decoder, ...]) -> Decoder:
    def record(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ShapeError("", "array")
        if len(inner) != len(value):
            raise ShapeError("", f"array of {len(inner)}")
        return tuple(_item(arm, item, index) for index, (arm, item) in enumerate(zip(inner, value, strict=True)))

    return record


def _item(inner: Decoder, value: Any, index: int) -> Any:
    try:
        return inner(value)
    except ShapeError as error:
        raise error.within(f"[{index}]") from None


def _object(kind: type[Any]) -> Decoder:
    hints = _hints(kind)
    rows: list[tuple[str, Decoder, bool]] = []
    whole: list[tuple[str, Decoder]] = []

    def made(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ShapeError("", "object")
        if not rows:  # not before: a dataclass may hold others of its own kind
            rows.extend(
                (
                    field.name,
                    _time if is_time(field.name) else decoder(hints[field.name]),
                    field.default is MISSING and field.default_factory is MISSING,
                )
                for field in fields(kind)
            )
            whole.extend((name, inner) for name, inner, _ in rows)
        try:
            return kind(*[inner(value[name]) for name, inner in whole])
        except (KeyError, ShapeError):  # a field is not there, or not what it should be: told which one
            pass
        found: dict[str, Any] = {}
        name = ""
        try:
            for name, inner, needed in rows:
                if name in value:
                    found[name] = inner(value[name])
                elif needed:
                    raise ShapeError("", "a value")
        except ShapeError as error:
            raise error.within(name) from None
        return kind(**found)

    return made


def _time(value: Any) -> int:
    return decode_time(value, "")


def decode_time(value: Any, place: str) -> int:
    """Nanoseconds of a time; null is 0. Raises ShapeError."""
    try:
        return 0 if value is None else parse_time(value)
    except (ValueError, AttributeError, TypeError, OverflowError):
        raise ShapeError(place, "time") from None


def definitions(kinds: tuple[type[Any], ...], omit: frozenset[tuple[type[Any], str]] = frozenset()) -> dict[str, Any]:
    """JSON Schema definitions of these dataclasses and all that they hold, by name."""
    found: dict[str, Any] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind.__name__ in found:
            continue
        hints = _hints(kind)
        kept = [field.name for field in fields(kind) if (kind, field.name) not in omit]
        found[kind.__name__] = {
            "type": "object",
            "description": (kind.__doc__ or "").strip(),
            "properties": {name: _time_schema() if is_time(name) else schema(hints[name]) for name in kept},
            "required": kept,
        }
        waiting += [inner for name in kept for inner in _dataclasses(hints[name])]
    return dict(sorted(found.items()))


def _time_schema() -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": TIME_PATTERN}


def schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type; dataclasses are referred to by name."""
    origin, arms = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if arm is type(None) else schema(arm) for arm in arms]}
    if origin is tuple:
        if arms[-1] is Ellipsis:
            return {"type": "array", "items": schema(arms[0])}
        return {"type": "array", "prefixItems": [schema(arm) for arm in arms], "items": False, "minItems": len(arms)}
    if origin is Literal:
        return {"enum": list(arms)}
    if is_dataclass(kind) and isinstance(kind, type):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    return {"type": _SCALARS[kind]}


def _dataclasses(kind: Any) -> list[type[Any]]:
    if is_dataclass(kind) and isinstance(kind, type):
        return [kind]
    return [found for arm in get_args(kind) for found in _dataclasses(arm)]
