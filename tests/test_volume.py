"""Steady polling is counted, not copied: one packet in a hundred at most is kept as an event (DESIGN: volume)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

PACKETS = 150_000
ROOT = Path(__file__).parents[1]


@pytest.fixture
def polling(tmp_path: Path) -> Path:
    """The benchmark's capture of polling, short."""
    path, cargo = tmp_path / "polling.pcap", shutil.which("cargo")
    assert cargo is not None
    generate = [cargo, "run", "--quiet", "--locked", "--example", "generate", "--"]
    subprocess.check_call([*generate, "polling", "packets", str(PACKETS), str(path)], cwd=ROOT)
    return path


def test_events_of_steady_polling_are_one_percent_of_the_packets_at_most(polling: Path) -> None:
    decoder = Decoder([Source("bench", (CaptureFile(polling.name, polling),))], detail="aggregates", hash_inputs=False)
    while decoder.advance():
        pass
    events, aggregates = decoder.take("events"), decoder.take("aggregates")
    assert decoder.packets == PACKETS
    assert 0 < events.num_rows <= PACKETS // 100
    # every exchange is counted all the same: two packets each, but for the three of a handshake; of a request whose
    # response the capture's end cut off there is one
    counted = sum(aggregates["events"].to_pylist())
    assert 0 <= 2 * counted - (PACKETS - 3 * 525) <= 525
    reasons = set(events["reason"].to_pylist())
    assert {"new", "state_change"} <= reasons <= {"new", "state_change", "failed"}
