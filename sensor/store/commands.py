"""`zonewatch store`: a sensor's store looked at, checked and copied while the sensor works."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from zonewatch.sensor.options import Form, FormOption, SideOption, StoreArgument
from zonewatch.sensor.usage import FOUND

app = typer.Typer(no_args_is_help=True, help="A sensor's store: look at it, check it, copy it.")


@app.command()
def show(store: StoreArgument, side: SideOption = None, form: FormOption = Form.table) -> None:
    """What is in it: runs, periods, findings by severity, alerts that wait, files, what is wrong."""
    from zonewatch.reports.rows import emit
    from zonewatch.sensor.store.report import shown

    emit(shown(store, side.value if side is not None else None), form.value, sys.stdout)


@app.command()
def check(store: StoreArgument) -> None:
    """Read all of it: rows, files by their hashes, the chain of decisions. Ends with 1 where anything is damaged."""
    from zonewatch.sensor.store.report import checked

    problems = checked(store)
    typer.echo("".join(f"{line}\n" for line in problems) or f"{store}: nothing is wrong\n", nl=False)
    raise typer.Exit(FOUND if problems else 0)


@app.command()
def backup(
    store: StoreArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the copy; must not be there yet.")],
    by: Annotated[str, typer.Option("--by", help="Who takes it, for the log; the login name by default.")] = "",
) -> None:
    """Copy its databases, whole and checked, while the sensor works."""
    from zonewatch.reports.words import size
    from zonewatch.sensor.store.backups import back_up

    octets = back_up(store, out, by)
    typer.echo(f"{out}: {size(octets)} copied; `zonewatch watch` and all that look take it as a store")
