"""`zonewatch policy draft`: the policy out of traffic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from zonewatch.inventory.build import build
from zonewatch.inventory.crowd import without_crowds
from zonewatch.inventory.declared import DeclaredAsset, read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables
from zonewatch.reports.rows import Console
from zonewatch.reports.words import visible
from zonewatch.rules.draft.make import beside, fresh
from zonewatch.rules.draft.text import change, new_file, review_lines, summary
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.edit import EditError
from zonewatch.rules.policy.load import parse_policy, read_text
from zonewatch.sensor.inputs import moment, refuse_unreadable
from zonewatch.sensor.pipeline import INVENTORY_TABLES, AnyTables, decode, last_time, within
from zonewatch.sensor.policy import AssetsOption, app
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import UsageError, sources, total_bytes

PARTIAL: Final = 3

Inputs = Annotated[list[str] | None, typer.Argument(metavar="INPUT…", help="Captures, folders of captures, or -.")]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME=PATH", help="A capture point with a name of its own. Repeatable."),
]
BeginOption = Annotated[
    str, typer.Option("--from", metavar="TIME", help="Leave out what ended before (ISO 8601, UTC).")
]
EndOption = Annotated[str, typer.Option("--to", metavar="TIME", help="Leave out what began after (ISO 8601, UTC).")]


@app.command()
def draft(
    inputs: Inputs = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File for the draft; where it exists, it stays and the difference is shown."),
    ] = None,
    assets: AssetsOption = None,
    source: SourceOption = None,
    begin: BeginOption = "",
    end: EndOption = "",
    purpose: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDUIT/FLOW=TEXT", help="Why a flow of the review list is needed. Repeatable."),
    ] = None,
) -> None:
    """A policy out of traffic: zones, and conduits that allow what was seen and little else. Nothing is approved."""
    errors = Console(stderr=True, highlight=False)
    purposes = _purposes(purpose or [])
    declared = read_assets(assets) if assets is not None else ()
    known = [asset.id for asset in declared]
    text = read_text(out) if out is not None and out.exists() else None
    policy = parse_policy(text, str(out), known) if text is not None else None
    tables, partial = read_traffic(inputs or [], source or [], begin, end, errors)
    if policy is not None:
        declared = declared_assets(policy, declared)
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
    raise typer.Exit(PARTIAL if partial else 0)


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
