from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.reports import sample
from tests.reports.document.samples import Page
from tests.reports.facts.made import conduit, verdict
from tests.reports.facts.made import result as plant
from zonewatch.reports.declared import FlowInfo
from zonewatch.reports.document.html import html
from zonewatch.reports.document.model import (
    Bullets,
    Document,
    Field,
    Figure,
    Note,
    Paragraph,
    Record,
    Section,
    Span,
    Table,
    Text,
    anchors,
    blocks,
    plain,
    tables,
)
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.iec62443 import SECTIONS, iec62443
from zonewatch.reports.packs.material import Material
from zonewatch.reports.packs.nis2 import nis2
from zonewatch.reports.packs.requirements import PACKS
from zonewatch.reports.packs.zoned import Zoned, zoned
from zonewatch.reports.packs.zoning import passages
from zonewatch.reports.result import AuditResult, MatrixCell, UnusedFlow, totals
from zonewatch.reports.second_opinion import Count, Difference, SecondOpinion
from zonewatch.reports.texts import LANGUAGES, load_texts

EN = load_texts("en")
RESULTS: tuple[Callable[[], AuditResult], ...] = (sample.sample, sample.without_policy, sample.hostile, sample.empty)


def made(result: AuditResult, language: str = "en") -> Document:
    return iec62443(Material(result, load_texts(language), "cd" * 32))


def table(document: Document, name: str) -> Table:
    return next(found for found in tables(document) if found.id == f"table-{name}")


def cells(found: Table) -> list[list[str]]:
    return [[plain(cell) for cell in row] for row in found.rows]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked")
def test_a_large_result_is_told_by_two_processors_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    large = sample.sample()
    alone = made(large)
    monkeypatch.setattr("zonewatch.reports.facts.measure.MANY_ROWS", 0)
    monkeypatch.setattr("zonewatch.reports.beside._forks", lambda: True)
    here = os.getpid()

    def elsewhere(case: Zoned) -> Section:
        assert os.getpid() != here
        return SECTIONS[0](case)

    monkeypatch.setattr("zonewatch.reports.packs.iec62443.SECTIONS", (elsewhere, *SECTIONS[1:]))
    assert made(large) == alone


def texts(document: Document) -> Iterator[Text]:
    yield from (field.cell for field in document.cover)
    for block in blocks(document):
        match block:
            case Paragraph() | Note():
                yield block.text
            case Bullets():
                yield from block.items
            case Table():
                yield from (cell for row in block.rows for cell in row)
                yield block.note
            case Record():
                yield block.title
                yield from (field.cell for field in block.rows)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", RESULTS)
def test_every_result_gives_a_document_whose_links_have_ends(make: Callable[[], AuditResult], language: str) -> None:
    document = made(make(), language)
    ends = anchors(document)
    targets = {span.target for found in texts(document) for span in found if span.target}
    assert targets <= ends
    ids = [block.id for block in blocks(document) if isinstance(block, Table | Figure | Record)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in ends)
    assert all(len(row) == len(found.columns) for found in tables(document) for row in found.rows)
    assert Page(html(document, load_texts(language))).tags["h1"] == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_never_says_a_forbidden_word(language: str) -> None:
    document = made(sample.sample(), language)
    told = Page(html(document, load_texts(language))).text.lower()
    assert not re.search(r"complian|konformit|overall score|gesamtpunkt", told)
    assert "%" not in "".join(plain(row[1]) for row in table(document, "severities").rows)


def test_limits_stand_before_results() -> None:
    order = [section.id for section in made(sample.sample()).sections]
    assert order[:3] == ["management", "scope", "zoning"]
    assert order[3:10] == [
        "zone-records",
        "conduit-records",
        "partition",
        "matrix",
        "commands",
        "remote",
        "security",
    ]
    assert order[-3:] == ["sign-off", "evidence", "appendices"]
    assert len(SECTIONS) == len(order)


@pytest.mark.parametrize("pack", [iec62443, nis2, *PACKS.values()])
def test_hashes_of_inputs_stand_before_results(pack: Callable[[Case], Document]) -> None:
    """An auditor looks for them first: among captures, coverage and limits."""
    document = pack(Case(sample.sample(), EN, "cd" * 32))
    scope = next(section for section in document.sections if section.id == "scope")
    assert [section.id for section in scope.sections][:3] == ["captures", "inputs", "coverage"]
    found = next(block for block in scope.sections[1].blocks if isinstance(block, Table))
    hashes = {row[0]: row[2] for row in cells(found)}
    assert hashes == {
        **{capture.name: capture.sha256 or "not taken" for capture in sample.sample().captures},
        sample.sample().policy.name: sample.sample().policy.sha256 or "not taken",
        "result.json": "cd" * 32,
    }


