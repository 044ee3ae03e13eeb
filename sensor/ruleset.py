"""The rules in force: the bundled ones, the user's own, and what the site changes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zonewatch.rules.sigma.detect import Detection, load_detection
from zonewatch.sensor.usage import UsageError


def given_rules(own: Sequence[Path], settings: Path | None) -> Detection:
    """Raises UsageError for what is not there, RuleErrors and PolicyErrors for what is wrong."""
    for path in own:
        if not path.exists():
            raise UsageError(f"--rules {path}: no such file or folder")
    return load_detection(own, settings)
