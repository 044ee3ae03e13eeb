"""A baseline file to a `Baseline`, or every problem of it with its line and column.

plant.yaml:12:9: unknown asset 'plc-33'; did you mean 'plc-3'?
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from zonewatch.rules.baseline.model import EXTERNAL, Baseline
from zonewatch.rules.baseline.text import NEW, Comments, comments_of, written
from zonewatch.rules.policy.document import Document, Place, Unreadable, read
from zonewatch.rules.policy.load import PolicyError, PolicyErrors, read_text, told
from zonewatch.rules.policy.quick import quick
from zonewatch.rules.policy.words import hint

_KEYS: Final = frozenset(("baseline_version", "edges"))
"""A map without these is another file."""
MOST_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BaselineFile:
    """A baseline with the comments of its file."""

    baseline: Baseline
    comments: Comments = NEW

    @property
    def text(self) -> str:
        """The file anew."""
        return written(self.baseline, self.comments)


def load_baseline(path: Path | str) -> BaselineFile:
    """Reads a baseline file. Raises PolicyErrors with everything that is wrong."""
    return parse_baseline(read_text(path, MOST_BYTES), str(path))


def parse_baseline(text: str, name: str = "baseline.yaml") -> BaselineFile:
    """The same from text; `name` is what errors call it."""
    plain = quick(text, MOST_BYTES)
    if plain is not None:
        try:
            return _checked(text, name, plain)
        except PolicyErrors:
            pass  # the slower way knows the columns
    try:
        document = read(text, MOST_BYTES)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error))]) from None
    return _checked(text, name, document)


def _checked(text: str, name: str, document: Document) -> BaselineFile:
    if not isinstance(document.values, dict) or not _KEYS & document.values.keys():
        raise PolicyErrors([PolicyError(name, 1, 1, "is no baseline: it needs baseline_version, assets, edges")])
    try:
        baseline = Baseline.model_validate(document.values)
    except ValidationError as invalid:
        raise PolicyErrors([told(name, document, error, Baseline) for error in invalid.errors()]) from None
    problems = [PolicyError(name, *document.position(path), message) for path, message in _problems(baseline)]
    if problems:
        raise PolicyErrors(problems)
    return BaselineFile(_sorted(baseline), comments_of(text, document, baseline))


def _problems(baseline: Baseline) -> Iterator[tuple[Place, str]]:
    """What is written twice, and ends that are no asset."""
    ids: set[str] = set()
    for number, asset in enumerate(baseline.assets):
        if asset.id in ids:
            yield ("assets", number, "id"), f"asset {asset.id!r} is there twice"
        ids.add(asset.id)
    for room in ("edges", "pending"):
        keys = set()
        for number, edge in enumerate(baseline.edges if room == "edges" else baseline.pending):
            if edge.key in keys:
                yield (room, number), f"edge {' '.join(edge.key)!r} is there twice"
            keys.add(edge.key)
            for end in ("client", "server"):
                asset = getattr(edge, end)
                if asset not in ids and asset != EXTERNAL and not asset.startswith("broadcast:"):
                    yield (room, number, end), f"unknown asset {asset!r}{hint(asset, ids)}"
            functions = set()
            for place, function in enumerate(edge.functions):
                if function.key in functions:
                    yield (room, number, "functions", place), f"function {function.label!r} is there twice"
                functions.add(function.key)
                ranges = set()
                for spot, item in enumerate(function.objects):
                    if item.range in ranges:
                        yield (
                            (room, number, "functions", place, "objects", spot, "range"),
                            f"{str(item.range)!r} is there twice",
                        )
                    ranges.add(item.range)


def _sorted(baseline: Baseline) -> Baseline:
    """In the order of the file, whatever order an editor left."""

    def edges(name: str) -> object:
        found = baseline.edges if name == "edges" else baseline.pending
        return tuple(
            edge.model_copy(
                update={
                    "functions": tuple(
                        function.model_copy(
                            update={"objects": tuple(sorted(function.objects, key=lambda item: item.range.order))}
                        )
                        for function in sorted(edge.functions, key=lambda function: function.order)
                    ),
                    "transitions": tuple(sorted(edge.transitions, key=lambda item: (item.before, item.after))),
                }
            )
            for edge in sorted(found, key=lambda edge: edge.key)
        )

    return baseline.model_copy(
        update={
            "assets": tuple(sorted(baseline.assets, key=lambda asset: asset.id)),
            "edges": edges("edges"),
            "pending": edges("pending"),
        }
    )


def digest(baseline: Baseline) -> str:
    """SHA-256 of the content as it is written without comments and signature."""
    return hashlib.sha256(written(baseline.model_copy(update={"signed": None})).encode()).hexdigest()
