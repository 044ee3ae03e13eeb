"""The summary names the gravest incident, and counts a change once that several findings tell."""

from __future__ import annotations

from dataclasses import replace

from tests.reports import sample
from tests.rules.test_incidents import act
from zonewatch.reports.speech import english
from zonewatch.reports.summary import summarise
from zonewatch.rules.findings import Change
from zonewatch.rules.incidents import incidents

CHANGE = Change("coil 4 (00005)", "on", "off")


def test_the_gravest_incident_stands_first() -> None:
    findings = (act("modbus.a", 0, "x", "plc", severity="critical"), act("modbus.b", 1, "x", "plc"))
    result = replace(sample.sample(), findings=findings, incidents=incidents(findings))
    told = "2 findings make up an incident of critical severity: x to plc: modbus.a."
    assert summarise(result, english()).sentences[0] == told
    assert "incident" not in " ".join(summarise(replace(result, incidents=()), english()).sentences)


def test_a_change_that_several_findings_tell_is_one() -> None:
    findings = tuple(
        act(rule, 0, "x", "plc", changes=(CHANGE,), operation="write") for rule in ("modbus.a", "modbus.b")
    )
    result = replace(sample.sample(), findings=findings)
    assert summarise(result, english()).sentences[-1].startswith("1 value in the plant was changed")
