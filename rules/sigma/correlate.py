"""Correlations in event time: what rules hit, grouped, and looked at through sliding windows.

A record belongs to a group if it has all the fields to group by; of a field with several values it belongs to the
group of each. What a correlation finds is an event of its own for correlations that name it, with the same group: it
lasts from when the condition was first met until the burst is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.sigma import windows
from zonewatch.rules.sigma.columns import SEPARATOR, Column, pc, whole
from zonewatch.rules.sigma.model import Correlation
from zonewatch.rules.sigma.records import TIMES
from zonewatch.rules.sigma.run import Hit
from zonewatch.rules.sigma.windows import Event, Window

MOST_ROWS: Final = 100
"""Rows of a rule that a burst names; how many there were is told besides."""
_NUMBER: Final = pa.int64()


@dataclass(frozen=True, slots=True)
class Part:
    """What a burst is made of: rows that one rule hit, the first ones, and how many events all of them stand for."""

    rule: str
    category: str
    rows: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Burst:
    """One time that a correlation's condition was satisfied."""

    correlation: Correlation
    group: tuple[tuple[str, str], ...]  # the fields it is grouped by, with their values as text
    first: int  # nanoseconds
    last: int
    met: int  # when the condition was first satisfied
    count: int  # the most events, values or rules in a window
    parts: tuple[Part, ...]  # in the order of the correlation's rules


def correlate(correlations: Iterable[Correlation], hits: Iterable[Hit], tables: Mapping[str, pa.Table]) -> list[Burst]:
    """The bursts in the order of the correlations, then by time and group. `tables` are those that were judged."""
    every = list(correlations)
    by_rule = {hit.rule.name: hit for hit in hits}
    found: dict[str, list[Burst]] = {}
    for correlation in _inner_first(every):
        found[correlation.name] = sorted(_bursts(correlation, by_rule, found, tables), key=_order)
    return [burst for correlation in every for burst in found[correlation.name]]


def _order(burst: Burst) -> tuple[object, ...]:
    return burst.first, burst.group, burst.last


def _inner_first(correlations: Sequence[Correlation]) -> Iterator[Correlation]:
    """Every correlation after those that it names; the loader has refused circles."""
    known = {correlation.name: correlation for correlation in correlations}
    begun: set[str] = set()
    done: set[str] = set()
    waiting = [correlation.name for correlation in reversed(correlations)]
    while waiting:
        name = waiting[-1]
        if name in begun:
            waiting.pop()
            if name not in done:
                done.add(name)
                yield known[name]
        else:
            begun.add(name)
            waiting += [one for one in reversed(known[name].rules) if one in known and one not in begun]


def _bursts(
    correlation: Correlation, hits: Mapping[str, Hit], inner: Mapping[str, list[Burst]], tables: Mapping[str, pa.Table]
) -> Iterator[Burst]:
    pieces = [
        _of_bursts(correlation, place, name, inner[name])
        if name in inner
        else _of_rows(correlation, place, hits[name], tables[hits[name].category])
        for place, name in enumerate(correlation.rules)
        if name in inner or name in hits
    ]
    if not pieces:
        return
    table = _promising(correlation, pa.concat_tables(pieces).combine_chunks())
    table = table.sort_by([("group", "ascending"), ("start", "ascending"), ("rule", "ascending"), ("row", "ascending")])
    groups = whole(table["group"])
    counts = pc.run_end_encode(groups, run_end_type=_NUMBER)
    begin = 0
    for key, end in zip(counts.values.to_pylist(), counts.run_ends.to_pylist(), strict=True):
        yield from _of_group(correlation, key, table.slice(begin, end - begin), hits, inner)
        begin = end


