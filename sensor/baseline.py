"""`zonewatch baseline …`: learn what a network does, review it, and see what deviates."""

from __future__ import annotations

import datetime as dt
import difflib
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute
import typer

from zonewatch.dissectors.decoder import Decoder
from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.crowd import without_crowds
from zonewatch.inventory.declared import read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.reports.baseline import baseline_rows, deviation_rows
from zonewatch.reports.rows import Console, emit
from zonewatch.reports.words import visible
from zonewatch.rules.baseline.compare import compare as compared
from zonewatch.rules.baseline.file import BaselineFile, load_baseline
from zonewatch.rules.baseline.learn import Observed, learned, observed
from zonewatch.rules.baseline.merge import extended, is_learned
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.baseline.policy import drafted
from zonewatch.rules.baseline.rhythm import moments, times_of
from zonewatch.rules.baseline.rows import Names
from zonewatch.rules.baseline.states import StageError, reviewed, signed, verified
from zonewatch.rules.context import listing, times
from zonewatch.rules.draft.text import new_file, summary
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.load import load_policy
from zonewatch.sensor.decoding import AnyTables, threads
from zonewatch.sensor.inputs import refuse_unreadable
from zonewatch.sensor.options import Form, FormOption, Inputs, SourceOption
from zonewatch.sensor.policy_traffic import inventory_of
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import packets_only, sources, total_bytes
from zonewatch.sensor.usage import FOUND, PARTIAL, UsageError

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

app: Final = typer.Typer(help="What the network usually does: learned, reviewed, compared.", no_args_is_help=True)

_STEP: Final = 250_000
_CHANGING: Final = pa.array(sorted(STATE_CHANGING))
_TABLES: Final = ("events", "aggregates", "flows", "activities", "claims", "addresses", "oddities", "coverage")


class Stage(StrEnum):
    """Stages of an asset, for `--to`."""

    learning = "learning"
    review = "review"
    enforcing = "enforcing"


BaselineArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The baseline (YAML).")]
PolicyOption = Annotated[Path | None, typer.Option(help="Zone policy (YAML) whose assets name the devices.")]
AssetsOption = Annotated[Path | None, typer.Option(help="Known assets (CSV) that name the devices.")]
ByOption = Annotated[str, typer.Option(metavar="WHO", help="Who answers for it.")]
OnOption = Annotated[str, typer.Option(metavar="DAY", help="Day of it (ISO 8601); today by default.")]


class Traffic(NamedTuple):
    """Captures, read."""

    tables: AnyTables
    inventory: Inventory
    seen: Observed
    partial: bool


@app.command()
def learn(
    inputs: Inputs = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the baseline. Where it exists, what is newly seen is added.")
    ] = None,
    policy: PolicyOption = None,
    assets: AssetsOption = None,
    source: SourceOption = None,
) -> None:
    """Learn from captures. Lines that somebody has reviewed stay; what is beyond them waits for review."""
    errors = Console(stderr=True, highlight=False)
    if out is None:
        raise UsageError("--out FILE is needed")
    file = load_baseline(out) if out.exists() else None
    traffic = _read(inputs or [], source or [], policy, assets, file.baseline if file else None, errors)
    new = learned(traffic.seen, traffic.inventory, traffic.tables["coverage"])
    if file is not None:
        twice = is_learned(file.baseline, new.learned)
        if twice:
            raise UsageError(f"{out}: was learned from {listing(twice, 4)} already; counting it twice would say more")
        file = replace(file, baseline=extended(file.baseline, new))
    else:
        file = BaselineFile(new)
    _write(out, file)
    waiting = f", {times(len(file.baseline.pending), 'edge')} to review" if file.baseline.pending else ""
    known = f"{times(len(file.baseline.assets), 'asset')}, {times(len(file.baseline.edges), 'edge')}{waiting}"
    errors.print(f"{visible(str(out))}: {known}", markup=False, soft_wrap=True)
    _say_signature(out, file.baseline, errors)
    raise typer.Exit(PARTIAL if traffic.partial else 0)


@app.command()
def show(file: BaselineArgument, form: FormOption = Form.table) -> None:
    """The edges of a baseline: days, counts, operations, objects, periods, stage."""
    emit(baseline_rows(load_baseline(file).baseline), form.value, sys.stdout)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A baseline.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another one.")],
) -> None:
    """What differs in content, whatever the order and the comments. Exits with 1 where something does."""
    one, other = (BaselineFile(load_baseline(path).baseline).text.splitlines(keepends=True) for path in (old, new))
    lines = list(difflib.unified_diff(one, other, str(old), str(new)))
    sys.stdout.writelines(lines)
    raise typer.Exit(FOUND if lines else 0)


@app.command("compare")
def compare_(
    inputs: Inputs = None,
    baseline: Annotated[Path | None, typer.Option(help="What was learned before.")] = None,
    policy: PolicyOption = None,
    assets: AssetsOption = None,
    source: SourceOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also of assets that are still learning.")] = False,
    form: FormOption = Form.table,
) -> None:
    """What deviates from a baseline. Exits with 1 where something does."""
    errors = Console(stderr=True, highlight=False)
    if baseline is None:
        raise UsageError("--baseline FILE is needed")
    known = load_baseline(baseline).baseline
    _say_signature(baseline, known, errors)
    traffic = _read(inputs or [], source or [], policy, assets, known, errors)
    comparison = compared(known, traffic.seen, traffic.inventory, traffic.tables["coverage"])
    rows = comparison.deviations if everything else comparison.told
    emit(deviation_rows(rows, short=form is Form.table), form.value, sys.stdout)
    hidden = len(comparison.deviations) - len(rows)
    if hidden:
        errors.print(f"{times(hidden, 'deviation')} of assets that are still learning; --all shows them", markup=False)
    for text in comparison.limits:
        errors.print(visible(text), markup=False, soft_wrap=True)
    raise typer.Exit(FOUND if rows else PARTIAL if traffic.partial else 0)


