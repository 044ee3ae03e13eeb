"""RESULT, as commands take it: the folder that an audit wrote, or the store of a sensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from zonewatch.reports.result import AuditResult
from zonewatch.reports.watched import Watched
from zonewatch.reports.write import read_result as read_folder
from zonewatch.rules.findings import Owner
from zonewatch.sensor.usage import UsageError

__all__ = ["is_result", "of_side", "read_result", "read_span"]

STORE: Final = "store.db"


def is_result(path: Path) -> bool:
    """Whether a folder holds a result."""
    return (path / "result.json").is_file() or (path / STORE).is_file()


def read_result(path: Path) -> AuditResult:
    """The result of an audit, or of a sensor as it is now. Raises ResultError and StoreError."""
    if (path / STORE).is_file() and not (path / "result.json").is_file():
        from zonewatch.sensor.store import reading

        return reading.result(path)
    return read_folder(path)


def read_span(path: Path, begin: int | None, end: int | None) -> tuple[AuditResult, Watched | None]:
    """The result, and how the sensor watched where it is a store: its periods of a span, or as it is now.

    Raises ResultError, StoreError, and UsageError for a span of the folder of one audit.
    """
    spanned = begin is not None or end is not None
    if not (path / STORE).is_file() or (path / "result.json").is_file():
        if spanned:
            raise UsageError(
                f"{path}: is the result of one audit: --from and --to choose periods of a sensor's store"
                " (for captures they are options of zonewatch audit)"
            )
        return read_result(path), None
    from zonewatch.sensor.store import spans

    if spanned:
        return spans.of_span(path, begin, end)
    return read_result(path), spans.last_span(path)


def of_side(result: AuditResult, side: Owner | None) -> AuditResult:
    """With the findings that one side has to act on, alone or with the other; of `both`, those that need both."""
    if side is None:
        return result
    return replace(result, findings=tuple(finding for finding in result.findings if finding.owner in (side, "both")))
