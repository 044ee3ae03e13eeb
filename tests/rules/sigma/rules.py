"""Rules written short, for tests."""

from __future__ import annotations

import json
from typing import Any

from zonewatch.rules.sigma.load import parsed
from zonewatch.rules.sigma.lower import Placeholders
from zonewatch.rules.sigma.model import Rule
from zonewatch.rules.sigma.taxonomy import Field, Type

TYPES: dict[str, Type] = {
    "text": "keyword",
    "word": "keyword",
    "other": "keyword",
    "address": "ip",
    "number": "integer",
    "real": "number",
    "truth": "boolean",
    "moment": "date",
    "network.protocol": "keyword",
}
TAXONOMY = {"c": {name: Field(name, kind, name) for name, kind in TYPES.items()}}


def rule_text(detection: dict[str, Any], name: str = "test.rule", **more: Any) -> str:
    """A rule file; JSON is YAML."""
    source = {"product": "zonewatch", "category": "c"}
    return json.dumps({"title": "Test", "name": name, "logsource": source, "detection": detection} | more)


def rule(detection: dict[str, Any], placeholders: Placeholders | None = None, **more: Any) -> Rule:
    """The rule read from it."""
    return parsed(rule_text(detection, **more), taxonomy=TAXONOMY, placeholders=placeholders).rules[0]
