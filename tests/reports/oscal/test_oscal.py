"""The document holds what OSCAL's model 1.1.3 asks for, and concludes nothing that the statuses do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.reports import sample
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import FRAMEWORKS, framework
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.oscal.results import STATES, assessment_results, dumps
from zonewatch.reports.oscal.words import line, token
from zonewatch.reports.result import AuditResult
from zonewatch.reports.statuses import statuses

SCHEMA = json.loads((Path(__file__).parent / "assessment-results.schema.json").read_text(encoding="utf-8"))
NAMES = ("sample", "without_policy", "hostile", "empty")
UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(params=NAMES)
def result(request: pytest.FixtureRequest) -> AuditResult:
    found: AuditResult = getattr(sample, request.param)()
    return found


def walked(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    yield place, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walked(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from walked(inner, place)


def test_it_is_what_the_schema_asks_for(result: AuditResult) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [
        f"{error.json_path}: {error.message}" for error in validator.iter_errors(assessment_results(result, "ab"))
    ] == []


def test_ids_are_unique_and_references_resolve(result: AuditResult) -> None:
    document = assessment_results(result, "ab")
    own = [value["uuid"] for _, value in walked(document) if isinstance(value, dict) and "uuid" in value]
    assert len(own) == len(set(own))
    assert all(UUID5.fullmatch(one) for one in own)
    referred = {value for name, value in walked(document) if name.endswith("-uuid")}
    assert referred <= set(own)
    plan = document["assessment-results"]["import-ap"]["href"]
    assert plan.removeprefix("#") in own
    told = document["assessment-results"]["results"][0]
    reviewed = {
        row["control-id"] for one in told["reviewed-controls"]["control-selections"] for row in one["include-controls"]
    }
    assert {finding["target"]["target-id"] for finding in told.get("findings", ())} <= reviewed


def test_nothing_is_empty_and_no_text_of_the_network_is_markup(result: AuditResult) -> None:
    for name, value in walked(assessment_results(result, "ab")):
        assert value not in ("", [], {}), name
        if isinstance(value, str):
            assert value.strip() == value, name
            # The value of a property is a string, and no markup.
            assert name == "value" or "<script" not in value.replace("\\<", ""), name


def test_only_what_is_concluded_is_a_finding(result: AuditResult) -> None:
    told = assessment_results(result, "ab")["assessment-results"]["results"][0]
    asked = statuses(framework("iec62443-3-3"), measure(result), result)
    states = sorted(STATES[row.status][0] for row in asked if row.status in STATES)
    assert sorted(one["target"]["status"]["state"] for one in told.get("findings", ())) == states
    satisfied = [one for one in told.get("findings", ()) if one["target"]["status"]["state"] == "satisfied"]
    assert len(satisfied) == sum(row.status == "supported" for row in asked)
    open_ones = sum(row.status not in STATES and row.status != "not_asked" for row in asked)
    titles = [one for one in told.get("observations", ()) if "Not concluded" in one["description"]]
    assert len(titles) == open_ones


def test_mini_captures_are_the_evidence() -> None:
    made = sample.sample()
    told = assessment_results(made, "ab")["assessment-results"]["results"][0]
    links = {one["href"] for row in told["observations"] for one in row.get("relevant-evidence", ()) if "href" in one}
    assert links == {f"evidence/{row.finding}.pcapng" for row in made.evidence}
    assert len(told["risks"]) == len(made.findings)


def test_the_same_result_gives_the_same_octets() -> None:
    assert dumps(sample.sample(), "ab") == dumps(sample.sample(), "ab")
    assert dumps(sample.sample(), "ab") != dumps(sample.sample(), "cd")


@pytest.mark.parametrize(
    ("given", "made"), [("SR 1.1 RE 1", "sr-1.1-re-1"), ("1-a", "_1-a"), ("", "none"), ("é", "none")]
)
def test_tokens(given: str, made: str) -> None:
    assert token(given) == made


def test_markup_is_escaped() -> None:
    assert line("a *b* <c>\n[d](e)") == r"a \*b\* \<c\> \[d\]\(e\)"


@pytest.mark.parametrize("names", [("nis2", "nis2-annex"), *((name,) for name in FRAMEWORKS)], ids="+".join)
def test_each_framework_has_control_ids_of_its_own(names: tuple[str, ...]) -> None:
    found = assessment_results(sample.sample(), "ab", names)
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(found)) == []
    selections = found["assessment-results"]["results"][0]["reviewed-controls"]["control-selections"]
    ids = [row["control-id"] for one in selections for row in one["include-controls"]]
    assert len(ids) == len(set(ids)) == sum(len(framework(name).requirements) for name in names)


def test_controls_of_sp_800_53_have_the_ids_of_its_catalogue() -> None:
    found = assessment_results(sample.sample(), "ab", ("nist-800-82r3",))
    (selection,) = found["assessment-results"]["results"][0]["reviewed-controls"]["control-selections"]
    ids = {row["control-id"] for row in selection["include-controls"]}
    assert "ac-2" in ids
    assert all(re.fullmatch(r"[a-z]{2}-[0-9]+(\.[0-9]+)?", one) for one in ids)


def test_what_persons_attest_is_their_observation_and_no_conclusion() -> None:
    zone = sample.sample().zones[0].id
    stated = Attestation("SR 1.3", "iec62443-3-3", zone, "N. N.", "2026-03-01", "D-4", "0" * 64)
    found, without = (assessment_results(sample.sample(), "ab", attested=given) for given in ((stated,), ()))
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(found)) == []
    told, before = (one["assessment-results"]["results"][0] for one in (found, without))
    assert told.get("findings") == before.get("findings")
    (row,) = [one for one in told["observations"] if one["methods"] == ["EXAMINE"]]
    assert row["collected"] == "2026-03-01T00:00:00Z"
    assert row["relevant-evidence"][0]["props"][0]["value"] == "0" * 64
