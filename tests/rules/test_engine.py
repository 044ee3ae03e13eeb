"""The assessment as a whole: what an engineer is told of a plant, with a policy and without one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inventory.network import Row, flow, talk
from tests.rules.plant import (
    ENGINEERING,
    HMI,
    INTERNET,
    LAPTOP,
    OFFICE_PC,
    PLC_1,
    PLC_3,
    POLICY,
    POLL,
    assess,
    day,
    of_rule,
    write,
    write_event,
)
from zonewatch.rules.engine import Assessment
from zonewatch.rules.findings import SEVERITIES, Change, Finding
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.propose import draft_yaml


def only(assessment: Assessment, rule: str) -> Finding:
    found = of_rule(assessment, rule)
    assert len(found) == 1, [finding.title for finding in found]
    return found[0]


def high(assessment: Assessment) -> list[str]:
    return sorted(finding.rule for finding in assessment.findings if finding.severity in ("high", "critical"))


def with_suggestion(text: str, suggestion: str) -> str:
    """The policy after pasting: under the flows of the last conduit, or as a conduit of its own."""
    indent = "      " if suggestion.startswith("# under flows:") else "  "
    return text + "".join(f"{indent}{line}\n" for line in suggestion.splitlines())


def test_what_the_policy_allows_raises_nothing_but_information() -> None:
    event = write_event(HMI, PLC_1, 100, [120], [100])
    assessment = assess([POLL, write(HMI, PLC_1, 100, [120])], events=[event])
    assert {finding.severity for finding in assessment.findings} == {"info"}
    change = only(assessment, "exposure.value_change")
    assert change.changes == (Change("holding-register 100 (40101)", "100", "120"),)
    assert "flow setpoints of conduit scada-to-filtration" in change.title
    assert only(assessment, "exposure.unauthenticated_control").reasons[-1] == "the policy allows it"


def test_a_write_that_is_not_allowed_is_one_finding_with_values_and_a_flow_to_paste() -> None:
    talks = [
        POLL,
        write(ENGINEERING, PLC_3, 100, [950]),
        write(ENGINEERING, PLC_3, 101, [400, 600], frame=3),
        write(ENGINEERING, PLC_3, 103, [1], status="error", frame=4),
        talk(ENGINEERING, PLC_3, object_start=96, object_count=16),
    ]
    events = [
        write_event(ENGINEERING, PLC_3, 100, [950], [120], 3),
        write_event(ENGINEERING, PLC_3, 101, [400, 600], [400], 4),
        write_event(ENGINEERING, PLC_3, 103, [1], [0], 5, status="error"),
    ]
    finding = only(assess(talks, events=events), "policy.violation")
    assert (finding.severity, finding.verdict, finding.assets) == ("high", "violation", ("eng-1", "plc-3"))
    assert finding.changes == (
        Change("holding-register 100 (40101)", "120", "950"),
        Change("holding-register 102 (40103)", "unknown", "600"),
    )
    assert "operation write not in flow poll of conduit scada-to-filtration" in finding.description
    assert "T1692.001" in finding.technique
    assert "T0855" in finding.technique
    assert finding.suggestion.splitlines()[1:7] == [
        "- id: eng-1-plc-3-modbus-write",
        "  protocol: modbus",
        "  operations: [write]",
        "  clients: [eng-1]",
        "  servers: [plc-3]",
        "  objects: [holding-register 100-103]",
    ]


@pytest.mark.parametrize(
    ("talks", "flows"),
    [
        ([write(ENGINEERING, PLC_3, 100, [950])], []),
        ([talk(OFFICE_PC, PLC_1), talk(OFFICE_PC, PLC_1, "operate")], []),
        ([talk(LAPTOP, PLC_1)], []),
        ([talk(HMI, PLC_1, "discover", object_kind=None, object_start=None)], []),
        ([talk(HMI, PLC_1, "unknown", object_kind="odd kind", object_start=2)], []),
        ([], [flow(OFFICE_PC, HMI, 3389, "rdp")]),
        ([], [flow(OFFICE_PC, HMI, 4711)]),
        ([], [flow(OFFICE_PC, HMI, 0, transport="icmp", state="two_way")]),
        ([], [flow(OFFICE_PC, HMI, 22, "ssh", state="attempted"), flow(OFFICE_PC, HMI, 23, "telnet", state="refused")]),
    ],
)
def test_a_suggested_flow_allows_what_was_seen(talks: list[Row], flows: list[Row]) -> None:
    text = POLICY
    for _ in range(4):
        found = of_rule(assess(talks, flows, by=text), "policy.violation")
        if not found:
            break
        assert found[0].suggestion
        text = with_suggestion(text, found[0].suggestion)
    assert text != POLICY
    assert not of_rule(assess(talks, flows, by=text), "policy.violation")


@pytest.mark.parametrize(
    ("talks", "flows", "as_of", "severity"),
    [
        ([write(OFFICE_PC, PLC_1, 1, [5])], [], 0, "critical"),  # no conduit, and the device is critical
        ([write(OFFICE_PC, PLC_1, 1, [5], status="error")], [], 0, "high"),
        ([write(ENGINEERING, PLC_1, 1, [5])], [], 0, "high"),
        ([write(ENGINEERING, PLC_1, 1, [5], status="error")], [], 0, "medium"),
        ([write(HMI, PLC_1, 100, [1500])], [], 0, "high"),
        ([talk(OFFICE_PC, PLC_1)], [], 0, "medium"),
        ([], [flow(OFFICE_PC, HMI, 445, "smb")], 0, "medium"),
        ([], [flow(HMI, OFFICE_PC, 445, "smb", state="attempted")], 0, "low"),
        ([], [flow(OFFICE_PC, HMI, 3389, "rdp")], 0, "medium"),
        ([], [flow("10.20.50.99", HMI, 3389, "rdp")], 0, "high"),  # nobody declared the client
        ([write(HMI, PLC_1, 100, [5])], [], day(2028, 1, 1), "medium"),  # was approved once
    ],
)
def test_severities(talks: list[Row], flows: list[Row], as_of: int, severity: str) -> None:
    assert only(assess(talks, flows, as_of=as_of), "policy.violation").severity == severity


def test_count_of_a_value_violation_is_of_the_events_outside() -> None:
    talks = [write(HMI, PLC_1, 100, [5, 1500], events=50) | {"object_count": 1}]
    events = [write_event(HMI, PLC_1, 100, [5], [4], 3), write_event(HMI, PLC_1, 100, [1500], [5], 4)]
    finding = only(assess(talks, events=events), "policy.violation")
    assert (finding.count, finding.changes) == (1, (Change("holding-register 100 (40101)", "5", "1500"),))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_no_finite_number_is_outside_all_limits(value: float) -> None:
    talks = [write(HMI, PLC_1, 100, [5, value])]
    finding = only(assess(talks, events=[write_event(HMI, PLC_1, 100, [5, value], [4, 4])]), "policy.violation")
    assert (finding.count, [change.after for change in finding.changes]) == (1, ["5", str(value)])


STORY_TALKS = [
    POLL,
    talk(INTERNET, PLC_1, "discover", frame=50),
    talk(INTERNET, PLC_1, frame=51),
    write(ENGINEERING, PLC_3, 100, [950], frame=60),
]
STORY_FLOWS = [
    *(
        flow(LAPTOP, f"10.20.11.{host}", port, "", "refused" if host in (11, 13) else "attempted", frame=20)
        for host in range(10, 20)
        for port in (102, 502, 44818)
    ),
    flow(LAPTOP, ENGINEERING, 3389, "rdp", frame=40),
    flow(ENGINEERING, PLC_3, 502, "modbus", frame=41),
]
STORY_EVENTS = [write_event(ENGINEERING, PLC_3, 100, [950], [120], 60)]


def test_each_step_of_a_story_is_one_finding() -> None:
    assessment = assess(STORY_TALKS, STORY_FLOWS, STORY_EVENTS)
    assert high(assessment) == [
        "exposure.public_client",
        "exposure.remote_access",
        "exposure.scan",
        "pivot.chain",
        "policy.violation",
    ]
    assert only(assessment, "pivot.chain").assets == (LAPTOP, "eng-1", "plc-3")
    assert only(assessment, "exposure.public_client").assets[0] == "plc-1"
    assert only(assessment, "exposure.public_client").severity == "critical"
    assert only(assessment, "exposure.scan").identity == (("client", LAPTOP),)
    assert only(assessment, "exposure.remote_access").assets == (LAPTOP, "eng-1")
    assert only(assessment, "policy.violation").changes[0].after == "950"
    assert only(assessment, "policy.unknown_asset").severity == "medium"
    assert only(assessment, "policy.unknown_asset").assets == (LAPTOP,)


@pytest.mark.parametrize(
    ("client", "severity"),
    [("130.126.142.250", "medium"), ("45.83.64.10", "critical")],
)
def test_a_neighbour_with_a_public_address_is_not_the_internet(client: str, severity: str) -> None:
    device = "130.126.140.229"
    seen = [
        {"source": "tap", "capture": "a.pcap", "address": address, "mac": mac, "via": "ip", "packets": 9}
        for address, mac in ((client, "b8:ac:6f:ab:45:7a"), (device, "00:1b:21:0b:15:24"))
    ]
    assessment = assess([talk(client, device, events=9)], [flow(client, device, 502, "modbus")], by=None, seen=seen)
    assert only(assessment, "exposure.public_client").severity == severity


def test_the_same_story_without_a_policy() -> None:
    assessment = assess(STORY_TALKS, STORY_FLOWS, STORY_EVENTS, by=None)
    assert assessment.proposed
    assert {row.decision.verdict for row in assessment.verdicts} == {"cannot_conclude"}
    assert not [finding for finding in assessment.findings if finding.rule.startswith("policy.")]
    assert {"exposure.public_client", "exposure.scan", "exposure.remote_access"} <= {
        finding.rule for finding in assessment.findings
    }
    assert [finding.severity for finding in of_rule(assessment, "exposure.unauthenticated_control")] == ["medium"]
    zones = {asset.id: asset.zone for asset in assessment.inventory.assets}
    assert zones[PLC_1] == zones[PLC_3] == "control-10-20-11"
    assert zones[HMI] == "supervision-10-20-1"
    assert zones[INTERNET] == "external"


def test_findings_are_sorted_and_their_ids_are_their_own() -> None:
    found = assess(STORY_TALKS, STORY_FLOWS, STORY_EVENTS).findings
    ranks = [SEVERITIES.index(finding.severity) for finding in found]
    assert ranks == sorted(ranks, reverse=True)
    assert len({finding.id for finding in found}) == len(found)


def test_order_of_rows_does_not_matter() -> None:
    one = assess(STORY_TALKS, STORY_FLOWS, STORY_EVENTS)
    other = assess(STORY_TALKS[::-1], STORY_FLOWS[::-1], STORY_EVENTS[::-1])
    assert one.findings == other.findings
    assert one.verdicts == other.verdicts


def test_an_unzoned_host_that_writes_is_high_and_told_once() -> None:
    assessment = assess(
        [write("172.16.0.9", PLC_1, 100, [5])], events=[write_event("172.16.0.9", PLC_1, 100, [5], [1])]
    )
    finding = only(assessment, "exposure.unauthenticated_control")
    assert (finding.severity, finding.changes) == ("high", (Change("holding-register 100 (40101)", "1", "5"),))
    assert not of_rule(assessment, "exposure.value_change")


def test_unknown_devices_without_a_part_in_the_process_are_one_finding() -> None:
    flows = [flow(f"10.20.50.{host}", f"10.20.50.{host + 1}", 445, "smb") for host in range(100, 120, 2)]
    finding = only(assess(flows=flows), "policy.unknown_asset")
    assert (finding.severity, finding.count, finding.zones) == ("low", 20, ("office",))


@pytest.mark.parametrize(("action", "severities"), [("allow", []), ("report", ["medium"]), ("deny", ["high"])])
def test_unknown_assets_follow_the_default(action: str, severities: list[str]) -> None:
    text = POLICY.replace("zones:\n", f"defaults: {{unknown_asset: {action}}}\nzones:\n", 1)
    found = of_rule(assess([talk(LAPTOP, PLC_1)], by=text), "policy.unknown_asset")
    assert [finding.severity for finding in found] == severities


@pytest.mark.parametrize(("status", "words"), [("error", "refused"), ("no_response", "no answer to 3 was seen")])
def test_what_was_not_obeyed_changed_nothing(status: str, words: str) -> None:
    """Neither what was refused nor what was never answered is told as obeyed, or as a changed value."""
    tried = write(ENGINEERING, PLC_3, 100, [950], status=status, events=3)
    event = write_event(ENGINEERING, PLC_3, 100, [950], [120], status=status)
    finding = only(assess([POLL, tried], events=[event]), "policy.violation")
    assert finding.changes == ()
    assert words in finding.description
    wider = POLICY.replace("operations: [read]", "operations: [read, write]")
    allowed = assess([POLL, tried], events=[event], by=wider)
    assert not of_rule(allowed, "policy.violation")
    assert not of_rule(allowed, "exposure.value_change")
    assert not of_rule(allowed, "exposure.unauthenticated_control")


def test_every_object_of_a_refused_event_is_refused() -> None:
    first = write(ENGINEERING, PLC_3, 100, [950], status="error")
    second = write(ENGINEERING, PLC_3, 300, [950], status="error") | {"events": 0}
    rows = [row.seen for row in assess([first, second]).verdicts if row.seen.operation == "write"]
    assert [(seen.events, seen.refused, seen.obeyed) for seen in rows] == [(1, 1, False), (1, 1, False)]


def test_a_scan_hides_no_command_of_the_scanner_on_another_port() -> None:
    probes = [flow(ENGINEERING, f"10.20.11.{host}", 502, "modbus", "refused") for host in range(10, 30)]
    command = write(ENGINEERING, PLC_3, 100, [950]) | {"server_port": 5020}
    assessment = assess([POLL, command], probes)
    assert only(assessment, "exposure.scan").count == 20
    assert "write" in {finding.operation for finding in of_rule(assessment, "policy.violation")}


def test_fourteen_unanswered_targets_are_no_scan() -> None:
    flows = [flow(OFFICE_PC, "10.20.50.9", port, "", "refused") for port in range(1, 15)]
    assert not of_rule(assess(flows=flows), "exposure.scan")
    flows.append(flow(OFFICE_PC, "10.20.50.9", 99, "", "refused"))
    assert only(assess(flows=flows), "exposure.scan").severity == "medium"


def test_devices_that_talk_to_the_internet() -> None:
    found = of_rule(
        assess([POLL], [flow(PLC_1, "1.1.1.1", 53, "dns"), flow(OFFICE_PC, "1.1.1.1", 443, "https")]),
        "exposure.public_server",
    )
    assert [(finding.severity, finding.assets) for finding in found] == [("high", ("plc-1", "1.1.1.1"))]


def test_a_remote_session_that_a_flow_approves_is_no_finding() -> None:
    text = (
        POLICY
        + """\
  - id: maintenance
    from: office
    to: supervision
    flows: [{id: shell, protocol: rdp, clients: [pc-1], servers: [eng-1]}]
