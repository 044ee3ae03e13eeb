"""Reads the catalogue. Every file is read once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from zonewatch.reports.catalogue.model import (
    RELATIONS,
    Attack,
    Component,
    Deadline,
    FactKind,
    Framework,
    Group,
    Mitigation,
    Origin,
    RecordItem,
    Relations,
    Requirement,
    Technique,
)

__all__ = [
    "FRAMEWORKS",
    "attack",
    "components",
    "counts",
    "deadlines",
    "fact_kinds",
    "framework",
    "in_language",
    "record_items",
]

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's is ten times as fast; PyYAML may have been built without."""
_OTHERS: Final = ("nist-800-82r3", "nist-csf-2.0", "cisa-cpg-2.0", "tsa-sd-pipeline-2021-02", "nerc-cip")
_LISTS: Final = ("controls", "subcategories", "goals", "sections", "requirements")
"""What these frameworks call their requirements."""
FRAMEWORKS: Final = ("iec62443-3-3", "iec62443-3-2", "iec62443-2-1", "nis2", "nis2-annex", *_OTHERS)
"""The ids of all frameworks."""


@cache
def _read(name: str) -> dict[str, Any]:
    text = files("zonewatch.reports.catalogue").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.load(text, _LOADER)
    return values


@cache
def framework(name: str) -> Framework:
    """The framework of this id. Raises KeyError for an id that is none of `FRAMEWORKS`."""
    return _READERS[name]() if name in _READERS else _other(name)


@cache
def fact_kinds() -> Mapping[str, FactKind]:
    """The vocabulary of facts by id, in its order."""
    return {row["id"]: FactKind(**row) for row in _read("facts")["facts"]}


@cache
def attack() -> Attack:
    """MITRE ATT&CK for ICS."""
    data = _read("attack-ics")
    return Attack(
        title=data["standard"],
        license=data["license"],
        tactics=tuple(data["tactics"]),
        techniques=tuple(_technique(row) for row in data["techniques"]),
        mitigations=tuple(
            Mitigation(row["id"], row["name"], _words(row, "iec62443_3_3"), _words(row, "nist_800_53r5"))
            for row in data["mitigations"]
        ),
        origins=_origins(data),
    )


@cache
def deadlines() -> tuple[Deadline, ...]:
    """The duties to report of NIS2 Art. 23."""
    return tuple(
        Deadline(row["id"], row["title"], row["deadline"] or "", row["content"], _words(row, "tool_gives"))
        for row in _read("nis2")["reporting"]
    )


@cache
def in_language(part: str, language: str) -> Mapping[str, tuple[str, ...]]:
    """Titles and own wording of NIS2 in another language than English, by id; nothing where there are none.

    `part` is articles (title, text), annex (the same), reporting (title, deadline, content) or groups (title).
    """
    if not files("zonewatch.reports.catalogue").joinpath(f"data/nis2.{language}.yaml").is_file():
        return {}
    rows: dict[str, Any] = _read(f"nis2.{language}")[part]
    return {name: (row,) if isinstance(row, str) else tuple(row) for name, row in rows.items()}


@cache
def record_items() -> tuple[RecordItem, ...]:
    """The parts of the record of a zone or conduit (IEC 62443-3-2 ZCR 6.4)."""
    items = _read("iec62443-3-2")["zone_conduit_record"]["items"]
    return tuple(RecordItem(row["item"], row["content"], row["policy_field"], row["origin"]) for row in items)


@cache
def components() -> tuple[Component, ...]:
    """The requirements of IEC 62443-4-2."""
    data = _read("iec62443-3-2")["iec62443_4_2_2019"]
    hints = data["observable_hint"]
    return tuple(
        Component(row["id"], row["title"], kind, row.get("min_sl", 0), hints.get(row["id"], ""), row.get("note", ""))
        for kind, rows in data["components"].items()
        for row in rows
    )


def counts(name: str) -> Mapping[str, Any]:
    """The counts that a file (its name without suffix) states of itself."""
    found: dict[str, Any] = _read(name)["counts"]
    return found


