"""A timeline: one row a thing, its times from first to last, the axis in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.drawings import svg
from zonewatch.reports.words import SECOND, SEVERITY_MARKS, clock
from zonewatch.rules.findings import Severity

__all__ = ["Track", "steps", "timeline"]

WIDTH: Final = 860.0
LABEL: Final = 330.0
ROW: Final = 21.0
TOP: Final = 40.0
RIGHT: Final = 24.0
FEWEST_TICKS: Final = 2
MOST_TICKS: Final = 7
_STEPS: Final = tuple(
    seconds * SECOND
    for seconds in (
        *(1, 2, 5, 10, 15, 30),
        *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
        *(3_600 * hours for hours in (1, 2, 3, 6, 12)),
        *(86_400 * days for days in (1, 2, 5, 7, 14, 30, 90, 180, 365, 1_825, 3_650)),
    )
)


@dataclass(frozen=True, slots=True)
class Track:
    """A thing with its first and its last time."""

    label: str
    severity: Severity
    first: int
    last: int
    title: str = ""


def steps(first: int, last: int) -> tuple[int, ...]:
    """Round moments between two times: at most seven of them."""
    step = next((step for step in _STEPS if (last - first) / step <= MOST_TICKS - 1), _STEPS[-1] * 100)
    return tuple(range(-(-first // step) * step, last + 1, step))


def _tick(moments: Sequence[int]) -> Callable[[int], str]:
    """Days where they are days apart, else times, with seconds where they are needed."""
    step = moments[1] - moments[0] if len(moments) >= FEWEST_TICKS else SECOND
    if step >= 86_400 * SECOND:
        return lambda moment: clock(moment)[:10]
    return lambda moment: clock(moment)[11 : 16 if step >= 60 * SECOND else 19]


def timeline(tracks: Sequence[Track], first: int, last: int, title: str, description: str) -> str:
    """The drawing, of what lies between two times. Tracks without a time are left out."""
    timed = [track for track in tracks if track.first]
    last = max(last, first + SECOND)
    height = TOP + len(timed) * ROW + 10
    room = WIDTH - LABEL - RIGHT

    def place(moment: int) -> float:
        return LABEL + room * (min(max(moment, first), last) - first) / (last - first)

    moments = steps(first, last)
    shown = _tick(moments)
    parts = [svg.label(f"{clock(first)[:10]}, UTC", 0, 22, 11, fill="muted")]
    for moment in moments:
        x = place(moment)
        parts.append(svg.line(x, TOP - 8, x, height - 6, stroke="rule", stroke_width=1))
        parts.append(svg.label(shown(moment), x, 22, 10.5, fill="muted", at="middle"))
    for row, track in enumerate(timed):
        parts.append(_row(track, TOP + row * ROW, place(track.first), place(track.last)))
    return svg.drawing("timeline", WIDTH, height, title, description, parts)


def _row(track: Track, y: float, start: float, end: float) -> str:
    mark = SEVERITY_MARKS[track.severity].symbol
    parts = [
        svg.label(mark, 14, y + 13, 11, fill=track.severity, bold=True, at="middle"),
        svg.label(track.label, 30, y + 13, 11.5, room=LABEL - 46),
        svg.line(LABEL, y + ROW - 2, WIDTH - RIGHT, y + ROW - 2, stroke="soft", stroke_width=1),
        svg.rect(start - 2, y + 4, max(end - start, 0) + 4, 10, fill=track.severity, rx=2),
    ]
    return svg.group(parts, track.title)
