"""The loader: the documented examples load, and each mistake is told with its place and the right word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.plant import POLICY
from zonewatch.rules.policy.load import PolicyError, PolicyErrors, load_policy, parse_policy
from zonewatch.rules.policy.model import Policy

ROOT = Path(__file__).parents[3]

FULL = """\
policy_version: 1
suc:
  id: plant-a
  name: Water works A
  owner: {organization: Example Water, role: asset owner, contact: ot-security@example.org}
  approval: {approved_by: null, approved_on: null, valid_until: null, document: null}
  tolerable_risk: doc://risk-matrix-v3
  regulations: [NIS2, IEC62443]
  policies: [doc://ot-security-policy]
  threat_environment: doc://threats-2026
defaults: {between_zones: deny, within_zone: report, unknown_asset: report}
zones:
  - {id: sup, parent: null, members: {include: [Engineering desk, "mac:00:80:f4:00:00:20"]}}
  - {id: dmz, purdue: 3.5, members: {include: [jh-1]}}
  - id: ctl
    name: Control level 1/2
    purpose: Pump control
    kind: control            # business | dmz | supervisory | control | …
    purdue: 1
    owner: {organization: Example Water, role: operations}
    trust: 3
    parent: null
    location: {site: A, building: pump-house, cabinet: E1}
    safety: {designation: none, sil: null}
    sl_t: {IAC: 2, UC: 2, SI: 2, DC: 1, RDF: 2, TRE: 2, RA: 2}
    members: {subnets: [192.0.2.0/24], vlans: [20], include: [], exclude: []}
    access_points: {logical: [c-scada-ctl], physical: [cabinet E1 ports 1-8]}
    requirements:
      - {id: SR 5.1, status: planned, compensating: null, owner: it-ot, due: 2027-03-31}
    assumptions: [cabinet is locked]
    dependencies: [ntp from dmz]
    coverage: {sensor_points: [span-sw1], expected_visibility: 0.9}
assets:
  - {id: plc-1, zone: ctl, addresses: [192.0.2.10], mac: null, role: plc, vendor: null, model: null,
     criticality: high, classification: internal, business_value: null, consequence: stop of supply,
     safety: none, owner: operations}
  - {id: eng-1, name: Engineering desk, addresses: [198.51.100.7], role: engineering_station}
  - {id: jh-1, addresses: [198.51.100.20], role: jump-host, location: server room}
conduits:
  - id: c-scada-ctl
    name: SCADA to PLC
    from: sup
    to: ctl
    kind: network
    owner: {organization: Example Water, role: it-ot}
    sl_t: 2
    enforcement: {device: fw-1, ruleset_ref: "cfg://fw-1/2026-10-01", deny_by_default: true}
    encryption: {required: false, minimum: null}
    authentication: {required: false, compensating: doc://cm-7}
    direction: bidirectional
    flows:
      - id: f1
        protocol: modbus
        ports: [502/tcp]
        clients: []
        servers: [plc-1]
        operations: [read]
        function_codes: []
        objects: ["holding-register 0-19"]
        values: null
        rate_max_per_s: 50
        schedule: always
        purpose: process values
        data_classification: internal
        expires: null
    exceptions:
      - {id: x1, match: {client: eng-1, operations: [program_download]}, approved_by: ops, ticket: CHG-1,
         from: 2026-12-01T06:00Z, to: 2026-12-01T12:00Z}
maintenance_windows:
  - {id: mw1, zones: [ctl], from: 2026-12-01T06:00:00Z, to: 2026-12-01T12:00Z,
     allow: [program_download, firmware, mode], ticket: CHG-1}
remote_access:
  - {id: ra1, user_group: vendor-x, entry_zone: dmz, jump_host: jh-1, target_zone: ctl, protocols: [rdp], mfa: true,
     max_minutes: 240, approval: ticket}
"""


def errors(text: str) -> list[str]:
    with pytest.raises(PolicyErrors) as caught:
        parse_policy(text)
    return str(caught.value).splitlines()


def changed(old: str, new: str) -> list[str]:
    assert POLICY.count(old) >= 1
    return errors(POLICY.replace(old, new, 1))


def test_the_whole_record_of_the_standard_loads() -> None:
    policy = parse_policy(FULL)
    control, conduit = policy.zones[2], policy.conduits[0]
    assert control.sl_t is not None
    assert conduit.sl_t is not None
    assert (control.sl_t.DC, conduit.sl_t.RA, control.trust, control.nature) == (1, 2, "3", "control")
    assert (policy.assets[0].role, str(policy.assets[0].owner), policy.zones[1].nature) == (
        "controller",
        "operations",
        "dmz",
    )
    assert conduit.exceptions[0].match.all_clients == ("eng-1",)
    span = policy.maintenance_windows[0].span
    assert span == conduit.exceptions[0].span
    assert span is not None
    assert span.end - span.start == 6 * 3600 * 10**9
    assert policy.remote_access[0].max_minutes == 240


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("schedule: always", "schedule: mon-fry 06:00-18:00", "unknown day 'fry'; did you mean 'fri'?"),
        ("schedule: always", "schedule: 06:00-06:00", "'06:00-06:00' is empty"),
        ("schedule: always", "schedule: nights", "unknown day 'nights'"),
        ("schedule: always", "schedule: mon 06:00", "write 'always', 'mon-fri 06:00-18:00'"),
        ("schedule: always", "schedule: daily 06:70-07:00", "'06:70' is no time of day"),
        ("rate_max_per_s: 50", "rate_max_per_s: 0", "rate_max_per_s: must be greater than 0"),
        ("rate_max_per_s: 50", 'rate_max_per_s: "50"', "rate_max_per_s: must be a valid number"),
        ("mfa: true", "mfa: yes", "mfa: must be a valid boolean"),
        ("to: 2026-12-01T12:00Z}", "to: 2026-12-01T06:00Z}", "ends before it begins"),
        ("to: 2026-12-01T12:00Z}", "to: 2026-13-01}", "'2026-13-01' is no time"),
        ("to: 2026-12-01T12:00Z}", "until: 2026-12-01}", "unknown key 'until'"),
        ("allow: [program_download, firmware, mode]", "allow: [program_downlod]", "did you mean 'program_download'?"),
        ("allow: [program_download, firmware, mode]", "allow: []", "allow: "),
        ("zones: [ctl]", "zones: [ctrl]", "unknown zone 'ctrl'; did you mean 'ctl'?"),
        ("entry_zone: dmz", "entry_zone: dnz", "unknown zone 'dnz'; did you mean 'dmz'?"),
        (
            "jump_host: jh-1",
            "jump_host: jh1",
            "unknown jump host 'jh1': no asset, address or zone; did you mean 'jh-1'?",
        ),
        ("jump_host: jh-1", "jump_host: plc-1", "jump host 'plc-1' is in zone 'ctl', but it must be in 'dmz'"),
        ("{client: eng-1,", "{client: plc-1,", "client 'plc-1' is in zone 'ctl', but conduit 'c-scada-ctl' has its"),
        ("{client: eng-1,", "{cleint: eng-1,", "unknown key 'cleint'; did you mean 'client'?"),
        ("[Engineering desk,", "[Enginering desk,", "did you mean 'Engineering desk'?"),
        ("status: planned", "status: planed", "unknown status 'planed'; did you mean 'planned'?"),
        ("kind: network", "kind: netwerk", "unknown kind 'netwerk'; did you mean 'network'?"),
        ("safety: none", "safety: sos", "unknown designation 'sos'; did you mean 'sis'?"),
        ("building: pump", "bulding: pump", "unknown key 'bulding'; did you mean 'building'?"),
        ("parent: null\n    location", "parent: ctl\n    location", "zone 'ctl' is a sub-zone of itself"),
        ("id: x1", "id: f1", "duplicate flow id 'f1'"),
    ],
)
def test_mistakes_of_the_whole_record(old: str, new: str, expected: str) -> None:
    assert FULL.count(old) >= 1
    told = errors(FULL.replace(old, new, 1))
    assert any(expected in line for line in told), told


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("zones: {a: 1}", "3:8: zones: must be a list"),
        ("zones: [1]", "3:9: zones 1: must have keys of its own, as in {key: value}"),
        ("zones: [{id: a, name: 3}]", "3:23: name: must be text; write it in quotes"),
        ('zones: [{id: "a b"}]', "3:14: id: must be one word, without spaces and commas"),
        ('zones: [{id: ""}]', "3:14: id: must not be empty"),
        ('zones: [{id: a, members: {vlans: [1, "2"]}}]', "3:38: vlans 2: must be a valid integer"),
        ("zones: [{id: a, sl_t: 7}]", "3:23: sl_t: must be less than or equal to 4"),
        ("zones: [{id: a, sl_t: high}]", "3:23: sl_t needs one number, or all of IAC, UC, SI, DC, RDF, TRE, RA"),
        ("--- {a: 1}", "3:1: expected a single document in the stream, but found another document"),
    ],
)
def test_mistakes_of_form_are_told_in_words_of_yaml(written: str, expected: str) -> None:
    found = errors(f"policy_version: 1\nsuc: {{id: a}}\n{written}\n")
    assert [line.partition(":")[2] for line in found] == [expected]


def test_bundled_plant_loads() -> None:
    assert len(load_policy(ROOT / "pcaps/waterworks/policy.yaml").zones) == 7


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("purdue: 4", "purdu: 4", "policy.yaml:4:18: unknown key 'purdu'; did you mean 'purdue'?"),
        ("from: supervision", "from: supervison", "15:11: unknown zone 'supervison'; did you mean 'supervision'?"),
        ("zone: office", "zone: offices", "12:22: unknown zone 'offices'; did you mean 'office'?"),
        ("[read]", "[raed]", "unknown operation 'raed'; did you mean 'read'?"),
        ("protocol: modbus", "protocol: modbos", "unknown protocol 'modbos'; did you mean 'modbus'?"),
        ("role: plc", "role: plcc", "unknown role 'plcc'; did you mean 'plc'?"),
        ("10.20.1.0/24", "10.20.1.7/24", "'10.20.1.7/24' has bits set beyond its prefix; did you mean '10.20.1.0/24'?"),
        ("10.20.1.0/24", "10.20.1.0/33", "'10.20.1.0/33' is no subnet; write it like '10.20.1.0/24'"),
        ("10.20.1.0/24", "10.20.50.0/24", "subnet '10.20.50.0/24' is a member of zone 'office' and of zone"),
        ("id: supervision", "id: office", "duplicate zone id 'office'"),
        ("id: eng-1", "id: hmi-1", "duplicate asset id 'hmi-1'"),
        ("id: pc-1", "id: office", "asset id 'office' is a zone's id too"),
        ("id: setpoints", "id: poll", "duplicate flow id 'poll'"),
        (
            "clients: [hmi-1]",
            "clients: [hmi-2]",
            "unknown client 'hmi-2': no asset, address or zone; did you mean 'hmi-1'?",
        ),
        ("clients: [hmi-1]", "clients: [plc-1]", "client 'plc-1' is in zone 'filtration', but conduit"),
        ("clients: [hmi-1]", "clients: [10.20.50.5]", "client '10.20.50.5' is in zone 'office', but conduit"),
        ("holding-register 100", "holding-registers 100", "did you mean 'holding-register'?"),
        ("100-139", "139-100", "'holding-register 139-100' ends before it starts"),
        ("max: 1000", "max: -1", "min 0 is above max -1"),
        ("max: 1000", "max: .nan", "max: must be a finite number"),
        ("until: 2027-03-01", "until: 2027-02-31", "until: must be a valid date"),
        ("until: 2027-03-01", "until: someday", "'someday' must be a valid date"),
        ("policy_version: 1", "policy_version: 2", "policy_version 2 is not known; this version reads 1"),
        ("suc: {id: riverside}", "suc: {}", "key 'id' is missing"),
        ("purdue: 4", "sl_t: {IAC: 1}", "sl_t needs one number, or all of IAC, UC, SI, DC, RDF, TRE, RA"),
        ("10.20.1.20]", "10.20.1.15]", "10.20.1.15 is the address of two assets"),
        ("purdue: 4", "parent: nowhere", "unknown zone 'nowhere'"),
        ("to: filtration", "to: filtration\n    initiator: office", "initiator 'office' must be 'supervision' or"),
        ("purdue: 4,", "purdue: 4, purdue: 4,", "duplicate key"),
        ("conduits:", "conduits: [", "policy.yaml:"),
        ("{subnets: [10.20.50.0/24]}", "{include: [pc-9]}", "'pc-9' is no asset id, address, subnet or MAC address"),
    ],
)
def test_mistakes(old: str, new: str, expected: str) -> None:
    assert any(expected in line for line in changed(old, new)), changed(old, new)


def test_all_mistakes_at_once_in_the_order_of_lines() -> None:
    text = POLICY.replace("purdue: 4", "purdu: 4").replace("[read]", "[raed]").replace("to: filtration", "to: filter")
    lines = errors(text)
    assert [line.split(":")[1] for line in lines] == ["4", "16", "18"]
    assert len(lines) == 3


def test_references_are_checked_beside_other_mistakes_at_their_own_place() -> None:
    text = POLICY.replace("role: hmi", "role: hmmi").replace("zone: office, addr", "zone: ofice, addr")
    assert errors(text) == [
        "policy.yaml:8:67: unknown role 'hmmi'; did you mean 'hmi'?",
        "policy.yaml:12:22: unknown zone 'ofice'; did you mean 'office'?",
    ]


def test_ids_of_an_asset_list_may_be_named() -> None:
    text = POLICY.replace("clients: [hmi-1]", "clients: [hmi-9]")
    assert parse_policy(text, known_assets=["hmi-9"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"- a\n- b\n",
        b"policy_version: 1\n",
        b"[" * 4000,
        b"a: &a [1,1,1,1,1,1,1,1,1]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 108)),
        b"zones: {a: b}\nassets: 3\nconduits: [3, {flows: 1}]\n",
        b"!!python/object:os.system {}\n",
        b"a: !foo bar\n? [x]\n: 1\n",
    ],
)
def test_anything_else_is_told_not_raised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(PolicyErrors):
        load_policy(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyErrors, match="No such file"):
        load_policy(tmp_path / "policy.yaml")


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(FULL) - 1), text=st.text(max_size=6), length=st.integers(0, 12))
def test_damaged_policies_load_or_are_told(place: int, text: str, length: int) -> None:
    assert_loads_or_is_told(FULL[:place] + text + FULL[place + length :])


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(FULL) - 1), mark=st.characters() | st.sampled_from("\n :,[]{}'\"#&*!|>%@`-?\t0"))
def test_a_damaged_character_loads_or_is_told_with_its_line(place: int, mark: str) -> None:
    assert_loads_or_is_told(FULL[:place] + mark + FULL[place + 1 :])


def assert_loads_or_is_told(text: str) -> None:
    lines = text.count("\n") + 1
    for error in mistakes_of(text):
        assert 1 <= error.line <= lines + 1, error
        assert error.column >= 1, error


def mistakes_of(text: str) -> tuple[PolicyError, ...]:
    try:
        parse_policy(text)
    except PolicyErrors as told:
        return told.errors
    return ()


def test_models_are_frozen() -> None:
    policy = parse_policy(POLICY)
    assert isinstance(policy, Policy)
    with pytest.raises(ValueError, match="frozen"):
        policy.zones[0].id = "other"


OWN_NAMES = """\
policy_version: 1
suc: {id: a}
zones:
  - {id: one, members: {subnets: [10.0.0.0/24]}}
  - {id: two, members: {subnets: [10.0.1.0/24]}}
conduits:
  - {id: c, from: one, to: two, flows: [{id: f, protocol: x-pump-sync, purpose: levels}]}
unknown_protocols:
  - {name: x-pump-sync, is: [tcp/4711, unknown-3433]}
"""


def test_names_of_unknown_protocols_are_given_once_and_used_as_they_are_given() -> None:
    assert parse_policy(OWN_NAMES, "own.yaml").conduits[0].flows[0].protocol == "x-pump-sync"
    for before, after, line, message in (
        ("protocol: x-pump-sync", "protocol: x-pump-snyc", 7, "did you mean 'x-pump-sync'?"),
        ("[tcp/4711, unknown-3433]", "[tpc/4711]", 9, "'tpc/4711' is no unknown-<number>"),
        ("name: x-pump-sync", "name: modbus", 9, "name"),
        ("unknown-3433]}", "unknown-3433]}\n  - {name: x-b, is: [tcp/4711]}", 10, "has the name 'x-pump-sync' already"),
    ):
        with pytest.raises(PolicyErrors) as told:
            parse_policy(OWN_NAMES.replace(before, after, 1), "own.yaml")
        assert any(message in str(error) and error.line == line for error in told.value.errors), str(told.value)
