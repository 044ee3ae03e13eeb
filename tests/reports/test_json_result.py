from __future__ import annotations

import json
from dataclasses import fields, replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from tests.reports import sample
from zonewatch.reports.codec import decode
from zonewatch.reports.json_result import ResultError, document, dumps, loads, result_schema
from zonewatch.reports.result import AuditResult, Capture, ordered
from zonewatch.rules.findings import SEVERITIES

RESULTS = {name: getattr(sample, name) for name in ("sample", "without_policy", "hostile", "empty")}


def strict(schema: Any) -> Any:
    """The schema with every object closed, so that an undeclared field is found."""
    if isinstance(schema, dict):
        closed = {key: strict(value) for key, value in schema.items()}
        return {**closed, "additionalProperties": False} if "properties" in schema and "type" in schema else closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("name", RESULTS)
def test_the_document_is_valid_and_has_no_undeclared_field(name: str) -> None:
    validator = jsonschema.Draft202012Validator(strict(result_schema()))
    assert [error.message for error in validator.iter_errors(document(RESULTS[name]()))] == []


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = json.loads((files("zonewatch.reports") / "schemas/result.schema.json").read_text())
    assert published == json.loads(json.dumps(result_schema()))
    jsonschema.Draft202012Validator.check_schema(published)


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_comes_back(name: str) -> None:
    result = RESULTS[name]()
    assert loads(dumps(result)) == ordered(result)


def test_every_section_of_the_result_is_written() -> None:
    written = set(document(sample.sample())) | {"version", "inventory"}
    assert {field.name for field in fields(AuditResult)} <= written


def test_order_of_rows_does_not_matter() -> None:
    result = sample.sample()
    inventory = replace(result.inventory, assets=result.inventory.assets[::-1], edges=result.inventory.edges[::-1])
    turned = replace(
        result,
        inventory=inventory,
        findings=result.findings[::-1],
        verdicts=result.verdicts[::-1],
        matrix=result.matrix[::-1],
        oddities=result.oddities[::-1],
    )
    assert dumps(turned) == dumps(result)


def test_severities_are_counted_side_by_side_and_never_summed() -> None:
    summary = document(sample.sample())["summary"]
    assert set(summary["open_findings"]) == set(SEVERITIES)
    assert not any("score" in key or "total" in key for key in summary)


def test_unknown_fields_are_passed_over_and_missing_ones_take_their_defaults() -> None:
    values = json.loads(dumps(sample.sample()))
    values["later"] = 1
    values["captures"][0]["later"] = 1
    del values["captures"][0]["clock_jumps"]
    assert loads(json.dumps(values)) == sample.sample()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"result_version": 2}, "result_version 2"),
        ({"assets": 1}, "assets: array"),
        ({"as_of": "yesterday"}, "as_of: time"),
        ({"as_of": 5}, "as_of: time"),
        ({"captures": [{"source": "a", "name": 7}]}, "captures[0].name: string"),
        ({"captures": [{"source": "a"}]}, "captures[0].name: a value"),
        ({"matrix": [None]}, "matrix[0]: object"),
        ({"zones": [{"id": "a", "purdue": "1"}]}, "zones[0].purdue: number"),
        ({"findings": [{"rule": "r", "identity": [["a"]]}]}, "findings[0].identity[0]: array of 2"),
        ({"title": []}, "title: string"),
    ],
)
def test_what_is_no_result_is_said_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ResultError) as raised:
        loads(json.dumps({**json.loads(dumps(sample.sample())), **change}))
    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[" * 100_000, '{"result_version": 1, "assets": {}}'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ResultError):
        loads(text)


def test_a_whole_number_is_a_level_too() -> None:
    assert decode(float | None, 2) == 2.0
    assert decode(Capture, {"source": "s", "name": "a.pcap"}) == Capture("s", "a.pcap")
