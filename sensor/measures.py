"""Durations and sizes as settings write them: `90 s`, `400 d`, `20 GiB`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = ["DURATIONS", "SIZES", "Duration", "Size", "parse_duration", "parse_size", "spell_defaults", "written"]

SECOND: Final = 1_000_000_000
DURATIONS: Final[Mapping[str, int]] = {
    "ms": SECOND // 1_000,
    "s": SECOND,
    "min": 60 * SECOND,
    "h": 3_600 * SECOND,
    "d": 86_400 * SECOND,
}
SIZES: Final[Mapping[str, int]] = {
    **{"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40},
}
MOST: Final = 2**62
_WRITTEN: Final = re.compile(r"([0-9]{1,15})\s*([A-Za-z]+)")


def _read(text: str, what: str, units: Mapping[str, int], example: str) -> int:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or match[2] not in units:
        raise ValueError(f"{text!r} is no {what}; write it like {example}, with one of {', '.join(units)}")
    value = int(match[1]) * units[match[2]]
    if value > MOST:
        raise ValueError(f"{text!r} is too much of a {what}")
    return value


def parse_duration(text: str) -> int:
    """Nanoseconds of `90 s`. Raises ValueError."""
    return _read(text, "duration", DURATIONS, "'90 s' or '400 d'")


def parse_size(text: str) -> int:
    """Octets of `20 GiB`. Raises ValueError."""
    return _read(text, "size", SIZES, "'20 GiB'")


def written(value: int, units: Mapping[str, int]) -> str:
    """In the largest unit of which it is a whole number: `64 MiB`; in the smallest where there is none."""
    named = [(unit, name) for name, unit in units.items() if value >= unit and value % unit == 0]
    unit, name = max(named, default=(min(units.values()), min(units, key=units.__getitem__)))
    return f"{value // unit} {name}"


def spell_defaults(node: Any) -> None:
    """Writes the defaults of a JSON Schema's durations and sizes as a file would."""
    if isinstance(node, list):
        for item in node:
            spell_defaults(item)
    if not isinstance(node, dict):
        return
    patterns = [choice.get("pattern") for choice in (node, *node.get("anyOf", ()))]
    for units in (SIZES, DURATIONS):
        if _pattern(units) in patterns and isinstance(node.get("default"), int):
            node["default"] = written(node["default"], units)
    for item in node.values():
        spell_defaults(item)


def _pattern(units: Mapping[str, int]) -> str:
    return rf"^\s*[0-9]{{1,15}}\s*({'|'.join(units)})\s*$"


def _validator(parse: Callable[[str], int], what: str, example: str) -> BeforeValidator:
    def read(value: object) -> int:
        try:
            if isinstance(value, str):
                return parse(value)
            raise ValueError(f"{value!r} is no {what}: its unit is missing; write it like {example}")
        except ValueError as error:
            raise PydanticCustomError("measure", "{message}", {"message": str(error)}) from None

    return BeforeValidator(read)


def _schema(units: Mapping[str, int], *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": _pattern(units), "examples": list(examples)})


Duration = Annotated[int, _validator(parse_duration, "duration", "'90 s'"), _schema(DURATIONS, "90 s", "400 d")]
"""Nanoseconds, written with their unit."""
Size = Annotated[int, _validator(parse_size, "size", "'20 GiB'"), _schema(SIZES, "20 GiB", "500 MB")]
"""Octets, written with their unit."""
