"""Windows that slide over the events of one group: where a correlation's condition holds.

A window has the correlation's span and ends at an event, or where a spread one counts most; both ends belong to it.
Windows that satisfy the condition and overlap or touch are one burst. An event that stands for several is spread evenly
between its first and last: it counts by the share of it that lies in the window, whole if all of it does, and it is
present all the time between.
"""

from __future__ import annotations

import operator
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

RELATIONS: Final[dict[str, Callable[[int, int], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
_LEAST_SHARE: Final = 1e-6
"""Sums of shares are compared with so much tolerance, as floating point numbers are not exact."""


class Event(NamedTuple):
    """Something that a rule hit: when, how often, and what is counted of it."""

    start: int
    end: int
    number: int = 1
    subject: Any = None  # the value that value_count counts, the place in the list of rules of the temporal kinds


@dataclass(frozen=True, slots=True)
class Window:
    """A burst: times of its first and last event, when the condition first held, and the most that was counted."""

    first: int
    last: int
    met: int
    count: int


def counted(events: Sequence[Event], span: int, relation: str, wanted: int) -> Iterator[Window]:
    """How many events a window holds. `events` by start."""
    if all(event.end == event.start for event in events):
        yield from _at_once(events, span, relation, wanted)
        return
    holds = RELATIONS[relation]
    rising = relation in ("gte", "gt")
    burst = _Burst(span)
    until, before = _Sums(events), _Sums(events)
    goes_on = False
    for end in _ends(events, span if rising else 0):
        until.move(end, including=False)
        if goes_on and holds(_number(until, before, end, span), wanted):
            burst.extend(end)  # between two corners the sums are straight lines
        until.move(end, including=True)
        before.move(end - span, including=False)
        number = _number(until, before, end, span)
        if number and holds(number, wanted) and (done := burst.add(end, number)):
            yield done
        before.move(end - span, including=True)
        goes_on = rising and holds(_number(until, before, end, span), wanted)
    yield from burst.closed()


def _at_once(events: Sequence[Event], span: int, relation: str, wanted: int) -> Iterator[Window]:
    """The same of events none of which is spread: whole numbers."""
    holds = RELATIONS[relation]
    burst = _Burst(span)
    left = number = 0
    for place, event in enumerate(events, 1):
        end = event.start
        number += event.number
        if place < len(events) and events[place].start == end:
            continue
        while events[left].start < end - span:
            number -= events[left].number
            left += 1
        if holds(number, wanted) and (done := burst.add(end, number)):
            yield done
    yield from burst.closed()


def _ends(events: Sequence[Event], span: int) -> list[int]:
    """The ends of windows that count most: corners of the sums. Without a span the moments of events."""
    corners = {time for event in events for time in (event.start, event.end)}
    return sorted(corners | {time + span for time in corners})


def _number(until: _Sums, before: _Sums, end: int, span: int) -> int:
    return int(until.at(end) - before.at(end - span) + _LEAST_SHARE)


class _Sums:
    """How many events there were until a time: those that are over, and the share of those that last."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._begin = events[0].start
        self._starts = deque(events)
        self._ends = deque(sorted((event for event in events if event.end > event.start), key=lambda event: event.end))
        self._whole = 0
        self._lasting = 0
        self._slope = 0.0
        self._offset = 0.0

    def at(self, time: int) -> float:
        """The sum; `time` is one that it was moved to."""
        share = self._slope * (time - self._begin) - self._offset if self._lasting else 0.0
        return self._whole + share

    def move(self, time: int, *, including: bool) -> None:
        """Takes in all that began, or was over, at this time, itself included or not."""
        limit = time if including else time - 1
        while self._starts and self._starts[0].start <= limit:
            event = self._starts.popleft()
            if event.end == event.start:
                self._whole += event.number
            else:
                self._lasts(event, 1)
        while self._ends and self._ends[0].end <= limit:
            event = self._ends.popleft()
            self._lasts(event, -1)
            self._whole += event.number

    def _lasts(self, event: Event, sign: int) -> None:
        rate = event.number / (event.end - event.start)
        self._lasting += sign
        self._slope += sign * rate
        self._offset += sign * rate * (event.start - self._begin)
        if not self._lasting:
            self._slope = self._offset = 0.0


def distinct(events: Sequence[Event], span: int, relation: str, wanted: int) -> Iterator[Window]:
    """How many subjects a window holds. `events` by start."""
    holds = RELATIONS[relation]
    burst = _Burst(span)
    there: Counter[Hashable] = Counter()
    leaving = sorted(range(len(events)), key=lambda number: events[number].end)
    entered = left = 0
    while entered < len(events):
        end = events[entered].start
        while entered < len(events) and events[entered].start == end:
            there[events[entered].subject] += 1
            entered += 1
        while (event := events[leaving[left]]).end < end - span:
            there[event.subject] -= 1
            if not there[event.subject]:
                del there[event.subject]
            left += 1
        if holds(len(there), wanted) and (done := burst.add(end, len(there))):
            yield done
    yield from burst.closed()


def ordered(events: Sequence[Event], span: int, steps: int) -> Iterator[Window]:
    """Subjects 0, 1 … one after the other within a window, each later than the one before. `events` by start."""
    burst = _Burst(span)
    never = events[0].start - span - 1
    begun = [never] * steps  # by step: the latest begin of a chain that came so far
    until = [never] * steps  # by step: the end of what is present
    points = sorted({time for event in events for time in (event.start, event.end)})
    waiting = deque(events)
    lasting: list[Event] = []
    for time in points:
        for step in range(steps):  # what is present before this moment may go on
            if until[step] >= time:
                begun[step] = time if step == 0 else begun[step - 1]
        places: list[int] = []
        while waiting and waiting[0].start == time:
            event = waiting.popleft()
            places.append(event.subject)
            if event.end > time:
                lasting.append(event)
        for step in sorted(places, reverse=True):  # two at one moment do not follow each other
            begun[step] = time if step == 0 else begun[step - 1]
        while lasting:
            event = lasting.pop()
            until[event.subject] = max(until[event.subject], event.end)
        chain = begun[-1]
        if places and chain >= max(time - span, never + 1) and (done := burst.add(time, steps, chain)):
            yield done
    yield from burst.closed()


class _Burst:
    """Puts windows that overlap or touch together."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._first = self._last = self._count = 0
        self._met: int | None = None

    def add(self, end: int, count: int, begin: int | None = None) -> Window | None:
        """Takes the window that ends there; returns the burst before it, if they are apart."""
        if self._met is not None and end - self._span <= self._last:
            self._last = end
            self._count = max(self._count, count)
            return None
        done = self._window()
        self._first = end - self._span if begin is None else begin
        self._met = self._last = end
        self._count = count
        return done

    def extend(self, end: int) -> None:
        """All windows that end between the last one and this moment satisfy the condition as well."""
        self._last = max(self._last, end)

    def closed(self) -> Iterator[Window]:
        """The last burst."""
        if (done := self._window()) is not None:
            yield done

    def _window(self) -> Window | None:
        return None if self._met is None else Window(self._first, self._last, self._met, self._count)
