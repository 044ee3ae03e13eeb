"""Zeek's logs that lie beside public captures (`<capture>.truth/…/<log>.log`), read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.oracles.compare import CAPTURES

Fact = tuple[str, str, str]
"""Of whom, which field, its value."""
Line = dict[str, str]
"""A line of a log: its fields that are set, by their names."""
_ENDS: Final = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service")
"""The fields of a log that was cut to these and does not name them."""


@dataclass(frozen=True, slots=True, order=True)
class Log:
    """One log of one capture."""

    capture: str
    name: str
    path: Path


def logs(names: tuple[str, ...]) -> Iterator[Log]:
    """The logs of these names, of captures that are here. A suffix tells the runs of one test apart: `conn-second`."""
    for path in sorted(CAPTURES.glob("**/*.truth/**/*.log")):
        name = path.stem.partition("-")[0]
        folder = next(parent for parent in path.parents if parent.suffix == ".truth")
        capture = folder.with_suffix("")
        if name in names and capture.is_file():
            yield Log(str(capture.relative_to(CAPTURES)), name, path)


def lines(log: Log) -> list[Line]:
    """All lines of a log."""
    names: tuple[str, ...] = _ENDS
    found = []
    for text in log.path.read_text(encoding="utf-8").splitlines():
        if text.startswith(("#fields\t", "ts\t", "uid\t")):
            names = tuple(text.removeprefix("#fields\t").split("\t"))
        elif not text.startswith("#"):
            cells = zip(names, text.split("\t"), strict=True)
            found.append({name: _plain(cell) for name, cell in cells if cell not in _UNSET})
    return found


_UNSET: Final = ("-", "(empty)", "")


def _plain(cell: str) -> str:
    """Octets that are no text stand in a log as `\\xNN`, and a backslash as two."""
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|\\)", lambda found: chr(int(found[1], 16)) if found[1] else "\\", cell)
