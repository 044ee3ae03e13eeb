"""The rules beside the control protocols: their own examples, handles of detectors, and the catalogue."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa
import pytest
import yaml

from zonewatch.rules.baseline.deviation import KINDS
from zonewatch.rules.detectors import DETECTORS
from zonewatch.rules.sigma.examples import fires as fired
from zonewatch.rules.sigma.load import inspect
from zonewatch.rules.sigma.model import Correlation, Rule
from zonewatch.rules.sigma.run import judge
from zonewatch.rules.sigma.taxonomy import FIELDS

FOLDER: Final = Path(__file__).parents[2] / "rules" / "detections"
GROUPS: Final = (
    "policy",
    "pivot",
    "exposure",
    "reconnaissance",
    "baseline",
    "infrastructure",
    "malware",
    "network",
    "protocol",
    "process",
)
FILES: Final = sorted(path for group in GROUPS for path in (FOLDER / group).glob("*.yml"))
ROWS: Final = list(csv.DictReader(Path(__file__).with_name("catalogue_it.csv").read_text().splitlines()))

FOUND, ERRORS = inspect(FILES)
RULES: Final = {rule.name: rule for rule in FOUND.rules}
TOLD: Final[dict[str, Rule | Correlation]] = {
    **{rule.name: rule for rule in FOUND.rules if not rule.seed},
    **{rule.name: rule for rule in FOUND.correlations if rule.match},
}
ARROW: Final = {
    "keyword": pa.utf8(),
    "ip": pa.utf8(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.int64(),
}


def test_nothing_is_wrong_with_the_rules() -> None:
    assert not ERRORS
    assert len(FILES) >= 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_file_says_all_that_a_finding_needs(path: Path) -> None:
    *seeds, rule = yaml.safe_load_all(path.read_text())
    name = f"{path.parent.name}.{path.stem}"
    assert rule["name"] == name
    for document in (*seeds, rule):
        assert document["id"] == str(uuid5(NAMESPACE_URL, f"zonewatch:{document['name']}"))
    assert all(seed["name"].startswith(f"{name}.") and seed["zonewatch"] == {"seed": True} for seed in seeds)
    for key in ("title", "description", "falsepositives", "fields", "level"):
        assert rule[key], key
    assert rule["zonewatch"]["remedy"].endswith(".")


def table(category: str, records: Iterable[Any]) -> pa.Table:
    """Records as the sensor has them; fields that no record has are not there."""
    rows = [
        {"event.start": row["@timestamp"], "event.end": row["@timestamp"], "event.count": 1} | row
        for row in ({"@timestamp": number} | dict(record) for number, record in enumerate(records))
    ]
    columns = {}
    for name, field in FIELDS[category].items():  # type: ignore[index]
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            kind = ARROW[field.type]
            lists = [list(value) if isinstance(value, tuple) else value and [value] for value in values]
            columns[name] = pa.array(lists, pa.list_(kind)) if field.many else pa.array(values, kind)
    return pa.table(columns)


@pytest.mark.parametrize("name", sorted(name for name, rule in TOLD.items() if isinstance(rule, Rule)))
def test_a_rule_hits_its_examples_and_not_what_differs(name: str) -> None:
    rule = RULES[name]
    for records, wanted in ((rule.match, range(len(rule.match))), (rule.differ, ())):
        assert records
        hits = judge([rule], {rule.category: table(rule.category, records)})
        assert [row for hit in hits for row in hit.rows.to_pylist()] == list(wanted)


@pytest.mark.parametrize("name", sorted(name for name, rule in TOLD.items() if isinstance(rule, Correlation)))
def test_a_correlation_fires_on_its_examples_and_not_on_what_differs(name: str) -> None:
    rule = TOLD[name]
    assert isinstance(rule, Correlation)
    assert fires(rule, rule.match)
    assert rule.differ
    assert not fires(rule, rule.differ)
    assert not fires(rule, rule.match[:-1]), "it takes all of the examples"


def fires(rule: Correlation, records: tuple[Any, ...]) -> bool:
    """True if the sensor finds the correlation in these records."""
    return fired(rule, FOUND, records)


HANDLES: Final = [
    *((one.id, one.title, one.severity, one.owner, one.remedy, one.technique, one.requirement) for one in DETECTORS),
    *(
        (
            f"baseline.{kind}",
            about.title,
            "medium",
            "both" if about.part in ("who", "role") else "OT",
            about.remedy,
            about.technique,
            about.requirement,
        )
        for kind, about in KINDS.items()
    ),
]


@pytest.mark.parametrize("handle", HANDLES, ids=lambda handle: handle[0])
def test_every_native_detector_has_its_handle(handle: tuple[Any, ...]) -> None:
    name, title, severity, *rest = handle
    rule = RULES[name]
    level = {"info": "informational"}.get(severity, severity)
    assert (rule.title, rule.level) == (title, level)
    assert [rule.owner, rule.remedy, rule.techniques, rule.requirements] == rest
    assert rule.category == "detection"
    assert any(record["rule.id"] == name for record in rule.match)


def test_every_row_of_the_catalogue_has_its_rules_or_a_reason() -> None:
    assert [int(row["number"]) for row in ROWS] == list(range(80, 153))
    for row in ROWS:
        rules = [TOLD[name] for name in row["rules"].split()]
        assert bool(rules) == (row["state"] != "not_yet")
        assert bool(row["reason"]) == (row["state"] == "not_yet")
        kinds = {
            "correlation" if isinstance(rule, Correlation) else "detector" if rule.category == "detection" else "rule"
            for rule in rules
        }
        assert not rules or row["state"] == min(kinds, key=("correlation", "rule", "detector").index)
