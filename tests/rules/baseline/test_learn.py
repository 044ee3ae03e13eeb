"""What is learned of rows."""

from __future__ import annotations

from tests.rules.baseline.days import (
    ENG,
    HMI,
    MASTER,
    PC,
    PLC,
    RTU,
    START,
    Traffic,
    at,
    command,
    connection,
    poll,
    said,
    write,
)
from tests.rules.plant import write_event
from zonewatch.rules.baseline.learn import MOST_IN_VAIN, MOST_OBJECTS
from zonewatch.rules.baseline.model import SEVERAL, Edge, Habit, Span


def edge(traffic: Traffic, client: str = HMI, server: str = PLC) -> Edge:
    return next(one for one in traffic.learn().edges if (one.client, one.server) == (client, server))


def test_days_hours_and_counts() -> None:
    found = edge(Traffic([said(HMI, PLC, when=at(day, hour), events=5) for day, hour in ((0, 0), (0, 2), (3, 0))]))
    assert str(found.seen) == "15 times, 2 days, 2026-03-02 to 2026-03-05, hours 8, 10"
    assert [(item.code, item.operation, item.seen.times) for item in found.functions] == [(3, "read", 15)]


def test_values_are_learned_of_numbers_and_not_of_bits() -> None:
    bits = {"object_kind": "coil", "value_min": 0.0, "value_max": 1.0}
    found = edge(
        Traffic([write(101, 120), write(101, 140), said(HMI, PLC, "write", function=15, object_start=4, **bits)])
    )
    objects = [item for function in found.functions for item in function.objects]
    assert [(str(item.range), item.values) for item in objects] == [
        ("coil 4", None),
        ("holding-register 101", Span(120, 140)),
    ]


def test_many_ranges_are_merged_and_none_is_lost() -> None:
    found = edge(Traffic([write(3 * number, 1.0) for number in range(MOST_OBJECTS + 50)]))
    (function,) = found.functions
    assert len(function.objects) <= MOST_OBJECTS
    assert all(any(item.range.start <= 3 * n <= item.range.end for item in function.objects) for n in range(306))  # type: ignore[operator]


def test_polling_has_a_period_and_what_comes_now_and_then_has_none() -> None:
    polled = [row for day in range(3) for row in poll(at(day))]
    (item,) = edge(Traffic(polled)).functions[0].objects
    assert (item.period, item.gaps) == (1.0, 6 * 899)
    (item,) = (
        edge(Traffic([said(HMI, PLC, when=at(second=7 * n * n), events=1) for n in range(20)])).functions[0].objects
    )
    assert item.period is None


def test_the_order_of_what_changes_state() -> None:
    told = [write_event(HMI, PLC, 1, [1.0], [], frame=START + n, function_name=name) for n, name in enumerate("abab")]
    found = edge(Traffic([write(1, 1.0)], events=told))
    assert [(item.before, item.after, item.times) for item in found.transitions] == [("a", "b", 2), ("b", "a", 1)]


def test_masters_and_their_habit_of_selecting() -> None:
    rows = [command(3, "select", events=6), command(4, "operate", events=6), command(5, "direct_operate", events=1)]
    found = edge(Traffic(rows), MASTER, RTU)
    assert found.client_units == ("1",)
    assert found.select_before_operate == Habit(selected=6, direct=1)


def test_hosts_of_the_internet_are_one_and_dynamic_ports_too() -> None:
    rows = [connection(PC, f"45.83.64.{number}", "https") for number in (1, 2)]
    rows += [{**connection(PC, ENG, ""), "server_port": port} for port in (50_001, 50_002)]
    found = {one.key for one in Traffic(flows=rows).learn().edges}
    assert found == {(PC, "external", "https"), (PC, ENG, "tcp/dynamic")}


def test_one_who_asks_many_in_vain_is_one_edge() -> None:
    rows = [connection(PC, f"10.0.1.{number}", "http", state="refused") for number in range(1, MOST_IN_VAIN + 3)]
    assert [(one.key, one.answered) for one in Traffic(flows=rows).learn().edges] == [((PC, SEVERAL, "http"), False)]


def test_a_device_keeps_its_name_when_its_address_changes() -> None:
    mac = {"source": "tap", "capture": "a.pcap", "mac": "00:80:f4:00:00:01", "via": "arp", "packets": 1}
    told = {"first_time": START, "last_time": START, "first_frame": 1, "last_frame": 1}
    old = Traffic([said(HMI, PLC)], seen=[{**mac, **told, "address": HMI}]).learn()
    new = Traffic([said("10.0.0.99", PLC)], seen=[{**mac, **told, "address": "10.0.0.99"}])
    assert new.compare(old).deviations == ()
    assert [asset.id for asset in new.learn(old).assets] == [HMI, PLC]
