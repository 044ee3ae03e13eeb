"""The sensor's own state as findings."""

from __future__ import annotations

import pytest

from zonewatch.dissectors.live import Interface
from zonewatch.sensor.mirror.ways import Ways
from zonewatch.sensor.watch.health import Heard, Lost, Refused, State, judge
from zonewatch.sensor.watch.settings import HealthSettings

SECOND = 10**9
DOWN = Interface("eth1", "down", "eth1", packets=5, octets=300, drops=0, freezes=0, outages=1)
GOOD = Heard("span", Lost(packets=1_000), Lost(packets=2_000), (), silence=SECOND, flows=100, one_sided=10)


def heard(**changed: object) -> State:
    values = {name: getattr(GOOD, name) for name in GOOD.__slots__} | changed
    return State((Heard(**values),))


@pytest.mark.parametrize(
    ("state", "subject", "title"),
    [
        (heard(silence=900 * SECOND), "silence.span", "No traffic at span for 5 min"),
        (
            heard(now=Lost(packets=1_980, drops=20)),
            "drops.span",
            "The kernel dropped packets at span",
        ),
        (
            heard(now=Lost(packets=2_000, shed=(("it", 7), ("control", 0)))),
            "overload.span",
            "More traffic came at span than this machine decodes",
        ),
        (heard(one_sided=90), "one_sided.span", "The mirror at span delivers one direction only"),
        (heard(udp=Ways(both=1, answers=9)), "one_sided.span", "The mirror at span delivers one direction only"),
        (heard(udp=Ways(asked=5)), "one_sided.span", "The mirror at span delivers one direction only"),
        (
            heard(interfaces=(DOWN,)),
            "interface.span.eth1",
            "Interface eth1 of span is down",
        ),
        (
            State(backlog=1_800 * SECOND, waiting=3),
            "backlog",
            "Alerts are not delivered",
        ),
        (State(refused=(Refused("siem", 3, 0),)), "refused.siem", "siem refused alerts"),
        (State(refused=(Refused("siem", 3, 7),)), "refused.siem", "siem refused more alerts than are kept"),
        (
            State(delivery_unreadable="file is not a database"),
            "delivery",
            "What was delivered cannot be read",
        ),
        (
            State(reload_failed="policy.yaml:3:1: unknown key"),
            "settings",
            "New settings are wrong; the old ones are in force",
        ),
    ],
)
def test_what_is_wrong_is_told(state: State, subject: str, title: str) -> None:
    (found,) = judge(state, HealthSettings())
    assert (found.subject, found.title) == (subject, title)


@pytest.mark.parametrize(
    "state",
    [
        State((GOOD,)),
        heard(silence=299 * SECOND),
        heard(now=Lost(packets=1_990, drops=10)),  # 1 %
        heard(flows=19, one_sided=19),  # too few to tell
        heard(udp=Ways(answers=4)),
        heard(udp=Ways(both=1, asked=50)),  # who is asked may be off
        heard(udp=Ways(asked=50, tcp=True)),
        heard(before=Lost(shed=(("it", 7),)), now=Lost(packets=1_000, shed=(("it", 7),))),  # long ago
        State(backlog=60 * SECOND, waiting=1),
    ],
)
def test_what_is_well_is_not(state: State) -> None:
    assert judge(state, HealthSettings()) == ()
