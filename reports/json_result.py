"""`result.json`: the whole result for programs. Its schema is `schemas/result.schema.json`.

    python -m zonewatch.reports.json_result > reports/schemas/result.schema.json

Later versions add fields; a field is never renamed or removed without a new `result_version`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import GenericAlias
from typing import Any, Final

from zonewatch.inventory.model import Activity, Asset, Edge, Inventory
from zonewatch.inventory.unknown import UnknownProtocol
from zonewatch.reports.codec import (
    ShapeError,
    decode,
    decode_time,
    definitions,
    encode,
    indented,
    schema,
    values,
)
from zonewatch.reports.evidence import file_name
from zonewatch.reports.members import members
from zonewatch.reports.result import (
    AuditResult,
    Capture,
    EvidenceFile,
    FindingFlow,
    MatrixCell,
    OddityCount,
    PolicyInfo,
    UnusedFlow,
    VerdictRow,
    ZoneInfo,
    ordered,
    totals,
)
from zonewatch.reports.second_opinion import SecondOpinion
from zonewatch.reports.words import iso_time
from zonewatch.rules.findings import SEVERITIES, VERDICTS, Finding
from zonewatch.rules.incidents import Incident
from zonewatch.rules.paths import Paths
from zonewatch.rules.register import Command

__all__ = [
    "RESULT_VERSION",
    "ResultError",
    "document",
    "dumps",
    "finding_objects",
    "from_values",
    "loads",
    "result_schema",
]

RESULT_VERSION: Final = 1
SCHEMA_ID: Final = "urn:zonewatch:result:1"
_SECTIONS: Final[dict[str, Any]] = {
    "policy": PolicyInfo,
    "zones": tuple[ZoneInfo, ...],
    "captures": tuple[Capture, ...],
    "limits": tuple[str, ...],
    "looked_for": tuple[str, ...],
    "verdicts": tuple[VerdictRow, ...],
    "matrix": tuple[MatrixCell, ...],
    "incidents": tuple[Incident, ...],
    "flows": tuple[FindingFlow, ...],
    "evidence": tuple[EvidenceFile, ...],
    "oddities": tuple[OddityCount, ...],
    "unknown": tuple[UnknownProtocol, ...],
    "unused_flows": tuple[UnusedFlow, ...],
    "paths": tuple[Paths, ...],
    "commands": tuple[Command, ...],
    "second_opinion": SecondOpinion | None,
}
"""Fields of the result that stand in the document under their own names, with their types."""


_ROWS: Final[dict[str, Any]] = {
    "assets": Asset,
    "edges": Edge,
    "activities": Activity,
    "verdicts": VerdictRow,
    "findings": Finding,
}
"""Long lists, by the type of their rows."""
_READ: Final = {name: kind for name, kind in _ROWS.items() if kind is not Finding}
"""Those that are read straight into rows. Findings are not: their steps have times, too."""


class ResultError(ValueError):
    """Not a result of an audit, or not one that this version reads."""


def document(result: AuditResult) -> dict[str, Any]:
    """The result as JSON values, in its one order."""
    found: dict[str, Any] = encode(_document(result))
    return found


def _document(result: AuditResult) -> dict[str, Any]:
    result = ordered(result)
    inventory = result.inventory
    return {
        "result_version": RESULT_VERSION,
        "tool": {"name": "zonewatch", "version": result.version},
        "title": result.title,
        "as_of": iso_time(result.as_of) or None,
        "summary": summary(result),
        "coverage": values(totals(result.captures), frozenset(("source", "name", "format", "sha256", "problem"))),
        **{name: getattr(result, name) for name in _SECTIONS},
        "assets": inventory.assets,
        "edges": inventory.edges,
        "unseen": inventory.unseen,
        "activities": inventory.activities,
        "findings": finding_objects(result),
    }


def finding_objects(result: AuditResult) -> list[dict[str, Any]]:
    """The findings by their fields, each with its mini capture where there is one."""
    files = {file.finding for file in result.evidence}
    return [
        {
            "id": finding.id,
            **values(finding),
            "evidence_file": file_name(finding.id) if finding.id in files else "",
        }
        for finding in result.findings
    ]


def summary(result: AuditResult) -> dict[str, Any]:
    """Counts of what was found; severities are counted side by side and never summed to one number."""
    severities = Counter(finding.severity for finding in result.findings if finding.state == "open")
    events: Counter[str] = Counter()
    for cell in result.matrix:
        events[cell.verdict] += cell.events
    return {
        "assets": len(result.inventory.assets),
        "ot_assets": sum(asset.kind == "ot" for asset in result.inventory.assets),
        "edges": len(result.inventory.edges),
        "ot_edges": sum(edge.ot for edge in result.inventory.edges),
        "open_findings": {severity: severities[severity] for severity in reversed(SEVERITIES)},
        "events_by_verdict": {verdict: events[verdict] for verdict in VERDICTS},
    }


def dumps(result: AuditResult) -> str:
    """The text of `result.json`: ASCII, two spaces, one newline at the end."""
    return indented(_document(result)) + "\n"


def loads(text: str) -> AuditResult:
    """The result of such a text. Raises ResultError with what was expected, and where."""
    values = members(text, _READ)
    if values is None:  # broken somewhere: read as a whole, it is told where
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ResultError(f"not JSON: {error}") from None
    return from_values(values)


def from_values(values: Any) -> AuditResult:
    """The result of such a document, read from JSON. Raises ResultError."""
    if not isinstance(values, dict) or "result_version" not in values:
        raise ResultError("not a result of zonewatch: result_version is missing")
    if values["result_version"] != RESULT_VERSION:
        raise ResultError(f"result_version {values['result_version']!r} is not one that this version reads")
    try:
        return _result(values)
    except ShapeError as error:
        raise ResultError(str(error)) from None


def _result(values: dict[str, Any]) -> AuditResult:
    tool = values.get("tool")
    rows = {name: _rows(name, values.get(name, [])) for name in _ROWS}
    sections = {
        name: decode(kind, values[name], name) for name, kind in _SECTIONS.items() if name in values.keys() - _ROWS
    }
    inventory = Inventory(
        rows["assets"],
        rows["edges"],
        decode(tuple[str, ...], values.get("unseen", []), "unseen"),
        {},
        rows["activities"],
    )
    head = {"version": tool.get("version", "") if isinstance(tool, dict) else "", "title": values.get("title", "")}
    return AuditResult(
        **{name: decode(str, text, name) for name, text in head.items()},
        as_of=decode_time(values.get("as_of"), "as_of"),
        inventory=replace(inventory, by_address=_by_address(inventory)),
        findings=rows["findings"],
        verdicts=rows["verdicts"],
        **{"captures": (), **sections},
    )


def _rows(name: str, given: Any) -> tuple[Any, ...]:
    """The rows of a long list. A tuple, which JSON has none of, was made while it was read."""
    if isinstance(given, tuple):
        return given
    found: tuple[Any, ...] = decode(GenericAlias(tuple, (_ROWS[name], ...)), given, name)
    return found


def _by_address(inventory: Inventory) -> dict[tuple[str, str], str]:
    return {
        (interface.source, interface.address): asset.id
        for asset in inventory.assets
        for interface in asset.interfaces
        if interface.address
    }


def result_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    kinds = (
        PolicyInfo,
        ZoneInfo,
        Capture,
        VerdictRow,
        MatrixCell,
        FindingFlow,
        EvidenceFile,
        OddityCount,
        UnknownProtocol,
        UnusedFlow,
        Paths,
        Command,
        Incident,
        SecondOpinion,
    )
    found = definitions((*kinds, Asset, Edge, Activity, Finding))
    finding_id = {"type": "string", "pattern": "^[0-9a-f]{16}$", "description": "stable: the same finding next week"}
    evidence_file = {"type": "string", "description": "mini capture of the packets behind it; empty: there is none"}
    found["Finding"]["properties"] = {
        "id": finding_id,
        **found["Finding"]["properties"],
        "evidence_file": evidence_file,
    }
    found["Finding"]["required"] = list(found["Finding"]["properties"])
    count = {"type": "integer", "minimum": 0}
    properties = {
        "result_version": {"const": RESULT_VERSION},
        "tool": _closed({"name": {"const": "zonewatch"}, "version": {"type": "string"}}),
        "title": {"type": "string"},
        "as_of": found["Capture"]["properties"]["first_time"],
        "summary": _closed(
            {
                **dict.fromkeys(("assets", "ot_assets", "edges", "ot_edges"), count),
                "open_findings": _closed(dict.fromkeys(reversed(SEVERITIES), count)),
                "events_by_verdict": _closed(dict.fromkeys(VERDICTS, count)),
            }
        ),
        "coverage": {"type": "object", "description": "the sums over all captures"},
        **{name: schema(kind) for name, kind in _SECTIONS.items()},
        "assets": schema(tuple[Asset, ...]),
        "edges": schema(tuple[Edge, ...]),
        "unseen": schema(tuple[str, ...]) | {"description": "ids of declared assets that no packet showed"},
        "activities": schema(tuple[Activity, ...]),
        "findings": schema(tuple[Finding, ...]),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Result of a zonewatch audit",
        **_closed(properties),
        "$defs": found,
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


if __name__ == "__main__":
    print(json.dumps(result_schema(), indent=2))
