"""A worker on a folder with a real receiver, and real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zonewatch.sensor.shipping.backoff import Backoff
from zonewatch.sensor.shipping.clock import steady
from zonewatch.sensor.shipping.delivery import Deliveries
from zonewatch.sensor.shipping.outbox import Outbox
from zonewatch.sensor.shipping.receiver import Receiver
from zonewatch.sensor.shipping.receivers import connector
from zonewatch.sensor.shipping.settings import Receiver as Settings
from zonewatch.sensor.shipping.status import Figures, figures
from zonewatch.sensor.shipping.worker import Limits, Worker

SECOND = 1_000_000_000


def receiver(**given: Any) -> Receiver:
    """A receiver by its settings."""
    made: Any = TypeAdapter(Settings).validate_python(given)
    return connector(made)()


def deliver_all(
    folder: Path,
    seconds: float = 240,
    rows: int = 500,
    between: Callable[[Figures], None] = lambda _: None,
    **given: Any,
) -> Figures:
    """Delivers the outbox until nothing waits; `between` is called after each turn."""
    made: Any = TypeAdapter(Settings).validate_python(given)
    with closing(Deliveries(folder)) as deliveries:
        deliveries.begin(["siem"])
        backoff = Backoff(SECOND // 5, SECOND)
        worker = Worker("siem", connector(made), Outbox(folder), deliveries, backoff, steady(), Limits(rows))
        end = time.monotonic() + seconds
        try:
            while True:
                wait = worker.turn()
                (found,) = figures(folder)
                between(found)
                if not found.waiting:
                    return found
                assert time.monotonic() < end, found
                time.sleep(max(wait, 0) / SECOND)
        finally:
            worker.close()
