"""What was learned of a network, in the words of its file. Everything is frozen; tuples are sorted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Field, PlainSerializer

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.inventory.model import Role
from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.times import Day
from zonewatch.rules.policy.values import wrong

Stage = Literal["learning", "review", "enforcing"]
"""Learning: nothing is told. Review: what deviates is told with low severity. Enforcing: with its own."""
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
VERSION: Final = 1
EXTERNAL: Final = "external"
"""Stands for all public addresses: which of them answers changes from day to day."""
SEVERAL: Final = "broadcast:several"
"""Stands for the many servers that a client asked in vain."""
IDENTITY: Final = ("vendor", "model", "product", "firmware", "hardware", "serial")
"""What a device says of itself that changes only when somebody changes the device."""
VALUED: Final = frozenset(
    (
        *("holding-register", "input-register", "analog-input", "analog-output", "analog-value"),
        *("frozen-analog-input", "analog-input-deadband", "large-analog-value", "integer-value"),
        *("positive-integer-value", "multi-state-input", "multi-state-output", "multi-state-value"),
        *("loop", "data-block", "instance-data-block", "s7-analog-input", "s7-analog-output"),
    )
)
"""Kinds of objects whose values are numbers of a range: no bits, no counters, no times."""
MOST_COUNT: Final = 2**63 - 1

_HOURS = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")
_NUMBER: Final = r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_SPAN = re.compile(rf"({_NUMBER})(?:\.\.({_NUMBER}))?")
_SEEN = re.compile(
    r"([0-9]{1,18}) times?, ([0-9]{1,9}) days?, ([0-9-]{10})(?: to ([0-9-]{10}))?(?:, hours ([-0-9, ]+))?"
)
_PROPERTY = re.compile(r"[A-Za-z_]\S*")
_POINTS = re.compile(r"([a-z][a-z0-9-]*)(?: (?:([0-9]{1,10})(?:-([0-9]{1,10}))?|\*))?(?: ([A-Za-z_]\S*))?")


@dataclass(frozen=True, slots=True)
class Points:
    """Objects of one kind that are next to each other, zero-based and inclusive.

    Written `holding-register 100-107`, `analog-input 3 present-value`, `device * object-list`, `class`.
    """

    kind: str
    start: int | None = None  # none: all of the kind
    end: int | None = None
    property_name: str = ""

    @classmethod
    def of(cls, kind: str, start: int | None, count: int, property_name: str) -> Points:
        """From a start and a count."""
        end = None if start is None else start + max(count, 1) - 1
        if property_name and not _PROPERTY.fullmatch(property_name):
            property_name = "_" + re.sub(r"\s", "_", property_name)  # so that it can be written
        return cls(kind, start, end, property_name)

    @classmethod
    def parse(cls, text: object) -> Points:
        """Raises what pydantic tells as an error."""
        match = _POINTS.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise wrong(f"{text!r} is no range of objects; write 'holding-register 100-107' or 'coil 5'")
        kind, first, last, prop = match.groups()
        if first is None:
            return cls(kind, None, None, prop or "")
        start, end = int(first), int(last or first)
        if end < start:
            raise wrong(f"{text!r} ends before it starts")
        return cls(kind, start, end, prop or "")

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            where = " *" if self.property_name else ""
        else:
            where = f" {self.start}" + (f"-{self.end}" if self.end > self.start else "")
        return f"{self.kind}{where}" + (f" {self.property_name}" if self.property_name else "")

    @property
    def order(self) -> tuple[str, str, int, int]:
        """Sort key."""
        return self.kind, self.property_name, -1 if self.start is None else self.start, self.end or 0

    @property
    def count(self) -> int:
        """How many; 0 where all of the kind are meant."""
        return 0 if self.start is None or self.end is None else self.end - self.start + 1

    def meets(self, other: Points) -> bool:
        """True where both have an object in common."""
        if (self.kind, self.property_name) != (other.kind, other.property_name):
            return False
        if self.start is None or other.start is None or self.end is None or other.end is None:
            return True
        return self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of values, both ends in it. Written `0..1000`, or `7` where it is one value."""

    low: float
    high: float

    @classmethod
    def parse(cls, text: object) -> Span:
        """Raises what pydantic tells as an error."""
        told = str(text) if isinstance(text, int | float) and not isinstance(text, bool) else text
        match = _SPAN.fullmatch(told.strip()) if isinstance(told, str) else None
        if match is None:
            raise wrong(f"{text!r} is no range of values; write '0..1000'")
        low, high = float(match[1]), float(match[2] or match[1])
        if high < low or abs(low) == float("inf") or abs(high) == float("inf"):
            raise wrong(f"{text!r} is no range of values from its least to its greatest")
        return cls(low, high)

    def __str__(self) -> str:
        return number(self.low) if self.low == self.high else f"{number(self.low)}..{number(self.high)}"

    def holds(self, low: float, high: float) -> bool:
        """True where both values are within."""
        return self.low <= low and high <= self.high

    def joined(self, other: Span) -> Span:
        """The range that holds both."""
        return Span(min(self.low, other.low), max(self.high, other.high))


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _hours(value: object) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return value
    found: set[int] = set()
    parts = str(value).split(",") if isinstance(value, int | str) and not isinstance(value, bool) else [""]
    for part in parts:
        match = _HOURS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= first <= last <= 23:
            raise wrong(f"{value!r} are no hours of the day (UTC, 0 to 23); write '6-13, 20'")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def hours_text(hours: Iterable[int]) -> str:
    """`6-13, 20`."""
    runs: list[list[int]] = []
    for hour in sorted(hours):
        if runs and hour == runs[-1][1] + 1:
            runs[-1][1] = hour
        else:
            runs.append([hour, hour])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Hours = Annotated[tuple[int, ...], BeforeValidator(_hours), PlainSerializer(hours_text)]
