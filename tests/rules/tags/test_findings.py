"""What the audit says of points with tags: names, values, limits, safety, and severities weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.rules.plant import ENGINEERING, HMI, PLC_1, POLICY, assess, of_rule, write, write_event
from zonewatch.rules.findings import Change, Finding
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.tags.model import Tag

SETPOINT = Tag(
    "plc-1",
    "holding-register",
    100,
    name="QIC-301",
    description="Chlorine dose",
    engineering_unit="mg/l",
    scale=0.01,
    low=0.8,
    high=1.5,
)
TRIP = Tag(
    "plc-1",
    "holding-register",
    101,
    name="LSHH-101",
    description="High-level trip",
    engineering_unit="%",
    scale=0.1,
    low=0,
    high=95,
    safety=True,
    use="trip",
)
ALARM = Tag("plc-1", "holding-register", 102, name="LAH-101", alarm_high=90, use="alarm")
LEVEL = Tag("plc-1", "holding-register", 103, name="LIC-101", low=0, high=100, alarm_high=90)
PLAIN = Tag("plc-1", "holding-register", 104, name="KC-1")
FLOAT = Tag("plc-1", "holding-register", 106, 2, name="FIC-7", data_type="float32", engineering_unit="m³/h", high=50)
TAGS = (SETPOINT, TRIP, ALARM, LEVEL, PLAIN, FLOAT)
UNDECLARED = POLICY.replace("role: engineering_station", "role: hmi")


def told(
    *events: Mapping[str, Any], tags: Iterable[Tag] = TAGS, by: str = POLICY, talks: Iterable[Mapping[str, Any]] = ()
) -> list[Finding]:
    seen = [
        write(item["client"], item["server"], one["start"], one["values"]) for item in events for one in item["objects"]
    ]
    found = assess([*talks, *seen], events=events, by=by, tags=tags).findings
    return [finding for finding in found if finding.rule.startswith("process.")]


def only(findings: list[Finding], rule: str) -> Finding:
    (finding,) = (finding for finding in findings if finding.rule == rule)
    return finding


@pytest.mark.parametrize(
    ("start", "before", "after", "severity", "sentence"),
    [
        (100, [120], [950], "high", "Chlorine dose QIC-301 set from 1.2 mg/l to 9.5 mg/l"),
        (100, [], [79], "high", "Chlorine dose QIC-301 set to 0.79 mg/l"),
        (101, [920], [1000], "critical", "High-level trip LSHH-101 set from 92 % to 100 %"),
        (101, [920], [900], "high", "High-level trip LSHH-101 set from 92 % to 90 %"),
        (102, [80], [85], "high", "LAH-101 set from 80 to 85"),
        (103, [50], [95], "high", "LIC-101 set from 50 to 95"),
        (106, [0x4220, 0], [0x42B8, 0], "high", "FIC-7 set from 40 m³/h to 92 m³/h"),
    ],
)
def test_beyond_limits(start: int, before: list[float], after: list[float], severity: str, sentence: str) -> None:
    finding = only(told(write_event(HMI, PLC_1, start, after, before)), "process.limit")
    assert (finding.severity, finding.changes[0].sentence) == (severity, sentence)
    assert finding.title == f"{sentence} by hmi-1 (10.20.1.15)"
    assert finding.evidence


@pytest.mark.parametrize(
    ("start", "before", "after"),
    [(100, [120], [150]), (102, [80], [80]), (103, [50], [90]), (104, [1], [60000]), (106, [0, 0], [0x4220, 0])],
)
def test_inside_limits_nothing_is_told(start: int, before: list[float], after: list[float]) -> None:
    assert told(write_event(HMI, PLC_1, start, after, before)) == []


def test_each_value_of_one_event_is_looked_at() -> None:
    finding = only(told(write_event(HMI, PLC_1, 100, [150, 1000, 95, 95], [150, 920, 90, 50])), "process.limit")
    assert [change.name for change in finding.changes] == ["High-level trip LSHH-101", "LAH-101", "LIC-101"]
    assert finding.title.endswith("by hmi-1 (10.20.1.15), and 2 values more")


def test_half_of_a_value_is_told_as_what_it_is() -> None:
    (change,) = (
        change
        for finding in of_rule(
            assess([write(HMI, PLC_1, 107, [5])], events=[write_event(HMI, PLC_1, 107, [5], [4])], tags=TAGS),
            "exposure.value_change",
        )
        for change in finding.changes
    )
    assert change == Change("holding-register 107 (40108)", "4", "5", "FIC-7, register 2 of 2")


def test_the_policy_s_own_findings_say_the_name() -> None:
    events = [write_event(ENGINEERING, PLC_1, 101, [1000], [920])]
    (finding,) = of_rule(assess([write(ENGINEERING, PLC_1, 101, [1000])], events=events, tags=TAGS), "policy.violation")
    assert "on holding-register 101 (40102) [LSHH-101]" in finding.description
    assert "High-level trip LSHH-101 set from 92 % to 100 %" in finding.description


@pytest.mark.parametrize(
    ("client", "start", "values", "reason"),
    [
        (HMI, 100, [2000.0], "value 2000 [Chlorine dose QIC-301 20 mg/l] (allowed: 0 to 1000) not in flow setpoints"),
        (HMI, 105, [2000.0], "value 2000 (allowed: 0 to 1000) not in flow setpoints"),
        (HMI, 106, [2000.0, 1.0], "value 2000 [FIC-7] (allowed: 0 to 1000) not in flow setpoints"),
        (HMI, 90, [1.0], "holding-register 90 (40091) [TC-9] not in flow setpoints"),
        (HMI, 9, [1.0], "holding-register 9 (40010) not in flow setpoints"),
        (ENGINEERING, 100, [1.0], "operation write not in flow poll"),
    ],
)
def test_the_reason_of_a_verdict_names_the_point(client: str, start: int, values: list[float], reason: str) -> None:
    tags = (*TAGS, Tag("plc-1", "holding-register", 90, name="TC-9"))
    talks, events = [write(client, PLC_1, start, values)], [write_event(client, PLC_1, start, values, [])]
    assessment = assess(talks, events=events, tags=tags)
    (finding,) = of_rule(assessment, "policy.violation")
    assert f"The policy: {reason} of conduit scada-to-filtration." in finding.description
    assert reason in {
        row.decision.reason.removesuffix(" of conduit scada-to-filtration") for row in assessment.verdicts
    }


def test_the_flow_to_paste_keeps_numbers_and_says_the_names_behind_them() -> None:
    hostile = Tag("plc-1", "holding-register", 98, name="x\n  clients: [any]  #\u2028y")
    talks = [write(ENGINEERING, PLC_1, 98, [1, 1, 1, 1])]
    (finding,) = of_rule(assess(talks, tags=(*TAGS, hostile)), "policy.violation")
    line = "  objects: [holding-register 98-101]  # x clients: [any] # y, QIC-301, LSHH-101"
    assert line in finding.suggestion.splitlines()
    flows = (
        parse_policy(POLICY + "".join(f"      {line}\n" for line in finding.suggestion.splitlines())).conduits[0].flows
    )
    assert flows[-1].clients == ("eng-1",)


def test_the_map_says_the_names() -> None:
    assessment = assess([write(HMI, PLC_1, 100, [1, 1, 1, 1, 1])], tags=TAGS)
    targets = [target for edge in assessment.inventory.edges for item in edge.functions for target in item.targets]
    assert [target.names for target in targets] == ["QIC-301, LSHH-101, LAH-101 and 2 more"]


@pytest.mark.parametrize(
    ("policy", "client", "severity", "reason"),
    [
        (UNDECLARED, HMI, "high", "no engineering station is declared, so nobody can be told to be one"),
        (POLICY, ENGINEERING, "high", "safety tag"),
        (POLICY, HMI, "critical", "hmi-1 (10.20.1.15) is no declared engineering station"),
    ],
)
def test_writes_to_safety_points(policy: str, client: str, severity: str, reason: str) -> None:
    assert "engineering_station" in POLICY
    finding = only(told(write_event(client, PLC_1, 101, [920], [920]), by=policy), "process.safety_write")
    assert (finding.severity, reason in finding.reasons) == (severity, True)


def test_what_the_device_refused_is_a_step_lower() -> None:
    event = write_event(HMI, PLC_1, 100, [950], [120], status="error")
    finding = only(told(event), "process.limit")
    assert finding.severity in ("medium", "high")
    assert finding.title.startswith("Tried: ")
    assert finding.changes == ()
    assert "lowered: the device was not seen to obey" in finding.reasons


def test_values_that_were_only_counted_are_judged_too() -> None:
    assessment = assess([write(HMI, PLC_1, 100, [950])], tags=TAGS)
    (finding,) = of_rule(assessment, "process.limit")
    assert finding.changes == (Change("holding-register 100 (40101)", "unknown", "9.5 mg/l", "Chlorine dose QIC-301"),)


WINDOW = """\
maintenance_windows:
  - {id: mw-1, zones: [filtration], from: 1970-01-01, to: 1970-01-02, allow: [write], clients: [eng-1]}
