"""The trend: open findings by severity as a stacked bar for each edition, the gravest below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.drawings import svg
from zonewatch.reports.words import SEVERITY_MARKS, short_number
from zonewatch.rules.findings import Severity

__all__ = ["MOST_BARS", "Bar", "trend"]

MOST_BARS: Final = 24
HEIGHT: Final = 150.0
LEFT: Final = 12.0
TOP: Final = 22.0
WIDE: Final = 56.0
GAP: Final = 24.0


@dataclass(frozen=True, slots=True)
class Bar:
    """An edition with its counts, the gravest first."""

    name: str
    counts: tuple[tuple[Severity, int], ...]
    title: str = ""

    @property
    def total(self) -> int:
        """All of them."""
        return sum(count for _, count in self.counts)


def trend(bars: Sequence[Bar], title: str, description: str, legend: Mapping[Severity, str]) -> str:
    """The drawing. Each part has its sign and number, so that nothing rests on colour."""
    most = max((bar.total for bar in bars), default=0) or 1
    base = TOP + HEIGHT
    keys, end = _legend(legend, base + 44)
    width = max(LEFT * 2 + len(bars) * (WIDE + GAP), end)
    parts = [svg.line(LEFT, base, width - LEFT, base, stroke="muted", stroke_width=1)]
    for place, bar in enumerate(bars):
        parts.append(_bar(bar, LEFT + GAP / 2 + place * (WIDE + GAP), base, most))
    return svg.drawing("trend", width, base + 62, title, description, [*parts, *keys])


def _bar(bar: Bar, x: float, base: float, most: int) -> str:
    parts, y = [], base
    for severity, count in bar.counts:
        if not count:
            continue
        high = HEIGHT * count / most
        y -= high
        parts.append(svg.rect(x, y, WIDE, max(high - 1, 0.6), fill="surface", stroke=severity, stroke_width=1.4, rx=2))
        if high >= 13:
            told = f"{_mark(severity)} {short_number(count)}"
            middle = y + high / 2 + 4
            parts.append(svg.label(told, x + WIDE / 2, middle, 10.5, fill=severity, bold=True, at="middle"))
    parts.append(svg.label(short_number(bar.total), x + WIDE / 2, y - 5, 11, bold=True, at="middle"))
    parts.append(svg.label(bar.name, x + WIDE / 2, base + 16, 10.5, fill="muted", at="middle", room=WIDE + GAP - 4))
    return svg.group(parts, bar.title)


def _mark(severity: Severity) -> str:
    return next(mark.symbol for name, mark in SEVERITY_MARKS.items() if name == severity)


def _legend(legend: Mapping[Severity, str], y: float) -> tuple[list[str], float]:
    parts, x = [], LEFT
    for severity, words in legend.items():
        parts.append(svg.label(_mark(severity), x, y, 12, fill=severity, bold=True))
        parts.append(svg.label(words, x + 16, y, 11, fill="muted"))
        x += svg.width_of(words, 11) + 40
    return parts, x
