"""A span of a store: its periods as one result, what is not on record, and what people had decided by then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports import sample
from tests.sensor.store.made import DAY, HOUR, SECOND, START, Hands, begin, finding, incident, open_store, query, run
from zonewatch.reports.collect import limits
from zonewatch.reports.json_result import ResultError
from zonewatch.reports.merge import merged
from zonewatch.reports.result import AuditResult, ordered, totals
from zonewatch.reports.words import iso_time
from zonewatch.rules.register import Command
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.results import read_result
from zonewatch.sensor.store.spans import last_span, of_span

A, B, C = finding("a", "high"), finding("b", "medium", "IT"), finding("c", "low")


def day(number: int, *findings: object) -> AuditResult:
    """The sample plant as a sensor sees it one day, with a capture of its own."""
    whole = ordered(sample.sample())
    begun = START + number * DAY
    captures = tuple(
        replace(row, name=f"tap-{number}", first_time=begun, last_time=begun + 20 * HOUR) for row in whole.captures[:1]
    )
    return replace(whole, captures=captures, findings=findings or whole.findings, as_of=begun + 20 * HOUR)


def at(number: int, hour: int = 0) -> int:
    return START + number * DAY + hour * HOUR


def fill(folder: Path, clock: Hands, days: tuple[int, ...], *findings: object) -> None:
    """A whole period of twenty hours for each of the days; each in a run of its own."""
    for number in days:
        clock.at = at(number)
        with open_store(folder, clock) as store:
            store.end(begin(store, clock), day(number, *findings), clock.go(20 * HOUR))


def test_periods_of_a_span_are_one_result_with_the_gaps_between_them(tmp_path: Path) -> None:
    fill(tmp_path, Hands(), (0, 1, 2))
    found, watched = of_span(tmp_path, at(0), at(3))
    assert [row.name for row in found.captures] == ["tap-0", "tap-1", "tap-2"]
    assert [(gap.first_time, gap.last_time, gap.why) for gap in watched.gaps] == [
        (at(0, 20), at(1), "not_running"),
        (at(1, 20), at(2), "not_running"),
        (at(2, 20), at(3), "not_yet"),
    ]
    assert watched.uptime == pytest.approx(60 / 72)
    assert [row.number for row in watched.periods] == [1, 2, 3]
    one = day(0)
    assert totals(found.captures).packets == 3 * totals(one.captures).packets
    assert {edge.packets for edge in found.inventory.edges} == {3 * edge.packets for edge in one.inventory.edges}
    assert sum(cell.events for cell in found.matrix) == 3 * sum(cell.events for cell in one.matrix)
    assert len(found.verdicts) == len(one.verdicts)
    assert {row.id: row.count for row in found.findings} == {row.id: 3 * row.count for row in one.findings}
    assert [(row.id, row.name, row.services) for row in found.inventory.assets] == [
        (row.id, row.name, row.services) for row in one.inventory.assets
    ]
    assert [claim.winner for row in found.inventory.assets for claim in row.claims] == [
        claim.winner for row in one.inventory.assets for claim in row.claims
    ]
    assert found.looked_for == one.looked_for


@pytest.mark.parametrize(
    ("begin_", "end", "names"),
    [
        (at(1), at(2), ["tap-1"]),
        (at(0, 10), at(1, 1), ["tap-0", "tap-1"]),  # whole periods, not cut
        (None, at(1), ["tap-0"]),
        (at(2), None, ["tap-2"]),
        (None, None, ["tap-0", "tap-1", "tap-2"]),
    ],
)
def test_what_overlaps_a_span_is_in_it(begin_: int | None, end: int | None, names: list[str], tmp_path: Path) -> None:
    fill(tmp_path, Hands(), (0, 1, 2))
    found, watched = of_span(tmp_path, begin_, end)
    assert [row.name for row in found.captures] == names
    assert watched.first_time == (at(0) if begin_ is None else begin_)
    assert watched.last_time == (at(2, 20) if end is None else end)


def test_one_period_alone_is_what_was_recorded(tmp_path: Path) -> None:
    fill(tmp_path, Hands(), (0,))
    assert of_span(tmp_path, None, None)[0] == read_result(tmp_path)


def test_a_period_that_was_broken_off_is_told_as_far_as_it_came(tmp_path: Path) -> None:
    clock = Hands()
    store = open_store(tmp_path, clock)
    store.record(begin(store, clock), day(0), clock.go(5 * HOUR))
    store._leave()  # as if the process was killed
    fill(tmp_path, clock, (1,), A)
    found, watched = of_span(tmp_path, at(0), at(1))
    assert [(row.state, row.kept) for row in watched.periods] == [("broken", True)]
    assert [(gap.first_time, gap.last_time) for gap in watched.gaps] == [(at(0, 5), at(1))]
    assert [row.name for row in found.captures] == ["tap-0"]
    assert found.verdicts == day(0).verdicts


def test_a_result_that_was_removed_for_its_age_is_a_gap(tmp_path: Path) -> None:
    fill(tmp_path, Hands(), (0, 1))
    store = Hands(at(2))
    with open_store(tmp_path, store) as opened:
        opened._db.execute("UPDATE periods SET result = NULL, rest = NULL WHERE number = 1")
    found, watched = of_span(tmp_path, at(0), at(1, 20))
    assert [(gap.first_time, gap.last_time, gap.why) for gap in watched.gaps] == [
        (at(0), at(0, 20), "not_kept"),
        (at(0, 20), at(1), "not_running"),
    ]
    assert [row.kept for row in watched.periods] == [False, True]
    assert [row.name for row in found.captures] == ["tap-1"]
    with pytest.raises(ResultError, match="were removed for their age"):
        of_span(tmp_path, at(0), at(0, 20))


def accept(folder: Path, when: int, until: int, kind: str = "acceptance") -> None:
    scope = {"owner": "OT", "most": "high", "finding": A.id}
    subject = A.id if kind == "acceptance" else "1"
    ledger.append(folder, lambda: when, "Eva Horn", kind, subject, "ticket 7", until=until, document=scope)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("end", "state", "holds"),
    [
        (at(1), "open", []),  # not decided yet
        (at(2), "accepted", [True]),
        (at(4), "open", [False]),  # it has ended
    ],
)
def test_findings_stand_as_they_stood_at_the_end_of_the_span(
    end: int, state: str, holds: list[bool], tmp_path: Path
) -> None:
    fill(tmp_path, Hands(), (0, 1, 2, 3), A, B)
    accept(tmp_path, at(1, 2), at(3))
    found, watched = of_span(tmp_path, at(0), end)
    assert {row.id: row.state for row in found.findings} == {A.id: state, B.id: "open"}
    assert [(row.finding, row.holds) for row in watched.decisions] == [(A.id, held) for held in holds]


def test_from_a_changed_decision_on_nothing_is_accepted(tmp_path: Path) -> None:
    import sqlite3

    fill(tmp_path, Hands(), (0,), A)
    accept(tmp_path, at(0, 1), at(9))
    with sqlite3.connect(tmp_path / ledger.NAME) as db:
        db.execute("DROP TRIGGER decisions_are_not_changed")
        db.execute("UPDATE decisions SET reason = 'another'")
    found, watched = of_span(tmp_path, None, None)
    assert [row.state for row in found.findings] == ["open"]
    assert watched.decisions == ()
    assert watched.problem.startswith("decision 1 ")


def test_the_graver_of_two_tells_a_finding_and_incidents_keep_their_ids() -> None:
    grave, mild = finding("a", "critical", count=2), finding("a", "low", count=3)
    story = incident((A,))
    one = replace(sample.empty(), findings=(grave,), incidents=(story,))
    other = replace(sample.empty(), findings=(mild, C), incidents=(replace(story, last_time=START),))
    found = merged((one, other))
    assert {(row.id, row.severity, row.count) for row in found.findings} == {
        (grave.id, "critical", 5),
        (C.id, "low", 0),
    }
    assert [(row.id, row.last_time) for row in found.incidents] == [(story.id, START)]


def test_a_flow_is_unused_only_where_no_period_used_it() -> None:
    whole = ordered(sample.sample())
    assert whole.unused_flows
    used = replace(whole, unused_flows=())
    assert merged((whole, whole)).unused_flows == whole.unused_flows
    assert merged((whole, used)).unused_flows == merged((used, whole)).unused_flows == ()
    assert merged((whole, replace(whole, looked_for=whole.looked_for[:1]))).looked_for == whole.looked_for[:1]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((("10 %", "20 %"), ("9.5 %", "100 %")), ("9.5 %", "100 %")),
        ((("-5", "2e3"), ("-6", "1999")), ("-6", "2e3")),
        ((("on", "on"), ("off", "off")), ("off", "off")),  # no numbers: as it was last
        ((("", ""), ("1", "2")), ("1", "2")),
        ((("1", "2"), ("", "")), ("1", "2")),
    ],
)
def test_commands_keep_their_bounds_their_first_and_their_last_value(
    values: tuple[tuple[str, str], tuple[str, str]], wanted: tuple[str, str]
) -> None:
    rows = [
        Command(
            "hmi-1", "plc-1", "modbus", "write", "write", "unit 1", before=f"b{number}", after=f"a{number}",
            least=least, greatest=greatest, events=2, refused=1, first_time=START + number, last_time=START + number,
        )
        for number, (least, greatest) in enumerate(values)
    ]  # fmt: skip
    (row,) = merged([replace(sample.empty(), commands=(one,)) for one in rows]).commands
    assert (row.least, row.greatest) == wanted
    assert (row.before, row.after, row.events, row.refused) == ("b0", "a1", 4, 2)
    assert (row.first_time, row.last_time) == (START, START + 1)


@pytest.mark.parametrize("make", [sample.sample, sample.without_policy, sample.hostile, sample.empty])
def test_one_result_merged_is_itself_and_order_of_rows_says_nothing(make: Callable[[], AuditResult]) -> None:
    whole = ordered(make())
    assert merged((whole,)) == whole
    twice = merged((whole, whole))
    assert len(twice.findings) == len(whole.findings)
    assert len(twice.inventory.assets) == len(whole.inventory.assets)
    assert len(set(twice.limits)) == len(twice.limits)
    assert set(twice.limits) >= set(whole.limits) - set(limits(whole.captures))


def test_alerts_and_health_are_counted(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        store.end(begin(store, clock), day(0, A, B), clock.go(20 * HOUR))
        store.health("drops", "medium", "Packets are lost", "2 % of them.", clock.at - HOUR)
    watched = last_span(tmp_path)
    assert watched.told.told == watched.told.waiting == 3
    assert watched.told.oldest_time == at(0, 19)
    assert [(row.severity, row.title, row.state) for row in watched.health] == [("medium", "Packets are lost", "open")]
    with open_store(tmp_path, clock) as store:
        store.forget_delivered(query(tmp_path, "SELECT max(seq) FROM outbox")[0][0])
    assert last_span(tmp_path).told.waiting == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "2026-03-09"), "nothing was recorded from 2026-03-09 00:00:00 UTC"),
        (("--from", "2026-03-04", "--to", "2026-03-03"), "the span from 2026-03-04"),
        (("--from", "yesterday"), "--from yesterday: an ISO 8601 time expected"),
    ],
)
def test_a_span_without_a_record_is_one_clear_line(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    fill(tmp_path / "store", Hands(), (0,))
    end = () if "--to" in options else ("--to", "2026-04-01")
    done = run("report", tmp_path / "store", "--framework", "csf", "--out", tmp_path / "out", *options, *end)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_report_of_a_span_tells_its_gaps_and_decisions_and_is_the_same_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    fill(tmp_path / "store", Hands(), (0, 1), A, B)
    accept(tmp_path / "store", at(1, 2), at(9))
    span = ("--from", iso_time(at(0))[:19], "--to", iso_time(at(2))[:19])
    told = []
    for name in ("one", "two"):
        done = run("report", tmp_path / "store", "--framework", "nis2", "--out", tmp_path / name, *span)
        assert done.returncode == 3, done.stderr
        told.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()})
    assert told[0] == told[1]
    report = json.loads(told[0]["report.json"])
    tables = {row["table"]: row["rows"] for row in report["tables"]}
    assert tables["table-gaps"] == 2
    assert tables["table-decisions"] == tables["table-answered"] == 1
    assert tables["table-periods"] == tables["table-effect"] == 2


def test_seconds_are_no_gap(tmp_path: Path) -> None:
    clock = Hands()
    with open_store(tmp_path, clock) as store:
        store.end(begin(store, clock), day(0), clock.go(HOUR))
        clock.go(SECOND // 2)
        store.end(begin(store, clock), day(0), clock.go(HOUR))
    assert of_span(tmp_path, None, None)[1].gaps == ()


def test_periods_in_memory_are_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the length of the span: the sum and one more."""
    from zonewatch.sensor.store import spans

    fill(tmp_path, Hands(), (0, 1, 2))
    order: list[str] = []
    read, add = spans._result, spans.after
    monkeypatch.setattr(spans, "_result", lambda *given: (order.append("read"), read(*given))[1])
    monkeypatch.setattr(spans, "after", lambda *given: (order.append("add"), add(*given))[1])
    of_span(tmp_path, None, None)
    assert order == ["read", "read", "add", "read", "add"]
