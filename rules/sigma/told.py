"""Hits of rules as findings: one for each set of values of the fields that make it the same finding next week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import pyarrow as pa

from zonewatch.inventory.model import Evidence
from zonewatch.rules.context import MOST_EVIDENCE, listing, sentence, times
from zonewatch.rules.findings import Finding, Severity
from zonewatch.rules.sigma.columns import joined, pc, whole
from zonewatch.rules.sigma.correlate import Burst
from zonewatch.rules.sigma.model import Described, Level

MOST_FINDINGS: Final = 100
"""Findings of one rule; what is beyond is told as one more."""
MOST_ROWS: Final = 50
"""Records of one finding that are looked at; all are counted."""
MOST_VALUES: Final = 6

ASSETS: Final = ("source.asset.id", "destination.asset.id", "asset.id")
NAMES: Final = ("source.asset.name", "destination.asset.name", "asset.name")
ZONES: Final = ("source.zone.name", "destination.zone.name", "asset.zone")
PROTOCOLS: Final = ("ot.protocol", "network.protocol")
SHOWN_ALWAYS: Final = (
    *ASSETS,
    *NAMES,
    *ZONES,
    *PROTOCOLS,
    "ot.operation",
    "source.group",
    "destination.group",
)
"""Fields that findings are made of, whatever a rule reads."""

_MANY: Final = {"source.asset.id": ("by", "client"), "destination.asset.id": ("at", "server")}
"""Ends that are counted where a finding is not about one of them alone."""
_TIMES: Final = {"event.count": "sum", "event.start": "min", "event.end": "max"}

_SEVERITIES: Final[Mapping[Level, Severity]] = {
    "informational": "info",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
_READ: Final = frozenset((*SHOWN_ALWAYS, "_source", "_capture", "_frame"))
"""Columns that a finding is made of beside those that its rule shows."""
_ORDER: Final = (("event.start", "ascending"), ("_source", "ascending"), ("_frame", "ascending"))

Row = Mapping[str, Any]
Identity = tuple[tuple[str, str], ...]

BEYOND: Final[Identity] = (("beyond", str(MOST_FINDINGS)),)
"""Of the finding that tells the others together."""


def findings(rule: Described, hit: pa.Table) -> Iterator[Finding]:
    """The findings of a rule on the records that it hit, by first time."""
    table = hit.sort_by(list(_ORDER))
    columns = [_texts(table, name) for name in rule.identity]
    codes = joined(*columns).dictionary_encode()
    pairs = joined(*(_texts(table, name) for name in ASSETS)).dictionary_encode()
    ends = {name: _texts(table, name) for name in _MANY if name not in rule.identity}
    groups = pa.table({"_group": codes.indices, **ends, **{name: table[name] for name in _TIMES}})
    asked: list[Any] = [*_TIMES.items(), *((name, "count_distinct") for name in ends)]
    totals = groups.group_by("_group", use_threads=False).aggregate(asked).sort_by("_group")
    rows = _rows_of(codes.indices.to_pylist(), pairs.indices.to_pylist(), totals.num_rows)
    told = totals.to_pylist()
    for places, total in zip(rows[:MOST_FINDINGS], told, strict=False):
        chosen = table.take(pa.array(places)).to_pylist()
        identity = tuple(
            (name, str(column[places[0]].as_py() or "")) for name, column in zip(rule.identity, columns, strict=True)
        )
        yield _finding(
            rule,
            identity,
            chosen,
            total["event.count_sum"],
            (total["event.start_min"], total["event.end_max"]),
            ends=tuple(_ends(total[f"{name}_count_distinct"], *_MANY[name]) for name in ends),
        )
    if len(rows) > MOST_FINDINGS:
        rest = told[MOST_FINDINGS:]
        chosen = table.take(
            pa.array([places[0] for places in rows[MOST_FINDINGS : MOST_FINDINGS + MOST_ROWS]])
        ).to_pylist()
        when = min(row["event.start_min"] for row in rest), max(row["event.end_max"] for row in rest)
        count = sum(row["event.count_sum"] for row in rest)
        yield _finding(rule, BEYOND, chosen, count, when, more=len(rest))


def _texts(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, pa.utf8())
    column = whole(table[name])
    if pa.types.is_list(column.type):
        column = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(column), 0), column, None), 0)
    return column.cast(pa.utf8())


def _ends(count: int, way: str, noun: str) -> str:
    """` at 21 servers`; nothing of one."""
    return f" {way} {times(count, noun)}" if count > 1 else ""


def _rows_of(codes: Sequence[int], pairs: Sequence[int], groups: int) -> list[list[int]]:
    """The first rows of each group: one of each pair of ends before any second one."""
    firsts: list[list[int]] = [[] for _ in range(groups)]
    others: list[list[int]] = [[] for _ in range(groups)]
    seen: set[tuple[int, int]] = set()
    for place, key in enumerate(zip(codes, pairs, strict=True)):
        rows = others if key in seen else firsts
        seen.add(key)
        if len(rows[key[0]]) < MOST_ROWS:
            rows[key[0]].append(place)
    return [[*first, *other][:MOST_ROWS] for first, other in zip(firsts, others, strict=True)]


def of_bursts(bursts: Iterable[Burst], tables: Mapping[str, pa.Table]) -> Iterator[Finding]:
    """The findings of correlations. Bursts that differ in no field of the identity are one."""
    groups: dict[tuple[str, Identity], list[Burst]] = {}
    for burst in bursts:
        one = burst.correlation
        names = [name for name in one.identity if name in one.by] or one.by
        identity = tuple((name, value) for name, value in burst.group if name in names)
        groups.setdefault((one.name, identity), []).append(burst)
    by_name: dict[str, list[tuple[Identity, list[Burst]]]] = {}
    for (name, identity), group in groups.items():
        by_name.setdefault(name, []).append((identity, group))
    for found in by_name.values():
        told, rest = found[:MOST_FINDINGS], found[MOST_FINDINGS:]
        if rest:
            told = [*told, (BEYOND, [burst for _, group in rest for burst in group])]
        for (identity, group), rows in zip(told, _records([group for _, group in told], tables), strict=True):
            yield _burst_finding(identity, group, rows, more=len(rest) if identity == BEYOND else 0)


def _records(groups: Sequence[Sequence[Burst]], tables: Mapping[str, pa.Table]) -> Iterator[list[Row]]:
    """The records of each group of bursts of one correlation; each table is read once for all of them."""
    parts = [[part for burst in group[:MOST_ROWS] for part in burst.parts] for group in groups]
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for part in chain.from_iterable(parts):
        wanted[part.category].update(part.rows[:MOST_ROWS])
    shown = groups[0][0].correlation.shown
    read: dict[str, dict[int, Row]] = {}
    for category, places in wanted.items():
        table, rows = tables[category], sorted(places)
        names = [name for name in table.column_names if name in _READ or name in shown]
        read[category] = dict(zip(rows, table.select(names).take(pa.array(rows, pa.int64())).to_pylist(), strict=True))
    for of_one in parts:
        yield [read[part.category][place] for part in of_one for place in part.rows[:MOST_ROWS]]


def _burst_finding(identity: Identity, bursts: Sequence[Burst], rows: Sequence[Row], *, more: int = 0) -> Finding:
    burst = max(bursts, key=lambda burst: burst.count)
    one = burst.correlation
    what = {"value_count": "different values", "event_count": "events"}.get(one.kind, "kinds of events")
    seconds = one.span / 1e9
    reason = "all of it together"
    if one.count > 1:
        reason = f"{burst.count:,} {what} within {seconds:,.0f} s; {one.count:,} are asked"
    again = f", {len(bursts):,} times" if len(bursts) > 1 else ""
    return _finding(
        one,
        identity,
        rows,
        sum(part.total for burst in bursts for part in burst.parts),
        (min(burst.first for burst in bursts), max(burst.last for burst in bursts)),
        more=more,
        reason=reason + again,
    )


def _finding(
    rule: Described,
    identity: Identity,
    rows: Sequence[Row],
    count: int,
    when: tuple[int, int],
    *,
    more: int = 0,
    reason: str = "",
    ends: tuple[str, ...] = (),
) -> Finding:
    severity = _SEVERITIES[rule.level]
    details = [f"{name} {values}" for name in rule.shown if (values := _values(rows, name))]
    beyond = f"{more} more of this kind are told together. " if more else ""
    shown = f"{sentence('; '.join(details))} " if details else ""
    among = "".join(ends)
    return Finding(
        rule=rule.name,
        uuid=rule.id,
        identity=identity,
        title=_title(rule.title, rows),
        severity=severity,
        reasons=(f"the rule is of level {rule.level}", *((reason,) if reason else ())),
        description=f"{sentence(rule.description)} {beyond}{shown}Seen {times(count, 'time')}{among}.",
        remedy=rule.remedy,
        owner=rule.owner,
        assets=_distinct(rows, *ASSETS, groups=False),
        protocol=_only(rows, *PROTOCOLS),
        operation=_only(rows, "ot.operation"),
        zones=_distinct(rows, *ZONES),
        technique=rule.techniques,
        requirement=rule.requirements,
        false_positives=rule.false_positives,
        count=count,
        first_time=when[0] or 0,
        last_time=when[1] or 0,
        evidence=_evidence(rows),
    )


def _title(title: str, rows: Sequence[Row]) -> str:
    """`A device was told to listen only: eng-1 to plc-3`."""
    sources, destinations, assets = (_distinct(rows, name) for name in NAMES)
    way = " to ".join(listing(names, 3) for names in (sources, destinations) if names)
    whom = way or listing(assets, 3)
    return f"{title}: {whom}" if whom else title


def _evidence(rows: Iterable[Row]) -> tuple[Evidence, ...]:
    found = {Evidence(row["_source"], row["_capture"], row["_frame"]): None for row in rows if row.get("_frame")}
    return tuple(list(found)[:MOST_EVIDENCE])


def _distinct(rows: Iterable[Row], *names: str, groups: bool = True) -> tuple[str, ...]:
    """Values of the fields in the order in which they come; without those of broadcasts where `groups` is false."""
    found: dict[str, None] = {}
    for row in rows:
        for name in names:
            side = name.partition(".")[0]
            if row.get(name) and (groups or not row.get(f"{side}.group")):
                found[str(row[name])] = None
    return tuple(found)


def _only(rows: Iterable[Row], *names: str) -> str:
    """The value that all rows share; empty where they do not."""
    found = {next((str(row[name]) for name in names if row.get(name)), "") for row in rows}
    return found.pop() if len(found) == 1 else ""


def _values(rows: Iterable[Row], name: str) -> str:
    found: dict[str, None] = {}
    for row in rows:
        value = row.get(name)
        for item in value if isinstance(value, list) else (value,):
            if item is not None:
                found[_text(item)] = None
    return listing(found, MOST_VALUES)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("\x1f", " ").strip()
