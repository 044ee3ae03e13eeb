"""The command line. Each command reads its input, calls the packages below, and shows what they give.

Exit codes: 0 done; 1 findings at or above `--fail-on`; 2 wrong use or unreadable input; 3 done in part;
141 the reader of the output left before its end (128 + SIGPIPE, as of any program in a pipe).
"""

from __future__ import annotations

import hashlib
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.core

from zonewatch import __version__
from zonewatch.dissectors.vocabulary import PROTOCOLS, SERVICES
from zonewatch.inventory.declared import AssetListError, read_assets
from zonewatch.reports import terminal
from zonewatch.reports.json_result import ResultError, dumps
from zonewatch.reports.result import AuditResult
from zonewatch.reports.rows import Console, Rows, emit
from zonewatch.reports.tables import asset_table, edge_table, finding_rows
from zonewatch.reports.write import read_result, write_result
from zonewatch.rules.findings import SEVERITIES
from zonewatch.rules.policy.load import PolicyErrors, load_policy
from zonewatch.sensor import events as event_output
from zonewatch.sensor import export as export_command
from zonewatch.sensor import policy as policy_commands
from zonewatch.sensor import policy_paths, policy_traffic
from zonewatch.sensor.evidence import prove, versions
from zonewatch.sensor.inputs import MISUSED, moment, refuse_unreadable, say_unread
from zonewatch.sensor.pipeline import Given, assess, decode, write_events
from zonewatch.sensor.progress import shown
from zonewatch.sensor.sources import UsageError, sources, total_bytes


class _ReaderLeft(Exception):
    """Nobody reads standard output any longer."""


class _Commands(typer.core.TyperGroup):
    """The commands. Of a broken pipe, click would make exit code 1 by itself, which says "findings" here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderLeft from error


app = typer.Typer(
    name="zonewatch",
    cls=_Commands,
    help="Learns an OT network by listening, and proves it against a zone policy (IEC 62443). It never sends a packet.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

policy_commands.app.command("export")(export_command.export)
app.add_typer(policy_commands.app, name="policy")
policy_commands.app.command("paths")(policy_paths.paths_)
policy_commands.app.command("draft")(policy_traffic.draft)
policy_commands.app.command("replay")(policy_traffic.replay_)

DONE: Final = 0
FOUND: Final = 1
PARTIAL: Final = 3
READER_LEFT: Final = 141


class Severity(StrEnum):
    """Severities, for `--fail-on`."""

    info = "info"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class Form(StrEnum):
    """Forms of a table on standard output."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"


