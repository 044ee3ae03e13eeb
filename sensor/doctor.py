"""`zonewatch doctor`: what is wrong with a mirror port, in plain words, with the figures it rests on and what to do.

An interface is listened to for a while, or a capture is read; then everything is judged from the engine's tables.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import typer

from zonewatch.dissectors.live import Live
from zonewatch.reports.rows import Console
from zonewatch.reports.words import counted, listed, period
from zonewatch.sensor.answers import Answer, AnswerForm, as_json, render, worst
from zonewatch.sensor.confine import ConfinementError, confine, confine_files
from zonewatch.sensor.decoding import AnyTables, decode
from zonewatch.sensor.inputs import refuse_unreadable
from zonewatch.sensor.interface import answers as interface_answers
from zonewatch.sensor.interfaces.model import Interface
from zonewatch.sensor.interfaces.read import read
from zonewatch.sensor.mirror.checks import examine
from zonewatch.sensor.mirror.figures import seen
from zonewatch.sensor.options import SourceOption
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import packets_only, sources, total_bytes
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL, UsageError
from zonewatch.sensor.watch.period import Period, Rows

__all__ = ["Capture", "Heard", "Point", "answers_of", "app", "doctor", "heard_on"]

app: Final = typer.Typer()

_WAIT: Final = 200  # milliseconds


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard at one capture point."""

    source: str
    tables: AnyTables
    interfaces: tuple[Interface, ...] = ()
    drops: int | None = None  # by the kernel; of a file what it says itself
    now: int | None = None  # UTC nanoseconds at the end; none of a file, which ended whenever it did


@app.command()
def doctor(
    captures: Annotated[
        list[str] | None,
        typer.Argument(metavar="CAPTURE…", help="Captures of the mirror port, instead of an interface."),
    ] = None,
    interface: Annotated[
        list[str] | None, typer.Option("--interface", "-i", metavar="IFACE", help="Interface to listen on. Repeatable.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The sensor's settings: their interfaces.")
    ] = None,
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="How long to listen.")] = 30,
    source: SourceOption = None,
    form: Annotated[AnswerForm, typer.Option("--format", help="Form of the answers.")] = AnswerForm.text,
) -> None:
    """Examine a mirror port, by listening or by a capture of it: what is wrong, and what to do. It never sends."""
    errors = Console(stderr=True, highlight=False)
    if bool(captures or source) + bool(interface) + bool(config) != 1:
        raise UsageError("name captures, or --interface, or --config: one of them")
    partial = False
    if captures or source:
        heard, partial = _read(captures or [], source or [], errors)
    else:
        points = _configured(config) if config is not None else {"span": tuple(interface or ())}
        heard = _listen(points, seconds, errors)
    told = [(one, answers_of(one)) for one in heard]
    if form is AnswerForm.json:
        given = [answer for _, found in told for answer in found]
        points_told = [{"source": one.source, "answers": len(found)} for one, found in told]
        sys.stdout.write(as_json(given, points=points_told) + "\n")
    else:
        _show(told)
    state = worst(answer for _, found in told for answer in found)
    raise typer.Exit(FOUND if state == "wrong" else PARTIAL if partial else DONE)


def answers_of(heard: Heard) -> list[Answer]:
    """Everything that is to be said of one capture point: its interfaces, then what came."""
    macs = frozenset(one.mac for one in heard.interfaces if one.mac)
    figures = seen(heard.tables, own=macs, drops=heard.drops, now=heard.now)
    jumbo = any(one.mtu > 1500 for one in heard.interfaces)
    found = [answer for one in heard.interfaces for answer in interface_answers(one)]
    return [*found, *examine(figures, jumbo=jumbo)]


