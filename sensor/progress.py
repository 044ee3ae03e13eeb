"""Progress on long captures: packets, rate, and the time left where the size is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from zonewatch.sensor.decoding import Progress as Report


@contextmanager
def shown(console: Console, total: int, doing: str = "decoding") -> Iterator[Report]:
    """Shows progress on a terminal, and nothing in a pipe. `total` is octets of input, 0 where unknown."""
    columns = (
        TextColumn(doing),
        BarColumn(),
        TaskProgressColumn(show_speed=False),
        TextColumn("{task.fields[packets]} packets, {task.fields[rate]}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total or None, packets="0", rate="0")

        def report(packets: int, octets: int) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            rate = f"{packets / elapsed:,.0f}" if elapsed > 0 else "0"
            progress.update(task, completed=octets, packets=f"{packets:,}", rate=rate)

        yield report
