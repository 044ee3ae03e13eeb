"""`inputs/` with pseudonyms: policy, asset list and tags; rules of one's own and settings are not told."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from zonewatch.reports.proof import given
from zonewatch.reports.proof.given import GIVEN, GivenFiles
from zonewatch.reports.proof.manifest import Input
from zonewatch.reports.pseudonyms.fields import KEEP, SENTENCE, TELLS, tell_by, treated
from zonewatch.reports.pseudonyms.words import Words

__all__ = ["pseudonymised_inputs", "tell_inputs"]

_CELLS: Final[Mapping[str, str]] = {
    "id": "asset",
    "asset": "asset",
    "name": "asset",
    "description": "text",
    **dict.fromkeys(("addresses", "mac", "zone", "vendor", "model", "address", "unit"), SENTENCE),
    **dict.fromkeys(
        (
            "role", "criticality", "protocol", "kind", "engineering_unit", "scale", "offset", "data_type", "low",
            "high", "alarm_low", "alarm_high", "safety", "use",
        ),
        KEEP,
    ),
}  # fmt: skip
"""Columns of the asset list and the tag list. Others are texts."""
_TEXTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("name", "site"), "site"),
    **dict.fromkeys(
        (
            "purpose", "reason", "description", "notes", "note", "ticket", "compensating", "justification", "comment",
            "title", "procedure", "consequence", "assumption", "assumptions", "physical", "function",
        ),
        "text",
    ),
    **dict.fromkeys(
        (
            "organization", "contact", "approved_by", "by", "it", "ot", "role_holder", "person", "user", "users",
            "user_group", "owner", "approver", "responsible", "author", "reviewed_by", "accountable",
        ),
        "person",
    ),
}  # fmt: skip
"""Keys of the policy whose values people wrote freely. All other values keep what is neither name nor address."""


def tell_inputs(files: Mapping[str, bytes], words: Words) -> None:
    """Tells the names in lists and policy: also of what was never seen."""
    for name in ("inputs/assets.csv", "inputs/tags.csv"):
        for column, cell in _cells(files.get(name, b"")):
            what = "tag" if name.endswith("tags.csv") and column == "name" else _CELLS.get(column, "text")
            if what in TELLS:
                tell_by(words, what, cell)
    for what, text in _policy_texts(files.get("inputs/policy.yaml", b"")):
        if what in TELLS:
            tell_by(words, what, text)


def _cells(octets: bytes) -> Iterator[tuple[str, str]]:
    for row in csv.DictReader(io.StringIO(octets.decode("utf-8-sig", errors="replace"), newline="")):
        yield from ((str(column or ""), cell) for column, cell in row.items() if isinstance(cell, str))


def _policy_texts(octets: bytes) -> Iterator[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def look(what: str, text: str) -> str:
        found.append((what, text))
        return text

    _walked(_loaded(octets), look)
    yield from found


def _loaded(octets: bytes) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(octets)
    except (YAMLError, ValueError, RecursionError):
        return None


def _walked(value: Any, treat: Callable[[str, str], str], key: str = "", place: str = "") -> Any:
    """The same tree, each text treated by the key that it stands under."""
    if isinstance(value, dict):
        return {name: _walked(item, treat, str(name), f"{place}.{key}") for name, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, treat, key, place) for item in value]
    if not isinstance(value, str):
        return value
    if key == "id" and place.endswith(".assets"):
        return treat("asset", value)
    if key == "id" and place.endswith(".suc"):
        return treat("site", value)
    return treat(_TEXTS.get(key, SENTENCE), value)


def pseudonymised_inputs(files: Mapping[str, bytes], words: Words) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of `inputs/`, and what of them is not told, in sentences."""
    if GIVEN not in files:
        return {}, ()
    told = given.loads(files[GIVEN])
    made: dict[str, bytes] = {}
    rows, withheld = [], []
    for row in told.files:
        if row.kind in ("rules", "detection"):
            withheld.append(row.kind)
        elif row.copy and row.copy in files:
            made[row.copy] = _copy(row, files[row.copy], words)
        kept = row.copy if row.copy in made else ""
        rows.append(Input(row.kind, treated(words, "file", row.name), row.sha256, kept))
    made[GIVEN] = given.dumps(GivenFiles(1, tuple(rows), told.rules, told.begin_time, told.end_time)).encode()
    said = [f"inputs/: {len(withheld)} files of rules and settings are left out, as they may name anything"]
    return made, tuple(said) if withheld else ()


def _copy(row: Input, octets: bytes, words: Words) -> bytes:
    if row.kind == "policy":
        tree = _walked(_loaded(octets), lambda what, text: treated(words, what, text))
        written = io.BytesIO()
        YAML(typ="safe", pure=True).dump(tree, written)
        return written.getvalue()
    reader = csv.DictReader(io.StringIO(octets.decode("utf-8-sig", errors="replace"), newline=""))
    out = io.StringIO(newline="")
    columns = [str(column) for column in reader.fieldnames or ()]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for cells in reader:
        writer.writerow(_cell(row.kind, column, str(cells.get(column) or ""), words) for column in columns)
    return out.getvalue().encode()


def _cell(kind: str, column: str, text: str, words: Words) -> str:
    name = column.strip().lower()
    what = "tag" if kind == "tags" and name == "name" else _CELLS.get(name, "text")
    return treated(words, what, text)
