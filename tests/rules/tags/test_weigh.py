"""Severities weighed: each step has its reason."""

from __future__ import annotations

import pytest

from zonewatch.rules.findings import Severity
from zonewatch.rules.weigh import step, weigh


@pytest.mark.parametrize(
    ("severity", "worth", "windows", "weighed", "reasons"),
    [
        ("high", [], [], "high", []),
        ("medium", [("plc-3", "high")], [], "high", ["raised: plc-3 is of high criticality"]),
        ("high", [("plc-3", "high")], [], "high", []),  # high criticality alone makes nothing critical
        ("critical", [("plc-3", "high")], [], "critical", []),
        ("high", [("plc-3", "critical")], [], "critical", ["raised: plc-3 is of critical criticality"]),
        ("low", [("plc-1", "high"), ("plc-3", "critical")], [], "medium", ["raised: plc-3 is of critical criticality"]),
        ("medium", [("plc-3", "low"), ("plc-4", "")], [], "medium", []),
        ("high", [], ["mw-1", "mw-1"], "medium", ["lowered: inside maintenance window mw-1"]),
        (
            "high",
            [("plc-3", "critical")],
            ["mw-1"],
            "high",
            ["raised: plc-3 is of critical criticality", "lowered: inside maintenance window mw-1"],
        ),
        ("info", [("plc-3", "critical")], [], "info", []),
    ],
)
def test_weigh(
    severity: Severity, worth: list[tuple[str, str]], windows: list[str], weighed: Severity, reasons: list[str]
) -> None:
    assert weigh(severity, ["first"], worth, windows) == (weighed, ["first", *reasons])


def test_the_ends_of_the_scale_hold() -> None:
    assert (step("critical", 1), step("info", -1)) == ("critical", "info")
