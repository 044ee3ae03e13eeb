"""Recall and precision of the inventory's identities, against what a person finds (tests/identity/identities.py)."""

from __future__ import annotations

from typing import Final

import pytest

from tests.identity.identities import ATTRIBUTES, TABLE, Fact, captures, compared, table
from tests.oracles.compare import CAPTURES

RECALL: Final = 0.87
"""Of the rows of the first look."""
PRECISION: Final = 0.99
"""Of what the inventory tells of the devices in the table."""

WRONG: Final[dict[Fact, str]] = {
    ("10.0.2.15", "role", "it_server"): "a computer that announces file services by mDNS",
}
"""What the inventory tells and Wireshark does not show, with the reason."""

here = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"public captures are not here; {TABLE.name} names them")


def test_the_table_is_made_of_known_words() -> None:
    rows = table()
    assert {row.attribute for row in rows} <= {*ATTRIBUTES.values(), "mac", "address", "role"}
    assert all(row.frame > 0 and row.seen and row.look in (1, 2) for row in rows)
    assert len({(row.capture, row.place, row.attribute, row.value) for row in rows}) == len(rows)


@here
@pytest.mark.parametrize("capture", captures())
def test_what_is_missed_and_what_is_wrong_is_listed(capture: str) -> None:
    """An unlisted one fails, and so does a listed miss that is found."""
    result = compared(capture)
    assert {row for row in result.missed if not row.missed} == set()
    assert {row for row in result.found if row.missed} == set()
    assert set(result.extra) - set(WRONG) == set()


@here
def test_recall_and_precision_are_not_below_the_figures_kept() -> None:
    results = [compared(capture) for capture in captures()]
    first = [row for result in results for row in (*result.found, *result.missed) if row.look == 1]
    found = {row for result in results for row in result.found}
    extra = sum(len(result.extra) for result in results)
    assert sum(row in found for row in first) / len(first) >= RECALL
    assert len(found) / (len(found) + extra) >= PRECISION
