"""How a command ends: its exit codes, and wrong use."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FOUND: Final = 1
MISUSED: Final = 2
PARTIAL: Final = 3
READER_LEFT: Final = 141


class UsageError(Exception):
    """Wrong use or unreadable input: one clear line for the user; exit code 2."""
