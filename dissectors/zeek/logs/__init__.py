"""The logs that are read, by their names: one file for each family, one `Kind` for each log."""

from __future__ import annotations

from typing import Final

from zonewatch.dissectors.zeek.logs import bacnet, conn, dnp3, hosts, identity, logins, modbus, s7comm, web
from zonewatch.dissectors.zeek.told import Kind

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for family in (conn, modbus, dnp3, bacnet, s7comm, identity, web, logins, hosts)
    for kind in family.KINDS
}
BESIDE: Final = {name: kind.name for kind in KINDS.values() for name in kind.beside}
"""Logs that are read together with another one."""
