"""The command line: commands and their options. What a command does is loaded when it is called, so that help and the
commands for policies start without what only captures need.

Exit codes: 0 done; 1 findings at or above `--fail-on`; 2 wrong use or unreadable input; 3 done in part;
141 the reader of the output left before its end (128 + SIGPIPE, as of any program in a pipe).
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from zonewatch import __version__
from zonewatch.dissectors.vocabulary import PROTOCOLS, SERVICES
from zonewatch.sensor import policy as policy_commands
from zonewatch.sensor.groups import Commands, ReaderLeft
from zonewatch.sensor.options import (
    Form,
    Inputs,
    OwnOption,
    SettingsOption,
    Side,
    SideOption,
    SourceOption,
    StoreArgument,
)
from zonewatch.sensor.usage import DONE, MISUSED, PARTIAL, READER_LEFT, UsageError

app = typer.Typer(
    name="zonewatch",
    cls=Commands,
    help="Learns an OT network by listening, and proves it against a zone policy (IEC 62443). It never sends a packet.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(policy_commands.app, name="policy")


class Severity(StrEnum):
    """Severities, for `--fail-on`."""

    info = "info"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class EventForm(StrEnum):
    """Forms of the rows of `zonewatch events`."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


class Framework(StrEnum):
    """Frameworks that a report can be made for."""

    iec62443 = "iec62443"
    nis2 = "nis2"
    nist_800_82 = "nist-800-82"
    csf = "csf"
    cpg = "cpg"
    tsa = "tsa"
    nerc_cip = "nerc-cip"


class Language(StrEnum):
    """Languages of reports."""

    en = "en"
    de = "de"


SignOption = Annotated[Path | None, typer.Option(metavar="KEY", help="Sign with this private key (Ed25519, PEM).")]
PassFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="File with the key's pass phrase; else ZONEWATCH_PASS_PHRASE in the environment."
    ),
]
FormatOption = Annotated[Form, typer.Option("--format", help="Form of the output.")]
ResultArgument = Annotated[
    Path, typer.Argument(metavar="RESULT", help="The folder that an audit wrote, or a sensor's store.")
]


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
    tags: Annotated[Path | None, typer.Option(help="Tag list (CSV): names, units and limits of points.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="What was learned before: what deviates is told.")] = None,
    own: OwnOption = None,
    detection: SettingsOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the result; made where it is missing.")] = Path(
        "zonewatch-result"
    ),
    json: Annotated[str, typer.Option(metavar="FILE|-", help="Write result.json here too; - is standard output.")] = "",
    source: SourceOption = None,
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Leave out what ended before (ISO 8601, UTC).")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Leave out what began after (ISO 8601, UTC).")] = "",
    second_opinion: Annotated[
        bool, typer.Option("--second-opinion", help="Compare counts with tshark's, and name by it what is not decoded.")
    ] = False,
    as_of: Annotated[
        str, typer.Option(metavar="TIME", help="Moment by which approvals expire; the last packet's by default.")
    ] = "",
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit with 1 where a finding is at least this severe.")
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of report.html.")] = Language.en,
) -> None:
    """Audit captures: assets, communication map, findings and a report, in one folder."""
    from zonewatch.sensor import auditing

    auditing.audit(
        inputs or [],
        source or [],
        policy=policy,
        assets=assets,
        tags=tags,
        baseline=baseline,
        own=own or [],
        detection=detection,
        out=out,
        json=json,
        begin=begin,
        end=end,
        as_of=as_of,
        second=second_opinion,
        fail_on=fail_on.value if fail_on is not None else None,
        language=language.value,
    )


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
    from zonewatch.reports.rows import Console
    from zonewatch.sensor import events as event_output
    from zonewatch.sensor.inputs import refuse_unreadable
    from zonewatch.sensor.sources import sources

    name = "pdus" if pdus else "activities" if activities else "events"
    coverage = event_output.write(sources(inputs or [], source or []), name, protocol, form.value, out)
    refuse_unreadable(coverage, Console(stderr=True))
    raise typer.Exit(PARTIAL if any(row["status"] != "whole" for row in coverage) else DONE)


@app.command()
def inventory(result: ResultArgument, form: FormatOption = Form.table) -> None:
    """The assets of a result."""
    _show(result, "inventory", form)


@app.command("map")
def map_(result: ResultArgument, form: FormatOption = Form.table) -> None:
    """Who talks to whom, saying what."""
    _show(result, "map", form)


@app.command()
def findings(result: ResultArgument, form: FormatOption = Form.table, side: SideOption = None) -> None:
    """The findings of a result."""
    _show(result, "findings", form, side)


