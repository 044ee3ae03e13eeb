"""`zonewatch interface`: is an interface silent, does it see what passes, and what makes it so."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from zonewatch.reports.rows import Console
from zonewatch.reports.words import counted, listed
from zonewatch.sensor.answers import Answer, AnswerForm, as_json, command_text, render, worst
from zonewatch.sensor.interfaces.checks import deviations
from zonewatch.sensor.interfaces.mend import mend
from zonewatch.sensor.interfaces.model import Interface
from zonewatch.sensor.interfaces.read import read
from zonewatch.sensor.usage import DONE, FOUND, PARTIAL

app: Final = typer.Typer(
    help="Interfaces to listen on: check that they are silent, prepare them.", no_args_is_help=True
)
InterfaceArgument = Annotated[str, typer.Argument(metavar="IFACE", help="The interface of the mirror port.")]


def answers(interface: Interface) -> list[Answer]:
    """What an interface is like: one answer for each deviation, and one for what is as it should be."""
    found = [
        Answer(
            f"interface.{row.id}",
            "note" if row.advice else "wrong",
            f"{interface.name}: {row.what}",
            row.why,
            row.remedy,
            row.commands,
        )
        for row in deviations(interface)
    ]
    wrong = {row.matter for row in deviations(interface) if not row.advice}
    about = f"{counted(interface.received, 'packet')} received, {interface.sent:,} sent since it is there"
    if "silence" not in wrong:
        found.append(
            Answer("interface.silence", "good", f"{interface.name}: the kernel sends nothing by it on its own", about)
        )
    if "capture" not in wrong:
        found.append(
            Answer(
                "interface.capture",
                "good",
                f"{interface.name}: frames arrive as they were on the wire",
                _facts(interface),
            )
        )
    return found


def _facts(interface: Interface) -> str:
    rate = f"{interface.speed:,} Mbit/s" if interface.speed else "speed unknown"
    card = interface.driver or interface.kind or "driver unknown"
    return f"MTU {interface.mtu:,}, {rate}, {card}, {interface.mac or 'no MAC address'}"


@app.command()
def check(
    name: InterfaceArgument,
    form: Annotated[AnswerForm, typer.Option("--format", help="Form of the answers.")] = AnswerForm.text,
) -> None:
    """What keeps an interface from being silent, or from seeing what passes. Changes nothing; exits with 1 if so."""
    raise typer.Exit(_show(name, form))


@app.command()
def prepare(
    name: InterfaceArgument,
    dry: Annotated[bool, typer.Option("--dry-run", help="Print the commands; run none.")] = False,
) -> None:
    """Make an interface silent and true by the commands that `check` names. Needs root; holds until the next start."""
    found = read(name)
    if dry:
        for row in deviations(found):
            for command in row.commands:
                sys.stdout.write(command_text(command) + "\n")
        raise typer.Exit(DONE)
    errors = Console(stderr=True, highlight=False)
    mended = mend(found)
    for command in mended.done:
        errors.print(f"done: {command_text(command)}", markup=False, soft_wrap=True)
    for failure in mended.failed:
        errors.print(f"zonewatch: {command_text(failure.command)}: {failure.reason}", markup=False, soft_wrap=True)
    ended = _show(name, AnswerForm.text)
    raise typer.Exit(PARTIAL if mended.failed and ended == DONE else ended)


def _show(name: str, form: AnswerForm) -> int:
    given = answers(read(name))
    if form is AnswerForm.json:
        sys.stdout.write(as_json(given, interface=name) + "\n")
    else:
        render(given, Console())
        wrong = [answer.id.partition(".")[2] for answer in given if answer.state == "wrong"]
        if wrong:
            Console().print(f"\nTo mend {listed(wrong)}: zonewatch interface prepare {name}", markup=False)
    return FOUND if worst(given) == "wrong" else DONE
