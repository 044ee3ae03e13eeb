"""Decodes hostile captures, each in a process of its own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.hostile.wire import STEP_US, Kind

START: Final = 1_700_000_000

_DECODE: Final = """
import json, re, resource, sys
from pathlib import Path
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
tables = "events", "aggregates", "flows", "activities", "claims", "addresses", "oddities"
decoder = Decoder([Source("point", (CaptureFile("hostile", Path(sys.argv[1])),))])
rows = 0
going = True
while going:
    going = decoder.advance(100_000)
    rows += sum(decoder.take(table).num_rows for table in tables)
coverage = decoder.take("coverage").to_pylist()[0]
coverage = {name: value for name, value in coverage.items() if isinstance(value, int)}
# Linux counts for a new process what the one that started it held; its status tells its own.
status = Path("/proc/self/status")
own = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.exists() else None
peak = int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(coverage | {"rows": rows, "peak": peak // 1024}))
"""


def write(path: Path, packets: Iterator[bytes], size: int, step_us: int = STEP_US) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))
        for number, frame in zip(range(size), packets, strict=False):
            seconds, rest = divmod(number * step_us, 1_000_000)
            file.write(struct.pack("<IIII", START + seconds, rest, len(frame), len(frame)) + frame)


def decoded(kind: Kind, size: int, folder: Path) -> dict[str, Any]:
    """The coverage of so many packets, with `rows` and the `peak` of the process in megabytes."""
    path = folder / f"{kind.packets.__name__}.pcap"
    write(path, kind.packets(), size, kind.step_us)
    command = [sys.executable, "-c", _DECODE, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    result: dict[str, Any] = json.loads(ran.stdout)
    return result
