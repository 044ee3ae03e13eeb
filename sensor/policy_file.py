"""`zonewatch policy check` and `zones`: the policy file by itself."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Literal

import typer

from zonewatch import __version__
from zonewatch.inventory.declared import read_assets
from zonewatch.rules.policy.edit import EditError
from zonewatch.rules.policy.lint.forms import as_json, as_sarif, as_text
from zonewatch.rules.policy.lint.run import Report, check_policy, fixed, refused
from zonewatch.rules.policy.load import PolicyErrors, load_policy, parse_policy, read_text
from zonewatch.rules.policy.register import RegisterError, exported, imported
from zonewatch.sensor.usage import DONE, FOUND, UsageError


def check(file: Path, assets: Path | None, *, fix: bool, form: Literal["text", "json", "sarif"], as_of: str) -> None:
    """Reports what is wrong or unwise with a policy."""
    known = [asset.id for asset in read_assets(assets)] if assets is not None else []
    today = _day(as_of)
    report = _report(file, today, known)
    if fix and report.edits:
        try:
            _write(file, fixed(read_text(file), report, known))
        except EditError as error:
            raise UsageError(f"{file}: {error}") from None
        report = _report(file, today, known)
    if form == "sarif":
        sys.stdout.write(as_sarif(report, __version__))
    else:
        sys.stdout.write(as_json(report) if form == "json" else as_text(report))
    raise typer.Exit(FOUND if report.count("error") else DONE)


def export(file: Path) -> None:
    """Writes the zones as CSV."""
    sys.stdout.write(exported(load_policy(file)))


def import_(file: Path, register: Path, *, write: bool) -> None:
    """Puts the rows of a register into a policy."""
    text = read_text(file)
    policy = parse_policy(text, str(file))
    try:
        rows = register.read_bytes().decode("utf-8-sig")
        new = imported(text, policy, rows, str(register))
    except UnicodeDecodeError:
        raise UsageError(f"{register}: is not UTF-8 text") from None
    except (RegisterError, EditError) as error:
        raise UsageError(str(error)) from None
    parse_policy(new, f"{file} with {register}")
    if write:
        _write(file, new)
    else:
        sys.stdout.write(new)


def _report(file: Path, today: dt.date, known: list[str]) -> Report:
    try:
        return check_policy(read_text(file), str(file), today, known)
    except PolicyErrors as errors:
        if errors.errors[0].line == 0:
            raise  # there is no such file: wrong use
        return refused(errors)


def _day(text: str) -> dt.date:
    if not text:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.datetime.fromisoformat(text).date()
    except ValueError:
        raise UsageError(f"--as-of {text}: a day expected, such as 2026-03-02") from None


def _write(file: Path, text: str) -> None:
    """All or nothing: a full disk leaves the file as it was."""
    new = file.with_name(f".{file.name}.new")
    mark = "\ufeff" if file.read_bytes().startswith(b"\xef\xbb\xbf") else ""
    new.write_bytes((mark + text).encode())
    new.chmod(file.stat().st_mode & 0o777)
    new.replace(file)
