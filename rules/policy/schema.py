"""The published JSON Schema of the policy file. `python -m zonewatch.rules.policy.schema` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from zonewatch.rules.policy.model import Policy

SCHEMA_PATH: Final = Path(__file__).parents[1] / "schemas" / "policy.schema.json"


def policy_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file as it is written."""
    schema = Policy.model_json_schema(by_alias=True, mode="validation")
    for part in (schema, *schema["$defs"].values()):
        _allow_empty_values(part)
    return {
        **schema,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "zonewatch zone policy",
        "description": "Zones and conduits of a system under consideration (IEC 62443-3-2 ZCR 3 and ZCR 6.4).",
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
