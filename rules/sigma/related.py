"""The correlation part of a correlation rule."""

from __future__ import annotations

from typing import Any, Final

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.exceptions import (
    SigmaCorrelationConditionError,
    SigmaCorrelationTypeError,
    SigmaError,
    SigmaTimespanError,
)

from zonewatch.rules.sigma.described import Reader
from zonewatch.rules.sigma.model import KINDS
from zonewatch.rules.sigma.windows import RELATIONS

_PART: Final = "correlation"
_KEYS: Final = ("type", "rules", "group-by", "timespan", "aliases", "condition", "generate")
_SECOND: Final = 1_000_000_000
_PLACES: Final[tuple[tuple[type[SigmaError], str], ...]] = (
    (SigmaCorrelationTypeError, "type"),
    (SigmaTimespanError, "timespan"),
    (SigmaCorrelationConditionError, "condition"),
)


def related(reader: Reader) -> dict[str, Any] | None:
    """The arguments of a `Correlation`; None where something is wrong, which is noted."""
    values = reader.values.get(_PART)
    if not isinstance(values, dict):
        return None
    before = len(reader.errors)
    reader.keys((_PART,), values, _KEYS, _PART)
    kind = str(values.get("type"))
    if kind.upper() in SigmaCorrelationType.__members__ and kind.lower() not in KINDS:
        reader.wrong((_PART, "type"), f"correlation type {kind!r} is not supported; one of {', '.join(KINDS)}")
    else:
        reader.word((_PART, "type"), kind, KINDS, "correlation type")
    _condition(reader, kind, values.get("condition"))
    if len(reader.errors) > before:
        return None
    try:
        # What is wrong with the other keys is noted already, with their places.
        rule = SigmaCorrelationRule.from_dict({"title": _PART, _PART: values})
    except SigmaError as error:
        key = next((key for kind_of, key in _PLACES if isinstance(error, kind_of)), "")
        reader.wrong((_PART, key) if key else (_PART,), str(error))
        return None
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        reader.wrong((_PART,), f"is no correlation: {error}")
        return None
    condition = rule.condition
    if not isinstance(condition, SigmaCorrelationCondition) or not rule.rules:
        reader.wrong((_PART,), "needs rules, and a condition as {gte: 3}")
        return None
    counted = condition.fieldref
    return {
        "kind": rule.type.name.lower(),
        "rules": tuple(str(reference.reference) for reference in rule.rules),
        "span": rule.timespan.seconds * _SECOND,
        "relation": condition.op.name.lower(),
        "count": condition.count,
        "counted": tuple(counted) if isinstance(counted, list) else (counted,) if counted else (),
        "by": tuple(rule.group_by or ()),
        "aliases": tuple(
            (alias.alias, tuple((str(reference.reference), str(field)) for reference, field in alias.mapping.items()))
            for alias in rule.aliases
        ),
        "generate": rule.generate,
    }


def _condition(reader: Reader, kind: str, condition: object) -> None:
    """Notes what pySigma would read as something else."""
    place = (_PART, "condition")
    if isinstance(condition, str):
        reader.wrong(place, "conditions in words are not supported; write a map, as {gte: 3}")
    elif condition is not None and kind == "temporal_ordered":
        reader.wrong(place, f"{kind} asks for all of its rules; leave the condition out")
    elif isinstance(condition, dict):
        for key, value in condition.items():
            if key == "field" and value is not None and not _texts(value):
                reader.wrong((*place, key), "field has to be a text, or a list of texts")
            elif key in RELATIONS and (not isinstance(value, int) or isinstance(value, bool)):
                reader.wrong((*place, key), f"a condition counts: a whole number expected, never {value!r}")


def _texts(value: object) -> bool:
    return all(isinstance(item, str) for item in (value if isinstance(value, list) else [value]))
