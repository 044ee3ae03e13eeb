"""What commands do about memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

__all__ = ["give_back", "left", "uncollected", "uncollected_to_the_end"]


def give_back() -> None:
    """Between two stages that need much: what Arrow keeps for its next tables goes back to the system."""
    pa.default_memory_pool().release_unused()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for circles of objects: a result has none, and the search takes up to half of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def uncollected_to_the_end() -> Iterator[None]:
    """The same for a command that is at its end then: what it made is never searched, not when the process ends either.

    Not for a process that goes on: circles among what it made would stay for ever.
    """
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()


def left(*values: object) -> None:
    """At the end of a command whose circles are never searched: what it made is left to the system as a whole.

    Taken apart piece by piece, as Python does, a large result and its document take seconds.
    """
    circle: list[object] = [*values]
    circle.append(circle)
