"""Runs the checks on a policy file: diagnostics with their lines, and the text with the safe ones mended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zonewatch.rules.policy.edit import Edit, EditError, edited
from zonewatch.rules.policy.lint import conduits, flows, members, records
from zonewatch.rules.policy.lint.kinds import SEVERITIES, Check, Severity, Subject
from zonewatch.rules.policy.load import Loaded, PolicyError, PolicyErrors, inspect_policy, parse_policy

FILE_CODES: Final[dict[str, tuple[str, str]]] = {
    "ZP001": ("The file cannot be read", "ZCR 6.4"),
    "ZP002": ("An unknown key or word, or a wrong value", "ZCR 6.4"),
    "ZP003": ("An id or an address is given twice", "ZCR 6.4 a"),
    "ZP004": ("A name that the file does not have", "ZCR 6.4 i"),
    "ZP005": ("A member of two zones", "ZCR 3.1"),
    "ZP006": ("A client or server of another zone", "ZCR 6.4 i"),
    "ZP007": ("A zone inside itself", "ZCR 3.1"),
    "ZP008": ("An acceptance without a reason, or of nothing", "ZCR 6.4 l"),
}
"""What makes a file unfit to judge by; all but the last are errors."""
CHECKS: Final[tuple[Check, ...]] = (*members.CHECKS, *conduits.CHECKS, *flows.CHECKS, *records.CHECKS)
_ACCEPTED: Final = re.compile(r"#\s*accept(?:ed)?\s+((?:ZP[0-9]{3})(?:\s*,\s*ZP[0-9]{3})*)\s*:?\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong or unwise, with its place (line and column count from 1; 0 of the file as a whole)."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    fixable: bool = False
    accepted: str = ""  # the reason that the file gives for leaving it so

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        tail = f" (accepted: {self.accepted})" if self.accepted else " [--fix]" if self.fixable else ""
        return f"{place}: {self.severity} {self.code}: {self.message}{tail}"


@dataclass(frozen=True, slots=True)
class Report:
    """What the check found, in the order of lines, and the edits that are safe."""

    diagnostics: tuple[Diagnostic, ...]
    edits: tuple[Edit, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many of a severity are not accepted."""
        return sum(item.severity == severity and not item.accepted for item in self.diagnostics)


def check_policy(text: str, name: str, today: dt.date, known_assets: Iterable[str] = ()) -> Report:
    """All diagnostics of a policy file. Where it has errors of its own, only these are told."""
    known = frozenset(known_assets)
    try:
        loaded = inspect_policy(text, name, known)
    except PolicyErrors as errors:
        return refused(errors)
    if loaded.errors:
        return refused(PolicyErrors(loaded.errors))
    subject = Subject(loaded.policy, today, known)
    found: list[Diagnostic] = []
    edits: list[Edit] = []
    acceptances = _acceptances(text)
    used: set[tuple[int, str]] = set()
    for check in CHECKS:
        for told in check.find(subject):
            line, column = loaded.document.position(told.path)
            place = next((at for at in (line, _beside(told.path, loaded)) if (at, check.code) in acceptances), 0)
            reason = acceptances.get((place, check.code), "")
            used.add((place, check.code))
            accepted = reason if check.severity != "error" else ""
            if not accepted:
                edits += told.edits
            found.append(
                Diagnostic(check.code, check.severity, name, line, column, told.message, bool(told.edits), accepted)
            )
    found += _idle(acceptances, used, name)
    return Report(tuple(sorted(found, key=_order)), tuple(edits))


def refused(errors: PolicyErrors) -> Report:
    """The report on a file that is no policy."""
    return Report(tuple(map(_of_error, errors.errors)))


def fixed(text: str, report: Report, known_assets: Iterable[str] = ()) -> str:
    """The text with all safe edits made. Raises EditError where that would not leave a policy that loads."""
    new = edited(text, report.edits)
    try:
        parse_policy(new, known_assets=known_assets)
    except PolicyErrors as error:
        raise EditError(f"the mended file would not load: {error}") from None
    return new


def _of_error(error: PolicyError) -> Diagnostic:
    return Diagnostic(error.code, "error", error.file, error.line, error.column, error.message)


def _order(item: Diagnostic) -> tuple[object, ...]:
    return item.line, item.column, SEVERITIES.index(item.severity), item.code, item.message


def _beside(path: tuple[str | int, ...], loaded: Loaded) -> int:
    """The line where the item of a list begins that holds a place: there its acceptance may stand too."""
    items = [length for length in range(1, len(path) + 1) if isinstance(path[length - 1], int)]
    return loaded.document.position(path[: items[-1]])[0] if items else 0


def _acceptances(text: str) -> dict[tuple[int, str], str]:
    """`# accept ZP302: every host asks for the time` at the end of a line, or above it, by line and code."""
    found: dict[tuple[int, str], str] = {}
    waiting: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _ACCEPTED.search(line)
        here = {code.strip(): match[2] for code in match[1].split(",")} if match is not None else {}
        if line.lstrip().startswith("#"):
            waiting |= here
        elif line.strip():
            found |= {(number, code): reason for code, reason in (waiting | here).items()}
            waiting = {}
    return found


def _idle(acceptances: dict[tuple[int, str], str], used: set[tuple[int, str]], name: str) -> Iterable[Diagnostic]:
    severities = {check.code: check.severity for check in CHECKS}
    for (line, code), reason in acceptances.items():
        if severities.get(code, "error") == "error":
            yield Diagnostic("ZP008", "warning", name, line, 1, f"{code} cannot be accepted")
        elif not reason:
            yield Diagnostic("ZP008", "warning", name, line, 1, f"{code} is accepted without a reason")
        elif (line, code) not in used:
            yield Diagnostic("ZP008", "warning", name, line, 1, f"{code} is accepted, but there is nothing to accept")
