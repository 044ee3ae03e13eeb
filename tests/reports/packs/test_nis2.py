"""The evidence pack for NIS2: what is measured, claimed and left open; the clock and the drafts of Art. 23."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.reports import sample
from tests.reports.document.samples import Page
from tests.reports.packs.test_iec62443 import cells, table, texts
from tests.reports.sample_plant import LAPTOP
from zonewatch.reports.catalogue.load import deadlines, framework, in_language
from zonewatch.reports.document.html import html
from zonewatch.reports.document.model import (
    Document,
    Field,
    Figure,
    Record,
    Section,
    SignOff,
    Table,
    anchors,
    blocks,
    plain,
    tables,
)
from zonewatch.reports.entity import Entity, parse_entity
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.nis2 import SECTIONS, nis2
from zonewatch.reports.packs.nis2_sheets import SHEETS
from zonewatch.reports.result import AuditResult
from zonewatch.reports.texts import LANGUAGES, load_texts
from zonewatch.reports.watched import Decided, Gap, Health, Told, Watched, WatchedPeriod
from zonewatch.reports.words import parse_time
from zonewatch.rules.incidents import incidents

RESULTS: tuple[Callable[[], AuditResult], ...] = (sample.sample, sample.without_policy, sample.hostile, sample.empty)
AWARE = parse_time("2026-03-02T09:40:00.000000000Z")
ENTITY = parse_entity(
    """\
