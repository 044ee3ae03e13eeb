"""Makes an interface silent and true: runs the commands that the checks name, and says which did not work."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from zonewatch.sensor.interfaces.checks import deviations
from zonewatch.sensor.interfaces.model import Command, Interface
from zonewatch.sensor.interfaces.read import read
from zonewatch.sensor.usage import UsageError

__all__ = ["Failed", "Mended", "mend"]

_LONGEST: Final = 30  # seconds
_PACKAGES: Final = {
    "ip": "iproute2",
    "ethtool": "ethtool",
    "nft": "nftables",
    "sysctl": "procps",
    "nmcli": "NetworkManager",
}

Run = Callable[[Command], str]
"""Runs a command; gives what went wrong, or nothing."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A command that did not work, and why."""

    command: Command
    reason: str


@dataclass(frozen=True, slots=True)
class Mended:
    """What was run."""

    done: tuple[Command, ...] = ()
    failed: tuple[Failed, ...] = ()


def mend(interface: str | Interface, run: Run | None = None) -> Mended:
    """Runs what mends an interface. One by which this machine reaches a router is left as it is: UsageError."""
    found = read(interface) if isinstance(interface, str) else interface
    if found.gateways:
        raise UsageError(
            f"{found.name} is how this machine reaches {', '.join(found.gateways)}: without addresses it would be cut "
            "off; name the interface that the mirror port is plugged into"
        )
    return _run_all((command for row in deviations(found) for command in row.commands), run or _run)


def _run_all(commands: Iterable[Command], run: Run) -> Mended:
    done, failed = [], []
    for command in commands:
        if reason := run(command):
            failed.append(Failed(command, reason))
        else:
            done.append(command)
    return Mended(tuple(done), tuple(failed))


def _run(command: Command) -> str:
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed (package {_PACKAGES.get(command[0], command[0])})"
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ended.returncode == 0:
        return ""
    said = (ended.stderr or ended.stdout).strip().splitlines()
    return said[0] if said else f"ended with {ended.returncode}"
