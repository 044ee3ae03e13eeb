#!/usr/bin/env python3
"""Make the captures of services, one protocol each, the same bytes on every run. Needs nothing but Python 3.11.

    python pcaps/make_services.py [folder]

Without a folder the files are written beside this script, and the index gets their rows.
"""

from __future__ import annotations

from pathlib import Path

from builders import index
from builders.services import ALL
from builders.wire import Capture, write_pcap

START = 1_772_438_400  # 2026-03-02T08:00:00Z


def make(folder: Path) -> dict[str, int]:
    """Write the files and give the number of packets of each."""
    packets: dict[str, int] = {}
    for name, build, _ in ALL:
        capture = Capture()
        build(capture)
        frames = capture.finish()
        file = folder / "services" / f"{name}.pcap"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_pcap(file, START, frames)
        packets[f"services/{name}.pcap"] = len(frames)
    return packets


if __name__ == "__main__":
    index.run(__file__, make, {f"services/{name}.pcap": shows for name, _, shows in ALL})
