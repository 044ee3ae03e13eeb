"""A folder compared with its manifest: files by their SHA-256, and the signature."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from zonewatch.reports.proof import manifest
from zonewatch.reports.proof.manifest import MANIFEST, Manifest, ManifestError
from zonewatch.reports.words import visible
from zonewatch.sensor.proof import signing
from zonewatch.sensor.proof.packing import PUBLIC_KEY, SIGNATURE
from zonewatch.sensor.usage import UsageError

__all__ = ["Differing", "Signature", "differing", "read_manifest", "signature", "trusted"]

State = Literal["missing", "changed", "extra", "unreadable"]
SignatureState = Literal["none", "missing", "wrong", "other key", "valid", "valid, key not known", "not checked"]
BAD: Final[frozenset[SignatureState]] = frozenset(("missing", "wrong", "other key"))


@dataclass(frozen=True, slots=True)
class Differing:
    """A file that is not as the manifest says."""

    name: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """How the manifest is signed."""

    state: SignatureState
    why: str
    key_sha256: str = ""  # of the key that it was checked by


def read_manifest(folder: Path) -> tuple[Manifest, bytes]:
    """The manifest of a folder and its octets. Raises UsageError."""
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            octets = file.read(manifest.MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{folder}: holds no {MANIFEST}; REPORT is the folder that `zonewatch report` or an audit wrote"
        ) from None
    if len(octets) > manifest.MOST_BYTES:
        raise UsageError(f"{path}: is too large to be a manifest")
    try:
        return manifest.loads(octets), octets
    except ManifestError as error:
        raise UsageError(f"{path}: {error}") from None


def differing(folder: Path, told: Manifest) -> tuple[Differing, ...]:
    """What is missing, changed, or not named, by name."""
    found = [one for row in told.outputs if (one := _compared(folder, row)) is not None]
    named = {row.name for row in told.outputs} | {MANIFEST, SIGNATURE}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in named and (path.is_symlink() or not path.is_dir()):
            found.append(Differing(name, "extra", "the manifest does not name it"))
    return tuple(sorted(found, key=lambda one: one.name))


def _compared(folder: Path, row: manifest.Output) -> Differing | None:
    path = folder / row.name
    if path.is_symlink() or any(parent.is_symlink() for parent in path.relative_to(folder).parents if parent.name):
        return Differing(row.name, "changed", "is a link to another file")
    try:
        with path.open("rb") as file:
            octets = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return Differing(row.name, "missing", "")
    except OSError as error:
        return Differing(row.name, "unreadable", error.strerror or "cannot be read")
    if octets != row.sha256:
        return Differing(row.name, "changed", f"its SHA-256 is {octets}, not {row.sha256}")
    return None


def signature(folder: Path, told: Manifest, octets: bytes, key: Path | None) -> Signature:
    """Checks the manifest's signature, by the given public key or else by the one in the folder.

    Raises UsageError and OSError where the key is none, whether or not there is a signature.
    """
    path, place = folder / SIGNATURE, folder / PUBLIC_KEY if key is None else key
    missing = Signature("missing", f"{SIGNATURE} is not there")
    if not path.is_file() and key is None:
        if told.signer is not None:
            return missing
        return Signature("none", "the report is not signed: whoever changes a file can change the manifest too")
    if key is None and not place.is_file():
        return Signature("not checked", f"{PUBLIC_KEY} is not there; give the public key with --key")
    try:
        public = signing.public_pem_of(place)
    except signing.SigningUnavailable as error:
        return Signature("not checked", str(error))
    if not path.is_file():
        return missing
    with path.open("rb") as file:
        signed = file.read(signing.SIGNATURE_BYTES + 1)
    mark = signing.fingerprint(public)
    if told.signer is not None and told.signer.key_sha256 != mark:
        return Signature("other key", f"the manifest names the key {told.signer.key_sha256}", mark)
    if len(signed) != signing.SIGNATURE_BYTES or not signing.verifies(public, signed, octets):
        return Signature("wrong", f"{SIGNATURE} is not this key's signature of {MANIFEST}", mark)
    if key is None:
        return Signature(
            "valid, key not known", "compare the key's SHA-256 with what its owner told, or give --key", mark
        )
    return Signature("valid", f"signed by the key of {visible(str(key))}", mark)


def trusted(folder: Path, told: Manifest, bad: Mapping[str, Differing], name: str) -> bytes | None:
    """The octets of a file that the manifest names and that is as it says; none of any other."""
    if name in bad or name not in {row.name for row in told.outputs}:
        return None
    return (folder / name).read_bytes()
