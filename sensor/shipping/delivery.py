"""`delivery.db`: for each receiver what is delivered, what waits, and what was refused for good.

A receiver's place in the outbox moves over rows that are delivered or held here. Held are rows that the receiver put
off or refused, and later ones of a subject that waits; each with its document, so that the outbox may forget it.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zonewatch.sensor.shipping.receiver import Outcome, Row
from zonewatch.sensor.usage import UsageError

DELIVERY: Final = "delivery.db"
_VERSION_1: Final = """
CREATE TABLE receiver (
    name TEXT PRIMARY KEY,
    active INTEGER NOT NULL,
    position INTEGER NOT NULL,
    position_event TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    error_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE held (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    receiver TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    document TEXT NOT NULL,
    refused INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    UNIQUE (receiver, event_id)
) STRICT;
CREATE INDEX held_by_subject ON held (receiver, refused, subject, id);
"""
_VERSION_2: Final = "ALTER TABLE receiver ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0"
MIGRATIONS: Final = (_VERSION_1, _VERSION_2)
"""The statements that make version n of version n - 1 stand at place n - 1."""
VERSION: Final = len(MIGRATIONS)


@dataclass(frozen=True, slots=True)
class State:
    """Where a receiver is. `attempts` in vain since it last took something; none before `next_at`."""

    position: int
    position_event: str
    attempts: int
    next_at: int


@dataclass(frozen=True, slots=True)
class Held:
    """A row that the receiver put off or refused."""

    row: Row
    attempts: int
    next_at: int
    answer: str
    answered_at: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Figures of a receiver, without the outbox's."""

    name: str
    active: bool
    position: int
    delivered: int
    delivered_at: int
    attempts: int
    next_at: int
    error: str
    error_at: int
    held: int
    held_since: int
    refused: int
    forgotten: int


_HELD: Final = "seq, event_id, subject, at, document, attempts, next_at, answer, answered_at, refused"
_FIRST: Final = (
    "FROM held AS one WHERE receiver = ? AND refused = 0 AND NOT EXISTS (SELECT 1 FROM held"
    " WHERE receiver = one.receiver AND refused = 0 AND subject = one.subject AND id < one.id)"
)
"""Rows that wait, the first of each subject."""


def _held(values: tuple[Any, ...]) -> Held:
    attempts, next_at, answer, answered_at, refused = values[5:]
    return Held(Row(*values[:5]), attempts, next_at, answer, answered_at, bool(refused))


class DeliveryError(UsageError):
    """The file cannot be used: one clear line."""


class Deliveries:
    """The file, opened by one thread. Each method that writes is one transaction."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        path = (folder / DELIVERY).absolute()
        mode = "ro" if read_only else "rwc"
        self._db = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=30, isolation_level=None)
        try:
            self._db.execute("PRAGMA user_version").fetchone()
            if not read_only:
                self._prepare(path)
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                raise DeliveryError(
                    f"{path}: cannot be used: {error}; move it away, and all that the outbox has is sent again"
                ) from error
            raise

    def _prepare(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise DeliveryError(f"{path}: version {version} is of a newer zonewatch; this one knows {VERSION}")
            for statement in ";".join(MIGRATIONS[version:]).split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def begin(self, receivers: Iterable[str]) -> None:
        """Says which receivers there are. The others keep what they had, and hold nothing in the outbox."""
        with self._transaction():
            self._db.execute("UPDATE receiver SET active = 0")
            for name in receivers:
                self._db.execute(
                    "INSERT INTO receiver (name, active, position, position_event) VALUES (?, 1, 0, '')"
                    " ON CONFLICT (name) DO UPDATE SET active = 1",
                    (name,),
                )

    def known(self, receiver: str) -> bool:
        """Whether anything was ever kept of the receiver."""
        return self._db.execute("SELECT 1 FROM receiver WHERE name = ?", (receiver,)).fetchone() is not None

    def state(self, receiver: str) -> State:
        """Where the receiver is."""
        query = "SELECT position, position_event, attempts, next_at FROM receiver WHERE name = ?"
        return State(*self._db.execute(query, (receiver,)).fetchone())

    def go_to(self, receiver: str, position: int, event_id: str) -> None:
        """Puts the receiver's place in the outbox elsewhere."""
        with self._transaction():
            self._move(receiver, position, event_id)

    def _move(self, receiver: str, position: int, event_id: str) -> None:
        self._db.execute(
            "UPDATE receiver SET position = ?, position_event = ? WHERE name = ?", (position, event_id, receiver)
        )

    def due(self, receiver: str, now: int, longest: int, most: int, octets: int) -> list[Held]:
        """Rows that waited long enough: the first of its subject each. None waits longer than `longest` from now."""
        query = f"SELECT {_HELD} {_FIRST} AND (next_at <= ? OR next_at > ?) ORDER BY id LIMIT ?"
        found: list[Held] = []
        with closing(self._db.execute(query, (receiver, now, now + longest, most))) as cursor:
            for values in cursor:
                one = _held(values)
                octets -= len(one.row.document.encode())
                if found and octets < 0:
                    break
                found.append(one)
        return found

    def next_due(self, receiver: str) -> int | None:
        """When the next row that waits is due; one behind another of its subject is not, whatever its time."""
        found: int | None = self._db.execute(f"SELECT MIN(next_at) {_FIRST}", (receiver,)).fetchone()[0]
        return found

    def waiting(self, receiver: str) -> int:
        """How many rows are held and wait."""
        query = "SELECT COUNT(*) FROM held WHERE receiver = ? AND refused = 0"
        return int(self._db.execute(query, (receiver,)).fetchone()[0])

    def waits(self, receiver: str, subject: str) -> bool:
        """Whether a row of the subject is held and waits."""
        query = "SELECT 1 FROM held WHERE receiver = ? AND refused = 0 AND subject = ? LIMIT 1"
        return self._db.execute(query, (receiver, subject)).fetchone() is not None

    def settle(
        self,
        receiver: str,
        rows: Sequence[tuple[Row, Outcome, int, int]],
        now: int,
        position: Row | None = None,
        behind: Sequence[Row] = (),
        pause: tuple[int, int] | None = None,
        most_refused: int | None = None,
    ) -> int:
        """What became of rows, at once: each with its outcome, attempts and next time.

        `position` is the last row of the outbox that is now delivered or held, `behind` are rows that wait for an
        earlier one of their subject, `pause` are attempts in vain and the next time for the receiver as a whole.
        Of what was refused the newest `most_refused` are kept; how many went for it.
        """
        forgotten = 0
        with self._transaction():
            for row, outcome, attempts, next_at in rows:
                if outcome.kind == "delivered":
                    self._db.execute("DELETE FROM held WHERE receiver = ? AND event_id = ?", (receiver, row.event_id))
                else:
                    refused = outcome.kind == "refused"
                    self._hold(receiver, row, refused, attempts, 0 if refused else next_at, outcome.answer, now)
            for row in behind:
                self._hold(receiver, row, False, 0, 0, "an earlier alert of its subject waits", now)
            if most_refused is not None and any(outcome.kind == "refused" for _, outcome, _, _ in rows):
                forgotten = self._forget_refused(receiver, most_refused)
            delivered = sum(outcome.kind == "delivered" for _, outcome, _, _ in rows)
            if delivered:
                self._db.execute(
                    "UPDATE receiver SET delivered = delivered + ?, delivered_at = ? WHERE name = ?",
                    (delivered, now, receiver),
                )
            if position is not None:
                self._move(receiver, position.seq, position.event_id)
            answer = next((outcome.answer for _, outcome, _, _ in rows if outcome.kind != "delivered"), "")
            if answer:
                self._db.execute("UPDATE receiver SET error = ?, error_at = ? WHERE name = ?", (answer, now, receiver))
            attempts, next_at = pause or (0, 0)
            self._db.execute(
                "UPDATE receiver SET attempts = ?, next_at = ? WHERE name = ?", (attempts, next_at, receiver)
            )
        return forgotten

    def _forget_refused(self, receiver: str, most: int) -> int:
        over = self._db.execute(
            "DELETE FROM held WHERE receiver = ? AND refused = 1 AND id NOT IN"
            " (SELECT id FROM held WHERE receiver = ? AND refused = 1 ORDER BY id DESC LIMIT ?)",
            (receiver, receiver, most),
        ).rowcount
        if over:
            self._db.execute("UPDATE receiver SET forgotten = forgotten + ? WHERE name = ?", (over, receiver))
        return over

    def _hold(self, receiver: str, row: Row, refused: bool, attempts: int, next_at: int, answer: str, now: int) -> None:
        self._db.execute(
            "INSERT INTO held (receiver, seq, event_id, subject, at, document, refused, attempts, next_at, answer,"
            " answered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receiver, event_id) DO UPDATE SET"
            " refused = excluded.refused, attempts = excluded.attempts, next_at = excluded.next_at,"
            " answer = excluded.answer, answered_at = excluded.answered_at",
            (receiver, *dataclasses.astuple(row), int(refused), attempts, next_at, answer, now),
        )

    def failed(self, receiver: str, attempts: int, next_at: int, error: str, now: int) -> None:
        """The receiver took nothing: attempts in vain, the next time and why."""
        with self._transaction():
            self._db.execute(
                "UPDATE receiver SET attempts = ?, next_at = ?, error = ?, error_at = ? WHERE name = ?",
                (attempts, next_at, error, now, receiver),
            )

    def retry(self, receiver: str) -> int:
        """Lets what the receiver refused wait again; how many rows those are."""
        with self._transaction():
            query = "UPDATE held SET refused = 0, attempts = 0, next_at = 0 WHERE receiver = ? AND refused = 1"
            found = self._db.execute(query, (receiver,)).rowcount
            self._db.execute("UPDATE receiver SET attempts = 0, next_at = 0 WHERE name = ?", (receiver,))
        return found

    def hurry(self, receiver: str) -> None:
        """Lets the receiver, and what waits for it, be tried at once."""
        with self._transaction():
            self._db.execute("UPDATE receiver SET next_at = 0 WHERE name = ?", (receiver,))
            self._db.execute("UPDATE held SET next_at = 0 WHERE receiver = ? AND refused = 0", (receiver,))

    def held(self, receiver: str, *, refused: bool, most: int) -> list[Held]:
        """The first rows that wait, or were refused."""
        query = f"SELECT {_HELD} FROM held WHERE receiver = ? AND refused = ? ORDER BY id LIMIT ?"
        return [_held(values) for values in self._db.execute(query, (receiver, int(refused), most))]

    def standings(self) -> list[Standing]:
        """Figures of every receiver that there is or was; none of a file that another version of us made."""
        if self._db.execute("PRAGMA user_version").fetchone() != (VERSION,):
            return []
        query = (
            "SELECT name, active, position, delivered, delivered_at, attempts, next_at, error, error_at,"
            " (SELECT COUNT(*) FROM held WHERE receiver = name AND refused = 0),"
            " (SELECT COALESCE(MIN(at), 0) FROM held WHERE receiver = name AND refused = 0),"
            " (SELECT COUNT(*) FROM held WHERE receiver = name AND refused = 1), forgotten FROM receiver ORDER BY name"
        )
        return [Standing(values[0], bool(values[1]), *values[2:]) for values in self._db.execute(query)]


def needed_after(folder: Path) -> int:
    """The place in the outbox behind which rows are still needed; up to it they may be forgotten."""
    if not (folder / DELIVERY).exists():
        return 0
    with closing(Deliveries(folder, read_only=True)) as deliveries:
        return min((one.position for one in deliveries.standings() if one.active), default=0)
