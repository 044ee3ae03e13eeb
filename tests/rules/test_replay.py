"""Recorded traffic under a policy that is not in force."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest

from tests.inventory.network import Row, flow, network, talk
from tests.rules.plant import AS_OF, ENGINEERING, HMI, OFFICE_PC, PLC_1, PLC_3, POLICY, POLL, write, write_event
from tests.rules.plant import policy as parsed
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.replay import Replayed, recorded_rows, replayed, without

NONE = schemas.EVENTS.empty_table()


def of_capture(talks: Iterable[Row], flows: Iterable[Row] = (), away: Iterable[str] = ()) -> Replayed:
    policy = parsed()
    tables = network(talks=talks, flows=flows)
    inventory = build(tables, declared_assets(policy))
    found = [
        judge(one, inventory, tables.aggregates, NONE, AS_OF, flows=tables.flows).rows
        for one in (without(policy, away), policy)
    ]
    return replayed(found[0], found[1] if away else None)


def of_record(talks: Iterable[Row], events: pa.Table = NONE, text: str = POLICY) -> Replayed:
    policy = parsed(text)
    return replayed(recorded_rows(policy, build(network(talks=talks)), events, AS_OF))


def told(outcome: Replayed) -> list[tuple[str, str, str, str, int]]:
    return [(item.verdict, item.server, item.client, item.operation, item.events) for item in outcome.stopped]


def test_what_breaks_is_told_by_asset_and_function() -> None:
    outcome = of_capture([POLL, talk(OFFICE_PC, PLC_1, events=9), write(ENGINEERING, PLC_3, 7, [1])])
    assert told(outcome) == [
        ("violation", "plc-3", "eng-1", "write", 1),
        ("violation", "plc-1", "pc-1", "read", 9),
    ]
    assert outcome.stopped[0].objects == ("holding-register 7 (40008)",)
    assert outcome.passed == 100


def test_an_event_with_several_objects_is_one_event() -> None:
    asked = [
        talk(OFFICE_PC, PLC_1, events=first, count=9, object_start=start) for first, start in ((9, 0), (0, 50), (0, 90))
    ]
    outcome = of_capture(asked)
    assert told(outcome) == [("violation", "plc-1", "pc-1", "read", 9)]
    assert len(outcome.stopped[0].objects) == 3
    assert told(of_capture([*asked, talk(OFFICE_PC, PLC_1, events=2, count=2, object_start=200)]))[0][-1] == 11


def test_what_failed_already_does_not_break() -> None:
    outcome = of_capture([talk(OFFICE_PC, PLC_1, status="error")], [flow(OFFICE_PC, PLC_1, 80, "http", "refused")])
    assert outcome.stopped == ()
    assert outcome.failing == 2


def test_without_a_conduit_only_what_it_let_pass_is_told() -> None:
    outcome = of_capture([POLL, talk(OFFICE_PC, PLC_1)], away=["scada-to-filtration"])
    assert told(outcome) == [("violation", "plc-1", "hmi-1", "read", 100)]
    assert (outcome.stopped[0].conduit, outcome.stopped[0].flow) == ("scada-to-filtration", "poll")


def test_a_conduit_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'scada-to-filtration'"):
        without(parsed(), ["scada-to-filtratoin"])


def test_aggregates_in_pieces_are_judged_as_the_whole() -> None:
    policy = parsed()
    pieces = [rows(schemas.AGGREGATES, [{**POLL, "first_time": time, "last_time": time}]) for time in (3, 1, 2)]
    inventory = build(network(talks=[POLL]))
    whole = judge(policy, inventory, pa.concat_tables(pieces), NONE, AS_OF)
    found = judge(policy, inventory, iter(pieces), NONE, AS_OF)
    assert [(row.decision, row.seen[:20], row.seen.events, row.seen.first_time) for row in found.rows] == [
        (row.decision, row.seen[:20], row.seen.events, row.seen.first_time) for row in whole.rows
    ]
    assert [row.seen.events for row in found.rows] == [300]


@pytest.mark.parametrize("most", [1, 1_000])
def test_pieces_are_counted_together_now_and_then(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zonewatch.rules.observe.MOST_WAITING", most)
    policy, inventory = parsed(), build(network(talks=[POLL]))
    lines = [
        {**POLL, "object_start": start, "first_time": 9 - number, "last_time": 20 + number, "first_frame": number + 1}
        for number, start in enumerate((100, 104, 100, 300, 104, 100))
    ]
    pieces = [rows(schemas.AGGREGATES, [line]) for line in lines]
    whole = judge(policy, inventory, rows(schemas.AGGREGATES, lines), NONE, AS_OF)
    assert [(row.seen.object_start, row.seen.events) for row in whole.rows] == [(100, 300), (104, 200), (300, 100)]
    assert judge(policy, inventory, iter(pieces), NONE, AS_OF).rows == whole.rows


def test_a_record_with_merged_ranges_decides_what_is_wholly_in_or_out() -> None:
    text = POLICY.replace("operations: [read],", "operations: [read], objects: [holding-register 100-104],")
    cases = {(100, 5): [], (100, 8): ["cannot_conclude"], (300, 8): ["violation"]}
    for (start, count), expected in cases.items():
        outcome = of_record([{**POLL, "object_start": start, "object_count": count}], text=text)
        assert [item.verdict for item in outcome.stopped] == expected, start


@pytest.mark.parametrize(("value", "expected"), [(50.0, []), (5000.0, ["violation"])])
def test_a_record_judges_whole_events_by_their_values(value: float, expected: list[str]) -> None:
    events = rows(schemas.EVENTS, [write_event(HMI, PLC_1, 101, [value], [1.0])])
    outcome = of_record([POLL, write(HMI, PLC_1, 101, [value])], events)
    assert [item.verdict for item in outcome.stopped] == expected


def test_a_record_without_its_values_concludes_nothing() -> None:
    outcome = of_record([POLL, write(HMI, PLC_1, 101, [50.0])])
    assert [item.verdict for item in outcome.stopped] == ["cannot_conclude"]
    assert "value not known" in outcome.stopped[0].reason
