#!/usr/bin/env python3
"""Make waterworks.pcap, story.json, assets.csv and tags.csv, the same bytes on every run. Python 3.11 is enough.

    python pcaps/waterworks/make_waterworks.py [folder]

Without a folder the files are written beside this script, and the index gets its row.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import building
import distribution
import enterprise
import filtration
import story
import tags
from builders import index
from builders.wire import Capture, write_pcap
from plant import LENGTH, START, path_of, write_assets

HERE = Path(__file__).resolve().parent
SHOWS = (
    "half an hour of a water works: seven zones, Modbus, DNP3, BACnet and office traffic, one approved change, "
    "and a story of six steps from an unknown laptop to a changed chlorine setpoint"
)


def make(folder: Path) -> int:
    """Write the files and give the number of packets."""
    capture = Capture(path_of)
    enterprise.run(capture)
    filtration.run(capture, story.VISITS)
    distribution.run(capture)
    building.run(capture)
    story.run(capture)
    frames = capture.finish(LENGTH)
    write_pcap(folder / "waterworks.pcap", START, frames)
    story.write_story(folder / "story.json", frames)
    write_assets(folder / "assets.csv")
    tags.write_tags(folder / "tags.csv")
    return len(frames)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make(Path(sys.argv[1]))
    else:
        packets = make(HERE)
        index.record(HERE / "waterworks.pcap", "waterworks/make_waterworks.py", packets, SHOWS)
