"""Chains of remote sessions: stories merged of real captures, routine in rows, and nothing where nothing is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.inventory.network import Row, activity, flow, talk
from tests.rules.merging import SECOND, Part, merged
from tests.rules.plant import (
    ENGINEERING,
    HMI,
    LAPTOP,
    OFFICE_PC,
    PLC_1,
    PLC_3,
    POLICY,
    POLL,
    assess,
    of_rule,
    write_event,
)
from zonewatch.inventory.build import Tables, build
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.load import load_policy, parse_policy
from zonewatch.rules.policy.model import Policy

ROOT = Path(__file__).parents[2]
PLANT = ROOT / "pcaps" / "waterworks"
CAPTURES = Path(os.environ.get("ZONEWATCH_CAPTURES", ROOT.parent / "shared" / "pcaps"))
ATTACK = "sbousseaden__PCAP-ATTACK/Lateral Movement"
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
START = 1_772_438_400 * SECOND  # 2 March 2026, 08:00 UTC
TABLES = ("aggregates", "events", "flows", "activities", "claims", "addresses", "coverage", "oddities")

ATTACKER, JUMP, STATION, DEVICE = "10.9.50.66", "10.9.40.20", "10.9.1.10", "10.9.11.13"


def audited(path: Path, policy: Policy | None = None) -> Assessment:
    pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
    from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

    decoder = Decoder([Source("tap", (CaptureFile(path.name, path),))])
    while decoder.advance():
        pass
    taken = {name: decoder.take(name) for name in TABLES}
    tables = Tables(**{name: table for name, table in taken.items() if name not in ("events", "oddities")})
    return audit(build(tables, declared_assets(policy) if policy else ()), taken, policy, START)


class Capture(NamedTuple):
    """A capture and its two hosts of interest: who acts, and on whom."""

    path: str
    actor: str
    other: str

    def between(self, actor: str, other: str, start: int) -> Part:
        path = CAPTURES / self.path
        if not path.exists():
            pytest.skip(f"{self.path} is not here")
        return Part(path, {self.actor: actor, self.other: other}, start)


PSEXEC = Capture(f"{ATTACK}/LM_psexec_smb_dcerpc_epm_svcctl.pcapng", "172.16.66.1", "172.16.66.36")
RDP = Capture(f"{ATTACK}/LM_rdp_sharprdp.pcapng", "192.168.56.1", "192.168.56.101")
WMI = Capture(f"{ATTACK}/LM_WMI_ProcessCallCreate.pcapng", "172.16.66.1", "172.16.66.36")
SSH = Capture("ntop__nDPI/tests/cfgs/default/pcap/ssh.pcap", "172.16.238.1", "172.16.238.168")
VNC = Capture("zeek__zeek/testing/btest/Traces/rfb/vnc-mac-to-linux.pcap", "192.168.2.115", "192.168.2.125")
MODBUS = Capture(
    "antoine-lemay__Modbus_dataset/characterization_modbus_6RTU_with_operate.pcap", "192.168.1.100", "192.168.1.103"
)
S7 = Capture("ITI__ICS-Security-Tools/pcaps/s7/s7comm_downloading_block_db1.pcap", "192.168.1.10", "192.168.1.40")
DNP3 = Capture("cisagov__icsnpp-dnp3/testing/traces/dnp3_example.pcap", "10.10.20.5", "10.10.20.8")

STORIES: Sequence[tuple[str, tuple[tuple[Capture, str, str, int], ...], tuple[tuple[str, str], ...], str]] = [
    (
        "a service made over SMB, then registers written",
        ((PSEXEC, ATTACKER, STATION, 0), (MODBUS, STATION, DEVICE, 60)),
        ((ATTACKER, STATION),),
        "write",
    ),
    (
        "a remote desktop, then a block downloaded",
        ((RDP, ATTACKER, STATION, 0), (S7, STATION, DEVICE, 120)),
        ((ATTACKER, STATION),),
        "program_download",
    ),
    (
        "a process made over WMI, then a relay operated",
        ((WMI, ATTACKER, STATION, 0), (DNP3, STATION, DEVICE, 60)),
        ((ATTACKER, STATION),),
        "operate",
    ),
    (
        "SSH to a jump host, VNC from there to the station, then registers written",
        ((SSH, ATTACKER, JUMP, 0), (VNC, JUMP, STATION, 60), (MODBUS, STATION, DEVICE, 140)),
        ((ATTACKER, JUMP), (JUMP, STATION)),
        "write",
    ),
    (
        "a remote desktop, a service made from there, then a block downloaded",
        ((RDP, ATTACKER, JUMP, 0), (PSEXEC, JUMP, STATION, 30), (S7, STATION, DEVICE, 50)),
        ((ATTACKER, JUMP), (JUMP, STATION)),
        "program_download",
    ),
]


def story(parts: Sequence[tuple[Capture, str, str, int]], folder: Path) -> Path:
    return merged(
        [capture.between(actor, other, START + after * SECOND) for capture, actor, other, after in parts],
        folder / "story.pcap",
    )


@pytest.mark.parametrize(("parts", "hops", "operation"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_a_story_is_found_with_its_hops_in_order(
    parts: Sequence[tuple[Capture, str, str, int]],
    hops: tuple[tuple[str, str], ...],
    operation: str,
    tmp_path: Path,
) -> None:
    finding = one(of_rule(audited(story(parts, tmp_path)), "pivot.chain"))
    assert dict(finding.identity) == {"root": ATTACKER, "target": DEVICE}
    steps = [(step.client, step.server) for step in finding.steps]
    assert steps[: len(hops)] == list(hops)
    assert set(steps[len(hops) :]) == {(STATION, DEVICE)}
    assert operation in finding.operation
    assert all(step.evidence for step in finding.steps)
    assert {step.evidence[0] for step in finding.steps[: len(hops)]} <= set(finding.evidence)
    starts = [step.first_time for step in finding.steps]
    assert starts == sorted(starts)
    assert any("too few to know what is routine" in reason for reason in finding.reasons)


MERGED_POLICY = f"""\
policy_version: 1
suc: {{id: merged}}
zones:
  - {{id: office, kind: business, purdue: 4, members: {{subnets: [10.9.50.0/24]}}}}
  - {{id: dmz, kind: dmz, purdue: 3.5, members: {{subnets: [10.9.40.0/24]}}}}
  - {{id: supervision, kind: supervisory, purdue: 2, members: {{subnets: [10.9.1.0/24]}}}}
  - {{id: control, kind: control, purdue: 1, members: {{subnets: [10.9.11.0/24]}}}}