def test_what_a_proposal_says_is_declared_by_nobody() -> None:
    proposed = sample.without_policy()
    named = tuple(
        replace(one, id=f"10.9.0.{number}", declared=f"host-{number}")
        for number, one in enumerate(proposed.inventory.assets)
    )
    document = made(replace(proposed, inventory=replace(proposed.inventory, assets=named, edges=(), unseen=())))
    records = [block for block in blocks(document) if isinstance(block, Record) and block.id.startswith("zone-record")]
    assert records
    for record in records:
        assert "declared" not in {field.origin for field in record.rows}
        assert {field.origin for field in record.rows if field.label == EN.say("zcr.e")} == {"open"}
    assert {row[4] for row in cells(table(document, "coverage"))} == {"0"}
    devices = [found for found in tables(document) if found.id.startswith("table-devices")]
    assert {row[4] for found in devices for row in cells(found)} == {"seen, not declared"}


def test_flows_of_a_conduit_within_a_zone_are_told_as_they_were_used() -> None:
    inside = replace(conduit("cell", "cell"), id="inside", flows=(FlowInfo("poll", "modbus"), FlowInfo("idle", "dnp3")))
    rows = (
        verdict("plc-1", "plc-2", "modbus", operation="read", conduit="inside", flow="poll"),
        verdict("plc-2", "plc-1", "modbus", "violation", operation="write", conduit="inside"),
    )
    document = made(plant(policy={"conduits": (inside,)}, verdicts=rows))
    used = {row[0]: row[-1] for row in cells(table(document, "flows-inside"))}
    assert used["poll"].startswith("5 ")
    assert used["idle"] == EN.say("use.none")
    assert len(table(document, "beyond-inside").rows) == 1


def test_a_policy_that_nobody_approved_is_to_be_decided_about() -> None:
    asked = "Whether the zone policy is approved"
    for approved, told in (("plant manager", False), ("", True)):
        document = made(plant(policy={"approved_by": approved}))
        page = next(section for section in document.sections if section.id == "management")
        assert (asked in "".join(map(plain, texts(replace(document, sections=(page,)))))) is told


def test_numbers_of_the_summary_are_those_of_the_tables() -> None:
    result = sample.sample()
    document = made(result)
    by_severity = Counter(row[1] for row in cells(table(document, "findings")))
    accepted = Counter(finding.severity for finding in result.findings if finding.state != "open")
    for word, count, _ in cells(table(document, "severities")):
        assert int(count) == by_severity[word] - accepted[word.split()[-1]]  # type: ignore[index]
    judged = Counter[str]()
    for row in cells(table(document, "matrix")):
        if row[3] != "other traffic":
            judged[row[4].split(" ", 1)[1]] += int(row[5].replace(",", ""))
    said = next(plain(found) for found in texts(document) if plain(found).startswith("Exchanges of control"))
    assert [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", said)] == [
        judged[name] for name in ("allowed", "violation", "in no zone", "cannot conclude")
    ]
    assert f"{totals(result.captures).packets:,} packets of" in "".join(map(plain, texts(document)))
    zones = {row[0]: row[3] for row in cells(table(document, "coverage"))}
    assert sum(int(count) for count in zones.values()) == sum(bool(asset.zone) for asset in result.inventory.assets)
    assert len(table(document, "assets").rows) == len(result.inventory.assets)
    assert len(table(document, "connections").rows) == len(result.inventory.edges)


def test_every_finding_has_its_record_with_proof() -> None:
    result = sample.sample()
    document = made(result)
    records = [block for block in blocks(document) if isinstance(block, Record) and block.id.startswith("finding-")]
    assert len(records) == len(result.findings)
    first = {field.label: plain(field.cell) for field in records[0].rows}
    assert first["Proof"].startswith("riverside-0800.pcapng frame")
    assert first["For"].endswith("name and due date: OPEN")
    assert result.findings[0].id in first["Finding and rule"]
    assert f"evidence/{result.findings[0].id}.pcapng" in first["Mini capture"]


def test_actions_come_from_the_gravest_open_findings() -> None:
    result = sample.sample()
    section = made(result).sections[0].sections[0]
    (items,) = section.blocks
    assert isinstance(items, Bullets)
    assert items.ordered
    assert len(items.items) == 3
    gravest = next(finding for finding in result.findings if finding.state == "open" and finding.remedy)
    assert plain(items.items[0]).startswith(gravest.title)
    assert gravest.remedy in plain(items.items[0])