class EventForm(StrEnum):
    """Forms of the rows of `zonewatch events`."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


Inputs = Annotated[list[str] | None, typer.Argument(metavar="INPUT…", help="Captures, folders of captures, or -.")]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME=PATH", help="A capture point with a name of its own. Repeatable."),
]
FormatOption = Annotated[Form, typer.Option("--format", help="Form of the output.")]
ResultArgument = Annotated[Path, typer.Argument(metavar="RESULT", help="The folder that an audit wrote.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"zonewatch {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    del version


@app.command()
def audit(
    inputs: Inputs = None,
    policy: Annotated[Path | None, typer.Option(help="Zone policy (YAML) to judge the traffic by.")] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV): declared against seen.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the result; made where it is missing.")] = Path(
        "zonewatch-result"
    ),
    json: Annotated[str, typer.Option(metavar="FILE|-", help="Write result.json here too; - is standard output.")] = "",
    source: SourceOption = None,
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Leave out what ended before (ISO 8601, UTC).")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Leave out what began after (ISO 8601, UTC).")] = "",
    as_of: Annotated[
        str, typer.Option(metavar="TIME", help="Moment by which approvals expire; the last packet's by default.")
    ] = "",
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit with 1 where a finding is at least this severe.")
    ] = None,
) -> None:
    """Audit captures: assets, communication map, findings and a report, in one folder."""
    errors = Console(stderr=True)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder for the result, new or of an audit before")
    points = sources(inputs or [], source or [])
    declared = read_assets(assets) if assets is not None else ()
    given = Given(
        policy=load_policy(policy, [asset.id for asset in declared]) if policy is not None else None,
        policy_name=policy.name if policy is not None else "",
        policy_sha256=hashlib.sha256(policy.read_bytes()).hexdigest() if policy is not None else "",
        declared=declared,
        begin=moment("--from", begin),
        end=moment("--to", end),
        as_of=moment("--as-of", as_of),
    )
    before, octets = versions(points), total_bytes(points)
    with shown(errors, octets) as progress:
        tables = decode(points, progress=progress)
    refuse_unreadable(tables["coverage"].select(["capture", "status", "problem"]).to_pylist(), errors)
    result = assess(tables, given, title=given.policy.suc.name if given.policy is not None else "")
    out.mkdir(parents=True, exist_ok=True)
    write_events(tables, result.inventory, out)
    with shown(errors, octets, "collecting evidence") as progress:
        proven = prove(result, tables, points, before, out, progress)
    result = proven.result
    say_unread(proven.unread, errors)
    write_result(result, out)
    if json == "-":
        sys.stdout.write(dumps(result))
    else:
        if json:
            Path(json).write_text(dumps(result), encoding="utf-8")
        terminal.render(result, Console(), folder=str(out))
    raise typer.Exit(_outcome(result, fail_on, partial=result.partial or bool(proven.unread)))


@app.command()
def events(
    inputs: Inputs = None,
    pdus: Annotated[bool, typer.Option("--pdus", help="Every PDU instead of every event.")] = False,
    activities: Annotated[
        bool, typer.Option("--activities", help="What hosts did at IT services: names, logins, sessions, files.")
    ] = False,
    protocol: Annotated[
        str, typer.Option(metavar="P", help=f"One of {', '.join(PROTOCOLS)}; of activities a service.")
    ] = "",
    form: Annotated[EventForm, typer.Option("--format", help="Form of the output.")] = EventForm.table,
    source: SourceOption = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of standard output.")] = None,
) -> None:
    """Everything decoded, one row each."""
    if pdus and activities:
        raise UsageError("--pdus --activities: one of them at a time")
    known = SERVICES if activities else PROTOCOLS
    if protocol and protocol not in known:
        raise UsageError(f"--protocol {protocol}: one of {', '.join(known)}")
    if form is EventForm.parquet and out is None and sys.stdout.isatty():
        raise UsageError("--format parquet: redirect standard output, or name a file with --out")
    errors = Console(stderr=True)
    name = "pdus" if pdus else "activities" if activities else "events"
    coverage = event_output.write(sources(inputs or [], source or []), name, protocol, form.value, out)
    refuse_unreadable(coverage, errors)
    raise typer.Exit(PARTIAL if any(row["status"] != "whole" for row in coverage) else DONE)


@app.command()
def inventory(result: ResultArgument, form: FormatOption = Form.table) -> None:
    """The assets of a result."""
    _show(asset_table(read_result(result)), form)


@app.command("map")
def map_(result: ResultArgument, form: FormatOption = Form.table) -> None:
    """Who talks to whom, saying what."""
    _show(edge_table(read_result(result)), form)


@app.command()
def findings(result: ResultArgument, form: FormatOption = Form.table) -> None:
    """The findings of a result."""
    _show(finding_rows(read_result(result)), form)


def _show(rows: Rows, form: Form) -> None:
    emit(rows, form.value, sys.stdout)


def _outcome(result: AuditResult, fail_on: Severity | None, *, partial: bool) -> int:
    if fail_on is not None:
        least = SEVERITIES.index(fail_on.value)
        if any(SEVERITIES.index(finding.severity) >= least for finding in result.findings):
            return FOUND
    return PARTIAL if partial else DONE


def main() -> None:
    """Entry point: errors of use and input become one clear line."""
    errors = Console(stderr=True, highlight=False)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (UsageError, AssetListError, PolicyErrors, ResultError) as error:
        for line in str(error).splitlines():
            errors.print(f"zonewatch: {line}", markup=False, soft_wrap=True)
    except (_ReaderLeft, BrokenPipeError):
        # What is still in the buffer goes nowhere, or the interpreter would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(READER_LEFT) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        errors.print(f"zonewatch: {place}{error.strerror or error}", markup=False, soft_wrap=True)
    else:
        return
    raise SystemExit(MISUSED)


if __name__ == "__main__":
    main()
