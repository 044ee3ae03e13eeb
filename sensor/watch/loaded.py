"""What traffic is judged by, read from the files that the settings name; read anew when the daemon is told to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zonewatch.inventory.declared import read_assets
from zonewatch.rules.baseline.file import load_baseline
from zonewatch.rules.policy.load import load_policy
from zonewatch.rules.tags.read import read_tags
from zonewatch.sensor.pipeline import Given
from zonewatch.sensor.proof.inputs import Named, collected
from zonewatch.sensor.ruleset import given_rules
from zonewatch.sensor.watch.settings import JudgeSettings


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force, with the texts that the store keeps."""

    given: Given
    title: str
    policy: str  # text of the file; empty: none
    baseline: str
    inputs: Mapping[str, bytes]
    """The files of `inputs/`, as an audit writes them: names, hashes and copies of all that is in force."""


def load(settings: JudgeSettings) -> Loaded:
    """Reads all files. Raises what the command line tells in a line: UsageError, ListError, PolicyErrors, RuleErrors,
    OSError."""
    declared = read_assets(settings.assets) if settings.assets is not None else ()
    known = [asset.id for asset in declared]
    policy = load_policy(settings.policy, known) if settings.policy is not None else None
    text = _text(settings.policy)
    given = Given(
        policy=policy,
        policy_name=settings.policy.name if settings.policy is not None else "",
        policy_sha256=hashlib.sha256(text.encode()).hexdigest() if text else "",
        declared=declared,
        tags=read_tags(settings.tags) if settings.tags is not None else (),
        baseline=load_baseline(settings.baseline).baseline if settings.baseline is not None else None,
        detection=given_rules(settings.rules, settings.detection),
    )
    own = tuple(settings.rules)
    inputs = collected(
        Named(settings.policy, settings.assets, settings.tags, settings.baseline, settings.detection, own)
    )
    return Loaded(given, policy.suc.name if policy is not None else "", text, _text(settings.baseline), inputs)


def _text(path: Path | None) -> str:
    return path.read_bytes().decode("utf-8", errors="replace") if path is not None else ""
