"""What a mirror gives twice is told once and counted; what somebody sends twice is told twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.oracles.compare import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source

MIRROR: Final = Path(__file__).resolve().parent.parent / "pcaps" / "mirror"
TRUTH: Final[dict[str, dict[str, int]]] = json.loads((MIRROR / "truth.json").read_text(encoding="utf-8"))
SPAN: Final = CAPTURES.parent / "torture" / "14_duplicates_span.pcap"


def decoded(path: Path, detail: Detail = "pdus") -> dict[str, list[dict[str, Any]]]:
    decoder = Decoder([Source("mirror", (CaptureFile(path.name, path),))], detail=detail, hash_inputs=False)
    while decoder.advance():
        pass
    return {name: decoder.take(name).to_pylist() for name in ("pdus", "events", "flows", "oddities", "coverage")}


@pytest.mark.parametrize("case", TRUTH)
def test_each_packet_is_told_once_and_counted(case: str) -> None:
    told = decoded(MIRROR / f"{case}.pcap")
    (coverage,) = told["coverage"]
    found = {"pdus": len(told["pdus"])} | {name: coverage[name] for name in ("packets", "duplicates", "repeats")}
    assert found == TRUTH[case]
    in_flows = sum(flow["packets_out"] + flow["packets_in"] for flow in told["flows"])
    assert in_flows == coverage["packets"] - coverage["duplicates"]
    assert told["oddities"] == []


def test_a_replayed_command_is_two_events() -> None:
    for case in ("replayed", "replayed_and_routed"):
        writes = [row for row in decoded(MIRROR / f"{case}.pcap", "events")["events"] if row["operation"] == "write"]
        assert len(writes) == 2, case


@pytest.mark.skipif(not SPAN.is_file(), reason="the torture captures are not here")
def test_the_flows_of_a_mirrored_router_are_counted_once() -> None:
    told = decoded(SPAN)
    (coverage,), (flow,) = told["coverage"], told["flows"]
    assert (len(told["pdus"]), coverage["packets"], coverage["duplicates"], told["oddities"]) == (6, 30, 15, [])
    assert flow["packets_out"] + flow["packets_in"] == 15
