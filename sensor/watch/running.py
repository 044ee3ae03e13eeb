"""The process that hears and judges, from the moment on when it reaches its own files alone."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

from zonewatch.dissectors.live import Live
from zonewatch.dissectors.zeek.follow import Followed
from zonewatch.sensor.confine import ConfinementError, confine
from zonewatch.sensor.settings import Settings
from zonewatch.sensor.shipping.delivery import DeliveryError, needed_after
from zonewatch.sensor.shipping.outbox import OutboxError
from zonewatch.sensor.shipping.status import figures
from zonewatch.sensor.store.store import Store
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError
from zonewatch.sensor.watch.command import tell
from zonewatch.sensor.watch.daemon import Backlog, Clock, Orders, Watch, capture_name
from zonewatch.sensor.watch.health import Refused
from zonewatch.sensor.watch.loaded import load
from zonewatch.sensor.watch.notify import Notifier
from zonewatch.sensor.watch.settings import CaptureSettings, ZeekSettings


def run(settings: Settings, notifier: Notifier) -> int:
    """Opens the capture, gives up what opening needed, and listens until it is told to stop."""
    loaded = load(settings.judge)  # what is wrong with the files is said before anything is heard
    orders, folder = Orders(), settings.store.folder
    signal.signal(signal.SIGTERM, lambda *_: orders.stop.set())
    signal.signal(signal.SIGINT, lambda *_: orders.stop.set())
    signal.signal(signal.SIGHUP, lambda *_: orders.reload.set())
    with ExitStack() as opened:
        live = [(point.source, opened.enter_context(_listen(point))) for point in settings.capture]
        try:
            tell(confine())
        except ConfinementError as error:
            raise UsageError(f"{error}; nothing is listened to") from None
        followed = [(point.source, opened.enter_context(_follow(point, folder))) for point in settings.zeek]
        store = opened.enter_context(Store.open(folder, settings.store))
        returned = Watch(
            [*live, *followed],
            store,
            folder,
            settings.judge,
            settings.health,
            lambda: load(settings.judge),
            Clock(time.time_ns, time.monotonic_ns),
            notifier,
            lambda: delivered(folder, configured=bool(settings.receivers)),
            loaded,
        ).run(orders)
        for _, one in followed:
            one.saved()
    return PARTIAL if returned else DONE


def _listen(point: CaptureSettings) -> Live:
    return Live(
        point.source,
        point.interfaces,
        capture=capture_name(point.source, time.time_ns()),
        ring_octets=point.ring,
        threads=point.threads,
        most_remembered_octets=point.remember,
    )


def _follow(point: ZeekSettings, folder: Path) -> Followed:
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in point.source)
    return Followed(point.source, point.folder, folder / f"zeek-{name}.json")


def delivered(folder: Path, *, configured: bool) -> Backlog:
    """How far the receivers are, by the file of the process that ships; and whether there is any, or is to be."""
    try:
        active = [one for one in figures(folder) if one.active]
        needed = needed_after(folder)
    except (sqlite3.Error, DeliveryError, OutboxError) as error:  # a file of the other process must not end this one
        return Backlog(unreadable=str(error))
    oldest = min((one.oldest_at for one in active if one.waiting and one.oldest_at), default=0)
    return Backlog(
        age=max(time.time_ns() - oldest, 0) if oldest else 0,
        waiting=max((one.waiting for one in active), default=0),
        needed_after=needed,
        nobody=not (configured or active),
        refused=tuple(Refused(one.receiver, one.refused, one.forgotten) for one in active if one.refused),
    )
