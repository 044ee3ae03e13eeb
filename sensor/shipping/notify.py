"""What systemd is told over NOTIFY_SOCKET (sd_notify(3)); nothing where nobody asks."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """`READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened, contextlib.suppress(OSError):
        opened.connect("\0" + address[1:] if address.startswith("@") else address)
        opened.sendall(state.encode())


def watchdog_interval() -> float:
    """Seconds between two signs of life; 0 where systemd waits for none."""
    asked = os.environ.get("WATCHDOG_USEC", "")
    mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(asked) / 2_000_000 if mine and asked.isascii() and asked.isdigit() else 0.0
