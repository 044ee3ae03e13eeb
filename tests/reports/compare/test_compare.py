"""What became of things between two editions, and when nobody can say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from tests.reports import sample
from tests.reports.facts import made
from zonewatch.inventory.model import Asset, Interface, Inventory
from zonewatch.reports.compare.compare import compare, step
from zonewatch.reports.compare.model import Change, Edition, Step
from zonewatch.reports.document.html import html
from zonewatch.reports.document.model import anchors
from zonewatch.reports.packs.changes import changes, named, with_changes
from zonewatch.reports.packs.compared import dumps, show
from zonewatch.reports.packs.comparison import comparison_document, told
from zonewatch.reports.packs.iec62443 import iec62443
from zonewatch.reports.packs.material import Material
from zonewatch.reports.result import AuditResult
from zonewatch.reports.rows import Console
from zonewatch.reports.texts import LANGUAGES, load_texts
from zonewatch.rules.findings import SEVERITIES
from zonewatch.rules.propose import DRAFTED

SAMPLE = sample.sample()
RULES = tuple(sorted({finding.rule for finding in SAMPLE.findings}))
SEEN = replace(
    SAMPLE,
    looked_for=RULES,
    captures=tuple(
        replace(
            one,
            status="whole",
            problem="",
            reported_drops=0,
            undecoded_packets=0,
            oddities_dropped=0,
            claims_dropped=0,
            recognitions_dropped=0,
            exchanges_dropped=0,
            messages_dropped=0,
            activities_dropped=0,
            addresses_dropped=0,
            unknown=(),
            undecoded=(),
        )
        for one in SAMPLE.captures
    ),
)
"""The sample as captures without any loss would have it."""


def between(before: AuditResult, after: AuditResult) -> Step:
    return step(Edition("before", before), Edition("after", after))


def with_assets(result: AuditResult, change: Callable[[Any], Any], name: str) -> AuditResult:
    assets = tuple(change(asset) if asset.id == name else asset for asset in result.inventory.assets)
    return replace(result, inventory=replace(result.inventory, assets=tuple(filter(None, assets))))


def of(found: Step, subject: str) -> list[Change]:
    return [change for change in found.changes if change.subject == subject]


def test_a_result_does_not_differ_from_itself() -> None:
    found = between(SEEN, SEEN)
    assert found.changes == ()
    assert (found.same_policy, found.same_version, found.points, found.blind) == (True, True, ((), ()), "")


@pytest.mark.parametrize("name", ["sample", "without_policy", "hostile", "empty"])
def test_every_sample_is_compared_with_every_other_in_every_form(name: str) -> None:
    one, other = Edition("one", getattr(sample, name)()), Edition("=two<i>", SEEN)
    for editions in ([one, other], [other, one], [one, other, one]):
        comparison = compare(editions)
        assert json.loads(dumps(comparison))["comparison_version"] == 1
        for language in LANGUAGES:
            texts = load_texts(language)
            document = comparison_document(comparison, editions, texts)
            assert "<i>" not in html(document, texts)
            for width, encoding in ((40, "ascii"), (120, "utf-8")):
                out = StringIO()
                console = Console(file=out, width=width, no_color=True)
                show(comparison, texts, console)
                assert max(map(len, out.getvalue().splitlines())) <= width
                assert encoding


def test_a_new_finding_is_worse_and_a_lost_one_is_closed_only_where_it_could_have_been_seen() -> None:
    first = SEEN.findings[0]
    less = replace(SEEN, findings=SEEN.findings[1:])
    (new,) = of(between(less, SEEN), "finding")
    assert (new.move, new.id, new.reason, new.severity) == ("worse", first.id, "", first.severity)
    (closed,) = of(between(SEEN, less), "finding")
    assert (closed.move, closed.reason) == ("vanished", "")


def blind(result: AuditResult, **more: Any) -> AuditResult:
    return replace(result, captures=tuple(replace(one, **more) for one in result.captures))


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (lambda less: replace(less, looked_for=("other.rule",)), "rule_off"),
        (lambda less: blind(less, reported_drops=9), "dropped"),
        (lambda less: blind(less, status="partial"), "partial_capture"),
        (lambda less: blind(less, packets=0), "no_capture"),
        (lambda less: blind(less, source="elsewhere"), "point_missing"),
        (
            lambda less: replace(
                less, captures=tuple(replace(one, last_time=one.first_time + 1) for one in less.captures)
            ),
            "window_short",
        ),
        (lambda less: replace(less, inventory=Inventory((), ())), "ends_unseen"),
    ],
)
def test_what_the_later_edition_could_not_show_is_not_closed(
    later: Callable[[AuditResult], AuditResult], reason: str
) -> None:
    gone = next(finding for finding in SEEN.findings if finding.assets and finding.evidence and not finding.verdict)
    less = replace(SEEN, findings=tuple(finding for finding in SEEN.findings if finding is not gone))
    found = [change for change in of(between(SEEN, later(less)), "finding") if change.id == gone.id]
    assert [(change.move, change.reason) for change in found] == [("unclear", reason)]


def test_severity_and_state_move() -> None:
    finding = next(one for one in SEEN.findings if one.severity == "medium")
    rest = tuple(one for one in SEEN.findings if one is not finding)
    for severity in SEVERITIES:
        other = replace(SEEN, findings=(replace(finding, severity=severity), *rest))
        moves = [change.move for change in of(between(SEEN, other), "finding")]
        order = SEVERITIES.index(severity) - SEVERITIES.index("medium")
        assert moves == ([] if not order else ["worse"] if order > 0 else ["better"])
    accepted = replace(SEEN, findings=(replace(finding, state="accepted"), *rest))
    resolved = replace(SEEN, findings=(replace(finding, state="resolved"), *rest))
    assert [change.move for change in of(between(SEEN, accepted), "finding")] == ["changed"]
    assert [change.move for change in of(between(SEEN, resolved), "finding")] == ["vanished"]


def test_a_device_with_another_address_is_the_same_and_its_findings_too() -> None:
    kept = [made.asset("plc-1")]

    def host(address: str) -> Asset:
        interfaces = (Interface("s", address, "02:00:00:00:00:01", None, False),)
        return Asset(id=address, name=address, interfaces=interfaces)

    old, new = host("10.0.0.1"), host("10.9.9.9")
    before = replace(SEEN, inventory=Inventory((old, *kept), ()), findings=(made.finding("a.rule", old.id),))
    after = replace(SEEN, inventory=Inventory((new, *kept), ()), findings=(made.finding("a.rule", new.id),))
    found = between(before, after)
    assert [(row.move, row.aspect, row.before, row.after) for row in of(found, "asset")] == [
        ("changed", "address", "10.0.0.1", "10.9.9.9")
    ]


def test_firmware_changes_and_what_is_not_said_this_time_does_not() -> None:
    asset = next(one for one in SEEN.inventory.assets if one.firmware)
    newer = with_assets(SEEN, lambda one: replace(one, firmware="9.9"), asset.id)
    silent = with_assets(SEEN, lambda one: replace(one, firmware=""), asset.id)
    assert [(row.aspect, row.before, row.after) for row in of(between(SEEN, newer), "asset")] == [
        ("firmware", asset.firmware, "9.9")
    ]
    assert of(between(SEEN, silent), "asset") == []


def test_an_asset_that_is_gone_takes_its_edges_along() -> None:
    edge = next(edge for edge in SEEN.inventory.edges if edge.ot and not edge.server.startswith("broadcast"))
    rows = tuple(row for row in SEEN.inventory.edges if row.client != edge.client)
    less = replace(SEEN, inventory=replace(SEEN.inventory, edges=rows))
    found = of(between(SEEN, less), "edge")
    assert found
    assert {change.move for change in found} == {"vanished"}
    assert {change.move for change in of(between(less, SEEN), "edge")} <= {"appeared", "worse"}


def test_a_new_operation_is_told_and_worse_where_it_changes_state_and_nothing_allows_it() -> None:
    edge = next(edge for edge in SEEN.inventory.edges if edge.operations == ("read",))
    more = replace(edge, operations=("program_download", "read"))
    edges = tuple(more if row is edge else row for row in SEEN.inventory.edges)
    verdicts = tuple(
        row
        for row in SEEN.verdicts
        if (row.client, row.server, row.protocol) != (edge.client, edge.server, edge.protocol)
    )
    after = replace(SEEN, inventory=replace(SEEN.inventory, edges=edges), verdicts=verdicts)
    (found,) = of(between(replace(SEEN, verdicts=verdicts), after), "operation")
    assert (found.move, found.after) == ("worse", "program_download")


def test_another_policy_or_version_is_said_and_its_verdicts_are_not_compared() -> None:
    other = replace(
        SEEN,
        version="9.9",
        policy=replace(SEEN.policy, sha256="f" * 64),
        verdicts=tuple(replace(row, verdict="allowed") for row in SEEN.verdicts),
    )
    found = between(SEEN, other)
    assert not found.same_policy
    assert not found.same_version
    assert [change for change in found.changes if change.aspect == "verdict"] == []
    editions = (Edition("before", SEEN), Edition("after", other))
    texts = load_texts("en")
    first = changes(told(compare(editions), editions, texts)).blocks[1:3]
    assert [block.block for block in first] == ["note", "note"]
    same = replace(other, policy=SEEN.policy, version=SEEN.version)
    moves = {change.move for change in between(SEEN, same).changes if change.aspect == "verdict"}
    assert "better" in moves


def test_a_report_takes_the_section_without_two_equal_anchors() -> None:
    editions = (Edition("before", sample.without_policy()), Edition("after", SEEN))
    texts = load_texts("en")
    document = iec62443(Material(SEEN, texts, "cd" * 32))
    more = with_changes(document, told(compare(editions), editions, texts))
    assert len(more.sections) == len(document.sections) + 1
    assert anchors(document) < anchors(more)


def test_fewer_than_two_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="two editions"):
        compare([Edition("one", SEEN)])


def test_the_german_comparison_says_facts_values_and_findings_in_german() -> None:
    earlier = replace(SEEN, policy=replace(SEEN.policy, name="", system=DRAFTED), title="", findings=())
    editions = (Edition("a", earlier, ""), Edition("b", replace(SEEN, policy=replace(SEEN.policy, system=DRAFTED)), ""))
    german = load_texts("de")
    document = comparison_document(compare(editions), editions, german)
    assert document.subtitle != DRAFTED
    shown = StringIO()
    show(compare(editions), german, Console(width=200, file=shown, color_system=None))
    assert "not_observable" not in shown.getvalue()
    facts = list(compare(editions).last.of("fact"))
    assert facts
    for change in facts:
        assert named(change, german).text == german.say(f"fact.{change.id}")
