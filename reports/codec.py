"""Frozen dataclasses to JSON and back, and their JSON Schema, by their types alone.

Times (fields named `…_time` and `as_of`) are RFC 3339 in UTC with nine digits, null where unknown.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from zonewatch.reports.words import iso_time, parse_time

__all__ = ["ShapeError", "decode", "decode_time", "definitions", "encode", "schema"]

TIME_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$"
_SCALARS: Final[dict[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class ShapeError(ValueError):
    """A JSON value that is not what its place asks for."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place or 'document'}: {expected} expected")


def _is_time(name: str) -> bool:
    return name.endswith("_time") or name == "as_of"


def _read_names(kind: Any) -> tuple[tuple[str, bool], ...]:
    return tuple((field.name, _is_time(field.name)) for field in fields(kind))


_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)
_names: Callable[[Any], tuple[tuple[str, bool], ...]] = cache(_read_names)


def encode(value: Any, omit: frozenset[str] = frozenset()) -> Any:
    """Dataclasses become objects, tuples arrays; fields in `omit` are left out at the top."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if is_dataclass(value):
        return {
            name: (iso_time(getattr(value, name)) or None) if time else encode(getattr(value, name))
            for name, time in _names(type(value))
            if name not in omit
        }
    return value


def decode(kind: Any, value: Any, place: str = "") -> Any:
    """The value of a type. Fields that are not there take their defaults, unknown ones are passed over.

    Raises ShapeError.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return decode(next(arm for arm in get_args(kind) if arm is not type(None)), value, place)
    if origin is tuple:
        return _tuple(get_args(kind), value, place)
    if origin is Literal:
        if value not in get_args(kind):
            raise ShapeError(place, f"one of {', '.join(map(str, get_args(kind)))}")
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, value, place)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ShapeError(place, _SCALARS.get(kind, str(kind)))
    return value


def _tuple(arms: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ShapeError(place, "array")
    if arms[-1] is Ellipsis:
        return tuple(decode(arms[0], item, f"{place}[{index}]") for index, item in enumerate(value))
    if len(arms) != len(value):
        raise ShapeError(place, f"array of {len(arms)}")
    return tuple(
        decode(arm, item, f"{place}[{index}]") for index, (arm, item) in enumerate(zip(arms, value, strict=True))
    )


def _object(kind: type[Any], value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise ShapeError(place, "object")
    found: dict[str, Any] = {}
    for field in fields(kind):
        where = f"{place}.{field.name}" if place else field.name
        if field.name not in value:
            if field.default is MISSING and field.default_factory is MISSING:
                raise ShapeError(where, "a value")
        elif _is_time(field.name):
            found[field.name] = decode_time(value[field.name], where)
        else:
            found[field.name] = decode(_hints(kind)[field.name], value[field.name], where)
    return kind(**found)


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
            "properties": {name: _time_schema() if _is_time(name) else schema(hints[name]) for name in kept},
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
