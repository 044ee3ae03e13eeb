from __future__ import annotations

import pytest

from tests.inventory.network import flow
from tests.rules import plant
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.reports.assemble import assemble
from zonewatch.reports.json_result import dumps, loads
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.rules.engine import Assessment

WRITE = plant.write(plant.ENGINEERING, plant.PLC_3, 100, [950.0])
EVENT = plant.write_event(plant.ENGINEERING, plant.PLC_3, 100, [950.0], [120.0], frame=1, client_port=51_514)
TABLES = {
    "coverage": rows(schemas.COVERAGE, [{"source": "tap", "capture": "a.pcap", "status": "whole", "packets": 9}]),
    "events": rows(schemas.EVENTS, [EVENT]),
}


def result(by: str | None = plant.POLICY) -> AuditResult:
    found: Assessment = plant.assess([plant.POLL, WRITE], [flow(plant.OFFICE_PC, plant.HMI, port=443)], [EVENT], by=by)
    return assemble(found, TABLES, version="0.1.0", policy_name="plant.yaml" if by else "", notes=["A note."])


def test_an_assessment_becomes_a_result() -> None:
    found = result()
    assert (found.title, found.policy.name, found.policy.given) == ("riverside", "plant.yaml", True)
    assert [zone.id for zone in found.zones] == ["office", "supervision", "filtration"]
    assert found.captures[0].packets == 9
    assert "A note." in found.limits
    cells = {(cell.from_zone, cell.to_zone, cell.operation): cell.verdict for cell in found.matrix}
    assert cells["supervision", "filtration", "read"] == "allowed"
    assert cells["supervision", "filtration", "write"] == "violation"
    assert {cell.operation: cell.events for cell in found.matrix if cell.operation} == {"read": 100, "write": 1}
    assert [row.flow for row in found.unused_flows] == ["setpoints"]
    assert found.unused_flows[0].until == "2027-03-01"


def test_the_flow_of_the_violation_is_known() -> None:
    found = result()
    violation = next(row for row in found.findings if row.verdict == "violation" and row.operation == "write")
    assert [row.client_port for row in found.flows if row.finding == violation.id] == [51_514]


def test_without_a_policy_nothing_is_judged_and_zones_are_proposed() -> None:
    found = result(None)
    assert not found.policy.given
    assert "policy_version: 1" in found.policy.proposal
    assert (found.verdicts, found.unused_flows) == ((), ())
    assert {cell.verdict for cell in found.matrix} == {"cannot_conclude"}
    assert found.zones


@pytest.mark.parametrize("by", [plant.POLICY, None])
def test_it_comes_back_from_json(by: str | None) -> None:
    found = result(by)
    assert ordered(found) == found
    assert loads(dumps(found)) == found
