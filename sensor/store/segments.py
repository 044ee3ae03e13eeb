"""Parquet segments of events and activities: their names, and which of them become one.

Every pass writes a small one. When `FAN` of a tier are there they become one of the next, so that a day of passes is
some hundred files. A name says which passes it holds: of a merge that ended halfway, one side is known to be double.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from zonewatch.sensor.decoding import spelled

__all__ = ["FAN", "FOLDER", "Segment", "due", "merged", "octets"]

FOLDER: Final = "events"
FAN: Final = 32
LAST_TIER: Final = 2
_NAME: Final = re.compile(r"([0-9]{6,})-([0-9]{8,})-([0-9]{8,})-([0-9])\.([a-z]+)\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A file of `events/`, by its name."""

    period: int
    first: int  # number of its first write
    last: int
    tier: int
    table: str

    @classmethod
    def parse(cls, name: str) -> Segment | None:
        """None of another file's name."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        period, first, last, tier = (int(match[place]) for place in range(1, 5))
        return cls(period, first, last, tier, match[5])

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.period:06}-{self.first:08}-{self.last:08}-{self.tier}.{self.table}.parquet"

    def overlaps(self, other: Segment) -> bool:
        """Whether both hold the same rows."""
        same = (self.period, self.table) == (other.period, other.table)
        return same and self.first <= other.last and other.first <= self.last


def octets(table: pa.Table) -> bytes:
    """The table as Parquet, words as plain text."""
    sink = io.BytesIO()
    pq.write_table(spelled(table), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def due(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Those that are to become one; none where there are too few of a kind."""
    groups: dict[tuple[int, str, int], list[Segment]] = {}
    for segment in sorted(segments):
        if segment.tier < LAST_TIER:
            group = groups.setdefault((segment.period, segment.table, segment.tier), [])
            group.append(segment)
            if len(group) == FAN:
                return tuple(group)
    return ()


def merged(segments: Sequence[Segment], folder: Path) -> tuple[Segment, bytes]:
    """One segment of several. Raises OSError and pyarrow.ArrowException."""
    head = segments[0]
    made = Segment(head.period, head.first, segments[-1].last, head.tier + 1, head.table)
    return made, octets(pa.concat_tables(pq.read_table(folder / segment.name) for segment in segments))
