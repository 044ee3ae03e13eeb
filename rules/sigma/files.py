"""Where rule files lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 1024 * 1024
"""Of a rule file."""


def files(root: Path) -> list[Path]:
    """A rule file, or the rule files of a folder and the folders in it, sorted."""
    if not root.is_dir():
        return [root]
    found = [path for path in root.rglob("*") if path.suffix.lower() in (".yml", ".yaml") and path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(root).parts)


def all_files(roots: Iterable[Path]) -> Iterator[Path]:
    """The rule files of all of these, each once however many of them lead to it."""
    seen: set[Path] = set()
    for root in roots:
        for path in files(root):
            if (whole := path.resolve()) not in seen:
                seen.add(whole)
                yield path
