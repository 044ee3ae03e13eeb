"""What the daemon tells the service manager: the datagrams of sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = "NOTIFY_SOCKET"


class Notifier:
    """A socket to the service manager, opened before the process may open none; silent where there is no manager."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._socket: socket.socket | None = None
        address = environment.get(_VARIABLE, "")
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)
            self._socket.setblocking(False)

    @property
    def descriptor(self) -> int | None:
        """Of the socket, which alone may be written to."""
        return self._socket.fileno() if self._socket is not None else None

    def tell(self, **state: str) -> None:
        """`tell(READY="1", STATUS="listening")`. A manager that does not listen is not waited for."""
        if self._socket is None:
            return
        text = "".join(f"{name}={value}\n" for name, value in state.items())
        try:
            # write(2) on the connected socket: sendto and sendmsg are denied to the process.
            os.write(self._socket.fileno(), text.encode())
        except OSError:
            return
