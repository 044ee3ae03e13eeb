"""Each fact on results made by hand: what shows it, in which zone; and what is near to it and does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.reports.facts import made
from tests.reports.facts.cases import CASES, DOWNLOAD, SECOND, WRITE, Case
from tests.reports.facts.made import asset, conduit, edge, function, ot, result, verdict
from zonewatch.inventory.model import Asset
from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.facts.measure import BESIDE, MEASURED, NOT_YET, measure, visibilities
from zonewatch.reports.facts.model import MINIMUM, MINUTE, MOST_OBSERVATIONS, OTHERS, REASONS, Fact, Minimum
from zonewatch.reports.facts.packed import packed, unpacked
from zonewatch.reports.result import AuditResult, Undecoded, Unknown
from zonewatch.rules.exposure.weaknesses import KNOWN_COMMUNITY


def fact(found: AuditResult, name: str, minimum: Minimum = MINIMUM) -> Fact:
    return next(one for one in measure(found, minimum) if one.id == name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_shows_a_fact(case: Case) -> None:
    found = fact(result(**case.shown), case.name)
    assert found.status == "observed"
    assert {one.zone for one in found.observations} == case.zones
    for one in found.observations:
        assert one.key == case.name
        assert tuple(name for name, _ in one.values) == MEASURED[case.name].values
        assert one.exception == ""
    assert all(found.status_in(zone) == "observed" for zone in case.zones)


@pytest.mark.parametrize("case", [case for case in CASES if case.near is not None], ids=lambda case: case.name)
def test_what_is_near_does_not_show_it(case: Case) -> None:
    found = fact(result(**(case.near or {})), case.name)
    assert found.observations == ()
    assert found.status != "observed"


def test_an_inventory_does_not_agree_where_a_stranger_is() -> None:
    found = fact(result(assets=[asset("laptop-7")]), "inv.inventory_match")
    assert {one.zone for one in found.observations} == {"office", "dmz", "control-room"}
    assert found.status_in("cell") == "not_observed"


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked")
def test_a_large_result_is_measured_on_two_processors_to_the_same(
    waterworks: AuditResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = measure(waterworks)
    assert any(fact.observations for fact in alone if fact.id.startswith(BESIDE))
    monkeypatch.setattr("zonewatch.reports.facts.measure.MANY_ROWS", 0)
    monkeypatch.setattr("zonewatch.reports.beside._forks", lambda: True)
    here = os.getpid()
    monkeypatch.setattr("zonewatch.reports.facts.measure.packed", lambda fact: (os.getpid(), packed(fact)))

    def brought(carried: tuple[int, tuple[Any, ...]]) -> Fact:
        assert carried[0] != here
        return unpacked(carried[1])

    monkeypatch.setattr("zonewatch.reports.facts.measure.unpacked", brought)
    assert measure(waterworks) == alone


WITHOUT_FRAMES = {
    "cov.zone_visibility": "a sum over the zone",
    "cov.undecoded_share": "a sum over the captures",
    "inv.asset_unseen": "nothing was seen",
    "flow.conduit_rule_unused": "nothing was seen",
    "mon.baseline_approved": "the policy file, by its hash",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_observed_has_frames_a_count_and_times(case: Case) -> None:
    for one in fact(result(**case.shown), case.name).observations:
        assert one.count > 0 or case.name in ("mon.baseline_approved", "cov.zone_visibility", "cov.undecoded_share")
        assert bool(one.evidence) is (case.name not in WITHOUT_FRAMES)
        if one.evidence:
            assert made.START <= one.first_time <= one.last_time <= made.END


def test_every_fact_is_measured_or_has_its_reason() -> None:
    assert set(MEASURED) | set(NOT_YET) == set(fact_kinds())
    assert not set(MEASURED) & set(NOT_YET)
    assert {case.name for case in CASES} == set(MEASURED), "each has a case"
    assert len({case.name for case in CASES}) == len(CASES)
    assert [one.id for one in measure(result())] == list(fact_kinds())


def test_what_is_not_measured_is_not_observable() -> None:
    for one in measure(result()):
        if one.id in NOT_YET:
            assert (one.status, one.reason_key) == ("not_observable", "not_measured")


def test_rules_that_facts_need_exist() -> None:
    from zonewatch.rules.sigma.detect import load_detection

    rules = load_detection().rules
    known = {one.name for one in (*rules.rules, *rules.correlations)}
    assert set(made.RULES) <= known


BLIND: list[tuple[str, dict[str, Any], str]] = [
    ("enough was seen", {}, ""),
    ("no packet", {"capture": {"packets": 0}}, "no_capture"),
    ("a broken file", {"capture": {"status": "partial"}}, "partial_capture"),
    ("a short window", {"capture": {"last_time": made.START + 60 * SECOND}}, "window_short"),
    ("drops", {"capture": {"reported_drops": 3}}, "dropped"),
    ("rows let go", {"capture": {"activities_dropped": 1}}, "dropped"),
    ("unknown protocols", {"capture": {"unknown": (Unknown("tcp", 4711, 1, 10, 30_000),)}}, "undecoded"),
    ("unread messages", {"capture": {"undecoded": (Undecoded("modbus", 30_000),)}}, "undecoded"),
    ("one of two devices", {"unseen": ("plc-2",)}, "assets_unseen"),
    ("one direction", {"edges": [edge("scada-1", "plc-1", "modbus", state="one_way")]}, "one_way"),
]


@pytest.mark.parametrize(("given", "reason"), [row[1:] for row in BLIND], ids=[row[0] for row in BLIND])
def test_an_absence_is_told_only_where_enough_was_seen(given: dict[str, Any], reason: str) -> None:
    found = fact(result(**given), "sec.default_credentials")
    place = next(place for place in found.places if place.zone == "cell")
    assert (place.status, place.reason_key) == ("not_observable" if reason else "not_observed", reason)
    assert (found.status, found.reason_key) == (place.status, reason)
    assert reason in ("", *REASONS)


def test_a_zone_that_was_seen_is_not_blind_because_another_is() -> None:
    found = fact(result(unseen=("plc-2",)), "sec.default_credentials")
    assert {place.zone: place.status for place in found.places} == {
        "office": "not_observed",
        "dmz": "not_observed",
        "control-room": "not_observed",
        "cell": "not_observable",
    }
    assert found.status == "not_observable", "of the whole system nothing can be said"


def test_a_zone_without_declared_assets_is_blind() -> None:
    zones = tuple(replace(zone, declared=()) if zone.id == "cell" else zone for zone in made.zones())
    row = next(row for row in visibilities(result(zones=zones)) if row.zone == "cell")
    assert row.reason_key == "nothing_declared"


LACKING: list[tuple[str, dict[str, Any], str]] = [
    ("flow.no_conduit", {"given": False}, "no_policy"),
    ("inv.new_asset", {"looked_for": ("exposure.scan",)}, "no_baseline"),
    ("op.change_unapproved", {}, "no_windows"),
    ("flow.safety_zone_cross", {}, "no_safety_zone"),
    ("flow.one_way", {}, "no_diode"),
    ("op.scan", {"looked_for": made.RULES[:3]}, "rule_off"),
    ("inv.wireless_indicator", {}, "radio"),
    ("op.ioc_hit", {}, "no_indicators"),
]


@pytest.mark.parametrize(("name", "given", "reason"), LACKING, ids=[row[0] for row in LACKING])
def test_what_an_absence_needs(name: str, given: dict[str, Any], reason: str) -> None:
    found = fact(result(**given), name)
    assert (found.status, found.reason_key) == ("not_observable", reason)


def test_an_asset_list_is_needed_to_know_strangers() -> None:
    nobody = [asset(name, declared="") for name in made.HOSTS if name not in ("laptop-7", "sis-1")]
    found = fact(result(assets=nobody), "inv.asset_undeclared")
    assert (found.status, found.reason_key) == ("not_observable", "no_assets")


def _proposed(*assets: Asset, **more: Any) -> AuditResult:
    """Without a policy: the proposal gave the devices names of its own."""
    named = [replace(one, id=one.addresses[0], name=one.addresses[0], declared=f"host-{one.id}") for one in assets]
    audited = result(given=False, **more)
    return replace(audited, inventory=replace(audited.inventory, assets=tuple(named)))


@pytest.mark.parametrize(
    "name", ["inv.asset_undeclared", "inv.inventory_match", "op.time_sync", "op.time_foreign", "op.log_export"]
)
def test_names_that_a_proposal_gives_declare_nothing(name: str) -> None:
    stranger = asset("laptop-7")
    ntp = edge("10.4.0.1", "10.1.0.2", "ntp", 123), edge("10.4.0.1", "10.4.0.77", "syslog", 514)
    audited = _proposed(asset("plc-1"), asset("dc-1"), edges=ntp)
    strange = replace(stranger, id="10.4.0.77", name="10.4.0.77")
    inventory = replace(audited.inventory, assets=(*audited.inventory.assets, strange))
    found = fact(replace(audited, inventory=inventory), name)
    assert (found.status, found.reason_key) == ("not_observable", "no_assets")


def test_an_asset_list_declares_without_a_policy() -> None:
    listed = result(given=False, assets=[asset("laptop-7")])
    assert fact(listed, "inv.asset_undeclared").status == "observed"


OF_REQUESTS: list[tuple[str, str, str, tuple[str, ...], bool]] = [
    ("sec.cleartext_credentials", "exposure.default_credential", "http", (), True),
    ("sec.cleartext_credentials", "exposure.cleartext_login", "http", (), True),
    ("sec.cleartext_credentials", "exposure.snmp_community", "snmp", (), True),
    ("sec.default_credentials", "exposure.default_credential", "http", ("the server let it in",), True),
    ("sec.default_credentials", "exposure.default_credential", "http", ("the server refused it",), False),
    ("sec.default_credentials", "exposure.snmp_community", "snmp", (KNOWN_COMMUNITY,), True),
    ("sec.default_credentials", "exposure.snmp_community", "snmp", (), False),
]


@pytest.mark.parametrize(("name", "rule", "protocol", "reasons", "told"), OF_REQUESTS)
def test_passwords_in_requests_are_told_by_findings(
    name: str, rule: str, protocol: str, reasons: tuple[str, ...], *, told: bool
) -> None:
    """Requests of HTTP and SNMP are not kept one by one: only the finding knows what they carried."""
    found = replace(made.finding(rule, "plc-1", "eng-1"), protocol=protocol, reasons=reasons)
    asked = edge("eng-1", "plc-1", protocol, 161)
    one = fact(result(findings=(found,), edges=[asked]), name)
    assert (one.status == "observed") is told
    assert {item.findings for item in one.observations} == ({(found.id,)} if told else set())


def test_a_community_that_nobody_answered_let_nobody_in() -> None:
    found = replace(
        made.finding("exposure.snmp_community", "plc-1", "eng-1"), protocol="snmp", reasons=(KNOWN_COMMUNITY,)
    )
    assert fact(result(findings=(found,)), "sec.default_credentials").status == "not_observed"


def test_names_of_the_internet_that_hosts_asked_for_are_never_told_absent() -> None:
    assert fact(result(), "svc.mail_dns_hygiene").reason_key == "encrypted"


EXCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("flow.conduit_violation", WRITE),
    ("op.write_unlisted", WRITE),
    ("op.change_unapproved", DOWNLOAD),
]


@pytest.mark.parametrize(("name", "what"), EXCEPTED, ids=[row[0] for row in EXCEPTED])
@pytest.mark.parametrize("approved", [True, False])
def test_an_approved_exception_goes_with_what_it_covers(name: str, what: dict[str, Any], approved: bool) -> None:
    permit = replace(made.EXCEPTION, approved_by="plant manager" if approved else "")
    row = verdict("eng-1", "plc-1", "modbus", by="exception", conduit="control-room-to-cell", flow="x1", **what)
    found = fact(result(policy={"permits": (permit,)}, verdicts=[row]), name)
    assert {one.exception for one in found.observations} == {"x1" if approved else ""}


def test_a_maintenance_window_covers_a_change() -> None:
    row = verdict("eng-1", "plc-1", "s7comm", by="maintenance", flow="mw1", **DOWNLOAD)
    found = fact(result(policy={"permits": (made.WINDOW,)}, verdicts=[row]), "op.change_unapproved")
    assert [one.exception for one in found.observations] == ["mw1"]


def test_an_approved_flow_is_an_approval_and_a_default_is_none() -> None:
    approved = made.FlowInfo("load", "s7comm", ("program_download",), approved_by="engineering")
    policy = {"permits": (made.WINDOW,), "conduits": (conduit("control-room", "cell", flows=(approved,)),)}
    by_flow = verdict("eng-1", "plc-1", "s7comm", conduit="control-room-to-cell", flow="load", **DOWNLOAD)
    by_default = replace(by_flow, by="", conduit="", flow="")
    assert fact(result(policy=policy, verdicts=[by_flow]), "op.change_unapproved").observations == ()
    assert fact(result(policy=policy, verdicts=[by_default]), "op.change_unapproved").status == "observed"


def test_the_internet_is_in_no_zone_and_has_no_conduit() -> None:
    row = verdict("8.8.4.4", "plc-1", "modbus", "unzoned", operation="read")
    found = fact(result(verdicts=[row]), "flow.no_conduit")
    assert [(one.zone, dict(one.values)["from"]) for one in found.observations] == [("cell", "external")]


def test_without_a_policy_operations_are_told_of_the_whole_system() -> None:
    found = fact(result(given=False, edges=[ot("eng-1", "plc-1", function("stop"))]), "op.mode_change")
    assert [one.zone for one in found.observations] == [""]


def test_windows_of_captures_that_overlap_count_once() -> None:
    found = result()
    twice = replace(found, captures=(found.captures[0], replace(found.captures[0], source="tap-2")))
    assert fact(twice, "sec.default_credentials", Minimum(window=72 * 60 * MINUTE)).reason_key == "window_short"


def test_all_is_in_one_order() -> None:
    shown = [edge("scada-1", "plc-1", "http", 80), edge("scada-1", "plc-2", "http", 80)]
    both: list[Callable[[], AuditResult]] = [
        lambda: result(edges=shown),
        lambda: result(edges=list(reversed(shown))),
    ]
    assert measure(both[0]()) == measure(both[1]())


def test_observations_of_the_plant_have_the_values_of_their_sentences(waterworks: AuditResult) -> None:
    for one in measure(waterworks, Minimum(window=15 * MINUTE)):
        for observation in one.observations:
            assert tuple(name for name, _ in observation.values) == MEASURED[one.id].values
            assert bool(observation.evidence) is (one.id not in WITHOUT_FRAMES), (one.id, observation)
        assert one.reason_key in ("", *REASONS)
        assert {place.zone for place in one.places} == {zone.id for zone in waterworks.zones}


def test_what_the_plant_shows(waterworks: AuditResult) -> None:
    """Each step of its story is a fact, in the zone where it happened."""
    facts = {one.id: one for one in measure(waterworks)}
    zones = {name: {one.zone for one in facts[name].observations} for name in facts}
    assert zones["inv.asset_undeclared"] == {"supervision"}
    assert zones["flow.internet_to_ot"] == zones["op.write_unlisted"] == {"filtration"}
    assert zones["flow.no_conduit"] == {"filtration"}
    assert zones["flow.pivot_path"] == {"supervision", "filtration"}
    assert zones["svc.remote_access"] == {"supervision"}
    assert [dict(one.values)["asset"] for one in facts["inv.asset_unseen"].observations] == ["rtu-4"]
    assert facts["sec.default_credentials"].reason_key == "window_short", "half an hour is no day"
    assert all(one.status != "not_observed" for one in facts.values() if not MEASURED.get(one.id, _COVERAGE).coverage)


_COVERAGE = MEASURED["cov.window"]


def test_very_many_observations_are_counted_together() -> None:
    many = [edge("scada-1", f"10.9.{number // 250}.{number % 250}", "http", 80) for number in range(600)]
    found = fact(result(edges=many), "sec.cleartext_conduit")
    assert len(found.observations) == MOST_OBSERVATIONS + 1
    last = found.observations[-1]
    assert dict(last.values) == {"client": "scada-1", "server": OTHERS, "protocol": "http"}
    assert sum(one.count for one in found.observations) == sum(one.packets for one in many)
