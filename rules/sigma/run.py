"""Judges rules over tables of records: which rows each rule hits.

Every question of a rule is asked once for each distinct value of the field that it reads, however many rows have it,
and a question that several rules share once for all of them. The answers are put together by Arrow, so no row is ever
looked at in Python. Questions with few distinct values go first; those with many (values, times) are asked of what is
left. A list meets a question when one of its items does, which is how `values` reads records, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from zonewatch.rules.sigma.columns import Column, pc
from zonewatch.rules.sigma.compile import Predicate, predicates
from zonewatch.rules.sigma.conditions import Absent, Alike, Every, Leaf, Not, Some, Text, Tree, Words, leaves
from zonewatch.rules.sigma.groups import Columns, Values
from zonewatch.rules.sigma.model import Rule

FEW: Final = 4096
"""A question of at most so many distinct values is asked of all of them, and the answer kept for other rules."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The rows of its category's table that a rule hits, in their order; at least one."""

    rule: Rule
    rows: pa.UInt64Array

    @property
    def category(self) -> str:
        """The category of the table that the rows are of."""
        return self.rule.category


def judge(rules: Iterable[Rule], tables: Mapping[str, pa.Table]) -> list[Hit]:
    """The hits in the order of the rules. `tables` are by category; rules of others hit nothing."""
    judged = [rule for rule in rules if rule.category in tables and tables[rule.category].num_rows]
    questions = tuple(dict.fromkeys(leaf for rule in judged for leaf in _questions(rule.condition)))
    holds = dict(zip(questions, predicates(questions), strict=True))
    judges = {category: _Judge(tables[category], holds) for category in {rule.category for rule in judged}}
    hits = ((rule, judges[rule.category].rows(rule.condition)) for rule in judged)
    return [Hit(rule, rows) for rule, rows in hits if len(rows)]


def _questions(tree: Tree) -> Iterable[Leaf]:
    for leaf in leaves(tree):
        yield from _asked(leaf) if isinstance(leaf, Words) else (leaf,)


def _asked(words: Words) -> tuple[Text, ...]:
    return tuple(Text(field, words.tests) for field in words.fields)


class _Judge:
    """One table, with the answers that rules share. An answer is a truth value for each row."""

    def __init__(self, table: pa.Table, holds: Mapping[Leaf, Predicate]) -> None:
        self._columns = Columns(table)
        self._holds = holds
        self._answers: dict[Leaf, Column] = {}
        self._no: Column = pc.is_null(self._columns.rows)

    def rows(self, tree: Tree) -> pa.UInt64Array:
        """The rows where the tree holds."""
        found: pa.UInt64Array = pc.indices_nonzero(self._answer(tree, None))
        return found

    def _answer(self, tree: Tree, mask: Column | None) -> Column:
        """Rows outside of the mask may get any answer."""
        match tree:
            case Every(parts):
                for part in sorted(parts, key=self._cost):
                    answer = self._answer(part, mask)
                    mask = answer if mask is None else pc.and_(mask, answer)
                    if not pc.any(mask).as_py():
                        break
                return self._no if mask is None else mask
            case Some(parts):
                answer = self._no
                for part in parts:
                    answer = pc.or_(answer, self._answer(part, mask))
                return answer
            case Not(part):
                return pc.invert(self._answer(part, mask))
            case Words():
                return self._answer(Some(tuple(text for text in _asked(tree) if text.field in self._columns)), mask)
            case _:
                return self._asked_once(tree, mask)

    def _asked_once(self, leaf: Leaf, mask: Column | None) -> Column:
        if leaf not in self._answers:
            values = self._values(leaf)
            if values is None:
                self._answers[leaf] = self._without(leaf)
            elif mask is None or len(values) <= FEW:
                self._answers[leaf] = self._of_values(values, self._holds[leaf], None)
            else:
                return self._of_values(values, self._holds[leaf], mask)
        return self._answers[leaf]

    def _values(self, leaf: Leaf) -> Values | None:
        """The values that a question is about; None where it needs none, or the table has no such field."""
        if isinstance(leaf, Alike):
            there = leaf.field in self._columns and leaf.other in self._columns
            return self._columns.pairs(leaf.field, leaf.other) if there else None
        if isinstance(leaf, Absent | Words) or leaf.field not in self._columns:
            return None
        return self._columns.values(leaf.field)

    def _without(self, leaf: Leaf) -> Column:
        if not isinstance(leaf, Absent):
            return self._no
        return self._columns.missing(leaf.field) if leaf.field in self._columns else pc.invert(self._no)

    def _of_values(self, values: Values, holds: Predicate, mask: Column | None) -> Column:
        if mask is None:
            met = pa.array(list(map(holds, values.records())), pa.bool_()).take(values.ids)
        else:
            places = mask if values.parents is None else mask.take(values.parents)
            numbers = pc.unique(values.ids.filter(places))
            held = numbers.filter(pa.array(list(map(holds, values.records(numbers))), pa.bool_()))
            met = pc.is_in(values.ids, value_set=held)
        if values.parents is None:
            return met
        return pc.is_in(self._columns.rows, value_set=values.parents.filter(met))

    def _cost(self, tree: Tree) -> int:
        """How many distinct values its questions have at most."""
        found = 0
        for leaf in _questions(tree):
            if not isinstance(leaf, Absent | Words) and leaf.field in self._columns:
                found = max(found, len(self._columns.values(leaf.field)))
        return found
