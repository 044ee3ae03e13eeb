"""The catalogue agrees with itself: ids, levels, counts, and every name that one part uses of another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import get_args

import pytest
import yaml

from zonewatch.reports.catalogue import load
from zonewatch.reports.catalogue.model import FOUNDATIONS, RELATIONS, Observable, Polarity, Requirement
from zonewatch.rules.detectors import DETECTORS

FILES = ("attack-ics", "facts", "iec62443-3-2", "iec62443-3-3", "nis2", "other")


def requirements(*names: str) -> Iterator[Requirement]:
    for name in names or load.FRAMEWORKS:
        yield from load.framework(name).requirements


@pytest.mark.parametrize("name", FILES)
def test_libyaml_reads_the_same_as_python_does(name: str) -> None:
    text = files("zonewatch.reports.catalogue").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8")
    assert yaml.load(text, yaml.SafeLoader) == load._read(name)


@pytest.mark.parametrize("name", load.FRAMEWORKS)
def test_ids_are_unique_and_parents_and_groups_are_known(name: str) -> None:
    framework = load.framework(name)
    ids = Counter(row.id for row in framework.requirements)
    assert [row for row, count in ids.items() if count > 1] == []
    assert all(row.parent in ids for row in framework.requirements if row.parent)
    groups = {group.id for group in framework.groups}
    assert len(groups) == len(framework.groups)
    assert {row.group for row in framework.requirements} == (groups or {""})
    assert all(row.framework == name for row in framework.requirements)


def test_an_unknown_framework_is_refused() -> None:
    with pytest.raises(KeyError):
        load.framework("iso27001")


@pytest.mark.parametrize("name", load.FRAMEWORKS)
def test_every_requirement_says_what_it_is_about(name: str) -> None:
    for row in requirements(name):
        assert row.title, row.id
        assert row.observable in get_args(Observable), row.id
        used = [fact for relation in RELATIONS for fact in getattr(row.relations, relation)]
        assert set(used) <= set(load.fact_kinds()), row.id
        assert not set(row.relations.refutes) & set(row.relations.supports), f"{row.id}: a fact for and against"
        if row.observable == "none":
            assert not row.relations.refutes, f"{row.id}: not observable, yet refuted by traffic"
            assert not row.relations.supports, f"{row.id}: not observable, yet supported by traffic"
        if row.observable == "full":
            assert row.relations.supports or row.relations.refutes, f"{row.id}: observable by no fact"


def test_levels_add_up_to_what_the_standard_counts() -> None:
    told = load.counts("iec62443-3-3")
    rows = [row for row in requirements("iec62443-3-3") if row.foundation]
    assert sum(not row.parent for row in rows) == told["SR"]
    assert sum(bool(row.parent) for row in rows) == told["RE"]
    levels = Counter(f"SL{row.min_sl}" for row in rows)
    assert levels == told["new_at_level"]
    assert {row.foundation for row in rows} == set(FOUNDATIONS)
    assert all(row.min_sl == 0 for row in requirements("iec62443-3-3") if not row.foundation)


def test_a_row_of_levels_begins_at_its_lowest_one() -> None:
    data = load._read("iec62443-3-3")
    for part in data["foundational_requirements"]:
        for row in part["requirements"]:
            for item in (row, *row.get("enhancements", ())):
                expected = {f"SL{level}": level >= item["min_sl"] for level in (1, 2, 3, 4)}
                assert item["sl"] == expected, item["id"]


def test_an_enhancement_asks_for_no_lower_level_than_its_requirement() -> None:
    rows = {row.id: row for row in requirements("iec62443-3-3")}
    for row in rows.values():
        if row.parent:
            assert row.id.startswith(f"{row.parent} RE(")
            assert row.min_sl >= rows[row.parent].min_sl, row.id


def test_the_other_files_hold_as_much_as_they_say() -> None:
    risk, law, other = (load.counts(name) for name in ("iec62443-3-2", "nis2", "other"))
    assert len(load.framework("iec62443-3-2").requirements) == risk["ZCR"]
    assert len(load.framework("iec62443-2-1").requirements) == risk["2-1 requirements"]
    assert Counter(row.kind for row in load.components()) == risk["4-2"]
    assert len(load.framework("nis2").requirements) == law["articles"]
    assert len(load.deadlines()) == law["reporting"]
    annex = load.framework("nis2-annex").requirements
    assert sum(not row.parent for row in annex) == law["annex_points"]
    assert sum(bool(row.parent) for row in annex) == law["annex_subpoints_mapped"]
    for name in load.FRAMEWORKS[-5:]:
        assert len(load.framework(name).requirements) == other[name], name
    for file, names in {
        "iec62443-3-3": load.FRAMEWORKS[:1],
        "iec62443-3-2": load.FRAMEWORKS[1:3],
        "nis2": load.FRAMEWORKS[3:5],
        "other": load.FRAMEWORKS[5:],
    }.items():
        assert Counter(row.observable for row in requirements(*names)) == load.counts(file)["observable_all_entries"]


def test_facts_are_described() -> None:
    kinds = load.fact_kinds()
    assert len(kinds) == len(load._read("facts")["facts"]) == 91
    for name, kind in kinds.items():
        assert re.fullmatch(r"(cov|inv|flow|sec|svc|op|mon)\.[a-z0-9_]+", name)
        assert kind.title
        assert kind.measured
        assert kind.polarity in get_args(Polarity)


def test_only_facts_that_may_refute_or_support_do() -> None:
    """A fact that is context alone is never evidence for or against anything."""
    kinds = load.fact_kinds()
    for row in requirements():
        assert all(kinds[fact].polarity in ("negative", "both") for fact in row.relations.refutes), row.id
        assert all(kinds[fact].polarity in ("positive", "both") for fact in row.relations.supports), row.id


def test_attack_agrees_with_itself_and_with_the_requirements() -> None:
    attack, told = load.attack(), load.counts("attack-ics")
    ids = [row.id for row in attack.techniques]
    assert len(set(ids)) == len(ids)
    assert sum(not row.parent for row in attack.techniques) == told["techniques"]
    assert sum(bool(row.parent) for row in attack.techniques) == told["sub_techniques"]
    assert len(attack.mitigations) == told["mitigations"]
    assert Counter(row.observable for row in attack.techniques) == told["observable"]
    known = {row.id for row in requirements("iec62443-3-3")}
    mitigations = {row.id for row in attack.mitigations}
    for row in attack.techniques:
        assert set(row.facts) <= set(load.fact_kinds()), row.id
        assert set(row.tactics) <= set(attack.tactics), row.id
        assert set(row.mitigations) <= mitigations, row.id
        assert set(row.requirements) <= known, row.id
        assert not row.parent or row.parent in ids, row.id
    for item in attack.mitigations:
        assert set(item.iec62443) <= known, item.id
    assert "MITRE" in attack.license


def test_what_detectors_and_rules_name_is_in_the_catalogue() -> None:
    techniques = {name for row in load.attack().techniques for name in (row.id, row.former) if name}
    known = {row.id for row in requirements("iec62443-3-3")}
    for detector in DETECTORS:
        assert set(detector.technique) <= techniques, detector.id
        assert set(detector.requirement) <= known, detector.id
    for folder in files("zonewatch.rules").joinpath("detections").iterdir():
        for file in folder.iterdir():
            text = file.read_text(encoding="utf-8")
            named = {name.upper() for name in re.findall(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", text)}
            assert named <= techniques, file.name
            asked = {name.replace("-", " ").upper() for name in re.findall(r"iec62443\.(sr-[0-9.]+[0-9])", text)}
            assert asked <= known, file.name


def test_marks_of_the_sources_are_kept() -> None:
    """What was never compared with its source says so."""
    for name in load.FRAMEWORKS:
        framework = load.framework(name)
        assert framework.origins, name
        assert framework.verified is True
    own = [origin for origin in load.framework("iec62443-3-3").origins if not origin.verified]
    assert [origin.what for origin in own] == ["Counts per level", "descriptions, observable, evidence"]


def test_the_record_of_a_zone_has_all_its_parts() -> None:
    assert "".join(item.id for item in load.record_items()) == "abcdefghijklmn"
