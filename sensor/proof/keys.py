"""`zonewatch keygen`."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from zonewatch.reports.words import visible
from zonewatch.sensor.proof import signing
from zonewatch.sensor.usage import UsageError


def keygen(out: Path, pass_file: Path | None) -> None:
    """Writes a private key that only its owner can read, and its public key beside it."""
    public_path = out.with_name(f"{out.name}.pub")
    for path in (out, public_path):
        if path.exists():
            raise UsageError(f"{path}: exists already; a key is never written over")
    phrase = signing.pass_phrase(pass_file)
    private, public = signing.key_pair(phrase)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    public_path.write_bytes(public)
    typer.echo(f"Private key: {visible(str(out))}" + ("" if phrase else " (not encrypted: no pass phrase was given)"))
    typer.echo(f"Public key: {visible(str(public_path))}")
    typer.echo(f"SHA-256 of the public key: {signing.fingerprint(signing.public_key(public, str(public_path)))}")
