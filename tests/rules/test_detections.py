"""The rules of control protocols: what each file says of itself, and its own examples."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import pytest
import yaml
from sigma.collection import SigmaCollection

from zonewatch.rules.sigma.compile import predicate
from zonewatch.rules.sigma.examples import fires as fired
from zonewatch.rules.sigma.load import inspect
from zonewatch.rules.sigma.model import Correlation, Rule
from zonewatch.rules.sigma.taxonomy import FIELDS

FOLDER: Final = Path(__file__).parents[2] / "rules" / "detections"
GROUPS: Final = ("modbus", "dnp3", "bacnet", "profibus", "s7comm", "opcua", "ot")
CATALOGUE: Final = Path(__file__).with_name("catalogue.csv")
ROWS: Final = list(csv.DictReader(CATALOGUE.read_text().splitlines()))
NAMED: Final = {name for row in ROWS for name in row["rules"].split()}
FILES: Final = sorted(
    path for path in FOLDER.glob("*/*.yml") if path.parent.name in GROUPS or f"{path.parent.name}.{path.stem}" in NAMED
)

FOUND, ERRORS = inspect(FILES)
RULES: Final = {rule.name: rule for rule in FOUND.rules}
CORRELATIONS: Final = {rule.name: rule for rule in FOUND.correlations}
TOLD: Final[dict[str, Rule | Correlation]] = {
    **{rule.name: rule for rule in FOUND.rules if not rule.seed},
    **CORRELATIONS,
}

# Revoked by ATT&CK for ICS 19, which gives the technique another id: both are told.
REVOKED: Final = {
    "T1691.001": "T0803",
    "T1691.002": "T0804",
    "T1692.001": "T0855",
    "T1692.002": "T0856",
    "T1693.001": "T0857",
    "T1693.002": "T0839",
    "T1694.001": "T0812",
    "T1694.002": "T0891",
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}.{path.stem}"


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def test_there_are_rules_and_nothing_is_wrong_with_them() -> None:
    assert not ERRORS
    assert len(FILES) >= 60


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_sigma_and_says_all_that_a_finding_needs(path: Path) -> None:
    SigmaCollection.from_dicts(documents(path), collect_errors=False)
    *seeds, rule = documents(path)
    name = name_of(path)
    assert rule["name"] == name
    for document in (*seeds, rule):
        assert document["id"] == str(uuid5(NAMESPACE_URL, f"zonewatch:{document['name']}"))
        assert document["taxonomy"] == "zonewatch"
    assert all(seed["name"].startswith(f"{name}.") and seed["zonewatch"] == {"seed": True} for seed in seeds)
    assert bool(seeds) == ("correlation" in rule)
    for key in ("title", "description", "references", "level", "tags", "fields", "falsepositives"):
        assert rule[key], key
    assert len(rule["title"]) <= 100
    assert not rule["title"].endswith(".")
    assert rule["zonewatch"]["remedy"].endswith(".")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_tags_are_techniques_with_their_revoked_ids_and_requirements(path: Path) -> None:
    tags = documents(path)[-1]["tags"]
    assert len(set(tags)) == len(tags)
    techniques = [tag.removeprefix("attack.").upper() for tag in tags if tag.startswith("attack.")]
    assert techniques
    assert all(re.fullmatch(r"T(0[89]\d\d|169[1-5])(\.00\d)?", technique) for technique in techniques)
    assert any(re.fullmatch(r"iec62443\.sr-[1-7]\.\d{1,2}", tag) for tag in tags)
    for number, technique in enumerate(techniques):
        if technique in REVOKED:
            assert techniques[number + 1] == REVOKED[technique]
        if technique in REVOKED.values():
            assert techniques[number - 1] in REVOKED


def test_names_and_ids_are_there_once() -> None:
    ids = [document["id"] for path in FILES for document in documents(path)]
    names = [document["name"] for path in FILES for document in documents(path)]
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)
    titles = Counter(documents(path)[-1]["title"] for path in FILES)
    assert titles.most_common(1)[0][1] == 1


def test_the_fields_of_examples_are_those_of_their_category() -> None:
    for rule in TOLD.values():
        bases = FOUND.base(rule) if isinstance(rule, Correlation) else (rule.name,)
        known = set.union(*(set(FIELDS[RULES[name].category]) for name in bases))
        for record in (*rule.match, *rule.differ):
            assert record.keys() <= known, rule.name


@pytest.mark.parametrize("name", [name for name, rule in TOLD.items() if isinstance(rule, Rule)])
def test_a_rule_hits_its_examples_and_not_what_differs(name: str) -> None:
    rule = RULES[name]
    assert rule.match
    assert rule.differ
    hits = predicate(rule.condition)
    assert [record for record in rule.match if not hits(record)] == []
    assert [record for record in rule.differ if hits(record)] == []


@pytest.mark.parametrize("name", sorted(CORRELATIONS))
def test_a_correlation_fires_on_its_examples_and_not_on_what_differs(name: str) -> None:
    rule = CORRELATIONS[name]
    assert rule.match
    assert rule.differ
    assert fires(rule, rule.match)
    assert not fires(rule, rule.differ)


@pytest.mark.parametrize("name", sorted(CORRELATIONS))
def test_a_correlation_needs_all_of_its_examples(name: str) -> None:
    rule = CORRELATIONS[name]
    if len(rule.match) > 1:
        assert not fires(rule, rule.match[:-1])


def fires(rule: Correlation, records: tuple[Any, ...]) -> bool:
    """True if the sensor finds the correlation in these records."""
    return fired(rule, FOUND, records)


def test_severe_rules_need_more_than_what_every_client_does() -> None:
    """Plain reads, writes and controls of a host in its role are no finding, with or without a policy."""
    everyday = [
        {"ot.protocol": "modbus", "modbus.function_code": 16, "ot.operation": "write"},
        {"ot.protocol": "dnp3", "dnp3.function_code": 5, "ot.operation": "operate", "ot.target.kind": "analog-output"},
        {"ot.protocol": "dnp3", "dnp3.function_code": 21, "ot.operation": "subscribe", "ot.target.kind": "class"},
        {"ot.protocol": "dnp3", "dnp3.function_code": 2, "ot.operation": "time", "ot.target.kind": "time"},
        {"ot.protocol": "bacnet", "bacnet.service": "write_property", "ot.operation": "write", "bacnet.priority": 8},
        {"ot.protocol": "bacnet", "bacnet.service": "subscribe_cov", "ot.operation": "subscribe"},
        {"ot.protocol": "s7comm", "s7comm.function": "write_var", "ot.operation": "write"},
    ]
    places = [
        {"policy.approved": False, "source.asset.declared": False},
        {"policy.approved": True, "conduit.verdict": "allowed", "conduit.crosses_zone": True},
    ]
    for record in everyday:
        for place in places:
            whole = {
                **record,
                **place,
                "ot.status": "ok",
                "ot.message": "request",
                "ot.changes_state": record["ot.operation"] != "subscribe",
                "source.asset.role": "hmi_scada",
                "destination.asset.role": "controller",
                "network.direction": "internal",
            }
            severe = {
                name
                for name, rule in RULES.items()
                if rule.level not in ("informational", "low") and predicate(rule.condition)(whole)
            }
            assert severe == set(), (record, place)


def test_every_row_of_the_catalogue_has_its_rules_or_a_reason() -> None:
    assert [int(row["number"]) for row in ROWS] == list(range(1, 80))
    for row in ROWS:
        rules = row["rules"].split()
        assert row["state"] in ("rule", "correlation", "detector", "not_yet")
        assert bool(rules) == (row["state"] != "not_yet")
        assert rules or row["reason"]
        assert set(rules) <= TOLD.keys()
        if row["state"] == "correlation":
            assert CORRELATIONS.keys() & set(rules)
        if row["state"] == "detector":
            assert any(RULES[name].category == "detection" for name in rules if name in RULES)