def _of_rows(correlation: Correlation, place: int, hit: Hit, table: pa.Table) -> pa.Table:
    """The events of a rule: their group, times, number, place of the rule, row, and subject."""
    fields = [correlation.field_of(name, hit.rule.name) for name in correlation.by]
    wanted = {*TIMES, *fields, *correlation.counted}
    taken = table.select([name for name in table.column_names if name in wanted]).take(hit.rows)
    start = _times(taken, "event.start", "@timestamp")
    count = pc.max_element_wise(_numbers(taken, "event.count", 1), 1)
    end = pc.if_else(pc.greater(count, 1), pc.max_element_wise(_times(taken, "event.end", "@timestamp"), start), start)
    events = pa.table({"start": start, "end": end, "count": count, "row": hit.rows.cast(_NUMBER)})
    events = _keyed(events, taken, fields, "group")
    if correlation.kind == "value_count":
        taken = taken.take(events["place"])
        events = _keyed(events.drop_columns("place"), taken, correlation.counted, "subject")
    else:
        events = events.append_column("subject", _repeat(str(place), events.num_rows))
    return events.drop_columns("place").append_column("rule", pa.repeat(pa.scalar(place, _NUMBER), events.num_rows))


def _of_bursts(correlation: Correlation, place: int, name: str, bursts: Sequence[Burst]) -> pa.Table:
    """The same of what another correlation found; the row is its number among them."""
    kept: list[tuple[int, Burst, str, str]] = []
    once = correlation.kind == "event_count"  # a burst counts as one event, when it is met
    for number, burst in enumerate(bursts):
        known = dict(burst.group)
        group = [known.get(correlation.field_of(field, name)) for field in correlation.by]
        values = [known.get(field) for field in correlation.counted]
        if None not in group and None not in values:
            subject = SEPARATOR.join(map(str, values)) if correlation.kind == "value_count" else str(place)
            kept.append((number, burst, SEPARATOR.join(map(str, group)), subject))
    return pa.table(
        {
            "start": pa.array([burst.met for _, burst, _, _ in kept], _NUMBER),
            "end": pa.array([burst.met if once else burst.last for _, burst, _, _ in kept], _NUMBER),
            "count": pa.array([1] * len(kept), _NUMBER),
            "row": pa.array([number for number, _, _, _ in kept], _NUMBER),
            "group": pa.array([group for _, _, group, _ in kept], pa.utf8()),
            "subject": pa.array([subject for _, _, _, subject in kept], pa.utf8()),
            "rule": pa.array([place] * len(kept), _NUMBER),
        }
    )


def _times(table: pa.Table, *names: str) -> Column:
    """The first of these columns that there is, in nanoseconds."""
    name = next(name for name in names if name in table.column_names)
    column = whole(table[name])
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz))
    return pc.fill_null(column.cast(_NUMBER), 0)


def _numbers(table: pa.Table, name: str, otherwise: int) -> Column:
    if name not in table.column_names:
        return pa.repeat(pa.scalar(otherwise, _NUMBER), table.num_rows)
    return pc.fill_null(whole(table[name]).cast(_NUMBER), otherwise)


def _keyed(events: pa.Table, taken: pa.Table, fields: Sequence[str], name: str) -> pa.Table:
    """The events with their values of the fields as one text, and `place`, the row of `taken`.

    Those that miss one are left out; those that have several are there for each.
    """
    places = pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, _NUMBER), events.num_rows)), 1)
    texts: list[Column] = []
    for field in fields:
        column = whole(taken[field]) if field in taken.column_names else pa.nulls(taken.num_rows, pa.utf8())
        column = column.take(places)
        parents = pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, _NUMBER), len(column))), 1)
        if pa.types.is_list(column.type):
            parents, column = pc.list_parent_indices(column).cast(_NUMBER), column.flatten()
        there = pc.is_valid(column)
        parents, column = parents.filter(there), column.filter(there)
        texts = [text.take(parents) for text in texts]
        places = places.take(parents)
        texts.append(_text(column))
    key = pc.binary_join_element_wise(*texts, SEPARATOR) if texts else _repeat("", len(places))
    return events.take(places).append_column(name, key).append_column("place", places)


def _text(column: Column) -> Column:
    if pa.types.is_timestamp(column.type):
        column = column.cast(_NUMBER)
    return pc.replace_substring(column.cast(pa.utf8()), SEPARATOR, "\x1e")


