"""What a person attests beside the traffic: a document for a requirement.

    attested:
      - {requirement: SR 1.3, zone: filtration, by: N. N., on: 2026-03-01, document: D-4, sha256: 9f86…}

`zone` may be left out: then it is for every zone. `framework` is needed where two frameworks have the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from zonewatch.reports.catalogue.load import FRAMEWORKS, framework
from zonewatch.rules.policy.document import Document, Place, Unreadable, read
from zonewatch.rules.policy.load import PolicyError, PolicyErrors
from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.times import Day
from zonewatch.rules.policy.words import hint

__all__ = ["Attestation", "attestation_of", "parse_attestations"]

CODE: Final = "ZA001"
_Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attested requirement."""

    requirement: str
    framework: str  # empty: the only one that has it
    zone: str  # empty: every zone
    by: str
    on: str  # ISO date
    document: str
    sha256: str


class _Entry(Part):
    requirement: _Text
    by: _Text
    on: Day
    document: _Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    zone: str = ""
    framework: str = ""


class _File(Part):
    attested: tuple[_Entry, ...]


def parse_attestations(text: str, name: str, zones: Iterable[str]) -> tuple[Attestation, ...]:
    """The attestations of a file, in its order; `zones` are those of the policy.

    Raises PolicyErrors with all that is wrong, each with its line and column.
    """
    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error), CODE)]) from None
    if not isinstance(document.values, dict):
        raise PolicyErrors([PolicyError(name, 1, 1, "holds no attestations: it needs attested: [...]", CODE)])
    try:
        file = _File.model_validate(document.values)
    except ValidationError as invalid:
        raise PolicyErrors([_told(name, document, error) for error in invalid.errors()]) from None
    errors = [
        PolicyError(name, *document.position(("attested", number, *place)), message, CODE)
        for number, place, message in _wrong(file, tuple(zones))
    ]
    if errors:
        raise PolicyErrors(errors)
    return tuple(
        Attestation(row.requirement, row.framework, row.zone, row.by, row.on.isoformat(), row.document, row.sha256)
        for row in file.attested
    )


def attestation_of(
    attestations: Iterable[Attestation], framework: str, requirement: str, zone: str
) -> Attestation | None:
    """The one for a requirement in a zone: its own before one for every zone."""
    fitting = [
        row
        for row in attestations
        if row.requirement == requirement and row.framework in ("", framework) and row.zone in ("", zone)
    ]
    return max(fitting, key=lambda row: bool(row.zone), default=None)


def _wrong(file: _File, zones: tuple[str, ...]) -> Iterator[tuple[int, Place, str]]:
    holders: dict[str, list[str]] = {}
    for name in FRAMEWORKS:
        for row in framework(name).requirements:
            holders.setdefault(row.id, []).append(name)
    first: dict[tuple[str, str, str], int] = {}
    for number, entry in enumerate(file.attested):
        found = holders.get(entry.requirement, [])
        if not found:
            yield (
                number,
                ("requirement",),
                f"unknown requirement {entry.requirement!r}{hint(entry.requirement, holders)}",
            )
        elif entry.framework and entry.framework not in found:
            yield (
                number,
                ("framework",),
                f"{entry.requirement} is one of {', '.join(found)}, not of {entry.framework!r}",
            )
        elif not entry.framework and len(found) > 1:
            yield number, ("requirement",), f"{entry.requirement} needs a framework: {', '.join(found)}"
        if entry.zone and entry.zone not in zones:
            yield number, ("zone",), f"unknown zone {entry.zone!r}{hint(entry.zone, zones)}"
        key = (entry.framework, entry.requirement, entry.zone)
        if first.setdefault(key, number) != number:
            yield number, ("requirement",), f"{entry.requirement} is attested twice for the same zone"


_FORMS: Final[Mapping[str, str]] = {
    "string_pattern_mismatch": "must be 64 digits 0-9 and a-f",
    "string_too_short": "must not be empty",
    "string_type": "must be text; write it in quotes",
    "tuple_type": "must be a list",
    "model_type": "must have keys of its own, as in {key: value}",
}


def _told(name: str, document: Document, error: Any) -> PolicyError:
    path: Place = error["loc"]
    last = str(path[-1]) if path else "file"
    keys = (_Entry if len(path) > 1 else _File).model_fields
    kinds = {"extra_forbidden": f"unknown key {last!r}{hint(last, keys)}", "missing": f"key {last!r} is missing"}
    message = kinds.get(error["type"]) or f"{last} {_FORMS.get(error['type'], str(error['msg']))}"
    return PolicyError(name, *document.position(path, key=error["type"] == "extra_forbidden"), message, CODE)
