"""What a site changes of rules: errors with their place, and what is suppressed is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.plant import policy
from tests.rules.test_incidents import act
from zonewatch.rules.policy.load import PolicyError, PolicyErrors
from zonewatch.rules.sigma.settings import parse_settings, suppressed

KNOWN = ("modbus.force_listen_only", "modbus.function_sweep", "reconnaissance.host_sweep")
GOOD = """\
detection_version: 1
rules:
  modbus.function_sweep: {threshold: 12, reason: the historian asks for ten functions at its start}
  modbus.force_listen_only: {enabled: false, reason: test bench}
suppress:
  - {id: weekly, rules: [reconnaissance.*], assets: [scanner-1], schedule: "thu 00:00-02:00", reason: ticket 4711}
"""


def test_a_good_file_is_read() -> None:
    settings = parse_settings(GOOD, "d.yaml", KNOWN)
    assert settings.rules["modbus.function_sweep"].threshold == 12
    assert settings.suppress[0].rules == ("reconnaissance.*",)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("modbus.function_sweep:", "modbus.function_swep:", "d.yaml:3:3: no rule 'modbus.function_swep'; did you mean"),
        ("threshold: 12", "treshold: 12", "d.yaml:3:27: unknown key 'treshold'; did you mean 'threshold'?"),
        (", reason: test bench", "", "key 'reason' is missing"),
        ("threshold: 12", "threshold: 0", "threshold"),
        ("modbus.function_sweep:", '"modbus.*":', "d.yaml:3:3: no rule 'modbus.*'"),
        ("enabled: false", "threshold: 2", "d.yaml:4:30: modbus.force_listen_only counts nothing"),
        ("threshold: 12, ", "", "d.yaml:3:26: modbus.function_sweep: changes nothing: give enabled or threshold"),
        ("assets:", "from: 2026-03-02, until: 2026-03-01, assets:", "ends before it begins"),
        ("detection_version: 1", "detection_version: 2", "d.yaml:1:20: detection_version"),
        ('assets: [scanner-1], schedule: "thu 00:00-02:00", ', "", "suppresses all of it for ever"),
        ("[reconnaissance.*]", "[recon.*]", "d.yaml:6:26: no rule 'recon.*'"),
        ("thu 00:00", "thx 00:00", "unknown day 'thx'"),
        ("rules:\n", "rules\n", "d.yaml:"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(before: str, after: str, told: str) -> None:
    assert before in GOOD
    with pytest.raises(PolicyErrors) as caught:
        parse_settings(GOOD.replace(before, after, 1), "d.yaml", KNOWN, ["modbus.function_sweep"])
    assert told in str(caught.value)


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_a_damaged_file_is_read_or_refused_with_a_line(place: int, character: str) -> None:
    assert all(error.line for error in errors_of(GOOD[:place] + character + GOOD[place + 1 :]))


def errors_of(text: str) -> tuple[PolicyError, ...]:
    try:
        parse_settings(text, "d.yaml", KNOWN)
    except PolicyErrors as errors:
        return errors.errors
    return ()


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("assets: [laptop]", 0),
        ("assets: [other]", 1),
        ("zones: [office, supervision]", 0),
        ("zones: [office]", 1),
        ("conduits: [scada-to-filtration]", 1),
        ("until: 1970-01-03", 0),
        ("until: 1970-01-01", 1),
        ("from: 1970-01-03, until: 1970-01-04", 1),
        ('schedule: "fri 00:00-12:00"', 0),
        ('schedule: "mon 00:00-12:00"', 1),
        ("assets: [laptop], zones: [office]", 1),
    ],
)
def test_all_that_a_suppression_names_has_to_fit(condition: str, left: int) -> None:
    text = f"detection_version: 1\nsuppress:\n  - {{id: s, rules: [modbus.*], {condition}, reason: known}}\n"
    settings = parse_settings(text, "d.yaml", KNOWN)
    finding = act("modbus.function_sweep", 5, "laptop", "plc-1", zones=("supervision",))
    found, told = suppressed([finding], settings, policy())
    assert len(found) == left
    assert told == (("suppression s met no finding: known",) if left else ("1 finding suppressed by s: known",))


def test_a_conduit_stands_for_its_two_zones() -> None:
    text = (
        "detection_version: 1\nsuppress:\n  - {id: s, rules: ['*'], conduits: [scada-to-filtration], reason: known}\n"
    )
    settings = parse_settings(text, "d.yaml", KNOWN)
    between = act("modbus.function_sweep", 5, "hmi-1", "plc-1", zones=("filtration", "supervision"))
    within = act("modbus.function_sweep", 5, "hmi-1", "eng-1", zones=("supervision",))
    assert suppressed([between, within], settings, policy())[0] == [within]
