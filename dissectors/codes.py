"""The engine's tables of codes (`tables/*.toml`), for whoever names codes in another tool's words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(protocol: str) -> Mapping[str, Any]:
    """A table of codes, as the engine has it."""
    text = (files("zonewatch.dissectors") / "tables" / f"{protocol}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
