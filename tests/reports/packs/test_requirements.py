"""The packs that are a list of requirements: every one is told, by the one status that its facts allow."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest

from tests.reports import sample
from tests.reports.document.samples import Page
from tests.reports.packs.test_iec62443 import cells, table, texts
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import framework
from zonewatch.reports.document.html import html
from zonewatch.reports.document.model import (
    Document,
    Figure,
    Record,
    Table,
    anchor,
    anchors,
    blocks,
    plain,
    tables,
)
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.packs.asked import MARKS, NEEDED, needed
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.management import MOST_AGAINST
from zonewatch.reports.packs.nis2 import nis2
from zonewatch.reports.packs.requirements import PACKS
from zonewatch.reports.result import AuditResult
from zonewatch.reports.statuses import STATUSES, Status, statuses
from zonewatch.reports.texts import LANGUAGES, load_texts

CATALOGUE = {
    "nist-800-82": "nist-800-82r3",
    "csf": "nist-csf-2.0",
    "cpg": "cisa-cpg-2.0",
    "tsa": "tsa-sd-pipeline-2021-02",
    "nerc-cip": "nerc-cip",
}
RESULTS: tuple[Callable[[], AuditResult], ...] = (sample.sample, sample.without_policy, sample.hostile, sample.empty)


def made(name: str, result: AuditResult, language: str = "en", **more: object) -> Document:
    return PACKS[name](Case(result, load_texts(language), "cd" * 32, **more))  # type: ignore[arg-type]


def test_each_framework_has_its_pack() -> None:
    assert PACKS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", RESULTS)
@pytest.mark.parametrize("name", PACKS)
def test_every_result_gives_a_document_whose_links_have_ends(
    name: str, make: Callable[[], AuditResult], language: str
) -> None:
    document = made(name, make(), language)
    targets = {span.target for found in texts(document) for span in found if span.target}
    assert targets <= anchors(document)
    ids = [block.id for block in blocks(document) if isinstance(block, Table | Figure | Record)]
    assert len(ids) == len(set(ids))
    assert all(len(row) == len(found.columns) for found in tables(document) for row in found.rows)


@pytest.mark.parametrize("name", PACKS)
def test_it_is_well_formed_and_never_says_a_forbidden_word(name: str) -> None:
    for language in LANGUAGES:
        page = Page(html(made(name, sample.sample(), language), load_texts(language)))
        assert page.tags["h1"] == 1
        # The titles of requirements are those of their standards, and one of these has the word.
        own = re.sub(r"compliance monitoring|regulatory compliance", "", page.text.lower())
        assert not re.search(r"\bcompliant\b|konformit|overall score|gesamtpunkt|achieved sl", own)


@pytest.mark.parametrize("name", PACKS)
def test_what_could_be_seen_stands_before_any_result(name: str) -> None:
    order = [section.id for section in made(name, sample.sample()).sections]
    assert order[:5] == ["management", "preface", "scope", "reading", "results"]
    assert order[-2:] == ["sign-off", "appendices"]
    assert {"requirements", "evidence", "findings", "attestations"} <= set(order)


@pytest.mark.parametrize("name", PACKS)
def test_every_requirement_is_told_once_by_its_status(name: str) -> None:
    result = sample.sample()
    standard = framework(CATALOGUE[name])
    expected = {row.requirement.id: row.status for row in statuses(standard, measure(result), result)}
    document = made(name, result)
    told = {row[0]: row[2].split(" ", 1)[1].replace(" ", "_") for row in cells(table(document, "requirements"))}
    assert told == expected
    assert list(told) == [row.id for row in standard.requirements]
    counted = {row[0].split(" ", 1)[1].replace(" ", "_"): int(row[1]) for row in cells(table(document, "statuses"))}
    assert +Counter(counted) == Counter(expected.values())
    records = [block for block in blocks(document) if isinstance(block, Record) and block.id.startswith("asked-")]
    assert [plain(record.title).split("  ")[0] for record in records] == list(expected)


def test_the_sample_has_something_against_a_requirement() -> None:
    """Or the tests of this file would hold without any."""
    found = [row.status for row in Case(sample.sample(), load_texts("en")).asked("nist-csf-2.0")]
    assert found.count("contradicted") > 0


@pytest.mark.parametrize("name", PACKS)
def test_findings_and_facts_stand_behind_what_is_contradicted(name: str) -> None:
    document = made(name, sample.sample())
    case = Case(sample.sample(), load_texts("en"))
    records = {block.id: block for block in blocks(document) if isinstance(block, Record)}
    for row in case.asked(CATALOGUE[name]):
        if row.status != "contradicted":
            continue
        record = records[anchor("asked", f"{CATALOGUE[name]} {row.requirement.id}")]
        spans = [span for field in record.rows for span in field.cell]
        facts = {span.text for span in spans if span.kind == "fact"}
        assert set(row.refuting) <= facts
        assert {anchor("fact", fact) for fact in row.refuting} <= {span.target for span in spans}
        behind = [one for fact in row.refuting for one in case.facts[fact].observations for _ in one.findings]
        assert not behind or any(span.kind == "finding" and span.target in records for span in spans)


def test_what_is_not_observable_asks_for_other_evidence_and_what_is_attested_names_it() -> None:
    document = Attestation("GV.OC-01", "", "", "N. N.", "2026-03-01", "D-4", "ab" * 32)
    standard = framework("nist-csf-2.0")
    silent = next(row for row in standard.requirements if row.observable == "none")
    given = replace(document, requirement=silent.id)
    found = made("csf", sample.sample(), attestations=(given,))
    record = next(
        block
        for block in blocks(found)
        if isinstance(block, Record) and block.id == anchor("asked", f"nist-csf-2.0 {silent.id}")
    )
    told = {field.label: (plain(field.cell), field.origin) for field in record.rows}
    assert told["Status"][0] == f"{MARKS['attested']} attested"
    assert told["Attested"] == (f"D-4, by N. N. on 2026-03-01, SHA-256 {'ab' * 8}…", "declared")
    assert cells(table(found, "attested")) == [[silent.id, "D-4", "N. N.", "2026-03-01", "ab" * 32]]
    assert silent.id not in {row[0] for row in cells(table(found, "to-attest"))}
    without = made("csf", sample.sample())
    assert silent.id in {row[0] for row in cells(table(without, "to-attest"))}


def test_every_status_has_its_mark_and_its_place() -> None:
    assert set(MARKS) == set(STATUSES) == set(get_args(Status))


@pytest.mark.parametrize("name", ["nis2", "nis2-annex", *CATALOGUE.values()])
def test_every_requirement_says_what_a_person_must_supply(name: str) -> None:
    case = Case(sample.empty(), load_texts("en"))
    told = Counter(needed(case, row) for row in framework(name).requirements)
    assert all(told)
    assert told[case.texts.say("needed.other")] <= 0.2 * sum(told.values())


def test_no_words_of_what_is_needed_are_there_in_vain() -> None:
    case = Case(sample.empty(), load_texts("en"))
    rows = [row for name in ("nis2", "nis2-annex", *CATALOGUE.values()) for row in framework(name).requirements]
    assert {needed(case, row) for row in rows} >= {case.texts.say(f"needed.{key}") for _, key in NEEDED}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*PACKS, "nis2"])
def test_page_one_says_what_to_do_first_and_what_is_contradicted(name: str, language: str) -> None:
    """A manager reads it alone: actions, contradicted requirements, what was not seen, what to decide."""
    case = Case(sample.sample(), load_texts(language), "cd" * 32)
    document = (nis2 if name == "nis2" else PACKS[name])(case)
    page = document.sections[0]
    assert [part.id for part in page.sections] == ["actions", "against", "open", "decide"]
    told = {span.text for cell in texts(replace(document, sections=(page,))) for span in cell}
    asked = (*case.asked("nis2"), *case.asked("nis2-annex")) if name == "nis2" else case.asked(CATALOGUE[name])
    against = [row.requirement.id for row in asked if row.status == "contradicted"]
    assert against
    assert told.issuperset(against[:MOST_AGAINST])
    assert case.numbered(sample.sample().findings[0].id).text in told
