"""`zonewatch policy draft` and `replay`: the policy out of traffic, and traffic under a policy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import typer

from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.crowd import without_crowds
from zonewatch.inventory.declared import DeclaredAsset, read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables
from zonewatch.reports.replay import replay_rows, replay_summary
from zonewatch.reports.rows import Console, Format, emit
from zonewatch.reports.words import visible
from zonewatch.reports.write import read_result
from zonewatch.rules import replay as replaying
from zonewatch.rules.draft.make import beside, fresh
from zonewatch.rules.draft.text import change, new_file, review_lines, summary
from zonewatch.rules.draft.usage import without_zones
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.edit import EditError
from zonewatch.rules.policy.load import load_policy, parse_policy, read_text
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.verdicts import VerdictRow
from zonewatch.sensor.decoding import AnyTables, decode
from zonewatch.sensor.inputs import moment, refuse_unreadable
from zonewatch.sensor.pipeline import INVENTORY_TABLES, last_time, with_unknown_named, within
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import sources, total_bytes
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL, UsageError


def draft(
    inputs: list[str],
    named: list[str],
    *,
    out: Path | None,
    assets: Path | None,
    begin: str,
    end: str,
    purpose: list[str],
) -> None:
    """Writes a policy out of traffic."""
    errors = Console(stderr=True, highlight=False)
    purposes = _purposes(purpose)
    declared = read_assets(assets) if assets is not None else ()
    known = [asset.id for asset in declared]
    text = read_text(out) if out is not None and out.exists() else None
    policy = parse_policy(text, str(out), known) if text is not None else None
    tables, partial = read_traffic(inputs, named, begin, end, errors)
    if policy is not None:
        declared = declared_assets(policy, declared)
    tables, _ = with_unknown_named(tables, policy)
    inventory = inventory_of(tables, declared)
    as_of = last_time(tables["coverage"])
    if policy is None or text is None:
        made = fresh(inventory, tables, as_of, purposes)
        new = new_file(made)
        if out is None:
            sys.stdout.write(new)
        else:
            out.write_text(new, encoding="utf-8")
    else:
        made = beside(policy, inventory, tables, as_of, purposes)
        try:
            sys.stdout.write(change(text, made, str(out), known)[1])
            sys.stdout.writelines(f"{line}\n" for line in review_lines(made.review))
        except EditError as error:
            raise UsageError(f"{out}: {error}") from None
    unknown = sorted(set(purposes) - {line.name for line in made.lines})
    for name in unknown:
        errors.print(f"zonewatch: --purpose {visible(name)}: no such flow on the review list", markup=False)
    for line in summary(made):
        errors.print(visible(line), markup=False, soft_wrap=True)
    raise typer.Exit(PARTIAL if partial else DONE)


def read_traffic(inputs: list[str], named: list[str], begin: str, end: str, errors: Console) -> tuple[AnyTables, bool]:
    """The tables of captures within a span, and whether some could not be read whole."""
    points = sources(inputs, named)
    span = moment("--from", begin), moment("--to", end)
    with shown(errors, total_bytes(points)) as progress:
        tables = decode(points, progress=progress)
    coverage = tables["coverage"].select(["capture", "status", "problem"]).to_pylist()
    refuse_unreadable(coverage, errors)
    kept, _ = without_crowds(within(tables, *span))
    return kept, any(row["status"] != "whole" for row in coverage)


def inventory_of(tables: AnyTables, declared: tuple[DeclaredAsset, ...]) -> Inventory:
    """The assets and edges of tables."""
    return build(Tables(**{name: tables[name] for name in INVENTORY_TABLES}), declared)


def _purposes(entries: list[str]) -> dict[str, str]:
    purposes = {}
    for entry in entries:
        name, _, text = entry.partition("=")
        if "/" not in name or not text.strip():
            raise UsageError(f"--purpose {entry}: CONDUIT/FLOW=TEXT expected, and the text must say something")
        purposes[name.strip()] = text.strip()
    return purposes


def replay(
    inputs: list[str],
    named: list[str],
    *,
    policy: Path,
    without: list[str],
    assets: Path | None,
    begin: str,
    end: str,
    form: Format,
) -> None:
    """Tells what recorded traffic would meet under a policy."""
    errors = Console(stderr=True, highlight=False)
    declared = read_assets(assets) if assets is not None else ()
    loaded = load_policy(policy, [asset.id for asset in declared])
    try:
        reduced = replaying.without(loaded, without)
    except KeyError as error:
        raise UsageError(f"--without: {error.args[0]}") from None
    folder = Path(inputs[0]) if len(inputs) == 1 else None
    partial = False
    if folder is not None and (folder / "result.json").is_file():
        if named or begin or end:
            raise UsageError("--source, --from, --to: for captures; a RESULT is told whole")
        judged = _of_result(folder)
    else:
        tables, partial = read_traffic(inputs, named, begin, end, errors)
        tables, _ = with_unknown_named(tables, loaded)
        judged = _of_tables(tables, inventory_of(tables, declared_assets(loaded, declared)))
    outcome = replaying.replayed(judged(reduced), judged(loaded) if without else None)
    emit(replay_rows(outcome), form, sys.stdout)
    for line in replay_summary(outcome):
        errors.print(visible(line), markup=False, soft_wrap=True)
    breaks = outcome.count("violation")
    raise typer.Exit(FOUND if breaks else PARTIAL if partial else DONE)


def _of_result(folder: Path) -> Callable[[Policy], Sequence[VerdictRow]]:
    """Judges what an audit kept."""
    result = read_result(folder)
    inventory = without_zones(result.inventory)
    path = folder / "events.parquet"
    events = pq.read_table(path) if path.is_file() else schemas.EVENTS.empty_table()

    def judged(policy: Policy) -> Sequence[VerdictRow]:
        return replaying.recorded_rows(policy, inventory, events, result.as_of)

    return judged


def _of_tables(tables: AnyTables, inventory: Inventory) -> Callable[[Policy], Sequence[VerdictRow]]:
    """Judges captures."""
    as_of = last_time(tables["coverage"])

    def judged(policy: Policy) -> Sequence[VerdictRow]:
        found = judge(policy, inventory, tables["aggregates"], tables["events"], as_of, flows=tables["flows"])
        return found.rows

    return judged