"""


@pytest.mark.parametrize(
    ("client", "severity"), [(ENGINEERING, "medium"), (HMI, "high")], ids=["who may", "who may not"]
)
def test_a_maintenance_window_lowers(client: str, severity: str) -> None:
    finding = only(told(write_event(client, PLC_1, 100, [950], [120]), by=POLICY + WINDOW), "process.limit")
    assert finding.severity == severity
    assert ("lowered: inside maintenance window mw-1" in finding.reasons) == (severity == "medium")


def test_a_tag_of_critical_worth_raises() -> None:
    tag = Tag("plc-1", "holding-register", 100, name="QIC-301", high=150, criticality="critical")
    finding = only(told(write_event(HMI, PLC_1, 100, [950], [120]), tags=(tag,)), "process.limit")
    assert (finding.severity, finding.reasons[-1]) == ("critical", "raised: tag QIC-301 is of critical criticality")


@pytest.mark.parametrize("word", ["plc-1", "PLC-1", PLC_1])
def test_an_asset_by_any_of_its_names(word: str) -> None:
    tag = Tag(word, "holding-register", 100, name="QIC-301", high=150)
    assert told(write_event(HMI, PLC_1, 100, [950], [120]), tags=(tag,))


def test_tags_of_what_was_not_seen_are_told() -> None:
    assessment = assess([write(HMI, PLC_1, 100, [1])], tags=(Tag("plc-9", "coil", 1, name="X"), *TAGS))
    assert "1 tag is of plc-9, an asset that was not seen" in assessment.limits
