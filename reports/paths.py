"""Ways from outside to controllers, and what to close, in words and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rich.console import Console, ConsoleRenderable
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from zonewatch.inventory.model import Asset
from zonewatch.reports.codec import indented
from zonewatch.reports.rows import Column, Rows, lenient
from zonewatch.reports.speech import Speech, english
from zonewatch.reports.words import counted, frames, label, visible
from zonewatch.rules.paths import Paths, PathStep, Way

__all__ = [
    "choke_words",
    "closing_words",
    "has_ways",
    "head",
    "names_of",
    "paths_json",
    "render_paths",
    "step_words",
    "way_rows",
]

_COLUMNS: Final = (
    Column("rank", "", right=True),
    Column("basis", rank=2),
    Column("level", rank=3),
    Column("origin", "from"),
    Column("start", rank=1),
    Column("target"),
    Column("steps", right=True),
    Column("changes", rank=1),
    Column("way"),
    Column("evidence", rank=2),
)
Names = Callable[[str], str]


def names_of(assets: Iterable[Asset]) -> Names:
    """How people are told a zone or an asset."""
    known = {asset.id: visible(label(asset), 40) for asset in assets}
    return lambda name: known.get(name, visible(name, 60))


def has_ways(paths: Iterable[Paths]) -> bool:
    """True where there is a way, or something to say of why none is told."""
    return any(found.ways or found.notes for found in paths)


def head(found: Paths, speech: Speech) -> str:
    """What the ways rest on."""
    return speech.say(f"path_head.{found.basis}", level=speech.word("path_level", found.level))


def step_words(step: PathStep, names: Names, speech: Speech) -> str:
    """`eng-1 to plc-3 by supervision-to-filtration (modbus write)`."""
    uses = f" ({speech.listed(map(visible, step.uses), 4)})" if step.uses else ""
    by = visible(speech.quoted(step.by))
    return speech.say("path.step", start=names(step.start), end=names(step.end), by=by) + uses


def closing_words(found: Paths, names: Names, speech: Speech) -> tuple[str, ...]:
    """The fewest to close, each with what it would cost; or why nothing closes all."""
    if not found.ways:
        return (speech.say("path.none"),)
    if not found.closable:
        return (speech.say(f"path.no_closing.{found.level}"),)
    key = f"path.closing_one.{found.level}" if len(found.ways) == 1 else f"path.closing.{found.level}"
    lines = [speech.say(key, count=len(found.close))]
    for item in found.close:
        name = names(speech.quoted(item.name))
        if item.costs:
            costs = speech.listed(map(visible, item.costs), 6)
            lines.append(speech.say("path.costs", name=name, count=len(item.costs), costs=costs))
        else:
            lines.append(speech.say("path.costs_nothing", name=name))
    return tuple(lines)


def choke_words(found: Paths, names: Names, speech: Speech, most: int = 8) -> str:
    """What all ways to some targets pass; empty where there is no such thing."""
    texts = (f"{names(speech.quoted(item.name))} ({speech.counted(item.targets, 'target')})" for item in found.chokes)
    return speech.say("path.chokes", points=speech.listed(texts, most)) if found.chokes else ""


def way_rows(paths: Iterable[Paths], names: Names) -> Rows:
    """A row for each way."""
    rows = []
    for found in paths:
        for rank, way in enumerate(found.ways, start=1):
            evidence = tuple(dict.fromkeys(item for step in way.steps for item in step.evidence[:1]))
            rows.append(
                (
                    rank,
                    found.basis,
                    found.level,
                    way.origin,
                    names(way.steps[0].start),
                    names(way.steps[-1].end),
                    len(way.steps),
                    way.changes,
                    "; ".join(step_words(step, names, english()) for step in way.steps),
                    frames(evidence, 4),
                )
            )
    return Rows(_COLUMNS, tuple(rows))


def paths_json(paths: tuple[Paths, ...]) -> str:
    """The same for programs."""
    return indented({"paths": paths}) + "\n"


def render_paths(paths: Iterable[Paths], names: Names, console: Console, limit: int = 40) -> None:
    """Prints each basis and level: the ways by rank, the choke points, what to close."""
    lenient(console.file)
    for piece in _pieces(paths, names, limit):
        console.print(piece)


def _pieces(paths: Iterable[Paths], names: Names, limit: int) -> Iterator[ConsoleRenderable]:
    for found in paths:
        yield Text()
        title = Text.assemble((head(found, english()), "bold"), (f"  {counted(len(found.ways), 'way')}", "dim"))
        yield Rule(title, align="left", style="dim")
        if found.ways:
            yield _table(found.ways[:limit], names)
            hidden = len(found.ways) - limit
            if hidden > 0:
                yield Text(f"… {hidden:,} more (--format json shows all)", style="dim")
        if found.more:
            yield Text(f"There are more than these {len(found.ways):,} ways.", style="yellow")
        chokes = choke_words(found, names, english())
        if chokes:
            yield Text(chokes)
        first, *rest = closing_words(found, names, english())
        yield Text(first, style="bold")
        for line in rest:
            yield Padding(Text(f"- {line}"), (0, 0, 0, 2))
        for note in found.notes:
            yield Text(note, style="yellow")


def _table(ways: Iterable[Way], names: Names) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("way", overflow="fold", ratio=3)
    table.add_column("why this rank", overflow="fold", ratio=1, style="dim")
    for rank, way in enumerate(ways, start=1):
        steps = "\n".join(step_words(step, names, english()) for step in way.steps)
        table.add_row(str(rank), way.origin, Text(steps), Text("; ".join(way.reasons)))
    return table
