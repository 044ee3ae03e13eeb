"""The zone register as CSV, for the spreadsheets that zones are kept in: out of a policy, and back into its text.

One row a zone. Back into a policy, a row changes what differs in its zone or adds a zone; nothing is removed, and every
comment stays.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from zonewatch.rules.policy.edit import Add, Edit, Remove, Replace, edited
from zonewatch.rules.policy.model import Policy, Zone
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS
from zonewatch.rules.policy.words import hint
from zonewatch.rules.policy.written import scalar

_LEVELS: Final = tuple(f"sl_t_{name.lower()}" for name in FOUNDATIONAL_REQUIREMENTS)
COLUMNS: Final = (
    *("id", "name", "purpose", "kind", "purdue", "parent", "trust"),
    *("owner", "owner_organization", "owner_role", "owner_contact", "owner_ot", "owner_it"),
    *("site", "building", "room", "cabinet", "location"),
    *("safety", "sil"),
    *_LEVELS,
    *("subnets", "vlans", "include", "exclude"),
    *("access_logical", "access_physical", "policies", "assumptions", "dependencies"),
)
_SEPARATOR: Final = "; "
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class RegisterError(ValueError):
    """The register cannot be used: what is wrong, and in which line."""

    def __init__(self, name: str, line: int, problem: str) -> None:
        super().__init__(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")


class _Column(NamedTuple):
    """Where a column stands in a zone."""

    path: tuple[str, ...]
    many: bool = False
    number: bool = False


_PLACES: Final[Mapping[str, _Column]] = {
    **{name: _Column((name,)) for name in ("name", "purpose", "kind", "parent", "trust")},
    "purdue": _Column(("purdue",), number=True),
    "owner": _Column(("owner", "name")),
    **{f"owner_{name}": _Column(("owner", name)) for name in ("organization", "role", "contact", "ot", "it")},
    **{name: _Column(("location", name)) for name in ("site", "building", "room", "cabinet")},
    "location": _Column(("location", "description")),
    "safety": _Column(("safety", "designation")),
    "sil": _Column(("safety", "sil"), number=True),
    **{f"sl_t_{name.lower()}": _Column(("sl_t", name), number=True) for name in FOUNDATIONAL_REQUIREMENTS},
    **{name: _Column(("members", name), many=True) for name in ("subnets", "include", "exclude")},
    "vlans": _Column(("members", "vlans"), many=True, number=True),
    **{f"access_{name}": _Column(("access_points", name), many=True) for name in ("logical", "physical")},
    **{name: _Column((name,), many=True) for name in ("policies", "assumptions", "dependencies")},
}


def exported(policy: Policy) -> str:
    """The zones of a policy, one row each, in their order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for zone in policy.zones:
        writer.writerow([_unarmed(cell) for cell in (zone.id, *(_cell(zone, _PLACES[name]) for name in COLUMNS[1:]))])
    return text.getvalue()


def _unarmed(cell: str) -> str:
    """A text that a spreadsheet would run as a formula is led by an apostrophe, as in every table of a result."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _armed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _cell(zone: Zone, column: _Column) -> str:
    value: Any = zone
    for part in column.path:
        value = getattr(value, part, None)
    if column.many:
        return _SEPARATOR.join(map(str, value or ()))
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def imported(text: str, policy: Policy, register: str, name: str) -> str:
    """The text of a policy with the register's rows in it. Raises RegisterError."""
    zones = {zone.id: (place, zone) for place, zone in enumerate(policy.zones)}
    edits: list[Edit] = []
    seen: set[str] = set()
    for line, row in _rows(register, name):
        identity = row.get("id", "").strip()
        if not identity:
            raise RegisterError(name, line, "column id is empty")
        if identity in seen:
            raise RegisterError(name, line, f"zone {identity!r} is there twice")
        seen.add(identity)
        given = {key: cell.strip() for key, cell in row.items() if key != "id"}
        values = {key: _yaml(cell, _PLACES[key], key, name, line) for key, cell in given.items() if cell}
        if identity in zones:
            edits += _changes(*zones[identity], given, values)
        else:
            edits.append(Add(("zones",), "", "\n".join(_zone_lines(identity, values))))
    if edits and not policy.zones and "zones" not in policy.model_fields_set:
        text = f"{text.rstrip()}\nzones: []\n"
    return edited(text, edits)


def _rows(register: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(register, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        for index, column in enumerate(header):
            if column not in COLUMNS:
                raise RegisterError(name, 1, f"unknown column {column!r}{hint(column, COLUMNS)}")
            if column in header[:index]:
                raise RegisterError(name, 1, f"column {column!r} is there twice")
        if "id" not in header:
            raise RegisterError(name, 1, f"column 'id' is missing; the columns are {','.join(COLUMNS)}")
        for row in reader:
            if len(row) > len(header):
                raise RegisterError(name, reader.line_num, f"{len(row)} cells, the header has {len(header)}")
            if any(cell.strip() for cell in row):
                yield reader.line_num, dict(zip(header, map(_armed, row), strict=False))
    except csv.Error as error:
        raise RegisterError(name, reader.line_num, f"is not a CSV file: {error}") from None


def _yaml(cell: str, column: _Column, key: str, name: str, line: int) -> str:
    """A cell as YAML on one line."""
    items = [item.strip() for item in cell.split(";") if item.strip()] if column.many else [cell]
    if column.number:
        for item in items:
            try:
                float(item)
            except ValueError:
                raise RegisterError(name, line, f"column {key}: {item!r} is no number") from None
    told = items if column.number else [scalar(item) for item in items]
    return f"[{', '.join(told)}]" if column.many else told[0]


def _changes(place: int, zone: Zone, given: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Edit]:
    """What differs. Parts that the file writes short (`owner: Operations`, `sl_t: 2`) are written out."""
    changed = [key for key, cell in given.items() if _same(cell) != _same(_cell(zone, _PLACES[key]))]
    for top in dict.fromkeys(_PLACES[key].path[0] for key in changed):
        keys = [key for key, column in _PLACES.items() if column.path[0] == top]
        path = ("zones", place, top)
        if len(_PLACES[keys[0]].path) == 1:
            yield from _one(zone, top, path, values.get(keys[0]))
            continue
        new = {key: _cell(zone, _PLACES[key]) for key in keys} | {key: given[key] for key in keys if key in given}
        told = {_PLACES[key].path[1]: _yaml(cell, _PLACES[key], key, "", 0) for key, cell in new.items() if cell}
        if top == "safety" and told.get("designation") == '"none"' and len(told) == 1:
            told = {}
        yield from _one(
            zone, top, path, f"{{{', '.join(f'{key}: {text}' for key, text in told.items())}}}" if told else None
        )


def _one(zone: Zone, key: str, path: tuple[str | int, ...], text: str | None) -> Iterator[Edit]:
    written = key in zone.model_fields_set
    if text is None:
        if written:
            yield Remove(path)
    elif written:
        yield Replace(path, text)
    else:
        yield Add(path[:-1], key, text)


def _same(cell: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in cell.split(";") if item.strip())


def _zone_lines(identity: str, values: Mapping[str, str]) -> Iterator[str]:
    yield f"id: {scalar(identity)}"
    for top in dict.fromkeys(_PLACES[key].path[0] for key in values):
        parts = {key: text for key, text in values.items() if _PLACES[key].path[0] == top}
        if len(_PLACES[next(iter(parts))].path) == 1:
            yield f"{top}: {next(iter(parts.values()))}"
        else:
            yield f"{top}: {{{', '.join(f'{_PLACES[key].path[1]}: {text}' for key, text in parts.items())}}}"
