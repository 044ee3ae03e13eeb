"""What a brief pass leaves to a whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rules.plant import POLL, assess
from tests.rules.test_beacons import MINUTE, calls, every
from zonewatch.sensor.watch.news import news

LEFT = ("malware.beacon", "baseline.unusual_transition", "policy.unused", "policy.cannot_conclude")


@pytest.mark.parametrize("rule", LEFT)
def test_what_holds_of_some_rows_and_not_of_all_is_not_told(rule: str) -> None:
    found = assess([POLL], flows=calls(every(MINUTE))).findings
    (steady,) = (finding for finding in found if finding.rule == "malware.beacon")
    rest = tuple(finding for finding in found if finding.rule not in LEFT)
    assert news((*rest, replace(steady, rule=rule)), (), None) == rest
    assert news((*rest, replace(steady, rule="other")), (), None) != rest


def test_what_is_known_is_not_told_again() -> None:
    found = assess([POLL], flows=calls(every(MINUTE))).findings
    assert news(found, found, None) == ()
