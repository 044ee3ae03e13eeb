"""Ways from outside to controllers: as the policy permits, as seen, ranked, and the fewest to close."""

from __future__ import annotations

import pytest

from tests.inventory.network import flow, talk
from tests.rules.plant import AS_OF, INTERNET, PLC_1, assess, policy, write
from zonewatch.inventory.model import Inventory
from zonewatch.rules.judge import Judgement
from zonewatch.rules.paths import Paths, Way, paths, told
from zonewatch.rules.places import Places
from zonewatch.rules.policy.model import Policy

PC, JUMP, ENG, HMI, PLC = "10.1.4.5", "10.1.3.5", "10.1.2.5", "10.1.2.6", "10.1.1.5"
HEAD = """\
policy_version: 1
suc: {id: works}
zones:
  - {id: office, kind: business, purdue: 4, members: {subnets: [10.1.4.0/24]}}
  - {id: dmz, kind: dmz, purdue: 3.5, members: {subnets: [10.1.3.0/24]}}
  - {id: supervision, kind: supervisory, purdue: 2, members: {subnets: [10.1.2.0/24]}}
  - {id: control, kind: control, purdue: 1, members: {subnets: [10.1.1.0/24]}}
assets:
  - {id: pc-1, addresses: [10.1.4.5]}
  - {id: jump-1, addresses: [10.1.3.5], role: jump_host}
  - {id: eng-1, addresses: [10.1.2.5], role: engineering_station}
  - {id: hmi-1, addresses: [10.1.2.6], role: hmi}
  - {id: plc-1, addresses: [10.1.1.5], role: plc}
conduits:
"""
OFFICE_DMZ = """\
  - id: in
    from: office
    to: dmz
    flows: [{id: desk, protocol: rdp, clients: [pc-1], servers: [jump-1]}]
"""
DMZ_SUPERVISION = """\
  - id: on
    from: dmz
    to: supervision
    flows: [{id: desk, protocol: rdp, clients: [jump-1], servers: [eng-1]}]
"""
SUPERVISION_CONTROL = """\
  - id: down
    from: supervision
    to: control
    flows:
      - {id: poll, protocol: modbus, operations: [read], clients: [hmi-1, eng-1]}
      - {id: set, protocol: modbus, operations: [write], clients: [eng-1], servers: [plc-1]}
"""
READ_ONLY = """\
  - id: reports
    from: office
    to: control
    flows: [{id: read, protocol: modbus, operations: [read], clients: [pc-1], servers: [plc-1]}]
"""
LADDER = HEAD + OFFICE_DMZ + DMZ_SUPERVISION + SUPERVISION_CONTROL


def permitted(text: str, level: str) -> Paths:
    found = policy(text)
    return level_of(
        paths(found, Places(found, Inventory((), ())), Judgement((), (), (), ()), AS_OF, proposed=False), level
    )


def level_of(found: tuple[Paths, ...], level: str, basis: str = "permitted") -> Paths:
    return next(item for item in found if (item.level, item.basis) == (level, basis))


def names(way: Way) -> list[str]:
    return [way.steps[0].start, *(step.end for step in way.steps)]


def test_the_conduits_that_a_policy_permits_to_pass_one_after_the_other() -> None:
    found = permitted(LADDER, "zones")
    (way,) = found.ways
    assert names(way) == ["office", "dmz", "supervision", "control"]
    assert [step.by for step in way.steps] == ["in", "on", "down"]
    assert (way.origin, way.changes, way.buffered) == ("enterprise", True, True)
    assert way.steps[-1].uses == ("modbus read, write",)
    assert {item.name for item in found.chokes} == {"in", "on", "down"}
    assert [(item.name, item.costs) for item in found.close] == [("in", ("in/desk",))]  # one flow each; by name


def test_the_hosts_on_the_way() -> None:
    found = permitted(LADDER, "hosts")
    (way,) = found.ways
    assert names(way) == ["any host of office", "pc-1", "jump-1", "eng-1", "plc-1"]
    assert [(item.name, item.costs) for item in found.close] == [("pc-1", ("in/desk",))]  # the others cost more
    assert [item.name for item in found.chokes] == ["eng-1", "jump-1", "pc-1"]


def test_ways_that_end_in_a_change_come_first_then_those_past_the_dmz_then_short_ones() -> None:
    found = permitted(LADDER + READ_ONLY, "zones")
    assert [len(way.steps) for way in found.ways] == [3, 1]
    assert [way.changes for way in found.ways] == [True, False]
    assert {item.name for item in found.close} == {"in", "reports"}
    assert found.chokes == ()


def test_two_ways_with_one_conduit_in_common_need_one_cut() -> None:
    internet = (
        HEAD.replace("zones:\n", "zones:\n  - {id: internet, kind: external}\n")
        + """\
  - id: mail
    from: internet
    to: dmz
    flows: [{id: mail, protocol: smtp}]
"""
    )
    found = permitted(internet + OFFICE_DMZ + DMZ_SUPERVISION + SUPERVISION_CONTROL, "zones")
    assert {way.origin for way in found.ways} == {"internet", "enterprise"}
    assert [item.name for item in found.close] == ["on"]
    assert [(item.name, item.targets) for item in found.chokes] == [("down", 1), ("on", 1)]


