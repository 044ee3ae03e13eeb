"""The folder of a report: what may be one, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from zonewatch.reports.document.forms import is_ours
from zonewatch.reports.proof.manifest import MANIFEST
from zonewatch.reports.write import write_octets
from zonewatch.sensor.proof import packing
from zonewatch.sensor.usage import UsageError

__all__ = ["refuse", "write"]


def refuse(out: Path) -> None:
    """Raises UsageError where a report cannot be written."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder for the report, new or of a report before")
    if out.is_dir() and (out / "result.json").exists():
        raise UsageError(f"--out {out}: is the folder of an audit; name another one for the report")


def write(out: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files; those that a report before wrote and this one does not are removed. Raises OSError."""
    old = _written_before(out)
    for name, octets in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_octets(path, octets)
    for name in old - files.keys():
        (out / name).unlink(missing_ok=True)


def _written_before(out: Path) -> set[str]:
    """Files that the manifest of a report before names."""
    try:
        outputs = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["outputs"]
        named = {row["name"] for row in outputs} | {packing.SIGNATURE}
        return {name for name in named if is_ours(name) or packing.is_ours(name)}
    except (OSError, ValueError, LookupError, TypeError):
        return set()