"""
    )
    assert not of_rule(assess(flows=[flow(OFFICE_PC, ENGINEERING, 3389, "rdp")], by=text), "exposure.remote_access")


def test_an_empty_audit() -> None:
    for by in (POLICY, None):
        assessment = assess(by=by)
        assert (assessment.findings, assessment.verdicts) == ((), ())


hosts = st.sampled_from(
    [HMI, ENGINEERING, LAPTOP, PLC_1, PLC_3, OFFICE_PC, "10.20.50.9", "192.168.7.7", INTERNET, "fd00::5"]
)
talks = st.builds(
    lambda client, server, operation, protocol, start: talk(client, server, operation, protocol, object_start=start),
    hosts,
    hosts,
    st.sampled_from(["read", "write", "discover", "operate", "restart", "unknown"]),
    st.sampled_from(["modbus", "dnp3"]),
    st.one_of(st.none(), st.integers(0, 300)),
)
connections = st.builds(
    flow,
    hosts,
    hosts,
    st.sampled_from([22, 80, 443, 502, 3389, 4711]),
    st.sampled_from(["", "ssh", "rdp", "https", "modbus"]),
    st.sampled_from(["closed", "established", "attempted", "refused", "reset"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(talks, max_size=8), st.lists(connections, max_size=8))
def test_a_draft_loads_and_allows_what_was_answered(given_talks: list[Row], given_flows: list[Row]) -> None:
    text = draft_yaml(assess(given_talks, given_flows, by=None).policy)
    assert parse_policy(text)
    again = assess(given_talks, given_flows, by=text)
    bad = [
        row
        for row in again.verdicts
        if row.decision.verdict not in ("allowed", "unzoned") and row.client.id != INTERNET
    ]
    tried = {edge.protocol for edge in again.inventory.edges if edge.state in ("attempted", "refused")}
    assert [row for row in bad if row.seen.operation or row.seen.protocol not in tried] == []
    assert len({finding.id for finding in again.findings}) == len(again.findings)
