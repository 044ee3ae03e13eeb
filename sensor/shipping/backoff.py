"""How long to wait after attempts in vain: twice as long each time, up to a bound, less a random part."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits of one receiver, in nanoseconds. `chance` gives numbers from 0 up to 1."""

    first: int
    longest: int
    chance: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    def wait(self, attempts: int) -> int:
        """The wait after so many attempts in vain: between half of the step and the whole."""
        step = min(self.longest, self.first << min(attempts - 1, 62))
        return int(step * (1 - self.chance() / 2))
