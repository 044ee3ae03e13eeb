"""What commands do about memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for circles of objects: a result has none, and the search takes up to half of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
