"""Rules over an audit: findings, handles of detectors, what is off, what is told once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.plant import ENGINEERING, HMI, PLC_1, PLC_3, POLICY, POLL, assess, write, write_event
from zonewatch.rules.engine import Assessment
from zonewatch.rules.sigma.detect import Detection
from zonewatch.rules.sigma.load import parsed
from zonewatch.rules.sigma.settings import Settings, parse_settings

HEAD = "taxonomy: zonewatch\nlogsource: {product: zonewatch, category: ot_operation}\n"
WRITE = (
    "title: A register was written\nname: own.write\nid: 6b1f0d4e-0000-4000-8000-000000000001\n"
    f"{HEAD}detection: {{sel: {{ot.operation: write, ot.value|gt: 900}}, condition: sel}}\nlevel: high\n"
    "tags: [attack.t0836, iec62443.sr-3.6]\nfields: [ot.target.address, ot.value]\nfalsepositives: [tests]\n"
    "zonewatch: {owner: OT, remedy: Look.}\n"
)
HANDLE = (
    "title: The policy\nname: policy.violation\nid: 6b1f0d4e-0000-4000-8000-000000000002\ntaxonomy: zonewatch\n"
    "logsource: {product: zonewatch, category: detection}\n"
    "detection: {sel: {rule.id: policy.violation}, condition: sel}\n"
    "falsepositives: [a flow that nobody wrote down]\n"
)
SWEEP = (
    f"title: A write\nname: own.one\n{HEAD}detection: {{sel: {{ot.operation: write}}, condition: sel}}\n"
    "zonewatch: {seed: true}\n---\ntitle: Many writes\nname: own.many\n"
    "correlation: {type: value_count, rules: [own.one], group-by: [source.asset.id, destination.asset.id], "
    "timespan: 1m, condition: {field: ot.target.address, gte: 3}}\nlevel: medium\n"
    "zonewatch: {identity: [source.asset.id]}\n"
)


def audited(rules: str, settings: Settings | None = None, by: str | None = POLICY, **given: Any) -> Assessment:
    given = given or {
        "talks": [POLL, write(ENGINEERING, PLC_3, 100, [950])],
        "events": [write_event(ENGINEERING, PLC_3, 100, [950], [120])],
    }
    known = parsed(rules)
    detection = Detection(known, settings) if settings is not None else Detection(known)
    return assess(**given, by=by, detection=detection)


def of(assessment: Assessment, rule: str) -> list[Any]:
    return [finding for finding in assessment.findings if finding.rule == rule]


def test_a_hit_is_a_finding_with_all_that_the_rule_says() -> None:
    (finding,) = of(audited(WRITE), "own.write")
    assert finding.title == "A register was written: eng-1 to plc-3"
    assert (finding.severity, finding.owner, finding.remedy) == ("high", "OT", "Look.")
    assert (finding.technique, finding.requirement) == (("T0836",), ("SR 3.6",))
    assert finding.identity == (("source.asset.id", "eng-1"), ("destination.asset.id", "plc-3"))
    assert (finding.assets, finding.zones) == (("eng-1", "plc-3"), ("supervision", "filtration"))
    assert "ot.target.address 100; ot.value 950." in finding.description
    assert (finding.protocol, finding.operation, finding.count) == ("modbus", "write", 1)
    assert finding.evidence[0].frame == 7
    assert finding.uuid == "6b1f0d4e-0000-4000-8000-000000000001"
    assert finding.false_positives == ("tests",)


WINDOW = """\
maintenance_windows:
  - {id: mw-1, zones: [filtration], from: 1970-01-01, to: 1970-01-02, allow: [write], clients: [eng-1]}