@pytest.mark.parametrize(
    ("matrix", "unused", "wanted"),
    [
        ((("a", "b", "allowed"),), (), {("a", "b", "declared")}),
        ((("a", "b", "violation"),), (), {("a", "b", "observed")}),
        ((("a", "b", "unzoned"),), (), {("a", "b", "observed")}),
        ((("a", "b", "allowed"), ("a", "b", "violation")), (), {("a", "b", "declared"), ("a", "b", "observed")}),
        ((), (("a", "b"),), {("a", "b", "unused")}),
        ((("a", "b", "allowed"),), (("a", "b"),), {("a", "b", "declared")}),
        ((("a", "b", "violation"),), (("a", "b"),), {("a", "b", "observed"), ("a", "b", "unused")}),
        ((("a", "b", "cannot_conclude"),), (), {("a", "b", "observed")}),
        ((("a", "b", "cannot_conclude"),), (("a", "b"),), {("a", "b", "declared")}),
        ((("a", "a", "violation"),), (), set()),
        ((("b", "a", "allowed"),), (("a", "b"),), {("b", "a", "declared"), ("a", "b", "unused")}),
    ],
)
def test_a_conduit_is_declared_seen_or_both(
    matrix: tuple[tuple[str, str, str], ...], unused: tuple[tuple[str, str], ...], wanted: set[tuple[str, str, str]]
) -> None:
    result = replace(
        sample.sample(),
        verdicts=(),
        matrix=tuple(MatrixCell(start, end, "modbus", "read", verdict, 1) for start, end, verdict in matrix),  # type: ignore[arg-type]
        unused_flows=tuple(UnusedFlow("c", "f", start, end, "modbus") for start, end in unused),
    )
    assert {(one.start, one.end, one.kind) for one in passages(result)} == wanted


def test_without_a_policy_nothing_is_judged() -> None:
    document = made(sample.without_policy())
    told = "".join(map(plain, texts(document)))
    assert "No policy was given" in told
    assert {row[4] for row in cells(table(document, "matrix"))} == {"not judged"}
    figure = next(block for block in blocks(document) if isinstance(block, Figure) and block.id == "figure-zones")
    assert 'stroke-dasharray="6 4"' not in figure.svg


def test_what_is_quoted_in_another_language_says_so() -> None:
    document = made(sample.sample(), "de")
    title = sample.sample().findings[0].title
    quoted = {span.language for found in texts(document) for span in found if span.text == title}
    assert quoted == {"en"}
    assert not {span.language for found in texts(made(sample.sample())) for span in found} - {""}


def test_a_policy_that_is_not_given_is_open_on_the_cover() -> None:
    cover: dict[str, Field] = {field.label: field for field in made(sample.without_policy()).cover}
    assert cover["Zone policy"].cell == (Span("none given"),)
    assert cover["SHA-256 of the audit's result"].cell == (Span("cd" * 32, "code"),)


def test_a_section_is_a_function_of_the_material() -> None:
    material = zoned(Material(sample.sample(), EN))
    assert all(isinstance(section(material), Section) for section in SECTIONS)
    assert [section(material) for section in SECTIONS] == [section(material) for section in SECTIONS]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_second_reader_is_told_with_what_differs(language: str) -> None:
    known = Difference("span", "a.pcap", "modbus", "function", "3", "", "10.0.0.1", "10.0.0.2", 4, 5, reason="by_port")
    unknown = replace(known, code="16", reason="")
    opinion = SecondOpinion(
        version="4.0",
        rows=7,
        equal_rows=5,
        protocols=(Count("modbus", ours=40, theirs=42),),
        differences=(known, unknown),
    )
    document = made(replace(sample.sample(), second_opinion=opinion), language)
    assert cells(table(document, "second")) == [["modbus", "40", "42"]]
    rows = cells(table(document, "differing"))
    assert [row[0] for row in rows] == ["modbus function 16", "modbus function 3"], "what nobody can explain is first"
    assert rows[1][4] == load_texts(language).word("second_reason", "by_port")


def test_a_second_reader_that_was_not_to_be_had_is_a_limit() -> None:
    document = made(replace(sample.sample(), second_opinion=SecondOpinion(problem="tshark is not installed")))
    notes = [plain(block.text) for block in blocks(document) if isinstance(block, Note)]
    assert "No second reader: tshark is not installed." in notes
    assert "second-reader" not in anchors(made(sample.sample()))
