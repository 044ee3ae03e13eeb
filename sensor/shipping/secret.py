"""A secret by reference: the configuration says where it is, never what it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

LONGEST: Final = 65_536


class SecretError(Exception):
    """A secret cannot be read, or others can read it too. The text never holds the secret."""


class Secret(BaseModel):
    """Where a secret is: `{file: PATH}` or `{environment: NAME}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    """File that holds nothing else; a line break at its end is dropped. Refused when all may read or write it."""
    environment: str | None = None
    """Name of a variable of the environment."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.environment is None):
            raise ValueError("either file or environment")
        return self

    def read(self) -> str:
        """The secret itself."""
        found = guarded(self.file) if self.file is not None else os.environ.get(self.environment or "", "")
        if not found:
            raise SecretError(f"{self.file or self.environment}: no secret there")
        return found


def guarded(path: Path) -> str:
    """The text of a file that only its owner and group may read."""
    try:
        with path.open("rb") as file:
            refuse_public(path, os.fstat(file.fileno()).st_mode)
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror}") from None
    if len(data) > LONGEST:
        raise SecretError(f"{path}: longer than {LONGEST} octets")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretError(f"{path}: not UTF-8") from None


def refuse_public(path: Path, mode: int) -> None:
    """An error where everybody may read or write the file."""
    if stat.S_IMODE(mode) & 0o006:
        raise SecretError(f"{path}: everybody may read or write it: chmod o-rw {path}")


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret in it blotted out: what a server answers may repeat what was sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "***")
    return text
