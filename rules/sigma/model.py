"""Rules and correlations as they are read from their files, and what may be wrong with a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from zonewatch.rules.findings import Owner
from zonewatch.rules.sigma.conditions import Tree, fields
from zonewatch.rules.sigma.values import Record

Level = Literal["informational", "low", "medium", "high", "critical"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
Kind = Literal["event_count", "value_count", "temporal", "temporal_ordered"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a rule and a correlation both say of themselves."""

    name: str  # "modbus.force_listen_only": findings carry it; the id where a file gives none
    id: str = ""
    title: str
    description: str = ""
    level: Level = "medium"
    status: str = ""
    techniques: tuple[str, ...] = ()  # "T0803"
    requirements: tuple[str, ...] = ()  # "SR 2.1"
    false_positives: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # fields that a finding shows
    owner: Owner = "both"
    remedy: str = ""
    identity: tuple[str, ...] = ("source.asset.id", "destination.asset.id")
    unless: tuple[str, ...] = ()  # rules and detectors that tell the same of the same actor: then this one does not
    enabled: bool = True
    reason: str = ""  # why it is not enabled
    match: tuple[Record, ...] = ()  # examples that it finds
    differ: tuple[Record, ...] = ()  # examples that it does not find
    path: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Described):
    """A rule: what it asks of one record of its category."""

    category: str
    service: str = ""
    condition: Tree  # the service is a part of it
    seed: bool = False  # it tells nothing by itself; a correlation reads it

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that its condition reads."""
        return fields(self.condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation(Described):
    """What has to come together, in event time."""

    kind: Kind
    rules: tuple[str, ...]  # names of rules or correlations, in the order of the file
    span: int  # nanoseconds
    relation: Literal["lt", "lte", "gt", "gte", "eq", "neq"] = "gte"
    count: int = 1
    counted: tuple[str, ...] = ()  # fields whose distinct values count
    by: tuple[str, ...] = ()  # fields or aliases that have to be equal
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # alias, (rule, field) …
    generate: bool = False  # its rules tell what they find as well

    @property
    def rises(self) -> bool:
        """Once it holds, it holds whatever else there is."""
        return self.relation in ("gte", "gt")

    def field_of(self, name: str, rule: str) -> str:
        """The field that a name of `by` stands for in what a rule hits."""
        for alias, meant in self.aliases:
            if alias == name:
                return dict(meant).get(rule, name)
        return name


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that was read, in the order of paths and documents."""

    rules: tuple[Rule, ...] = ()
    correlations: tuple[Correlation, ...] = ()

    def wanted(self) -> Mapping[str, frozenset[str]]:
        """The fields by category that judging, correlating and telling read."""
        wanted: dict[str, set[str]] = {}
        known = {rule.name: rule.category for rule in self.rules}
        for row in self.rules:
            wanted.setdefault(row.category, set()).update(row.fields, row.shown, row.identity)
        for correlation in self.correlations:
            for rule in self.base(correlation):
                found = wanted.setdefault(known[rule], set())
                names = (*correlation.by, *correlation.counted, *correlation.shown, *correlation.identity)
                found.update(correlation.field_of(name, rule) for name in names)
        return {category: frozenset(found) for category, found in wanted.items()}

    def needs_all(self) -> frozenset[str]:
        """Correlations that may hold of some events and not of all: those that ask for few, and what reads them."""
        found: set[str] = set()
        while more := {
            one.name
            for one in self.correlations
            if one.name not in found and (not one.rises or not found.isdisjoint(one.rules))
        }:
            found |= more
        return frozenset(found)

    def base(self, correlation: Correlation) -> tuple[str, ...]:
        """The names of the rules that a correlation, or one that it reads, is made of."""
        inner = {one.name: one for one in self.correlations}
        found: dict[str, None] = {}
        waiting = list(reversed(correlation.rules))
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in inner and name not in seen:
                seen.add(name)
                waiting += reversed(inner[name].rules)
            elif name not in inner:
                found[name] = None
        return tuple(found)


@dataclass(frozen=True, slots=True, order=True)
class RuleError:
    """One thing that is wrong with a rule file; line and column count from 1, 0 where there is no place."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}" if self.line else f"{self.path}: {self.message}"


class RuleErrors(Exception):
    """All that is wrong with rule files, by path and line."""

    def __init__(self, errors: Iterable[RuleError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(map(str, self.errors)))
