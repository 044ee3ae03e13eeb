"""Reads the lists, audits the captures, and compares.

`captures.csv`  which captures are benign, attacks, or hostile by design (fuzzed, malformed: neither counts)
`attacks.csv`   each labelled attack: capture, label, frames (empty: all of it), the rules of which one has to find it
`argued.csv`    findings of high or critical severity on benign captures that are true, each with its argument; attacks
                that are not found, each with the reason
"""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.rules.sigma.detect import Detection, load_detection
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.pipeline import Given, assess
from zonewatch.sensor.sources import sources

HERE: Final = Path(__file__).parent
GRAVE: Final = ("high", "critical")
LEAST: Final = "low"  # an attack is found by a finding of at least this severity

Kind = Literal["benign", "attack", "hostile"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One labelled attack."""

    capture: str
    label: str
    first: int  # frame; 0: the whole capture
    last: int
    rules: tuple[str, ...]  # names; `*` stands for anything


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the audit of one capture says to its label."""

    capture: str
    kind: Kind
    grave: tuple[tuple[str, str, str], ...]  # of a benign one: rule, severity, title
    attacks: tuple[tuple[Attack, str], ...]  # each with the rule that found it; empty: none did


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def kinds() -> tuple[tuple[str, Kind], ...]:
    """Patterns of paths with what the captures are; the first that fits counts."""
    return tuple((row["captures"], row["kind"]) for row in rows("captures.csv"))  # type: ignore[misc]


def kind_of(capture: str) -> Kind | None:
    return next((kind for pattern, kind in kinds() if fnmatch.fnmatchcase(capture, pattern)), None)


@cache
def attacks() -> tuple[Attack, ...]:
    return tuple(
        Attack(row["capture"], row["label"], int(row["first"] or 0), int(row["last"] or 0), tuple(row["rules"].split()))
        for row in rows("attacks.csv")
    )


@cache
def argued() -> tuple[tuple[str, str, str], ...]:
    """Pattern of captures, rule or label, argument."""
    return tuple((row["captures"], row["rule"], row["argument"]) for row in rows("argued.csv"))


def argument(capture: str, what: str) -> str:
    """Why a finding on a benign capture is true, or an attack is not found; empty where nobody said."""
    return next((why for pattern, name, why in argued() if name == what and fnmatch.fnmatchcase(capture, pattern)), "")


def judged(folder: Path, capture: str) -> Outcome | None:
    """The outcome of one capture; none of one that is in no list."""
    kind = kind_of(capture)
    if kind is None or kind == "hostile":
        return None
    findings = audited(folder / capture)
    if kind == "benign":
        grave = tuple((one.rule, one.severity, one.title) for one in findings if one.severity in GRAVE)
        return Outcome(capture, kind, grave, ())
    labelled = [attack for attack in attacks() if fnmatch.fnmatchcase(capture, attack.capture)]
    return Outcome(capture, kind, (), tuple((attack, found_by(attack, findings)) for attack in labelled))


@cache
def rules() -> Detection:
    """The rules as they are delivered, loaded once a process."""
    return load_detection()


def audited(path: Path) -> tuple[Finding, ...]:
    """The findings of an audit without policy, assets or baseline."""
    return assess(decode(sources([str(path)], [])), Given(detection=rules()), title="").findings


def found_by(attack: Attack, findings: tuple[Finding, ...]) -> str:
    """The gravest rule that found it."""
    for finding in findings:
        wanted = any(fnmatch.fnmatchcase(finding.rule, name) for name in attack.rules)
        frames = [item.frame for item in finding.evidence]
        inside = not attack.first or any(attack.first <= frame <= attack.last for frame in frames)
        if wanted and inside and SEVERITIES.index(finding.severity) >= SEVERITIES.index(LEAST):
            return f"{finding.rule} ({finding.severity})"
    return ""


def captures(folder: Path) -> Iterator[str]:
    """Paths of the captures of the folder that are listed, in order."""
    with (folder / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        yield from sorted(row["file"] for row in csv.DictReader(file))