@app.command()
def explain(
    capture: Annotated[Path, typer.Argument(metavar="CAPTURE", help="A capture, or a mini capture of evidence/.")],
    frame: Annotated[int, typer.Argument(metavar="FRAME", min=1, help="The frame's number in it, from 1.")],
    policy: Annotated[Path | None, typer.Option(help="Zone policy (YAML): the verdict on the frame too.")] = None,
    assets: Annotated[Path | None, typer.Option(help="Known assets (CSV): names of the ends.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Both readings as JSON.")] = False,
) -> None:
    """One frame, our reading beside Wireshark's; secrets are masked in both."""
    from zonewatch.sensor import explain as explaining

    explaining.explain(capture, frame, policy=policy, assets=assets, as_json=json)


@app.command()
def report(
    result: ResultArgument,
    framework: Annotated[Framework, typer.Option(help="What the report is for.")],
    out: Annotated[Path, typer.Option(help="Folder for the report; made where it is missing.")] = Path(
        "zonewatch-report"
    ),
    language: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = Language.en,
    sign: SignOption = None,
    pass_file: PassFileOption = None,
    pseudonyms: Annotated[
        Path | None,
        typer.Option("--pseudonymise", metavar="FILE", help="Hide names and addresses, by the key in this file."),
    ] = None,
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Of a sensor's store: periods from then on (ISO 8601, UTC).")
    ] = "",
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="Of a sensor's store: periods before (ISO 8601, UTC).")
    ] = "",
    entity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who the report is about (YAML), for nis2.")
    ] = None,
    aware: Annotated[
        str, typer.Option(metavar="TIME", help="When somebody became aware of the incident (ISO 8601, UTC), for nis2.")
    ] = "",
    incident: Annotated[
        str, typer.Option(metavar="ID", help="The incident that notices are drafted for, for nis2.")
    ] = "",
    attestations: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What persons attest beside the traffic (YAML): requirement, document, who, when."
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="PREVIOUS", help="The last edition's result: what changed since is told.")
    ] = "",
    oscal: Annotated[
        bool, typer.Option("--oscal", help="Write oscal.json, too: assessment results (NIST OSCAL).")
    ] = False,
) -> None:
    """A report for auditors: HTML, PDF, tables (XLSX, CSV), JSON, with a manifest of hashes."""
    from zonewatch.sensor import reporting

    reporting.report(
        result,
        framework=framework.value,
        out=out,
        language=language.value,
        proof=reporting.Proof(sign, pass_file, pseudonyms),
        span=(begin, end),
        law=reporting.Law(entity, aware, incident),
        attestations=attestations,
        since=since,
        oscal=oscal,
    )


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="REPORT", help="The folder of a report, or of an audit.")],
    key: Annotated[
        Path | None, typer.Option(metavar="PUBLIC", help="The public key (PEM) that its owner gave you.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs, on standard output.")] = False,
    language: Annotated[Language, typer.Option("--lang", help="Language of what is said.")] = Language.en,
) -> None:
    """Check a report: every file by its hash, the signature, each finding judged again on its packets.

    Ends with 0 where all is as it was told, 1 where a file, the signature or a finding is not, 2 where there is no such
    report or key, 3 where something could not be checked.
    """
    from zonewatch.sensor.proof import verify as command

    raise typer.Exit(command.verify(folder, key, as_json=json, language=language.value))


