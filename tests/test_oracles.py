"""Every PDU of the public captures, against an independent dissector's count (see tests/oracles/compare.py)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from tests.oracles.compare import (
    CAPTURES,
    INDEX,
    PLUS,
    ROOT,
    Difference,
    differences,
    key,
    listed,
    oracles,
    pdus,
    s7comm_plus,
)

if not (CAPTURES / "oracle").is_dir():
    pytest.skip(f"the public captures are not here; {INDEX.name} names them", allow_module_level=True)

ALL = dict(oracles())
MAX_REASONS = 10


@pytest.mark.parametrize("capture", sorted(ALL))
def test_pdus_equal_the_oracle_but_for_the_listed_differences(capture: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    found = pdus(CAPTURES / capture)
    seen = differences(capture, ALL[capture], found)
    assert s7comm_plus(found) == PLUS.get(capture, 0)
    if "s7comm" not in ALL[capture]["facts"] and capture not in PLUS:
        assert not any(row["protocol"] == "s7comm" for row in found)
    expected = [
        Difference(capture, row, int(line["ours"]), int(line["theirs"]))
        for (name, row), line in sorted(listed().items())
        if name == capture
    ]
    assert sorted(seen) == expected
    for difference in seen:
        if difference.theirs == 0:
            _frame_is_ours(difference, found)


@pytest.mark.parametrize("capture", sorted(PLUS))
def test_s7comm_plus_has_its_messages(capture: str) -> None:
    assert s7comm_plus(pdus(CAPTURES / capture)) == PLUS[capture]


def _frame_is_ours(difference: Difference, found: list[dict[str, Any]]) -> None:
    frame = int(listed()[difference.capture, difference.row]["frame"])
    assert any(row["frame"] == frame and key(row) == difference.row for row in found)


def test_every_reason_is_explained_and_they_are_few() -> None:
    reasons = Counter(line["reason"] for line in listed().values())
    explained = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "decoding.md").read_text(encoding="utf-8"), re.M))
    assert set(reasons) == explained
    assert len(reasons) <= MAX_REASONS
    assert all(int(line["frame"]) > 0 for line in listed().values())
