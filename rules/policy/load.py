"""A policy file to a `Policy`, or every problem of it with its line and column.

policy.yaml:12:9: unknown zone 'cel'; did you mean 'cell'?
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError

from zonewatch.rules.policy.checks import Names, check
from zonewatch.rules.policy.document import DEEPEST, MOST_BYTES, Document, Place, Unreadable, read, text_of
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS
from zonewatch.rules.policy.words import hint

_WORDS = re.compile(r"'([^']*)'")
_FORMS: Final = {
    "tuple_type": "must be a list",
    "model_type": "must have keys of its own, as in {key: value}",
    "string_type": "must be text; write it in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be one word, without spaces and commas",
}
"""What is said of values of another form, by pydantic's name of the mistake."""
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


def read_text(path: Path | str, most: int = MOST_BYTES) -> str:
    """The text of a policy file. Raises PolicyErrors."""
    try:
        return text_of(Path(path), most)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(str(path), error.line, error.column, str(error), "ZP001")]) from None


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
        errors = [told(name, document, error, Policy) for error in _distinct(invalid, document.values)]
        policy = _valid_part(document.values, invalid, origin)
    for problem in check(policy, _names(document.values, known_assets)):
        path = _original(problem.path, origin)
        errors.append(PolicyError(name, *document.position(path), problem.message, problem.code))
    return Loaded(name, text, document, policy, PolicyErrors(errors).errors)


def _distinct(invalid: ValidationError, values: Any) -> Iterator[Any]:
    """Errors without the repetition that a missing map of seven levels, or one number for all seven, would make."""
    told: set[Place] = set()
    for error in invalid.errors():
        place = error["loc"]
        if place and place[-1] in FOUNDATIONAL_REQUIREMENTS and error["type"] != "extra_forbidden":
            one = _existing(values, place) != place
            if one and place[:-1] in told:
                continue
            if one:
                told.add(place[:-1])
            if one and error["type"] != "missing":
                error["loc"] = place[:-1]
        yield error


def _called(path: Place) -> str:
    """What a value is called: its key, with its place in a list."""
    *above, last = path or ("file",)
    return f"{above[-1]} {last + 1}" if isinstance(last, int) and above else str(last)


def told(name: str, document: Document, error: Any, model: type[BaseModel]) -> PolicyError:
    """What pydantic says of a file that is read as this model, with its place and the nearest right word."""
    path: Place = error["loc"]
    kind, value = error["type"], error.get("input")
    message = str(error["msg"])
    if kind == "extra_forbidden":
        message = f"unknown key {str(path[-1])!r}{hint(str(path[-1]), _keys_at(path[:-1], model))}"
    elif (kind == "missing" and path and path[-1] in FOUNDATIONAL_REQUIREMENTS) or (
        kind == "model_type" and path[-1] == "sl_t"
    ):
        message = f"sl_t needs one number, or all of {', '.join(FOUNDATIONAL_REQUIREMENTS)}"
    elif kind == "missing":
        message = f"key {str(path[-1])!r} is missing"
    elif kind == "literal_error":
        message = _literal(path, value, _words(error))
    elif kind == "union_tag_invalid":
        message = _literal((*path, error["ctx"]["discriminator"].strip("'")), error["ctx"]["tag"], _words(error))
    elif kind in _FORMS:
        message = f"{_called(path)}: {_FORMS[kind]}"
    elif kind != "policy":
        message = f"{_called(path)}: {message.replace('Input should be', 'must be')}"
    return PolicyError(name, *document.position(path, key=kind == "extra_forbidden"), message)


def _words(error: Any) -> list[str]:
    """The words that a place takes."""
    return _WORDS.findall(error["ctx"].get("expected") or error["ctx"]["expected_tags"])


def _literal(path: Place, value: object, words: list[str]) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    last = names[-1] if names else "value"
    if last.endswith("_version"):
        return f"{last} {value!r} is not known; this version reads 1"
    noun = _NOUNS.get(last, last)
    return f"unknown {noun} {value!r}{hint(str(value), words) or '; one of ' + ', '.join(words)}"


def _keys_at(path: Place, whole: type[BaseModel]) -> list[str]:
    """The keys that the model allows at a place."""
    model: type[BaseModel] | None = whole
    by_name = False
    for part in path:
        if isinstance(part, int) or model is None or by_name:
            by_name = False  # a key of the file's own, behind which the model stands
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        by_name = part in fields and get_origin(fields[part].annotation) is dict
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
