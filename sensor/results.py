"""RESULT, as commands take it: the folder that an audit wrote, or the store of a sensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from zonewatch.reports.result import AuditResult
from zonewatch.reports.write import read_result as read_folder
from zonewatch.rules.findings import Owner

__all__ = ["is_result", "of_side", "read_result"]

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


def of_side(result: AuditResult, side: Owner | None) -> AuditResult:
    """With the findings that one side has to act on, alone or with the other; of `both`, those that need both."""
    if side is None:
        return result
    return replace(result, findings=tuple(finding for finding in result.findings if finding.owner in (side, "both")))
