"""A YAML file as plain values, with the place of each key and value."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_NODES: Final = 500_000
DEEPEST: Final = 40
Place = tuple[str | int, ...]


class Unreadable(Exception):
    """No YAML, or too much of it: why, and the line and column (0: of the file as a whole)."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.line = line
        self.column = column


def text_of(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a file, of which no more than this is ever held. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            return decoded(file.read(most + 1), most)
    except OSError as error:
        raise Unreadable(error.strerror or str(error), 0, 0) from None


def decoded(data: bytes, most: int = MOST_BYTES) -> str:
    """Octets of a file as text. Raises Unreadable, also for more than so many."""
    if len(data) > most:
        raise Unreadable("too large", 0, 0)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise Unreadable(f"is no UTF-8 text (octet {error.start})", line, column) from None


class _Constructor(RoundTripConstructor):
    """Leaves a date that no calendar has as text: the check of its key then says what is wrong, and where."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        if len(node.value) > len("2026-12-01"):
            return node.value  # a moment: its key reads it, with its offset
        try:
            return super().construct_yaml_timestamp(node, values)
        except (ValueError, OverflowError):
            return node.value


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


@dataclass(slots=True)
class Document:
    """The values of a YAML file, with the place of each."""

    values: Any = None
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    places: dict[Place, tuple[int, int]] = field(default_factory=dict)
    nodes: int = 0

    def position(self, path: Place, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a value (or its key), or of the nearest part that holds it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def take(self, node: Any, path: Place = ()) -> Any:
        """The node as plain values; notes where everything stands."""
        self.nodes += 1
        if self.nodes > MOST_NODES or len(path) > DEEPEST:
            raise ValueError("too large or too deeply nested")
        marks = getattr(getattr(node, "lc", None), "data", None) or {}
        if isinstance(node, dict):
            result = {}
            for key, value in node.items():
                name = key if isinstance(key, str) else str(key)
                if key in marks:
                    self.keys[*path, name] = (marks[key][0] + 1, marks[key][1] + 1)
                    self.places[*path, name] = (marks[key][2] + 1, marks[key][3] + 1)
                result[name] = self.take(value, (*path, name))
            return result
        if isinstance(node, list):
            for number in range(len(node)):
                if number in marks:
                    self.places[*path, number] = (marks[number][0] + 1, marks[number][1] + 1)
            return [self.take(item, (*path, number)) for number, item in enumerate(node)]
        return _scalar(node)


def _scalar(node: Any) -> Any:
    if node is None or isinstance(node, bool | dt.date):
        return node
    # ruamel.yaml's scalars are subclasses that remember how they were written.
    for plain in (int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return int(node) if type(node).__name__ == "ScalarBoolean" else str(node)


def read(text: str, most: int = MOST_BYTES) -> Document:
    """Raises Unreadable, also for more than so many characters."""
    document = Document()
    if len(text) > most:
        raise Unreadable("too large", 0, 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yaml = YAML(typ="rt", pure=True)
            yaml.Constructor = _Constructor
            document.values = document.take(yaml.load(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = str(error.problem or error.context or "is no YAML")
        if problem.startswith("but ") and error.context:
            problem = f"{error.context}, {problem}"
        raise Unreadable(" ".join(problem.split()), line, column) from None
    except RecursionError:
        raise Unreadable("too deeply nested") from None
    except Exception as error:  # beside its own errors ruamel.yaml lets Python's pass, as of an anchor on a key
        if not isinstance(error, YAMLError | ValueError):
            raise Unreadable("is no plain YAML (an anchor, tag or key out of place)") from None
        raise Unreadable((str(error) or "is no YAML").split("\n")[0]) from None
    return document
