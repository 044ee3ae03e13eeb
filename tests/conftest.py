"""What holds for all tests."""

from __future__ import annotations

import gc

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Some thousand tests are objects that stay to the end: each collection of garbage would look at them."""
    gc.collect()
    gc.freeze()
