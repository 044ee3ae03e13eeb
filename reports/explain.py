"""One frame, read by two: ours beside Wireshark's, on a terminal and as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console, ConsoleRenderable, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from zonewatch.reports.rows import lenient
from zonewatch.reports.words import counted, number, visible

__all__ = ["Explained", "Line", "lines_json", "render"]

BESIDE: Final = 120
"""Columns of a terminal from which the two stand side by side."""
MOST_LINES: Final = 1_500
"""Lines of one side; `--json` has all."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a reading, with those below it."""

    name: str  # of the field, as tshark names it; empty of ours
    text: str
    is_masked: bool = False  # a secret, or what may be one
    below: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """Both readings of a frame."""

    capture: str
    frame: int
    frames: int  # in the capture
    ours: tuple[Line, ...]
    theirs: tuple[Line, ...]
    reader: str  # `tshark 4.0.17`; empty where there is none
    notes: tuple[str, ...] = ()  # what is missing, one sentence each


def lines_json(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as JSON values."""
    return [
        {
            "name": line.name,
            "text": line.text,
            **({"masked": True} if line.is_masked else {}),
            **({"below": lines_json(line.below)} if line.below else {}),
        }
        for line in lines
    ]


def masks(lines: Sequence[Line]) -> int:
    """How many lines are masked."""
    return sum(line.is_masked + masks(line.below) for line in lines)


def render(explained: Explained, console: Console) -> None:
    """Prints both readings: side by side where there is room, else ours above."""
    lenient(console.file)
    ascii_only = not console.encoding.lower().startswith("utf")
    place = f"{visible(explained.capture)}, frame {number(explained.frame)} of {number(explained.frames)}"
    console.print(Rule(Text(place, style="bold"), align="left", characters="-" if ascii_only else "━"))
    ours = _side("zonewatch", explained.ours, "")
    theirs = _side(explained.reader, explained.theirs, _hidden(explained.theirs)) if explained.reader else None
    if theirs is None:
        console.print(ours)
    elif console.width >= BESIDE:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        table.add_row(ours, theirs)
        console.print(table)
    else:
        console.print(ours)
        console.print()
        console.print(theirs)
    for note in explained.notes:
        console.print(Text(visible(note), style="yellow"))


def _hidden(lines: Sequence[Line]) -> str:
    count = masks(lines)
    return f"{counted(count, 'line')} masked: secrets, and what may hold one" if count else ""


def _side(title: str, lines: Sequence[Line], note: str) -> ConsoleRenderable:
    shown = list(_texts(lines))
    parts: list[ConsoleRenderable] = [
        Rule(Text(visible(title), style="bold"), align="left", style="dim", characters="-")
    ]
    parts += shown[:MOST_LINES]
    if len(shown) > MOST_LINES:
        parts.append(Text(f"… {counted(len(shown) - MOST_LINES, 'more line')} (--json has all)", style="dim"))
    if note:
        parts.append(Text(note, style="dim"))
    return Group(*parts)


def _texts(lines: Sequence[Line], depth: int = 0) -> Iterator[ConsoleRenderable]:
    for line in lines:
        style = "dim italic" if line.is_masked else "bold" if depth == 0 else ""
        yield Padding(Text(visible(line.text), style=style, overflow="fold"), (0, 0, 0, 2 * depth))
        yield from _texts(line.below, depth + 1)
