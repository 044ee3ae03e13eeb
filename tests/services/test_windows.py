"""SMB, remote procedure calls, NTLM, Kerberos, LDAP and SNMP of public captures, against tshark's view."""

from __future__ import annotations

import re

import pytest

from tests.oracles.compare import CAPTURES, ROOT
from tests.services.told import activities
from tests.services.windows import captures, listed, ours

if not CAPTURES.is_dir():
    pytest.skip("the public captures are not here", allow_module_level=True)

LISTED = listed()


@pytest.mark.parametrize("capture", captures())
def test_facts_equal_tsharks_but_for_the_listed_differences(capture: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    expected = {(kind, value) for name, kind, value, only in LISTED if name == capture and only != "theirs"}
    assert ours(activities(CAPTURES / capture)) == expected


def test_every_difference_has_an_explained_reason() -> None:
    document = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
    section = document.partition("## tshark on Windows")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert {reason for (*_, only), reason in LISTED.items() if only} == explained
    assert {reason for (*_, only), reason in LISTED.items() if not only} == {""}
    figures = [len(LISTED), sum(only != "" for *_, only in LISTED), len({capture for capture, *_ in LISTED})]
    facts, differ, names = (f"{figure:,}" for figure in figures)
    assert f"{facts} facts in {names} captures, {differ} of them listed" in " ".join(section.split())
