"""One writer: a lock of the operating system, which ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from zonewatch.sensor.store.database import StoreError

__all__ = ["Lock"]


class Lock:
    """Holds `path` for this process alone. Raises StoreError where another has it."""

    def __init__(self, path: Path, what: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(f"{path.parent}: {what} (process {holder})") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets the next one have it."""
        os.close(self._file)
