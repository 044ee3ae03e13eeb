"""The draft out of rows: what becomes a flow, what is left to a person, and the change of an existing file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pytest

from tests.inventory.network import Row, flow, network, talk
from tests.rules.plant import AS_OF, ENGINEERING, HMI, INTERNET, LAPTOP, OFFICE_PC, PLC_1, PLC_3, POLICY, POLL, write
from tests.rules.plant import policy as parsed
from zonewatch.inventory.build import build
from zonewatch.rules.draft.make import Line, Made, beside, fresh
from zonewatch.rules.draft.text import change, new_file, summary
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.lint.run import check_policy
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.times import SECOND

DAY = 86_400 * SECOND
CONDUIT = "supervision-10-20-1-to-control-10-20-11"


def made(talks: Iterable[Row], flows: Iterable[Row] = (), by: str = "", **purposes: str) -> Made:
    tables = network(talks=talks, flows=flows)
    given = {"aggregates": tables.aggregates, "flows": tables.flows}
    named = {name.replace("__", "/").replace("_", "-"): text for name, text in purposes.items()}
    if not by:
        return fresh(build(tables), given, AS_OF, named)
    policy = parsed(by)
    return beside(policy, build(tables, declared_assets(policy)), given, AS_OF, named)


def told(lines: Iterable[Line]) -> list[tuple[object, ...]]:
    """From, to, operations, codes, objects of each."""
    return [
        (line.from_zone, line.to_zone, line.draft.operations, line.draft.codes, tuple(map(str, line.draft.objects)))
        for line in lines
    ]


def test_what_reads_is_one_flow_and_each_change_of_state_its_own() -> None:
    found = made([POLL, write(HMI, PLC_1, 120, [1, 2])])
    ends = ("supervision-10-20-1", "control-10-20-11")
    assert told(found.lines) == [
        (*ends, ("read",), (3,), ("holding-register 100-107",)),
        (*ends, ("write",), (16,), ("holding-register 120-121",)),
    ]
    assert not found.review


def test_servers_that_are_asked_the_same_share_a_flow() -> None:
    found = made([POLL, {**POLL, "server": PLC_3}])
    assert [line.draft.servers for line in found.lines] == [("controller-10-20-11-11", "controller-10-20-11-13")]
    assert found.combinations == 2


def test_many_ranges_that_are_only_read_become_one_and_those_written_stay() -> None:
    starts = (0, 10, 20, 30, 40)
    read = [talk(HMI, PLC_1, object_start=start, object_count=2) for start in starts]
    found = made([*read, *(write(HMI, PLC_1, start, [1]) for start in starts)])
    assert [len(line.draft.objects) for line in found.lines] == [1, 5]
    assert str(found.lines[0].draft.objects[0]) == "holding-register 0-41"


def test_how_often_on_how_many_days_and_how_recently() -> None:
    first = {**POLL, "bucket": 10 * DAY, "first_time": 10 * DAY, "last_time": 10 * DAY + 5}
    later = {**POLL, "bucket": 12 * DAY, "first_time": 12 * DAY, "last_time": 12 * DAY + 7 * SECOND}
    text = new_file(made([first, later]))
    assert "# 200 times on 2 days, last 1970-01-13T00:00:07Z" in text


@pytest.mark.parametrize(
    ("talks", "flows", "reason"),
    [
        ([talk(INTERNET, PLC_1)], [], "comes from the internet"),
        (
            [POLL, write(OFFICE_PC, PLC_1, 5, [1])],
            [flow(f"10.20.50.{host}", "10.20.50.9", 443, "https") for host in (6, 7)],
            "changes state from a business zone",
        ),
        ([POLL], [flow(LAPTOP, PLC_1, 22, "ssh")], "remote access (ssh) to the process side"),
        ([POLL, talk(HMI, PLC_1, "unknown")], [], "a function whose effect is not known"),
        ([POLL, write(HMI, PLC_1, 5, [1], status="error")], [], "never seen to be obeyed"),
        (
            [POLL, *(talk(LAPTOP, PLC_1, object_start=start, object_count=1, events=1) for start in range(0, 300, 2))],
            [],
            "looks like a scan",
        ),
        (
            [POLL, talk(LAPTOP, PLC_1)],
            [flow(LAPTOP, f"10.20.11.{host}", 502, "modbus", "refused") for host in (20, 21, 22)],
            "looks like a scan",
        ),
    ],
)
def test_what_is_never_drafted_by_itself(talks: list[Row], flows: list[Row], reason: str) -> None:
    found = made(talks, flows)
    assert [line for line in found.review if any(reason in item for item in line.draft.reasons)], told(found.lines)
    text = new_file(found)
    name = found.review[0].name
    assert f"# {name}: " in text
    assert not any(line.name == name for line in found.lines)


def test_a_typed_purpose_drafts_it() -> None:
    talks, flows = [POLL], [flow(LAPTOP, PLC_1, 22, "ssh")]
    name = made(talks, flows).review[0].name
    tables = network(talks=talks, flows=flows)
    given = {"aggregates": tables.aggregates, "flows": tables.flows}
    found = fresh(build(tables), given, AS_OF, {name: "firmware of PLC 1"})
    assert [line.purpose for line in found.lines if line.name == name] == ["firmware of PLC 1"]
    assert not found.review


def test_connections_that_nobody_answered_are_not_drafted() -> None:
    found = made([POLL], [flow(OFFICE_PC, PLC_1, 443, "https", "attempted")])
    assert len(found.lines) == 1
    assert found.attempts == 1


def test_a_subnet_in_two_vlans_is_two_zones() -> None:
    tables = network(
        talks=[POLL, {**POLL, "server": PLC_3}],
        seen=[
            {"address": PLC_1, "mac": "02:00:00:00:00:01", "vlan": 11},
            {"address": PLC_3, "mac": "02:00:00:00:00:03", "vlan": 13},
        ],
    )
    found = fresh(build(tables), {"aggregates": tables.aggregates, "flows": tables.flows}, AS_OF)
    zones = {zone.id: (zone.members.include, zone.members.vlans) for zone in found.policy.zones}
    assert zones["control-10-20-11-vlan-11"] == ((PLC_1,), (11,))
    assert zones["control-10-20-11-vlan-13"] == ((PLC_3,), (13,))


def test_a_subnet_of_which_some_hosts_have_no_vlan_is_split_too() -> None:
    tables = network(
        talks=[POLL, {**POLL, "server": PLC_3}, {**POLL, "server": "10.20.11.14"}],
        seen=[
            {"address": PLC_1, "mac": "02:00:00:00:00:01", "vlan": 11},
            {"address": PLC_3, "mac": "02:00:00:00:00:03", "vlan": 13},
            {"address": "10.20.11.14", "mac": "02:00:00:00:00:04", "vlan": None},
        ],
    )
    found = fresh(build(tables), {"aggregates": tables.aggregates, "flows": tables.flows}, AS_OF)
    assert len([zone for zone in found.policy.zones if zone.id.startswith("control")]) == 3
    assert parse_policy(new_file(found))


def test_a_publisher_without_an_address_makes_its_subnet_control() -> None:
    mac = "00:00:23:06:c9:a5"
    goose = flow(mac, "01:0c:cd:01:00:01", 35000, "goose", "one_way", transport="ethernet")
    other = flow("10.20.50.5", "10.20.50.9", 443, "https")
    found = made([], [goose, other])
    (zone,) = found.policy.zones
    assert (zone.kind, zone.members.include) == ("control", (mac,)), found.policy.zones


@pytest.mark.parametrize(("late", "word"), [(1, "long enough"), (8, "too short")])
def test_whether_the_capture_was_long_enough(late: int, word: str) -> None:
    talks = [
        talk(HMI, PLC_1, object_start=10 * number, first_time=number * SECOND, last_time=number * SECOND)
        for number in range(100)
    ]
    new = [
        talk(HMI, PLC_1, object_start=5000 + number, first_time=95 * SECOND, last_time=100 * SECOND)
        for number in range(late)
    ]
    early = [{**row, "first_time": SECOND} for row in talks]
    lines = list(summary(made([*early, *new])))
    assert word in lines[0], lines
    assert f"{late} of {100 + late} combinations" in lines[0]


def test_the_draft_passes_the_static_check() -> None:
    text = new_file(
        made(
            [POLL, write(HMI, PLC_1, 5, [1]), talk(INTERNET, PLC_1)],
            [flow(OFFICE_PC, "10.20.50.9", 443, "https"), flow(PLC_1, INTERNET, 443, "https")],
        )
    )
    report = check_policy(text, "draft.yaml", dt.date(2026, 6, 1), [])
    assert [item for item in report.diagnostics if item.severity == "error"] == []


def test_an_existing_file_gets_a_difference_that_keeps_its_comments() -> None:
    text = POLICY.replace("conduits:\n", "conduits: # decided in March\n")
    found = made([POLL, write(ENGINEERING, PLC_3, 7, [1]), talk(OFFICE_PC, PLC_3)], by=text)
    new, difference = change(text, found, "policy.yaml")
    assert "# decided in March" in new
    assert [line for line in difference.splitlines() if line.startswith("-") and not line.startswith("---")] == []
    flows = {flow.id: flow for conduit in parse_policy(new).conduits for flow in conduit.flows}
    assert flows["modbus-write-eng-1"].operations == ("write",)
    assert flows["modbus-read-pc-1"].clients == ("pc-1",)
    assert made([POLL, write(ENGINEERING, PLC_3, 7, [1]), talk(OFFICE_PC, PLC_3)], by=new).lines == ()


def test_limits_that_somebody_set_are_not_widened() -> None:
    row = {**POLL, "client": HMI}
    found = made([row], by=POLICY.replace("purpose: process values", "purpose: x, expires: 2020-01-01"))
    assert found.lines == ()
    assert found.narrowed == 1