assets:
  - {{id: pc-1, addresses: [{ATTACKER}]}}
  - {{id: jump-1, addresses: [{JUMP}], role: jump_host}}
  - {{id: eng-1, addresses: [{STATION}], role: engineering_station}}
  - {{id: plc-1, addresses: [{DEVICE}], role: plc}}
conduits:
  - {{id: changes, from: supervision, to: control, flows: [{{id: all, protocol: modbus, clients: [eng-1]}}]}}
"""
DECLARED = """\
remote_access:
  - {id: ra1, entry_zone: dmz, jump_host: jump-1, target_zone: supervision, protocols: [ssh, vnc]}
"""


@pytest.mark.parametrize(("text", "found"), [(MERGED_POLICY, ["critical"]), (MERGED_POLICY + DECLARED, [])])
def test_declared_remote_access_that_does_what_it_may_is_no_pivot(text: str, found: list[str], tmp_path: Path) -> None:
    path = story(STORIES[3][1], tmp_path)
    assert [item.severity for item in of_rule(audited(path, parse_policy(text)), "pivot.chain")] == found


@pytest.mark.parametrize("after", [-3600, 7200])
def test_what_is_far_apart_in_time_is_no_story(after: int, tmp_path: Path) -> None:
    parts = ((RDP, ATTACKER, STATION, 0), (S7, STATION, DEVICE, after))
    assert of_rule(audited(story(parts, tmp_path)), "pivot.chain") == []


def test_the_bundled_story(tmp_path: Path) -> None:
    assessment = audited(PLANT / "waterworks.pcap", load_policy(PLANT / "policy.yaml"))
    finding = one(of_rule(assessment, "pivot.chain"))
    assert finding.severity == "critical"
    assert [(step.client, step.server, step.protocol) for step in finding.steps] == [
        ("10.20.1.77", "eng-1", "rdp"),
        *[("eng-1", "plc-3", "modbus")] * 3,
    ]
    assert "as vendor" in finding.steps[0].what
    assert [item.frame for item in finding.evidence] == [23098, 23104, 29240, 29499, 29775]
    without = one(of_rule(audited(PLANT / "waterworks.pcap"), "pivot.chain"))
    assert [step.evidence for step in without.steps] == [step.evidence for step in finding.steps]


BENIGN = (
    "antoine-lemay__Modbus_dataset/characterization_modbus_6RTU_with_operate.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/other/Digital Bond S4/BACnet_Host.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/other/Digital Bond S4/Modicon.pcap",
    "ITI__ICS-Security-Tools/pcaps/IEC61850/Sample_File_MMS_and_GOOSE.pcap",
    "ITI__ICS-Security-Tools/pcaps/s7/wincc_s400_production.pcapng",
    "cisagov__icsnpp-bacnet/testing/traces/bacnet_example.pcap",
    "cisagov__icsnpp-dnp3/testing/traces/dnp3_example.pcap",
    "cisagov__icsnpp-s7comm/tests/traces/snap7.pcap",
)


@pytest.mark.parametrize("name", BENIGN)
def test_benign_captures_hold_no_pivot(name: str) -> None:
    if not (CAPTURES / name).exists():
        pytest.skip(f"{name} is not here")
    assert of_rule(audited(CAPTURES / name), "pivot.chain") == []


def one(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, [finding.title for finding in findings]
    return findings[0]


# --- in rows ---

WEEKS = {"first_time": START, "last_time": START + 13 * DAY}


def at(day: int, minute: int = 0) -> int:
    return START + day * DAY + minute * MINUTE


def desk(client: str, server: str, day: int, minute: int = 0, **more: Any) -> Row:
    usual = {"packets_out": 90, "packets_in": 90, "first_time": at(day, minute), "last_time": at(day, minute + 20)}
    return flow(client, server, 3389, "rdp", **(usual | more))


def wrote(client: str, server: str, day: int, minute: int, **more: Any) -> Row:
    return write_event(client, server, 200, [1], [0], frame=day * 100 + minute + 50, time=at(day, minute), **more)


def learned(client: str, server: str, day: int, minute: int) -> Row:
    return talk(client, server, "write", frame=day + 3, first_time=at(day, minute), last_time=at(day, minute))


def judged(
    days: Sequence[int], flows: Sequence[Row], *, coverage: dict[str, int] | None = None, by: str = POLICY, **more: Any
) -> list[Finding]:
    """Engineering writes to a controller on these days, ten minutes after the hour."""
    return of_rule(
        assess(
            [POLL, *(learned(ENGINEERING, PLC_1, day, 10) for day in days)],
            flows,
            events=[wrote(ENGINEERING, PLC_1, day, 10) for day in days],
            coverage=WEEKS if coverage is None else coverage,
            by=by,
            **more,
        ),
        "pivot.chain",
    )


def test_a_session_from_the_office_and_a_write_are_a_pivot() -> None:
    finding = one(judged([7], [desk(OFFICE_PC, ENGINEERING, 7)]))
    assert (finding.severity, finding.assets) == ("critical", ("pc-1", "eng-1", "plc-1"))
    assert [(step.client, step.server, step.protocol) for step in finding.steps] == [
        ("pc-1", "eng-1", "rdp"),
        ("eng-1", "plc-1", "modbus"),
    ]
    assert "T0886" in finding.technique
    assert not any("too few" in reason for reason in finding.reasons)


def test_what_is_done_on_many_days_is_routine() -> None:
    days = range(0, 14, 2)
    assert judged(days, [desk(OFFICE_PC, ENGINEERING, day) for day in days]) == []


def test_something_new_over_a_routine_session_is_told() -> None:
    days = range(0, 14, 2)
    flows = [desk(OFFICE_PC, ENGINEERING, day) for day in days]
    finding = one(judged([6], flows))
    assert finding.count == 1


def test_a_short_capture_calls_nothing_routine() -> None:
    days = {"first_time": START, "last_time": START + 3 * DAY}
    flows = [desk(OFFICE_PC, ENGINEERING, day) for day in range(4)]
    finding = one(judged(range(4), flows, coverage=days))
    assert "the capture touches 4 days, too few to know what is routine" in " ".join(finding.reasons)


@pytest.mark.parametrize(
    ("flows", "found"),
    [
        ([desk(OFFICE_PC, ENGINEERING, 7, 11)], 0),  # after the write
        ([desk(OFFICE_PC, ENGINEERING, 7, -60)], 0),  # over for longer than half an hour
        ([desk(OFFICE_PC, ENGINEERING, 7, -35)], 1),  # its end is 25 minutes before
        ([desk(HMI, ENGINEERING, 7)], 0),  # of the same level
        ([desk(LAPTOP, ENGINEERING, 7)], 1),  # of the same zone, and unknown
        ([desk(OFFICE_PC, HMI, 7)], 0),  # to another host
        ([desk(OFFICE_PC, ENGINEERING, 7, state="refused", packets_out=1, packets_in=1)], 0),
        ([desk(OFFICE_PC, ENGINEERING, 7, packets_out=2, packets_in=1)], 0),  # a probe of the port
        ([desk(OFFICE_PC, HMI, 7, -5), desk(HMI, ENGINEERING, 7)], 1),  # through another host
        ([desk(ENGINEERING, OFFICE_PC, 7)], 0),  # the other way
    ],
)
def test_when_a_chain_reaches_an_operation(flows: list[Row], found: int) -> None:
    assert len(judged([7], flows)) == found


def test_hops_are_told_in_their_order() -> None:
    finding = one(judged([7], [desk(HMI, ENGINEERING, 7), desk(OFFICE_PC, HMI, 7, -5)]))
    assert [(step.client, step.server) for step in finding.steps] == [
        ("pc-1", "hmi-1"),
        ("hmi-1", "eng-1"),
        ("eng-1", "plc-1"),
    ]


def test_what_went_on_before_is_no_consequence() -> None:
    events = [wrote(ENGINEERING, PLC_1, 7, minute) for minute in (-20, 10)]
    rows = [POLL, learned(ENGINEERING, PLC_1, 7, 10)]
    assessment = assess(rows, [desk(OFFICE_PC, ENGINEERING, 7)], events=events, coverage=WEEKS)
    assert of_rule(assessment, "pivot.chain") == []


@pytest.mark.parametrize(("before", "told"), [((), 1), ((-20,), 0)])
def test_what_went_on_before_the_first_event_is_no_consequence_either(before: tuple[int, ...], told: int) -> None:
    """A brief pass has the newest events, and what was changed before them by itself."""
    events, earlier = ([wrote(ENGINEERING, PLC_1, 7, minute) for minute in minutes] for minutes in ((10,), before))
    rows = [POLL, learned(ENGINEERING, PLC_1, 7, 10)]
    sessions = [desk(OFFICE_PC, ENGINEERING, 7)]
    assessment = assess(rows, sessions, events=events, earlier=earlier, coverage=WEEKS)
    assert len(of_rule(assessment, "pivot.chain")) == told


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"protocol": "dce-rpc", "action": "call", "operation": "configure",
          "fields": {"dce_rpc.interface": "svcctl", "dce_rpc.operation": "CreateServiceW"}}, "CreateServiceW"),
        ({"protocol": "smb", "action": "call", "operation": "configure",
          "fields": {"dce_rpc.interface": "atsvc", "dce_rpc.operation": "NetrJobAdd"}}, "NetrJobAdd"),
        ({"protocol": "smb", "action": "write", "operation": "file",
          "fields": {"file.name": "x.exe", "file.action": "write", "smb.share": r"\\\\10.20.1.20\\ADMIN$"}},
         "write of x.exe on ADMIN$"),
        ({"protocol": "dce-rpc", "action": "call", "operation": "read",
          "fields": {"dce_rpc.interface": "IWbemServices", "dce_rpc.operation": "GetObject"}},
         "IWbemServices GetObject"),
    ],
)  # fmt: skip
def test_administration_is_a_session(row: dict[str, Any], words: str) -> None:
    rows = [activity(OFFICE_PC, ENGINEERING, first_time=at(7), last_time=at(7), **row)]
    finding = one(judged([7], [], activities=rows))
    assert finding.steps[0].what == words


@pytest.mark.parametrize(
    "row",
    [
        {"protocol": "dce-rpc", "action": "call", "operation": "read",
         "fields": {"dce_rpc.interface": "svcctl", "dce_rpc.operation": "EnumServicesStatusW"}},
        {"protocol": "smb", "action": "call", "operation": "configure", "status": "error",
         "fields": {"dce_rpc.interface": "svcctl", "dce_rpc.operation": "CreateServiceW"}},
        {"protocol": "smb", "action": "write", "operation": "file",
         "fields": {"file.name": "mix.csv", "file.action": "write", "smb.share": r"\\\\10.20.1.20\\recipes"}},
        {"protocol": "dce-rpc", "action": "call", "operation": "operate",
         "fields": {"dce_rpc.interface": "IOPCSyncIO", "dce_rpc.operation": "Write"}},
    ],
)  # fmt: skip
def test_files_and_reading_are_no_session(row: dict[str, Any]) -> None:
    rows = [activity(OFFICE_PC, ENGINEERING, first_time=at(7), last_time=at(7), **row)]
    assert judged([7], [], activities=rows) == []


def test_events_of_one_moment_that_name_objects_and_none_are_no_trouble() -> None:
    events = [
        {**wrote(ENGINEERING, PLC_1, 7, 10), "objects": objects, "event": number}
        for number, objects in enumerate(([], wrote(ENGINEERING, PLC_1, 7, 10)["objects"], []))
    ]
    rows = [POLL, learned(ENGINEERING, PLC_1, 7, 10)]
    assessment = assess(rows, [desk(OFFICE_PC, ENGINEERING, 7)], events=events, coverage=WEEKS)
    assert one(of_rule(assessment, "pivot.chain")).count == 3


def test_logins_that_failed_before_weigh_more() -> None:
    rows = [
        activity(OFFICE_PC, ENGINEERING, "rdp", "logon", "authenticate", status="error", count=9,
                 first_time=at(7, -2), last_time=at(7, -1)),
    ]  # fmt: skip
    finding = one(judged([7], [desk(OFFICE_PC, ENGINEERING, 7)], activities=rows))
    assert "9 logins failed before" in finding.reasons


def test_a_file_stored_on_a_device_ends_a_chain_too() -> None:
    rows = [activity(ENGINEERING, PLC_3, "ftp", "store", "file", first_time=at(7, 5), last_time=at(7, 5))]
    assessment = assess([POLL, talk(HMI, PLC_3)], [desk(OFFICE_PC, ENGINEERING, 7)], activities=rows, coverage=WEEKS)
    finding = one(of_rule(assessment, "pivot.chain"))
    assert [(step.protocol, step.server) for step in finding.steps] == [("rdp", "eng-1"), ("ftp", "plc-3")]


@pytest.mark.parametrize(
    ("most", "told"),
    [
        ({}, ()),
        (
            {"operations": 3},
            ("not looked at for pivots: 2 state-changing events beyond the first 3",),
        ),
        ({"sessions": 1}, ("not looked at for pivots: 1 connection beyond the first 1",)),
    ],
)
def test_what_was_not_looked_at_is_told(
    most: dict[str, int], told: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "operations" in most:
        monkeypatch.setattr("zonewatch.rules.pivots.MOST_OPERATIONS", most["operations"])
    if "sessions" in most:
        monkeypatch.setattr("zonewatch.rules.sessions.MOST", most["sessions"])
        monkeypatch.setattr("zonewatch.rules.pivots.MOST", most["sessions"])
    assessment = assess(
        [POLL],
        [desk(OFFICE_PC, ENGINEERING, 7), desk(OFFICE_PC, HMI, 8)],
        events=[
            *(wrote(ENGINEERING, PLC_1, 7, minute) for minute in range(5)),
            *(wrote(LAPTOP, PLC_1, 7, minute) for minute in range(9)),  # which no session reached
        ],
        coverage=WEEKS,
    )
    assert tuple(line for line in assessment.limits if line.startswith("not looked at for pivots")) == told
