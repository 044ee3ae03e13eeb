"""Receivers, one file each; what is installed only with `zonewatch[appliance]` is loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.receiver import Receiver

_MODULES: Final[Mapping[str, str]] = {
    "elasticsearch": "elastic",
    "opensearch": "opensearch",
    "syslog": "syslog",
    "kafka": "kafka",
    "webhook": "webhook",
    "file": "file",
}


def connector(wanted: settings.Receiver) -> Callable[[], Receiver]:
    """What makes the receiver. Raises ImportError where its library is not installed."""
    module: Any = import_module(f"zonewatch.sensor.shipping.receivers.{_MODULES[wanted.to]}")
    return lambda: module.connect(wanted)


def secrets(wanted: settings.Receiver) -> tuple[str, ...]:
    """The secrets of the receiver, to blot them out of what is shown. Raises SecretError where one cannot be read."""
    named = (getattr(wanted, name, None) for name in ("password", "api_key", "secret"))
    tls = getattr(wanted, "tls", None)
    found = [*named, tls.key_password if tls is not None else None]
    return tuple(secret.read() for secret in found if secret is not None)
