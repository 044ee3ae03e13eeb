"""Commands that lie in a module of their own: loaded when they are called, so that help starts without them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import typer.core
import typer.main

__all__ = ["Commands", "ReaderLeft"]


class ReaderLeft(Exception):
    """Nobody reads standard output any longer."""


GROUPS: Final = {
    "rules": "Detection rules: list, check and try them, convert them for a SIEM.",
    "tags": "The tag list: names, units, scales and limits of points of the process.",
    "baseline": "What the network usually does: learned, reviewed, compared.",
    "interface": "Interfaces to listen on: check that they are silent, prepare them.",
    "doctor": "Examine a mirror port, by listening or by a capture of it: what is wrong, and what to do.",
    "store": "A sensor's store: look at it, check it, copy it.",
    "log": "Decisions about findings, and exports: who, what, why and until when.",
}
"""Commands, and groups of them, that lie in a module of their name, with what the help says of them."""


class Commands(typer.core.TyperGroup):
    """The commands. Of a broken pipe, click would make exit code 1 by itself, which says "findings" here."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeft from error

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the help."""
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or as much of it as the help needs."""
        if cmd_name in GROUPS:  # enough for the help
            return typer.core.TyperGroup(name=cmd_name, help=GROUPS[cmd_name])
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that arguments name, loaded, and what is left for it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in GROUPS:
            command = typer.main.get_command(import_module(f"zonewatch.sensor.{name}").app)
            command.name = name
        return name, command, rest
