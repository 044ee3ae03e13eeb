"""A policy file to a `Policy`, or every problem of it with its line and column.

policy.yaml:12:9: unknown zone 'cel'; did you mean 'cell'?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from zonewatch.rules.policy.checks import Names, check
from zonewatch.rules.policy.document import DEEPEST, Document, Place, Unreadable, read
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS
from zonewatch.rules.policy.words import hint

_WORDS = re.compile(r"'([^']*)'")
_NOUNS: Final = {
    "operations": "operation",
    "between_zones": "action",
    "within_zone": "action",
    "unknown_asset": "action",
}


@dataclass(frozen=True, slots=True)
class PolicyError:
    """One thing that is wrong with a policy file; line and column count from 1, 0 where there is no place."""

    file: str
    line: int
    column: int
    message: str
    code: str = "ZP002"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.line else f"{self.file}: {self.message}"


class PolicyErrors(Exception):
    """All that is wrong with a policy file, in the order of its lines."""

    def __init__(self, errors: Iterable[PolicyError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.file, error.line, error.column, error.message)))
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy file: its text, the values with their places, and the policy (its valid part)."""

    name: str
    text: str
    document: Document
    policy: Policy
    errors: tuple[PolicyError, ...]


def load_policy(path: Path | str, known_assets: Iterable[str] = ()) -> Policy:
    """Reads a policy file. `known_assets` are ids of an asset list, which flows and members may name too.

    Raises PolicyErrors with everything that is wrong: YAML, keys, words, references, ties.
    """
    return parse_policy(read_text(path), str(path), known_assets)


def read_text(path: Path | str) -> str:
    """The text of a policy file. Raises PolicyErrors."""
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PolicyErrors([PolicyError(name, 0, 0, error.strerror or str(error), "ZP001")]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"is no UTF-8 text (octet {error.start})"
        raise PolicyErrors([PolicyError(name, line, column, message, "ZP001")]) from None


def parse_policy(text: str, name: str = "policy.yaml", known_assets: Iterable[str] = ()) -> Policy:
    """The same from text; `name` is what errors call it."""
    loaded = inspect_policy(text, name, known_assets)
    if loaded.errors:
        raise PolicyErrors(loaded.errors)
    return loaded.policy


def inspect_policy(text: str, name: str = "policy.yaml", known_assets: Iterable[str] = ()) -> Loaded:
    """The policy with all that is wrong with it. Raises PolicyErrors where it is no policy at all."""
    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error), "ZP001")]) from None
    if not isinstance(document.values, dict):
        message = "is no policy: it needs policy_version, suc, zones"
        raise PolicyErrors([PolicyError(name, 1, 1, message, "ZP001")])
    errors: list[PolicyError] = []
    origin: dict[Place, Place] = {}
    try:
        policy = Policy.model_validate(document.values)
    except ValidationError as invalid:
        errors = [_told(name, document, error) for error in _distinct(invalid)]
        policy = _valid_part(document.values, invalid, origin)
    for problem in check(policy, _names(document.values, known_assets)):
        path = _original(problem.path, origin)
        errors.append(PolicyError(name, *document.position(path), problem.message, problem.code))
    return Loaded(name, text, document, policy, PolicyErrors(errors).errors)


def _distinct(invalid: ValidationError) -> Iterator[Any]:
    """Errors without the repetition that a missing map of seven levels would make."""
    missing: set[Place] = set()
    for error in invalid.errors():
        place = error["loc"]
        if error["type"] == "missing" and place and place[-1] in FOUNDATIONAL_REQUIREMENTS:
            if place[:-1] in missing:
                continue
            missing.add(place[:-1])
        yield error


def _told(name: str, document: Document, error: Any) -> PolicyError:
    path: Place = error["loc"]
    kind, value = error["type"], error.get("input")
    message = str(error["msg"])
    if kind == "extra_forbidden":
        message = f"unknown key {str(path[-1])!r}{hint(str(path[-1]), _keys_at(path[:-1]))}"
    elif kind == "missing" and path and path[-1] in FOUNDATIONAL_REQUIREMENTS:
        message = f"sl_t needs one number, or all of {', '.join(FOUNDATIONAL_REQUIREMENTS)}"
    elif kind == "missing":
        message = f"key {str(path[-1])!r} is missing"
    elif kind == "literal_error":
        message = _literal(path, value, _WORDS.findall(error["ctx"]["expected"]))
    elif kind != "policy":
        message = f"{path[-1] if path else 'file'}: {message.replace('Input should be', 'must be')}"
    return PolicyError(name, *document.position(path, key=kind == "extra_forbidden"), message)


def _literal(path: Place, value: object, words: list[str]) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    last = names[-1] if names else "value"
    if last == "policy_version":
        return f"policy_version {value!r} is not known; this version reads 1"
    noun = _NOUNS.get(last, last)
    return f"unknown {noun} {value!r}{hint(str(value), words) or '; one of ' + ', '.join(words)}"


def _keys_at(path: Place) -> list[str]:
    """The keys that the model allows at a place."""
    model: type[BaseModel] | None = Policy
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(fields[part].annotation) if part in fields else None
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _names(values: dict[str, Any], known_assets: Iterable[str]) -> Names:
    def ids(key: str) -> frozenset[str]:
        entries = values.get(key)
        entries = entries if isinstance(entries, list) else []
        return frozenset(str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry)

    return Names(ids("zones"), ids("assets") | frozenset(known_assets))


def _valid_part(values: dict[str, Any], invalid: ValidationError, origin: dict[Place, Place]) -> Policy:
    """The policy without what is wrong by itself, so that its references are still checked."""
    wrong: set[Place] = set()
    for _ in range(DEEPEST):
        for error in invalid.errors():
            place = _original(error["loc"][:-1] if error["type"] == "missing" else error["loc"], origin)
            wrong.add(_existing(values, place))
        origin.clear()
        rest = _without(values, wrong, (), (), origin)
        try:
            return Policy.model_validate({"suc": {"id": "unnamed"}, **rest, "policy_version": 1})
        except ValidationError as again:
            invalid = again
    return Policy.model_validate({"policy_version": 1, "suc": {"id": "unnamed"}})


def _existing(values: Any, place: Place) -> Place:
    """The longest part of a path that leads to something in the file."""
    for length, part in enumerate(place):
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return place[:length]
    return place


def _without(node: Any, wrong: set[Place], path: Place, new: Place, origin: dict[Place, Place]) -> Any:
    origin[new] = path
    if isinstance(node, dict):
        kept = [(key, value) for key, value in node.items() if (*path, key) not in wrong]
        return {key: _without(value, wrong, (*path, key), (*new, key), origin) for key, value in kept}
    if isinstance(node, list):
        left = [(number, item) for number, item in enumerate(node) if (*path, number) not in wrong]
        return [
            _without(item, wrong, (*path, number), (*new, place), origin) for place, (number, item) in enumerate(left)
        ]
    return node


def _original(path: Place, origin: dict[Place, Place]) -> Place:
    """Where something of the pruned file stood in the whole one."""
    for length in range(len(path), -1, -1):
        if path[:length] in origin:
            return (*origin[path[:length]], *path[length:])
    return path
