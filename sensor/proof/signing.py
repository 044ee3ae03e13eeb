"""Signatures by Ed25519 (RFC 8032), with keys as PEM: PKCS #8 (RFC 5958), SubjectPublicKeyInfo (RFC 8410).

A signature is the 64 octets of RFC 8032 over the octets of a file as it lies there, so that any tool can check it:

    openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in manifest.json -sigfile manifest.sig
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zonewatch.sensor.usage import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "PASS_PHRASE",
    "SIGNATURE_BYTES",
    "SigningUnavailable",
    "fingerprint",
    "key_pair",
    "pass_phrase",
    "private_key",
    "public_key",
    "public_pem",
    "public_pem_of",
    "sign",
    "verifies",
]

PASS_PHRASE: Final = "ZONEWATCH_PASS_PHRASE"
"""Variable of the environment with the pass phrase of a key."""
SIGNATURE_BYTES: Final = 64
_MOST_KEY_BYTES: Final = 64 * 1024


class SigningUnavailable(UsageError):
    """The package that signs is not installed."""

    def __init__(self) -> None:
        super().__init__("signatures need the package cryptography: pip install 'zonewatch[reports]'")


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise SigningUnavailable from None
    return ed25519


def pass_phrase(file: Path | None, environment: Mapping[str, str] = os.environ) -> bytes | None:
    """The first line of a file, else the variable ZONEWATCH_PASS_PHRASE; none where neither is there.

    Never an argument of a command, which every user of the machine can read.
    """
    if file is not None:
        return _read(file).split(b"\n", 1)[0].removesuffix(b"\r")
    found = environment.get(PASS_PHRASE)
    return found.encode() if found else None


def private_key(path: Path, phrase: bytes | None) -> Ed25519PrivateKey:
    """Raises UsageError with one line that says what is wrong, and SigningUnavailable."""
    _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    octets = _read(path)
    encrypted = b"ENCRYPTED" in octets
    if encrypted and phrase is None:
        raise UsageError(f"{path}: is encrypted; give its pass phrase with --pass-file or in {PASS_PHRASE}")
    try:
        found = load_pem_private_key(octets, phrase if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        wrong = "the pass phrase does not open it" if encrypted else "is no private key as PEM"
        raise UsageError(
            f"{path}: {wrong}; `zonewatch keygen` and `openssl genpkey -algorithm ed25519` make one"
        ) from None
    if not isinstance(found, Ed25519PrivateKey):
        raise UsageError(f"{path}: is a key of another kind; Ed25519 is needed: openssl genpkey -algorithm ed25519")
    return found


def public_key(octets: bytes, name: str) -> Ed25519PublicKey:
    """The key of a PEM file; of a private key its public half is not taken. Raises UsageError."""
    _library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY" in octets:
        raise UsageError(f"{name}: is a private key, which belongs nowhere but to who signs; the public one is needed")
    try:
        found = load_pem_public_key(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError(f"{name}: is no public key as PEM") from None
    if not isinstance(found, Ed25519PublicKey):
        raise UsageError(f"{name}: is a key of another kind; Ed25519 is needed")
    return found


def public_pem(key: Ed25519PublicKey) -> bytes:
    """As SubjectPublicKeyInfo, PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_pem_of(path: Path) -> Ed25519PublicKey:
    """The public key of a file. Raises UsageError and OSError."""
    return public_key(_read(path), str(path))


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo as DER, in hexadecimal.

    The same as `openssl pkey -pubin -in public.pem -outform DER | sha256sum`.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def sign(key: Ed25519PrivateKey, octets: bytes) -> bytes:
    """64 octets; the same key and octets give the same signature."""
    return key.sign(octets)


def verifies(key: Ed25519PublicKey, signature: bytes, octets: bytes) -> bool:
    """Whether the signature is of this key over these octets."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, octets)
    except InvalidSignature:
        return False
    return True


def key_pair(phrase: bytes | None) -> tuple[bytes, bytes]:
    """A new private key as PEM, encrypted where there is a pass phrase, and its public key."""
    key = _library().Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    kept = BestAvailableEncryption(phrase) if phrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, kept), public_pem(key.public_key())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        octets = file.read(_MOST_KEY_BYTES + 1)
    if len(octets) > _MOST_KEY_BYTES:
        raise UsageError(f"{path}: is too large to be a key")
    return octets
