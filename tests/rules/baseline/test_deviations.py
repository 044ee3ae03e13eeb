"""Each kind of deviation: traffic that is one, and traffic beside it that is none."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.rules.baseline.days import (
    ENG,
    HMI,
    MASTER,
    PC,
    PLC,
    RTU,
    START,
    Row,
    Traffic,
    at,
    at_stage,
    command,
    connection,
    kinds,
    poll,
    said,
    write,
)
from tests.rules.plant import write_event
from zonewatch.rules.baseline.compare import Comparison
from zonewatch.rules.baseline.deviation import KINDS, Deviation
from zonewatch.rules.baseline.file import BaselineFile, parse_baseline
from zonewatch.rules.baseline.messages import FEWEST_STEPS
from zonewatch.rules.baseline.model import Baseline

NEXT = 4  # the day after what is learned


def usual(day: float = 0) -> list[Row]:
    """What goes on on one day: polling, setpoints, commands that are selected first, an office."""
    when = at(day)
    return [
        *poll(when),
        *(write(101, 100 + 10 * number, when=when, changes=4) for number in range(6)),
        *(command(code, name, when=when, events=3) for code, name in ((3, "select"), (4, "operate"))),
        said(MASTER, RTU, protocol="dnp3", when=when, function=1, object_kind="analog-input", client_unit="1"),
        said(ENG, HMI, "discover", protocol="bacnet", when=when),
    ]


def office(day: float = 0) -> list[Row]:
    """Three hosts alike at one server."""
    return [connection(f"10.0.2.{number}", ENG, "https", when=at(day)) for number in (1, 2, 3)]


CAPTURES = [(at(day), at(day, 0.5)) for day in range(4)]
LEARNED = at_stage(Traffic([row for day in range(4) for row in usual(day)], office(), captures=CAPTURES).learn())


def compared(*rows: Row, flows: list[Row] | None = None, **more: object) -> Comparison:
    return Traffic([*usual(NEXT), *rows], [*office(NEXT), *(flows or [])], **more).compare(LEARNED)  # type: ignore[arg-type]


WHEN = at(NEXT)


def reading(value: float) -> Row:
    """One more answer to the poll."""
    return said(HMI, PLC, when=WHEN, object_start=100, object_count=8, value_min=value, value_max=value)


class Case(NamedTuple):
    kind: str
    row: Row
    says: str


CASES = [
    Case("new_edge", said(ENG, PLC, when=WHEN), "10.0.0.9 speaks modbus with 10.0.1.1 (read_holding_registers)"),
    Case(
        "new_function",
        write(101, 120, function=6, function_name="write_single_register", when=WHEN),
        "write_single_register (write) was never used",
    ),
    Case("new_function", said(HMI, PLC, server_unit="7", when=WHEN), "at unit 7, which was never asked"),
    Case(
        "new_operation",
        said(HMI, PLC, "program_download", when=WHEN, object_kind=None),
        "program_download (program_download) was never used",
    ),
    Case("new_object", write(102, 120, when=WHEN), "wrote holding-register 102 (40103) of 10.0.1.1"),
    Case("value_range", write(101, 900, when=WHEN), "was set to 900; 97 values learned 100..150"),
    Case("value_range", reading(900.0), "holding-register 100-107 (40101-40108) is 900"),
    Case("direct_operate", command(5, "direct_operate", when=WHEN), "direct_operate without selecting first"),
    Case("second_master", command(4, "operate", when=WHEN, unit="9"), "as master 9, where it was 1"),
    Case("second_master", command(4, "operate", when=WHEN, client=ENG), "whose master is 10.0.0.6"),
    Case("off_hours", write(101, 120, when=at(NEXT, 14)), "write at 10.0.1.1 at hour 22 (UTC), learned at 8"),
    Case("role_change", said(PLC, RTU, when=WHEN), "10.0.1.1 was only ever asked"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.says[:30]}")
def test_each_kind(case: Case) -> None:
    found = [one for one in compared(case.row).deviations if one.kind == case.kind]
    assert case.says in " | ".join(one.text for one in found)
    assert all(one.stage == "enforcing" and one.bits > 0 and one.days and one.learned and one.evidence for one in found)


@pytest.mark.parametrize(
    "row",
    [
        said(HMI, PLC, when=WHEN, object_start=300),  # reading other objects
        write(101, 150, when=WHEN),
        write(101, 155, when=WHEN, status="error", changes=0, value_min=None, value_max=None),
        reading(120.0),  # readings drift
        write(101, 120, when=at(NEXT, 1)),  # an hour later than ever
        command(4, "operate", when=WHEN),
        said(HMI, PLC, "report", when=WHEN, status="response_only"),  # its request was not captured
        said(ENG, HMI, "session", protocol="bacnet", when=WHEN),
    ],
    ids=["reads", "in range", "refused", "drift", "nearly the hour", "usual", "half captured", "session"],
)
def test_what_is_none(row: Row) -> None:
    assert compared(row).deviations == ()


def test_the_day_after_is_silent() -> None:
    assert compared().deviations == ()


def test_every_kind_is_tried() -> None:
    elsewhere = {"new_asset", "identity_changed", "unusual_transition", "changed_period", "silent_device"}
    assert {case.kind for case in CASES} | elsewhere == set(KINDS)


def only(comparison: Comparison, kind: str) -> Deviation:
    (found,) = [one for one in comparison.deviations if one.kind == kind]
    return found


def test_a_new_device_and_what_it_does() -> None:
    comparison = compared(
        said("10.0.1.99", PLC, when=WHEN), flows=[connection("10.0.2.9", "10.0.9.9", "https", when=WHEN)]
    )
    assert {one.server for one in comparison.deviations if one.kind == "new_asset"} == {
        "10.0.1.99",
        "10.0.2.9",
        "10.0.9.9",
    }
    assert only(compared(said("10.0.1.99", PLC, when=WHEN)), "new_asset").severity == "medium"


def test_hosts_alike_speak_for_the_next_one() -> None:
    here, elsewhere = "10.0.2.4", "10.0.3.4"
    for host, expected in ((here, []), (elsewhere, ["new_edge"])):
        found = compared(flows=[connection(host, ENG, "https", when=WHEN)]).deviations
        assert [one.kind for one in found if one.kind == "new_edge"] == expected


def test_remote_sessions_are_never_alike() -> None:
    old = Traffic(flows=[connection(f"10.0.2.{number}", ENG, "rdp") for number in (1, 2, 3)]).learn()
    new = Traffic(flows=[connection("10.0.2.4", ENG, "rdp", when=WHEN)])
    assert "new_edge" in [one.kind for one in new.compare(old).deviations]


def test_attempts_of_one_client_are_one_deviation() -> None:
    flows = [connection(PC, f"10.0.1.{number}", "http", when=WHEN, state="refused") for number in range(1, 40)]
    found = [one for one in compared(flows=flows).deviations if one.kind == "new_edge"]
    assert [(one.client, "tried in vain" in one.text) for one in found] == [(PC, True)]


def test_a_connection_answered_for_the_first_time_is_new() -> None:
    old = Traffic(flows=[connection(PC, ENG, "https", state="refused")]).learn()
    assert Traffic(flows=[connection(PC, ENG, "https", state="refused")]).compare(old).deviations == ()
    assert [one.kind for one in Traffic(flows=[connection(PC, ENG, "https")]).compare(old).deviations] == ["new_edge"]


def test_values_of_a_new_client_are_compared_with_those_of_others() -> None:
    found = [one.kind for one in compared(write(101, 900, client=ENG, when=WHEN)).deviations]
    assert {"new_edge", "value_range"} <= set(found)
    assert "new_object" not in found
    assert "new_object" in [one.kind for one in compared(write(7, 1, client=ENG, when=WHEN)).deviations]


def test_limits_of_the_engineer_take_the_place_of_learned_values() -> None:
    text_of = _with_limits("90..1000")
    assert Traffic([*usual(NEXT), write(101, 900, when=WHEN)]).compare(text_of).deviations == ()
    found = Traffic([*usual(NEXT), write(101, 1001, when=WHEN)]).compare(text_of).deviations
    assert [one.kind for one in found] == ["value_range"]
    assert "the limits are 90..1000" in found[0].text


def _with_limits(limits: str) -> Baseline:
    text = BaselineFile(LEARNED).text.replace(
        "range: holding-register 101, ", f"limits: {limits}, range: holding-register 101, "
    )
    return parse_baseline(text).baseline


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"firmware": "2.1"}, {"firmware": "2.2"}, ["firmware"]),
        ({"firmware": "2.1"}, {"firmware": "2.1"}, []),
        ({"firmware": "2.1"}, {}, []),
        ({}, {"firmware": "2.2"}, []),
        ({"serial": "A1", "model": "M340"}, {"serial": "B2", "model": "M340"}, ["serial"]),
    ],
)
def test_a_device_that_says_it_is_another(old: dict[str, str], new: dict[str, str], changed: list[str]) -> None:
    def told(values: dict[str, str], when: int) -> Traffic:
        head = {"source": "tap", "capture": "a.pcap", "frame": 3, "time": when, "protocol": "modbus", "count": 1}
        rows = [{**head, "address": PLC, "attribute": key, "value": value} for key, value in values.items()]
        return Traffic([said(HMI, PLC, when=when)], claims=rows)

    found = told(new, WHEN).compare(told(old, START).learn()).deviations
    assert [one.target for one in found if one.kind == "identity_changed"] == changed


def test_another_mac_address() -> None:
    def told(mac: str) -> Traffic:
        head = {"source": "tap", "capture": "a.pcap", "via": "arp", "packets": 1, "first_frame": 1, "last_frame": 1}
        row = {**head, "address": PLC, "mac": mac, "first_time": START, "last_time": START}
        return Traffic([said(HMI, PLC)], seen=[row])

    old = told("00:80:f4:00:00:01").learn()
    assert [one.target for one in told("00:80:f4:00:00:02").compare(old).deviations] == ["mac"]


@pytest.mark.parametrize(("times", "expected"), [(FEWEST_STEPS, ["unusual_transition"]), (200, [])])
def test_an_order_of_functions_that_was_never_seen(times: int, expected: list[str]) -> None:
    def steps(names: str, when: int) -> Traffic:
        events = [
            write_event(HMI, PLC, 1, [1.0], [], frame=when + n, function_name=name) for n, name in enumerate(names)
        ]
        rows = [write(1, 1.0, when=when, function_name=name, function=ord(name)) for name in sorted(set(names))]
        return Traffic(rows, events=events)

    old = at_stage(steps("ab" * (times // 2 + 1), START).learn())
    found = steps("abba", WHEN).compare(old).deviations
    assert [one.kind for one in found] == expected
    if expected:
        assert found[0].bits == pytest.approx(10, abs=1)
        assert "b right after b" in found[0].text


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        ([write(102, 120, when=WHEN)], "medium"),  # what
        ([write(102, 120, when=WHEN), write(101, 900, when=WHEN)], "high"),  # what and value
        ([said(ENG, PLC, when=WHEN)], "medium"),  # who
        ([write(7, 1, client=ENG, when=WHEN)], "high"),  # who and what
        ([said("10.0.1.99", PLC, when=WHEN)], "medium"),  # a new device, and so a new edge: both are who
    ],
    ids=["what", "what, value", "who", "who, what", "who twice"],
)
def test_two_independent_parts_that_agree_are_high(rows: list[Row], severity: str) -> None:
    found = compared(*rows).deviations
    assert {one.severity for one in found} == {severity}


@pytest.mark.parametrize(
    ("stage", "severity", "told"), [("learning", "info", 0), ("review", "low", 1), ("enforcing", "medium", 1)]
)
def test_stages(stage: str, severity: str, told: int) -> None:
    known = at_stage(LEARNED, stage, HMI, PLC)  # type: ignore[arg-type]
    comparison = Traffic([*usual(NEXT), write(102, 120, when=WHEN)]).compare(known)
    assert [(one.kind, one.severity) for one in comparison.deviations] == [("new_object", severity)]
    assert len(comparison.told) == told


def test_one_device_that_is_enforced_is_enough() -> None:
    known = at_stage(LEARNED, "learning", HMI)
    assert only(Traffic([*usual(NEXT), write(102, 1, when=WHEN)]).compare(known), "new_object").severity == "medium"


@pytest.mark.parametrize(("lossy", "severity"), [({}, "high"), ({"gaps": 3}, "medium")])
def test_what_loss_may_have_caused_agrees_with_nothing(lossy: Row, severity: str) -> None:
    polling = [row for row in usual(NEXT) if row["object_start"] != 100]
    here = [write(102, 120, when=WHEN), write(101, 110, when=at(NEXT, 0.4)), command(4, "operate", when=at(NEXT, 0.3))]
    found = Traffic([*polling, *here], end=at(NEXT, 0.5), coverage=lossy).compare(LEARNED)
    assert kinds(found) == ["changed_period", "new_object"]
    assert only(found, "new_object").severity == severity
    assert only(found, "changed_period").severity == ("low" if lossy else "high")
