"""The loop of `zonewatch watch`: threads hear, this one judges what was heard and keeps what it found.

A pass judges everything of the period so far, by the same code as an audit, so that the last pass of a period is the
audit of its packets. A pass is as often as it is cheap: `judge.interval` after the last one began, and never sooner
after its end than half of what it took, a tenth where it was brief. Where whole events are many, most passes are brief:
they judge the newest events alone, with all the rest of the period, and tell what is new; whole passes take a
three-hundredth of the time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from zonewatch import __version__
from zonewatch.dissectors.extract import MiniCapture
from zonewatch.dissectors.live import Counts
from zonewatch.inventory.tables import every_event
from zonewatch.reports.evidence import MOST_OCTETS, packets_behind, shown
from zonewatch.reports.result import AuditResult, Capture, ordered
from zonewatch.reports.words import counted, iso_time
from zonewatch.rules.findings import SEVERITIES, Finding, Severity
from zonewatch.sensor.decoding import AnyTables, joined
from zonewatch.sensor.memory import uncollected
from zonewatch.sensor.mirror.ways import Ways, ways
from zonewatch.sensor.pipeline import assess
from zonewatch.sensor.watch import metrics
from zonewatch.sensor.watch.health import Health, Heard, Lost, Refused, State, judge
from zonewatch.sensor.watch.loaded import Loaded
from zonewatch.sensor.watch.news import news
from zonewatch.sensor.watch.notify import Notifier
from zonewatch.sensor.watch.period import Period, Rows
from zonewatch.sensor.watch.settings import HealthSettings, JudgeSettings
from zonewatch.sensor.watch.signs import signs_of_work
from zonewatch.sensor.watch.thin import asked_whole

log: Final = logging.getLogger("zonewatch.watch")

_HEAR: Final = 200
"""Milliseconds that a thread waits for packets before it looks whether it is to stop."""
_HEALTH: Final = 60 * 10**9
"""Nanoseconds between two looks at the sensor's own state."""
_KEEP: Final = 300 * 10**9
"""Nanoseconds between two segments of whole events."""
_SIGN: Final = 10 * 10**9
"""Nanoseconds between two signs of life while nothing is judged."""
_SHARE: Final = 0.5
"""So many times what a whole pass took is waited before the next: judging takes at most two thirds of the time."""
_BRIEF_SHARE: Final = 0.1
"""The same after a brief pass: what is new is told soon, and there is another core for what is heard."""
_UNSENT: Final = 10_000
"""Alerts that are kept while there is nobody to tell them to: what a receiver that is added later begins with."""
_BRIEF: Final = 1_000
"""Whole events that a brief pass judges; with no more of them in the period every pass is whole."""
_BURST: Final = 10_000
"""At most so many of them, where more came since the pass before: what is in the middle of a burst is told soon too."""
_WHOLE: Final = 300
"""So many times what a whole pass took there are only brief ones after it: of a hundred alerts not one waits for it."""
_EVENTS: Final = ("events", "activities")
_INTERFACES: Final = Path("/sys/class/net")


class Keeper(Protocol):
    """What the loop asks of the store."""

    def begin(
        self, sources: Sequence[str], version: str, policy: str, baseline: str, at: int, inputs: Mapping[str, bytes]
    ) -> int:
        """A new period, and what it is judged by."""

    def judge_by(self, policy: str, baseline: str, at: int, inputs: Mapping[str, bytes]) -> None:
        """From now on the running period is judged by these texts and files."""

    def record(self, period: int, result: AuditResult, at: int) -> int:
        """Keeps what a pass found, and gives how many alerts were put in the outbox."""

    def record_new(self, period: int, result: AuditResult, at: int) -> int:
        """Of what a brief pass found keeps the findings that nobody knows, and leaves the others as they are."""

    def keep_events(self, period: int, tables: Mapping[str, pa.Table]) -> None:
        """Keeps whole events."""

    def keep_evidence(self, captures: Mapping[str, bytes]) -> None:
        """Keeps mini captures by finding."""

    def end(self, period: int, result: AuditResult, at: int) -> int:
        """The same for the last pass of a period, whose result is kept whole."""

    def health(self, subject: str, severity: Severity, title: str, text: str, at: int) -> bool:
        """Tells of the sensor's own state."""

    def healthy(self, subject: str, at: int) -> bool:
        """What was told of it is over."""

    def unhealthy(self) -> tuple[str, ...]:
        """What was told and is not over, by a run before too."""

    def forget_delivered(self, seq: int) -> int:
        """Takes rows out of the outbox that every receiver has."""

    def keep_newest(self, most: int) -> int:
        """Takes all but the newest rows out of the outbox, and gives how many."""


