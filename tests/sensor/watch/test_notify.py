"""What the service manager is told."""

from __future__ import annotations

import socket
from pathlib import Path

from zonewatch.sensor.watch.notify import Notifier


def test_a_manager_that_does_not_listen_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for number in range(10_000):  # many more than wait in any queue
            notifier.tell(READY="1", STATUS=f"{number} packets")
        assert manager.recv(4096) == b"READY=1\nSTATUS=0 packets\n"


def test_no_manager_is_no_problem() -> None:
    notifier = Notifier({})
    notifier.tell(READY="1")
    assert notifier.descriptor is None
