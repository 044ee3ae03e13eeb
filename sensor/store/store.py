"""The store of a sensor: what it found, for years, and the alerts that are still to be delivered.

    with Store.open(folder, settings, now=clock) as store:
        period = store.begin(sources, version, policy, baseline, at)
        told = store.record(period, result, at)
        store.end(period, result, at)

What `record` was given is on the disk when it returns, or `store.behind` says why it is not. The result of a period
only grows, so that the next pass brings whatever one could not write.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from types import MappingProxyType, TracebackType
from typing import Final, Self, TypeVar

import pyarrow as pa

from zonewatch import __version__
from zonewatch.reports.json_result import dumps
from zonewatch.reports.proof.given import GIVEN
from zonewatch.reports.result import AuditResult
from zonewatch.reports.words import size
from zonewatch.rules.findings import SEVERITIES, Severity
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.acceptances import Acceptance, in_force
from zonewatch.sensor.decisions.chain import Decision, Head, first_broken, missing_heads
from zonewatch.sensor.store import durable, recovery
from zonewatch.sensor.store.clock import Clock
from zonewatch.sensor.store.database import NoRoom, StoreError, connect, copy, is_full, migrate, refuse_damaged
from zonewatch.sensor.store.documents import packed, packed_octets
from zonewatch.sensor.store.files import Files
from zonewatch.sensor.store.health import Health
from zonewatch.sensor.store.lock import Lock
from zonewatch.sensor.store.picture import Picture
from zonewatch.sensor.store.retention import forget_old
from zonewatch.sensor.store.schema import MIGRATIONS
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.subjects import FINDINGS, Moment, Subjects

__all__ = ["NAME", "Opened", "Store"]

NAME: Final = "store.db"
RESERVE: Final = "reserve"
_OWN_HEALTH: Final = frozenset(("clock", "decisions", "disk"))
_GRAVE: Final = SEVERITIES.index("high")
_TRIES: Final = 3
"""As it is; after evidence went; after the reserve was given up."""
_ROOM_AGAIN: Final = 600 * 1_000_000_000
"""A disk that was full is said to be right again when nothing failed for so long, or it would be said every second."""
_LONG_AGO: Final = -(2**62)
_MOST_WAITING: Final = 8
"""Begins and ends of periods that wait in memory for room on the disk, each end with its result."""
_LOG: Final = logging.getLogger("zonewatch.store")
_T = TypeVar("_T")
Inputs = Mapping[str, bytes]
NO_INPUTS: Final[Inputs] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found when the store was opened."""

    run: int
    notes: tuple[str, ...]  # what happened since, one sentence each


