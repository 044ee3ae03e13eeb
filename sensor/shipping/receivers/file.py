"""A file with a line of JSON for each alert, on disk before it counts as delivered, and rotated by size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.formats import render
from zonewatch.sensor.shipping.receiver import Outcome, Row, Unreachable, filled, rendered

_STEP: Final = 65_536


class File:
    """The file, opened for one batch at a time, so that who moves it away is not written to behind his back."""

    def __init__(self, wanted: settings.File) -> None:
        self._path = wanted.path
        self._size = wanted.size
        self._keep = wanted.keep
        self._render = render(wanted.form)

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """Appends the lines; all of them, or none."""
        outcomes, made = rendered(rows, self._render)
        if made:
            try:
                self._append(b"".join(octets + b"\n" for _, octets in made))
            except OSError as error:
                raise Unreachable(f"{self._path}: {error.strerror}") from None
        return filled(outcomes)

    def close(self) -> None:
        """Nothing is kept open."""

    def _append(self, octets: bytes) -> None:
        if self._path.exists() and self._path.stat().st_size >= self._size:
            self._rotate()
        new = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            end = _whole(handle)
            try:
                os.ftruncate(handle, end)  # a line that a crash cut; its batch is being sent again
                _write(handle, octets, end)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)
        if new:
            _sync(self._path.parent)

    def _rotate(self) -> None:
        for number in range(self._keep, 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1) if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        _sync(self._path.parent)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _whole(handle: int) -> int:
    """Where the last whole line ends."""
    end = os.fstat(handle).st_size
    while end > 0:
        begin = max(0, end - _STEP)
        found = os.pread(handle, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _write(handle: int, octets: bytes, at: int) -> None:
    rest = memoryview(octets)
    while rest:
        count = os.pwrite(handle, rest, at)
        rest, at = rest[count:], at + count


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(wanted: settings.File) -> File:
    """The receiver."""
    return File(wanted)
