"""What was learned of any traffic does not deviate from it, and reads back from its file."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.baseline.days import MINUTE, SECOND, Row, Traffic, at, at_stage, connection, said
from tests.rules.plant import write_event
from zonewatch.rules.baseline.file import BaselineFile, parse_baseline

HOSTS = st.sampled_from(["10.0.0.5", "10.0.0.6", "10.0.1.1", "10.0.1.2", "45.83.64.10", "10.0.0.255"])
VALUES = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 3).map(float))


@st.composite
def talks(draw: st.DrawFn) -> Row:
    operation = draw(st.sampled_from(["read", "write", "operate", "discover", "program_download"]))
    events = draw(st.integers(1, 900))
    low, high = draw(VALUES), draw(VALUES)
    values = sorted((low, high)) if low is not None and high is not None else [None, None]
    more: dict[str, Any] = {
        "protocol": draw(st.sampled_from(["modbus", "dnp3", "bacnet"])),
        "object_kind": draw(st.sampled_from([None, "holding-register", "coil", "analog-value", "class"])),
        "object_start": draw(st.one_of(st.none(), st.integers(0, 20))),
        "object_count": draw(st.integers(0, 9)),
        "property_name": draw(st.sampled_from(["", "present-value", "9 lives"])),
        "client_unit": draw(st.sampled_from([None, "1", "2"])),
        "server_unit": draw(st.sampled_from([None, "1", "7:3"])),
        "status": draw(st.sampled_from(["ok", "ok", "error", "no_response", "one_way", "response_only"])),
        "coalesced": draw(st.booleans()),
        "value_min": values[0],
        "value_max": values[1],
        "changes": draw(st.integers(0, 50)),
    }
    when = at(draw(st.integers(0, 3)), draw(st.integers(0, 15)))
    lasts = draw(st.integers(0, 14 * 60)) * SECOND if events > 1 else 0
    return said(draw(HOSTS), draw(HOSTS), operation, when=when, lasts=lasts, events=events, **more)


@st.composite
def flows(draw: st.DrawFn) -> Row:
    state = draw(st.sampled_from(["closed", "refused", "attempted"]))
    when = at(draw(st.integers(0, 3)), draw(st.integers(0, 15)))
    return connection(
        draw(HOSTS), draw(HOSTS), draw(st.sampled_from(["https", "rdp", "", "modbus"])), when=when, state=state
    )


@settings(max_examples=80, deadline=None)
@given(
    talks=st.lists(talks(), max_size=25),
    flows=st.lists(flows(), max_size=25),
    writes=st.lists(st.sampled_from("abc"), max_size=30),
)
def test_what_was_learned_does_not_deviate(talks: list[Row], flows: list[Row], writes: list[str]) -> None:
    told = enumerate(writes)
    events = [
        write_event("10.0.0.5", "10.0.1.1", 1, [1.0], [], frame=at(0) + n, function_name=name) for n, name in told
    ]
    for exact in (False, True):
        traffic = Traffic(talks, flows, events=events, end=at(5), begin=at(0) - MINUTE, exact=exact)
        learned = traffic.learn()
        baseline = parse_baseline(BaselineFile(learned).text).baseline
        assert baseline == learned
        assert traffic.compare(at_stage(baseline)).deviations == ()
        assert traffic.learn(at_stage(baseline)).pending == ()