PointsText = Annotated[Points, BeforeValidator(lambda v: v if isinstance(v, Points) else Points.parse(v))]
SpanText = Annotated[Span, BeforeValidator(lambda v: v if isinstance(v, Span) else Span.parse(v))]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST_COUNT)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Word = Annotated[str, BeforeValidator(_text)]
"""Text; a number is taken as it is written."""
Words = tuple[Word, ...]


class SeenRecord(Part):
    """How often, on how many days, between which days, at which hours of the day (all in UTC).

    Written `1441 times, 3 days, 2026-03-02 to 2026-03-05, hours 6-13, 20`.
    """

    times: Count
    days: Count
    first: Day
    last: Day
    hours: Hours = ()

    def __str__(self) -> str:
        text = f"{self.times} time{'s' * (self.times != 1)}, {self.days} day{'s' * (self.days != 1)}, {self.first}"
        text += f" to {self.last}" if self.last != self.first else ""
        return f"{text}, hours {hours_text(self.hours)}" if self.hours else text


def _seen(value: object) -> object:
    if isinstance(value, SeenRecord):
        return value
    match = _SEEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise wrong(
            f"{value!r} does not say what was seen; write '12 times, 2 days, 2026-03-02 to 2026-03-03, hours 8'"
        )
    times, days, first, last, hours = match.groups()
    told = {"times": int(times), "days": int(days), "first": first, "last": last or first}
    return {**told, "hours": hours} if hours else told


Seen = Annotated[SeenRecord, BeforeValidator(_seen)]


class Objects(Part):
    """A range of objects that a function addressed."""

    range: PointsText
    times: Count = 0
    values: SpanText | None = None
    changes: Count = 0
    """How often the values were others than before."""
    limits: SpanText | None = None
    """The engineer's own range: it takes the place of `values`, and learning never touches it."""
    period: Seconds | None = None
    """Median of the gaps between two times, in seconds."""
    mad: Seconds | None = None
    """Median of the gaps' distances from it."""
    longest: Seconds | None = None
    gaps: Count = 0
    note: str = ""


class Function(Part):
    """A function of a protocol as one client uses it at one unit of a server."""

    code: Count | None = None
    name: Word = ""
    operation: Operation
    unit: Word = ""
    seen: Seen
    objects: tuple[Objects, ...] = ()
    note: str = ""

    @property
    def key(self) -> FunctionKey:
        """What tells it from others of its edge."""
        return self.code, self.name, self.operation, self.unit

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key."""
        return -1 if self.code is None else self.code, self.name, self.operation, len(self.unit), self.unit

    @property
    def label(self) -> str:
        """How people are told it."""
        return self.name or ("" if self.code is None else f"function {self.code}") or self.operation


FunctionKey = tuple[int | None, str, Operation, str]
EdgeKey = tuple[str, str, str]


class Transition(Part):
    """One function that changes state, and the one that came next."""

    before: Word
    after: Word
    times: Count


class Habit(Part):
    """Whether commands are selected before they are operated (DNP3)."""

    selected: Count
    direct: Count


class Edge(Part):
    """What a client says to a server in one protocol."""

    client: Word
    server: Word
    protocol: Word
    answered: bool = True
    client_units: Words = ()
    """Link addresses of the masters (DNP3)."""
    seen: Seen
    select_before_operate: Habit | None = None
    functions: tuple[Function, ...] = ()
    transitions: tuple[Transition, ...] = ()
    note: str = ""

    @property
    def key(self) -> EdgeKey:
        """What tells it from others."""
        return self.client, self.server, self.protocol


class Review(Part):
    """Who moved an asset to its stage, and when."""

    by: str
    on: Day


class KnownAsset(Part):
    """A device."""

    id: Word
    stage: Stage = "learning"
    role: Role = "unknown"
    addresses: Words = ()
    macs: Words = ()
    identity: dict[str, Word] = Field(default_factory=dict)
    seen: Seen
    reviewed: Review | None = None
    note: str = ""


class Capture(Part):
    """What was learned from."""

    capture: Word
    sha256: str = ""
    packets: Count
    first: dt.datetime | None = None
    last: dt.datetime | None = None


class Signature(Part):
    """Somebody's word for the content: its digest, by whom, on which day."""

    by: str
    on: Day
    digest: str


class Baseline(Part):
    """The whole file."""

    baseline_version: Literal[1]
    signed: Signature | None = None
    learned: tuple[Capture, ...] = ()
    assets: tuple[KnownAsset, ...] = ()
    edges: tuple[Edge, ...] = ()
    pending: tuple[Edge, ...] = ()
    """What was learned of assets beyond their learning stage: it counts only when somebody has reviewed it."""
