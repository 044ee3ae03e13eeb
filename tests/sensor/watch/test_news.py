"""What a brief pass leaves to a whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rules.plant import POLL, assess
from tests.rules.test_beacons import MINUTE, calls, every
from zonewatch.rules.sigma.detect import HANDLES, load_detection
from zonewatch.rules.sigma.told import MOST_FINDINGS
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


def test_more_of_a_rule_than_is_told_one_by_one_waits_for_all_of_it() -> None:
    detection = load_detection()
    (name, *_) = (rule.name for rule in detection.rules.rules if rule.category == "ot_operation")
    handle = next(rule.name for rule in detection.rules.rules if rule.category == HANDLES)
    (one, *_) = assess([POLL], flows=calls(every(MINUTE))).findings
    for rule, most in ((name, MOST_FINDINGS), (handle, MOST_FINDINGS + 3)):
        made = [
            replace(one, rule=rule, identity=(("number", str(number)),), first_time=number + 1)
            for number in range(MOST_FINDINGS + 3)
        ]
        known, fresh = made[: MOST_FINDINGS - 2], made[MOST_FINDINGS - 2 :]
        told = news(fresh[::-1], known, detection)
        assert {finding.id for finding in told} == {finding.id for finding in made[MOST_FINDINGS - 2 : most]}
        assert news(fresh, made[:most], detection) == ()
