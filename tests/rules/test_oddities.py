"""Malformed messages as findings: by code and connection, few, and documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rules.plant import HMI, PLC_1, PLC_3, POLL, assess, of_rule
from zonewatch.dissectors.vocabulary import ODDITY_CODES, PROTOCOLS
from zonewatch.rules.findings import Finding
from zonewatch.rules.oddities import KINDS, MOST_EDGES, page

ROOT = Path(__file__).resolve().parents[2]


def odd(sender: str, receiver: str, code: str = "bad_length", frame: int = 5, **more: Any) -> Mapping[str, Any]:
    ends = {"source_address": sender, "destination_address": receiver}
    place = {"source": "tap", "capture": "a.pcap", "frame": frame, "time": frame, "protocol": "modbus"}
    return {**place, **ends, "layer": "mbap", "code": code, "expected": "length 6, found 9"} | more


def told(*oddities: Mapping[str, Any]) -> list[Finding]:
    return of_rule(assess([POLL], oddities=oddities), "protocol.malformed")


def test_both_directions_of_a_connection_are_one_finding_with_its_frames() -> None:
    (finding,) = told(odd(HMI, PLC_1), odd(PLC_1, HMI, frame=9), odd(PLC_1, HMI, frame=10))
    assert (finding.severity, finding.assets, finding.protocol, finding.count) == (
        "low",
        ("hmi-1", "plc-1"),
        "modbus",
        3,
    )
    assert [item.frame for item in finding.evidence] == [5, 9]  # the first of each direction
    assert "length 6, found 9" in finding.description
    assert (finding.first_time, finding.last_time, finding.zones) == (5, 10, ("supervision", "filtration"))


def test_codes_and_connections_are_told_apart() -> None:
    found = told(odd(HMI, PLC_1), odd(HMI, PLC_1, "conflicting_overlap"), odd(HMI, PLC_3))
    assert len({finding.id for finding in found}) == 3
    assert [finding.severity for finding in found] == ["high", "low", "low"]


@pytest.mark.parametrize(
    "oddity",
    [
        odd(HMI, PLC_1, "gap"),
        odd(HMI, PLC_1, "undecoded_object"),
        odd("", "", "bad_header", protocol=""),
        odd("", "", "conflicting_overlap"),
    ],
)
def test_what_the_capture_or_this_program_lacks_is_no_finding(oddity: Mapping[str, Any]) -> None:
    assert told(oddity) == []


def test_a_flood_from_many_addresses_is_few_findings() -> None:
    found = told(*(odd(f"10.20.1.{host}", PLC_1, frame=host) for host in range(1, 200)), odd(HMI, PLC_1, frame=300))
    assert len(found) == MOST_EDGES + 1
    rest = next(finding for finding in found if ("edges", "others") in finding.identity)
    assert rest.count == 199 - MOST_EDGES
    assert any("hmi-1" in finding.assets for finding in found), "most messages first"


def test_every_code_is_documented_and_no_other() -> None:
    assert [kind.code for kind in KINDS] == sorted(ODDITY_CODES, key=ODDITY_CODES.index)
    assert (ROOT / "docs" / "oddities.md").read_text(encoding="utf-8") == page()


def test_the_layers_named_are_those_of_the_engine() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "dissectors" / "src").rglob("*.rs")))
    quoted = set(re.findall(r'"([a-z0-9-]+)"', sources)) | set(PROTOCOLS)
    assert {layer for kind in KINDS for layer in kind.layers} <= quoted
