"""`conn`: every connection. It is read by `flows`, which tells what becomes of its columns."""

from __future__ import annotations

from typing import Final

from zonewatch.dissectors.zeek.flows import CONN
from zonewatch.dissectors.zeek.told import Found, Kind, Lines


def _conn(_: Lines) -> Found:
    return Found()


KINDS: Final = (Kind("conn", CONN, _conn),)
