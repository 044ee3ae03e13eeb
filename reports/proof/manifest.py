"""The manifest of a report: every input and output by its SHA-256. Its schema is `schemas/manifest.schema.json`.

    python -m zonewatch.reports.proof.manifest > reports/schemas/manifest.schema.json

The folder of an audit has one of the same kind, without `report`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from zonewatch.reports.codec import ShapeError, decode, definitions, encode, schema

__all__ = [
    "MANIFEST",
    "MANIFEST_VERSION",
    "Input",
    "Manifest",
    "ManifestError",
    "Output",
    "ReportName",
    "RuleSetName",
    "Signer",
    "Tool",
    "dumps",
    "loads",
    "manifest_schema",
    "outputs",
]

MANIFEST: Final = "manifest.json"
MANIFEST_VERSION: Final[Literal[1]] = 1
SCHEMA_ID: Final = "urn:zonewatch:manifest:1"
MOST_BYTES: Final = 64 * 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
"""Names of files in the folder: none leads out of it."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """Not a manifest, or not one that this version reads."""


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that wrote it."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class ReportName:
    """Which report it is of."""

    id: str  # the framework
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class RuleSetName:
    """The rules that were in force: bundled, own and what the site changed of them."""

    sha256: str  # over the names and SHA-256 of all their files
    files: int


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key signs the manifest."""

    algorithm: Literal["Ed25519"]
    key_sha256: str  # of the public key as SubjectPublicKeyInfo (RFC 5280, RFC 8410), DER


@dataclass(frozen=True, slots=True)
class Input:
    """A file that the report rests on."""

    kind: str  # result, capture, policy, assets, tags, baseline, detection, rules
    name: str  # file name only
    sha256: str
    copy: str = ""  # the file of the folder that is its copy; empty: there is none
    source: str = ""  # of a capture: its point
    status: str = ""  # of a capture: whole, partial, unreadable


@dataclass(frozen=True, slots=True)
class Output:
    """A file of the folder."""

    name: str  # relative to the folder, with /
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of it. Pseudonyms: whether names and addresses in the folder are not the real ones."""

    manifest_version: Literal[1]
    tool: Tool
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    report: ReportName | None = None
    rules: RuleSetName | None = None
    signer: Signer | None = None
    pseudonyms: bool = False


def outputs(files: Mapping[str, bytes]) -> tuple[Output, ...]:
    """The files by name, sorted."""
    return tuple(Output(name, len(files[name]), hashlib.sha256(files[name]).hexdigest()) for name in sorted(files))


def dumps(manifest: Manifest) -> str:
    """As JSON, one newline at the end."""
    return json.dumps(encode(manifest), indent=2) + "\n"


def loads(octets: bytes) -> Manifest:
    """The manifest of a folder. Raises ManifestError with what is wrong, also where a name would lead elsewhere."""
    try:
        values = json.loads(octets)
    except (ValueError, RecursionError):
        raise ManifestError("is not JSON") from None
    if not isinstance(values, dict) or "manifest_version" not in values:
        raise ManifestError("is no manifest of zonewatch")
    if values["manifest_version"] != MANIFEST_VERSION:
        found = str(values["manifest_version"])[:20]
        raise ManifestError(f"has manifest_version {found}; this version reads {MANIFEST_VERSION}")
    try:
        read: Manifest = decode(Manifest, values)
    except ShapeError as error:
        raise ManifestError(str(error)) from None
    _refuse(read)
    return read


def _refuse(found: Manifest) -> None:
    names = [row.name for row in found.outputs]
    for name in (*names, *(row.copy for row in found.inputs if row.copy)):
        if not _NAME.fullmatch(name) or len(name) > 200:
            raise ManifestError(f"names {name[:80]!a}, which is no file of the folder")
    if len(set(names)) != len(names):
        raise ManifestError("names a file twice")
    if MANIFEST in names:
        raise ManifestError("names itself")
    hashes = [*(row.sha256 for row in found.outputs), *(row.sha256 for row in found.inputs if row.sha256)]
    if not all(_SHA256.fullmatch(one) for one in hashes):
        raise ManifestError("has a sha256 that is not 64 hexadecimal digits")


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema."""
    found = definitions((Manifest,))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Manifest of a folder of zonewatch",
        **schema(Manifest),
        "$defs": found,
    }


if __name__ == "__main__":
    print(json.dumps(manifest_schema(), indent=2))
