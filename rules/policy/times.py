"""When something holds: weekly schedules and spans of time, and what is known of an interval against them.

    Schedule.parse("mon-fri 06:00-18:00; sat 08:00-12:00 +01:00")

Days and hours are UTC unless an offset ends the text. Hours that end before they begin go on into the next day.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from zonewatch.rules.policy.values import any_case, wrong
from zonewatch.rules.policy.words import hint

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
WEEK: Final = 7 * DAY
_MONDAY: Final = 3 * DAY  # the epoch was a Thursday
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Held = Literal["in", "out", "mixed", "unclear"]
"""An interval of which the first and the last moment are known: all of it inside; all outside; its first or its last
moment outside; both inside, with a gap of the schedule between them."""

_DATE: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAYS: Final = r"(?:[a-z]+(?:-[a-z]+)?)(?:,[a-z]+(?:-[a-z]+)?)*"
_HOURS: Final = r"[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}"
_PART: Final = re.compile(rf"({_DAYS})?\s*((?:{_HOURS})(?:,{_HOURS})*)?")
_OFFSET: Final = re.compile(r"(.*?)\s+(?:utc|([+-])([0-9]{2}):([0-9]{2}))")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times of the week. Without windows it is always."""

    windows: tuple[tuple[int, int], ...] = ()  # nanoseconds of the week from Monday 00:00, sorted, apart
    offset: int = 0  # of local time from UTC, nanoseconds
    text: str = "always"

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Raises ValueError with what is wrong."""
        plain = " ".join(text.lower().split())
        if plain == "always":
            return cls()
        offset = 0
        found = _OFFSET.fullmatch(plain)
        if found is not None:
            plain, sign, hours, minutes = found.groups()
            if hours is not None:
                if int(hours) > 14 or int(minutes) > 59:
                    raise ValueError(f"schedule {text!r}: no such offset from UTC")
                offset = (int(hours) * 60 + int(minutes)) * MINUTE * (-1 if sign == "-" else 1)
        windows = [window for part in plain.split(";") for window in _windows(part.strip(), text)]
        return cls(_joined(windows), offset, text.strip())

    def held(self, first: int, last: int) -> Held:
        """What is known of something whose first and last moment are known (UTC nanoseconds)."""
        if not self.windows:
            return "in"
        starts = [start for start, _ in self.windows]
        place = (first + self.offset + _MONDAY) % WEEK
        index = bisect_right(starts, place) - 1
        length = last - first
        if index >= 0 and place < self.windows[index][1]:
            if length < self._left(index, place):
                return "in"
            return "unclear" if self._covers(last) else "mixed"
        following = self.windows[index + 1][0] if index + 1 < len(self.windows) else starts[0] + WEEK
        return "out" if place + length < following else "mixed"

    def _covers(self, moment: int) -> bool:
        place = (moment + self.offset + _MONDAY) % WEEK
        return any(start <= place < end for start, end in self.windows)

    def _left(self, index: int, place: int) -> int:
        """From a place inside a window to the window's end, which may be in the next week."""
        start, end = self.windows[index]
        if end < WEEK or self.windows[0][0] > 0:
            return end - place
        return end - place + (self.windows[0][1] if start > 0 else 2**63)

    def __str__(self) -> str:
        return self.text


def _windows(part: str, text: str) -> list[tuple[int, int]]:
    match = _PART.fullmatch(part)
    if match is None or not part:
        raise ValueError(f"schedule {text!r}: write 'always', 'mon-fri 06:00-18:00' or 'sat,sun; 22:00-06:00 +01:00'")
    days = sorted({day for words in (match[1] or "daily").split(",") for day in _days(words)})
    hours = [_hours(each, text) for each in match[2].split(",")] if match[2] else [(0, DAY)]
    return [(day * DAY + start, day * DAY + end) for day in days for start, end in hours]


