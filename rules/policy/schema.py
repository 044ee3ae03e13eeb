"""The published JSON Schema of the policy file. `python -m zonewatch.rules.policy.schema` writes it anew."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, get_args

from zonewatch.rules.policy import model, records

SCHEMA_PATH: Final = Path(__file__).parents[1] / "schemas" / "policy.schema.json"


def policy_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file as it is written."""
    return described(
        model.Policy,
        title="zonewatch zone policy",
        description="Zones and conduits of a system under consideration (IEC 62443-3-2 ZCR 3 and ZCR 6.4).",
    )


def described(whole: type[records.Part], *, title: str, description: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a file that is read as this model, with the texts below its fields."""
    schema = whole.model_json_schema(by_alias=True, mode="validation")
    kinds = {kind.__name__: kind for kind in _kinds(whole)}
    for name, part in ((whole.__name__, schema), *schema.get("$defs", {}).items()):
        if name in kinds:  # other models describe themselves
            _describe(part, kinds[name])
            _allow_empty_values(part)
    return {
        **schema,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
    }


def _kinds(annotation: Any) -> Iterator[type[records.Part]]:
    """The models that a type is made of, itself among them."""
    if isinstance(annotation, type) and issubclass(annotation, records.Part):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _kinds(field.annotation)
            for mark in field.metadata:  # of what may be written in another form
                yield from _kinds(getattr(mark, "json_schema_input_type", None))
    for part in get_args(annotation):
        yield from _kinds(part)


def _describe(part: dict[str, Any], kind: type[records.Part]) -> None:
    """Puts what is written below a field into the schema.

    Pydantic could do so itself, but then every start of the program would parse the source of the models.
    """
    for base in kind.__mro__:
        if base is records.Part:
            break
        for name, text in _texts_below(base).items():
            part["properties"][kind.model_fields[name].alias or name].setdefault("description", text)


def _texts_below(kind: type) -> dict[str, str]:
    """The text below each field of a class."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _allow_empty_values(part: dict[str, Any]) -> None:
    """`purpose:` without a value is as good as none, but for keys that must be there."""
    for key, value in part.get("properties", {}).items():
        choices = value.get("anyOf", ())
        if key in part.get("required", ()) or {"type": "null"} in choices:
            continue
        told = {name: value.pop(name) for name in ("default", "description", "title", "examples") if name in value}
        part["properties"][key] = {**told, "anyOf": [*(choices or (value,)), {"type": "null"}]}


if __name__ == "__main__":
    SCHEMA_PATH.write_text(json.dumps(policy_schema(), indent=1, sort_keys=True) + "\n", "utf-8")
