"""`zonewatch watch`: from settings to a process that hears, judges, and can send nothing.

Nothing here loads Arrow, which starts threads: rights are given up before there is a second one.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from zonewatch.reports.words import counted, listed, visible
from zonewatch.sensor.confine import Confined, ConfinementError, become, confine_files, load_without_capabilities
from zonewatch.sensor.interfaces.checks import deviations
from zonewatch.sensor.interfaces.mend import mend
from zonewatch.sensor.interfaces.read import read
from zonewatch.sensor.settings import Settings, StorePlace, load_settings
from zonewatch.sensor.usage import DONE, UsageError
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
    from zonewatch.reports.rows import Console
    from zonewatch.sensor.watch.loaded import load

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
    """Listens until SIGTERM or SIGINT; SIGHUP reads policy and rules anew.

    Rights to files, and capabilities, are a thread's own: they are given up here, where there is one thread. Loading
    Arrow starts two.
    """
    _log_to_terminal()
    folder = settings.store.folder
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for point in settings.capture:
        for interface in point.interfaces:
            _look_at(interface, prepare=prepare)
    notifier = Notifier()
    try:
        tell(confine_files(read=list(_read(settings)), write=[folder]))
        load_without_capabilities("pyarrow")
        become(settings.user, keep=["CAP_NET_RAW"])
    except ConfinementError as error:
        raise UsageError(f"{error}; nothing is listened to") from None
    if not os.access(logging.__file__, os.R_OK):
        raise UsageError(f"user {settings.user} cannot read Python's library, {Path(logging.__file__).parent}")
    from zonewatch.sensor.watch.running import run

    return run(settings, notifier)


def _read(settings: Settings) -> Iterator[Path]:
    """Folders of the files that a reload reads again: editors put a new file in the place of the old one."""
    judge = settings.judge
    named = [path for path in (judge.policy, judge.assets, judge.tags, judge.baseline, judge.detection) if path]
    for path in (*named, *judge.rules):
        for place in {path, path.resolve()}:  # of a link, where it is and where it leads to
            folder = place if place.is_dir() else place.parent
            if folder.is_dir():  # what is missing is told by who reads it
                yield folder
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


def tell(confined: Confined) -> None:
    """Into the log, what was given up and what not."""
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
