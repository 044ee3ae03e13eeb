"""The report of the static check as text, JSON and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from zonewatch.rules.policy.lint.kinds import SEVERITIES, Severity
from zonewatch.rules.policy.lint.run import CHECKS, FILE_CODES, Diagnostic, Report

DOCUMENT: Final = "docs/policy-check.md"


def as_text(report: Report) -> str:
    """A line for each diagnostic, and what they come to."""
    counts = [(severity, report.count(severity)) for severity in SEVERITIES]
    found = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts)
    accepted = sum(bool(item.accepted) for item in report.diagnostics)
    lines = [*map(str, report.diagnostics), found + (f"; {accepted} accepted" if accepted else "")]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """One object: the diagnostics and their counts."""
    rows = [asdict(item) for item in report.diagnostics]
    told = {"diagnostics": rows, "counts": {severity: report.count(severity) for severity in SEVERITIES}}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def as_sarif(report: Report, version: str) -> str:
    """SARIF 2.1.0, as code hosts show it beside the lines of a change."""
    driver = {"name": "zonewatch policy check", "version": version, "rules": list(_rules())}
    run = {"tool": {"driver": driver}, "results": list(map(_result, report.diagnostics))}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rules() -> Iterable[dict[str, Any]]:
    told: list[tuple[str, Severity, str, str]] = [
        *((code, "error", title, clause) for code, (title, clause) in FILE_CODES.items()),
        *((check.code, check.severity, check.title, check.clause) for check in CHECKS),
    ]
    for code, severity, title, clause in told:
        yield {
            "id": code,
            "shortDescription": {"text": title},
            "helpUri": f"{DOCUMENT}#{code.lower()}",
            "defaultConfiguration": {"level": severity},
            "properties": {"clause": clause},
        }


def _result(item: Diagnostic) -> dict[str, Any]:
    region = {"startLine": max(item.line, 1), "startColumn": max(item.column, 1)}
    place = {"artifactLocation": {"uri": item.file}, "region": region}
    result: dict[str, Any] = {
        "ruleId": item.code,
        "level": item.severity,
        "message": {"text": item.message},
        "locations": [{"physicalLocation": place}],
    }
    if item.accepted:
        result["suppressions"] = [{"kind": "inSource", "justification": item.accepted}]
    return result