def _show(told: Sequence[tuple[Heard, list[Answer]]]) -> None:
    console = Console(highlight=False)
    for heard, found in told:
        coverage = heard.tables["coverage"]
        packets = pc.sum(coverage["packets"]).as_py() or 0
        times = [pc.min(coverage["first_time"].cast(pa.int64())), pc.max(coverage["last_time"].cast(pa.int64()))]
        span = period(*(value.as_py() or 0 for value in times))
        console.print(f"{heard.source}: {counted(packets, 'packet')}, {span}", style="bold", markup=False)
        render(found, console)
        console.print()
    state = worst(answer for _, found in told for answer in found)
    closing = {
        "wrong": "The mirror port is not right yet: mend what is wrong, then ask again.",
        "note": "The mirror port can be used; look at the notes.",
        "good": "The mirror port is as it should be.",
    }
    console.print(closing[state])


def _read(captures: list[str], named: list[str], errors: Console) -> tuple[list[Heard], bool]:
    """Each capture point of files, and whether a file could be read in part only."""
    points = sources(captures, named)
    packets_only(points, "the examination of a mirror port")
    with shown(errors, total_bytes(points)) as progress:
        tables = decode(points, progress=progress)
    coverage = tables["coverage"].select(["capture", "status", "problem"]).to_pylist()
    refuse_unreadable(coverage, errors)
    heard = [Heard(point.name, _of(point.name, tables)) for point in points]
    return heard, any(row["status"] != "whole" for row in coverage)


def _of(source: str, tables: AnyTables) -> AnyTables:
    return {
        name: table.filter(pc.equal(table["source"].cast(pa.utf8()), pa.scalar(source)))
        for name, table in tables.items()
    }


def _configured(config: Path) -> dict[str, tuple[str, ...]]:
    from zonewatch.sensor.settings import load_settings

    points = {point.source: point.interfaces for point in load_settings(config).capture}
    if not points:
        raise UsageError(f"{config}: names no interfaces (capture: - {{interfaces: [eth1]}})")
    return points


class Counted(Protocol):
    """What a capture point counted."""

    @property
    def drops(self) -> int:
        """Packets that the kernel dropped."""


class Capture(Rows, Protocol):
    """What is asked of `Live`; tests let a file answer it."""

    def advance(self, milliseconds: int) -> bool:
        """Decodes what comes for so long; False when no more can come."""

    def snapshot(self) -> Rows:
        """The rows not yet taken, and those that are open, as if the capture ended now."""

    def counts(self) -> Counted:
        """What was counted since the point was opened."""


@dataclass(frozen=True, slots=True)
class Point:
    """A capture point that is listened to, and its interfaces as they were before."""

    source: str
    capture: Capture
    interfaces: tuple[Interface, ...] = ()


def _listen(points: Mapping[str, tuple[str, ...]], seconds: int, errors: Console) -> list[Heard]:
    """Listens for so long, and gives what came. The interfaces are looked at before: then nothing can be sent."""
    looked = {name: tuple(map(read, interfaces)) for name, interfaces in points.items()}
    with ExitStack() as opened:
        try:
            confine_files(read=(), write=())
            live = {name: opened.enter_context(Live(name, interfaces)) for name, interfaces in points.items()}
            confine()
        except ConfinementError as error:
            raise UsageError(str(error)) from error
        names = listed(interface for interfaces in points.values() for interface in interfaces)
        errors.print(f"listening on {names} for {counted(seconds, 'second')} …", markup=False)
        heard = [Point(name, capture, looked[name]) for name, capture in live.items()]
        return heard_on(heard, seconds * 10**9, time.monotonic_ns, time.time_ns)


def heard_on(
    points: Sequence[Point], nanoseconds: int, count: Callable[[], int], now: Callable[[], int]
) -> list[Heard]:
    """What comes at open capture points within a time; ends early where nothing more can come."""
    kept, end = {point.source: Period() for point in points}, count() + nanoseconds
    coming = list(points)
    while coming and count() < end:
        coming = [point for point in coming if point.capture.advance(_WAIT // len(coming))]
        for point in points:
            kept[point.source].add(point.capture)
    ended = now()
    return [
        Heard(
            point.source,
            kept[point.source].tables([point.capture.snapshot()]),
            point.interfaces,
            point.capture.counts().drops,
            ended,
        )
        for point in points
    ]
