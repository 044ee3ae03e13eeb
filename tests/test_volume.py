"""Steady polling is counted, not copied: one packet in a hundred at most is kept as an event (DESIGN: volume)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

PACKETS = 150_000
OCTETS = 100 * PACKETS


def polling() -> ModuleType:
    """The generator of the benchmark."""
    path = Path(__file__).parents[1] / "bench" / "bench.py"
    spec = importlib.util.spec_from_file_location("polling", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_events_of_steady_polling_are_one_percent_of_the_packets_at_most(tmp_path: Path) -> None:
    path = tmp_path / "polling.pcap"
    packets = polling().generate(path, OCTETS)
    assert packets >= PACKETS
    decoder = Decoder([Source("bench", (CaptureFile(path.name, path),))], detail="aggregates", hash_inputs=False)
    while decoder.advance():
        pass
    events, aggregates = decoder.take("events"), decoder.take("aggregates")
    assert 0 < events.num_rows <= packets // 100
    # every exchange is counted all the same: two packets each, but for the three of a handshake
    counted = sum(aggregates["events"].to_pylist())
    assert 2 * counted == packets - 3 * 525
    reasons = set(events["reason"].to_pylist())
    assert reasons == {"new", "state_change"}
