"""Files that are whole and on the disk, or not there; and room that is held back for the day the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from zonewatch.sensor.store.database import sync_folder

__all__ = ["PART", "Reserve", "has_no_room", "write"]

PART: Final = ".part"
_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def write(path: Path, octets: bytes) -> None:
    """Writes beside the place, moves it there, and returns when both are on the disk. Raises OSError."""
    part = path.with_name(f".{path.name}{PART}")
    try:
        with part.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def has_no_room(error: OSError) -> bool:
    """Whether the disk, a quota or a limit had no room."""
    return error.errno in _NO_ROOM


class Reserve:
    """A file that holds room and nothing else."""

    def __init__(self, path: Path, octets: int) -> None:
        self._path = path
        self._octets = octets

    @property
    def is_held(self) -> bool:
        """Whether the room is held."""
        try:
            return self._path.stat().st_size >= self._octets
        except OSError:
            return False

    def hold(self) -> bool:
        """Takes the room where there is some; whether it is held."""
        if not self.is_held:
            try:
                with self._path.open("wb") as file:
                    if self._octets:
                        os.posix_fallocate(file.fileno(), 0, self._octets)
            except OSError:
                self._path.unlink(missing_ok=True)
                return False
        return True

    def give_up(self) -> bool:
        """Gives the room back; whether there was any."""
        held = self._path.exists()
        self._path.unlink(missing_ok=True)
        return held
