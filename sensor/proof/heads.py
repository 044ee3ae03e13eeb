"""The head of the log of decisions, signed: whoever rewrites the log afterwards has no such signature of it.

A line of JSON for each signature: number and hash of the head, SHA-256 of the key, and the signature in hexadecimal,
over the octets `zonewatch log head\\nNUMBER HASH\\n`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zonewatch.reports.codec import ShapeError, decode, encode
from zonewatch.reports.words import visible
from zonewatch.sensor.decisions.chain import Head
from zonewatch.sensor.proof import signing
from zonewatch.sensor.usage import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["heads_signed", "signed"]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A row of the file."""

    number: int
    hash: str
    key_sha256: str
    signature: str


def _statement(head: Head) -> bytes:
    return f"zonewatch log head\n{head.number} {head.hash}\n".encode()


def signed(head: Head, key: Ed25519PrivateKey) -> str:
    """One line, to be added to a file that is kept elsewhere."""
    mark = signing.fingerprint(key.public_key())
    row = SignedHead(head.number, head.hash, mark, signing.sign(key, _statement(head)).hex())
    return json.dumps(encode(row)) + "\n"


def heads_signed(path: Path, key: Ed25519PublicKey) -> Iterator[Head]:
    """The heads of a file, each with a right signature of this key. Raises UsageError at the first that has none."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        place = f"{visible(str(path))}, line {number}"
        try:
            row = decode(SignedHead, json.loads(line))
            octets = bytes.fromhex(row.signature)
        except (ValueError, ShapeError, RecursionError):
            raise UsageError(f"{place}: no signed head, as `zonewatch log sign` writes them") from None
        head = Head(row.number, row.hash)
        if row.key_sha256 != signing.fingerprint(key) or not signing.verifies(key, octets, _statement(head)):
            raise UsageError(f"{place}: is not signed by this key")
        yield head
