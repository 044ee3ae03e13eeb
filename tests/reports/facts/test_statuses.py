"""The rules of the statuses, one by one; what an SL-T asks for; and that bad news never makes a status better."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reports.facts import made
from tests.reports.facts.made import conduit, edge, finding, result, verdict
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import FRAMEWORKS, fact_kinds, framework
from zonewatch.reports.catalogue.model import Framework, Observable, Relations, Requirement
from zonewatch.reports.declared import RequirementInfo
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.facts.model import MINUTE, Fact, FactStatus, Minimum, Observation, Place
from zonewatch.reports.result import AuditResult
from zonewatch.reports.statuses import STATUSES, RequirementStatus, Status, statuses

GOLDEN = Path(__file__).with_name("waterworks_statuses.csv")
AGAINST, FOR, ASKS, FEEDS = "op.write_unlisted", "flow.conduit_conform", "op.scan", "op.write_seen"
RELATIONS = Relations((AGAINST,), (FOR,), (ASKS,), (FEEDS,))
DOCUMENT = Attestation("R 1", "", "", "N. N.", "2026-03-01", "D-4", "0" * 64)


def seen(name: str, zone: str = "cell", exception: str = "") -> Observation:
    return Observation(zone, name, (), 1, made.MIDDLE, made.MIDDLE, (made.frame(1),), (), exception)


def facts(*observations: Observation, blind: tuple[str, ...] = ()) -> tuple[Fact, ...]:
    """All facts of the vocabulary: observed as given, not observable where `blind`, else absent."""
    found = []
    for name in fact_kinds():
        own = tuple(one for one in observations if one.key == name)
        places = tuple(Place(zone, *_said({one.zone for one in own}, zone, name in blind)) for zone in made.KINDS)
        status, reason = _said({""} if own else set(), "", name in blind)
        found.append(Fact(name, status, reason, own, places))
    return tuple(found)


def _said(zones: set[str], zone: str, blind: bool) -> tuple[FactStatus, str]:
    if zone in zones:
        return "observed", ""
    return ("not_observable", "rule_off") if blind else ("not_observed", "")


def asked(observable: Observable = "full", **more: Any) -> Framework:
    values = {"relations": Relations() if observable == "none" else RELATIONS, **more}
    requirement = Requirement("made", "R 1", "A requirement", observable, **values)
    return Framework("made", "A framework", verified=True, requirements=(requirement,), zoned=True)


def status(
    found: AuditResult, measured: tuple[Fact, ...], standard: Framework, zone: str = "cell", *more: Attestation
) -> RequirementStatus:
    return next(row for row in statuses(standard, measured, found, more) if row.zone == zone)


RULES: list[tuple[str, Observable, tuple[Observation, ...], bool, bool, Status]] = [
    # what, observable, observations, enough seen, attested, status
    ("a refuting fact", "full", (seen(AGAINST), seen(FOR)), True, False, "contradicted"),
    ("a refuting fact, though little was seen", "partial", (seen(AGAINST),), False, False, "contradicted"),
    ("a refuting fact, whatever is attested", "full", (seen(AGAINST),), True, True, "contradicted"),
    ("a refuting fact of another zone", "full", (seen(AGAINST, "office"), seen(FOR)), True, False, "supported"),
    ("an excepted fact", "full", (seen(AGAINST, exception="x1"), seen(FOR)), True, False, "excepted"),
    (
        "an excepted fact beside another",
        "full",
        (seen(AGAINST, exception="x1"), seen(AGAINST)),
        True,
        False,
        "contradicted",
    ),
    ("a supporting fact, full", "full", (seen(FOR),), True, False, "supported"),
    ("a supporting fact, partial", "partial", (seen(FOR),), True, False, "partly_supported"),
    ("a supporting fact, and little seen", "full", (seen(FOR),), False, False, "not_observable"),
    ("a document beside a part", "partial", (seen(FOR),), True, True, "partly_supported"),
    ("nothing", "full", (), True, False, "no_evidence"),
    ("prompts and inputs alone", "full", (seen(ASKS), seen(FEEDS)), True, False, "no_evidence"),
    ("nothing, and a document", "full", (), True, True, "attested"),
    ("nothing, and little seen", "partial", (), False, False, "not_observable"),
    ("not on the network", "none", (), True, False, "not_observable"),
    ("not on the network, and a document", "none", (), True, True, "attested"),
]


@pytest.mark.parametrize(
    ("observable", "observations", "enough", "attested", "expected"),
    [row[1:] for row in RULES],
    ids=[row[0] for row in RULES],
)
def test_the_rules(
    observable: Observable, observations: tuple[Observation, ...], enough: bool, attested: bool, expected: Status
) -> None:
    found = result() if enough else result(unseen=("plc-2",))
    row = status(found, facts(*observations), asked(observable), "cell", *((DOCUMENT,) if attested else ()))
    assert row.status == expected
    assert bool(row.reason_key) is (expected in ("not_observable", "attested") and (not enough or observable == "none"))
    assert (row.attestation is DOCUMENT) is attested


def test_the_facts_behind_a_status_are_named() -> None:
    row = status(result(), facts(*(seen(name) for name in (AGAINST, FOR, ASKS, FEEDS))), asked())
    assert (row.refuting, row.supporting, row.prompting, row.inputs) == ((AGAINST,), (FOR,), (ASKS,), (FEEDS,))


def test_nothing_is_supported_where_a_refuting_fact_was_not_looked_for() -> None:
    """Of a fact that was not looked for nobody can say that there is none; a part may be supported, and names it."""
    whole = status(result(), facts(seen(FOR), blind=(AGAINST,)), asked("full"))
    assert (whole.status, whole.reason_key, whole.unknown) == ("not_observable", "rule_off", (AGAINST,))
    part = status(result(), facts(seen(FOR), blind=(AGAINST,)), asked("partial"))
    assert (part.status, part.unknown) == ("partly_supported", (AGAINST,))


def test_what_holds_for_a_part_only_supports_a_part() -> None:
    """One protected connection beside others says nothing of those; nor where nobody could look for others."""
    standard = asked("full", relations=replace(RELATIONS, narrows=(ASKS,)))
    assert status(result(), facts(seen(FOR)), standard).status == "supported"
    for measured in (facts(seen(FOR), seen(ASKS)), facts(seen(FOR), blind=(ASKS,))):
        row = status(result(), measured, standard)
        assert (row.status, row.narrowing) == ("partly_supported", (ASKS,))
    assert status(result(), facts(seen(ASKS)), standard).status == "no_evidence"


TLS = {"tls__version": "1.2", "tls__cipher": "TLS_AES_128_GCM_SHA256"}


def test_one_protected_connection_does_not_protect_a_zone() -> None:
    """SR 3.1 holds for a zone where every connection that needs it is protected."""
    shake = made.activity("scada-1", "plc-1", "tls", "handshake", fields=TLS)
    tls, modbus = edge("scada-1", "plc-1", "https", 443), edge("scada-1", "plc-2", "modbus", 502)
    known = framework("iec62443-3-3")

    def said(*edges: Any) -> Status:
        found = result(edges=edges, activities=[shake])
        rows = statuses(known, measure(found), found)
        return next(row.status for row in rows if (row.zone, row.requirement.id) == ("cell", "SR 3.1"))

    assert said(tls) == "supported"
    assert said(tls, modbus) == "partly_supported"


def test_the_copy_of_a_historian_is_no_access_and_separates_no_zones_by_itself() -> None:
    """Data that ends in a DMZ says nothing of remote access; beside a way past the DMZ it separates a part."""
    through = (edge("pc-1", "mirror-1", "https", 443), edge("scada-1", "mirror-1", "https", 443))
    past = edge("pc-1", "plc-1", "modbus", 502)

    def said(name: str, requirement: str, *edges: Any) -> set[Status]:
        found = result(edges=edges)
        rows = statuses(framework(name), measure(found), found)
        return {row.status for row in rows if row.requirement.id == requirement}

    assert "supported" not in said("iec62443-3-3", "SR 1.13", *through)
    assert said("iec62443-3-2", "ZCR 3.6", *through) == {"no_evidence"}
    assert said("iec62443-3-2", "ZCR 3.2", *through) == {"supported"}
    assert said("iec62443-3-2", "ZCR 3.2", *through, past) == {"partly_supported"}


def test_an_exception_is_named() -> None:
    row = status(result(), facts(seen(AGAINST, exception="x1")), asked())
    assert (row.refuting, row.exceptions) == ((AGAINST,), ("x1",))


RECORDS: list[tuple[RequirementInfo, Status]] = [
    (RequirementInfo("R 1", "compensated", "locked cabinet"), "excepted"),
    (RequirementInfo("R 1", "excepted"), "excepted"),
    (RequirementInfo("R 1", "compensated"), "contradicted"),  # by what?
    (RequirementInfo("R 1", "in_place"), "contradicted"),
    (RequirementInfo("R 2", "excepted"), "contradicted"),
    (RequirementInfo("R 1", "excepted", due="2026-03-01"), "contradicted"),  # over
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_the_record_of_a_zone_covers_what_it_names(record: RequirementInfo, expected: Status) -> None:
    found = result(zones=made.zones(requirements=(record,)))
    row = status(found, facts(seen(AGAINST)), asked())
    assert row.status == expected
    assert row.exceptions == (("cell/R 1",) if expected == "excepted" else ())


def test_a_record_in_a_policy_that_nobody_approved_covers_nothing() -> None:
    records = made.zones(requirements=(RequirementInfo("R 1", "excepted"),))
    for policy in ({"approved_by": ""}, {"valid_until": "2026-03-01"}):
        row = status(result(zones=records, policy=policy), facts(seen(AGAINST)), asked())
        assert row.status == "contradicted"


LEVELS: list[tuple[int, int | None, Status, int | None]] = [
    # min_sl, target, status, what stands as target
    (1, 2, "supported", 2),
    (2, 2, "supported", 2),
    (3, 2, "not_asked", 2),
    (1, 0, "not_asked", 0),
    (3, None, "supported", None),  # no target is set: everything is looked at
]


@pytest.mark.parametrize(("least", "target", "expected", "shown"), LEVELS)
def test_a_target_asks_for_what_it_needs(least: int, target: int | None, expected: Status, shown: int | None) -> None:
    levels = tuple((name, target if name == "RDF" else 4) for name in ("IAC", "RDF")) if target is not None else ()
    zones = tuple(replace(zone, levels=levels) for zone in made.zones())
    standard = asked(min_sl=least, foundation="RDF")
    row = status(result(zones=zones), facts(seen(FOR)), standard)
    assert (row.status, row.target) == (expected, shown)


def test_every_requirement_stands_in_every_zone_and_none_is_left_out() -> None:
    found = result(zones=(*made.zones(), made.ZoneInfo("internet", kind="external")))
    rows = statuses(framework("iec62443-3-3"), measure(found), found)
    assert Counter(row.zone for row in rows) == dict.fromkeys(("office", "dmz", "control-room", "cell"), 103)
    asked_for = Counter(row.status == "not_asked" for row in rows if row.zone == "cell")
    assert asked_for == {False: 37 + 23 + 3, True: 30 + 10}, "SL 1 and 2, and the three constraints"


def test_frameworks_without_zones_are_about_the_whole_system() -> None:
    found = result(verdicts=[verdict("pc-1", "plc-1", "modbus", "violation", operation="write")])
    for name in FRAMEWORKS[1:]:
        rows = statuses(framework(name), measure(found), found)
        assert {row.zone for row in rows} == {""}
        assert len(rows) == len(framework(name).requirements)
    rows = statuses(framework("iec62443-3-2"), measure(found), found)
    assert next(row for row in rows if row.requirement.id == "ZCR 3.1").status == "contradicted"


def test_without_a_policy_nothing_is_supported() -> None:
    found = result(given=False, edges=[edge("scada-1", "plc-1", "http", 80)])
    rows = [row for name in FRAMEWORKS for row in statuses(framework(name), measure(found), found)]
    assert not {row.status for row in rows} & {"supported", "partly_supported", "no_evidence"}
    assert {row.zone for row in rows} == {""}


def test_a_requirement_about_safety_zones_needs_one() -> None:
    read = verdict("scada-1", "plc-1", "modbus", operation="read", conduit="control-room-to-cell", flow="poll")

    def separation(found: AuditResult) -> RequirementStatus:
        rows = statuses(framework("iec62443-3-2"), measure(found), found)
        return next(row for row in rows if row.requirement.id == "ZCR 3.3")

    without = separation(result(verdicts=[read]))
    assert (without.status, without.reason_key) == ("not_observable", "no_safety_zone")
    whole = result(verdicts=[read], zones=made.zones(made.SAFE), assets=[made.asset("sis-1")])
    assert separation(whole).status == "supported"


def test_a_document_of_one_zone_is_for_no_other() -> None:
    found, standard = result(), asked("none")
    rows = statuses(standard, facts(), found, (replace(DOCUMENT, zone="cell"),))
    assert {row.zone: row.status for row in rows if row.status == "attested"} == {"cell": "attested"}
    rows = statuses(standard, facts(), found, (replace(DOCUMENT, framework="other"),))
    assert {row.status for row in rows} == {"not_observable"}


REFUTING = sorted({name for one in FRAMEWORKS for row in framework(one).requirements for name in row.relations.refutes})
BAD_NEWS = st.builds(seen, st.sampled_from(REFUTING), st.sampled_from([*made.KINDS]), st.sampled_from(["", "x1"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(BAD_NEWS, max_size=5), BAD_NEWS, st.sampled_from(FRAMEWORKS), st.booleans(), st.booleans())
def test_a_refuting_observation_never_makes_a_status_better(
    before: list[Observation], more: Observation, name: str, enough: bool, attested: bool
) -> None:
    standard, found = framework(name), result() if enough else result(unseen=("plc-2",))
    good = [
        seen(fact, zone) for fact, kind in fact_kinds().items() if kind.polarity == "positive" for zone in made.KINDS
    ]
    papers = tuple(replace(DOCUMENT, requirement=row.id) for row in standard.requirements) if attested else ()
    first = statuses(standard, facts(*good, *before), found, papers)
    then = statuses(standard, facts(*good, *before, more), found, papers)
    for old, new in zip(first, then, strict=True):
        assert (old.requirement, old.zone) == (new.requirement, new.zone)
        assert STATUSES.index(new.status) <= STATUSES.index(old.status)
        if new.status != old.status:
            assert more.key in (*new.requirement.relations.refutes, *new.requirement.relations.narrows)
            assert more.zone == new.zone or new.zone == ""


EVENTS: list[dict[str, Any]] = [
    {"verdicts": [verdict("eng-1", "plc-1", "modbus", "violation", operation="write", differs=("client",))]},
    {"verdicts": [verdict("pc-1", "plc-1", "modbus", "violation", operation="read")]},
    {"edges": [edge("8.8.4.4", "plc-1", "modbus", 502)]},
    {"edges": [edge("8.8.4.4", "scada-1", "rdp", 3389)]},
    {"edges": [edge("scada-1", "dc-1", "dns", 53, transport="udp", state="two_way")]},
    {"findings": (finding("exposure.shared_segment", "plc-1", "pc-1"),)},
    {"findings": (finding("exposure.needless_service", "plc-1"),)},
    {"assets": [made.asset("laptop-7")]},
    {"activities": [made.activity("eng-1", "plc-1", "tls", "handshake", fields={"tls__version": "1.0"})]},
]


@pytest.mark.parametrize("event", EVENTS)
def test_neither_does_what_refutes_it_in_a_result(event: dict[str, Any]) -> None:
    """The same from the result on: the whole way through the measuring."""
    good: dict[str, Any] = {
        "verdicts": [
            verdict("scada-1", "plc-1", "modbus", operation="read", conduit="control-room-to-cell", flow="poll"),
            verdict("pc-1", "mirror-1", "https", conduit="office-to-dmz", flow="poll"),
        ],
        "edges": [edge("scada-1", "plc-1", "modbus", 502), edge("pc-1", "mirror-1", "https", 443)],
        "activities": [made.activity("pc-1", "mirror-1", "tls", "handshake", fields={"tls__version": "1.3"})],
        "policy": {"conduits": (*made.CONDUITS, conduit("control-room", "office"))},
    }
    worse = {key: [*good.get(key, []), *value] for key, value in event.items()}
    first, then = result(**good), result(**{**good, **worse})
    changed = 0
    for name in FRAMEWORKS:
        old = statuses(framework(name), measure(first), first)
        new = statuses(framework(name), measure(then), then)
        for one, other in zip(old, new, strict=True):
            assert STATUSES.index(other.status) <= STATUSES.index(one.status), (name, other)
            changed += other.status == "contradicted" != one.status
    assert changed, "and something is contradicted by it"


def test_statuses_of_the_plant(waterworks: AuditResult) -> None:
    """As written down. ZONEWATCH_GOLDEN=write writes them anew: read the difference."""
    found = list(_rows(waterworks))
    if os.environ.get("ZONEWATCH_GOLDEN") == "write":
        with GOLDEN.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(found)
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == found


def _rows(found: AuditResult) -> Iterator[list[str]]:
    """By the project's minimum what is contradicted alone can be said; by a quarter of an hour the rest can, too."""
    yield ["minimum", "framework", "zone", "requirement", "status", "refuting", "supporting", "reason"]
    for label, minimum in (("24 h", Minimum()), ("15 min", Minimum(window=15 * MINUTE))):
        measured = measure(found, minimum)
        for name in FRAMEWORKS:
            for row in statuses(framework(name), measured, found, minimum=minimum):
                if row.status not in ("not_asked", "not_observable", "no_evidence"):
                    evidence = (" ".join(row.refuting), " ".join(row.supporting))
                    yield [label, name, row.zone, row.requirement.id, row.status, *evidence, row.reason_key]
