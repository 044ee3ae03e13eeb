"""Capture and logs of the same packets tell the same; what differs is listed, one by one, with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.oracles.compare import CAPTURES
from tests.zeek.compare import Logs, differences, listed, there, told

needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the public captures are not here")
LOGS = sorted(there()) if CAPTURES.is_dir() else []
DOCS = Path(__file__).resolve().parents[2] / "docs" / "zeek.md"


@needs_captures
@pytest.mark.parametrize("logs", LOGS, ids=lambda logs: logs.folder)
def test_logs_tell_what_packets_tell_but_for_what_is_listed(logs: Logs) -> None:
    found = set(differences(logs))
    beside = {row for other in LOGS if other.capture == logs.capture for row in differences(other)}
    known = {row for row in listed() if row.capture == logs.capture}
    assert not found - known, "not listed in differences.csv"
    assert not known - beside, "listed, and gone"


@needs_captures
def test_every_listed_difference_is_of_a_capture_that_is_compared() -> None:
    assert {row.capture for row in listed()} <= {logs.capture for logs in LOGS}


@needs_captures
def test_most_facts_are_the_same() -> None:
    """The comparison compares something: of every protocol some operations are told by both."""
    same = {fact[:2] for logs in LOGS for fact in frozenset.intersection(*told(logs)) if fact[0] == "operation"}
    assert same == {("operation", name) for name in ("modbus", "dnp3", "bacnet", "s7comm", "opcua")}


def test_every_reason_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", DOCS.read_text(encoding="utf-8"), re.M))
    assert set(listed().values()) <= explained
