"""`zonewatch policy paths`: ways from outside to controllers, and the fewest conduits or hosts to close."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from zonewatch.inventory.declared import read_assets
from zonewatch.inventory.model import Inventory
from zonewatch.reports.paths import names_of, paths_json, render_paths, way_rows
from zonewatch.reports.rows import Console, emit
from zonewatch.rules.judge import Judgement
from zonewatch.rules.paths import Paths, paths
from zonewatch.rules.places import Places
from zonewatch.rules.policy.load import load_policy
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.inputs import moment
from zonewatch.sensor.pipeline import Given, assess
from zonewatch.sensor.progress import shown
from zonewatch.sensor.results import is_result, read_result
from zonewatch.sensor.sources import sources, total_bytes
from zonewatch.sensor.usage import UsageError


def show(
    inputs: list[str],
    policy: Path | None,
    assets: Path | None,
    as_of: str,
    form: Literal["table", "csv", "jsonl", "json"],
) -> None:
    """Writes the ways to standard output."""
    found, inventory = _found(inputs, policy, assets, moment("--as-of", as_of))
    names = names_of(inventory.assets)
    if form == "json":
        sys.stdout.write(paths_json(found))
    elif form == "table":
        render_paths(found, names, Console())
    else:
        emit(way_rows(found, names), form, sys.stdout)


def _found(
    inputs: list[str], policy: Path | None, assets: Path | None, as_of: int | None
) -> tuple[tuple[Paths, ...], Inventory]:
    if len(inputs) == 1 and is_result(Path(inputs[0])) and policy is None:
        if as_of is not None:
            raise UsageError("--as-of: for captures or a policy; a RESULT has the ways of its own moment")
        result = read_result(Path(inputs[0]))
        return result.paths, result.inventory
    declared = read_assets(assets) if assets is not None else ()
    zones = load_policy(policy, [asset.id for asset in declared]) if policy is not None else None
    if inputs or zones is None:
        given = Given(
            policy=zones, policy_name=policy.name if policy is not None else "", declared=declared, as_of=as_of
        )
        points = sources(inputs, [])
        with shown(Console(stderr=True), total_bytes(points)) as progress:
            result = assess(decode(points, progress=progress), given, title="")
        return result.paths, result.inventory
    nothing = Inventory((), ())
    return paths(zones, Places(zones, nothing), Judgement((), (), (), ()), as_of or 0, proposed=False), nothing
