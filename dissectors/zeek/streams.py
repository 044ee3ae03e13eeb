"""Octets of a log as stored: plain, gzip, Zstandard, told by their first octets."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, BinaryIO, Final, TypeVar

import pyarrow as pa

PIECE: Final = 1 << 18
"""Octets read at a time: of a file that ends too early, all that came before is told."""
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_WHOLE_GZIP: Final = 31  # window and header of gzip (zlib.h, inflateInit2)


Made = TypeVar("Made")


class DamagedError(Exception):
    """A file that ends too early, or is no stream of its kind from some place on. What came before was given."""


def pieces(path: Path) -> Iterator[bytes]:
    """The text of a file, unpacked, at most a few megabytes at a time.

    Raises OSError where it cannot be read, DamagedError behind the last octets that could be.
    """
    with path.open("rb") as file:
        yield from unpacked(file)


def unpacked(file: BinaryIO) -> Iterator[bytes]:
    """The same for an open file."""
    head = file.read(4)
    file.seek(0)
    if head.startswith(_GZIP):
        yield from _gzip(file)
    elif head.startswith(_ZSTANDARD):
        yield from _zstandard(file)
    else:
        while piece := file.read(PIECE):
            yield piece


def ahead(made: Iterator[Made]) -> Generator[Made, None, None]:
    """The same, each made by a thread while the one before it is used: unpacking and parsing need no interpreter.

    What `made` raises is raised here, in its place. At most two are held.
    """
    ready: Queue[tuple[Made | None, BaseException | None]] = Queue(maxsize=1)
    left = Event()

    def make() -> None:
        try:
            for one in made:
                ready.put((one, None))
                if left.is_set():
                    return
            ready.put((None, None))
        except BaseException as error:  # it is raised where it is waited for
            ready.put((None, error))

    thread = Thread(target=make, name="logs", daemon=True)
    thread.start()
    try:
        while True:
            one, error = ready.get()
            if error is not None:
                raise error
            if one is None:
                return
            yield one
    finally:
        left.set()
        with suppress(Empty):
            ready.get_nowait()  # room for what it waits to hand over
        thread.join()


def beginning(path: Path, octets: int = 65_536) -> bytes:
    """The first octets of the text; fewer where there are no more, none where it cannot be read."""
    found = b""
    try:
        for piece in pieces(path):
            found += piece
            if len(found) >= octets:
                break
    except (OSError, DamagedError):
        pass
    return found[:octets]


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    """Members one behind the other, as `cat` and some rotations leave them; at most 16 pieces of text at a time."""
    inflate = zlib.decompressobj(_WHOLE_GZIP)
    begun = False
    while packed := file.read(PIECE):
        while packed:
            if inflate.eof:
                inflate, begun = zlib.decompressobj(_WHOLE_GZIP), False
            try:
                text = inflate.decompress(packed, 16 * PIECE)
            except zlib.error as error:
                raise DamagedError(f"damaged gzip: {error}") from error
            begun = True
            if text:
                yield text
            packed = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if inflate.eof and not packed.strip(b"\0"):
                break
    if begun and not inflate.eof:
        raise DamagedError("gzip ends too early")


def _zstandard(file: Any) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(file, "zstd") as stream:
            while text := stream.read(PIECE):
                yield bytes(text)
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(f"damaged or truncated Zstandard: {error}") from error
