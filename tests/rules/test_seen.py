"""A conclusion that something did not happen says what the capture may have missed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inventory.network import flow
from tests.rules.plant import INTERNET, PLC_1, POLL, assess, of_rule


def reasons(coverage: dict[str, Any]) -> str:
    silent = flow(INTERNET, PLC_1, 502, state="attempted")
    (finding,) = of_rule(assess([POLL], [silent], coverage=coverage), "exposure.public_client")
    return " ".join(finding.reasons)


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        ({}, "no answer was seen"),
        ({"one_sided_flows": 4}, "no answer was seen (at tap: 4 connections seen in one direction only)"),
        (
            {"gaps": 1, "reported_drops": 7},
            "no answer was seen (at tap: 1 gap in the streams, 7 packets dropped by the capturing machine)",
        ),
    ],
)
def test_no_answer_comes_with_what_may_have_hidden_it(coverage: dict[str, Any], said: str) -> None:
    assert reasons(coverage).endswith(said)