"""


@pytest.mark.parametrize(
    ("level", "by", "severity", "reason"),
    [
        ("medium", POLICY, "high", "raised: asset plc-3 is of high criticality"),
        ("critical", POLICY + WINDOW, "high", "lowered: inside maintenance window mw-1"),
    ],
)
def test_what_was_changed_is_weighed(level: str, by: str, severity: str, reason: str) -> None:
    rule = WRITE.replace("level: high", f"level: {level}")
    (finding,) = of(audited(rule, by=by), "own.write")
    assert (finding.severity, finding.reasons[-1]) == (severity, reason)
    (read,) = of(audited(rule.replace("write, ot.value|gt: 900", "read"), by=by), "own.write")
    assert read.severity == level


def test_a_value_that_does_not_meet_the_condition_is_no_hit() -> None:
    talks = [write(ENGINEERING, PLC_3, 100, [900])]
    assert not of(audited(WRITE, talks=talks, events=[write_event(ENGINEERING, PLC_3, 100, [900], [])]), "own.write")


def test_the_rule_of_a_detector_is_its_handle() -> None:
    (finding,) = of(audited(HANDLE), "policy.violation")
    assert finding.uuid.endswith("2")
    assert finding.false_positives == ("a flow that nobody wrote down",)
    off = "detection_version: 1\nrules:\n  policy.violation: {enabled: false, reason: the policy is a first draft}\n"
    without = audited(HANDLE, parse_settings(off, "d.yaml", ["policy.violation"]))
    assert not of(without, "policy.violation")
    assert "1 finding of policy.violation not told: the rule is off" in without.limits


@pytest.mark.parametrize(("threshold", "found"), [(None, 1), (4, 0), (3, 1)])
def test_bursts_of_one_identity_are_one_finding_and_a_threshold_can_be_set(threshold: int | None, found: int) -> None:
    talks = [write(HMI, plc, 100 + number, [1]) for plc in (PLC_1, PLC_3) for number in range(3)]
    events = [
        write_event(HMI, plc, 100 + number, [1], [0], frame=10 * place + number)
        for place, plc in enumerate((PLC_1, PLC_3), 1)
        for number in range(3)
    ]
    text = f"detection_version: 1\nrules:\n  own.many: {{threshold: {threshold}, reason: known}}\n"
    settings = parse_settings(text, "d.yaml", ["own.many"]) if threshold else None
    findings = of(audited(SWEEP, settings, talks=talks, events=events), "own.many")
    assert len(findings) == found
    if found:
        assert findings[0].identity == (("source.asset.id", "hmi-1"),)
        assert findings[0].assets == ("hmi-1", "plc-1", "plc-3")
        assert findings[0].reasons[1].endswith("2 times")
    assert not of(audited(SWEEP, settings, talks=talks, events=events), "own.one"), "a seed tells nothing"


def test_what_another_tells_of_the_same_actor_is_not_told_again() -> None:
    other = WRITE.replace("own.write", "own.same").replace("000001", "000003")
    other = other.replace("zonewatch: {", "zonewatch: {unless: [own.write], ")
    assert len(of(audited(f"{WRITE}---\n{other}"), "own.write")) == 1
    assert not of(audited(f"{WRITE}---\n{other}"), "own.same")
    assert len(of(audited(other), "own.same")) == 1


def test_a_rule_that_hits_very_many_is_bounded_and_says_how_many_more() -> None:
    servers = [f"10.20.11.{number}" for number in range(1, 151)]
    talks = [write(ENGINEERING, server, 100, [950], frame=number) for number, server in enumerate(servers, 1)]
    events = [
        write_event(ENGINEERING, server, 100, [950], [], frame=number) for number, server in enumerate(servers, 1)
    ]
    findings = of(audited(WRITE, talks=talks, events=events), "own.write")
    assert len(findings) == 101
    (rest,) = [one for one in findings if one.identity == (("beyond", "100"),)]
    assert "50 more of this kind are told together" in rest.description
    assert rest.count == 50


def test_what_one_host_does_to_many_is_one_finding_that_counts_them() -> None:
    """However many records each of them has: one of each server comes first."""
    servers = [f"10.20.11.{number}" for number in range(1, 61)]
    writes = [(server, 100 + turn, 3 * number + turn) for number, server in enumerate(servers) for turn in range(3)]
    talks = [write(ENGINEERING, server, address, [950], frame=frame + 1) for server, address, frame in writes]
    events = [
        write_event(ENGINEERING, server, address, [950], [], frame=frame + 1) for server, address, frame in writes
    ]
    by_client = WRITE.replace("zonewatch: {", "zonewatch: {identity: [source.asset.id], ")
    (finding,) = of(audited(by_client, talks=talks, events=events), "own.write")
    assert finding.description.endswith("Seen 180 times at 60 servers.")
    assert len(finding.assets) == 51, "the client and the first servers"


@pytest.mark.parametrize(
    ("declared", "told"),
    [("purdue: 1", "control"), ("kind: safety, purdue: 1", "safety"), ("kind: wireless", "wireless"), ("", "")],
)
def test_the_kind_of_a_zone_is_as_declared_or_what_its_level_stands_for(declared: str, told: str) -> None:
    policy = POLICY.replace("id: filtration, purdue: 1", f"id: filtration{declared and ', '}{declared}")
    rule = WRITE.replace("ot.value|gt: 900", "source.zone.kind: supervisory, destination.zone.kind|exists: true")
    found = of(audited(rule.replace("[ot.target.address", "[destination.zone.kind"), by=policy), "own.write")
    assert [one.description.count(f"destination.zone.kind {told}; ") for one in found] == [1] * bool(told)


def test_a_correlation_that_hits_very_many_is_bounded_too() -> None:
    servers = [f"10.20.11.{number}" for number in range(1, 103)]
    events = [
        write_event(ENGINEERING, server, 100 + place, [950], [], frame=3 * number + place)
        for number, server in enumerate(servers)
        for place in range(3)
    ]
    talks = [write(ENGINEERING, server, 100 + place, [950]) for server in servers for place in range(3)]
    rule = SWEEP.replace("identity: [source", "identity: [destination")
    findings = of(audited(rule, talks=talks, events=events), "own.many")
    assert len(findings) == 101
    (rest,) = [one for one in findings if one.identity == (("beyond", "100"),)]
    assert "2 more of this kind are told together" in rest.description
    assert rest.count == 6


def test_without_a_policy_nothing_is_a_verdict() -> None:
    rule = WRITE.replace("ot.value|gt: 900", "conduit.verdict: violation")
    assert of(audited(rule), "own.write")
    assert not of(audited(rule, by=None), "own.write")