TURNED = (
    DMZ_SUPERVISION,
    "  - {id: on, from: supervision, to: dmz, flows: [{id: desk, protocol: rdp, clients: [eng-1]}]}\n",
)


@pytest.mark.parametrize(
    ("change", "ways"),
    [
        (("office", "office"), 1),
        (("protocol: rdp, clients: [jump-1]", "protocol: udp, ports: [123/udp], clients: [jump-1]"), 0),
        (("protocol: rdp, clients: [jump-1]", "protocol: ntp, clients: [jump-1]"), 0),
        (("clients: [jump-1], servers: [eng-1]}", "clients: [jump-1], expires: 2026-01-01}"), 0),
        (TURNED, 0),
        (("kind: business, purdue: 4", "kind: supervisory, purdue: 2"), 0),
        (("kind: business, purdue: 4", "kind: remote, purdue: 3"), 1),
        (("kind: control, purdue: 1", "kind: safety, purdue: 1"), 1),
    ],
)
def test_what_makes_a_way(change: tuple[str, str], ways: int) -> None:
    assert change[0] in LADDER
    assert len(permitted(LADDER.replace(*change), "zones").ways) == ways


def test_inside_a_zone_everybody_can_be_tried_unless_the_policy_denies_it() -> None:
    text = LADDER.replace("clients: [jump-1], servers: [eng-1]", "clients: [jump-1], servers: [hmi-1]").replace(
        "operations: [read], clients: [hmi-1, eng-1]", "operations: [read], clients: [eng-1]"
    )
    open_inside = permitted(text, "hosts")
    assert names(open_inside.ways[0])[-4:] == ["jump-1", "hmi-1", "eng-1", "plc-1"]
    assert told(open_inside.ways[0].steps[-2]) == "hmi-1 to eng-1 by the zone itself"
    denied = permitted(text.replace("zones:\n", "defaults: {within_zone: deny}\nzones:\n", 1), "hosts")
    assert denied.ways == ()


def test_no_conduit_lies_between_hosts_of_one_zone() -> None:
    found = permitted(
        LADDER.replace("conduits:\n", "  - {id: plc-9, addresses: [10.1.4.9], role: plc}\nconduits:\n"), "zones"
    )
    assert found.notes == ("Devices of the process stand in zone office: no conduit lies on the way to them.",)


def test_a_default_that_lets_all_pass_is_said() -> None:
    found = permitted(LADDER.replace("zones:\n", "defaults: {between_zones: allow}\nzones:\n", 1), "zones")
    assert "set between_zones to deny first" in found.notes[0]


SEEN = [
    flow(PC, JUMP, 3389, "rdp", frame=3),
    flow(JUMP, ENG, 3389, "rdp", frame=5),
    flow(PC, ENG, 445, "smb", "refused"),
    flow(PC, "10.1.2.99", 53, "dns", transport="udp", state="two_way"),
]


def seen(level: str, by: Policy | str | None = LADDER) -> Paths:
    talks = [write(ENG, PLC, 100, [1], frame=8), talk(HMI, PLC, frame=9)]
    return level_of(assess(talks, SEEN, by=by).paths, level, "seen")


def test_what_was_seen_with_its_frames() -> None:
    found = seen("hosts")
    (way,) = found.ways
    assert names(way) == ["pc-1", "jump-1", "eng-1", "plc-1"]
    assert [[item.frame for item in step.evidence] for step in way.steps] == [[3], [5], [8]]
    assert [step.by for step in way.steps] == ["in", "on", "down"]
    assert [item.name for item in found.close] == ["eng-1"]
    zones = seen("zones")
    assert names(zones.ways[0]) == ["office", "dmz", "supervision", "control"]


def test_what_no_flow_allows_costs_nothing_to_close() -> None:
    found = seen("zones", LADDER.replace("protocol: rdp, clients: [jump-1]", "protocol: ssh, clients: [jump-1]"))
    assert [(item.name, item.costs) for item in found.close] == [
        ("dmz to supervision by no flow of the policy", ())
    ]  # fmt: skip


def test_without_a_policy_the_zones_are_a_proposal_and_nothing_is_permitted() -> None:
    talks = [write(ENG, PLC, 100, [1]), talk(HMI, PLC, frame=9)]
    found = assess(talks, [*SEEN, flow(INTERNET, PLC, 502, "modbus")], by=None).paths
    assert {item.basis for item in found} == {"seen"}
    hosts = level_of(found, "hosts", "seen")
    assert {way.origin for way in hosts.ways} == {"internet"}
    assert not hosts.closable  # nothing stands between


def test_no_traffic_no_ways_seen() -> None:
    assert {item.basis for item in assess([], by=LADDER).paths} == {"permitted"}


def test_a_way_from_the_internet_to_a_controller() -> None:
    found = level_of(assess([talk(INTERNET, PLC_1, frame=4)]).paths, "zones", "seen")
    (way,) = found.ways
    assert (way.origin, names(way)) == ("internet", ["internet", "filtration"])
    assert way.steps[0].uses == ("modbus read",)
    assert [item.frame for item in way.steps[0].evidence] == [4]
