"""One line of time for a run: begun at the wall clock's time, driven by the monotonic clock.

A step of the wall clock neither holds a delivery back nor hurries it; after a restart the moments that were kept can
still be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""UTC nanoseconds."""


def steady(now: Clock = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns) -> Clock:
    """A clock that shows `now` at this moment and goes on with `monotonic`."""
    offset = now() - monotonic()
    return lambda: monotonic() + offset
