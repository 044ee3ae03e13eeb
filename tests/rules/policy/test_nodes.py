"""Node ids of OPC UA in a policy: how they are written, what each holds, and what the judge says of them."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inventory.network import talk
from tests.rules.plant import HMI, PLC_1, POLICY, day, inventory, policy
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.values import ObjectRange, merged, widened

FLOW = """\
      - id: opc
        protocol: opc-ua
        operations: [read, write, operate, subscribe, discover, report]
        clients: [hmi-1]
        objects: [node i=2253-2258, 'node ns=2;s=Pump.*', 'node ns=3;i=100-199', 'method ns=2;s=Reset', node ns=4;*]
"""


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("node ns=2;s=Pump.Speed", "node ns=2;s=Pump.Speed"),
        ('node  ns=3;s="DB 1"."Speed"', 'node ns=3;s="DB 1"."Speed"'),
        ("node ns=0;i=85", "node i=85"),
        ("node ns=2;i=1000 - 1999", "node ns=2;i=1000-1999"),
        ("method ns=2;i=*", "method ns=2;i=*"),
        ("node ns=007;*", "node ns=7;*"),
        ("node-attribute ns=0;*", "node-attribute ns=0;*"),
        ("node *", "node"),
        ("node ns=2;g=09087E75-8E5E-499B-954F-F2A9603DB28A", "node ns=2;g=09087e75-8e5e-499b-954f-f2a9603db28a"),
        ("node ns=2;b=M/RbKBsRVkePCePcx24oRA==", "node ns=2;b=M/RbKBsRVkePCePcx24oRA=="),
    ],
)
def test_forms(written: str, canonical: str) -> None:
    assert str(ObjectRange.parse(written)) == canonical
    assert ObjectRange.parse(canonical) == ObjectRange.parse(written)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("node Pump.Speed", "'Pump.Speed' is no node id; write 'ns=2;s=Pump.Speed'"),
        ("node 5", "no node id"),
        ("node ns=2;i=10*", "'10*' is no number of a node; write 'i=85' or 'i=1000-1999'"),
        ("node ns=2;i=9-1", "ends before it starts"),
        ("node i=4294967296", "beyond 4294967295"),
        ("node ns=65536;s=x", "beyond namespace 65535"),
        ("node ns=2;x=1", "no node id"),
        ("nodes ns=2;i=1", "no object range"),
    ],
)
def test_mistakes(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        ObjectRange.parse(written)


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        ("node", "node ns=2;s=x", True),
        ("node ns=2;s=x", "node", False),
        ("node ns=2;*", "node ns=2;i=5", True),
        ("node ns=2;*", "node ns=20;i=5", False),
        ("node ns=0;*", "node i=5", True),
        ("node ns=0;*", "node s=x", True),
        ("node ns=0;*", "node ns=1;i=5", False),
        ("node ns=2;s=Pump.*", "node ns=2;s=Pump.1.*", True),
        ("node ns=2;s=Pump.*", "node ns=2;s=Pumps", False),
        ("node ns=2;i=1-9", "node ns=2;i=3", True),
        ("node ns=2;i=1-9", "node ns=3;i=3", False),
        ("node ns=2;i=1-9", "method ns=2;i=3", False),
        ("node ns=2;s=3", "node ns=2;i=3", False),
    ],
)
def test_what_holds_what(wide: str, narrow: str, holds: bool) -> None:
    assert ObjectRange.parse(wide).covers(ObjectRange.parse(narrow)) is holds


NODES = st.one_of(
    st.builds(lambda n, i: ObjectRange.of("node", None, 0, f"ns={n};i={i}"), st.integers(1, 3), st.integers(0, 6)),
    st.sampled_from(
        ["node i=3", "node ns=1;s=A", "node ns=1;s=AB", "node ns=1;s=A*", "node ns=2;*", "node ns=0;*"]
    ).map(ObjectRange.parse),
)


@given(st.lists(NODES, max_size=12))
def test_merging_and_widening_lose_nothing(given_nodes: list[ObjectRange]) -> None:
    for fewer in (merged(given_nodes), widened(given_nodes)):
        assert all(any(wide.covers(item) for wide in fewer) for item in given_nodes)
        assert list(fewer) == list(merged(fewer))
        assert len(fewer) <= len(set(given_nodes))


def opc(operation: str, kind: str | None, name: str = "", **more: Any) -> dict[str, Any]:
    code = {"read": 631, "write": 673, "operate": 712, "discover": 527, "subscribe": 787, "report": 829}[operation]
    told = {
        "protocol": "opcua", "server_port": 4840, "function": code, "function_name": operation,
        "object_kind": kind, "object_start": None, "object_count": 1, "property_name": name,
    }  # fmt: skip
    return {**talk(HMI, PLC_1, operation), **told, **more}


ENCRYPTED: dict[str, Any] = {
    "function": None, "function_name": "encrypted", "operation": "unknown", "kind": "unconfirmed", "status": "one_way",
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        (opc("read", "node", "ns=2;s=Pump.Speed"), "allowed", ""),
        (opc("write", "node", "ns=2;s=Pump.Speed"), "allowed", ""),
        (opc("write", "node", "ns=2;s=Valve"), "violation", "node ns=2;s=Valve not in flow opc of conduit"),
        (opc("read", "node", "i=2258"), "allowed", ""),
        (opc("read", "node", "i=85"), "violation", "node i=85 not in flow opc"),
        (opc("write", "node", "ns=3;i=199"), "allowed", ""),
        (opc("write", "node", "ns=3;i=200"), "violation", "node ns=3;i=200"),
        (opc("discover", "node", "ns=4;s=anything at all"), "allowed", ""),
        (opc("write", "node-attribute", "ns=2;s=Pump.Speed"), "violation", "node-attribute ns=2;s=Pump.Speed"),
        (opc("operate", "method", "ns=2;s=Reset"), "allowed", ""),
        (opc("operate", "method", "ns=2;s=Erase"), "violation", "method ns=2;s=Erase"),
        (opc("operate", None), "violation", "operate without an object"),
        # What addresses no node is limited by its operation alone.
        (opc("subscribe", "subscription"), "allowed", ""),
        (opc("report", None), "allowed", ""),
        # An answer whose question was not captured; names that were told together.
        (opc("read", "node", ""), "cannot_conclude", "cannot tell"),
        (opc("write", "node", "", coalesced=True), "cannot_conclude", "cannot tell"),
        (opc("report", "security-mode", "sign_and_encrypt") | ENCRYPTED, "cannot_conclude", "encrypted messages"),
    ],
)
def test_what_the_judge_says(row: dict[str, Any], verdict: str, reason: str) -> None:
    table: pa.Table = rows(schemas.AGGREGATES, (row,))
    told = judge(policy(POLICY + FLOW), inventory((row,)), table, schemas.EVENTS.empty_table(), day(2026, 6, 1))
    assert [(one.decision.verdict, reason in one.decision.reason) for one in told.rows] == [(verdict, True)], told.rows[
        0
    ].decision.reason


def test_verdicts_of_nodes_are_not_mixed_up() -> None:
    """Two nodes differ in nothing but their name."""
    asked = [opc("write", "node", name) for name in ("ns=2;s=Pump.1", "ns=2;s=Valve", "ns=2;s=Pump.2")]
    table = rows(schemas.AGGREGATES, asked)
    told = judge(policy(POLICY + FLOW), inventory(asked), table, schemas.EVENTS.empty_table(), day(2026, 6, 1))
    assert [one.decision.verdict for one in told.rows] == ["allowed", "violation", "allowed"]
