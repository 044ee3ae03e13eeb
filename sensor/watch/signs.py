"""Signs of life while a pass judges: it may take longer than the service manager waits, and is alive all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from zonewatch.sensor.watch.notify import Notifier

_EVERY: Final = 10.0
"""Seconds between two looks."""
_LEAST: Final = 0.01
"""Share of a core that who works uses at least: who waits for what never comes uses none."""
_LONGEST: Final = 3600.0
"""Seconds after which a pass is taken for one that goes round in a circle."""


@contextmanager
def signs_of_work(
    notifier: Notifier, every: float = _EVERY, least: float = _LEAST, longest: float = _LONGEST
) -> Iterator[None]:
    """Tells the service manager that the calling thread lives, as long as it computes and is not too long at it."""
    done, clock = threading.Event(), time.pthread_getcpuclockid(threading.get_ident())

    def look() -> None:
        used, end = time.clock_gettime(clock), time.monotonic() + longest
        while not done.wait(every) and time.monotonic() < end:
            before, used = used, time.clock_gettime(clock)
            if used - before >= least * every:
                notifier.tell(WATCHDOG="1")

    thread = threading.Thread(target=look, name="signs of work", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
