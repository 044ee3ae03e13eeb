"""`zonewatch audit`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from zonewatch.dissectors.decoder import Source
from zonewatch.inventory.declared import DeclaredAsset, read_assets
from zonewatch.reports import terminal
from zonewatch.reports.json_result import dumps
from zonewatch.reports.result import AuditResult
from zonewatch.reports.rows import Console
from zonewatch.reports.second_opinion import sentences
from zonewatch.reports.words import visible
from zonewatch.reports.write import write_result
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.findings import SEVERITIES, Severity
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.tags.read import read_tags
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.evidence import prove, versions
from zonewatch.sensor.inputs import moment, refuse_unreadable, say_unread
from zonewatch.sensor.memory import give_back, uncollected_to_the_end
from zonewatch.sensor.pipeline import Given, assess, write_events
from zonewatch.sensor.progress import shown
from zonewatch.sensor.proof.inputs import Named, collected, write_inputs
from zonewatch.sensor.ruleset import given_rules
from zonewatch.sensor.sources import sources, total_bytes
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL, UsageError


def audit(
    inputs: list[str],
    named: list[str],
    *,
    policy: Path | None,
    assets: Path | None,
    tags: Path | None,
    baseline: Path | None,
    own: list[Path],
    detection: Path | None,
    out: Path,
    json: str,
    begin: str,
    end: str,
    as_of: str,
    second: bool = False,
    fail_on: Severity | None,
    language: str = "en",
) -> None:
    """Audits captures into a folder."""
    errors = Console(stderr=True)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder for the result, new or of an audit before")
    points = sources(inputs, named)
    declared = read_assets(assets) if assets is not None else ()
    given = Given(
        policy=_read_policy(policy, declared) if policy is not None else None,
        policy_name=policy.name if policy is not None else "",
        policy_sha256=hashlib.sha256(policy.read_bytes()).hexdigest() if policy is not None else "",
        declared=declared,
        begin=moment("--from", begin),
        end=moment("--to", end),
        as_of=moment("--as-of", as_of),
        tags=read_tags(tags) if tags is not None else (),
        baseline=_read_baseline(baseline) if baseline is not None else None,
        detection=given_rules(own, detection),
    )
    before, octets = versions(points), total_bytes(points)
    with shown(errors, octets) as progress:
        tables = decode(points, progress=progress)
    refuse_unreadable(tables["coverage"].select(["capture", "status", "problem"]).to_pylist(), errors)
    with uncollected_to_the_end():
        result = assess(tables, given, title=given.policy.suc.name if given.policy is not None else "")
        out.mkdir(parents=True, exist_ok=True)
        write_inputs(collected(Named(policy, assets, tags, baseline, detection, own, given.begin, given.end)), out)
        write_events(tables, result.inventory, out)
        give_back()
        with shown(errors, octets, "collecting evidence") as progress:
            proven = prove(result, tables, points, before, out, progress)
        result = proven.result
        say_unread(proven.unread, errors)
        if second:
            result = _asked(result, points, errors)
        write_result(result, out, language=language)
        if json == "-":
            sys.stdout.write(dumps(result))
        else:
            if json:
                Path(json).write_text(dumps(result), encoding="utf-8")
            terminal.render(result, Console(), folder=str(out))
    raise typer.Exit(_outcome(result, fail_on, partial=result.partial or bool(proven.unread)))


def _asked(result: AuditResult, points: Sequence[Source], errors: Console) -> AuditResult:
    """The result with a second opinion; one clear line where there is none to be had."""
    from zonewatch.sensor.second_opinion.run import second_opinion

    with errors.status("asking tshark") as status:
        opinion = second_opinion(points, lambda name: status.update(f"asking tshark about {visible(name)}"))
    if not opinion.version:
        errors.print(f"zonewatch: no second opinion: {opinion.problem}", markup=False, soft_wrap=True)
    return replace(result, second_opinion=opinion, limits=(*result.limits, *sentences(opinion)))


def _read_policy(file: Path, declared: Sequence[DeclaredAsset]) -> Policy:
    from zonewatch.rules.policy.load import load_policy

    return load_policy(file, [asset.id for asset in declared])


def _read_baseline(file: Path) -> Baseline:
    from zonewatch.rules.baseline.file import load_baseline

    return load_baseline(file).baseline


def _outcome(result: AuditResult, fail_on: Severity | None, *, partial: bool) -> int:
    if fail_on is not None:
        least = SEVERITIES.index(fail_on)
        if any(SEVERITIES.index(finding.severity) >= least for finding in result.findings):
            return FOUND
    return PARTIAL if partial else DONE
