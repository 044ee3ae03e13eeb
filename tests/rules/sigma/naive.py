"""A second evaluator: walks pySigma's own condition tree for one record, the plainest way."""

from __future__ import annotations

import datetime as dt
import fnmatch
import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

Record = Mapping[str, object]


def trees(text: str) -> list[Any]:
    """The condition trees of all rules of a text."""
    rules = SigmaCollection.from_yaml(text).rules
    return [condition.parse() for rule in rules for condition in rule.detection.parsed_condition]


def walk(node: Any, record: Record) -> bool:
    """Does the condition hold for the record."""
    if isinstance(node, ConditionAND):
        return all(walk(arg, record) for arg in node.args)
    if isinstance(node, ConditionOR):
        return any(walk(arg, record) for arg in node.args)
    if isinstance(node, ConditionNOT):
        return not walk(node.args[0], record)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _field(record, node.field, node.value)
    assert isinstance(node, ConditionValueExpression)
    return any(_keyword(value, node.value) for value in record.values())


def _many(value: object) -> list[object]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if one is not None]


def _field(record: Record, field: str, wanted: Any) -> bool:
    values = _many(record.get(field))
    if isinstance(wanted, SigmaNull):
        return not values
    if isinstance(wanted, SigmaExists):
        return bool(values) == wanted.exists
    if isinstance(wanted, SigmaExpansion):
        return any(_field(record, field, one) for one in wanted.values)
    if isinstance(wanted, SigmaFieldReference):
        others = _many(record.get(wanted.field))
        return any(_alike(one, other, wanted) for one in values for other in others)
    return any(_one(value, wanted) for value in values)


def _keyword(value: object, wanted: Any) -> bool:
    if isinstance(wanted, SigmaExpansion):
        return any(_keyword(value, one) for one in wanted.values)
    if isinstance(wanted, SigmaString):
        ends = SpecialChars.WILDCARD_MULTI
        wanted = ends + wanted + ends
    return any(isinstance(one, str) and _one(one, wanted) for one in _many(value))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and int(value) == value:
        return str(int(value))
    return str(value)


def _alike(one: object, other: object, how: SigmaFieldReference) -> bool:
    left, right = _text(one).lower(), _text(other).lower()
    if how.starts_with and how.ends_with:
        return right in left
    if how.starts_with:
        return left.startswith(right)
    return left.endswith(right) if how.ends_with else left == right


def _one(value: object, wanted: Any) -> bool:
    if isinstance(wanted, SigmaTimestampPart):
        return _part(value, wanted.timestamp_part.name) == wanted.number
    if isinstance(wanted, SigmaCompareExpression):
        return _compares(value, wanted)
    if isinstance(wanted, SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(str(value)) in wanted.network
        except ValueError:
            return False
    if isinstance(wanted, SigmaRegularExpression):
        flags = 0
        for flag in wanted.flags:
            flags |= wanted.sigma_to_python_flags[flag]
        return re.search(str(wanted.regexp), _text(value), flags) is not None
    if isinstance(wanted, SigmaNumber):
        return _text(value) == _text(wanted.number)
    if isinstance(wanted, SigmaBool):
        return _text(value).lower() == _text(wanted.boolean)
    assert isinstance(wanted, SigmaString)
    text = _text(value)
    return _match(wanted)(text if isinstance(wanted, SigmaCasedString) else text.lower()) is not None


_MATCHES: dict[int, tuple[SigmaString, Callable[[str], object]]] = {}


def _match(wanted: SigmaString) -> Callable[[str], object]:
    """The pattern of a value, made once: pySigma's values cannot be keys, but stay where they are."""
    if id(wanted) not in _MATCHES:
        pattern = "".join(_piece(part) for part in wanted.s)
        pattern = pattern if isinstance(wanted, SigmaCasedString) else pattern.lower()
        _MATCHES[id(wanted)] = wanted, re.compile(fnmatch.translate(pattern)).match
    return _MATCHES[id(wanted)][1]


def _piece(part: object) -> str:
    if part is SpecialChars.WILDCARD_MULTI:
        return "*"
    if part is SpecialChars.WILDCARD_SINGLE:
        return "?"
    return re.sub(r"([*?[])", r"[\1]", str(part))


def _part(value: object, name: str) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    moment = dt.datetime.fromtimestamp(value // 1_000_000_000, dt.UTC)
    parts = {"MINUTE": moment.minute, "HOUR": moment.hour, "DAY": moment.day, "MONTH": moment.month}
    return (parts | {"YEAR": moment.year, "WEEK": moment.isocalendar()[1]})[name]


def _compares(value: object, wanted: SigmaCompareExpression) -> bool:
    limit = wanted.number.number
    if isinstance(wanted.number, SigmaTimestampPart):
        value = _part(value, wanted.number.timestamp_part.name)
    if isinstance(value, bool) or value is None:
        return False
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return False
    assert isinstance(number, int | float)
    return {
        CompareOperators.LT: number < limit,
        CompareOperators.LTE: number <= limit,
        CompareOperators.GT: number > limit,
        CompareOperators.GTE: number >= limit,
        CompareOperators.NEQ: number != limit,
    }[wanted.op]
