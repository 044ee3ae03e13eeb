"""pySigma's condition tree to ours. This module and `load` are the only ones that need pySigma."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    Placeholder,
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
    SigmaType,
    SpecialChars,
)

from zonewatch.rules.policy.words import hint
from zonewatch.rules.sigma.conditions import (
    MANY,
    ONE,
    Absent,
    Alike,
    Among,
    Compare,
    Exact,
    Glob,
    Likeness,
    Not,
    Regex,
    Relation,
    Test,
    Text,
    Tree,
    Unit,
    Within,
    Words,
    every,
    some,
)
from zonewatch.rules.sigma.values import regex, text

Placeholders = Mapping[str, Sequence[str | int | float]]
"""What stands for `%name%` in values with the modifier `expand`."""

DEEPEST: Final = 40
MOST_COMBINATIONS: Final = 10_000
_WILD: Final = {SpecialChars.WILDCARD_MULTI: MANY, SpecialChars.WILDCARD_SINGLE: ONE}
_RELATIONS: Final[dict[CompareOperators, Relation]] = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
    CompareOperators.NEQ: "neq",
}
_UNITS: Final[dict[str, Unit]] = {unit.upper(): unit for unit in ("minute", "hour", "day", "week", "month", "year")}
_LIKENESS: Final[dict[tuple[bool, bool], Likeness]] = {
    (False, False): "eq",
    (True, False): "startswith",
    (False, True): "endswith",
    (True, True): "contains",
}


class Unfit(Exception):
    """A condition that cannot be judged, and why."""


def lowered(node: object, placeholders: Placeholders, keyword_fields: Sequence[str], depth: int = 0) -> Tree:
    """The tree of a parsed condition. Keywords are sought in `keyword_fields`. Raises Unfit."""
    if depth > DEEPEST:
        raise Unfit("the condition is too deeply nested")
    within = partial(lowered, placeholders=placeholders, keyword_fields=keyword_fields, depth=depth + 1)
    match node:
        case ConditionAND(args=args):
            return every([within(arg) for arg in args])
        case ConditionOR(args=args):
            return some([within(arg) for arg in args])
        case ConditionNOT(args=[arg]):
            return Not(within(arg))
        case ConditionFieldEqualsValueExpression(field=field, value=value):
            return _question(value, field, placeholders)
        case ConditionValueExpression(value=value):
            return _keyword(value, tuple(keyword_fields), placeholders)
        case _:
            raise Unfit("the condition selects nothing")


def _question(value: SigmaType, field: str, placeholders: Placeholders) -> Tree:
    match value:
        case SigmaExpansion(values=several):
            return some([_question(one, field, placeholders) for one in several])
        case SigmaTimestampPart():
            return Compare(field, "eq", value.number, _UNITS[value.timestamp_part.name])
        case SigmaCompareExpression(number=number, op=op):
            unit = _UNITS[number.timestamp_part.name] if isinstance(number, SigmaTimestampPart) else ""
            return Compare(field, _RELATIONS[op], number.number, unit)
        case SigmaCIDRExpression(network=network):
            return Within(field, str(network))
        case SigmaNull():
            return Absent(field)
        case SigmaExists(exists=there):
            return Not(Absent(field)) if there else Absent(field)
        case SigmaFieldReference(field=other):
            return Alike(field, other, _LIKENESS[value.starts_with, value.ends_with])
        case _:
            return Text(field, _tests(value, placeholders))


def _keyword(value: SigmaType, fields: tuple[str, ...], placeholders: Placeholders) -> Tree:
    match value:
        case SigmaExpansion(values=several):
            return some([_keyword(one, fields, placeholders) for one in several])
        case SigmaString():
            # A keyword is sought in the text of a message, not compared with the whole of it.
            ends = SpecialChars.WILDCARD_MULTI
            return Words(fields, _tests(ends + value + ends, placeholders))
        case SigmaNumber() | SigmaBool() | SigmaRegularExpression():
            return Words(fields, _tests(value, placeholders))
        case _:
            raise Unfit(f"{type(value).__name__.removeprefix('Sigma')} needs a field")


def _tests(value: SigmaType, placeholders: Placeholders) -> tuple[Test, ...]:
    match value:
        case SigmaString():
            cased = isinstance(value, SigmaCasedString)
            return tuple(dict.fromkeys(_text(parts, cased) for parts in _filled(value.s, placeholders)))
        case SigmaNumber(number=number):
            return (Among((text(number),)),)
        case SigmaBool(boolean=truth):
            return (Among((text(truth),)),)
        case SigmaRegularExpression():
            return (_regex(value, placeholders),)
        case _:
            raise Unfit(f"a value of the kind {type(value).__name__} cannot be judged")


def _filled(parts: Sequence[object], placeholders: Placeholders) -> list[list[object]]:
    """The parts of a text with every combination of what its placeholders stand for."""
    found: list[list[object]] = [[]]
    for part in parts:
        choices = [text(one) for one in _meant(part, placeholders)] if isinstance(part, Placeholder) else [part]
        if len(found) * len(choices) > MOST_COMBINATIONS:
            raise Unfit(f"placeholders make more than {MOST_COMBINATIONS} values")
        found = [[*before, choice] for before in found for choice in choices]
    return found


def _meant(part: Placeholder, placeholders: Placeholders) -> Sequence[str | int | float]:
    if part.name not in placeholders:
        raise Unfit(f"placeholder '%{part.name}%' is not configured{hint(part.name, placeholders)}")
    return placeholders[part.name]


def _text(parts: list[object], cased: bool) -> Test:
    pieces: list[tuple[bool, str]] = []
    for part in parts:
        wild = isinstance(part, SpecialChars)
        piece = _WILD[part] if isinstance(part, SpecialChars) else str(part)
        if wild and piece == MANY and pieces and pieces[-1] == (True, MANY):
            continue
        if not wild and pieces and not pieces[-1][0]:
            pieces[-1] = (False, pieces[-1][1] + piece)
        else:
            pieces.append((wild, piece))
    if not any(wild for wild, _ in pieces):
        word = pieces[0][1] if pieces else ""
        return Exact(word) if cased else Among((word.lower(),))
    return Glob(tuple(pieces), cased)


def _regex(value: SigmaRegularExpression, placeholders: Placeholders) -> Regex:
    pattern = "".join(_pattern(part, placeholders) for part in value.regexp.s)
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    try:
        regex(pattern, flags)("")
    except ValueError as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise Unfit(f"the regular expression is not supported: {reason}") from None
    return Regex(pattern, flags)


def _pattern(part: Any, placeholders: Placeholders) -> str:
    if isinstance(part, Placeholder):
        return f"(?:{'|'.join(re.escape(text(one)) for one in _meant(part, placeholders))})"
    return _WILD[part] if isinstance(part, SpecialChars) else str(part)
