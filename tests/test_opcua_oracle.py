"""Nodes, services, results, users, endpoints and channels of OPC UA in public captures, beside tshark and ICSNPP.

`oracles/opcua.csv` has tshark 4.0.17's; `theirs` is what it shows, `ours` stands where a reason says why they differ.
"""

from __future__ import annotations

import shutil
from collections import Counter
from typing import Final

import pytest

from tests.oracles.compare import CAPTURES, INDEX
from tests.oracles.opcua import NAMES, Facts, lines, ours, theirs
from tests.oracles.opcua_logs import FOLDERS, as_logged, logged

REASONS: Final = {
    # The length of a node id goes beyond the message: tshark shows the request without it, ours tells none.
    "malformed",
}

if not (CAPTURES / "oracle").is_dir():
    pytest.skip(f"the public captures are not here; {INDEX.name} names them", allow_module_level=True)


def _listed(capture: str, *, whose: str) -> Facts:
    facts: Facts = Counter()
    for line in lines():
        if line["capture"] == capture:
            facts[line["fact"], line["word"]] = int(line[whose] or line["theirs"])
    return +facts


@pytest.mark.parametrize("capture", NAMES)
def test_facts_equal_tshark_but_for_the_listed_differences(capture: str) -> None:
    assert ours(capture) == _listed(capture, whose="ours")


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("capture", NAMES[:3])
def test_the_list_says_what_tshark_says(capture: str) -> None:
    assert theirs(capture) == _listed(capture, whose="theirs")


def test_every_difference_has_a_reason() -> None:
    for line in lines():
        assert bool(line["ours"]) == bool(line["reason"])
        assert line["reason"] in {"", *REASONS}


@pytest.mark.parametrize("capture", sorted(FOLDERS))
def test_facts_equal_the_logs_of_icsnpp(capture: str) -> None:
    there, here = logged(capture), as_logged(ours(capture))
    kinds = {fact for fact, _ in there}
    assert kinds >= {"service", "read", "write", "browse", "monitor", "user", "endpoint", "result of write"}
    assert Counter({row: count for row, count in here.items() if row[0] in kinds}) == there
