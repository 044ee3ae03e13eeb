"""`zonewatch ship`: the process that delivers, and what people ask it."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from zonewatch import __version__
from zonewatch.reports.rows import Console, Format, emit
from zonewatch.reports.words import visible
from zonewatch.sensor.figures import Server, joined
from zonewatch.sensor.settings import load_settings
from zonewatch.sensor.shipping import metrics
from zonewatch.sensor.shipping.clock import steady
from zonewatch.sensor.shipping.dashboards import FLAVOURS, dashboards
from zonewatch.sensor.shipping.delivery import DELIVERY, Deliveries
from zonewatch.sensor.shipping.receiver import Row
from zonewatch.sensor.shipping.secret import SecretError, without
from zonewatch.sensor.shipping.settings import ShippingSettings
from zonewatch.sensor.shipping.shipper import Place, Shipper, only_one, places, prepare
from zonewatch.sensor.shipping.status import figure_rows, figures, refused_rows
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL, UsageError
from zonewatch.sensor.watch.metrics import FILE as WATCHED

MOST_SHOWN: Final = 100
TEST: Final = "test"
"""Tag of a test alert."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(config: Path) -> int:
    """Delivers until SIGTERM or SIGINT."""
    settings = _settings(config)
    # Blocked in every thread, and taken where the process waits: no handler runs in the midst of something.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with only_one(settings.folder):
        found = _places(settings)
        prepare(settings.folder, found)
        shipper = Shipper(settings.folder, found, steady(), _say)
        with ExitStack() as opened:
            if (listening := load_settings(config).metrics) is not None:
                opened.callback(Server(listening, lambda: _figures(settings.folder)).close)
            return DONE if shipper.run(lambda seconds: signal.sigtimedwait(_SIGNALS, seconds) is not None) else FOUND


def _figures(folder: Path) -> str:
    """Of the process that captures, by its file, and of this one."""
    return joined((folder / WATCHED,), metrics.text(folder))


def once(config: Path) -> int:
    """Delivers what is there, and says who did not take all of it."""
    settings = _settings(config)
    with only_one(settings.folder):
        found = _places(settings)
        prepare(settings.folder, found)
        done = Shipper(settings.folder, found, steady(), _say).once()
    return DONE if all(done.values()) else PARTIAL


def status(config: Path, form: Format) -> int:
    """How far every receiver is, and what was refused."""
    settings = _settings(config)
    found = figures(settings.folder)
    emit(figure_rows(found, time.time_ns()), form, sys.stdout)
    if form == "table" and any(one.refused for one in found):
        emit(refused_rows(settings.folder, MOST_SHOWN), form, sys.stdout)
    return FOUND if any(one.active and (one.refused or one.attempts) for one in found) else DONE


def retry(config: Path, receiver: str) -> int:
    """Lets what a receiver refused wait again."""
    settings = _settings(config)
    _known(settings, receiver)
    count = 0
    if (settings.folder / DELIVERY).exists():
        with closing(Deliveries(settings.folder)) as deliveries:
            count = deliveries.retry(receiver)
    _say(f"{receiver}: {count} refused alerts wait again")
    return DONE


def test(config: Path, receiver: str) -> int:
    """Sends one alert that says that it is a test. Nothing of it is kept here."""
    settings = _settings(config)
    _known(settings, receiver)
    (place,) = _places(settings.model_copy(update={"receivers": {receiver: settings.receivers[receiver]}}))
    row = _test_row(time.time_ns())
    try:
        with closing(place.connect()) as opened:
            (outcome,) = opened.deliver([row])
        told, answer = str(outcome.kind), outcome.answer
    except Exception as error:
        told, answer = "not delivered", f"{type(error).__name__}: {error}"
    shown = without(" ".join(answer.split()), place.secrets)
    _say(f"{receiver}: test alert {row.event_id}: {told}{': ' if shown else ''}{shown}")
    return DONE if told == "delivered" else FOUND


def show_dashboards(flavour: str) -> int:
    """Writes the saved objects to standard output."""
    if flavour not in FLAVOURS:
        raise UsageError(f"--dashboards {flavour}: one of {', '.join(FLAVOURS)}")
    sys.stdout.write(dashboards(flavour))
    return DONE


def _test_row(now: int) -> Row:
    moment = datetime.fromtimestamp(now / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    subject = f"test.{now}"
    alert: dict[str, Any] = {
        "@timestamp": moment,
        "ecs": {"version": "8.17.0"},
        "tags": ["ot", "zonewatch", TEST],
        "event": {
            "id": subject,
            "kind": "alert",
            "category": ["host"],
            "type": ["info"],
            "module": "zonewatch",
            "dataset": "zonewatch.health",
            "severity": 1,
            "start": moment,
        },
        "message": "This is a test of zonewatch: nothing happened.",
        "rule": {"id": "health.test", "name": "health: test"},
        "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": __version__},
        "zonewatch": {"severity": "info", "state": "open", "subject": subject, "telling": 1},
    }
    return Row(0, subject, subject, now, json.dumps(alert, sort_keys=True))


def _settings(config: Path) -> ShippingSettings:
    whole = load_settings(config)
    settings = ShippingSettings(folder=whole.store.folder, receivers=whole.receivers)
    if not settings.folder.is_dir():
        raise UsageError(f"{settings.folder}: no such folder")
    return settings


def _places(settings: ShippingSettings) -> tuple[Place, ...]:
    try:
        return places(settings)
    except SecretError as error:
        raise UsageError(str(error)) from None


def _known(settings: ShippingSettings, receiver: str) -> None:
    if receiver not in settings.receivers:
        raise UsageError(f"{receiver}: no such receiver; there are {', '.join(sorted(settings.receivers)) or 'none'}")


def _say(line: str) -> None:
    Console(stderr=True, highlight=False).print(f"zonewatch: {visible(line)}", markup=False, soft_wrap=True)