def _words(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(row.get(key) or ())


def _origins(data: Mapping[str, Any]) -> tuple[Origin, ...]:
    return tuple(Origin(row["what"], row["from"], row["verified"]) for row in data["source"])


def _relations(row: Mapping[str, Any]) -> Relations:
    evidence = row.get("evidence") or {}
    return Relations(**{name: _words(evidence, name) for name in RELATIONS}, note=evidence.get("note", ""))


def _requirement(framework: str, row: Mapping[str, Any], **more: Any) -> Requirement:
    return Requirement(
        framework=framework,
        id=row["id"],
        title=row.get("title") or row["desc"],
        observable=row["observable"],
        text=row.get("desc", ""),
        relations=_relations(row),
        min_sl=row.get("min_sl", 0),
        baselines=_words(row, "baseline_800_53"),
        draft=row.get("tool_can_draft", ""),
        **more,
    )


def _security() -> Framework:
    """IEC 62443-3-3: constraints, then requirements each with its enhancements."""
    name, data = "iec62443-3-3", _read("iec62443-3-3")
    found = [_requirement(name, row, group="constraints") for row in data["constraints"]]
    for part in data["foundational_requirements"]:
        place = {"group": part["id"], "foundation": part["abbrev"]}
        for row in part["requirements"]:
            found.append(_requirement(name, row, **place))
            found += [_requirement(name, inner, parent=row["id"], **place) for inner in row.get("enhancements") or ()]
    return Framework(
        id=name,
        title=data["standard"],
        verified=data["verified"],
        requirements=tuple(found),
        groups=(
            Group("constraints", "Common constraints"),
            *(Group(row["id"], row["title"], row["desc"], row["abbrev"]) for row in data["foundational_requirements"]),
        ),
        origins=_origins(data),
        note=data["warning"],
        zoned=True,
    )


def _risk() -> Framework:
    """IEC 62443-3-2: the zone and conduit requirements."""
    name, data = "iec62443-3-2", _read("iec62443-3-2")
    return Framework(
        id=name,
        title="IEC 62443-3-2:2020",
        verified=data["verified"],
        requirements=tuple(
            _requirement(name, row, group=part["id"]) for part in data["zcr"] for row in part["requirements"]
        ),
        groups=tuple(Group(part["id"], part["title"]) for part in data["zcr"]),
        origins=_origins(data),
    )


def _programme() -> Framework:
    """IEC 62443-2-1: the asset owner's security programme."""
    name, file = "iec62443-2-1", _read("iec62443-3-2")
    data = file["iec62443_2_1_2024"]
    elements = [(part, element) for part in data["spe"] for element in part["elements"]]
    return Framework(
        id=name,
        title="IEC 62443-2-1:2024",
        verified=data["verified"],
        requirements=tuple(
            _requirement(name, row, group=element["id"]) for _, element in elements for row in element["requirements"]
        ),
        groups=tuple(Group(item["id"], item["title"], "", part["id"]) for part, item in elements),
        origins=_origins(file),
        note=data["note"],
    )


def _directive() -> Framework:
    """The directive's own articles."""
    data = _read("nis2")
    return Framework(
        id="nis2",
        title="Directive (EU) 2022/2555 (NIS2)",
        verified=data["verified"],
        requirements=tuple(_requirement("nis2", row) for row in data["articles"]),
        origins=_origins(data),
        note=data["scope_note"],
    )


def _annex() -> Framework:
    """The annex of the implementing regulation."""
    name, data = "nis2-annex", _read("nis2")
    return Framework(
        id=name,
        title="Commission Implementing Regulation (EU) 2024/2690, Annex",
        verified=data["verified"],
        requirements=tuple(_points(name, data["annex_2024_2690"])),
        groups=tuple(Group(part["id"], part["title"], "", part["implements"]) for part in data["annex_2024_2690"]),
        origins=_origins(data),
        note=data["scope_note"],
    )


def _points(name: str, parts: Iterable[Mapping[str, Any]]) -> Iterator[Requirement]:
    for part in parts:
        for row in part["points"]:
            yield _requirement(name, row, group=part["id"])
            for inner in row.get("subpoints") or ():
                yield _requirement(name, inner, group=part["id"], parent=row["id"])


def _other(name: str) -> Framework:
    data = next((row for row in _read("other")["frameworks"] if row["id"] == name), None)
    if data is None:
        raise KeyError(name)
    rows = next(data[key] for key in _LISTS if key in data)
    return Framework(
        id=name,
        title=data["standard"],
        verified=data["verified"],
        requirements=tuple(_requirement(name, row) for row in rows),
        origins=_origins(data),
        note=data.get("note", ""),
    )


def _technique(row: Mapping[str, Any]) -> Technique:
    former = row.get("v18") or {}
    return Technique(
        id=row["id"],
        name=row["name"],
        tactics=_words(row, "tactics"),
        observable=row["observable"],
        facts=_words(row, "facts"),
        evidence=_words(row, "evidence"),
        caveat=row.get("caveat", ""),
        components=_words(row, "attack_network_data_components"),
        mitigations=_words(row, "mitigations"),
        requirements=_words(row, "sr_crosswalk"),
        parent=row.get("parent", ""),
        former=former.get("id", ""),
        former_name=former.get("name", ""),
    )


_READERS: Final = {
    "iec62443-3-3": _security,
    "iec62443-3-2": _risk,
    "iec62443-2-1": _programme,
    "nis2": _directive,
    "nis2-annex": _annex,
}
