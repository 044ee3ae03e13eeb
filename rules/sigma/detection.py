"""The detection part of a rule: fields, modifiers, values and condition, each checked where it stands."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sigma.conditions import ConditionIdentifier, ConditionItem, ConditionSelector, SigmaCondition
from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.rule.detection import SigmaDetectionItem, SigmaDetections

from zonewatch.rules.policy.document import Place
from zonewatch.rules.policy.words import hint
from zonewatch.rules.sigma.conditions import Tree, some
from zonewatch.rules.sigma.described import Reader
from zonewatch.rules.sigma.lower import Placeholders, Unfit, lowered
from zonewatch.rules.sigma.taxonomy import Field

DETECTION: Final = "detection"
CONDITION: Final[Place] = (DETECTION, "condition")
_AT: Final = re.compile(r",? found .*|\s*\(at char ([0-9]+)\), \(line.*", re.DOTALL)
_KEYWORD_TYPES: Final = ("keyword", "ip")
_NUMBERS: Final = ("integer", "number")
_TAKES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("contains", "startswith", "endswith", "cased", "windash", "fieldref", "expand"), "a text"),
    **dict.fromkeys(("re", "i", "ignorecase", "m", "multiline", "s", "dotall", "cidr"), "a text"),
    **dict.fromkeys(("base64", "base64offset", "wide", "utf16", "utf16be"), "a text"),
    **dict.fromkeys(("lt", "lte", "gt", "gte"), "a number"),
    **dict.fromkeys(("minute", "hour", "day", "week", "month", "year"), "a number"),
    "exists": "true or false",
}
"""Kinds of values that modifiers are for; the others take any."""


def detection(reader: Reader, category: str, fields: Mapping[str, Field], placeholders: Placeholders) -> Tree | None:
    """The tree of the condition; None where something of it is wrong, which is noted."""
    before = len(reader.errors)
    values = reader.values.get(DETECTION)
    if not isinstance(values, dict):
        reader.wrong((), "needs a detection")
        return None
    for name, definition in values.items():
        if name == "timeframe":
            reader.wrong((DETECTION, name), "timeframe is of an older Sigma; write a correlation", key=True)
        elif name != "condition":
            _definition(reader, (DETECTION, name), definition, category, fields)
    if len(reader.errors) > before:
        return None
    found = _conditions(reader, values)
    if len(reader.errors) > before:
        return None
    keyword_fields = [field.name for field in fields.values() if field.type in _KEYWORD_TYPES]
    return _lowered(reader, found, placeholders, keyword_fields)


def _definition(
    reader: Reader, place: Place, definition: object, category: str, fields: Mapping[str, Field], nested: bool = False
) -> None:
    if isinstance(definition, dict):
        if not definition:
            reader.wrong(place, "an empty selection selects nothing")
        for key, value in definition.items():
            _item(reader, (*place, key), key, value, category, fields)
    elif isinstance(definition, list) and not nested:
        if not definition:
            reader.wrong(place, "an empty selection selects nothing")
        for number, item in enumerate(definition):
            _definition(reader, (*place, number), item, category, fields, nested=True)
    elif isinstance(definition, list):
        reader.wrong(place, "a list within a list is no selection")
    elif definition is None:
        reader.wrong(place, "a selection needs fields or keywords")


def _item(reader: Reader, place: Place, key: str, value: object, category: str, fields: Mapping[str, Field]) -> None:
    field, *modifiers = key.split("|")
    wrong = [modifier for modifier in modifiers if modifier not in modifier_mapping]
    for modifier in wrong:
        near = hint(modifier, modifier_mapping)
        reader.wrong(place, f"unknown modifier {modifier!r} of {field!r}{near}", key=True)
    if field:
        reader.field(place, field, fields, category, key=True)
    values = value if isinstance(value, list) else [value]
    if [number for number, item in enumerate(values) if not _takes(reader, place, number, key, modifiers, item)]:
        return
    if "fieldref" in modifiers:
        for other in values:
            reader.field(place, other, fields, category)
    if wrong:
        return
    kind = fields[field].type if field in fields else "keyword"
    if not modifiers:
        for item in values:
            _value(reader, place, item, kind, field)
    try:
        # Its annotation leaves lists of mixed values out, which the standard has and it reads.
        SigmaDetectionItem.from_mapping(key, value)  # type: ignore[arg-type]
    except SigmaError as error:
        reader.wrong(place, f"{key}: {error}")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        reader.wrong(place, f"{key}: this value does not go with its modifiers ({error})")


def _takes(reader: Reader, place: Place, number: int, key: str, modifiers: Sequence[str], value: object) -> bool:
    """True for a value of a kind that all of its modifiers are for; another one is noted."""
    wanted = next((_TAKES[modifier] for modifier in modifiers if modifier in _TAKES), "a plain value")
    kinds = {
        "a text": isinstance(value, str),
        "a number": _is_whole(value) or (isinstance(value, float) and math.isfinite(value)),
        "true or false": isinstance(value, bool),
        "a plain value": value is None or isinstance(value, str | bool | int | float),
    }
    if not kinds[wanted]:
        quoted = "; put it in quotes" if isinstance(value, dt.date) else ""
        reader.wrong((*place, number), f"{key} takes {wanted}, never {_said(value)}{quoted}")
    return kinds[wanted]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _said(value: object) -> str:
    """A value as YAML has it."""
    for kind, word in ((dict, "a map"), (list, "a list"), (dt.date, "a date")):
        if isinstance(value, kind):
            return word
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _value(reader: Reader, place: Place, value: object, kind: str, field: str) -> None:
    """Notes a value that no value of its field can be."""
    if not isinstance(value, str) or "*" in value or "?" in value:
        if kind == "boolean" and isinstance(value, int | float) and not isinstance(value, bool):
            reader.wrong(place, f"{field} is true or false, never {value!r}")
        return
    if kind == "boolean" and value.lower() not in ("true", "false"):
        reader.wrong(place, f"{field} is true or false, never {value!r}")
    elif kind in _NUMBERS and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        reader.wrong(place, f"{field} is a number, never {value!r}")


def _conditions(reader: Reader, values: dict[str, Any]) -> list[SigmaCondition]:
    texts = values.get("condition")
    texts = texts if isinstance(texts, list) else [texts]
    if not all(isinstance(text, str) for text in texts) or not texts:
        reader.wrong(CONDITION, "needs a condition, as 'selection and not filter'")
        return []
    try:
        parsed = SigmaDetections.from_dict(values)
    except SigmaError as error:
        reader.wrong((DETECTION,), str(error))
        return []
    used: set[str] = set()
    for condition in parsed.parsed_condition:
        for names in _named(reader, condition, list(parsed.detections)):
            used.update(names)
    for name in parsed.detections:
        if name not in used and not any(error.line for error in reader.errors):
            reader.wrong((DETECTION, name), f"selection {name!r} is not used by the condition", key=True)
    return parsed.parsed_condition


def _named(reader: Reader, condition: SigmaCondition, known: Sequence[str]) -> Iterator[Sequence[str]]:
    """The selections that a condition names; those that are not there are noted."""
    try:
        waiting: list[object] = [condition.parse(postprocess=False)]
    except SigmaError as error:
        at = _AT.search(str(error))
        where = f" at character {int(at[1]) + 1}" if (at := re.search(r"at char ([0-9]+)", str(error))) else ""
        reader.wrong(CONDITION, f"the condition is not understood{where}: {_AT.sub('', str(error))}")
        return
    except RecursionError:
        reader.wrong(CONDITION, "the condition is too deeply nested")
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, ConditionIdentifier):
            if node.identifier not in known:
                reader.wrong(CONDITION, f"unknown selection {node.identifier!r}{hint(node.identifier, known)}")
            yield [node.identifier]
        elif isinstance(node, ConditionSelector):
            pattern = re.compile(".*" if node.pattern == "them" else node.pattern.replace("*", ".*"))
            names = [name for name in known if pattern.fullmatch(name) and not name.startswith("_")]
            if not names:
                reader.wrong(CONDITION, f"no selection is named like {node.pattern!r}{hint(node.pattern, known)}")
            yield names
        elif isinstance(node, ConditionItem):
            waiting += reversed(node.args)


def _lowered(
    reader: Reader, conditions: Sequence[SigmaCondition], placeholders: Placeholders, keyword_fields: Sequence[str]
) -> Tree | None:
    try:
        return some([lowered(condition.parse(), placeholders, keyword_fields) for condition in conditions])
    except (Unfit, SigmaError) as error:
        reader.wrong(CONDITION, str(error))
    except RecursionError:
        reader.wrong(CONDITION, "the condition is too deeply nested")
    return None
