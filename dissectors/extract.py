"""Chosen packets of captures as mini captures (pcapng), found in one more streaming pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.dissectors import _native

__all__ = ["Extract", "MiniCapture", "Wanted", "extract"]

_STEP: Final = 500_000
"""Packets between two calls of `progress`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be read again, and the packets wanted of it."""

    source: str
    name: str  # in results
    path: Path
    frames: tuple[tuple[int, int, int | None], ...]
    """Frame, number of a mini capture that it goes to, and how many octets of what TCP or UDP carries in it are shown:
    none where all are."""


@dataclass(frozen=True, slots=True)
class MiniCapture:
    """A pcapng file. Each packet's comment names its frame and file; times are nanoseconds."""

    octets: bytes  # empty where none of the packets was found
    packets: int
    left_out: int  # found, and not in it because all together would be too large


@dataclass(frozen=True, slots=True)
class Extract:
    """The mini captures by number, and what went wrong by number of the file."""

    captures: tuple[MiniCapture, ...]
    problems: tuple[tuple[int, str], ...]


def extract(
    files: Sequence[Wanted],
    captures: int,
    most_octets: int,
    progress: Callable[[int, int], None] | None = None,
) -> Extract:
    """Reads each file up to the last packet wanted of it.

    Where the mini captures would be larger than `most_octets` in all, the last are given up first. `progress` is called
    with the packets and octets of input read so far.
    """
    native = _native.Extractor(
        [(file.source, file.name, str(file.path), file.frames) for file in files], captures, most_octets
    )
    while native.advance(_STEP):
        if progress is not None:
            progress(native.packets(), native.bytes_read())
    return Extract(tuple(MiniCapture(*native.take(number)) for number in range(captures)), tuple(native.problems()))
