"""The engine's examples, and the captures that one of them makes."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FILE_HEADER: Final = 24
RECORD: Final = struct.Struct("<IIII")


def examples(*names: str) -> Path:
    """Builds the examples of these names, or all, for release; gives their folder."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SystemExit("cargo is not there: the examples cannot be built.")
    which = [f"--example={name}" for name in names] or ["--examples"]
    subprocess.check_call([cargo, "build", "--release", "--locked", "--quiet", *which], cwd=ROOT)
    about = subprocess.check_output([cargo, "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT)
    return Path(json.loads(about)["target_directory"]) / "release" / "examples"


def generate(folder: Path, scene: str, unit: str, size: int, path: Path) -> tuple[int, list[str]]:
    """Makes a capture; gives its packets and the shares of the conversations in it."""
    told = subprocess.check_output([folder / "generate", scene, unit, str(size), path], text=True).splitlines()
    return int(told[0].removeprefix(f"{path}: ").split()[0]), told[1:]


def cut(whole: Path, part: Path, packets: int) -> int:
    """Copies the first packets of a capture; gives how many."""
    copied = 0
    with whole.open("rb") as source, part.open("wb") as target:
        target.write(source.read(FILE_HEADER))
        while copied < packets and (header := source.read(RECORD.size)):
            target.write(header + source.read(RECORD.unpack(header)[2]))
            copied += 1
    return copied
