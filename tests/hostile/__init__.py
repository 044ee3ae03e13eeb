"""Captures made to fill the engine's memory, what it took, and what the coverage says of it.

Every kind of growth that a sender can force is decoded in a process of its own. `tests/test_hostile.py` does it with
few packets, `python -m tests.hostile` with many.
"""

from __future__ import annotations

from typing import Final

from tests.hostile import control, services
from tests.hostile.run import decoded, write
from tests.hostile.wire import Kind

__all__ = ["KINDS", "Kind", "decoded", "write"]

KINDS: Final = (*control.KINDS, *services.KINDS)
