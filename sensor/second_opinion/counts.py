"""Counts of one capture with the frames behind them, bounded."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from zonewatch.sensor.second_opinion.facts import Key

__all__ = ["MOST_FRAMES", "Counts"]

MOST_FRAMES: Final = 4_000_000
"""Frames behind counts that are remembered of a capture; beyond them only the counts are."""
MOST_KEYS: Final = 200_000


@dataclass(slots=True)
class Counts:
    """How often each fact was told, and in which frames."""

    total: Counter[Key] = field(default_factory=Counter)
    frames: dict[Key, array[int]] = field(default_factory=dict)
    is_cut: bool = False  # keys or frames beyond the bounds
    _remembered: int = 0

    def add(self, key: Key, frames: list[int]) -> None:
        """Counts the fact once for each of the frames."""
        if key not in self.total and len(self.total) >= MOST_KEYS:
            self.is_cut = True
            key = key._replace(sender="others", receiver="others")
        self.total[key] += len(frames)
        if self._remembered + len(frames) > MOST_FRAMES:
            self.is_cut = True
            return
        self._remembered += len(frames)
        self.frames.setdefault(key, array("Q")).extend(frames)
