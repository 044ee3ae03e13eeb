"""`zonewatch rules …`: what there is, what is wrong with it, and what it finds in a capture."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from zonewatch.inventory.declared import read_assets
from zonewatch.reports.rows import Column, Console, Rows, emit
from zonewatch.reports.tables import finding_rows
from zonewatch.reports.words import visible
from zonewatch.rules.baseline.file import load_baseline
from zonewatch.rules.policy.load import load_policy
from zonewatch.rules.policy.words import hint
from zonewatch.rules.sigma.check import as_json, as_text
from zonewatch.rules.sigma.check import check as check_rules
from zonewatch.rules.sigma.detect import BUNDLED, Detection, load_detection
from zonewatch.rules.sigma.examples import failed as failed_examples
from zonewatch.rules.sigma.files import all_files, files
from zonewatch.rules.sigma.model import Correlation, Described, Rule, RuleSet
from zonewatch.rules.tags.read import read_tags
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.inputs import refuse_unreadable
from zonewatch.sensor.options import Form, FormOption, OwnOption, SettingsOption
from zonewatch.sensor.pipeline import Given, assess
from zonewatch.sensor.progress import shown
from zonewatch.sensor.results import STORE
from zonewatch.sensor.ruleset import given_rules
from zonewatch.sensor.sources import sources, total_bytes
from zonewatch.sensor.usage import FOUND, UsageError

app: Final = typer.Typer(
    help="Detection rules: list, check and try them, convert them for a SIEM.", no_args_is_help=True
)


class ReportForm(StrEnum):
    """Forms of the report of the check."""

    text = "text"
    json = "json"


@app.command("list")
def list_(own: OwnOption = None, settings: SettingsOption = None, form: FormOption = Form.table) -> None:
    """Every rule that can tell something: name, level, and whether it is on."""
    detection = given_rules(own or [], settings)
    emit(_table(detection), form.value, sys.stdout)


def _table(detection: Detection) -> Rows:
    columns = (
        Column("name"),
        Column("level"),
        Column("reads", rank=2),
        Column("state"),
        Column("title", rank=1),
        Column("techniques", rank=3),
        Column("requirements", rank=4),
        Column("reason", rank=5),
    )
    rows = [
        (one.name, one.level, _reads(one), state, one.title, one.techniques, one.requirements, reason)
        for one in telling(detection.rules)
        for state, reason in (_state(one, detection),)
    ]
    return Rows(columns, tuple(sorted(rows)), "Rules")


def telling(rules: RuleSet) -> Iterator[Described]:
    """Rules and correlations, without those that only a correlation reads."""
    inner = {name for one in rules.correlations if not one.generate for name in one.rules}
    yield from (rule for rule in rules.rules if not rule.seed)
    yield from (one for one in rules.correlations if one.name not in inner)


def _reads(one: Described) -> str:
    return one.category if isinstance(one, Rule) else one.kind if isinstance(one, Correlation) else ""


def _state(one: Described, detection: Detection) -> tuple[str, str]:
    change = detection.settings.rules.get(one.name)
    if change is not None and change.enabled is not None:
        return ("on" if change.enabled else "off"), change.reason
    if change is not None and change.threshold is not None:
        return f"on, at {change.threshold}", change.reason
    return ("on", "") if one.enabled else ("off", one.reason)


@app.command()
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Rule files or folders; without any, the bundled rules."),
    ] = None,
    form: Annotated[ReportForm, typer.Option("--format", help="Form of the report.")] = ReportForm.text,
) -> None:
    """What is wrong with rules, each with line and column, and whether they hold by their own examples."""
    for path in paths or ():
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
    report = check_rules(paths or (BUNDLED,), beside=(BUNDLED,))
    sys.stdout.write(as_json(report) if form is ReportForm.json else as_text(report))
    raise typer.Exit(FOUND if report.errors else 0)


@app.command("test")
def try_(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule file, or the name of a rule.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="CAPTURE…", help="Captures, folders of captures, or -.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Zone policy (YAML) whose verdicts the rule may read.")] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV), whose roles the rule may read.")] = None,
    tags: Annotated[Path | None, typer.Option(help="Tag list (CSV) that names points.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="What was learned before, for rules on what is new.")] = None,
    own: OwnOption = None,
    form: FormOption = Form.table,
) -> None:
    """What one rule finds in captures. Exits with 1 where it finds nothing, or its own examples fail."""
    chosen = _chosen(rule, own)
    errors = Console(stderr=True)
    failed = tuple(failed_examples(chosen))
    for error in failed:
        errors.print(f"zonewatch: {visible(str(error))}", markup=False, soft_wrap=True)
    if not inputs:
        count = sum(len(one.match) + len(one.differ) for one in (*chosen.rules, *chosen.correlations))
        errors.print(f"{count} examples, {len(failed)} failed; name a capture to try the rule on traffic", markup=False)
        raise typer.Exit(FOUND if failed else 0)
    points = sources(inputs, [])
    with shown(errors, total_bytes(points)) as progress:
        tables = decode(points, progress=progress)
    refuse_unreadable(tables["coverage"].select(["capture", "status", "problem"]).to_pylist(), errors)
    declared = read_assets(assets) if assets is not None else ()
    given = Given(
        policy=load_policy(policy, [asset.id for asset in declared]) if policy is not None else None,
        declared=declared,
        tags=read_tags(tags) if tags is not None else (),
        baseline=load_baseline(baseline).baseline if baseline is not None else None,
        detection=Detection(chosen),
    )
    names = {one.name for one in telling(chosen)}
    result = assess(tables, given, title="", findings_alone=True)
    found = tuple(finding for finding in result.findings if finding.rule in names)
    emit(finding_rows(replace(result, findings=found)), form.value, sys.stdout)
    raise typer.Exit(0 if found and not failed else FOUND)


def _chosen(name: str, own: Iterable[Path] | None) -> RuleSet:
    """The rules of a file, or one rule with those that it reads; switched on whatever they say."""
    path = Path(name)
    if path.exists():
        known = load_detection([*(own or ()), path]).rules
        given = {one.resolve() for one in files(path)}
        mine = {one.name for one in (*known.rules, *known.correlations) if Path(one.path).resolve() in given}
    else:
        known = load_detection(list(own or ())).rules
        names = [one.name for one in telling(known)]
        if name not in names:
            raise UsageError(f"no rule {name!r}{hint(name, names)}, and no file of that name")
        mine = {name}
    for correlation in known.correlations:
        if correlation.name in mine:
            mine |= set(known.base(correlation)) | set(correlation.rules)
    return RuleSet(
        rules=tuple(replace(one, enabled=True) for one in known.rules if one.name in mine),
        correlations=tuple(replace(one, enabled=True) for one in known.correlations if one.name in mine),
    )


@app.command()
def convert(
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="T", help="Backend of pySigma: lucene, eql, esql, splunk …")
    ],
    rule: Annotated[list[str] | None, typer.Argument(metavar="RULE…", help="Names of rules; all without any.")] = None,
    pipeline: Annotated[
        str,
        typer.Option("--pipeline", "-p", help="zonewatch (its records), or zonewatch_icsnpp (Zeek's logs in Malcolm)."),
    ] = "zonewatch",
    form: Annotated[
        str, typer.Option("--form", "-f", help="Form of the backend: default, siem_rule_ndjson …")
    ] = "default",
    own: OwnOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for a file each instead of standard output.")] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="A sensor's folder, whose log of decisions tells of the export."),
    ] = None,
) -> None:
    """The rules as queries of a SIEM; for those that have none there, why."""
    if store is not None and not (store / STORE).is_file():
        raise UsageError(f"--store {store}: is no store of a sensor")
    written = hashlib.sha256()
    # pySigma takes half a second to import.
    from zonewatch.rules.siem.convert import ConvertError
    from zonewatch.rules.siem.convert import convert as converted

    errors = Console(stderr=True)
    names = [one.name for one in telling(given_rules(own or [], None).rules)]
    for name in rule or ():
        if name not in names:
            raise UsageError(f"no rule {name!r}{hint(name, names)}")
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    told = missing = 0
    try:
        for one in converted(
            list(all_files((BUNDLED, *(own or ())))),
            target,
            pipeline,
            form,
            frozenset(rule or ()),
        ):
            if one.reason:
                missing += 1
                errors.print(
                    f"zonewatch: {one.name}: not converted: {visible(one.reason, 300)}", markup=False, soft_wrap=True
                )
                continue
            told += 1
            written.update(f"{one.name}\0{one.query}\n".encode())
            if out is None:
                sys.stdout.write(f"# {one.name} ({one.level}): {one.title}\n{one.query}\n\n")
            else:
                out.mkdir(parents=True, exist_ok=True)
                (out / f"{one.name}.{target}").write_text(one.query + "\n", encoding="utf-8")
    except ConvertError as error:
        raise UsageError(str(error)) from None
    if store is not None:
        from zonewatch.sensor.decisions.ledger import log_export, who_runs_this

        target_name = str(out) if out is not None else "standard output"
        log_export(store, time.time_ns, who_runs_this(), f"rules {target}", target_name, written.hexdigest())
    errors.print(f"{told} rules converted, {missing} not", markup=False)


@app.command("template")
def template_() -> None:
    """The index template that converted queries need, as JSON for Elasticsearch or OpenSearch."""
    from zonewatch.rules.siem.index import template

    sys.stdout.write(json.dumps(template(), indent=2) + "\n")
