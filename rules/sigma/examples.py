"""Whether rules and correlations find their own examples: `match` and `differ` of their files.

A rule is tried on each record by itself, a correlation on all of a list together, as each is but a part of what it
counts. A record without a time comes a nanosecond after the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.sigma.compile import predicate
from zonewatch.rules.sigma.correlate import correlate
from zonewatch.rules.sigma.described import Taxonomy
from zonewatch.rules.sigma.model import Correlation, Rule, RuleError, RuleSet
from zonewatch.rules.sigma.run import judge
from zonewatch.rules.sigma.taxonomy import FIELDS, Field, Type
from zonewatch.rules.sigma.values import Record

_TYPES: Final[Mapping[Type, pa.DataType]] = {
    "keyword": pa.utf8(),
    "ip": pa.utf8(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int64(),
}
_TIMES: Final = {name: FIELDS["detection"][name] for name in ("@timestamp", "event.start", "event.end", "event.count")}
"""Fields of every category, without which nothing is correlated."""


def failed(rules: RuleSet, taxonomy: Taxonomy = FIELDS) -> Iterator[RuleError]:
    """All examples that do not hold."""
    for rule in rules.rules:
        yield from examples(rule)
    for correlation in rules.correlations:
        yield from correlated(correlation, rules, taxonomy)


def examples(rule: Rule) -> Iterator[RuleError]:
    """The examples of a rule that it should find and does not, or should not and does."""
    if not rule.match and not rule.differ:
        return
    holds = predicate(rule.condition)
    service = {"network.protocol": rule.service} if rule.service else {}
    for key, records, wanted in (("match", rule.match, True), ("differ", rule.differ, False)):
        for number, record in enumerate(records, 1):
            if holds({**service, **record}) != wanted:
                told = "is not found" if wanted else "is found"
                yield RuleError(rule.path, rule.line, 1, f"{rule.name}: record {number} of {key!r} {told}")


def correlated(correlation: Correlation, rules: RuleSet, taxonomy: Taxonomy = FIELDS) -> Iterator[RuleError]:
    """The same of a correlation."""
    for key, records, wanted in (("match", correlation.match, True), ("differ", correlation.differ, False)):
        if not records:
            continue
        try:
            found = fires(correlation, rules, records, taxonomy)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            text = f"a value of {key!r} is not of its field's type: {' '.join(str(error).split())}"
            yield RuleError(correlation.path, correlation.line, 1, f"{correlation.name}: {text}")
            continue
        if found != wanted:
            told = "are not found" if wanted else "are found"
            message = f"{correlation.name}: the records of {key!r} together {told}"
            yield RuleError(correlation.path, correlation.line, 1, message)


def fires(correlation: Correlation, rules: RuleSet, records: Sequence[Record], taxonomy: Taxonomy = FIELDS) -> bool:
    """True where the correlation finds something in these records."""
    wanted = set(rules.base(correlation))
    bases = [rule for rule in rules.rules if rule.name in wanted]
    inner = [one for one in rules.correlations if one is correlation or set(rules.base(one)) <= wanted]
    tables = {base.category: _table(taxonomy[base.category], records) for base in bases}
    return any(burst.correlation.name == correlation.name for burst in correlate(inner, judge(bases, tables), tables))


def _table(fields: Mapping[str, Field], records: Iterable[Record]) -> pa.Table:
    """Records as the sensor has them; fields that no record has are not there."""
    rows: list[dict[str, Any]] = []
    for number, record in enumerate(records):
        timed = {"@timestamp": number, **record}
        rows.append({"event.start": timed["@timestamp"], "event.end": timed["@timestamp"], "event.count": 1, **timed})
    columns = {}
    for name, field in {**_TIMES, **fields}.items():
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            columns[name] = _column(values, field)
    return pa.table(columns)


def _column(values: Iterable[object], field: Field) -> pa.Array[Any]:
    kind = _TYPES[field.type]
    if not field.many:
        return pa.array(list(values), kind)
    return pa.array([None if value is None else _several(value) for value in values], pa.list_(kind))


def _several(value: object) -> list[object]:
    return list(value) if isinstance(value, tuple | list) else [value]
