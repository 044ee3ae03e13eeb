"""The times that a policy's verdicts depend on, and how each held for what was seen.

Aggregates tell the first and the last moment of a quarter of an hour. Where that decides nothing, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa

from zonewatch.rules.policy.times import MINUTE, Schedule, Span

BUCKET: Final = 15 * MINUTE
IN, OUT, MIXED, UNCLEAR = "iomu"
_LETTERS: Final = {"in": IN, "out": OUT, "mixed": MIXED, "unclear": UNCLEAR}

Times = Schedule | Span


class Calendar:
    """Schedules and spans of time, each with its number."""

    def __init__(self) -> None:
        self._numbers: dict[Times, int] = {}

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def number(self, times: Times) -> int | None:
        """The place of its letter in what `held` gives; none for what is always."""
        if isinstance(times, Schedule) and not times.windows:
            return None
        return self._numbers.setdefault(times, len(self._numbers))

    def held(self, first: int, last: int) -> str:
        """A letter for each of them: all of it inside, all outside, some outside, or not known."""
        return "".join(_LETTERS[times.held(first, last)] for times in self._numbers)

    def of_spans(self, spans: Iterable[tuple[int, int]]) -> str:
        """The same for several things seen: inside or outside only where all of them are."""
        letters = zip(*(self.held(first, last) for first, last in spans), strict=True)
        return "".join(_together(frozenset(column)) for column in letters)

    def of_table(self, table: pa.Table) -> list[str]:
        """The same for each row of aggregates (times as nanoseconds)."""
        if not self._numbers:
            return [""] * table.num_rows
        starts: list[Any] = table["bucket"].unique().to_pylist()
        buckets = {start: self.held(start, start + BUCKET - 1) for start in starts}
        rows = zip(*(table[name].to_pylist() for name in ("bucket", "first_time", "last_time")), strict=True)
        return [
            self.held(first, last) if MIXED in whole or UNCLEAR in whole else whole
            for bucket, first, last in rows
            for whole in (buckets[bucket],)
        ]


def _together(letters: frozenset[str]) -> str:
    if len(letters) == 1:
        return next(iter(letters))
    return MIXED if letters & {OUT, MIXED} else UNCLEAR
