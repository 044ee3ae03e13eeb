"""The end of a write-ahead log: whether a transaction was being written when its writer ended.

https://www.sqlite.org/fileformat2.html, section 4: a header of 32 octets, then frames of 24 and a page. Frames of the
log at hand carry the salt of its header; what an earlier one left behind carries another. The last frame of a
transaction tells the size of the database, others zero.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["NOTHING", "Unfinished", "unfinished"]

_HEADER: Final = 32
_FRAME: Final = 24


class Unfinished(NamedTuple):
    """What stands behind the last transaction that SQLite reads."""

    octets: int
    has_commit: bool  # a transaction was whole once: it was torn later


NOTHING: Final = Unfinished(0, False)


def unfinished(path: Path, committed: int) -> Unfinished:
    """What of the log lies behind its last `committed` frames and belongs to it."""
    try:
        octets = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER)
            if len(header) < _HEADER:
                return NOTHING
            page = struct.unpack_from(">I", header, 8)[0]
            place = end = _HEADER + committed * (_FRAME + page)
            has_commit = False
            while file.seek(end) < octets and (frame := file.read(_FRAME))[8:16] == header[16:24]:
                has_commit |= frame[4:8] != bytes(4) and end + _FRAME + page <= octets
                end += _FRAME + page
    except OSError:
        return NOTHING
    return Unfinished(max(min(end, octets) - place, 0), has_commit)
