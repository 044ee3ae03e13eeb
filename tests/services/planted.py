"""The captures in which secrets are planted, each as it is and as others would have it.

    python -m tests.services.planted

tries every place of every capture; the tests try a few.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.services.leaks import leak, table_octets
from tests.services.variants import VARIANTS, Frame, each_place, read, write
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source
from zonewatch.dissectors.schemas import TABLES

PCAPS: Final = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURES: Final = sorted(
    path for folder in ("services", "secrets") for path in (PCAPS / folder).glob("*.pcap") if leak(path.read_bytes())
)


def variants(capture: Path, few: int | None = None) -> Iterator[tuple[str, list[Frame]]]:
    """The capture's variants, and of those at each place all or a few."""
    frames = read(capture)
    yield from ((name, change(frames)) for name, change in VARIANTS.items())
    places = list(each_place(frames))
    yield from places[:: max(len(places) // few, 1) if few else 1]


def told(capture: Path, detail: Detail = "events") -> dict[str, bytes]:
    """All that the engine tells of a capture, by table."""
    decoder = Decoder([Source("point", (CaptureFile("capture.pcap", capture),))], detail=detail, hash_inputs=False)
    while decoder.advance():
        pass
    return {name: table_octets(decoder.take(name)) for name in TABLES}


def leaking(capture: Path, scratch: Path, few: int | None = None) -> Iterator[tuple[str, str, bytes]]:
    """Variants of a capture, with the table that holds a secret and what is around it."""
    for name, frames in variants(capture, few):
        tables = told(write(scratch / "variant.pcap", frames)) if frames else {}
        for table, octets in tables.items():
            if found := leak(octets):
                yield name, table, found


def main() -> None:
    failures = tried = 0
    with tempfile.TemporaryDirectory() as scratch:
        for capture in CAPTURES:
            found = list(leaking(capture, Path(scratch)))
            tried += (count := sum(1 for _ in variants(capture)))
            failures += len(found)
            print(f"{capture.stem}: {count} variants, {len(found)} leak", *found[:5], sep="\n  ", flush=True)
    print(f"{len(CAPTURES)} captures, {tried} variants: {failures} leak")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
