"""A store that is killed at random moments: nothing promised is lost, nothing is there twice, the next start says so.

A child records made-up results and tells over a pipe what it was promised: what `record`, `end`, `keep_events`,
`keep_evidence` and the log of decisions returned from. The parent kills it with SIGKILL at a seeded random moment,
opens the store as the next run would, and compares.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.sensor.store.made import SECOND, START, finding, incident, result
from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.chain import first_broken
from zonewatch.sensor.store.files import digest
from zonewatch.sensor.store.reading import kept_files, looked_at
from zonewatch.sensor.store.report import checked
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import Store

SETTINGS = StoreSettings.model_validate({"reserve": "64 KiB", "least_free": "0 B", "refresh": "2 s", "retell": "3 s"})
MOST_PROMISES = 30
"""A child that was promised so much dies at the latest."""
MOST_SECONDS = 0.05
"""Between a promise and the end, so that any step of the next may be cut off."""
FINDINGS = tuple(finding(str(number)) for number in range(30))
_KIND = re.compile(r"[\d.,]+ (kB|MB|bytes?)|(events|evidence)/\S+")
CAPTURE = b"\x0a\x0d\x0d\x0a" + bytes(500)


class WrongError(AssertionError):
    """Something promised is not there, or something is there twice."""


@dataclass(slots=True)
class Promised:
    """What the children of all rounds were promised of one store."""

    events: set[str] = field(default_factory=set)  # event.id of alerts
    passes: Counter[int] = field(default_factory=Counter)  # by period
    whole: set[int] = field(default_factory=set)
    decisions: dict[int, str] = field(default_factory=dict)
    rows: set[int] = field(default_factory=set)  # of events
    files: set[str] = field(default_factory=set)
    tries: set[int] = field(default_factory=set)  # rows of events whose writing began


@dataclass(slots=True)
class Told:
    """How the rounds went."""

    rounds: int = 0
    killed: int = 0
    promises: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)


def run(folder: Path, rounds: int, seed: int) -> Told:
    """Plays the rounds on one store. Raises WrongError."""
    told, promised = Told(), Promised()
    for number in range(rounds):
        chance = random.Random(f"{seed}/{number}")
        closed = _live(folder, number, chance, promised, told)
        _compare(folder, number, promised, told, closed=closed)
        told.rounds += 1
        told.killed += not closed
    return told


def _live(folder: Path, number: int, chance: random.Random, promised: Promised, told: Told) -> bool:
    """One child, from its birth to its end; whether it closed the store before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _record(folder, number, random.Random(chance.random()), writing)
        finally:
            os._exit(0)
    os.close(writing)
    wanted = max(chance.randrange(-MOST_PROMISES // 4, MOST_PROMISES), 0)
    closed = False
    for line in _lines(reading, child, wanted, chance.uniform(0, MOST_SECONDS)):
        kind, value = json.loads(line)
        closed = kind == "closed"
        told.promises[kind] += 1
        _note(promised, kind, value)
    os.waitpid(child, 0)
    return closed


def _lines(reading: int, child: int, wanted: int, wait: float) -> Iterator[bytes]:
    """What the child wrote until it was killed: so many promises, and a while."""
    octets = b""
    with open(reading, "rb", buffering=0) as pipe:
        while octets.count(b"\n") < wanted and (part := pipe.read(1 << 16)):
            octets += part
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
        while part := pipe.read(1 << 16):
            octets += part
    yield from octets.split(b"\n")[:-1]


def _note(promised: Promised, kind: str, value: Any) -> None:
    if kind == "pass":
        promised.passes[value[0]] += 1
        promised.events.update(value[1])
    elif kind == "whole":
        promised.whole.add(value[0])
        promised.events.update(value[1])
        promised.passes[value[0]] += 1
    elif kind == "decision":
        promised.decisions[value[0]] = value[1]
    elif kind == "rows":
        promised.rows.update(range(*value))
    elif kind == "tries":
        promised.tries.update(range(*value))
    elif kind == "evidence":
        promised.files.add(value)


def _record(folder: Path, number: int, chance: random.Random, pipe: int) -> None:
    """The child: does what a sensor does, faster."""
    at = START + number * 60 * SECOND

    def say(kind: str, value: Any) -> None:
        os.write(pipe, json.dumps([kind, value]).encode() + b"\n")

    def now() -> int:
        return at

    store = Store.open(folder, SETTINGS, now=now, monotonic=now)
    seq, row = _last(folder)
    period = begin_at(store, at)
    for step in range(chance.randrange(1, 15)):
        at += SECOND
        last = step and chance.random() < 0.1
        made = _result(chance, at)
        keep = store.end if last else store.record_new if chance.random() < 0.3 else store.record
        keep(period, made, at)
        assert not store.behind, store.behind
        seq, events = _since(folder, seq)
        say("whole" if last else "pass", [period, events])
        if chance.random() < 0.3:
            many = chance.randrange(1, 50)
            say("tries", [row, row + many])
            store.keep_events(period, {"events": pa.table({"row": list(range(row, row + many))})})
            say("rows", [row, row + many])
            row += many
        if chance.random() < 0.2:
            name = chance.choice(FINDINGS).id
            store.keep_evidence({name: CAPTURE + chance.randbytes(chance.randrange(500))})
            say("evidence", f"evidence/{name}.pcapng")
        if chance.random() < 0.1:
            one = chance.choice(FINDINGS)
            scope = {"owner": "OT", "most": chance.choice(SEVERITIES), "finding": one.id}
            until = at + chance.randrange(1, 90) * SECOND
            decision = ledger.append(folder, now, "eva", "acceptance", one.id, "try", until=until, document=scope)
            say("decision", [decision.number, decision.hash])
        if last:
            period = begin_at(store, at)
    if chance.random() < 0.3:
        store.close()
        say("closed", None)


def begin_at(store: Store, at: int) -> int:
    """A period begins."""
    return store.begin(("tap",), "0.1.0", "policy_version: 1\n", "", at)


def _result(chance: random.Random, at: int) -> Any:
    found: list[Finding] = [
        replace(one, severity=chance.choice(SEVERITIES) if chance.random() < 0.1 else one.severity, last_time=at)
        for one in chance.sample(FINDINGS, chance.randrange(20, len(FINDINGS)))
    ]
    stories = (incident(found[:3]),) if chance.random() < 0.5 else ()
    return result(*found, incidents=stories, at=at)


def _last(folder: Path) -> tuple[int, int]:
    with looked_at(folder) as db:
        seq = db.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0]
    return int(seq), 1 + max((row for _, rows in _rows(folder) for row in rows), default=0)


def _since(folder: Path, seq: int) -> tuple[int, list[str]]:
    with looked_at(folder) as db:
        rows = db.execute("SELECT seq, event_id FROM outbox WHERE seq > ? ORDER BY seq", (seq,)).fetchall()
    return (rows[-1][0] if rows else seq), [row[1] for row in rows]


def _rows(folder: Path) -> Iterator[tuple[str, list[int]]]:
    for path in sorted((folder / "events").glob("*.parquet")):
        yield path.name, pq.read_table(path, use_threads=False)["row"].to_pylist()


def _compare(folder: Path, number: int, promised: Promised, told: Told, *, closed: bool) -> None:
    """The next start, and all that must hold then."""
    at = START + number * 60 * SECOND + 50 * SECOND
    with Store.open(folder, SETTINGS, now=lambda: at, monotonic=lambda: at) as store:
        notes = store.opened.notes
        for note in notes:
            told.notes[_KIND.sub("…", note.partition(";")[0])] += 1
    began = _began(folder)
    if began and not closed:
        _must(any("ended without closing" in note for note in notes), number, f"no note of the end: {notes}")
    if closed:
        _must(not notes, number, f"a run that ended in order left {notes}")
    _compare_rows(folder, number, promised)
    _compare_files(folder, number, promised)
    decisions = ledger.read(folder)
    _must(first_broken(decisions) is None, number, "the chain of decisions is broken")
    for place, seal in promised.decisions.items():
        _must(place <= len(decisions) and decisions[place - 1].hash == seal, number, f"decision {place} is lost")
    problems = checked(folder)
    _must(not problems, number, "; ".join(problems))


def _began(folder: Path) -> bool:
    """Whether the run before this one got as far as to say that it runs."""
    with looked_at(folder) as db:
        row = db.execute("SELECT ended FROM runs ORDER BY number DESC LIMIT 1 OFFSET 1").fetchone()
    return row is not None and row[0] is None


def _compare_rows(folder: Path, number: int, promised: Promised) -> None:
    with looked_at(folder) as db:
        events = [row[0] for row in db.execute("SELECT event_id FROM outbox")]
        lost = promised.events - set(events)
        _must(not lost, number, f"alerts are lost: {sorted(lost)}")
        tellings: Counter[str] = Counter(event.partition(".")[0] for event in events)
        for table in ("findings", "incidents"):
            for name, count in db.execute(f"SELECT id, told FROM {table}"):
                _must(tellings[name] == count, number, f"{name} was told {tellings[name]} times, and {count} is kept")
                wanted = {name, *(f"{name}.{place}" for place in range(2, count + 1))} if count else set()
                _must(wanted <= set(events), number, f"a telling of {name} is left out")
        for period, passes, state in db.execute("SELECT number, passes, state FROM periods"):
            known = promised.passes[period]
            _must(known <= passes <= known + 1, number, f"period {period}: {passes} passes, {known} promised")
            _must(state == "whole" or period not in promised.whole, number, f"period {period} is {state}")


def _compare_files(folder: Path, number: int, promised: Promised) -> None:
    found = Counter(row for _, rows in _rows(folder) for row in rows)
    _must(not promised.rows - set(found), number, "rows of events are lost")
    _must(max(found.values(), default=1) == 1, number, "rows of events are there twice")
    _must(set(found) <= promised.tries, number, "rows of events that nobody wrote")
    with looked_at(folder) as db:
        kept = {row.name: row for row in kept_files(db)}
    _must(promised.files <= set(kept), number, "mini captures are lost")
    there = {f"{kind}/{path.name}" for kind in ("events", "evidence") for path in (folder / kind).iterdir()}
    _must(there == set(kept), number, f"files and their rows differ: {sorted(there ^ set(kept))}")
    for row in kept.values():
        if row.kind == "evidence":
            _must(digest(folder / row.name) == row.sha256, number, f"{row.name} is not whole")


def _must(holds: bool, number: int, why: str) -> None:
    if not holds:
        raise WrongError(f"round {number}: {why}")
