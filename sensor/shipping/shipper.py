"""All receivers at once, a thread each: who is slow or dead keeps nobody else waiting."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping import receivers
from zonewatch.sensor.shipping.backoff import Backoff
from zonewatch.sensor.shipping.clock import Clock
from zonewatch.sensor.shipping.delivery import Deliveries
from zonewatch.sensor.shipping.notify import notify, watchdog_interval
from zonewatch.sensor.shipping.outbox import Outbox
from zonewatch.sensor.shipping.receiver import Receiver
from zonewatch.sensor.shipping.settings import ShippingSettings
from zonewatch.sensor.shipping.worker import Limits, Worker
from zonewatch.sensor.usage import UsageError

LOCK: Final = "delivery.lock"
POLL: Final = SECOND
"""How often the outbox is looked into."""
GRACE: Final = 20.0
"""Seconds that a batch which is under way may take after the end was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """One receiver, ready to be connected."""

    name: str
    connect: Callable[[], Receiver]
    backoff: Backoff
    limits: Limits
    secrets: tuple[str, ...]
    from_now: bool


def places(settings: ShippingSettings) -> tuple[Place, ...]:
    """The receivers of the settings. Secrets are read once here, so that a missing one is told at the start."""
    made = []
    for name, one in settings.receivers.items():
        try:
            connect = receivers.connector(one)
        except ImportError as error:
            raise UsageError(
                f"receivers.{name}: {one.to} needs {error.name}: pip install 'zonewatch[appliance]'"
            ) from None
        made.append(
            Place(
                name,
                connect,
                Backoff(one.first_wait, one.longest_wait),
                Limits(one.rows, one.octets, one.held, one.refused),
                receivers.secrets(one),
                one.begin == "now",
            )
        )
    return tuple(made)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Refuses to run beside another shipper of the same folder."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{folder}: another zonewatch ship runs there") from None
        yield
    finally:
        os.close(handle)


def prepare(folder: Path, found: tuple[Place, ...]) -> None:
    """Makes the receivers known to `delivery.db`."""
    outbox = Outbox(folder)
    deliveries = Deliveries(folder)
    try:
        new = [one.name for one in found if one.from_now and not deliveries.known(one.name)]
        deliveries.begin(one.name for one in found)
        for name in new:
            deliveries.go_to(name, *outbox.last())
    finally:
        deliveries.close()


class Shipper:
    """Delivers until it is told to stop."""

    def __init__(self, folder: Path, found: tuple[Place, ...], clock: Clock, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._places = found
        self._clock = clock
        self._say = say
        self._ending = threading.Event()

    def run(self, asked_to_end: Callable[[float], bool]) -> bool:
        """Delivers until `asked_to_end`, which waits so many seconds, says so. True where all ended well.

        A batch that is still under way after a grace will be sent again.
        """
        threads = [threading.Thread(target=self._ship, args=(one,), name=one.name, daemon=True) for one in self._places]
        for thread in threads:
            thread.start()
        notify("READY=1")
        every = watchdog_interval()
        while not asked_to_end(min(every, 1.0) if every else 1.0):
            if not all(thread.is_alive() for thread in threads):
                self._ending.set()
                return False
            notify("WATCHDOG=1")
        notify("STOPPING=1")
        self._ending.set()
        end = time.monotonic() + GRACE
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in threads)

    def _ship(self, place: Place) -> None:
        deliveries = Deliveries(self._folder)
        worker = self._worker(place, deliveries)
        try:
            while not self._ending.is_set():
                wait = worker.turn()
                self._ending.wait((POLL if wait < 0 else min(wait, POLL)) / SECOND)
        finally:
            with suppress(Exception):
                worker.close()
            deliveries.close()

    def _worker(self, place: Place, deliveries: Deliveries) -> Worker:
        return Worker(
            place.name,
            place.connect,
            Outbox(self._folder),
            deliveries,
            place.backoff,
            self._clock,
            place.limits,
            place.secrets,
            self._say,
        )

    def once(self) -> Mapping[str, bool]:
        """Delivers what is there, each receiver until it has all, or takes no more. Which have all."""
        done: dict[str, bool] = {}

        def ship(place: Place) -> None:
            deliveries = Deliveries(self._folder)
            worker = self._worker(place, deliveries)
            try:
                deliveries.hurry(place.name)
                wait = 0
                while wait == 0:
                    wait = worker.turn()
                done[place.name] = wait < 0
            finally:
                worker.close()
                deliveries.close()

        threads = [threading.Thread(target=ship, args=(one,), name=one.name, daemon=True) for one in self._places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {one.name: done.get(one.name, False) for one in self._places}
