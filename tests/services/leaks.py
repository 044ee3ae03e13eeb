"""Looks for a secret, whole or in part, in every form in which an output could hold it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

SECRET: Final = b"Wq7-planted-Zx4"
"""What the builders of captures plant: passwords, tokens, cookies, communities, hashes."""
PART: Final = 7
"""Octets of it that are a leak already."""


def _forms(part: bytes) -> Iterator[bytes]:
    """A text as it is, turned round, in two octets a character, in numbers, in Base64 behind any octets, and as SQL
    Server hides it."""
    wide = part.decode().encode("utf-16-le")
    yield from (part, wide, part.decode().encode("utf-16-be"))
    yield bytes((octet << 4 & 0xF0 | octet >> 4) ^ 0xA5 for octet in wide)
    octets = [f"{octet:02x}" for octet in part]
    for sign in ("", ":", " ", "%", "\\x"):
        yield sign.join(octets).encode()
        yield sign.join(octets).upper().encode()
    yield ", ".join(str(octet) for octet in part).encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + part)
        yield encoded[-(-8 * shift // 6) : 8 * (shift + len(part)) // 6]
    yield part[::-1]


def _digests() -> Iterator[bytes]:
    for kind in ("md5", "sha1", "sha256"):
        digest = hashlib.new(kind, SECRET).digest()
        yield from (digest[:8], digest.hex()[:16].encode(), base64.b64encode(digest)[:10])


_PARTS: Final = [SECRET[at : at + PART] for at in range(len(SECRET) - PART + 1)]
_FORMS: Final = tuple(sorted({form for part in _PARTS for form in _forms(part)} | set(_digests())))
_LOWER: Final = tuple(part.lower() for part in _PARTS)


def leak(octets: bytes) -> bytes | None:
    """A secret with what is around it."""
    lower = octets.lower()
    found = [at for at in (*map(octets.find, _FORMS), *map(lower.find, _LOWER)) if at >= 0]
    return octets[max(min(found) - 40, 0) : min(found) + 40] if found else None


def unpacked(octets: bytes) -> Iterator[bytes]:
    """The octets, and what is packed in them: columns of Parquet and Arrow, gzip, zlib, Base64 of pictures."""
    yield octets
    if octets[:4] == b"PAR1":
        yield table_octets(pq.read_table(io.BytesIO(octets)))
    if octets[:2] == b"\x1f\x8b":
        yield gzip.decompress(octets)
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", octets):
        try:
            yield zlib.decompressobj().decompress(octets[start.start() :], 1_000_000)
        except zlib.error:
            continue
    for text in re.finditer(rb"base64,([A-Za-z0-9+/=]{16,})", octets):
        yield base64.b64decode(text[1])


def table_octets(table: pa.Table) -> bytes:
    """All that a table holds, names and dictionaries included."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def leaks(octets: bytes) -> list[bytes]:
    """All places."""
    return [found for some in unpacked(octets) if (found := leak(some))]
