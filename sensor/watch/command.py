"""`zonewatch watch`: from settings to a process that hears, judges, and can send nothing."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from zonewatch.dissectors.live import Live
from zonewatch.dissectors.zeek.follow import Followed
from zonewatch.reports.rows import Console
from zonewatch.reports.words import counted, listed, visible
from zonewatch.sensor.confine import Confined, ConfinementError, confine, confine_files
from zonewatch.sensor.interfaces.checks import deviations
from zonewatch.sensor.interfaces.mend import mend
from zonewatch.sensor.interfaces.read import read
from zonewatch.sensor.settings import Settings, StorePlace, load_settings
from zonewatch.sensor.shipping.delivery import needed_after
from zonewatch.sensor.shipping.outbox import OutboxError
from zonewatch.sensor.shipping.status import figures
from zonewatch.sensor.store.store import Store
from zonewatch.sensor.usage import DONE, PARTIAL, UsageError
from zonewatch.sensor.watch.daemon import Backlog, Clock, Orders, Watch, capture_name
from zonewatch.sensor.watch.loaded import load
from zonewatch.sensor.watch.notify import Notifier
from zonewatch.sensor.watch.settings import CaptureSettings, JudgeSettings, ZeekSettings

log: Final = logging.getLogger("zonewatch.watch")


def settings_of(
    config: Path | None,
    interfaces: Sequence[str],
    store: Path | None,
    policy: Path | None,
    zeek: Sequence[Path] = (),
) -> Settings:
    """Out of the file, or out of what was named instead. Raises UsageError, PolicyErrors."""
    if config is not None:
        if interfaces or store or policy or zeek:
            raise UsageError("--config FILE says all: leave -i, --zeek, --store and --policy away")
        found = load_settings(config)
        if not found.capture and not found.zeek:
            raise UsageError(f"{config}: names no interfaces (capture: - {{interfaces: [eth1]}}), and no logs of Zeek")
        return found
    if not interfaces and not zeek:
        raise UsageError("name interfaces to listen on (-i eth1), a folder of Zeek's logs (--zeek), or --config FILE")
    if store is None:
        raise UsageError("--store FOLDER is needed: where findings are kept")
    capture = [CaptureSettings.model_validate({"interfaces": list(interfaces)})] if interfaces else []
    names = ["zeek", *(f"zeek-{number}" for number in range(2, len(zeek) + 1))]
    return Settings(
        settings_version=1,
        capture=tuple(capture),
        zeek=tuple(
            ZeekSettings(source=name, folder=folder.absolute()) for name, folder in zip(names, zeek, strict=False)
        ),
        judge=JudgeSettings(policy=policy.absolute() if policy is not None else None),
        store=StorePlace(folder=store.absolute()),
    )


def check(settings: Settings, *, prepare: bool) -> int:
    """Reads everything that the settings name, and says what would be done; listens to nothing.

    With `prepare` interfaces are made silent, as root does for a service that is not.
    """
    _log_to_terminal()
    loaded = load(settings.judge)
    if prepare:
        for point in settings.capture:
            for interface in point.interfaces:
                _look_at(interface, prepare=True)
    console = Console(highlight=False)
    for point in settings.capture:
        console.print(f"listens at {point.source} on {listed(point.interfaces)}", markup=False)
    for logs in settings.zeek:
        console.print(f"follows at {logs.source} the logs in {logs.folder}", markup=False)
    policy = loaded.given.policy
    judged = f"policy of {loaded.title}, {counted(len(policy.zones), 'zone')}" if policy is not None else "no policy"
    console.print(f"judges by {judged}; keeps in {settings.store.folder}", markup=False)
    names = [f"{name} ({receiver.to})" for name, receiver in sorted(settings.receivers.items())]
    console.print(f"ships to {listed(names) or 'nobody'}", markup=False)
    return DONE


def watch(settings: Settings, *, prepare: bool) -> int:
    """Listens until SIGTERM or SIGINT; SIGHUP reads policy and rules anew."""
    _log_to_terminal()
    loaded = load(settings.judge)  # what is wrong with the files is said before anything begins
    folder = settings.store.folder
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for point in settings.capture:
        for interface in point.interfaces:
            _look_at(interface, prepare=prepare)
    notifier, orders = Notifier(), Orders()
    signal.signal(signal.SIGTERM, lambda *_: orders.stop.set())
    signal.signal(signal.SIGINT, lambda *_: orders.stop.set())
    signal.signal(signal.SIGHUP, lambda *_: orders.reload.set())
    with ExitStack() as opened:
        try:
            _say(confine_files(read=list(_read(settings)), write=[folder]))
            live = [(point.source, opened.enter_context(_listen(point))) for point in settings.capture]
            _say(confine(user=settings.user))
            if not os.access(logging.__file__, os.R_OK):
                raise UsageError(f"user {settings.user} cannot read Python's library, {Path(logging.__file__).parent}")
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
            lambda: delivered(folder),
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


def _read(settings: Settings) -> Iterator[Path]:
    """Folders of the files that a reload reads again: editors put a new file in the place of the old one."""
    judge = settings.judge
    for path in (judge.policy, judge.assets, judge.tags, judge.baseline, judge.detection):
        if path is not None:
            yield path.parent
    for path in judge.rules:
        yield path if path.is_dir() else path.parent
    for point in settings.zeek:
        yield point.folder
        # `current` is a link to where Zeek writes.
        yield from (path.resolve() for path in point.folder.iterdir() if path.is_symlink() and path.is_dir())


def _look_at(interface: str, *, prepare: bool) -> None:
    """Says what keeps an interface from being silent or true; mends it where that was asked for."""
    found = read(interface)
    if prepare:
        mended = mend(found)
        for failure in mended.failed:
            log.warning("%s: %s: %s", interface, " ".join(failure.command), failure.reason)
        found = read(interface)
    rows = [row for row in deviations(found) if not row.advice]
    for row in rows:
        log.warning("%s: %s. %s", interface, row.what, row.remedy)
    if rows:
        log.warning("%s: zonewatch interface prepare %s mends what can be mended", interface, interface)


def delivered(folder: Path) -> Backlog:
    """How far the receivers are, by the file of the process that ships."""
    try:
        active = [one for one in figures(folder) if one.active and one.waiting]
        needed = needed_after(folder)
    except (sqlite3.Error, OutboxError) as error:  # a file of the other process must not end this one
        return Backlog(unreadable=str(error))
    oldest = min((one.oldest_at for one in active if one.oldest_at), default=0)
    age = max(time.time_ns() - oldest, 0) if oldest else 0
    return Backlog(age, max((one.waiting for one in active), default=0), needed)


def _say(confined: Confined) -> None:
    for words in confined.in_force:
        log.info("%s", words)
    for words in confined.lacking:
        log.warning("%s", words)


class _Lines(logging.Formatter):
    """A line each, without control characters; systemd's journal adds times, a terminal gets them here."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _log_to_terminal() -> None:
    handler = logging.StreamHandler(sys.stderr)
    times = "%(asctime)s " if sys.stderr.isatty() else ""
    handler.setFormatter(_Lines(f"{times}%(levelname)s %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
