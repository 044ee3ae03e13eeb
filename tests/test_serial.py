"""Serial lines and PROFIBUS: every PDU of the made captures is what their truth says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source
from zonewatch.inventory.tables import plain

PCAPS: Final = Path(__file__).resolve().parents[1] / "pcaps"
TRUTH: Final[dict[str, dict[str, list[str]]]] = json.loads(
    (PCAPS / "serial" / "truth.json").read_text(encoding="utf-8")
)


def _decoded(name: str, detail: Detail) -> Decoder:
    decoder = Decoder([Source("line", (CaptureFile(name, PCAPS / f"{name}.pcap"),))], detail=detail)
    while decoder.advance():
        pass
    return decoder


def _word(row: dict[str, Any]) -> str:
    names = ("frame", "protocol", "source_address", "destination_address", "kind", "function")
    return " ".join(str(row[name]) for name in names)


@pytest.mark.parametrize("name", TRUTH)
def test_every_pdu_is_told_and_no_other(name: str) -> None:
    decoder = _decoded(name, "pdus")
    assert [_word(row) for row in plain(decoder.take("pdus")).to_pylist()] == TRUTH[name]["pdus"]


@pytest.mark.parametrize("name", TRUTH)
def test_every_oddity_is_told_and_no_other(name: str) -> None:
    codes = [row["code"] for row in plain(_decoded(name, "events").take("oddities")).to_pylist()]
    assert Counter(codes) == Counter(TRUTH[name]["oddities"])


def test_an_answer_in_several_records_names_them_all() -> None:
    events = plain(_decoded("serial/modbus", "events").take("events")).to_pylist()
    frames = [(row["request_frames"], row["response_frames"]) for row in events if row["server"] == "rtu:2"]
    assert ([4], [5, 6, 7, 8]) in frames
