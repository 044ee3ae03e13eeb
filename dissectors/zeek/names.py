"""Which log a file is: by its name, as Zeek, Malcolm and Security Onion rotate it, and by its first line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from zonewatch.dissectors.zeek.streams import beginning

_NAME: Final = re.compile(r"(?P<kind>[A-Za-z0-9_-]+?)(?P<rest>(?:[.(]|[-_](?=[0-9]))[^/]*)?\.(?:log|json|ndjson)")
_PACKED: Final = (".gz", ".zst", ".zstd")
_STREAMED: Final = "json_streaming_"
_HEADER: Final = (b"#separator ", b"#fields", b"#path")


@dataclass(frozen=True, slots=True)
class Name:
    """A file's name in its parts: `2024-01-01/conn.11:00:00-12:00:00.log.gz`."""

    folder: str
    kind: str  # conn
    rest: str  # .11:00:00-12:00:00

    @property
    def rotation(self) -> tuple[str, str]:
        """What logs of the same time have in common."""
        return self.folder, self.rest


def parts(name: str) -> Name | None:
    """The parts of a log's name; none where it is no log's."""
    path = PurePosixPath(name)
    base = path.name
    for end in _PACKED:
        base = base.removesuffix(end)
    found = _NAME.fullmatch(base.removeprefix(_STREAMED))
    if found is None:
        return None
    return Name("" if path.parent == PurePosixPath(".") else path.parent.as_posix(), found["kind"], found["rest"] or "")


def is_log(path: Path) -> bool:
    """Whether a file is one of Zeek's logs: its name is a log's, and its first line is too."""
    if parts(path.name) is None:
        return False
    head = beginning(path, 8_192)
    lines = [line for line in head.split(b"\n") if line.strip() and not line.startswith(b"##")]
    if not lines:
        return False
    if lines[0].startswith(b"{"):
        return _is_record(lines[0], whole=len(lines) > 1)
    return any(line.startswith(_HEADER) for line in lines[:8])


def _is_record(line: bytes, *, whole: bool) -> bool:
    """Whether a JSON object is a row of Zeek's: those have a time, and most an identifier of the connection."""
    if not whole and not line.rstrip().endswith(b"}"):
        return b'"ts"' in line
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return b'"ts"' in line
    return isinstance(value, dict) and "ts" in value
