"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Side(StrEnum):
    """Who has to act on a finding."""

    OT = "OT"
    IT = "IT"
    both = "both"


class Form(StrEnum):
    """Forms of a table on standard output."""

    table = "table"
    csv = "csv"
    jsonl = "jsonl"


FormOption = Annotated[Form, typer.Option("--format", help="Form of the output.")]
Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT…", help="Captures, folders of captures or of Zeek's logs, or -.")
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME=PATH", help="A capture point with a name of its own. Repeatable."),
]
OwnOption = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="PATH", help="Rules of your own: a Sigma file, or a folder of them. Repeatable."),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--detection", metavar="FILE", help="What the site changes of the rules (YAML): off, thresholds, accepted."
    ),
]
StoreArgument = Annotated[Path, typer.Argument(metavar="STORE", help="The folder of a sensor.")]
SideOption = Annotated[
    Side | None,
    typer.Option("--owner", help="Only what this side has to act on, alone or with the other; both: what needs both."),
]
