"""The logs that are read, by their names: one file for each family, one `Kind` for each log."""

from __future__ import annotations

from typing import Final

from zonewatch.dissectors.zeek.logs import (
    bacnet,
    cip,
    conn,
    dnp3,
    hosts,
    logins,
    modbus,
    opcua,
    others,
    s7comm,
    web,
    weird,
)
from zonewatch.dissectors.zeek.told import Kind

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for family in (conn, modbus, dnp3, bacnet, s7comm, cip, opcua, others, web, logins, hosts, weird)
    for kind in family.KINDS
}
BESIDE: Final = {name: kind.name for kind in KINDS.values() for name in kind.beside}
"""Logs that are read together with another one."""


_REFERRED_TO: Final = tuple(kind.name for kind in KINDS.values() if kind.is_referred_to)


def rank(name: str) -> int:
    """The order in which logs of one time are read: connections, what others refer to, all others."""
    if name in _REFERRED_TO:
        return 1 + _REFERRED_TO.index(name)
    return 0 if name == "conn" else 1 + len(_REFERRED_TO)
