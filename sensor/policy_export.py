"""`zonewatch policy export`: the approved policy as rules of what enforces it."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

from zonewatch.inventory.declared import read_assets
from zonewatch.reports.rows import Console
from zonewatch.reports.words import visible
from zonewatch.rules.enforce.aerleon import aerleon
from zonewatch.rules.enforce.approval import pending
from zonewatch.rules.enforce.nftables import nftables
from zonewatch.rules.enforce.plan import ExportError, planned, shielded
from zonewatch.rules.enforce.suricata import suricata
from zonewatch.rules.policy.load import load_policy
from zonewatch.sensor.usage import UsageError


def export(
    file: Path,
    assets: Path | None,
    *,
    target: Literal["nftables", "suricata", "aerleon"],
    action: Literal["alert", "drop"],
    out: Path | None,
    shield: str,
    draft: bool,
    day: dt.date,
) -> None:
    """Writes the policy as the rules of a target."""
    errors = Console(stderr=True, highlight=False)
    listed = read_assets(assets) if assets is not None else ()
    policy = load_policy(file, [asset.id for asset in listed])
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
        case "nftables":
            written = nftables(plan)
        case "suricata":
            written = suricata(plan, action)
        case "aerleon":
            written = aerleon(plan)
    if out is None and len(written.files) > 1:
        raise UsageError(f"--format {target}: writes several files; name a folder with --out")
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
