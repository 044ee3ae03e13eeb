"""Violations grouped by what an engineer would change, and what the policy allows that nothing used."""

from __future__ import annotations

from tests.inventory.network import flow, talk
from tests.rules.plant import ENGINEERING, HMI, LAPTOP, OFFICE_PC, PLC_1, PLC_3, POLICY, POLL, assess, of_rule, write
from tests.rules.plant import write_event as event
from zonewatch.rules.policy.load import parse_policy

NEXT = "      "


def pasted(suggestion: str) -> str:
    """The policy with a suggestion under the flows of its conduit."""
    return POLICY + "".join(f"{NEXT}{line}\n" for line in suggestion.splitlines())


def test_a_missing_flow_to_two_servers_is_one_finding() -> None:
    talks = [POLL, write(ENGINEERING, PLC_1, 5, [1], frame=3), write(ENGINEERING, PLC_3, 5, [1], frame=4)]
    changed = [event(ENGINEERING, PLC_1, 5, [1], [0], 3), event(ENGINEERING, PLC_3, 5, [1], [0], 4)]
    (finding,) = of_rule(assess(talks, events=changed), "policy.violation")
    assert finding.assets == ("eng-1", "plc-1", "plc-3")
    assert {item.frame for item in finding.evidence} == {3, 4}
    assert [change.target for change in finding.changes] == [
        "plc-1 (10.20.11.11): holding-register 5 (40006)",
        "plc-3 (10.20.11.13): holding-register 5 (40006)",
    ]
    assert finding.remedy.startswith("Block eng-1 from plc-1, plc-3 at the boundary of zone filtration")
    assert finding.suggestion.count("- id:") == 1
    assert "  servers: [plc-1, plc-3]" in finding.suggestion
    assert not of_rule(assess(talks, by=pasted(finding.suggestion)), "policy.violation")


def test_servers_that_are_asked_for_different_objects_get_a_flow_each() -> None:
    talks = [write(ENGINEERING, PLC_1, 5, [1]), write(ENGINEERING, PLC_3, 900, [1])]
    (finding,) = of_rule(assess(talks), "policy.violation")
    flows = parse_policy(pasted(finding.suggestion)).conduits[0].flows[2:]
    assert [(item.servers, [str(one) for one in item.objects]) for item in flows] == [
        (("plc-1",), ["holding-register 5"]),
        (("plc-3",), ["holding-register 900"]),
    ]


def test_two_clients_are_two_findings_and_so_are_two_kinds_of_use() -> None:
    talks = [talk(OFFICE_PC, PLC_1), talk(LAPTOP, PLC_1), write(LAPTOP, PLC_1, 1, [1])]
    assert len(of_rule(assess(talks), "policy.violation")) == 3


def test_what_a_limit_of_one_flow_keeps_is_one_finding_of_that_flow() -> None:
    text = POLICY.replace("purpose: process values", "purpose: process values, expires: 2020-01-01")
    talks = [POLL, {**POLL, "server": PLC_3}, {**POLL, "client": ENGINEERING}]
    (finding,) = of_rule(assess(talks, by=text), "policy.violation")
    assert finding.identity == (("conduit", "scada-to-filtration"), ("flow", "poll"), ("limit", "expiry"))
    assert finding.assets == ("hmi-1", "eng-1", "plc-1", "plc-3")
    assert not of_rule(assess(talks, by=text + pasted(finding.suggestion)[len(POLICY) :]), "policy.violation")
    assert finding.remedy.startswith("Approve flow poll again")


def test_values_beyond_a_limit_ask_for_another_limit() -> None:
    talks = [write(HMI, PLC_1, 100, [5000]), write(HMI, PLC_3, 100, [6000])]
    (finding,) = of_rule(assess(talks), "policy.violation")
    assert finding.identity[2] == ("limit", "value")
    assert "change the limits of flow setpoints" in finding.remedy


def test_what_nothing_used_is_told_with_its_coverage() -> None:
    (finding,) = of_rule(assess([POLL]), "policy.unused")
    assert finding.title == "1 flow of conduit scada-to-filtration saw no traffic"
    assert finding.description == "setpoints."
    assert finding.reasons[0].startswith("traffic of ")
    assert finding.reasons[-1] == "1 combination of other use seen on this way: the capture sees it"


def test_ends_that_no_packet_showed_are_named() -> None:
    (finding,) = of_rule(assess([], [flow(OFFICE_PC, "10.20.50.9", 443, "https")]), "policy.unused")
    assert finding.title.endswith("2 flows of conduit scada-to-filtration saw no traffic, all it has")
    assert finding.description == "poll (hmi-1, eng-1 not seen at all), setpoints (hmi-1 not seen at all)."
    assert finding.reasons[-1] == "nothing at all was seen on this way: the capture may not see it"


def test_every_server_and_every_change_of_a_violation_has_its_frame() -> None:
    servers = [f"10.20.11.{number}" for number in range(20, 60)]
    talks = [write(ENGINEERING, server, 5, [1], frame=1000 + place) for place, server in enumerate(servers)]
    (finding,) = of_rule(assess(talks), "policy.violation")
    assert {item.frame for item in finding.evidence} == set(range(1000, 1040))
    assert "Proof" not in finding.description

    talks = [write(ENGINEERING, PLC_1, 5, [1], frame=1, events=99), write(ENGINEERING, PLC_3, 5, [1], frame=2)]
    changed = [event(ENGINEERING, PLC_1, 5, [value], [0], 100 + value) for value in range(99)]
    (finding,) = of_rule(assess(talks, events=changed), "policy.violation")
    assert len(finding.evidence) == 64
    assert {1, 2} <= {item.frame for item in finding.evidence}
    assert finding.description.endswith("Proof: 64 of 101 frames.")
