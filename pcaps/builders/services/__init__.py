"""Captures of services, a module a group; `ALL` lists them."""

from __future__ import annotations

from collections.abc import Callable

from builders.services import (
    connections,
    databases,
    gateways,
    logins,
    management,
    names,
    neighbours,
    routers,
    secrets,
    secure,
    web,
    windows,
)
from builders.wire import Capture

Build = Callable[[Capture], None]

ALL: tuple[tuple[str, Build, str], ...] = (
    *names.CAPTURES,
    *neighbours.CAPTURES,
    *routers.CAPTURES,
    *secure.CAPTURES,
    *windows.CAPTURES,
    *management.CAPTURES,
    *web.CAPTURES,
    *logins.CAPTURES,
    *databases.CAPTURES,
    *connections.CAPTURES,
    *secrets.CAPTURES,
    *gateways.CAPTURES,
)
"""File name, what builds it, and what it shows."""
