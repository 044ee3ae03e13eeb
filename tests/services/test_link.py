"""ARP, DHCP, LLDP, NetBIOS names, time and neighbours of public captures, against tshark's view."""

from __future__ import annotations

import re

import pytest

from tests.oracles.compare import CAPTURES, ROOT
from tests.services.link import listed, ours, spell
from tests.services.told import activities

if not CAPTURES.is_dir():
    pytest.skip("the public captures are not here", allow_module_level=True)

LISTED = listed()


@pytest.mark.parametrize("capture", sorted({capture for capture, _ in LISTED}))
def test_rows_equal_tsharks_but_for_the_listed_differences(capture: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    expected = {row: here for (name, row), (here, _, _) in LISTED.items() if name == capture and here > 0}
    assert {spell(row): count for row, count in ours(activities(CAPTURES / capture)).items()} == expected


def test_every_difference_has_an_explained_reason() -> None:
    document = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
    section = document.partition("## tshark on the neighbourhood")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    differ = [reason for here, there, reason in LISTED.values() if here != there]
    assert set(differ) == explained
    assert {reason for here, there, reason in LISTED.values() if here == there} == {""}
    names = len({capture for capture, _ in LISTED})
    assert f"{len(LISTED):,} rows in {names} captures, {len(differ)} of them listed" in " ".join(section.split())
