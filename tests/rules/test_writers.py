"""Hosts that write to a device which only others ask."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, talk
from tests.rules.plant import HMI, LAPTOP, PLC_1, POLICY, POLL, assess, of_rule, write
from tests.rules.plant import write_event as event

SET = write(LAPTOP, PLC_1, 100, [42], frame=9)


def test_who_writes_and_never_reads_is_told_with_the_poller() -> None:
    (finding,) = of_rule(assess([POLL, SET], events=[event(LAPTOP, PLC_1, 100, [42], [7], 9)]), "exposure.blind_writer")
    assert finding.identity == (("client", finding.assets[0]), ("server", "plc-1"), ("protocol", "modbus"))
    assert "never reads" in finding.title
    assert any(reason.endswith("polls it") and "hmi-1" in reason for reason in finding.reasons)
    assert [change.after for change in finding.changes]


@pytest.mark.parametrize(
    "talks",
    [
        pytest.param([POLL, write(HMI, PLC_1, 100, [42])], id="the poller itself writes"),
        pytest.param([POLL, SET, talk(LAPTOP, PLC_1)], id="it read once"),
        pytest.param([SET, {**POLL, "events": 7}], id="nobody polls"),
        pytest.param([SET], id="nobody reads"),
        pytest.param([POLL, {**SET, "protocol": "bacnet"}], id="a protocol without polling"),
    ],
)
def test_ordinary_writes_are_not_told(talks: list[Row]) -> None:
    assert not of_rule(assess(talks), "exposure.blind_writer")


def test_what_a_flow_allows_is_not_told() -> None:
    allowed = POLICY.replace("clients: [hmi-1]", "clients: [hmi-1, eng-1]")
    talks = [POLL, write("10.20.1.20", PLC_1, 100, [42])]
    assert of_rule(assess(talks), "exposure.blind_writer")
    assert not of_rule(assess(talks, by=allowed), "exposure.blind_writer")