@app.command()
def pseudonymise(
    result: ResultArgument,
    out: Annotated[Path, typer.Option(help="Folder for the result with pseudonyms; new or empty.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Key of the pseudonyms; without one it is drawn, and written to OUT.key."),
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of report.html.")] = Language.en,
) -> None:
    """Hide addresses, names, serial numbers and texts in a result, its tables and mini captures; relations stay."""
    from zonewatch.sensor.proof import pseudonymise as command

    command.pseudonymise(result, out, key, language.value)


@app.command()
def keygen(
    out: Annotated[Path, typer.Argument(metavar="KEY", help="The private key (PEM); the public one is KEY.pub.")],
    pass_file: PassFileOption = None,
) -> None:
    """Make a key to sign with (Ed25519); encrypted where there is a pass phrase. Never over a file that exists."""
    from zonewatch.sensor.proof import keys

    keys.keygen(out, pass_file)


@app.command()
def compare(
    results: Annotated[
        list[str], typer.Argument(metavar="RESULT…", help="Two results or more, the oldest first; or STORE@PERIOD.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the comparison: HTML, PDF, tables, JSON.")] = None,
    json: Annotated[bool, typer.Option("--json", help="All changes for programs, on standard output.")] = False,
    language: Annotated[Language, typer.Option("--lang", help="Language of the comparison.")] = Language.en,
) -> None:
    """What appeared, vanished, got better or worse between results, and of what nobody can say."""
    from zonewatch.sensor import comparing

    comparing.compare(results, out=out, as_json=json, language=language.value)


@app.command()
def ship(
    config: Annotated[Path | None, typer.Option(help="The configuration (YAML): folder, receivers.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Deliver what is there, and leave.")] = False,
    status: Annotated[bool, typer.Option("--status", help="How far every receiver is; what was refused.")] = False,
    retry: Annotated[str, typer.Option(metavar="RECEIVER", help="Send again what it refused.")] = "",
    test: Annotated[str, typer.Option(metavar="RECEIVER", help="Send it one alert that is marked as a test.")] = "",
    dashboards: Annotated[
        str, typer.Option(metavar="kibana|opensearch", help="Write the saved dashboards, ready to be imported.")
    ] = "",
    form: FormatOption = Form.table,
) -> None:
    """Deliver alerts out of the outbox to receivers: SIEMs, syslog, Kafka, webhooks, files."""
    if sum((once, status, bool(retry), bool(test), bool(dashboards))) > 1:
        raise UsageError("--once --status --retry --test --dashboards: one of them at a time")
    from zonewatch.sensor.shipping import command

    if dashboards:
        raise typer.Exit(command.show_dashboards(dashboards))
    if config is None:
        raise UsageError("--config FILE is needed")
    if status:
        raise typer.Exit(command.status(config, form.value))
    if retry:
        raise typer.Exit(command.retry(config, retry))
    if test:
        raise typer.Exit(command.test(config, test))
    raise typer.Exit(command.once(config) if once else command.run(config))


@app.command()
def watch(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The sensor's settings (YAML).")] = None,
    interface: Annotated[
        list[str] | None, typer.Option("--interface", "-i", metavar="IFACE", help="Interface to listen on. Repeatable.")
    ] = None,
    zeek: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Folder that Zeek keeps writing logs to. Repeatable.")
    ] = None,
    store: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where findings are kept.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Zone policy (YAML) to judge the traffic by.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Read settings, policy and rules, and leave.")] = False,
    prepare: Annotated[bool, typer.Option("--prepare", help="Make the interfaces silent before.")] = False,
) -> None:
    """Listen to interfaces, or follow Zeek's logs, for years: judge what passes, keep what is found, never send."""
    from zonewatch.sensor.watch import command

    settings = command.settings_of(config, interface or [], store, policy, zeek or [])
    raise typer.Exit(command.check(settings, prepare=prepare) if check else command.watch(settings, prepare=prepare))


def _show(result: Path, table: Literal["inventory", "map", "findings"], form: Form, side: Side | None = None) -> None:
    from zonewatch.sensor import showing

    showing.show(result, table, form.value, side.value if side is not None else None)


@app.command()
def accept(
    store: StoreArgument,
    finding: Annotated[str, typer.Argument(metavar="[FINDING]", help="The finding's id.")] = "",
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who decides.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason.")] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Until when: a day with the whole of it, or a time (UTC).")
    ] = "",
    side: Annotated[
        Side | None, typer.Option("--owner", help="The side that accepts; by default the finding's own.")
    ] = None,
    exception: Annotated[
        bool, typer.Option("--exception", help="Accept all findings that fit the words below.")
    ] = False,
    rule: Annotated[str, typer.Option(help="Of an exception: name of a rule; * stands for anything.")] = "",
    zone: Annotated[str, typer.Option(help="Of an exception: the only zone of the finding.")] = "",
    conduit: Annotated[str, typer.Option(help="Of an exception: traffic between its zones.")] = "",
    asset: Annotated[str, typer.Option(help="Of an exception: one of the finding's assets.")] = "",
    most: Annotated[
        Severity | None, typer.Option("--up-to", help="Of an exception: graver findings are told all the same.")
    ] = None,
    withdraw: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Withdraw an acceptance or exception by its number in the log.")
    ] = None,
) -> None:
    """Accept a finding or an exception until a day, with who and why; or withdraw that. All of it is logged."""
    from zonewatch.sensor import governance

    words = governance.exception_scope(
        side.value if side is not None else None,
        most.value if most is not None else None,
        rule=rule,
        zone=zone,
        conduit=conduit,
        asset=asset,
    )
    governance.accept(
        store,
        finding,
        by=by,
        why=why,
        until=until,
        side=side.value if side is not None else None,
        exception=exception,
        words=words,
        withdrawn=withdraw,
    )


def main() -> None:
    """Entry point: errors of use and input become one clear line."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (ReaderLeft, BrokenPipeError):
        # What is still in the buffer goes nowhere, or the interpreter would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(READER_LEFT) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}")
    except Exception as error:
        if not isinstance(error, _misuse()):
            raise
        for line in str(error).splitlines():
            _complain(line)
    else:
        return
    raise SystemExit(MISUSED)


def _misuse() -> tuple[type[Exception], ...]:
    from zonewatch.inventory.lists import ListError
    from zonewatch.reports.json_result import ResultError
    from zonewatch.reports.proof.given import GivenError
    from zonewatch.rules.policy.load import PolicyErrors
    from zonewatch.rules.sigma.model import RuleErrors

    return UsageError, ListError, PolicyErrors, RuleErrors, ResultError, GivenError


def _complain(line: str) -> None:
    from zonewatch.reports.rows import Console

    Console(stderr=True, highlight=False).print(f"zonewatch: {line}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