class Store:
    """The one writer of a store's folder."""

    def __init__(
        self, folder: Path, settings: StoreSettings, now: Callable[[], int], monotonic: Callable[[], int]
    ) -> None:
        self._folder, self._settings, self._now, self._monotonic = folder, settings, now, monotonic
        self._problem = ""
        self.behind = ""
        """Why the last pass could not be written; empty: it was."""
        path = folder / NAME
        self._lock = Lock(folder / "store.lock", "another zonewatch writes to this store")
        try:
            log_left = recovery.log_size(path)
            try:
                self._connect(path, log_left)
            except NoRoom:
                if not durable.Reserve(folder / RESERVE, settings.reserve).give_up():
                    raise
                _LOG.error("%s: the disk is full: the room that was held back is given up", folder)
                self._connect(path, log_left)
        except BaseException:
            self._lock.release()
            raise

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: StoreSettings,
        now: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> Self:
        """Opens a store, made where there is none. Raises StoreError."""
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        return cls(folder, settings, now, monotonic)

    def _connect(self, path: Path, log_left: int) -> None:
        self._db = connect(path, "WAL")
        try:
            self._open(path, log_left)
        except sqlite3.OperationalError as error:
            self._undo()
            self._db.close()
            if is_full(error):
                raise NoRoom(path, error) from error
            raise StoreError(f"{path}: cannot be written: {error}") from error
        except BaseException:
            self._db.close()
            raise

    def _open(self, path: Path, log_left: int) -> None:
        refuse_damaged(self._db, path)
        had = migrate(self._db, path, MIGRATIONS)
        at = self._now()
        last = recovery.last_run(self._db)
        self._clock = Clock(self._now, self._monotonic)
        self._full_at = self._monotonic() - _ROOM_AGAIN
        notes = [f"the store was brought from version {had} to {len(MIGRATIONS)}"] if 0 < had < len(MIGRATIONS) else []
        notes += recovery.notes(self._db, path, last, log_left)
        notes += filter(None, [self._clock.opened(last.last if last is not None else 0)])
        self._reserve = durable.Reserve(self._folder / RESERVE, self._settings.reserve)
        self._reserve.hold()
        self._subjects = Subjects(self._db)
        self._picture = Picture(self._db)
        self._health = Health(self._db, __version__)
        self._files = Files(self._folder, self._db, self._settings, self._is_grave)
        notes += self._files.look_through(at, recovery.suspect_from(last))
        self._refreshed = _LONG_AGO
        self._period: int = self._db.execute("SELECT coalesce(max(number), 0) FROM periods").fetchone()[0]
        self._waiting: deque[Callable[[], bool]] = deque()
        self._decisions: tuple[Decision, ...] = ()
        self._decisions_seen: object = self  # nothing is equal to it: read once even where there is none
        row = self._db.execute(
            "INSERT INTO runs (version, started, last, notes) VALUES (?, ?, ?, ?) RETURNING number",
            (__version__, at, at, json.dumps(notes)),
        ).fetchone()
        self.opened = Opened(row[0], tuple(notes))
        for note in notes:
            _LOG.warning("%s: %s", self._folder, note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:  # the next start says that this run did not end in order
            self._leave()

    def close(self) -> None:
        """Says that the run ended in order. A period that still runs is one of those broken off."""
        row = (self._now(), self.opened.run)
        try:
            self._catch_up()
            self._write(lambda: self._db.execute("UPDATE runs SET ended = ? WHERE number = ?", row))
        finally:
            self._leave()

    def _leave(self) -> None:
        self._db.close()
        self._lock.release()

    # periods and passes

    def begin(
        self, sources: Sequence[str], version: str, policy: str, baseline: str, at: int, inputs: Inputs = NO_INPUTS
    ) -> int:
        """A period begins; its number. Texts of policy and baseline are kept once each, empty is none.

        `inputs` are the files of `inputs/` as an audit writes them: what the period is judged by, with its names.
        """
        self._period += 1
        number, made = self._period, (version, json.dumps(list(sources)))
        self._wait(lambda: self._begin(number, made, policy, baseline, at, inputs))
        return number

    def _begin(self, number: int, made: tuple[str, str], policy: str, baseline: str, at: int, inputs: Inputs) -> bool:
        def write() -> int:
            self._db.execute("UPDATE periods SET state = 'broken', ended = last WHERE state = 'running'")
            judged = self._judged_by(policy, baseline, at, inputs)
            self._db.execute(
                "INSERT INTO periods (number, run, version, sources, policy, baseline, given, began, last, state,"
                " passes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', 0)",
                (number, self.opened.run, *made, *judged, at, at),
            )
            return number

        if self._write(write) is None:
            return False
        self._picture.begin()
        self._refreshed = _LONG_AGO
        return True

    def judge_by(self, policy: str, baseline: str, at: int, inputs: Inputs = NO_INPUTS) -> None:
        """Files were read anew: all of the running period is judged by them from the next pass on."""
        number = self._period
        self._wait(lambda: self._judge_by(number, policy, baseline, at, inputs))

    def _judge_by(self, number: int, policy: str, baseline: str, at: int, inputs: Inputs) -> bool:
        def write() -> int:
            judged = self._judged_by(policy, baseline, at, inputs)
            self._db.execute(
                "UPDATE periods SET policy = ?, baseline = ?, given = ? WHERE number = ?", (*judged, number)
            )
            return number

        return self._write(write) is not None

    def _judged_by(self, policy: str, baseline: str, at: int, inputs: Inputs) -> tuple[str | None, str | None, str]:
        """Keeps what is not kept yet; the columns of a period that name it."""
        texts = (self._text("policy", policy, at), self._text("baseline", baseline, at))
        known = {name for name in texts if name}
        for name, octets in sorted(inputs.items()):
            hashed = hashlib.sha256(octets).hexdigest()
            if name != GIVEN and hashed not in known:
                self._db.execute(
                    "INSERT INTO inputs (hash, at, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (hashed, at, packed_octets(octets)),
                )
        return (*texts, inputs.get(GIVEN, b"").decode())

    def _text(self, kind: str, text: str, at: int) -> str | None:
        if not text:
            return None
        name = hashlib.sha256(text.encode()).hexdigest()
        self._db.execute(
            "INSERT INTO texts (hash, kind, at, text) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (name, kind, at, text),
        )
        return name

    def record(self, period: int, result: AuditResult, at: int) -> int:
        """Takes over the result of a pass, in one transaction; how many alerts were put in the outbox."""
        return self._record_pass(period, result, at, new=False)

    def record_new(self, period: int, result: AuditResult, at: int) -> int:
        """The same of a pass that did not look at everything: its findings that are not known are taken over."""
        return self._record_pass(period, result, at, new=True)

    def _record_pass(self, period: int, result: AuditResult, at: int, *, new: bool) -> int:
        if period != self._period:
            raise ValueError(f"period {period} does not run")
        if not self._catch_up():
            return 0
        told = self._record(period, result, at, final=False, new=new)
        self.behind = self._problem if told is None else ""
        return told or 0

    def end(self, period: int, result: AuditResult, at: int) -> int:
        """The same for the last pass of a period, whose result is kept whole.

        Where the disk is full it waits in memory, and is written before anything that comes after.
        """
        if period != self._period:
            raise ValueError(f"period {period} does not run")
        told: list[int] = []
        self._wait(lambda: self._end(period, result, at, told))
        return sum(told)

    def _end(self, period: int, result: AuditResult, at: int, told: list[int]) -> bool:
        count = self._record(period, result, at, final=True)
        if count is None:
            return False
        told.append(count)
        self._forget_old(at)
        return True

    def _wait(self, work: Callable[[], bool]) -> None:
        """Begins and ends are written in their order, as soon as there is room."""
        self._waiting.append(work)
        self._catch_up()
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            _LOG.error("%s: the disk was full for too long: what a period found last is lost", self._folder)

    def _catch_up(self) -> bool:
        """Whether nothing waits any longer."""
        while self._waiting and self._waiting[0]():
            self._waiting.popleft()
        self.behind = self._problem if self._waiting else ""
        return not self._waiting

    def _record(self, period: int, result: AuditResult, at: int, *, final: bool, new: bool = False) -> int | None:
        """How many alerts were told; none where it could not be written."""
        self._look_after(at)
        refresh = final or not (new or 0 <= at - self._refreshed < self._settings.refresh)
        moment = Moment(period, at, self._acceptances(at), self._settings.retell, refresh, final)
        subjects = self._subjects.plan_new(result, moment) if new else self._subjects.plan(result, moment)
        picture = self._picture.plan(result, period, refresh=refresh, new=new)
        whole = packed(dumps(result)) if final else None

        def write() -> int:
            self._subjects.apply(subjects, at)
            self._picture.apply(picture, period, at)
            self._db.execute("UPDATE runs SET last = ? WHERE number = ?", (at, self.opened.run))
            if final:
                self._db.execute(
                    "UPDATE periods SET state = 'whole', ended = ?, result = ?, rest = NULL WHERE number = ?",
                    (at, whole, period),
                )
            return len(subjects.alerts)

        told = self._write(write)
        if told is None:
            return None
        self._subjects.done(subjects)
        self._picture.done(picture)
        if refresh:
            self._refreshed = at
        if not self._reserve.is_held:  # given up for this pass, or before
            self._say_full(at)
        return told

    def _forget_old(self, at: int) -> None:
        if self._clock.is_believed:
            gone = self._write(lambda: forget_old(self._db, self._settings, at))
            for table, names in (gone or {}).items():
                self._subjects.forget(table, names)

    # decisions

    def _acceptances(self, at: int) -> tuple[Acceptance, ...]:
        """Those in force, of decisions whose chain holds; read again when the log changed."""
        path = self._folder / ledger.NAME
        try:
            status = path.stat()
            seen: object = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            seen = None
        if seen != self._decisions_seen and self._read_decisions(at):
            self._decisions_seen = seen
        return in_force(self._decisions, at)

    def _read_decisions(self, at: int) -> bool:
        """Whether they could be read. From a broken link on the log accepts nothing, and that is told."""
        heads = [Head(*row) for row in self._db.execute("SELECT number, hash FROM heads ORDER BY number")]
        try:
            found = ledger.read(self._folder)
            broken = first_broken(found) or missing_heads(found, heads)
        except StoreError as error:
            self.health("decisions", "high", "The log of decisions cannot be read", str(error), at)
            return False
        if broken is not None:
            found = found[: broken.number - 1]
            text = (
                f"Decision {broken.number} {broken.why}. From there on nothing is accepted: see zonewatch log verify."
            )
            self.health("decisions", "high", "The log of decisions was changed", text, at)
        else:
            self.healthy("decisions", at)
            if found and found[-1].number not in {head.number for head in heads}:
                head = (found[-1].number, found[-1].hash, at)
                self._write(lambda: self._db.execute("INSERT INTO heads (number, hash, at) VALUES (?, ?, ?)", head))
        self._decisions = found
        return True

    # files

    def keep_events(self, period: int, tables: Mapping[str, pa.Table]) -> None:
        """Keeps rows of events and activities that no call before had, as Parquet."""
        at = self._now()
        self._keep(lambda: self._files.keep_events(period, tables, at), at)

    def keep_evidence(self, captures: Mapping[str, bytes]) -> None:
        """Keeps mini captures (pcapng) by the ids of their findings; a later one takes the place of one before."""
        at = self._now()
        self._keep(lambda: self._files.keep_evidence(captures, at), at)

    def _keep(self, work: Callable[[], None], at: int) -> None:
        """Where the disk has no room for evidence, it goes without: room is for findings."""
        if self._is_short():
            return
        try:
            work()
            self._files.prune(at, by_age=self._clock.is_believed)
        except OSError as error:
            if not durable.has_no_room(error):
                raise
            self._say_full(at)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
            self._say_full(at)

    def _is_grave(self, finding: str) -> bool:
        known = self._subjects.known[FINDINGS].get(finding)
        return known is not None and known.state == "open" and SEVERITIES.index(known.severity) >= _GRAVE

    # health

    def health(self, subject: str, severity: Severity, title: str, text: str, at: int) -> bool:
        """Says that something is wrong; whether that was told: as `health.SUBJECT`, when new or other than before."""
        return bool(self._write(lambda: self._health.say(subject, severity, title, text, at)))

    def healthy(self, subject: str, at: int) -> bool:
        """Says that it is right again; told where it was told that it was wrong."""
        return self._health.is_open(subject) and bool(self._write(lambda: self._health.resolve(subject, at)))

    def unhealthy(self) -> tuple[str, ...]:
        """What was said to be wrong, by this run or one before, but for what the store looks after itself."""
        return tuple(subject for subject in self._health.open_subjects() if subject not in _OWN_HEALTH)

    def _look_after(self, at: int) -> None:
        """Before each pass: the clock, the room on the disk, the reserve."""
        if stepped := self._clock.stepped():
            text = "Times of what was seen before and after do not compare. For a day nothing is removed for its age."
            self.health("clock", "low", f"{stepped[0].upper()}{stepped[1:]}", text, at)
        elif self._clock.is_believed:
            self.healthy("clock", at)
        if self._is_short():
            self._files.make_room(self._settings.least_free - disk_usage(self._folder).free, at)
        holds = self._reserve.is_held or (self._has_room_again() and self._reserve.hold())
        if self._is_short() or not holds:
            self._say_full(at)
        elif not self.behind and self._monotonic() - self._full_at > _ROOM_AGAIN:
            self.healthy("disk", at)

    def _has_room_again(self) -> bool:
        return disk_usage(self._folder).free > self._settings.least_free + 2 * self._settings.reserve

    def _is_short(self) -> bool:
        return disk_usage(self._folder).free < self._settings.least_free

    def _say_full(self, at: int) -> None:
        self._full_at = self._monotonic()
        free = size(disk_usage(self._folder).free)
        text = "Events and mini captures are no longer kept, the oldest were removed. Findings and alerts still are."
        self.health("disk", "high", "The sensor's disk is nearly full", f"{free} are free. {text}", at)

    def _write(self, work: Callable[[], _T]) -> _T | None:
        """One transaction. Where the disk is full evidence goes, then the reserve; none where that is not enough."""
        for attempt in range(_TRIES):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                done = work()
                self._files.write_removals()
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._undo()
                if not is_full(error):
                    raise StoreError(f"{self._folder / NAME}: cannot be written: {error}") from error
                self._problem = f"the disk has no room: {error}"
                _LOG.error("%s: %s", self._folder, self._problem)
                if attempt == 0:
                    self._files.make_room(max(self._settings.reserve, 1), self._now())
                else:
                    self._reserve.give_up()
            except BaseException:
                self._undo()
                raise
            else:
                self._files.removals_written()
                return done
        return None

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # for others

    def forget_delivered(self, seq: int) -> int:
        """Removes the alerts up to `seq`, which every receiver has; how many."""
        return self._write(lambda: self._db.execute("DELETE FROM outbox WHERE seq <= ?", (seq,)).rowcount) or 0

    def keep_newest(self, most: int) -> int:
        """Removes all alerts but the newest, where there is nobody to deliver them to; how many."""
        oldest = "SELECT seq FROM outbox ORDER BY seq DESC LIMIT 1 OFFSET ?"
        query = f"DELETE FROM outbox WHERE seq <= ({oldest})"
        return self._write(lambda: self._db.execute(query, (most,)).rowcount) or 0

    def backup(self, target: Path) -> None:
        """A copy of `store.db`, made while it is in use."""
        copy(self._db, target)
