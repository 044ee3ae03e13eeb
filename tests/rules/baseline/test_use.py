"""What others make of a baseline: findings of the audit, stamps of operations, a draft of a policy."""

from __future__ import annotations

import pytest

from tests.rules.baseline.days import ENG, HMI, PLC, START, Row, Traffic, at, at_stage, connection, poll, said, write
from zonewatch.rules.baseline.model import Baseline, Points
from zonewatch.rules.baseline.policy import drafted
from zonewatch.rules.baseline.stamps import UNKNOWN, Stamp, Stamps
from zonewatch.rules.draft.text import new_file
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.load import parse_policy

OLD = Traffic(
    [*poll(), *(write(101, 100 + number, changes=3) for number in range(9))],
    [connection("10.0.2.5", ENG, "https"), connection("10.0.2.5", "45.83.64.10", "https")],
)
KNOWN = at_stage(OLD.learn())


def assessed(baseline: Baseline | None, *rows: Row) -> Assessment:
    traffic = Traffic([*poll(at(1)), *rows])
    return audit(traffic.inventory, traffic.tables, None, at(2), baseline=baseline)


def of_baseline(assessment: Assessment) -> list[tuple[str, str]]:
    return [(item.rule, item.severity) for item in assessment.findings if item.rule.startswith("baseline.")]


def test_deviations_are_findings_of_the_audit() -> None:
    rows = [write(102, 5, when=at(1)), said("10.0.9.9", PLC, when=at(1))]
    assert of_baseline(assessed(KNOWN, *rows)) == [
        ("baseline.new_asset", "medium"),
        ("baseline.new_edge", "medium"),
        ("baseline.new_object", "medium"),
    ]
    assert of_baseline(assessed(None, *rows)) == []
    assert of_baseline(assessed(OLD.learn(), *rows)) == []  # still learning


def test_a_finding_is_the_same_next_week_and_tells_its_reasons() -> None:
    one, other = (
        next(item for item in assessed(KNOWN, write(102, value, when=at(day))).findings if "new_object" in item.rule)
        for day, value in ((1, 5), (8, 7))
    )
    assert one.id == other.id
    assert one.assets == (HMI, PLC)
    assert one.evidence
    assert "stage enforcing" in one.reasons
    assert "Learned on 1 day, 9 times; surprise 4.3 bits." in one.description
    assert one.technique == ("T0836",)


def test_what_a_baseline_cannot_say_is_a_limit_of_the_audit() -> None:
    traffic = Traffic([said(HMI, PLC, when=at(1))], coverage={"gaps": 2})
    limits = audit(traffic.inventory, traffic.tables, None, at(2), baseline=KNOWN).limits
    assert "baseline: at tap: 2 gaps in the streams" in limits


OPERATION = {"code": 16, "name": "write_multiple_registers", "operation": "write"}


@pytest.mark.parametrize(
    ("client", "more", "stamp"),
    [
        (
            HMI,
            {**OPERATION, "points": Points("holding-register", 101, 101), "values": (101.0, 101.0)},
            Stamp(
                new_edge=False, new_operation=False, new_function=False, new_write_target=False, value_range="inside"
            ),
        ),
        (
            HMI,
            {**OPERATION, "points": Points("holding-register", 101, 102), "values": (101.0, 900.0)},
            Stamp(
                new_edge=False, new_operation=False, new_function=False, new_write_target=True, value_range="outside"
            ),
        ),
        (
            HMI,
            {"code": 6, "name": "write_single_register", "operation": "write"},
            Stamp(new_edge=False, new_operation=False, new_function=True),
        ),
        (HMI, {"operation": "stop"}, Stamp(new_edge=False, new_operation=True, new_function=True)),
        (HMI, {}, Stamp(new_edge=False)),
        (
            ENG,
            {**OPERATION, "points": Points("holding-register", 101, 101), "values": (900.0, 900.0)},
            Stamp(True, True, True, new_write_target=False, value_range="outside"),
        ),
    ],
)
def test_stamps(client: str, more: dict[str, object], stamp: Stamp) -> None:
    assert Stamps(KNOWN, OLD.inventory).of(client, PLC, "modbus", **more) == stamp  # type: ignore[arg-type]


def test_nothing_is_stamped_without_a_baseline_or_while_it_learns() -> None:
    assert Stamps(None, OLD.inventory).of(HMI, PLC, "modbus", **OPERATION) == UNKNOWN  # type: ignore[arg-type]
    assert Stamps(OLD.learn(), OLD.inventory).of(ENG, PLC, "modbus") == UNKNOWN


def test_what_is_enforced_becomes_a_policy_that_allows_it() -> None:
    draft = drafted(KNOWN)
    policy = parse_policy(new_file(draft.made))
    rows = judge(
        policy, OLD.inventory, OLD.tables["aggregates"], OLD.tables["events"], START, flows=OLD.tables["flows"]
    )
    modbus = {row.decision.verdict for row in rows.rows if row.seen.protocol == "modbus"}
    assert modbus == {"allowed"}
    flows = {(flow.protocol, *flow.operations) for conduit in policy.conduits for flow in conduit.flows}
    assert flows == {("modbus", "read"), ("modbus", "write"), ("https",)}
    assert draft.left_out == ("10.0.2.5 external https",)


def test_what_waits_or_learns_is_in_no_policy() -> None:
    assert drafted(OLD.learn()).made.lines == ()
    more = Traffic([said(ENG, PLC, "program_download", when=at(1))]).learn(KNOWN)
    assert more.pending
    assert "program_download" not in new_file(drafted(more).made)
