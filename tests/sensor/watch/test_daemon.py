"""The loop of the sensor, with a capture in the place of interfaces: it ends with what an audit of it finds."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from zonewatch.dissectors import schemas
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.live import Live
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.pipeline import assess
from zonewatch.sensor.watch import daemon
from zonewatch.sensor.watch.daemon import Backlog, Clock, Orders, Watch
from zonewatch.sensor.watch.loaded import Loaded, load
from zonewatch.sensor.watch.notify import Notifier
from zonewatch.sensor.watch.period import Period
from zonewatch.sensor.watch.running import delivered
from zonewatch.sensor.watch.settings import HealthSettings, JudgeSettings

PLANT = Path(__file__).parents[3] / "pcaps" / "waterworks"
JUDGING = JudgeSettings(
    policy=PLANT / "policy.yaml", assets=PLANT / "assets.csv", tags=PLANT / "tags.csv", interval="10 ms"
)


@dataclass
class Kept:
    """Keeps in memory what the store keeps on the disk."""

    begun: list[int] = field(default_factory=list)
    results: list[AuditResult] = field(default_factory=list)
    briefly: list[AuditResult] = field(default_factory=list)
    events: int = 0
    evidence: dict[str, bytes] = field(default_factory=dict)
    ended: list[AuditResult] = field(default_factory=list)
    told: list[tuple[str, bool]] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    turned: threading.Event = field(default_factory=threading.Event)
    outbox: int = 12_000

    @property
    def found(self) -> set[str]:
        """What any pass found that names packets; one amid the packets finds what a later one may not support."""
        passes = (*self.results, *self.briefly, *self.ended)
        return {finding.id for result in passes for finding in result.findings if finding.evidence}

    def begin(
        self, sources: Sequence[str], version: str, policy: str, baseline: str, at: int, inputs: Mapping[str, bytes]
    ) -> int:
        assert "inputs/given.json" in inputs
        self.begun.append(at)
        if len(self.begun) > 1:
            self.turned.set()
        return len(self.begun)

    def judge_by(self, policy: str, baseline: str, at: int, inputs: Mapping[str, bytes]) -> None:
        self.policies.append(policy)

    def record(self, period: int, result: AuditResult, at: int) -> int:
        assert period == len(self.begun)
        self.results.append(result)
        return len(result.findings)

    def record_new(self, period: int, result: AuditResult, at: int) -> int:
        assert period == len(self.begun)
        self.briefly.append(result)
        return len(result.findings)

    def keep_events(self, period: int, tables: Mapping[str, pa.Table]) -> None:
        self.events += tables["events"].num_rows if "events" in tables else 0

    def keep_evidence(self, captures: Mapping[str, bytes]) -> None:
        self.evidence |= captures

    def end(self, period: int, result: AuditResult, at: int) -> int:
        self.ended.append(result)
        return len(result.findings)

    def health(self, subject: str, severity: str, title: str, text: str, at: int) -> bool:
        self.told.append((subject, True))
        return True

    def unhealthy(self) -> tuple[str, ...]:
        return ("drops.span",)

    def forget_delivered(self, seq: int) -> int:
        return 0

    def keep_newest(self, most: int) -> int:
        gone = max(self.outbox - most, 0)
        self.outbox -= gone
        return gone

    def healthy(self, subject: str, at: int) -> bool:
        self.told.append((subject, False))
        return True


def watch(
    folder: Path,
    keeper: Kept,
    judging: JudgeSettings = JUDGING,
    clock: Clock | None = None,
    live: Live | None = None,
    backlog: Callable[[], Backlog] = Backlog,
) -> Watch:
    live = live or Live("capture", files=[PLANT / "waterworks.pcap"], capture="waterworks.pcap", ring_octets=1)
    times = clock or Clock(time.time_ns, time.monotonic_ns)
    settings = HealthSettings()
    capture, silent = [("capture", live)], Notifier({})
    return Watch(capture, keeper, folder, judging, settings, lambda: load(judging), times, silent, backlog)


@pytest.mark.parametrize(("nobody", "kept"), [(True, 10_000), (False, 12_000)])
def test_without_a_receiver_the_newest_alerts_are_kept_for_one(
    nobody: bool, kept: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Kept()
    live = Slow("capture", files=[PLANT / "waterworks.pcap"], ring_octets=1)
    watch(tmp_path, keeper, live=live, backlog=lambda: Backlog(nobody=nobody)).run(Orders())
    assert keeper.outbox == kept
    assert f"zonewatch_alerts_forgotten_total {12_000 - kept:.1f}" in (tmp_path / "metrics.prom").read_text()
    told = "no receiver is configured: the newest 10,000 alerts are kept for one"
    assert [record.getMessage() for record in caplog.records].count(told) == nobody


@pytest.fixture(scope="module")
def audited() -> AuditResult:
    loaded = load(JUDGING)
    tables = decode([Source("capture", (CaptureFile("waterworks.pcap", PLANT / "waterworks.pcap"),))])
    return ordered(assess(tables, loaded.given, loaded.title))


def test_the_last_pass_is_the_audit_of_the_packets(tmp_path: Path, audited: AuditResult) -> None:
    keeper = Kept()
    watch(tmp_path, keeper).run(Orders())
    (last,) = keeper.ended
    assert last.findings == audited.findings
    assert last.incidents == audited.incidents
    assert last.inventory == audited.inventory
    assert last.verdicts == audited.verdicts
    assert keeper.events > 0
    assert (tmp_path / "metrics.prom").is_file()
    with_packets = {finding.id for finding in audited.findings if finding.evidence}
    assert set(keeper.evidence) == keeper.found
    assert with_packets <= keeper.found


class Halting(Live):
    """Hears on only once a second period began: a file is read faster than a loop comes round."""

    turned: threading.Event

    def advance(self, milliseconds: int) -> bool:
        goes_on = super().advance(1)
        assert self.counts().packets < 1000 or self.turned.wait(60), "no second period"
        return goes_on


def test_a_period_that_is_full_ends_and_another_begins(tmp_path: Path) -> None:
    keeper = Kept()
    live = Halting("capture", files=[PLANT / "waterworks.pcap"], capture="waterworks.pcap", ring_octets=1)
    live.turned = keeper.turned
    watch(tmp_path, keeper, JUDGING.model_copy(update={"most_rows": 1}), live=live).run(Orders())
    assert len(keeper.begun) == len(keeper.ended) > 1
    names = [capture.name for result in keeper.ended for capture in result.captures]
    assert names[0] == "waterworks.pcap"
    assert all(name.startswith("capture 20") for name in names[1:])


def test_it_ends_when_it_is_told(tmp_path: Path) -> None:
    keeper, orders = Kept(), Orders()
    orders.stop.set()
    watch(tmp_path, keeper).run(orders)
    assert len(keeper.ended) == 1


class Slow(Live):
    """Hears on only after a while, in which the loop comes round."""

    def advance(self, milliseconds: int) -> bool:
        time.sleep(0.05)
        return super().advance(1)


class Awaiting(Live):
    """Hears on only once the files were read anew."""

    asked: threading.Event

    def advance(self, milliseconds: int) -> bool:
        assert self.asked.wait(60), "not read anew"
        return super().advance(1)


def test_wrong_files_leave_the_old_ones_in_force(tmp_path: Path) -> None:
    keeper, orders, loads = Kept(), Orders(), itertools.count()
    asked = threading.Event()

    def loading() -> Loaded:
        if next(loads):
            asked.set()
            raise OSError("policy.yaml:3:1: unknown key 'zone'")
        return load(JUDGING)

    live = Awaiting("capture", files=[PLANT / "waterworks.pcap"], capture="waterworks.pcap", ring_octets=1)
    live.asked = asked
    clock, settings = Clock(time.time_ns, time.monotonic_ns), HealthSettings()
    orders.reload.set()
    one = Watch([("capture", live)], keeper, tmp_path, JUDGING, settings, loading, clock, Notifier({}))
    one.run(orders)
    assert ("settings", True) in keeper.told
    assert ("drops.span", False) in keeper.told, "a run before told it, and it is over"
    assert keeper.ended[0].policy.name == "policy.yaml"
    assert keeper.policies == []


def test_files_that_were_read_anew_are_kept_with_the_period(tmp_path: Path) -> None:
    keeper, orders = Kept(), Orders()
    orders.reload.set()
    watch(tmp_path, keeper, live=Slow("capture", files=[PLANT / "waterworks.pcap"], ring_octets=1)).run(orders)
    assert keeper.policies == [(PLANT / "policy.yaml").read_text("utf-8")]


def test_a_long_rest_has_signs_of_life(tmp_path: Path) -> None:
    """After a pass of a minute the next one comes a minute later; the service manager waits for two."""

    class Manager(Notifier):
        def __init__(self) -> None:
            super().__init__({})
            self.signs = 0

        def tell(self, **state: str) -> None:
            self.signs += "WATCHDOG" in state

    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            moment[0] += int((timeout or 0) * 1e9)
            return False

    moment, manager = [0], Manager()
    clock = Clock(time.time_ns, lambda: moment[0])
    one = Watch([], Kept(), tmp_path, JUDGING, HealthSettings(), lambda: load(JUDGING), clock, manager)
    one._rest(60 * 10**9, Hurried())
    assert moment[0] == 60 * 10**9
    assert manager.signs == 6


def test_threads_of_capture_end_with_the_loop(tmp_path: Path) -> None:
    before = threading.active_count()
    watch(tmp_path, Kept()).run(Orders())
    assert threading.active_count() == before


def test_figures_that_cannot_be_written_end_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ".metrics.prom.part").mkdir()  # whatever is wrong with the folder, such as no room
    keeper = Kept()
    watch(tmp_path, keeper).run(Orders())
    assert len(keeper.ended) == 1
    assert sum("metrics.prom cannot be written" in line for line in caplog.messages) == 1


def test_deliveries_that_cannot_be_read_end_nothing_and_are_told(tmp_path: Path) -> None:
    (tmp_path / "delivery.db").write_bytes(b"this is no database" * 100)
    assert "not a database" in delivered(tmp_path, configured=False).unreadable
    (tmp_path / "delivery.db").unlink()
    assert delivered(tmp_path, configured=True) == Backlog()
    assert delivered(tmp_path, configured=False) == Backlog(nobody=True)


class Failing(Live):
    """Hears a little, then no more."""

    def advance(self, milliseconds: int) -> bool:
        raise RuntimeError("the ring is gone")


class Endless(Live):
    """Goes on without packets, as an interface does."""

    def advance(self, milliseconds: int) -> bool:
        time.sleep(0.01)
        return True


def test_a_point_that_fails_ends_the_others_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Kept()
    file = PLANT.parent / "modbus" / "read_write.pcap"
    listeners = [(name, kind(name, files=[file], ring_octets=1)) for name, kind in (("a", Failing), ("b", Endless))]
    clock, judging = Clock(time.time_ns, time.monotonic_ns), JudgeSettings(interval="10 ms")
    one = Watch(listeners, keeper, tmp_path, judging, HealthSettings(), lambda: load(judging), clock, Notifier({}))
    assert one.run(Orders()) == "a", "who started it learns that it failed"
    assert len(keeper.ended) == 1
    assert any("the ring is gone" in line for line in caplog.messages)


def test_brief_passes_tell_what_is_new_and_a_whole_one_ends_the_period(
    tmp_path: Path, audited: AuditResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "_BRIEF", 5)
    monkeypatch.setattr(daemon, "_WHOLE", 10**9)  # after the first one none is whole but the last
    keeper = Kept()
    live = Slow("capture", files=[PLANT / "waterworks.pcap"], capture="waterworks.pcap", ring_octets=1)
    watch(tmp_path, keeper, live=live).run(Orders())
    assert keeper.briefly
    told = [finding.id for result in keeper.briefly for finding in result.findings]
    assert len(told) == len(set(told)), "told twice"
    (last,) = keeper.ended
    assert last.findings == audited.findings
    assert set(keeper.evidence) == keeper.found
    assert {finding.id for finding in audited.findings if finding.evidence} <= keeper.found


class Bursts(Live):
    """Hears all at once, and gives its events seven at each pass, four times."""

    events = schemas.EVENTS.empty_table()
    given = 0

    def take(self, table: str) -> pa.Table:
        rows = super().take(table)
        if table != "events":
            return rows
        self.events = pa.concat_tables([self.events, rows])
        part, self.events = self.events.slice(0, 7), self.events.slice(7)
        self.given += bool(part.num_rows)
        return part

    def advance(self, milliseconds: int) -> bool:
        time.sleep(0.01)
        return super().advance(milliseconds) or self.given < 4


@pytest.mark.parametrize(("burst", "all_of_them"), [(10**6, True), (3, False)])
def test_a_brief_pass_judges_all_that_came_since_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, burst: int, all_of_them: bool
) -> None:
    monkeypatch.setattr(daemon, "_BRIEF", 1)
    monkeypatch.setattr(daemon, "_BURST", burst)
    monkeypatch.setattr(daemon, "_WHOLE", 10**9)
    passes: list[tuple[int, int]] = []
    latest = Period.latest

    def noted(self: Period, most: int, *more: Any) -> Any:
        passes.append((self.events, most))
        return latest(self, most, *more)

    monkeypatch.setattr(Period, "latest", noted)
    live = Bursts("capture", files=[PLANT / "waterworks.pcap"], capture="waterworks.pcap")
    watch(tmp_path, Kept(), live=live).run(Orders())
    came = [(now - before, most) for (before, _), (now, most) in itertools.pairwise(passes)]
    assert max(events for events, _ in came) == 7
    assert all(most >= events for events, most in came) is all_of_them
    assert max(most for _, most in came) <= burst
