"""What commands that read captures share: moments of their options, and inputs that could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from zonewatch.reports.rows import Console
from zonewatch.reports.words import visible
from zonewatch.sensor.usage import MISUSED, UsageError


def moment(option: str, text: str) -> int | None:
    """The nanoseconds since the epoch that an option names; none where it is empty."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text}: an ISO 8601 time expected, such as 2026-03-02T08:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    nanoseconds = whole * 1_000_000_000 + moment.microsecond * 1_000
    if not 0 <= nanoseconds < 2**63:
        raise UsageError(f"{option} {text}: a time from 1970 to 2262 expected")
    return nanoseconds


def refuse_unreadable(coverage: list[dict[str, object]], errors: Console) -> None:
    """One line for each input that could not be read whole; an end where nothing could be read at all."""
    say_unread(((str(row["capture"]), str(row["problem"])) for row in coverage if row["status"] != "whole"), errors)
    if coverage and all(row["status"] == "unreadable" for row in coverage):
        raise typer.Exit(MISUSED)


def say_unread(inputs: Iterable[tuple[str, str]], errors: Console) -> None:
    """One line for each input that could not be read whole."""
    for name, problem in inputs:
        errors.print(f"zonewatch: {visible(name)}: {visible(problem)}", markup=False)
