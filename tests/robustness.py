"""No panic and no hang on captures that were cut and changed at random places.

    python -m tests.robustness --mutants 200

Every mutant is made from its capture's name and its number alone, so that a failure can be repeated:

    python -m tests.robustness --only NAME --number N --keep mutant.pcap
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from faulthandler import cancel_dump_traceback_later, dump_traceback_later
from pathlib import Path
from typing import Final

from tests.oracles.compare import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

KINDS: Final = (".pcap", ".pcapng", ".cap", ".trace", ".pcap.gz", ".pcapng.gz")
SMALL: Final = 300_000
HANG: Final = 60  # seconds; then the process ends with a traceback
TABLES: Final = ("events", "aggregates", "flows", "activities", "claims", "addresses", "oddities", "coverage")
BUNDLED: Final = Path(__file__).resolve().parents[1] / "pcaps"
"""Captures of this project: every service is in them."""


def captures(largest: int | None = None) -> list[Path]:
    """All captures of the shared folder and of this project up to a size, sorted by name."""
    return [
        path
        for folder in (CAPTURES, BUNDLED)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith(KINDS) and (largest is None or path.stat().st_size <= largest)
    ]


def name_of(path: Path) -> str:
    """The capture's name, below its folder."""
    return path.relative_to(BUNDLED.parent if path.is_relative_to(BUNDLED) else CAPTURES).as_posix()


def named(name: str) -> Path:
    """The capture of a name."""
    bundled = BUNDLED.parent / name
    return bundled if bundled.is_file() else CAPTURES / name


def flip(data: bytearray, chance: random.Random) -> None:
    """Changes a few octets anywhere."""
    for _ in range(chance.choice((1, 4, 16, 64))):
        data[chance.randrange(len(data))] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))


def flip_header(data: bytearray, chance: random.Random) -> None:
    """Changes an octet of the file's first part."""
    data[chance.randrange(min(len(data), 256))] = chance.randrange(256)


def truncate(data: bytearray, chance: random.Random) -> None:
    """Cuts the end off."""
    del data[chance.randrange(len(data)) :]


def remove(data: bytearray, chance: random.Random) -> None:
    """Takes a piece out."""
    begin = chance.randrange(len(data))
    del data[begin : begin + chance.randrange(1, 200)]


def duplicate(data: bytearray, chance: random.Random) -> None:
    """Copies a piece to another place."""
    begin = chance.randrange(len(data))
    place = chance.randrange(len(data))
    data[place:place] = data[begin : begin + chance.randrange(1, 2000)]


def insert(data: bytearray, chance: random.Random) -> None:
    """Puts random octets in."""
    place = chance.randrange(len(data))
    data[place:place] = chance.randbytes(chance.randrange(1, 64))


def packets_of(data: bytearray) -> list[tuple[int, int]]:
    """Where the packets of a little-endian pcap start and end, with their headers; none of another file."""
    place, found = 24, []
    while data[:4] == b"\xd4\xc3\xb2\xa1" and place + 16 <= len(data):
        end = place + 16 + int.from_bytes(data[place + 8 : place + 12], "little")
        if end > len(data):
            break
        found.append((place, end))
        place = end
    return found


def flip_packet(data: bytearray, chance: random.Random) -> None:
    """Changes a few octets of one packet, mostly behind its first headers; the file stays whole."""
    packets = [(start + 16, end) for start, end in packets_of(data) if end > start + 16]
    if not packets:
        flip(data, chance)
        return
    start, end = chance.choice(packets)
    start = min(start + chance.choice((0, 14, 34, 42, 54)), end - 1)
    for _ in range(chance.choice((1, 2, 4, 8))):
        data[chance.randrange(start, end)] = chance.choice((0, 1, 0xFF, 0x7F, 0x80, chance.randrange(256)))


def move_packets(data: bytearray, chance: random.Random) -> None:
    """Takes a packet out, sends it again, or puts it elsewhere; the file stays whole."""
    packets = packets_of(data)
    if not packets:
        duplicate(data, chance)
        return
    start, end = chance.choice(packets)
    packet = data[start:end]
    if chance.random() < 0.7:
        del data[start:end]
    if chance.random() < 0.7:
        place = chance.choice([start for start, _ in packets_of(data)] or [24])
        data[place:place] = packet


CHANGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    flip,
    flip,
    flip_header,
    truncate,
    remove,
    duplicate,
    insert,
    flip_packet,
    flip_packet,
    flip_packet,
    move_packets,
    move_packets,
)


def mutant(original: bytes, name: str, number: int) -> bytes:
    """The capture, changed once to three times."""
    chance = random.Random(f"{name} {number}")
    data = bytearray(original)
    for _ in range(chance.randint(1, 3)):
        if data:
            chance.choice(CHANGES)(data, chance)
    return bytes(data)


def decode(path: Path) -> None:
    """Decodes everything and takes every table over."""
    decoder = Decoder([Source("robust", (CaptureFile(path.name, path),))], detail="events", hash_inputs=False)
    going = True
    while going:
        going = decoder.advance()
        for table in TABLES:
            decoder.take(table)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Ends the process with a traceback when it takes longer."""
    dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        cancel_dump_traceback_later()


def failure(path: Path) -> str | None:
    """What went wrong while decoding; a panic is no ordinary exception."""
    try:
        decode(path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def failures(path: Path, numbers: range, scratch: Path) -> list[str]:
    """What went wrong with a capture and its mutants."""
    found = [f"{name_of(path)} as it is: {word}"] if (word := failure(path)) else []
    original, name = path.read_bytes(), name_of(path)
    changed = scratch / f"mutant{''.join(path.suffixes[-2:])}"
    for number in numbers:
        changed.write_bytes(mutant(original, name, number))
        if word := failure(changed):
            found.append(f"{name} mutant {number}: {word}")
    return found


def main() -> None:
    """Reads the command line; ends with 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=200, help="of each capture")
    parser.add_argument("--largest", type=int, metavar="OCTETS", help="captures up to this size only")
    parser.add_argument("--only", metavar="NAME", help="one capture")
    parser.add_argument("--number", type=int, help="one mutant")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="writes the one mutant here")
    parser.add_argument("--part", default="0/1", metavar="I/N", help="every N-th capture, from the I-th")
    given = parser.parse_args()
    if given.keep:
        given.keep.write_bytes(mutant(named(given.only).read_bytes(), given.only, given.number))
        return
    first, step = (int(word) for word in given.part.split("/"))
    paths = [named(given.only)] if given.only else captures(given.largest)[first::step]
    numbers = range(given.mutants) if given.number is None else range(given.number, given.number + 1)
    found: list[str] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for done, path in enumerate(paths, 1):
            with bounded(HANG * (1 + len(numbers) / 10)):
                wrong = failures(path, numbers, Path(scratch))
            found += wrong
            print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
            if done % 50 == 0:
                print(f"{done} of {len(paths)} captures, {time.monotonic() - begin:.0f} s", flush=True)
    print(f"{len(paths)} captures, {len(paths) * len(numbers)} mutants: {len(found)} failures")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
