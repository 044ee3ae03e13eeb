"""A comparison on a terminal, and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rich.console import Console, ConsoleRenderable
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from zonewatch.reports.codec import indented
from zonewatch.reports.compare.model import MOVES, SUBJECTS, Change, Comparison, Move, Step
from zonewatch.reports.packs.changes import MARKS, Told, move_name, named, value_words, why_words
from zonewatch.reports.rows import Cell, Column, Rows, lenient, rich_table
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import visible
from zonewatch.rules.findings import SEVERITIES

__all__ = ["COMPARISON_VERSION", "dumps", "show"]

COMPARISON_VERSION: Final = 1
STYLES: Final[dict[Move, str]] = {
    "worse": "bold red",
    "appeared": "yellow",
    "changed": "",
    "better": "green",
    "vanished": "green",
    "unclear": "magenta",
}
ASCII: Final = str.maketrans({"▲": "^", "▼": "v", "≠": "~", "✓": "x", "−": "-", "→": ">"})


def dumps(comparison: Comparison) -> str:
    """All changes as JSON, one newline at the end."""
    return (
        indented({"comparison_version": COMPARISON_VERSION, "trend": comparison.trend, "steps": comparison.steps})
        + "\n"
    )


def show(comparison: Comparison, texts: Texts, console: Console, most: int = 15) -> None:
    """Prints the latest step, with at most so many changes of each kind, and the trend."""
    lenient(console.file)
    plain = not console.encoding.lower().startswith("utf")
    for piece in _pieces(comparison, texts, console.width, most, plain=plain):
        console.print(piece)


def _pieces(comparison: Comparison, texts: Texts, width: int, most: int, *, plain: bool) -> Iterator[ConsoleRenderable]:
    step, told = comparison.last, Told(comparison, texts, {})

    def said(words: str, style: str = "") -> Text:
        shown = visible(words)
        return Text(shown.translate(ASCII) if plain else shown, style=style)

    yield Rule(said(f"{step.before} → {step.after}", "bold"), characters="-" if plain else "─", align="left")
    for words in _notes(step, texts):
        yield Padding(said(f"! {words}", "yellow"), (0, 0, 0, 2))
    counts = Counter((change.subject, change.move) for change in step.changes)
    heads = (Column("subject", " "), *(Column(move, said(texts.word("move", move)).plain, True) for move in MOVES))
    body: tuple[tuple[Cell, ...], ...] = tuple(
        (texts.word("subject", row), *(counts[row, move] for move in MOVES)) for row in SUBJECTS
    )
    yield rich_table(Rows(heads, body), width)
    for subject in SUBJECTS:
        found = step.of(subject)
        if found:
            yield said(texts.word("subject", subject), "bold")
            yield from (
                Padding(said(_line(told, change), STYLES[change.move]), (0, 0, 0, 2)) for change in found[:most]
            )
            if len(found) > most:
                yield Padding(said(f"… {len(found) - most:,} more (--out and --json have all)", "dim"), (0, 0, 0, 2))
    columns = (
        Column("edition", texts.say("since.column.edition")),
        Column("packets", texts.say("since.column.packets"), right=True, rank=3),
        Column("assets", texts.say("since.column.assets"), right=True, rank=1),
        Column("edges", texts.say("since.column.edges"), right=True, rank=2),
        *(Column(name, texts.word("severity", name), right=True) for name in reversed(SEVERITIES)),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (row.name, row.packets, row.assets, row.edges, *(count for _, count in row.severities))
        for row in comparison.trend
    )
    yield rich_table(Rows(columns, rows, said(texts.say("trend.title")).plain), width)


def _notes(step: Step, texts: Texts) -> Iterator[str]:
    if not step.same_policy:
        yield texts.say("since.policy_missing" if "" in step.policies else "since.policy")
    if not step.same_version:
        yield texts.say("since.version", before=step.versions[0], after=step.versions[1])
    if any(step.points):
        gone, new = (", ".join(points) or "–" for points in step.points)
        yield texts.say("since.points", gone=gone, new=new)
    if step.blind:
        yield texts.say("since.blind", reason=texts.word("unclear", step.blind))
    measured = {row.name: row for row in step.coverage}
    packets = measured["packets"]
    yield texts.say("since.packets", before=packets.before, after=packets.after)


def _line(told: Told, change: Change) -> str:
    texts, name = told.texts, move_name(change)
    before, after = (value_words(told, change, value) for value in (change.before, change.after))
    severity = f" {texts.word('severity', change.severity)}" if change.severity else ""
    aspect = f" ({texts.word('aspect', change.aspect)}: {before or '–'} → {after or '–'})"
    value = f" ({before or after})" if before or after else ""
    more = aspect if change.aspect else value
    why = why_words(change, texts)
    why = why and f": {why}"
    return f"{MARKS[name]} {texts.word('move', name)}{severity}  {named(change, texts).text}{more}{why}"