def _repeat(text: str, rows: int) -> Column:
    return pa.repeat(pa.scalar(text, pa.utf8()), rows)


def _promising(correlation: Correlation, table: pa.Table) -> pa.Table:
    """Without the groups that cannot satisfy the condition however close their events are."""
    wanted = correlation.count + (correlation.relation == "gt")
    if correlation.kind == "temporal_ordered":
        wanted = len(set(correlation.rules))
    elif not correlation.rises:
        return table
    counted: Any = ("count", "sum") if correlation.kind == "event_count" else ("subject", "count_distinct")
    if correlation.kind == "temporal_ordered":
        counted = ("rule", "count_distinct")
    sums = table.group_by("group", use_threads=False).aggregate([counted])
    good = sums.filter(pc.greater_equal(sums["_".join(counted)], wanted))["group"]
    return table.filter(pc.is_in(table["group"], value_set=whole(good)))


def _of_group(
    correlation: Correlation, key: str, table: pa.Table, hits: Mapping[str, Hit], inner: Mapping[str, list[Burst]]
) -> Iterator[Burst]:
    columns = [table[name].to_pylist() for name in ("start", "end", "count")]
    places: list[Any] = table["rule"].to_pylist()
    rows: list[Any] = table["row"].to_pylist()
    subjects: list[Any] = table["subject"].to_pylist() if correlation.kind == "value_count" else places
    events = list(map(Event, *columns, subjects))
    group = tuple(zip(correlation.by, key.split(SEPARATOR), strict=True)) if correlation.by else ()
    cursor = _Cursor(events)
    for window in _windows(correlation, events):
        numbers = cursor.within(window)
        by_rule: dict[str, dict[int, int]] = {name: {} for name in correlation.rules}
        for number in numbers:
            by_rule[correlation.rules[places[number]]][rows[number]] = events[number].number
        parts: list[Part] = []
        for name, found in by_rule.items():
            if found:
                parts += _nested(inner[name], found) if name in inner else _part(hits[name], found)
        first = max(window.first, min(events[number].start for number in numbers))
        last = min(window.last, max(events[number].end for number in numbers))
        yield Burst(correlation, group, first, last, min(window.met, last), window.count, tuple(_merged(parts)))


def _windows(correlation: Correlation, events: Sequence[Event]) -> Iterator[Window]:
    span, relation, count = correlation.span, correlation.relation, correlation.count
    if correlation.kind == "event_count":
        return windows.counted(events, span, relation, count)
    if correlation.kind == "temporal_ordered":
        return windows.ordered(events, span, len(correlation.rules))
    return windows.distinct(events, span, relation, count)


class _Cursor:
    """Finds the events of one window after the other."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._next = 0
        self._lasting: list[int] = []

    def within(self, window: Window) -> list[int]:
        """The numbers of the events that began or lasted in it. Windows come in their order, apart from each other."""
        events = self._events
        found = [number for number in self._lasting if events[number].end >= window.first]
        self._lasting = list(found)
        while self._next < len(events) and events[self._next].start <= window.last:
            if events[self._next].end >= window.first:
                found.append(self._next)
            if events[self._next].end > window.last:
                self._lasting.append(self._next)
            self._next += 1
        return found


def _part(hit: Hit, found: Mapping[int, int]) -> list[Part]:
    return [Part(hit.rule.name, hit.category, tuple(sorted(found)[:MOST_ROWS]), sum(found.values()))]


def _nested(bursts: Sequence[Burst], numbers: Iterable[int]) -> list[Part]:
    return [part for number in sorted(numbers) for part in bursts[number].parts]


def _merged(parts: Iterable[Part]) -> Iterator[Part]:
    """One part a rule."""
    by_rule: dict[tuple[str, str], Part] = {}
    for part in parts:
        before = by_rule.get((part.rule, part.category))
        if before is not None:
            rows = tuple(sorted({*before.rows, *part.rows})[:MOST_ROWS])
            part = Part(part.rule, part.category, rows, before.total + part.total)
        by_rule[part.rule, part.category] = part
    yield from by_rule.values()
