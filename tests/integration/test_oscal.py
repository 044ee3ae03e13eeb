"""OSCAL documents are valid by the official schema, as NIST's own library carries it (model 1.1.2)."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import jsonschema
import pytest

from tests.reports import sample
from tests.servers.parts import maven
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import FRAMEWORKS
from zonewatch.reports.oscal.results import assessment_results

pytestmark = pytest.mark.integration

ATTESTED = Attestation("SR 1.3", "iec62443-3-3", "", "N. N.", "2026-03-01", "D-4", "0" * 64)


def _for_python(value: Any) -> Any:
    """Patterns of the schema name letters and numbers as ECMA-262 does; Python has other words for them."""
    if isinstance(value, dict):
        return {
            name: inner.replace(r"\p{L}", r"[^\W\d_]").replace(r"\p{N}", r"\d")
            if name == "pattern" and isinstance(inner, str)
            else _for_python(inner)
            for name, inner in value.items()
        }
    return [_for_python(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    with zipfile.ZipFile(maven("gov.nist.secauto.oscal", "liboscal-java", "3.0.3", "jar")) as jar:
        return jsonschema.Draft7Validator(_for_python(json.loads(jar.read("schema/json/oscal-ar_schema.json"))))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", ["sample", "without_policy", "hostile", "empty"])
def test_the_official_schema_holds(official: jsonschema.Draft7Validator, name: str, framework: str) -> None:
    document = assessment_results(getattr(sample, name)(), "ab", (framework,), (ATTESTED,))
    assert [f"{error.json_path}: {error.message}" for error in official.iter_errors(document)] == []


def test_what_is_no_document_is_not_valid(official: jsonschema.Draft7Validator) -> None:
    document = assessment_results(sample.sample())
    del document["assessment-results"]["metadata"]
    assert not official.is_valid(document)
