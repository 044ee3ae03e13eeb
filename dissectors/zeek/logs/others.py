"""Logs of control protocols of which nothing is told but who spoke them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.dissectors.zeek.told import ENDS, Found, Kind, Lines, flows_of

_FLOWS: Final = {
    "profinet_io_cm": ("profinet-cm", "udp"),
    "synchrophasor": ("synchrophasor", "tcp"),
    "hart_ip": ("hart-ip", "tcp"),
    "hart_ip_general": ("hart-ip", "tcp"),
    "omron_fins_general": ("fins", "udp"),
    "c1222": ("c1222", "tcp"),
    "ge_srtp": ("ge-srtp", "tcp"),
}
"""Log → the protocol's name as a service here, and what it usually runs over."""


def _flows(transport: str) -> Callable[[Lines], Found]:
    return lambda lines: Found(flows=flows_of(lines, transport))


KINDS: Final = tuple(Kind(name, ENDS, _flows(transport), protocol) for name, (protocol, transport) in _FLOWS.items())
