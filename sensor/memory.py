"""What commands do about memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

__all__ = ["give_back", "uncollected"]


def give_back() -> None:
    """Between two stages that need much: what Arrow keeps for its next tables goes back to the system."""
    pa.default_memory_pool().release_unused()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for circles of objects: a result has none, and the search takes up to half of its time.

    It never searches what was made meanwhile: the command that made it is at its end, and so is the process.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
