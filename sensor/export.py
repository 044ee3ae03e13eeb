"""`zonewatch policy export`: the approved policy as rules of what enforces it."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zonewatch.inventory.declared import read_assets
from zonewatch.reports.rows import Console
from zonewatch.reports.words import visible
from zonewatch.rules.enforce.aerleon import aerleon
from zonewatch.rules.enforce.approval import pending
from zonewatch.rules.enforce.nftables import nftables
from zonewatch.rules.enforce.plan import ExportError, planned, shielded
from zonewatch.rules.enforce.suricata import suricata
from zonewatch.rules.policy.load import load_policy
from zonewatch.sensor.sources import UsageError


class Target(StrEnum):
    """What the policy is written for."""

    nftables = "nftables"
    suricata = "suricata"
    aerleon = "aerleon"


class Action(StrEnum):
    """What Suricata does with what is not permitted."""

    alert = "alert"
    drop = "drop"


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zone policy (YAML).")],
    target: Annotated[Target, typer.Option("--format", help="What to write.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to, instead of standard output.")] = None,
    shield: Annotated[
        str, typer.Option(metavar="ASSET", help="Only the rules that shield this asset: a virtual patch.")
    ] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Export though approvals are missing or over.")] = False,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV), whose addresses the policy uses.")] = None,
    action: Annotated[
        Action, typer.Option(help="Of Suricata's rules: alert beside a mirror port, drop in line.")
    ] = Action.alert,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="Day by which approvals are judged; today by default."),
    ] = None,
) -> None:
    """Write the policy as rules that enforce it. What a target cannot hold is told in them and on standard error."""
    errors = Console(stderr=True, highlight=False)
    listed = read_assets(assets) if assets is not None else ()
    policy = load_policy(file, [asset.id for asset in listed])
    day = as_of.date() if as_of is not None else dt.datetime.now(dt.UTC).date()
    lacking = pending(policy, day)
    if lacking and not draft:
        told = [f"{file}: not approved, so not exported; --draft exports it all the same", *lacking]
        raise UsageError("\n".join(visible(line) for line in told))
    try:
        plan = replace(planned(policy, day, listed), pending=lacking)
        plan = shielded(plan, shield, listed) if shield else plan
    except ExportError as error:
        raise UsageError(f"{file}: {error}") from None
    match target:
        case Target.nftables:
            written = nftables(plan)
        case Target.suricata:
            written = suricata(plan, action.value)
        case Target.aerleon:
            written = aerleon(plan)
    if out is None and len(written.files) > 1:
        raise UsageError(f"--format {target.value}: writes several files; name a folder with --out")
    for name, text in written.files.items():
        if out is None:
            sys.stdout.write(text)
            continue
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        errors.print(f"wrote {visible(str(path))}", markup=False, soft_wrap=True)
    for line in (*(f"DRAFT, not approved: {text}" for text in lacking), *map(str, written.limits)):
        errors.print(visible(line), markup=False, soft_wrap=True)
