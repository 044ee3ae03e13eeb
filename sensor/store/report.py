"""What `zonewatch store show` and `check` tell."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from zonewatch.reports.rows import Cell, Column, Rows
from zonewatch.reports.words import clock, counted, listed, size, visible
from zonewatch.rules.findings import SEVERITIES, Owner
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.chain import Head, first_broken, missing_heads
from zonewatch.sensor.store.database import StoreError, read_only
from zonewatch.sensor.store.files import wrong_with
from zonewatch.sensor.store.reading import kept_files, looked_at, periods
from zonewatch.sensor.store.store import NAME

__all__ = ["checked", "heads_seen", "shown"]


def shown(folder: Path, side: Owner | None) -> Rows:
    """What is in a store, one line each. Raises StoreError."""
    with looked_at(folder) as db:
        rows = [*_runs(db), *_periods(db), *_found(db, side), *_waiting(db), *_files(db), *_health(db)]
    rows.append(("decisions", counted(len(ledger.read(folder)), "decision")))
    return Rows((Column("what", style="bold"), Column("is")), tuple(rows))


def _runs(db: sqlite3.Connection) -> Iterator[tuple[Cell, ...]]:
    row = db.execute("SELECT number, version, started, last, ended, notes FROM runs ORDER BY number DESC").fetchone()
    if row is not None:
        number, version, started, last, ended, notes = row
        end = f"ended {clock(ended)}" if ended else f"not ended, recorded last {clock(last)}"
        yield "run", f"{number}, zonewatch {version}, since {clock(started)}, {end}"
        for note in json.loads(notes):
            yield "at its start", visible(note)


def _periods(db: sqlite3.Connection) -> Iterator[tuple[Cell, ...]]:
    found = periods(db)
    whole = sum(period.state == "whole" for period in found)
    if found:
        last = found[-1]
        passes = counted(last.passes, "pass", "passes")
        yield "periods", f"{len(found):,}, of them {whole:,} whole"
        yield "last period", f"{last.number}, {last.state}, {clock(last.began)} to {clock(last.last)}, {passes}"


def _found(db: sqlite3.Connection, side: Owner | None) -> Iterator[tuple[Cell, ...]]:
    for table in ("assets", "edges"):
        yield table, f"{db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,}"
    for table in ("findings", "incidents"):
        counts: Counter[tuple[str, str]] = Counter()
        for state, severity, owner in db.execute(f"SELECT state, severity, owner FROM {table}"):
            if side is None or owner in (side, "both"):
                counts[state, severity] += 1
        for state in ("open", "accepted", "resolved"):
            parts = [f"{counts[state, word]:,} {word}" for word in reversed(SEVERITIES) if counts[state, word]]
            yield f"{state} {table}", listed(parts) or "none"


def _waiting(db: sqlite3.Connection) -> Iterator[tuple[Cell, ...]]:
    count, first = db.execute("SELECT count(*), min(at) FROM outbox").fetchone()
    yield "outbox", counted(count, "alert") + (f" since {clock(first)}" if count else "")


def _files(db: sqlite3.Connection) -> Iterator[tuple[Cell, ...]]:
    rows = kept_files(db)
    for kind in ("events", "evidence"):
        octets = [row.bytes for row in rows if row.kind == kind]
        yield kind, f"{counted(len(octets), 'file')}, {size(sum(octets))}"
    count, octets_gone, last = db.execute("SELECT count(*), coalesce(sum(bytes), 0), max(at) FROM removed").fetchone()
    if count:
        yield "removed", f"{counted(count, 'entry', 'entries')}, {size(octets_gone)}, last {clock(last)}"


def _health(db: sqlite3.Connection) -> Iterator[tuple[Cell, ...]]:
    for severity, title, text in db.execute(
        "SELECT severity, title, text FROM health WHERE state = 'open' ORDER BY subject"
    ):
        yield f"wrong ({severity})", f"{visible(title)}: {visible(text)}"


def heads_seen(folder: Path) -> tuple[Head, ...]:
    """The ends of the log of decisions that the sensor saw."""
    if not (folder / NAME).is_file():
        return ()
    with looked_at(folder) as db:
        return tuple(Head(*row) for row in db.execute("SELECT number, hash FROM heads ORDER BY number"))


def checked(folder: Path) -> list[str]:
    """All that is wrong with a store, one sentence each; reads everything in it."""
    return [*_check_database(folder), *_check_decisions(folder)]


def _check_database(folder: Path) -> Iterator[str]:
    try:
        with looked_at(folder) as db:
            yield from _check_rows(db, NAME)
            for row in kept_files(db):
                if problem := wrong_with(folder, row):
                    yield f"{row.name} {problem}"
    except StoreError as error:
        yield str(error)


def _check_rows(db: sqlite3.Connection, name: str) -> Iterator[str]:
    yield from (f"{name}: {row[0]}" for row in db.execute("PRAGMA integrity_check(20)") if row[0] != "ok")
    yield from (f"{name}: a row of {row[0]} refers to nothing" for row in db.execute("PRAGMA foreign_key_check"))


def _check_decisions(folder: Path) -> Iterator[str]:
    path = folder / ledger.NAME
    try:
        found = ledger.read(folder)
        if path.exists():
            with closing(read_only(path)) as db:
                yield from _check_rows(db, ledger.NAME)
            yield from (f"{ledger.NAME}: the guard {name} is missing" for name in ledger.missing_guards(folder))
        if broken := first_broken(found) or missing_heads(found, heads_seen(folder)):
            yield f"{ledger.NAME}: decision {broken.number} {broken.why}"
    except StoreError as error:
        yield str(error)
