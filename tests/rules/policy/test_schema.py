"""The published schema is the model's, and both say the same of a file."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.rules.plant import POLICY
from tests.rules.policy.test_load import FULL
from zonewatch.rules.policy.document import read
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.schema import SCHEMA_PATH, policy_schema

jsonschema = pytest.importorskip("jsonschema")
PLANT = Path(__file__).parents[3] / "pcaps" / "waterworks" / "policy.yaml"
VALIDATOR = jsonschema.Draft202012Validator(
    policy_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
WRONG: tuple[Any, ...] = (None, True, 7, -1, 2.5, "", "x", "sis", "2026-12-01", [], ["x"], [7], {}, {"id": "x"})


def as_json(text: str) -> Any:
    """What an editor sees: dates are text."""
    return json.loads(json.dumps(read(text).values, default=str))


def agree(data: Any) -> tuple[bool, bool]:
    try:
        Policy.model_validate(copy.deepcopy(data))
        loads = True
    except ValidationError as error:
        # What only the order of two values decides, no JSON Schema can say.
        loads = all(item["type"] == "policy" and "before it begins" in item["msg"] for item in error.errors())
    return loads, VALIDATOR.is_valid(data)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    part = data
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return data


def test_the_published_schema_is_current() -> None:
    assert json.loads(SCHEMA_PATH.read_text("utf-8")) == policy_schema()


@pytest.mark.parametrize("text", [POLICY, FULL, PLANT.read_text("utf-8")], ids=["short", "full", "waterworks"])
def test_the_schema_accepts_what_loads(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(as_json(text))] == []


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_schema_and_model_agree_wherever_a_value_is_wrong(wrong: Any) -> None:
    data = as_json(FULL)
    differ = [path for path in places(data) if len(set(agree(changed(data, path, wrong)))) > 1]
    assert differ == []


def test_schema_and_model_agree_on_keys_that_nobody_knows_or_that_miss() -> None:
    data = as_json(FULL)
    for path in places(data):
        part = data
        for key in path:
            part = part[key]
        if isinstance(part, dict):
            assert agree(changed(data, path, {**part, "unheard": 1})) == (False, False), path
            for key in part:
                rest = {name: value for name, value in part.items() if name != key}
                one, other = agree(changed(data, path, rest))
                assert one == other, (path, key)


def test_every_key_of_the_file_is_described_to_editors() -> None:
    schema = policy_schema()
    flow = schema["$defs"]["Flow"]["properties"]
    assert "read" in json.dumps(flow["operations"])
    assert "modbus" in json.dumps(flow["protocol"])
    assert all("description" in part for part in schema["$defs"].values())
