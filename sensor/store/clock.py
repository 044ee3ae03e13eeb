"""Whether the clock can be believed. A clock that jumps by years must not make all evidence too old."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.reports.words import duration

__all__ = ["Clock"]

SECOND: Final = 1_000_000_000
STEP: Final = 60 * SECOND
"""The clock and the time that passed may differ by so much between two passes."""
STEADY: Final = 86_400 * SECOND
"""After a step, or a gap that may be one, the clock is believed again when it went steadily for so long."""
GAP: Final = 30 * STEADY
"""A sensor that was off for longer may have a wrong clock as well."""


class Clock:
    """Compares the clock with time that passes whatever the clock says."""

    def __init__(self, now: Callable[[], int], monotonic: Callable[[], int]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._last = (now(), monotonic())
        self._believed_from = self._last[1]

    def opened(self, last: int) -> str:
        """What the clock did since the store was written last (0: never), in words; empty: nothing strange."""
        now, gone = self._last[0], self._last[0] - last
        if last and now < last:
            return f"the clock was stepped back since by {duration(last - now)}"
        if last and gone > GAP:
            self._believed_from = self._last[1] + STEADY
            why = f"nothing was recorded for {duration(gone)}, or the clock was stepped on"
            return f"{why}: for a day nothing is removed for its age"
        return ""

    def stepped(self) -> str:
        """Asked at each pass: that the clock was stepped since the one before, in words; empty: it was not."""
        now, passed = self._now(), self._monotonic()
        step = (now - self._last[0]) - (passed - self._last[1])
        self._last = (now, passed)
        if abs(step) <= STEP:
            return ""
        self._believed_from = passed + STEADY
        return f"the clock was stepped {'on' if step > 0 else 'back'} by {duration(abs(step))}"

    @property
    def is_believed(self) -> bool:
        """Whether ages count."""
        return self._monotonic() >= self._believed_from
