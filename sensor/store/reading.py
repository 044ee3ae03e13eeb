"""A store as others see it: the result it holds, and lists. Nothing here writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from zonewatch.reports.json_result import ResultError, from_values, loads
from zonewatch.reports.proof import given
from zonewatch.reports.proof.given import GivenFiles
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.rules.findings import Finding
from zonewatch.sensor.store.database import StoreError, read_only, refuse_newer
from zonewatch.sensor.store.documents import read_subject, unpacked, unpacked_octets
from zonewatch.sensor.store.files import Kept
from zonewatch.sensor.store.schema import MIGRATIONS
from zonewatch.sensor.store.store import NAME

__all__ = [
    "Period",
    "finding",
    "inputs",
    "is_store",
    "kept_files",
    "looked_at",
    "periods",
    "result",
    "result_of",
    "text",
]

_INVENTORY: Final = {
    "assets": "SELECT document FROM assets WHERE period >= ? ORDER BY id",
    "edges": "SELECT document FROM edges WHERE period >= ? ORDER BY client, server, protocol, transport,"
    " server_port, client_address, server_address",
}


@dataclass(frozen=True, slots=True)
class Period:
    """A row of the table of periods, without its result."""

    number: int
    version: str
    began: int
    last: int
    state: str
    passes: int


def is_store(path: Path) -> bool:
    """Whether it is the folder of a sensor."""
    return (path / NAME).is_file()


@contextmanager
def looked_at(folder: Path) -> Iterator[sqlite3.Connection]:
    """One state of the store, however long one looks. Raises StoreError."""
    path = folder / NAME
    with closing(read_only(path)) as db:
        refuse_newer(db, path, len(MIGRATIONS))
        if db.execute("PRAGMA user_version").fetchone()[0] < len(MIGRATIONS):
            raise StoreError(f"{path}: is of an older version; zonewatch watch brings it up to date when it starts")
        try:
            db.execute("BEGIN")
            yield db
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path}: cannot be read: {error}") from None


def periods(db: sqlite3.Connection) -> list[Period]:
    """All of them, the oldest first."""
    rows = db.execute("SELECT number, version, began, last, state, passes FROM periods ORDER BY number")
    return [Period(*row) for row in rows]


def result(folder: Path) -> AuditResult:
    """The result of the last period, where it ended whole; else that of the last whole one and of what came since.

    Findings have the state that they have now. Raises StoreError and ResultError.
    """
    with looked_at(folder) as db:
        found = [period for period in periods(db) if period.passes]
        if not found:
            raise ResultError(f"{folder}: the sensor has recorded nothing yet")
        last = found[-1]
        if last.state == "whole":
            octets = db.execute("SELECT result FROM periods WHERE number = ?", (last.number,)).fetchone()[0]
            if octets is not None:
                return _with_states(loads(_text(octets, folder)), db)
        return _composed(db, folder, found)


def result_of(folder: Path, number: int) -> AuditResult:
    """The result of a period that ended whole, as it was then. Raises StoreError and ResultError."""
    with looked_at(folder) as db:
        row = db.execute("SELECT result FROM periods WHERE number = ? AND state = 'whole'", (number,)).fetchone()
        if row is None:
            whole = ", ".join(str(period.number) for period in periods(db) if period.state == "whole")
            raise ResultError(f"{folder}@{number}: no whole period of this number; there are: {whole or 'none'}")
        if row[0] is None:
            raise ResultError(f"{folder}@{number}: the result of this period was removed for its age")
        return loads(_text(row[0], folder))


def _with_states(found: AuditResult, db: sqlite3.Connection) -> AuditResult:
    states = dict(db.execute("SELECT id, state FROM findings"))
    findings = (replace(one, state=states.get(one.id, one.state)) for one in found.findings)
    return replace(found, findings=tuple(findings))


def _composed(db: sqlite3.Connection, folder: Path, found: list[Period]) -> AuditResult:
    last = found[-1]
    since = max((period.number for period in found[:-1] if period.state == "whole"), default=last.number)
    octets = db.execute("SELECT rest FROM periods WHERE number = ?", (last.number,)).fetchone()[0]
    if octets is None:
        raise ResultError(f"{folder}: the result of its last period was removed for its age")
    values: dict[str, Any] = json.loads(_text(octets, folder))
    for name, query in _INVENTORY.items():
        values[name] = [json.loads(document) for (document,) in db.execute(query, (since,))]
    values["captures"] = [
        json.loads(row[0])
        for row in db.execute("SELECT document FROM coverage WHERE period = ? ORDER BY place", (last.number,))
    ]
    for table in ("findings", "incidents"):
        rows = db.execute(f"SELECT document, state FROM {table} WHERE state != 'resolved' ORDER BY id")
        values[table] = [{**json.loads(document), "state": state} for document, state in rows]
    return ordered(from_values(values))


def _text(octets: bytes, folder: Path) -> str:
    try:
        return unpacked(octets)
    except OSError as error:
        raise StoreError(f"{folder / NAME}: a result in it cannot be read: {error}") from None


def finding(folder: Path, name: str) -> Finding | None:
    """A finding by its id, in its present state; none where there is no such."""
    with looked_at(folder) as db:
        row = db.execute("SELECT document, state FROM findings WHERE id = ?", (name,)).fetchone()
    if row is None:
        return None
    found = read_subject("findings", row[0])
    assert isinstance(found, Finding)
    return replace(found, state=row[1])


def text(folder: Path, sha256: str) -> str:
    """The text of a policy or baseline that the sensor judged by; empty where it is not kept. Raises StoreError."""
    with looked_at(folder) as db:
        row = db.execute("SELECT text FROM texts WHERE hash = ?", (sha256,)).fetchone()
    return str(row[0]) if row is not None else ""


def inputs(folder: Path, numbers: Collection[int]) -> dict[str, bytes]:
    """The files of `inputs/` that periods were judged by, as an audit writes them; empty where none tells its own.

    Copies are those of the last of the periods; what the others were judged by besides is named with its hash.
    Raises StoreError and GivenError.
    """
    with looked_at(folder) as db:
        rows = db.execute("SELECT number, given FROM periods WHERE given != '' ORDER BY number DESC")
        told = [given.loads(text.encode()) for number, text in rows if number in numbers]
        if not told:
            return {}
        last, *before = told
        files = {}
        for row in last.files:
            octets = _content(db, row.sha256, folder) if row.copy else None
            if octets is not None:
                files[row.copy] = octets
        named = {
            (row.kind, row.name, row.sha256): replace(row, copy=row.copy if row.copy in files else "")
            for row in last.files
        }
        for one in before:
            for row in one.files:
                named.setdefault((row.kind, row.name, row.sha256), replace(row, copy=""))
    made = GivenFiles(1, tuple(named.values()), last.rules)
    return {**files, given.GIVEN: given.dumps(made).encode()}


def _content(db: sqlite3.Connection, sha256: str, folder: Path) -> bytes | None:
    row = db.execute("SELECT content FROM inputs WHERE hash = ?", (sha256,)).fetchone()
    if row is None:  # a policy is kept as a text
        row = db.execute("SELECT text FROM texts WHERE hash = ?", (sha256,)).fetchone()
        return str(row[0]).encode() if row is not None else None
    try:
        return unpacked_octets(row[0])
    except OSError as error:
        raise StoreError(f"{folder / NAME}: an input in it cannot be read: {error}") from None


def kept_files(db: sqlite3.Connection) -> list[Kept]:
    """The files of events and evidence that ought to be there."""
    return [Kept(*row) for row in db.execute("SELECT name, kind, subject, bytes, sha256, at FROM files ORDER BY name")]
