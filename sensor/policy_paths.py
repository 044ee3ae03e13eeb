"""`zonewatch policy paths`: ways from outside to controllers, and the fewest conduits or hosts to close."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from zonewatch.inventory.declared import read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.reports.paths import names_of, paths_json, render_paths, way_rows
from zonewatch.reports.rows import Console, emit
from zonewatch.reports.write import read_result
from zonewatch.rules.judge import Judgement
from zonewatch.rules.paths import Paths, paths
from zonewatch.rules.places import Places
from zonewatch.rules.policy.load import load_policy
from zonewatch.sensor.pipeline import Given, assess, decode
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import UsageError, sources, total_bytes

RESULT: Final = "result.json"


class PathForm(StrEnum):
    """Forms of the ways."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    json = "json"


def paths_(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT…", help="Captures, folders of captures, or one result folder.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Zone policy (YAML): what it permits, with or without traffic.")
    ] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV).")] = None,
    form: Annotated[PathForm, typer.Option("--format", help="Form of the output.")] = PathForm.table,
) -> None:
    """Ways from the internet, the enterprise or remote access to controllers, and the fewest to close."""
    if not inputs and policy is None:
        raise UsageError("name captures, a result folder, or --policy FILE")
    found, inventory = _found(inputs or [], policy, assets)
    names = names_of(inventory.assets)
    if form is PathForm.json:
        sys.stdout.write(paths_json(found))
    elif form is PathForm.table:
        render_paths(found, names, Console())
    else:
        emit(way_rows(found, names), "csv" if form is PathForm.csv else "jsonl", sys.stdout)


def _found(inputs: list[str], policy: Path | None, assets: Path | None) -> tuple[tuple[Paths, ...], Inventory]:
    if len(inputs) == 1 and (Path(inputs[0]) / RESULT).is_file() and policy is None:
        result = read_result(Path(inputs[0]))
        return result.paths, result.inventory
    declared = read_assets(assets) if assets is not None else ()
    zones = load_policy(policy, [asset.id for asset in declared]) if policy is not None else None
    if inputs or zones is None:
        given = Given(policy=zones, policy_name=policy.name if policy is not None else "", declared=declared)
        points = sources(inputs, [])
        with shown(Console(stderr=True), total_bytes(points)) as progress:
            result = assess(decode(points, progress=progress), given, title="")
        return result.paths, result.inventory
    nothing = Inventory((), ())
    return paths(zones, Places(zones, nothing), Judgement((), (), (), ()), 0, proposed=False), nothing