class Listener(Protocol):
    """A capture point that goes on: interfaces that are listened to, or logs that are followed."""

    def advance(self, milliseconds: int) -> bool:
        """Takes what comes for this long; False where nothing more will."""

    def take(self, table: str) -> pa.Table:
        """Rows that were finished since."""

    def snapshot(self) -> Rows:
        """All rows that were not taken, as if the capture ended now."""

    def turn(self, capture: str) -> None:
        """Ends the present capture and begins another one."""

    def close(self) -> None:
        """Takes what had come, and ends the capture."""

    def packets(
        self, frames: Sequence[tuple[int, int, int | None]], captures: int, most_octets: int
    ) -> tuple[MiniCapture, ...]:
        """Mini captures of remembered packets."""

    def counts(self) -> Counts:
        """How it does."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where times come from: the moment (UTC) and a count that never steps, both in nanoseconds."""

    now: Callable[[], int]
    count: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the receivers are."""

    age: int = 0  # of the oldest alert that one has not got, nanoseconds
    waiting: int = 0
    needed_after: int = 0  # up to this place in the outbox every receiver has all
    nobody: bool = False  # no receiver is configured, nor has a process that ships one
    unreadable: str = ""  # why nobody knows
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Orders:
    """What signals ask of the loop."""

    stop: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)


class Watch:
    """One run. `load` reads what traffic is judged by; it is called again for a reload."""

    def __init__(
        self,
        listeners: Sequence[tuple[str, Listener]],
        store: Keeper,
        folder: Path,
        judging: JudgeSettings,
        health: HealthSettings,
        load: Callable[[], Loaded],
        clock: Clock,
        notifier: Notifier,
        backlog: Callable[[], Backlog] = Backlog,
        loaded: Loaded | None = None,
    ) -> None:
        self._listeners, self._store, self._folder = listeners, store, folder
        self._judging, self._health, self._load = judging, health, load
        self._clock, self._notifier, self._backlog = clock, notifier, backlog
        self._loaded = loaded if loaded is not None else load()
        self._reload_failed = ""
        self._tables = Period()
        self._evidenced: set[str] = set()
        self._unkept: dict[str, list[pa.Table]] = {name: [] for name in _EVENTS}
        self._result: AuditResult | None = None  # of the last whole pass
        self._known: tuple[Finding, ...] = ()  # what it found, and what was told since
        self._captures: tuple[Capture, ...] = ()
        self._ways: Mapping[str, Ways] = {}  # by source, of the last whole pass
        self._passes = self._alerts = self._forgotten = 0
        self._took = 0
        self._was_whole = True
        self._whole_took = self._whole_ended = 0
        self._told: dict[str, Health] = {}
        self._before: dict[str, Lost] = {}
        self._last_packet: dict[str, int] = {}
        self._packets: dict[str, tuple[int, int]] = {}  # by source: packets, and the count when they were last more
        self._unsaid = ""  # why figures could not be written last

    def run(self, orders: Orders) -> str:
        """Hears and judges until it is told to stop, or nothing more can come; then ends the period.

        Gives the capture point that failed, or the interface that was gone and is there again, for which the process
        has to be started anew; else none.
        """
        self._stale = set(self._store.unhealthy())
        begun = self._clock.now()
        self._period = self._begin(begun)
        failed: list[str] = []
        hearing = [
            threading.Thread(target=_hear, args=(source, live, orders.stop, failed), daemon=True)
            for source, live in self._listeners
        ]
        for thread in hearing:
            thread.start()
        self._notifier.tell(READY="1", STATUS="listening")
        next_health = next_keep = self._clock.count()
        returned = ""
        while not orders.stop.is_set() and any(thread.is_alive() for thread in hearing):
            with signs_of_work(self._notifier):
                self._pass()
            count = self._clock.count()
            if orders.reload.is_set():
                orders.reload.clear()
                self._reload()
                next_health = count
            if count >= next_health:
                self._look(count)
                next_health = count + _HEALTH
            if count >= next_keep:
                self._keep()
                next_keep = count + _KEEP
            if self._clock.now() - begun >= self._judging.period or self._tables.rows >= self._judging.most_rows:
                with signs_of_work(self._notifier):
                    self._turn()
                begun = self._clock.now()
            self._say()
            if returned := self._returned():
                log.warning("%s is there again, as the kernel makes it: heard after a start", returned)
                break
            share = _SHARE if self._was_whole else _BRIEF_SHARE
            self._rest(int(max(self._judging.interval - self._took, share * self._took)), orders.stop)
        self._notifier.tell(STOPPING="1", STATUS="ending the period")
        orders.stop.set()
        for thread in hearing:
            thread.join()
        with signs_of_work(self._notifier):
            self._end()
        self._say()
        return returned or next(iter(failed), "")

    def _rest(self, nanoseconds: int, stop: threading.Event) -> None:
        """Waits, with signs of life: after a long pass the service manager would take the process for dead."""
        end = self._clock.count() + nanoseconds
        while (left := end - self._clock.count()) > 0 and not stop.wait(min(left, _SIGN) / 1e9):
            self._notifier.tell(WATCHDOG="1")

    def _returned(self) -> str:
        """An interface that was gone and is there again. Its socket does not hear it, and it may not be silent."""
        here = {path.name for path in _INTERFACES.iterdir()} if _INTERFACES.is_dir() else set()
        gone = (row.name for _, live in self._listeners for row in live.counts().interfaces if row.state == "gone")
        return next((name for name in gone if name in here), "")

    def _begin(self, at: int) -> int:
        sources = [source for source, _ in self._listeners]
        loaded = self._loaded
        return self._store.begin(sources, __version__, loaded.policy, loaded.baseline, at, loaded.inputs)

    def _pass(self, *, whole: bool = False) -> None:
        """Judges all of the period so far, and keeps it; of events the newest alone where all would take too long."""
        begun, before = self._clock.count(), self._tables.events
        for _, live in self._listeners:
            self._add(self._tables.add(live))
        open_rows = (live.snapshot() for _, live in self._listeners)
        self._was_whole = (
            whole or self._tables.events <= _BRIEF or begun - self._whole_ended >= _WHOLE * self._whole_took
        )
        if self._was_whole:
            self._judge(self._tables.tables(open_rows))
            self._whole_ended = self._clock.count()
            self._whole_took = self._whole_ended - begun
        else:
            asked = tuple(asked_whole(self._loaded.given))
            newest = min(max(self._tables.events - before, _BRIEF), _BURST)
            self._judge_newest(self._tables.latest(newest, open_rows, asked))
        self._took = self._clock.count() - begun

    def _judge(self, tables: AnyTables, *, final: bool = False) -> None:
        result = self._assess(tables)
        keep = self._store.end if final else self._store.record
        self._kept(keep(self._period, result, self._clock.now()), result, tables)
        self._result, self._known, self._ways = result, result.findings, ways(tables)

    def _judge_newest(self, tables: AnyTables) -> None:
        """Tells what is new."""
        result = self._assess(tables, frozenset(finding.id for finding in self._known))
        new = replace(result, findings=news(result.findings, self._known, self._loaded.given.detection))
        alerts = self._store.record_new(self._period, new, self._clock.now())
        self._kept(alerts, new, {**tables, "events": every_event(tables)})
        self._known += new.findings

    def _assess(self, tables: AnyTables, known: frozenset[str] | None = None) -> AuditResult:
        """Everything; where findings are known, the findings alone."""
        given, title, alone = self._loaded.given, self._loaded.title, known is not None
        with uncollected():
            return ordered(assess(tables, given, title, findings_alone=alone, known=known or ()))

    def _kept(self, alerts: int, result: AuditResult, tables: AnyTables) -> None:
        self._prove(result, tables)
        self._captures = result.captures
        for capture in result.captures:
            self._last_packet[capture.source] = max(self._last_packet.get(capture.source, 0), capture.last_time)
        if alerts:
            log.info("%s put in the outbox", counted(alerts, "alert"))
        self._passes, self._alerts = self._passes + 1, self._alerts + alerts

    def _add(self, taken: Mapping[str, pa.Table]) -> None:
        for name in _EVENTS:
            if taken[name].num_rows:
                self._unkept[name].append(taken[name])

    def _keep(self) -> None:
        """Whole events since the last time, as a segment."""
        tables = {name: joined(pieces) for name, pieces in self._unkept.items() if pieces}
        if tables:
            self._store.keep_events(self._period, tables)
        self._unkept = {name: [] for name in _EVENTS}

    def _prove(self, result: AuditResult, tables: AnyTables) -> None:
        """Mini captures of the findings that have none yet, out of the packets that are remembered."""
        new = tuple(finding for finding in result.findings if finding.id not in self._evidenced and finding.evidence)
        if not new:
            return
        behind = packets_behind(new, tables)
        keep = shown({packet for row in behind for packet in row.packets}, tables)
        self._evidenced |= {row.finding for row in behind}
        captures: dict[str, bytes] = {}
        for source, live in self._listeners:
            frames = [
                (packet.frame, number, keep[packet])
                for number, row in enumerate(behind)
                if row.finding not in captures  # of one point: frames of two are numbered alike
                for packet in row.packets
                if packet.source == source
            ]
            if frames:
                found = live.packets(frames, len(behind), MOST_OCTETS)
                captures |= {row.finding: made.octets for row, made in zip(behind, found, strict=True) if made.packets}
        if captures:
            self._store.keep_evidence(captures)

    def _turn(self) -> None:
        """Ends the period and begins another; packets go on coming meanwhile."""
        self._pass(whole=True)  # the packets behind findings are remembered no longer once the capture is turned
        begun = self._clock.now()
        for source, live in self._listeners:
            live.turn(capture_name(source, begun))
        self._finish()
        self._period = self._begin(begun)

    def _end(self) -> None:
        self._pass(whole=True)
        for _, live in self._listeners:
            live.close()
        self._finish()

    def _finish(self) -> None:
        for _, live in self._listeners:
            self._add(self._tables.add(live))
        self._keep()
        self._judge(self._tables.tables(), final=True)
        log.info("period ended: %s", _sentence(self._result))
        self._tables, self._evidenced = Period(), set()
        self._whole_took = 0

    def _reload(self) -> None:
        """New files, if they are right; the old ones stay in force where they are not."""
        self._notifier.tell(RELOADING="1", MONOTONIC_USEC=str(self._clock.count() // 1000))
        try:
            loaded = self._load()
            self._store.judge_by(loaded.policy, loaded.baseline, self._clock.now(), loaded.inputs)
            self._loaded = loaded
            self._reload_failed, self._whole_took = "", 0
            log.info("policy and rules read anew")
        except Exception as error:
            # Whatever is wrong with the files, listening goes on; it is told as a finding of the sensor's health.
            self._reload_failed = str(error)
            log.error("not read anew, the old files stay in force: %s", error)
        self._notifier.tell(READY="1")

    def _look(self, count: int) -> None:
        """Tells the store what of the sensor's own state began and what ended."""
        backlog = self._backlog()
        state = State(
            tuple(self._heard(source, live, count) for source, live in self._listeners),
            backlog=backlog.age,
            waiting=backlog.waiting,
            delivery_unreadable=backlog.unreadable,
            refused=backlog.refused,
            reload_failed=self._reload_failed,
        )
        found = {health.subject: health for health in judge(state, self._health)}
        for subject, health in found.items():
            if self._told.get(subject) is None:
                log.warning("%s. %s", health.title, health.remedy)
            if self._told.get(subject) != health:
                text = f"{health.text} {health.remedy}"
                self._store.health(subject, health.severity, health.title, text, self._clock.now())
        for subject in sorted(self._told.keys() - found.keys()):
            log.info("over: %s", self._told[subject].title)
            self._store.healthy(subject, self._clock.now())
        for subject in sorted(self._stale - found.keys()):  # a run before told it
            self._store.healthy(subject, self._clock.now())
        self._stale = set()
        self._told = found
        if backlog.needed_after:
            self._store.forget_delivered(backlog.needed_after)
        if backlog.nobody and (gone := self._store.keep_newest(_UNSENT)):
            if not self._forgotten:
                log.warning("no receiver is configured: the newest %s are kept for one", counted(_UNSENT, "alert"))
            self._forgotten += gone

    def _heard(self, source: str, live: Listener, count: int) -> Heard:
        counts = live.counts()
        now = Lost.of(counts)
        before = self._before.get(source, Lost())
        self._before[source] = now
        packets, since = self._packets.get(source, (0, count))
        if now.packets > packets:
            since = count
        self._packets[source] = (now.packets, since)
        captures = [row for row in self._captures if row.source == source]
        return Heard(
            source,
            before,
            now,
            counts.interfaces,
            silence=count - since,
            flows=sum(row.flows for row in captures),
            one_sided=sum(row.one_sided_flows for row in captures),
            udp=self._ways.get(source, Ways()),
        )

    def _say(self) -> None:
        """Figures for whoever looks at the sensor, and a sign of life for the service manager."""
        counts = {source: live.counts() for source, live in self._listeners}
        figures = metrics.Figures(
            counts=counts,
            last_packet=dict(self._last_packet),
            result=self._result,
            rows=self._tables.rows,
            passes=self._passes,
            pass_seconds=self._took / 1e9,
            alerts=self._alerts,
            forgotten=self._forgotten,
            unhealthy=tuple(sorted(self._told)),
        )
        try:
            metrics.write(figures, self._folder)
            self._unsaid = ""
        except OSError as error:  # a full disk, which the store tells; listening goes on
            if self._unsaid != (why := error.strerror or str(error)):
                log.error("%s cannot be written, the figures there are old: %s", metrics.FILE, why)
            self._unsaid = why
        packets = sum(each.packets for each in counts.values())
        self._notifier.tell(WATCHDOG="1", STATUS=f"{packets:,} packets; {_sentence(self._result)}")


def _hear(source: str, live: Listener, stop: threading.Event, failed: list[str]) -> None:
    try:
        while not stop.is_set() and live.advance(_HEAR):
            pass
    except Exception as error:  # of two points the other must not go on as if nothing were missing
        log.error("%s: listening failed, the sensor ends to be started anew: %s", source, error)
        failed.append(source)
        stop.set()


def capture_name(source: str, begun: int) -> str:
    """What the capture of a period is called in results: `span 2026-11-27T18:00:00Z`."""
    return f"{source} {iso_time(begun)[:19]}Z"


def _sentence(result: AuditResult | None) -> str:
    """`17 devices, 4 findings: 1 critical, 3 high`."""
    if result is None:
        return "nothing judged yet"
    tally = [
        f"{count} {severity}"
        for severity in reversed(SEVERITIES)
        if (count := sum(finding.severity == severity for finding in result.findings))
    ]
    told = counted(len(result.findings), "finding") + (f": {', '.join(tally)}" if tally else "")
    return f"{counted(len(result.inventory.assets), 'device')}, {told}"
