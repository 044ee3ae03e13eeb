"""`zonewatch policy …`: its commands and their options. What a command does is loaded when it is called."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from zonewatch.sensor.options import Form, Inputs, SourceOption
from zonewatch.sensor.usage import UsageError

app: Final = typer.Typer(
    help="The zone policy: draft, check and replay it, exchange its zone register.", no_args_is_help=True
)
zones: Final = typer.Typer(help="The zone register as CSV.", no_args_is_help=True)
app.add_typer(zones, name="zones")


class ReportForm(StrEnum):
    """Forms of the report of the static check."""

    text = "text"
    json = "json"
    sarif = "sarif"


class PathForm(StrEnum):
    """Forms of the ways."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    json = "json"


class Target(StrEnum):
    """What the policy is written for."""

    nftables = "nftables"
    suricata = "suricata"
    aerleon = "aerleon"


class Action(StrEnum):
    """What Suricata does with what is not permitted."""

    alert = "alert"
    drop = "drop"


PolicyFile = Annotated[Path, typer.Argument(metavar="FILE", help="The zone policy (YAML).")]
AssetsOption = Annotated[Path | None, typer.Option(help="Known assets (CSV), whose ids the policy may name.")]
BeginOption = Annotated[
    str, typer.Option("--from", metavar="TIME", help="Leave out what ended before (ISO 8601, UTC).")
]
EndOption = Annotated[str, typer.Option("--to", metavar="TIME", help="Leave out what began after (ISO 8601, UTC).")]


@app.command()
def check(
    file: PolicyFile,
    assets: AssetsOption = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely; comments stay.")] = False,
    form: Annotated[ReportForm, typer.Option("--format", help="Form of the report.")] = ReportForm.text,
    as_of: Annotated[
        str, typer.Option(metavar="DAY", help="Day by which approvals are judged (ISO 8601); today by default.")
    ] = "",
) -> None:
    """What is wrong or unwise with the policy, with no traffic at all. Exits with 1 only for errors."""
    from zonewatch.sensor import policy_file

    policy_file.check(file, assets, fix=fix, form=form.value, as_of=as_of)


@zones.command("export")
def export_zones(file: PolicyFile) -> None:
    """Write the zones as CSV to standard output, one row each."""
    from zonewatch.sensor import policy_file

    policy_file.export(file)


@zones.command("import")
def import_zones(
    file: PolicyFile,
    register: Annotated[Path, typer.Argument(metavar="CSV", help="The zone register.")],
    write: Annotated[bool, typer.Option("--write", help="Change FILE instead of writing to standard output.")] = False,
) -> None:
    """Put the register's rows into the policy: what differs is changed, new zones are added, none is removed."""
    from zonewatch.sensor import policy_file

    policy_file.import_(file, register, write=write)


@app.command()
def export(
    file: PolicyFile,
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
    from zonewatch.sensor import policy_export

    day = as_of.date() if as_of is not None else dt.datetime.now(dt.UTC).date()
    policy_export.export(
        file, assets, target=target.value, action=action.value, out=out, shield=shield, draft=draft, day=day
    )


@app.command()
def paths(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="INPUT…", help="Captures, folders of captures, or one result folder.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Zone policy (YAML): what it permits, with or without traffic.")
    ] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV).")] = None,
    as_of: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Moment by which flows are over; the last packet's by default, and of no traffic none.",
        ),
    ] = "",
    form: Annotated[PathForm, typer.Option("--format", help="Form of the output.")] = PathForm.table,
) -> None:
    """Ways from the internet, the enterprise or remote access to controllers, and the fewest to close."""
    if not inputs and policy is None:
        raise UsageError("name captures, a result folder, or --policy FILE")
    from zonewatch.sensor import policy_paths

    policy_paths.show(inputs or [], policy, assets, as_of, form.value)


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
    from zonewatch.sensor import policy_traffic

    policy_traffic.draft(
        inputs or [], source or [], out=out, assets=assets, begin=begin, end=end, purpose=purpose or []
    )


@app.command()
def replay(
    inputs: Inputs = None,
    policy: Annotated[Path | None, typer.Option(help="The policy that is not in force yet.")] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDUIT", help="Take this conduit away: only what it let pass is shown. Repeatable."),
    ] = None,
    assets: AssetsOption = None,
    source: SourceOption = None,
    begin: BeginOption = "",
    end: EndOption = "",
    form: Annotated[Form, typer.Option("--format", help="Form of the output.")] = Form.table,
) -> None:
    """What recorded traffic (captures, or an audit's RESULT) would meet under a policy. Exits with 1 if it breaks."""
    if policy is None:
        raise UsageError("--policy FILE is needed")
    from zonewatch.sensor import policy_traffic

    policy_traffic.replay(
        inputs or [],
        source or [],
        policy=policy,
        without=without or [],
        assets=assets,
        begin=begin,
        end=end,
        form=form.value,
    )
