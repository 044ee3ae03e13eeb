"""Which findings decisions accept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sensor.store.made import DAY, START, finding, result
from zonewatch.reports.result import UnusedFlow, VerdictRow
from zonewatch.reports.words import iso_time
from zonewatch.sensor.decisions.acceptances import accepted_by, conduit_pairs, in_force
from zonewatch.sensor.decisions.chain import Decision, Kind

ONE = finding("one", "medium", zones=("office", "cell"), assets=("eng-1", "plc-1"), rule="exposure.scan")
BOTH = finding("two", "medium", "both", zones=("cell",), rule="policy.violation")
PAIRS = {"office-to-cell": {frozenset(("office", "cell"))}}


def decision(kind: Kind, subject: str = "", until: int = START + DAY, number: int = 1, **scope: str) -> Decision:
    document = json.dumps({"owner": "both", "most": "critical", **scope})
    return Decision(number, iso_time(START), "eva", kind, subject, iso_time(until), "why", document, "")


def accepted(*decisions: Decision, at: int = START, of: Any = ONE) -> int | None:
    return accepted_by(of, in_force(decisions, at), PAIRS)


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({"finding": ONE.id}, True),
        ({"finding": BOTH.id}, False),
        ({"rule": "exposure.scan"}, True),
        ({"rule": "exposure.*"}, True),
        ({"rule": "policy.*"}, False),
        ({"asset": "plc-1"}, True),
        ({"asset": "plc-2"}, False),
        ({"zone": "cell"}, False),  # the other end is in another zone
        ({"conduit": "office-to-cell"}, True),
        ({"conduit": "cell-to-office"}, False),
        ({"rule": "exposure.*", "asset": "plc-2"}, False),
        ({"rule": "exposure.*", "most": "low"}, False),
        ({"rule": "exposure.*", "most": "medium"}, True),
        ({"rule": "exposure.*", "owner": "OT"}, True),
        ({"rule": "exposure.*", "owner": "IT"}, False),
        ({"rule": "exposure.*", "vlan": "7"}, False),  # words of a later version: what it means is not known
        ({"rule": "exposure.*", "most": "enormous"}, False),
    ],
)
def test_what_an_exception_covers(scope: dict[str, str], covers: bool) -> None:
    assert accepted(decision("exception", **scope)) == (1 if covers else None)


def test_a_zone_covers_what_is_within_it() -> None:
    assert accepted(decision("exception", zone="cell"), of=BOTH) == 1
    assert accepted(decision("exception", zone="cell"), of=finding("none", zones=())) is None


@pytest.mark.parametrize(("at", "holds"), [(START, True), (START + DAY - 1, True), (START + DAY, False), (0, True)])
def test_until_when(at: int, holds: bool) -> None:
    assert (accepted(decision("acceptance", finding=ONE.id), at=at) is not None) == holds


@pytest.mark.parametrize(
    ("sides", "expected"),
    [(["OT"], None), (["IT"], None), (["OT", "OT"], None), (["OT", "IT"], 2), (["IT", "OT"], 2), (["both"], 1)],
)
def test_what_is_for_both_needs_both(sides: list[str], expected: int | None) -> None:
    rows = [decision("acceptance", number=number, owner=side, finding=BOTH.id) for number, side in enumerate(sides, 1)]
    assert accepted(*rows, of=BOTH) == expected


def test_what_is_withdrawn_holds_no_longer() -> None:
    given = decision("acceptance", finding=ONE.id)
    assert accepted(given, decision("withdrawal", "1", number=2)) is None
    assert accepted(given, decision("withdrawal", "7", number=2)) == 1
    assert accepted(given, decision("withdrawal", "one", number=2)) == 1
    assert accepted(given, decision("export", "report", number=2)) == 1


@pytest.mark.parametrize("until", ["", "soon", "2026-99-99T00:00:00.000000000Z"])
def test_an_end_that_cannot_be_read_has_passed(until: str) -> None:
    row = decision("acceptance", finding=ONE.id)
    assert accepted(Decision(1, row.time, "eva", "acceptance", "", until, "why", row.document, "")) is None


def test_conduits_are_known_by_what_the_result_says_of_them() -> None:
    row = VerdictRow("a", "b", "modbus", "", "read", "allowed", "office", "cell", "used")
    made = result()
    made = type(made)(
        **{
            **{name: getattr(made, name) for name in made.__dataclass_fields__},
            "verdicts": (row,),
            "unused_flows": (UnusedFlow("unused", "f", "dmz", "cell", "modbus"),),
        }
    )
    assert conduit_pairs(made) == {"used": {frozenset(("office", "cell"))}, "unused": {frozenset(("dmz", "cell"))}}