name: Riverside Water
registration: DE-0815
sector: drinking_water
classification: essential
member_state: DE
national_act: BSIG
services: []
authority: {name: BSI}
contacts: [{role: incident desk, name: Eva Horn, phone: "+49 30 1"}]
measures: {b: {owner: Head of OT, reference: no. 2, review: 2027-01-31}}
""",
    "entity.yaml",
)
DRAFTS = ("draft-warning", "draft-notification", "draft-intermediate", "draft-final", "draft-progress")
ORDER = (
    "management",
    *("applicability", "governance", "scope", "reading", "measures", "sheets", "segmentation", "monitoring", "assets"),
    *("suppliers", "effectiveness", "readiness", "corrective", "proportionality", "annex", "evidence", "findings"),
    *("attestations", "sign-off", "appendices"),
)


def with_incident() -> AuditResult:
    result = sample.sample()
    return replace(result, incidents=incidents(result.findings))


def made(result: AuditResult, language: str = "en", **more: object) -> Document:
    return nis2(Case(result, load_texts(language), "cd" * 32, **more))  # type: ignore[arg-type]


def record(document: Document, name: str) -> dict[str, Field]:
    found = next(block for block in blocks(document) if isinstance(block, Record) and block.id == name)
    return {field.label: field for field in found.rows}


def walk(sections: tuple[Section, ...]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from walk(section.sections)


def watched() -> Watched:
    day = 86_400 * 10**9
    begun = sample.sample().captures[0].first_time
    finding = sample.sample().findings[0].id
    periods = (
        WatchedPeriod(1, begun, begun + day, "whole", True, "0.1.0", "aa", 10, 1, 8, 2, 1, 3),
        WatchedPeriod(2, begun + 2 * day, begun + 3 * day, "broken", False, "0.1.0", "bb"),
    )
    return Watched(
        begun,
        begun + 3 * day,
        periods,
        (Gap(begun + day, begun + 2 * day, "not_running"), Gap(begun + 2 * day, begun + 3 * day, "not_kept")),
        (Health("high", "Packets are lost", "2 %", "resolved", begun, begun + day),),
        (Decided(1, begun + day, "Eva Horn", "acceptance", finding, begun + 9 * day, "ticket 7", True, finding),),
        Told(5, 1, begun),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [*RESULTS, with_incident])
def test_every_result_gives_a_document_whose_links_have_ends(make: Callable[[], AuditResult], language: str) -> None:
    result = make()
    more = {"incident": result.incidents[0].id, "aware": AWARE, "entity": ENTITY} if result.incidents else {}
    document = made(result, language, **more)
    targets = {span.target for found in texts(document) for span in found if span.target}
    assert targets <= anchors(document)
    ids = [block.id for block in blocks(document) if isinstance(block, Table | Figure | Record)]
    ids += [section.id for section in walk(document.sections)]
    assert len(ids) == len(set(ids))
    assert all(len(row) == len(found.columns) for found in tables(document) for row in found.rows)
    assert Page(html(document, load_texts(language))).tags["h1"] == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_never_says_a_forbidden_word(language: str) -> None:
    document = made(with_incident(), language, entity=ENTITY, aware=AWARE)
    told = Page(html(document, load_texts(language))).text.lower()
    # One point of the annex is called "Compliance monitoring"; Art. 21(4) is about non-compliance that was found.
    assert not re.search(
        r"complian|konformit|\bscore of\b|gesamtpunkt", re.sub("(non-compliance found|compliance monitoring)", "", told)
    )


def test_all_parts_are_there_and_limits_stand_before_results() -> None:
    assert [section.id for section in made(sample.sample()).sections] == list(ORDER)
    assert len(SECTIONS) == len(ORDER)


def test_every_measure_and_every_point_is_told() -> None:
    document = made(sample.sample())
    assert [row[0] for row in cells(table(document, "measures"))] == [row.id for row in framework("nis2").requirements]
    points = [
        row[0] for found in tables(document) if re.fullmatch(r"table-annex-\d+", found.id) for row in cells(found)
    ]
    assert sorted(points) == sorted(row.id for row in framework("nis2-annex").requirements)


def test_sheets_follow_the_annex() -> None:
    known = [row.id for row in framework("nis2-annex").requirements]
    points = [point for sheet in SHEETS for point in sheet.points]
    assert [point for point in known if point in points] == points
    document = made(sample.sample())
    sheets = next(section for section in document.sections if section.id == "sheets")
    assert [section.id for section in sheets.sections] == [f"sheet-{sheet.id.replace('.', '-')}" for sheet in SHEETS]


def test_an_example_is_ticked_only_where_the_report_holds_it() -> None:
    with_policy = {row[0]: row[1:] for row in cells(table(made(sample.sample()), "examples-6-8"))}
    without = {row[0]: row[1:] for row in cells(table(made(sample.without_policy()), "examples-6-8"))}
    assert with_policy["Approved concept of segmentation"] == ["✓ in this report", "Segmentation dossier"]
    assert without["Approved concept of segmentation"] == ["– to be attached", ""]
    assert with_policy["Record of the last review of segmentation"][0] == "– to be attached"


def test_what_the_entity_does_not_say_is_to_be_filled_in() -> None:
    document = made(sample.sample())
    fields = record(document, "entity")
    assert {(plain(field.cell), field.origin) for field in fields.values()} == {("to be filled in", "open")}
    told = "".join(map(plain, texts(document)))
    assert "Which national act applies" in told
    assert "Does the entity provide a service that Regulation (EU) 2024/2690 names" in told


def test_what_the_entity_says_is_marked_as_its_own_words() -> None:
    document = made(sample.sample(), entity=ENTITY)
    fields = record(document, "entity")
    assert {field.origin for field in fields.values()} == {"declared"}
    assert plain(fields["Sector"].cell) == "drinking water"
    assert document.subtitle == "Riverside Water"
    told = "".join(map(plain, texts(document)))
    assert "The pack is read under: BSIG" in told
    assert "Its annex does not bind the entity" in told
    row = next(row for row in cells(table(document, "measures")) if row[0] == "Art. 21(2)(b)")
    assert (row[2], row[5], row[6]) == ("no. 2", "Head of OT", "2027-01-31")
    assert next(row for row in cells(table(document, "measures")) if row[0] == "Art. 21(2)(c)")[5] == "OPEN"


def test_the_annex_binds_whom_it_names() -> None:
    told = "".join(map(plain, texts(made(sample.sample(), entity=Entity(services=("cloud",))))))
    assert "for these its annex binds" in told
    assert "Binding for the services that the entity states." in told


def test_the_statement_of_the_management_is_never_filled() -> None:
    document = made(with_incident(), entity=ENTITY, aware=AWARE)
    assert all(field.origin == "open" and field.lines for field in record(document, "governance-record").values())
    section = next(section for section in document.sections if section.id == "governance")
    assert any(isinstance(block, SignOff) for block in section.blocks)


def test_without_awareness_there_is_no_deadline() -> None:
    document = made(with_incident())
    due = {row[0]: row[3] for row in cells(table(document, "clock"))}
    assert {due[name] for name in ("Art. 23(4)(a)", "Art. 23(4)(b)", "Art. 23(4)(d)")} == {"OPEN"}
    assert all(record(document, name)["Aware since"].origin == "open" for name in DRAFTS[:4])


def test_deadlines_are_those_of_the_article_in_utc() -> None:
    document = made(with_incident(), aware=AWARE)
    due = {row[0]: row[3] for row in cells(table(document, "clock"))}
    assert list(due) == [row.id for row in deadlines()]
    assert due["Art. 23(4)(a)"] == "2026-03-03 09:40:00 UTC"
    assert due["Art. 23(4)(b)"] == "2026-03-05 09:40:00 UTC"
    assert due["Art. 23(4)(d)"] == "2026-04-05 09:40:00 UTC"
    assert plain(record(document, "draft-warning")["Due at the latest"].cell) == "2026-03-03 09:40:00 UTC"
    assert plain(record(document, "draft-notification")["Due at the latest"].cell) == "2026-03-05 09:40:00 UTC"
    trust = made(with_incident(), aware=AWARE, entity=Entity(services=("trust_service",)))
    assert cells(table(trust, "clock"))[1][3] == "2026-03-03 09:40:00 UTC"


def test_drafts_hold_what_was_measured_and_leave_blank_what_a_person_must_say() -> None:
    result = with_incident()
    incident = result.incidents[0]
    document = made(result, aware=AWARE, incident=incident.id)
    warning = record(document, "draft-warning")
    assert warning["Incident"].origin == "observed"
    assert incident.title in plain(warning["Incident"].cell)
    assert warning["Devices"].origin == "observed"
    assert len([span for span in warning["Devices"].cell if span.kind == "asset"]) == len(incident.assets)
    for name in ("Unlawful or malicious cause suspected?", "Cross-border impact?"):
        assert (warning[name].origin, warning[name].lines > 0) == ("open", True)
    final = record(document, "draft-final")
    for name in ("Type of threat, root cause", "Impact on the service", "Measures taken and ongoing"):
        assert (final[name].origin, final[name].lines > 0) == ("open", True)
    assert len(table(document, "steps").rows) == len(incident.steps)
    assert cells(table(document, "incidents"))[0][-1] == "✓ this one"
    log = record(document, "significance-log")
    assert all(field.origin == "open" and field.lines and not plain(field.cell) for field in log.values())


def test_without_a_named_incident_the_drafts_are_forms() -> None:
    document = made(with_incident(), aware=AWARE)
    names = {found.id for found in tables(document)}
    assert not names & {"table-indicators", "table-acts", "table-growth", "table-steps", "table-proof"}
    assert record(document, "draft-warning")["Incident"].origin == "open"
    assert "Name one with --incident ID" in "".join(map(plain, texts(document)))


def test_every_command_of_the_incident_that_was_not_allowed_is_in_its_table() -> None:
    result = with_incident()
    incident = result.incidents[0]
    assert set(incident.assets) == {LAPTOP, "plc-3"}
    ends = [row for row in result.verdicts if {row.client, row.server} == set(incident.assets)]
    wrote = replace(ends[0], operation="write", function="write_single_register", events=7, refused=2, unanswered=1)
    allowed = replace(wrote, verdict="allowed", function="write_single_coil")
    others = replace(wrote, server="plc-4")
    found = replace(result, verdicts=(*result.verdicts, wrote, allowed, others))
    document = made(found, incident=incident.id)
    (row,) = cells(table(document, "acts"))
    assert row[1:] == ["modbus", "write_single_register", "write", "7", "2", "1"]
    assert plain(record(document, "draft-notification")["Commands not allowed"].cell) == "write 7"


def test_a_sensor_tells_its_gaps_its_health_and_its_answers() -> None:
    document = made(sample.sample(), watched=watched())
    assert [row[3] for row in cells(table(document, "gaps"))] == [
        "The sensor did not run.",
        "The result was removed for its age.",
    ]
    assert [row[3] for row in cells(table(document, "periods"))] == ["whole", "not kept"]
    assert [row[3] for row in cells(table(document, "health"))] == ["Packets are lost"]
    assert cells(table(document, "answered"))[0][4] == "Eva Horn"
    assert cells(table(document, "decisions"))[0][3] == "acceptance"
    assert cells(table(document, "effect"))[0][1:] == ["3", "1", "8", "2"]
    told = "".join(map(plain, texts(document)))
    assert "2 policies were in force in the span" in told
    assert "33.3 % of the span" in told
    alone = "".join(map(plain, texts(made(sample.sample()))))
    assert "how a sensor ran is not known" in alone
    assert "table-gaps" not in {found.id for found in tables(made(sample.sample()))}


@pytest.mark.parametrize(("part", "name"), [("articles", "nis2"), ("annex", "nis2-annex")])
def test_the_german_catalogue_has_every_requirement_and_no_more(part: str, name: str) -> None:
    found = in_language(part, "de")
    assert set(found) == {row.id for row in framework(name).requirements}
    for row in framework(name).requirements:
        title, wording = found[row.id]
        assert bool(wording) == bool(row.text)
        assert title or wording


def test_the_german_catalogue_has_every_duty_and_every_heading() -> None:
    found = in_language("reporting", "de")
    assert set(found) == {row.id for row in deadlines()}
    assert all(bool(found[row.id][1]) == bool(row.deadline) for row in deadlines())
    assert set(in_language("groups", "de")) == {group.id for group in framework("nis2-annex").groups}
    assert in_language("articles", "en") == {}


def test_the_german_pack_quotes_no_title_of_a_requirement_in_english() -> None:
    document = made(sample.sample(), "de")
    assert {span.language for row in table(document, "measures").rows for span in row[1]} == {""}
    assert cells(table(document, "measures"))[0][1] == "Leitungsorgane"
