"""Stories made of findings: who is the same actor, what is reached, and what stays apart."""

from __future__ import annotations

from typing import Any

from zonewatch.inventory.model import Evidence
from zonewatch.rules.findings import Change, Finding, Severity, Step
from zonewatch.rules.incidents import GOING_ON, MOST_STEPS, Incident, incidents

MINUTE = 60_000_000_000


def act(rule: str, at: int, *assets: str, severity: Severity = "high", **more: Any) -> Finding:
    """A finding at a minute after the epoch's first day."""
    time = (1440 + at) * MINUTE
    given: dict[str, Any] = {
        "title": f"{' to '.join(assets)}: {rule}",
        "reasons": (),
        "description": "",
        "remedy": "",
        "owner": "OT",
        "first_time": time,
        "last_time": time,
        "evidence": (Evidence("tap", "a.pcap", at + 1),),
        "uuid": "" if rule.split(".")[0] in ("exposure", "policy", "pivot") else "sigma",
    }
    return Finding(rule=rule, identity=(("at", str(at)),), assets=assets, severity=severity, **{**given, **more})


def told(found: tuple[Incident, ...]) -> list[list[str]]:
    return [[step.text for step in incident.steps] for incident in found]


def test_an_actor_that_goes_on_and_a_host_that_was_reached_are_one_story() -> None:
    findings = [
        act("modbus.new_write", 30, "eng-1", "plc-3", operation="write"),
        act("exposure.remote_access", 10, "laptop", "eng-1"),
        act("exposure.scan", 5, "laptop", "plc-1", "plc-9"),
    ]
    (incident,) = incidents(findings)
    assert [step.client for step in incident.steps] == ["laptop", "laptop", "eng-1"]
    assert incident.assets == ("laptop", "eng-1", "plc-3")
    assert (incident.severity, incident.reasons[-1].split(":")[0]) == ("critical", "raised")
    assert incident.findings == tuple(finding.id for finding in reversed(findings))


def test_a_host_that_was_only_scanned_does_not_carry_the_story_on() -> None:
    findings = [
        act("exposure.scan", 5, "laptop", "eng-1"),
        act("exposure.remote_access", 6, "laptop", "hmi-1"),
        act("modbus.new_write", 30, "eng-1", "plc-3"),
        act("modbus.restart", 31, "eng-1", "plc-3"),
    ]
    assert [incident.assets for incident in incidents(findings)] == [("laptop", "hmi-1"), ("eng-1", "plc-3")]


def test_two_hours_of_quiet_end_a_story() -> None:
    minutes = GOING_ON // MINUTE
    first = [act("modbus.a", 0, "x", "plc"), act("modbus.b", 1, "x", "plc")]
    assert len(incidents([*first, act("modbus.c", 1 + minutes, "x", "plc"), act("modbus.d", 9999, "x", "plc")])) == 1
    later = [act("modbus.c", 2 + minutes, "x", "plc"), act("modbus.d", 3 + minutes, "x", "plc")]
    assert len(incidents([*first, *later])) == 2


def test_commands_that_nobody_carried_out_change_nothing() -> None:
    findings = [
        act("reconnaissance.sweep", 0, "laptop", "plc-1"),
        act("modbus.point_scan", 1, "laptop", "plc-1"),
        act("ot.disruptive_command_refused", 2, "laptop", "plc-1", operation="stop"),
    ]
    (incident,) = incidents(findings)
    assert (incident.severity, incident.reasons) == ("high", ("high: laptop to plc-1: reconnaissance.sweep",))
    carried_out = act("ot.disruptive_command", 2, "laptop", "plc-1", operation="stop")
    assert incidents([*findings[:2], carried_out])[0].severity == "critical"


def test_one_kind_of_finding_and_states_of_the_network_are_no_story() -> None:
    assert incidents([act("modbus.a", number, "x", f"plc-{number}") for number in range(5)]) == ()
    assert incidents([act("modbus.a", 0, "x", "plc"), act("exposure.smb1", 1, "x")]) == ()
    assert incidents([act("modbus.a", 0, "x", "plc"), act("modbus.b", 1, "x", "plc", severity="low")]) == ()


def test_two_stories_that_meet_are_one() -> None:
    findings = [
        act("modbus.a", 0, "a", "x"),
        act("modbus.a", 1, "b", "y"),
        act("modbus.b", 2, "a", "b"),
        act("modbus.c", 3, "b", "plc"),
    ]
    (incident,) = incidents(findings)
    assert len(incident.steps) == 4


def test_the_pattern_names_the_story_and_a_change_shows_its_values() -> None:
    findings = [
        act("dnp3.silenced_before_control", 1, "m", "rtu", severity="critical", title="Blinded, then operated"),
        act("dnp3.operate", 2, "m", "rtu", changes=(Change("control-relay-output 4", "off", "latch_on"),)),
    ]
    (incident,) = incidents(findings)
    assert (incident.title, incident.pattern) == ("Blinded, then operated", "a DNP3 outstation silenced, then operated")
    assert incident.steps[1].text == "m to rtu: dnp3.operate (control-relay-output 4: off to latch_on)"


def test_a_chain_tells_only_the_hops_that_no_other_finding_tells() -> None:
    hops = (
        Step("pc", "jump", "rdp", "remote session", (Evidence("tap", "a.pcap", 3),), 1441 * MINUTE, 1442 * MINUTE),
        Step("jump", "eng-1", "rdp", "remote session", (), 1443 * MINUTE, 1444 * MINUTE),
    )
    findings = [
        act("pivot.chain", 1, "pc", "eng-1", "plc", severity="critical", steps=hops, title="pc came through"),
        act("exposure.remote_access", 3, "jump", "eng-1"),
    ]
    assert told(incidents(findings)) == [["pc to jump: rdp remote session", "jump to eng-1: exposure.remote_access"]]


def test_the_order_of_the_findings_changes_nothing_and_the_id_stays_while_a_story_grows() -> None:
    findings = [act(f"modbus.{name}", place, "x", "plc") for place, name in enumerate("abcd")]
    assert incidents(findings) == incidents(reversed(findings))
    assert incidents(findings)[0].id == incidents(findings[:2])[0].id


def test_a_long_story_says_how_many_steps_come_after_those_told() -> None:
    findings = [act(f"modbus.{place:03}", place, "x", f"plc-{place}") for place in range(MOST_STEPS + 5)]
    (incident,) = incidents(findings)
    assert len(incident.steps) == MOST_STEPS
    assert incident.steps[-1].text == "And 6 further steps, which their findings tell."
    assert len(incident.steps[-1].findings) == 6
