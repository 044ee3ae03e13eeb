"""The times that a policy's verdicts depend on, and how each held for what was seen.

Aggregates tell the first and the last moment of a quarter of an hour. Where that decides nothing, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.rules.policy.times import MINUTE, Schedule, Span

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

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

    def of_table(self, table: pa.Table) -> Any:
        """The same for each row of aggregates (times as nanoseconds)."""
        if not self._numbers:
            return pa.repeat("", table.num_rows)
        starts: Any = table["bucket"].unique()
        whole = pa.array([self.held(start, start + BUCKET - 1) for start in starts.to_pylist()], pa.utf8())
        places: Any = pc.index_in(table["bucket"], value_set=starts)
        letters = whole.take(places.combine_chunks())
        open_: Any = pc.match_substring_regex(letters, f"[{MIXED}{UNCLEAR}]")
        if not pc.any(open_).as_py():
            return letters
        times = table.select(["first_time", "last_time"]).filter(open_)
        spans = zip(*(column.to_pylist() for column in times.columns), strict=True)
        held = cache(self.held)
        exact = pa.array([held(first, last) for first, last in spans], pa.utf8())
        return pc.replace_with_mask(letters, open_, exact)


def _together(letters: frozenset[str]) -> str:
    if len(letters) == 1:
        return next(iter(letters))
    return MIXED if letters & {OUT, MIXED} else UNCLEAR
