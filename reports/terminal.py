"""The result on a terminal: what an engineer shows a colleague.

Colour never carries a meaning alone. Widths, colour and NO_COLOR are the console's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich import box
from rich.console import Console, ConsoleRenderable, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from zonewatch.reports.paths import choke_words, closing_words, head, names_of
from zonewatch.reports.result import (
    VERDICT_ORDER,
    AuditResult,
    MatrixLine,
    matrix_lines,
    matrix_zones,
    ordered,
    totals,
    worst,
)
from zonewatch.reports.rows import lenient, rich_table
from zonewatch.reports.second_opinion import named_rows, protocol_rows, reason_rows, unexplained_rows
from zonewatch.reports.speech import english
from zonewatch.reports.summary import Summary, summarise
from zonewatch.reports.tables import asset_table
from zonewatch.reports.words import (
    SEVERITY_MARKS,
    VERDICT_MARKS,
    clock,
    counted,
    frames,
    listed,
    number,
    period,
    size,
    tally,
    visible,
)
from zonewatch.rules.findings import SEVERITIES, Finding, Severity, Verdict

__all__ = ["render"]

SEVERITY_STYLES: Final[dict[Severity, str]] = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}
VERDICT_STYLES: Final[dict[Verdict, str]] = {
    "violation": "bold red",
    "unzoned": "yellow",
    "cannot_conclude": "magenta",
    "allowed": "green",
}


def render(
    result: AuditResult, console: Console, *, folder: str = "", assets: int = 40, findings: int = 12, cells: int = 30
) -> None:
    """Prints the result. `folder` is where the files are; the rest is how much of each part is shown."""
    lenient(console.file)
    result = ordered(result)
    summary = summarise(result, english())
    ascii_only = not console.encoding.lower().startswith("utf")
    parts: tuple[Iterable[ConsoleRenderable], ...] = (
        _header(result, summary),
        _coverage(result),
        _assets(result, console.width, assets),
        _matrix(result, console.width, cells, ascii_only),
        _incidents(result, ascii_only),
        _findings(result, findings, ascii_only),
        _paths(result),
        _opinion(result, console.width),
        _closing(result, summary, folder, ascii_only),
    )
    for part in parts:
        for piece in part:
            console.print(piece)


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)


def _heading(text: str, note: str = "") -> Rule:
    title = Text(text, style="bold")
    if note:
        title.append(f"  {note}", style="not bold dim")
    return Rule(title, align="left", style="dim")


def _header(result: AuditResult, summary: Summary) -> Iterator[ConsoleRenderable]:
    yield Text()
    yield Rule(Text.assemble((visible(result.title) or "Audit", "bold")), align="left", style="bold", characters="━")
    total = totals(result.captures)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("period", f"{summary.period} ({summary.length})")
    names = [visible(capture.name) for capture in result.captures]
    grid.add_row("captures", Text(f"{listed(names, 4)}: {counted(total.packets, 'packet')}, {size(total.bytes)}"))
    policy = visible(result.policy.name) if result.policy.given else "none given: zones below are a proposal"
    grid.add_row("policy", Text(policy))
    yield grid
    yield Text()
    yield Text(summary.headline, style="bold")
    for sentence in summary.sentences:
        yield _text(sentence)


def _bullets(lines: Iterable[str], style: str = "") -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1, style="dim")
    grid.add_column(overflow="fold", style=style or None)
    for line in lines:
        grid.add_row("-", _text(line))
    return grid


def _coverage(result: AuditResult) -> Iterator[ConsoleRenderable]:
    yield Text()
    yield _heading("What this covers, and what not")
    damaged = [capture for capture in result.captures if capture.status != "whole"]
    if damaged:
        names = listed((visible(capture.name) for capture in damaged), 4)
        yield Text(f"Partial: {names} could not be read to the end.", style="yellow")
    yield _bullets(result.limits or ("No limit was met besides the view of the capture points.",))


def _assets(result: AuditResult, width: int, limit: int) -> Iterator[ConsoleRenderable]:
    rows = asset_table(result)
    yield Text()
    yield _heading("Assets", counted(len(rows.rows), "device"))
    if not rows.rows:
        yield Text("none", style="dim")
        return
    yield rich_table(rows, width, limit)
    yield from _more(len(rows.rows) - limit, "assets.csv")
    if result.inventory.unseen:
        names = listed((visible(name) for name in result.inventory.unseen), 8)
        yield Text(f"Declared and not seen: {names}", style="yellow")


def _more(hidden: int, file: str) -> Iterator[Text]:
    if hidden > 0:
        yield Text(f"… {number(hidden)} more in {file}", style="dim")


def _symbol(verdict: Verdict, ascii_only: bool) -> str:
    mark = VERDICT_MARKS[verdict]
    return mark.ascii if ascii_only else mark.symbol


def _matrix(result: AuditResult, width: int, limit: int, ascii_only: bool) -> Iterator[ConsoleRenderable]:
    yield Text()
    yield _heading("From zone to zone", "operations, with exchanges" if result.policy.given else "nothing was judged")
    if not result.matrix:
        yield Text("no traffic between zones", style="dim")
        return
    cells = matrix_lines(result)
    zones = matrix_zones(result)
    judged = result.policy.given
    # A cell wants 15 columns to be read at ease; a list of pairs reads better than a squeezed grid.
    if (len(zones) + 1) * 17 <= width:
        yield _grid(zones, cells, judged, ascii_only)
    else:
        yield _pairs(cells, limit, judged, ascii_only)
        yield from _more(len(cells) - limit, "result.json")
    if judged:
        legend = Text()
        for verdict, mark in VERDICT_MARKS.items():
            legend.append(f"{_symbol(verdict, ascii_only)} {mark.word}", style=VERDICT_STYLES[verdict])
            legend.append("   ")
        yield legend


def _zone_word(zone: str) -> str:
    return visible(zone) if zone else "(no zone)"


def _lines(lines: Iterable[MatrixLine], judged: bool, ascii_only: bool) -> Iterator[Text]:
    for found in lines:
        line = Text(style=VERDICT_STYLES[found.verdict] if judged and found.verdict != "allowed" else "")
        if judged:
            line.append(f"{_symbol(found.verdict, ascii_only)} ", style=VERDICT_STYLES[found.verdict])
        line.append(f"{visible(found.head)} " if found.head else "other: ", style="" if found.head else "dim")
        line.append(tally(found.head, found.counts), style="" if found.head else "dim")
        yield line


def _grid(
    zones: list[str], cells: dict[tuple[str, str], tuple[MatrixLine, ...]], judged: bool, ascii_only: bool
) -> ConsoleRenderable:
    table = Table(box=box.SQUARE, border_style="dim", show_lines=True, pad_edge=False)
    table.add_column("from \\ to", style="bold", overflow="fold")
    for zone in zones:
        table.add_column(Text(_zone_word(zone)), overflow="fold", ratio=1, min_width=13)
    for sender in zones:
        row = [Group(*_lines(cells.get((sender, receiver), ()), judged, ascii_only)) for receiver in zones]
        table.add_row(Text(_zone_word(sender)), *row)
    return table


def _pairs(
    cells: dict[tuple[str, str], tuple[MatrixLine, ...]], limit: int, judged: bool, ascii_only: bool
) -> ConsoleRenderable:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", style="bold", ratio=2)
    table.add_column(overflow="fold", ratio=3)
    arrow = "->" if ascii_only else "→"
    grave = sorted(cells.items(), key=lambda item: (VERDICT_ORDER.index(item[1][0].verdict), item[0]))
    for (sender, receiver), found in grave[:limit]:
        words = (
            f"within {_zone_word(sender)}"
            if sender == receiver
            else f"{_zone_word(sender)} {arrow} {_zone_word(receiver)}"
        )
        table.add_row(Text(words), Group(*_lines(found, judged, ascii_only)))
    return table


def _findings(result: AuditResult, limit: int, ascii_only: bool) -> Iterator[ConsoleRenderable]:
    yield Text()
    yield _heading("Findings", _severity_line(result.findings))
    if not result.findings:
        yield Text("none; this speaks only for the traffic that was seen", style="dim")
    for finding in result.findings[:limit]:
        yield Text()
        yield _finding(finding, ascii_only)
    yield from _more(len(result.findings) - limit, "findings.json")


def _incidents(result: AuditResult, ascii_only: bool) -> Iterator[ConsoleRenderable]:
    if not result.incidents:
        return
    yield Text()
    yield _heading("Incidents", "findings that belong together, in the order of their times")
    for incident in result.incidents:
        yield Text()
        yield _head(incident.severity, incident.title, ascii_only)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="dim", justify="right", no_wrap=True)
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        span = period(incident.first_time, incident.last_time)
        start = 11 if clock(incident.first_time)[:10] == clock(incident.last_time)[:10] else 0
        for place, step in enumerate(incident.steps, 1):
            proof = Text(f" ({frames(step.evidence, 3)})" if step.evidence else "", style="dim")
            grid.add_row(f"{place}.", clock(step.first_time)[start:19], _text(step.text).append(proof))
        yield Padding(Text(span, style="dim"), (0, 0, 0, 2))
        yield Padding(grid, (0, 0, 0, 2))
        for reason in incident.reasons[1:]:
            yield Padding(_text(reason, "dim"), (0, 0, 0, 5))


def _head(severity: Severity, title: str, ascii_only: bool, state: str = "open") -> Text:
    mark = SEVERITY_MARKS[severity]
    return Text.assemble(
        (f" {mark.ascii if ascii_only else mark.symbol} {mark.word.upper()} ", SEVERITY_STYLES[severity]),
        (f" {visible(title)}", "bold"),
        (f"  [{state}]" if state != "open" else "", "dim"),
    )


def _severity_line(findings: tuple[Finding, ...]) -> str:
    counts = [(severity, sum(row.severity == severity for row in findings)) for severity in reversed(SEVERITIES)]
    return ", ".join(f"{count} {severity}" for severity, count in counts if count)


def _finding(finding: Finding, ascii_only: bool) -> ConsoleRenderable:
    head = _head(finding.severity, finding.title, ascii_only, finding.state)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if finding.description:
        grid.add_row("what", _text(finding.description))
    if finding.reasons:
        grid.add_row("why", _text("; ".join(finding.reasons)))
    arrow = " -> " if ascii_only else " → "
    for index, change in enumerate(finding.changes[:6]):
        value = Text(f"{visible(change.what)}  ")
        value.append(visible(change.before, 60), style="dim")
        value.append(arrow)
        value.append(visible(change.after, 60), style="bold")
        grid.add_row("" if index else "changed", value)
    if len(finding.changes) > 6:
        grid.add_row("", Text(f"… {len(finding.changes) - 6} more in findings.json", style="dim"))
    if finding.evidence:
        grid.add_row("proof", _text(frames(finding.evidence, 6)))
    if finding.remedy:
        grid.add_row("do", _text(f"{finding.remedy} [{finding.owner}]"))
    pieces: list[ConsoleRenderable] = [head, Padding(grid, (0, 0, 0, 2))]
    if finding.suggestion:
        lines = finding.suggestion.rstrip().split("\n")
        shown = "\n".join(visible(line) for line in lines[:16])
        syntax = Syntax(shown, "yaml", theme="ansi_dark", background_color="default", word_wrap=True)
        pieces += [Padding(Text("flow that would allow it:", style="dim"), (0, 0, 0, 2)), Padding(syntax, (0, 0, 0, 4))]
    return Group(*pieces)


def _paths(result: AuditResult) -> Iterator[ConsoleRenderable]:
    """The cuts only; `zonewatch policy paths` tells the ways."""
    found = [row for row in result.paths if row.ways or row.notes]
    if not found:
        return
    yield Text()
    yield _heading("Ways from outside to controllers", "zonewatch policy paths shows each")
    names = names_of(result.inventory.assets)
    for row in found:
        first, *rest = closing_words(row, names, english())
        yield Text.assemble((f"{head(row, english())}: ", "bold"), f"{counted(len(row.ways), 'way')}. {first}")
        yield _bullets(line for line in (*rest, choke_words(row, names, english()), *row.notes) if line)


def _opinion(result: AuditResult, width: int) -> Iterator[ConsoleRenderable]:
    """What a second dissector counted; only where it was asked for and had."""
    opinion = result.second_opinion
    if opinion is None or not opinion.version:
        return
    yield Text()
    yield _heading("Second opinion", f"{opinion.tool} {opinion.version} on the same captures")
    tables = (
        (protocol_rows(opinion), 0),
        (reason_rows(opinion), 0),
        (unexplained_rows(opinion), 8),
        (named_rows(opinion), 8),
    )
    for rows, limit in tables:
        if rows.rows:
            yield rich_table(rows, width, limit)
            yield from _more(len(rows.rows) - limit if limit else 0, "second-opinion.csv")
    if opinion.rows and opinion.rows == opinion.equal_rows:
        yield Text("Every count is equal.", style="green")


def _closing(result: AuditResult, summary: Summary, folder: str, ascii_only: bool) -> Iterator[ConsoleRenderable]:
    yield Text()
    yield Rule(style="bold", characters="-" if ascii_only else "━")
    verdict = worst(cell.verdict for cell in result.matrix)
    if result.policy.given and verdict and verdict != "allowed":
        words = [f"{number(count)} {VERDICT_MARKS[name].word}" for name, count in summary.verdicts if count]
        words = words or ["none was judged"]
        yield Text(f"Control-protocol exchanges by verdict: {', '.join(words)}.")
    if result.unused_flows:
        yield Text(
            f"{counted(len(result.unused_flows), 'flow')} of the policy saw no traffic (report.html lists them)."
        )
    if folder:
        separator = "" if folder.endswith(("/", "\\")) else "/"
        yield Text.assemble(("Report: ", "bold"), (f"{folder}{separator}report.html", ""), overflow="fold")
