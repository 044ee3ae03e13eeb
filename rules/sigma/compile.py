"""Conditions to Python functions: one expression a condition, all of them compiled at once.

Nothing of a rule gets into the code but as a literal that `ascii` writes, and the code sees no builtins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from zonewatch.rules.sigma import conditions, values
from zonewatch.rules.sigma.conditions import (
    Absent,
    Alike,
    Among,
    Compare,
    Every,
    Exact,
    Glob,
    Not,
    Regex,
    Relation,
    Some,
    Test,
    Text,
    Tree,
    Within,
    Words,
)
from zonewatch.rules.sigma.values import Record

Predicate = Callable[[Record], bool]
_CALLED: Final = (
    values.many,
    values.words,
    values.empty,
    values.compares,
    values.moments,
    values.alike,
    values.network,
    values.inside,
    values.regex,
    values.glob,
)
_SIGNS: Final[dict[Relation, str]] = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "eq": "==", "neq": "!="}


def predicate(tree: Tree) -> Predicate:
    """The function of one condition: record -> does it hold."""
    return predicates((tree,))[0]


@lru_cache(maxsize=8)  # a sensor asks the same of every pass
def predicates(trees: tuple[Tree, ...]) -> tuple[Predicate, ...]:
    """The functions of many conditions, in their order."""
    space: dict[str, Any] = {"__builtins__": {"frozenset": frozenset, "int": int, "str": str}}
    space |= {function.__name__: function for function in _CALLED}
    exec(compile(source(trees), "<rules>", "exec"), space)
    return tuple(space[f"rule{number}"] for number in range(len(trees)))


def source(trees: Iterable[Tree]) -> str:
    """The Python text of many conditions: constants, then `rule0(r)`, `rule1(r)` …"""
    module = _Module()
    functions = [
        f"def rule{number}(r):\n    g = r.get\n    return {module.condition(tree)}\n"
        for number, tree in enumerate(trees)
    ]
    return "\n".join((*module.constants, *functions))


class _Module:
    """The constants of a module, and expressions that name them."""

    def __init__(self) -> None:
        self.constants: list[str] = []
        self._names: dict[str, str] = {}

    def constant(self, expression: str) -> str:
        """The name of a constant; equal ones share it."""
        if expression not in self._names:
            self._names[expression] = name = f"c{len(self._names)}"
            self.constants.append(f"{name} = {expression}")
        return self._names[expression]

    def condition(self, tree: Tree) -> str:
        """An expression over `g`, the getter of a record; true or false."""
        match tree:
            case Every(parts):
                return f"({' and '.join(map(self.condition, parts))})"
            case Some(parts):
                return f"({' or '.join(map(self.condition, parts))})"
            case Not(part):
                return f"(not {self.condition(part)})"
            case Text(field, tests):
                return self._text(field, tests)
            case Words(fields, tests):
                return f"words(r, {self.constant(ascii(fields))}, {self._function(tests)})"
            case Within(field, network):
                return f"inside(g({field!a}), {self.constant(f'network({network!a})')})"
            case Compare(field, relation, number, ""):
                test = self.constant(f"lambda x: x {_SIGNS[relation]} {number!a}")
                fast = f"v {_SIGNS[relation]} {number!a}"
                return f"({fast} if (v := g({field!a})).__class__ is int else v is not None and compares(v, {test}))"
            case Compare(field, relation, number, unit):
                test = self.constant(f"lambda x: x {_SIGNS[relation]} {number!a}")
                return f"moments(g({field!a}), {unit!a}, {test})"
            case Absent(field):
                return f"((v := g({field!a})) is None or v.__class__ is not str and empty(v))"
            case Alike(field, other, how):
                return f"alike(g({field!a}), g({other!a}), {how!a})"

    def _text(self, field: str, tests: tuple[Test, ...]) -> str:
        function = self._function(tests)
        chain = f"{self._tests(tests)} if (k := v.__class__) is str"
        if len(tests) == 1 and isinstance(tests[0], Among):
            # Numbers stand in the set beside their digits; True is of a class of its own.
            chain += f" else v in {self._set(tests[0])} if k is int"
        return f"((v := g({field!a})) is not None and ({chain} else many(v, {function})))"

    def _function(self, tests: tuple[Test, ...]) -> str:
        return self.constant(f"lambda v: {self._tests(tests)}")

    def _tests(self, tests: tuple[Test, ...]) -> str:
        """An expression over the text `v`; `t` is the same in lower case, made once."""
        lowered = sum(not _cased(test) for test in tests)
        made: list[str] = []
        for test in tests:
            if _cased(test):
                made.append(self._test(test, "v"))
            elif lowered == 1:
                made.append(self._test(test, "v.lower()"))
            else:
                first = not any("t := " in part for part in made)
                made.append(self._test(test, "(t := v.lower())" if first else "t"))
        return made[0] if len(made) == 1 else f"({' or '.join(made)})"

    def _test(self, test: Test, name: str) -> str:
        match test:
            case Among():
                return f"{name} in {self._set(test)}"
            case Exact(word):
                return f"{name} == {word!a}"
            case Regex(pattern, flags):
                return f"{self.constant(f'regex({pattern!a}, {flags!a})')}({name})"
            case Glob(parts, cased):
                return self._glob(parts if cased else tuple((wild, text.lower()) for wild, text in parts), name)

    def _glob(self, parts: tuple[tuple[bool, str], ...], name: str) -> str:
        match parts:
            case ((True, conditions.MANY),):
                return f"{name}.__class__ is not None"
            case ((False, text), (True, conditions.MANY)):
                return f"{name}.startswith({text!a})"
            case ((True, conditions.MANY), (False, text)):
                return f"{name}.endswith({text!a})"
            case ((True, conditions.MANY), (False, text), (True, conditions.MANY)):
                return f"{text!a} in {name}"
            case _:
                return f"{self.constant(f'glob({parts!a})')}({name})"

    def _set(self, test: Among) -> str:
        words = sorted({word.lower() for word in test.words})
        numbers = [int(word) for word in words if _is_whole(word)]
        return self.constant(f"frozenset(({', '.join(map(ascii, (*words, *numbers)))},))")


def _cased(test: Test) -> bool:
    return isinstance(test, Exact | Regex) or (isinstance(test, Glob) and test.cased)


def _is_whole(word: str) -> bool:
    digits = word.removeprefix("-")
    return word.isascii() and digits.isdecimal() and len(digits) <= 20 and str(int(word)) == word
