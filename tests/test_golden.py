"""The small bundled captures, decoded: one golden file each of events and of PDUs, of services one of activities.

`ZONEWATCH_GOLDEN=write pytest tests/test_golden.py` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source
from zonewatch.sensor.events import json_lines

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).with_name("golden")
SERVICES = sorted((ROOT / "pcaps" / "services").glob("*.pcap"))
OTHERWISE = ("waterworks", "layers", "services")  # their truth is told in another way
CAPTURES = sorted(path for path in (ROOT / "pcaps").glob("*/*.pcap") if path.parent.name not in OTHERWISE)


@pytest.mark.parametrize("detail", ["events", "pdus"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_bundled_captures_decode_as_before(capture: Path, detail: Detail) -> None:
    decoder = Decoder([Source("point", (CaptureFile(capture.name, capture),))], detail=detail)
    while decoder.advance():
        pass
    compare(f"{capture.parent.name}-{capture.stem}.{detail}.jsonl", json_lines(decoder.take(detail)))


@pytest.mark.parametrize("capture", SERVICES, ids=lambda path: path.stem)
def test_the_bundled_captures_of_services_decode_as_before(capture: Path) -> None:
    decoder = Decoder([Source("point", (CaptureFile(capture.name, capture),))])
    while decoder.advance():
        pass
    tables = [decoder.take(name) for name in ("activities", "claims", "flows")]
    compare(f"services-{capture.stem}.jsonl", (line for table in tables for line in json_lines(table)))
    assert decoder.take("events").num_rows == 0, "a service is no control system"


def compare(name: str, lines: Iterable[str]) -> None:
    text, golden = "".join(f"{line}\n" for line in lines), GOLDEN / name
    if os.environ.get("ZONEWATCH_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert text
