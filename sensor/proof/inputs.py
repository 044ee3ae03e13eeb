"""`inputs/` written by an audit, and read again by whoever judges its findings anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.inventory.declared import read_assets
from zonewatch.reports.proof import given
from zonewatch.reports.proof.given import GIVEN, GivenFiles
from zonewatch.reports.proof.manifest import Input, RuleSetName
from zonewatch.reports.write import write_octets
from zonewatch.rules.sigma.detect import BUNDLED
from zonewatch.rules.sigma.files import all_files, files
from zonewatch.rules.tags.read import read_tags
from zonewatch.sensor.pipeline import Given
from zonewatch.sensor.ruleset import given_rules

__all__ = ["Named", "collected", "read_given", "rule_set", "write_inputs"]

_COPIES: Final[Mapping[str, str]] = {
    "policy": "inputs/policy.yaml",
    "assets": "inputs/assets.csv",
    "tags": "inputs/tags.csv",
    "detection": "inputs/detection.yaml",
}
"""Copies of which there is one, by kind. Of a baseline the hash alone is kept: what deviates needs all the traffic."""


@dataclass(frozen=True, slots=True)
class Named:
    """The files that the user named besides captures."""

    policy: Path | None = None
    assets: Path | None = None
    tags: Path | None = None
    baseline: Path | None = None
    detection: Path | None = None
    own: Sequence[Path] = ()
    begin: int | None = None
    end: int | None = None


def collected(named: Named) -> dict[str, bytes]:
    """The files of `inputs/` by their names in the folder. Raises OSError."""
    made: dict[str, bytes] = {}
    rows = []
    for kind in ("policy", "assets", "tags", "baseline", "detection"):
        path: Path | None = getattr(named, kind)
        if path is not None:
            octets, copy = path.read_bytes(), _COPIES.get(kind, "")
            rows.append(Input(kind, path.name, hashlib.sha256(octets).hexdigest(), copy))
            if copy:
                made[copy] = octets
    for number, path in enumerate(all_files(named.own), 1):
        octets, copy = path.read_bytes(), f"inputs/rules-{number:04d}.yml"
        rows.append(Input("rules", path.name, hashlib.sha256(octets).hexdigest(), copy))
        made[copy] = octets
    rules = rule_set(row.sha256 for row in rows if row.kind in ("rules", "detection"))
    told = GivenFiles(1, tuple(rows), rules, named.begin or 0, named.end or 0)
    return {**made, GIVEN: given.dumps(told).encode()}


def rule_set(others: Iterable[str]) -> RuleSetName:
    """Names the bundled rules of this installation together with other files of rules, by their SHA-256."""
    lines = [*_bundled(), *others]
    return RuleSetName(hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest(), len(lines))


def _bundled() -> Iterator[str]:
    for path in files(BUNDLED):
        yield f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(BUNDLED).as_posix()}"


def write_inputs(made: Mapping[str, bytes], folder: Path) -> None:
    """Writes them; those of an audit before that are not among them go. Raises OSError."""
    place = folder / given.FOLDER
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(place.iterdir()):
        name = f"{given.FOLDER}/{path.name}"
        if given.is_ours(name) and name not in made:
            path.unlink()
    for name, octets in made.items():
        write_octets(folder / name, octets)


def read_given(folder: Path, told: GivenFiles, as_of: int) -> Given:
    """What the audit judged by, out of the copies of a folder.

    Raises OSError, ListError, PolicyErrors and RuleErrors: a copy is as hostile as any file.
    """
    from zonewatch.rules.policy.load import load_policy  # which an audit without a policy need not wait for

    copies = {row.kind: row for row in told.files if row.copy and row.kind in _COPIES}
    paths = {kind: folder / row.copy for kind, row in copies.items()}
    declared = read_assets(paths["assets"]) if "assets" in paths else ()
    policy = load_policy(paths["policy"], [asset.id for asset in declared]) if "policy" in paths else None
    own = [folder / row.copy for row in told.files if row.kind == "rules" and row.copy]
    return Given(
        policy=policy,
        policy_name=copies["policy"].name if "policy" in copies else "",
        policy_sha256=copies["policy"].sha256 if "policy" in copies else "",
        declared=declared,
        as_of=as_of,
        tags=read_tags(paths["tags"]) if "tags" in paths else (),
        detection=given_rules(own, paths.get("detection")),
    )
