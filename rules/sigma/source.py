"""The YAML documents of a rule file as plain values, with the place of each.

PyYAML reads them, as it does for pySigma: a file means the same here and in a converter for a SIEM.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

import yaml

from zonewatch.rules.policy.document import DEEPEST, MOST_NODES, Document, Place, Unreadable, text_of
from zonewatch.rules.sigma.files import MOST_BYTES
from zonewatch.rules.sigma.model import RuleError

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE: Final = "tag:yaml.org,2002:merge"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read(path: Path, name: str) -> tuple[list[Document], list[RuleError]]:
    """The documents before the first error, and that error."""
    try:
        return parse(text_of(path, MOST_BYTES), name)
    except Unreadable as error:
        return [], [RuleError(name, error.line, error.column, str(error))]


def parse(text: str, name: str) -> tuple[list[Document], list[RuleError]]:
    """The same of a text."""
    documents: list[Document] = []
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                documents.append(_Reader(loader).document(loader.get_node()))
        finally:
            loader.dispose()
    except Unreadable as error:
        return documents, [RuleError(name, error.line, error.column, str(error))]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = " ".join(str(error.problem or error.context or "is no YAML").split())
        return documents, [RuleError(name, line, column, told)]
    except yaml.YAMLError as error:
        return documents, [RuleError(name, 1, 1, str(error).split("\n")[0])]
    except RecursionError:
        return documents, [RuleError(name, 1, 1, "too deeply nested")]
    return [document for document in documents if document.values is not None], []


class _Reader:
    """Nodes to values, bounded in number and depth however anchors multiply them."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._document = Document()
        self._merged: set[int] = set()

    def document(self, node: Any) -> Document:
        self._document.values = self._take(node, ())
        self._document.places[()] = _place(node)
        return self._document

    def _take(self, node: Any, path: Place) -> Any:
        self._document.nodes += 1
        if self._document.nodes > MOST_NODES or len(path) > DEEPEST:
            raise Unreadable("too large or too deeply nested to be a rule", *_place(node))
        if isinstance(node, yaml.MappingNode):
            if any(key.tag == _MERGE for key, _ in node.value):
                self._loader.flatten_mapping(node)
                self._merged.add(id(node))
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            found = []
            for number, item in enumerate(node.value):
                self._document.places[*path, number] = _place(item)
                found.append(self._take(item, (*path, number)))
            return found
        return self._scalar(node)

    def _mapping(self, node: Any, path: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Unreadable("a key has to be a word", *_place(key))
            name = str(key.value)
            if name in found and id(node) not in self._merged:
                raise Unreadable(f"key {name!r} is given twice", *_place(key))
            self._document.keys[*path, name] = _place(key)
            self._document.places[*path, name] = _place(value)
            found[name] = self._take(value, (*path, name))
        return found

    def _scalar(self, node: Any) -> Any:
        try:
            value = self._loader.construct_object(node, deep=True)
        except (ValueError, OverflowError):  # a date that no calendar has, a number without end
            return str(node.value)
        return value if value is None or isinstance(value, bool | int | float | str | dt.date) else str(node.value)


def _place(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def moment(value: object) -> object:
    """A time of an example record as records have it: UTC nanoseconds."""
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
        return (value - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days * 86_400_000_000_000
    return value