@app.command()
def review(
    file: BaselineArgument,
    asset: Annotated[list[str] | None, typer.Option(metavar="ID", help="An asset of the baseline. Repeatable.")] = None,
    every: Annotated[bool, typer.Option("--every", help="All assets.")] = False,
    to: Annotated[Stage, typer.Option(help="The stage that it goes to.")] = Stage.review,
    by: ByOption = "",
    on: OnOption = "",
) -> None:
    """Move assets to another stage; what waited for their review counts from now on."""
    known = load_baseline(file)
    wanted = [item.id for item in known.baseline.assets] if every else asset or []
    if not wanted:
        raise UsageError("name an asset with --asset ID, or --every")
    try:
        _write(file, replace(known, baseline=reviewed(known.baseline, wanted, to.value, by, _day(on))))
    except StageError as error:
        raise UsageError(f"{file}: {error}") from None


@app.command()
def sign(file: BaselineArgument, by: ByOption = "", on: OnOption = "") -> None:
    """Give one's word for the content as it is: a digest of it, by whom, on which day."""
    known = load_baseline(file)
    try:
        _write(file, replace(known, baseline=signed(known.baseline, by, _day(on))))
    except StageError as error:
        raise UsageError(f"{file}: {error}") from None


@app.command()
def verify(file: BaselineArgument) -> None:
    """Whether the content is what was signed. Exits with 1 where it is not, or nobody has signed it."""
    known = load_baseline(file).baseline
    state = verified(known)
    who = f" by {visible(known.signed.by)} on {known.signed.on}" if known.signed is not None else ""
    told = {"unsigned": "nobody has signed it", "changed": f"changed since it was signed{who}"}
    typer.echo(f"{visible(str(file))}: {told.get(state, f'as signed{who}')}")
    raise typer.Exit(0 if state == "as signed" else FOUND)


@app.command("policy")
def policy_(
    file: BaselineArgument,
    out: Annotated[Path | None, typer.Option(help="File for the draft instead of standard output.")] = None,
) -> None:
    """A draft of a zone policy out of the lines that are enforced. Nothing is approved."""
    errors = Console(stderr=True, highlight=False)
    draft = drafted(load_baseline(file).baseline)
    if not draft.made.lines and not draft.made.review:
        raise UsageError(f"{file}: nothing is enforced yet; see zonewatch baseline review")
    text = new_file(draft.made)
    if out is None:
        sys.stdout.write(text)
    elif out.exists():
        raise UsageError(f"--out {out}: exists")
    else:
        out.write_text(text, encoding="utf-8")
    for line in summary(draft.made):
        errors.print(visible(line), markup=False, soft_wrap=True)
    if draft.left_out:
        errors.print(visible(f"Never answered, or of the internet: {listing(draft.left_out)}."), markup=False)


def _read(
    inputs: list[str],
    named: list[str],
    policy: Path | None,
    assets: Path | None,
    known: Baseline | None,
    errors: Console,
) -> Traffic:
    """The captures, with the moment of every event. Of events that only read, no more is kept."""
    points = sources(inputs, named)
    packets_only(points, "learning")
    declared = read_assets(assets) if assets is not None else ()
    if policy is not None:
        declared = declared_assets(load_policy(policy, [item.id for item in declared]), declared)
    decoder = Decoder(points, detail="events", threads=threads())
    pieces: dict[str, list[pa.Table]] = {name: [] for name in _TABLES}
    whole: list[pa.Table] = []
    going = True
    with shown(errors, total_bytes(points)) as progress:
        while going:
            going = decoder.advance(_STEP)
            for name in _TABLES:
                table = decoder.take(name)
                if name == "events":
                    whole.append(moments(table))
                    table = table.filter(pc.is_in(table["operation"].cast(pa.utf8()), value_set=_CHANGING))
                pieces[name].append(table)
            progress(decoder.packets, decoder.bytes_read)
    tables = {name: pa.concat_tables(found).unify_dictionaries() for name, found in pieces.items()}
    coverage = tables["coverage"].select(["capture", "status", "problem"]).to_pylist()
    refuse_unreadable(coverage, errors)
    tables, _ = without_crowds(tables)
    inventory = inventory_of(tables, declared)
    names = Names(inventory, known.assets if known is not None else ())
    told = times_of(pa.concat_tables(whole).unify_dictionaries(), names)
    seen = observed(inventory, tables, times=told, names=names)
    return Traffic(tables, inventory, seen, any(row["status"] != "whole" for row in coverage))


def _say_signature(path: Path, baseline: Baseline, errors: Console) -> None:
    if baseline.signed is not None and verified(baseline) == "changed":
        who = f"{visible(baseline.signed.by)} on {baseline.signed.on}"
        errors.print(f"{visible(str(path))}: changed since {who} signed it", markup=False, soft_wrap=True)


def _day(text: str) -> dt.date:
    if not text:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--on {text}: a day expected, such as 2026-03-02") from None


def _write(path: Path, file: BaselineFile) -> None:
    """All or nothing: a full disk leaves the file as it was."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(file.text, encoding="utf-8")
    if path.exists():
        new.chmod(path.stat().st_mode & 0o777)
    new.replace(path)
