"""The published JSON Schema of the policy file. `python -m zonewatch.rules.policy.schema` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from zonewatch.rules.policy.model import Policy

SCHEMA_PATH: Final = Path(__file__).parents[1] / "schemas" / "policy.schema.json"


def policy_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file as it is written."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "zonewatch zone policy",
        **Policy.model_json_schema(by_alias=True, mode="validation"),
    }


if __name__ == "__main__":
    SCHEMA_PATH.write_text(json.dumps(policy_schema(), indent=1, sort_keys=True) + "\n", "utf-8")
