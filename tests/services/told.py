"""What is told of the services of one capture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source


def activities(path: Path) -> list[dict[str, Any]]:
    """All activities of a capture, without their times, which can lie beyond what a `datetime` holds."""
    decoder = Decoder([Source("x", (CaptureFile(path.name, path),))], hash_inputs=False)
    found: list[dict[str, Any]] = []
    going = True
    while going:
        going = decoder.advance()
        found += decoder.take("activities").drop_columns(["first_time", "last_time"]).to_pylist()
    return found
