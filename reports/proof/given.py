"""`inputs/`: copies of what an audit was given besides captures, so that its findings can be judged again.

`inputs/given.json` names them. Captures are not copied: `evidence/` has the packets behind the findings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.reports.codec import ShapeError, decode, encode
from zonewatch.reports.proof.manifest import Input, RuleSetName

__all__ = ["FOLDER", "GIVEN", "RESULT", "GivenError", "GivenFiles", "dumps", "is_ours", "loads"]

FOLDER: Final = "inputs"
GIVEN: Final = f"{FOLDER}/given.json"
RESULT: Final = f"{FOLDER}/result.json"
"""In the folder of a report: the result that it was made of."""
_OURS: Final = re.compile(
    rf"{FOLDER}/(given\.json|result\.json|policy\.yaml|assets\.csv|tags\.csv|detection\.yaml|rules-\d{{4}}\.yml)"
)


class GivenError(ValueError):
    """`given.json` cannot be read."""


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """What an audit was given."""

    inputs_version: Literal[1]
    files: tuple[Input, ...]
    rules: RuleSetName
    begin_time: int = 0  # of --from; 0: none
    end_time: int = 0


def is_ours(name: str) -> bool:
    """Whether an audit or a report writes a file of this name."""
    return _OURS.fullmatch(name) is not None


def dumps(given: GivenFiles) -> str:
    """As JSON, one newline at the end."""
    return json.dumps(encode(given), indent=2) + "\n"


def loads(octets: bytes) -> GivenFiles:
    """Raises GivenError."""
    try:
        found: GivenFiles = decode(GivenFiles, json.loads(octets))
    except (ShapeError, ValueError, RecursionError) as error:
        raise GivenError(f"{GIVEN}: {error}") from None
    if wrong := [row.copy for row in found.files if row.copy and not is_ours(row.copy)]:
        raise GivenError(f"{GIVEN}: names {wrong[0][:80]!a}, which is no file of {FOLDER}/")
    return found
