"""The static check of rule files: everything that is wrong with them, and whether they find their own examples.

report = check([Path("rules/own")])
print(as_text(report), end="")
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from zonewatch.rules.sigma.described import Taxonomy
from zonewatch.rules.sigma.examples import failed
from zonewatch.rules.sigma.load import inspect
from zonewatch.rules.sigma.lower import Placeholders
from zonewatch.rules.sigma.model import RuleError, RuleErrors
from zonewatch.rules.sigma.taxonomy import FIELDS


@dataclass(frozen=True, slots=True)
class Report:
    """What the check found, by path and line, and how much it looked at."""

    errors: tuple[RuleError, ...]
    rules: int  # those that nothing is wrong with
    correlations: int


def check(
    roots: Iterable[Path],
    taxonomy: Taxonomy = FIELDS,
    placeholders: Placeholders | None = None,
    beside: Iterable[Path] = (),
) -> Report:
    """Checks files and folders; rules of `beside` may be named, and their names are taken."""
    found, errors = inspect(roots, taxonomy, placeholders, beside)
    wrong = tuple(failed(found, taxonomy))
    bad = {(error.path, error.line) for error in wrong}
    good, correlations = (
        sum((one.path, one.line) not in bad for one in ones) for ones in (found.rules, found.correlations)
    )
    return Report(RuleErrors((*errors, *wrong)).errors, good, correlations)


def as_text(report: Report) -> str:
    """A line for each error, and what they come to."""
    count = len(report.errors)
    errors = f"{count} error{'' if count == 1 else 's'}"
    good = f"{report.rules} rules and {report.correlations} correlations are good"
    return "\n".join((*(f"{_place(item)}: error: {item.message}" for item in report.errors), f"{errors}; {good}", ""))


def as_json(report: Report) -> str:
    """One object: the errors and their counts."""
    told = {"errors": [asdict(item) for item in report.errors], "rules": report.rules}
    return json.dumps(told | {"correlations": report.correlations}, indent=1, ensure_ascii=False) + "\n"


def _place(item: RuleError) -> str:
    return f"{item.path}:{item.line}:{item.column}" if item.line else item.path
