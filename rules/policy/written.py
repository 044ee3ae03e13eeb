"""Texts as they are written in a policy file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

_PLAIN: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_.-]*( [A-Za-z0-9][A-Za-z0-9_.-]*)*|[0-9]+(\.[0-9]+){3}(/[0-9]+)?|[0-9]+/[a-z]+"
)
_WORDS_OF_YAML: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def scalar(text: str) -> str:
    """A text as a YAML scalar: plain where that is safe, else in double quotes."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
    if plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(mark if mark.isprintable() else f"\\U{ord(mark):08x}" for mark in quoted)


def sequence(items: Iterable[str]) -> str:
    """A YAML list on one line."""
    return f"[{', '.join(scalar(item) for item in items)}]"
