"""The file that says who a report is about: all of it optional, every mistake with its place."""

from __future__ import annotations

import json

import pytest

from zonewatch.reports.entity import (
    MEASURES,
    SCHEMA_PATH,
    Entity,
    entity_schema,
    parse_entity,
)
from zonewatch.rules.policy.load import PolicyErrors

WHOLE = """\
name: Riverside Water
registration: DE-0815
sector: drinking_water
classification: essential
member_state: DE
national_act: BSIG
services: []
authority: {name: BSI, portal: "https://portal.example", phone: "1", email: a@b.example}
contacts:
  - {role: incident desk, name: Eva Horn, phone: "+49 30 1", email: eva@riverside.example}
measures:
  b: {owner: Head of OT, reference: "no. 2", review: 2027-01-31}
  j: {}
"""


def test_all_of_it_is_read() -> None:
    found = parse_entity(WHOLE, "entity.yaml")
    assert found.name == "Riverside Water"
    assert found.bound is False
    assert found.contacts[0].email == "eva@riverside.example"
    assert found.measures["b"].review is not None
    assert found.measures["b"].review.isoformat() == "2027-01-31"
    assert found.measures["j"].owner == ""


@pytest.mark.parametrize(
    ("text", "bound"),
    [("name: x\n", None), ("services: []\n", False), ("services: [cloud]\n", True), ("services:\n", None)],
)
def test_whether_the_regulation_binds_is_said_or_not_said(text: str, bound: bool | None) -> None:
    assert parse_entity(text, "e").bound is bound


@pytest.mark.parametrize("key", Entity.model_fields)
def test_every_key_may_be_absent_or_empty(key: str) -> None:
    assert parse_entity(f"{key}:\n", "e") == Entity()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae: x\n", "e.yaml:1:1: unknown key 'nmae'; did you mean 'name'?"),
        (
            "name: x\nsector: drinkingwater\n",
            "e.yaml:2:9: unknown sector 'drinkingwater'; did you mean 'drinking_water'?",
        ),
        ("classification: essental\n", "e.yaml:1:17: unknown classification 'essental'; did you mean 'essential'?"),
        ("member_state: UK\n", "e.yaml:1:15: unknown member_state 'UK'"),
        ("services: [clod]\n", "e.yaml:1:12: unknown services 'clod'; did you mean 'cloud'?"),
        ("contacts:\n  - {rol: a}\n", "e.yaml:2:6: unknown key 'rol'; did you mean 'role'?"),
        ("contacts: Eva\n", "e.yaml:1:11: contacts: must be a list"),
        ("measures:\n  k: {}\n", "e.yaml:2:6: unknown key 'k'; one of a, b, c"),
        ("measures:\n  b: {review: 2026-13-01}\n", "e.yaml:2:15: review: must be a valid date"),
        ("measures:\n  b: {ownr: x}\n", "e.yaml:2:7: unknown key 'ownr'; did you mean 'owner'?"),
        ("name: [a]\n", "e.yaml:1:7: name: must be text; write it in quotes"),
        ("registration: 815\n", "e.yaml:1:15: registration: must be text; write it in quotes"),
        ("- a\n", "e.yaml:1:1: describes no entity"),
        ("", "e.yaml:1:1: describes no entity"),
        ("name: x\n  y: z\n", "e.yaml:2"),
        (f"name: {'x' * 501}\n", "e.yaml:1:7: name: "),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyErrors) as caught:
        parse_entity(text, "e.yaml")
    assert str(caught.value).startswith(said)


def test_a_tag_makes_nothing_but_text() -> None:
    assert parse_entity("name: !!python/object/apply:os.abort x\n", "e").name == "x"


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(PolicyErrors) as caught:
        parse_entity("nmae: x\nsector: y\nmember_state: z\n", "e")
    assert [error.line for error in caught.value.errors] == [1, 2, 3]
    assert {error.code for error in caught.value.errors} == {"ZE001"}


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA_PATH.read_text("utf-8")) == json.loads(json.dumps(entity_schema()))


def test_the_measures_are_those_of_the_article() -> None:
    assert "".join(MEASURES) == "abcdefghij"