def _days(words: str) -> list[int]:
    if words == "daily":
        return list(range(7))
    first, _, last = words.partition("-")
    for word in (first, last or first):
        if word not in DAYS:
            raise ValueError(f"unknown day {word!r}{hint(word, DAYS) or '; one of ' + ', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]


def _hours(text: str, whole: str) -> tuple[int, int]:
    ends = []
    for part in text.split("-"):
        hour, minute = map(int, part.split(":"))
        if hour > 24 or minute > 59 or (hour == 24 and minute):
            raise ValueError(f"schedule {whole!r}: {part!r} is no time of day")
        ends.append((hour * 60 + minute) * MINUTE)
    start, end = ends
    if start in (end, DAY):
        raise ValueError(f"schedule {whole!r}: {text!r} is empty")
    return start, end if end > start else end + DAY


def _joined(windows: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    pieces = []
    for start, end in windows:
        pieces.append((start, min(end, WEEK)))
        if end > WEEK:
            pieces.append((0, end - WEEK))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment until before another, in UTC nanoseconds."""

    start: int
    end: int

    def held(self, first: int, last: int) -> Held:
        """What is known of something whose first and last moment are known."""
        if last < self.start or first >= self.end:
            return "out"
        return "in" if self.start <= first and last < self.end else "mixed"


def nanoseconds(moment: dt.datetime) -> int:
    """Since the epoch."""
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * SECOND + moment.microsecond * 1_000


def _moment(value: object, *, end: bool) -> object:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value) if len(value) > 10 else dt.date.fromisoformat(value)
        except ValueError:
            raise wrong(f"{value!r} is no time; write it like '2026-12-01T06:00Z', or a day '2026-12-01'") from None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        day = value + dt.timedelta(days=1) if end and value < dt.date.max else value
        value = dt.datetime.combine(day, dt.time())
    if isinstance(value, dt.datetime):
        if not 1970 <= value.year <= 2200:
            raise wrong(f"{value.isoformat()} is not between 1970 and 2200")
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    raise wrong("must be a time such as '2026-12-01T06:00Z'")


def _day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_DATE, value):
        return value  # pydantic tells which day no calendar has
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise wrong(f"{value!r} must be a valid date such as '2026-12-01'")


def _start(value: object) -> object:
    return _moment(value, end=False)


def _end(value: object) -> object:
    return _moment(value, end=True)


def _schedule(value: object) -> object:
    if isinstance(value, Schedule):
        return value
    if not isinstance(value, str):
        raise wrong("schedule: must be text such as 'mon-fri 06:00-18:00'")
    try:
        return Schedule.parse(value)
    except ValueError as error:
        raise wrong(str(error)) from None


_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_MOMENT: Final = WithJsonSchema(
    {
        "type": "string",
        "pattern": rf"^{_DATE}([T ]{_CLOCK}([zZ]|[+-][0-9]{{2}}:[0-9]{{2}})?)?$",
        "examples": ["2026-12-01T06:00Z", "2026-12-01"],
    }
)
Start = Annotated[dt.datetime, BeforeValidator(_start), _MOMENT]
"""A moment (UTC where no offset is given), or a day from its beginning."""
End = Annotated[dt.datetime, BeforeValidator(_end), _MOMENT]
"""A moment, or a day with the whole of it."""
Day = Annotated[dt.date, BeforeValidator(_day)]
"""A day (UTC)."""


def _schedule_pattern() -> str:
    """As the schema says it: any case, days before hours, at least one of them."""
    day = f"({'|'.join(map(any_case, DAYS))})"
    days = rf"({any_case('daily')}|{day}(-{day})?)(,({any_case('daily')}|{day}(-{day})?))*"
    time = "([01]?[0-9]|2[0-4]):[0-5][0-9]"
    hours = f"{time}-{time}(,{time}-{time})*"
    part = rf"({days}(\s*{hours})?|{hours})"
    offset = rf"({any_case('utc')}|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
    return rf"^\s*({any_case('always')}|{part}(\s*;\s*{part})*(\s+{offset})?)\s*$"


WeekTimes = Annotated[
    Schedule,
    BeforeValidator(_schedule),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _schedule_pattern(),
            "examples": ["always", "mon-fri 06:00-18:00", "sat,sun 22:00-06:00 +01:00"],
        }
    ),
]
"""`always`, or days and hours of the week: `mon-fri 06:00-18:00; sat 08:00-12:00 +01:00`."""
