"""Verdicts: what each aspect of a flow lets pass, and the reason told where it does not."""

from __future__ import annotations

import math
import time
from typing import Any

import pyarrow as pa
import pytest

from tests.inventory.network import Row, flow, talk
from tests.rules.plant import (
    ENGINEERING,
    HMI,
    INTERNET,
    LAPTOP,
    OFFICE_PC,
    PLC_1,
    PLC_3,
    POLICY,
    POLL,
    assess,
    day,
    inventory,
    policy,
    write,
    write_event,
)
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.rules.judge import Judgement, judge


def verdicts(*talks: Row, flows: tuple[Row, ...] = (), by: str = POLICY, as_of: int = day(2026, 6, 1)) -> Judgement:
    aggregates = rows(schemas.AGGREGATES, talks)
    return judge(policy(by), inventory(talks, flows), aggregates, schemas.EVENTS.empty_table(), as_of)


WRITE = write(HMI, PLC_1, 100, [5])
# Of more combinations than are kept: neither function nor object are known.
FOLDED: dict[str, Any] = {
    "coalesced": True,
    "function": None,
    "function_name": "",
    "object_kind": None,
    "object_start": None,
    "object_count": 0,
    "value_min": None,
    "value_max": None,
}


@pytest.mark.parametrize(
    ("row", "verdict", "reason"),
    [
        (POLL, "allowed", ""),
        (WRITE, "allowed", ""),
        (write(HMI, PLC_1, 138, [1, 1000]), "allowed", ""),
        (
            write(HMI, PLC_1, 138, [1, 2, 3]),
            "violation",
            "holding-register 138-140 (40139-40141) not in flow setpoints",
        ),
        (write(HMI, PLC_1, 99, [1]), "violation", "holding-register 99 (40100) not in flow setpoints of conduit"),
        (write(HMI, PLC_1, 100, [1500]), "violation", "value 1500 (allowed: 0 to 1000) not in flow setpoints"),
        (write(HMI, PLC_1, 100, [-1]), "violation", "value -1 (allowed: 0 to 1000)"),
        (write(HMI, PLC_1, 100, [5, math.inf]), "violation", "value that is no finite number (allowed: 0 to 1000)"),
        (write(HMI, PLC_1, 100, [math.nan]), "violation", "value that is no finite number"),
        (WRITE | {"value_min": None, "value_max": None}, "cannot_conclude", "value not known"),
        (WRITE | FOLDED, "cannot_conclude", "cannot tell:"),
        (WRITE | FOLDED | {"coalesced": False}, "violation", ""),
        (WRITE | {"coalesced": True, "object_count": 900}, "cannot_conclude", "cannot tell: holding-register 100-999"),
        (WRITE | {"coalesced": True, "object_count": 9}, "allowed", ""),
        (WRITE | {"coalesced": True, "object_start": 500}, "violation", "holding-register 500"),
        (
            write(ENGINEERING, PLC_3, 100, [5]),
            "violation",
            "operation write not in flow poll of conduit scada-to-filtration",
        ),
        (WRITE | {"object_kind": "coil"}, "violation", "coil 100 (00101) not in flow setpoints"),
        (WRITE | {"object_kind": None, "object_start": None}, "violation", "without an object not in flow setpoints"),
        (talk(OFFICE_PC, PLC_1), "violation", "no conduit from office to filtration"),
        (
            talk(PLC_1, HMI),
            "violation",
            "no conduit from filtration to supervision (conduit scada-to-filtration goes the other",
        ),
        (talk(HMI, PLC_1, protocol="dnp3"), "violation", "protocol dnp3 not in flow poll"),
        (talk(HMI, PLC_1, "authenticate"), "allowed", ""),
        (talk(HMI, PLC_1, "diagnose", kind="link"), "allowed", ""),
        (talk(HMI, PLC_1, "diagnose"), "violation", "operation diagnose not in flow poll"),
        (talk(HMI, ENGINEERING, "write"), "allowed", "inside zone supervision by default (allow)"),
        (talk("10.99.0.1", PLC_1), "unzoned", "10.99.0.1 is in no zone"),
        (talk(INTERNET, PLC_1), "unzoned", f"{INTERNET} is in no zone"),
        (talk(HMI, "10.20.1.255", "discover", protocol="bacnet"), "allowed", "inside zone supervision"),
        (talk(HMI, "10.20.11.255", "discover", protocol="bacnet"), "violation", "protocol bacnet not in flow poll"),
        (talk(HMI, "255.255.255.255", "discover", protocol="bacnet"), "allowed", "inside zone supervision"),
    ],
)
def test_events(row: Row, verdict: str, reason: str) -> None:
    judged = verdicts(row).rows[0].decision
    assert (judged.verdict, reason in judged.reason) == (verdict, True), judged


IT_POLICY = (
    POLICY
    + """\
      - {id: web, protocol: https, servers: [plc-1]}
      - {id: database, protocol: tcp, ports: [1433/tcp, 5000-5010/tcp]}
      - {id: clock, protocol: udp, ports: [123/udp]}
  - id: dial-in
    from: supervision
    to: office
    initiator: office
    flows: [{id: shell, protocol: ssh, clients: [eng-1], servers: [pc-1]}]
"""
)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (flow(HMI, PLC_1, 443, "https"), "allowed"),
        (flow(HMI, PLC_1, 443, "tls"), "allowed"),
        (flow(HMI, PLC_1, 80, "http"), "violation"),
        (flow(HMI, PLC_3, 443, "https"), "violation"),
        (flow(HMI, PLC_3, 1433, "mssql"), "allowed"),
        (flow(HMI, PLC_3, 5005), "allowed"),
        (flow(HMI, PLC_3, 5011), "violation"),
        (flow(HMI, PLC_3, 123, "ntp", transport="udp", state="two_way"), "allowed"),
        (flow(HMI, PLC_3, 123, "ntp"), "violation"),
        (flow(OFFICE_PC, ENGINEERING, 22, "ssh"), "allowed"),  # opened by the conduit's server
        (flow(ENGINEERING, OFFICE_PC, 22, "ssh"), "violation"),
        (flow(HMI, ENGINEERING, 445, "smb"), "allowed"),
    ],
)
def test_connections(row: Row, verdict: str) -> None:
    judged = verdicts(flows=(row,), by=IT_POLICY).rows
    assert [item.decision.verdict for item in judged] == [verdict], judged


@pytest.mark.parametrize(
    ("as_of", "verdict"), [(day(2027, 3, 1), "allowed"), (day(2027, 3, 2), "violation"), (day(2020, 1, 1), "allowed")]
)
def test_the_last_day_is_included(as_of: int, verdict: str) -> None:
    judged = verdicts(WRITE, as_of=as_of).rows[0].decision
    assert judged.verdict == verdict
    assert verdict == "allowed" or judged.reason == (
        "flow setpoints of conduit scada-to-filtration ended on 2027-03-01"
    )


@pytest.mark.parametrize(
    ("within", "verdict", "reported"),
    [("allow", "allowed", False), ("report", "allowed", True), ("deny", "violation", False)],
)
def test_traffic_inside_a_zone_follows_the_default(within: str, verdict: str, reported: bool) -> None:
    text = POLICY.replace("zones:\n", f"defaults: {{within_zone: {within}}}\nzones:\n", 1)
    judged = verdicts(talk(HMI, LAPTOP), by=text).rows[0].decision
    assert (judged.verdict, judged.reported) == (verdict, reported)


def test_flows_that_nothing_used_are_told() -> None:
    assert verdicts(POLL).unused == (("scada-to-filtration", "setpoints"),)


@pytest.mark.parametrize(
    ("as_of", "named"), [(day(2026, 2, 28), True), (day(2026, 3, 1), False), (day(2026, 6, 1), False)]
)
def test_an_approval_of_a_later_day_is_named(as_of: int, named: bool) -> None:
    limits = verdicts(WRITE, as_of=as_of).limits
    assert [line for line in limits if "approved.on is 2026-03-01: not judged" in line] == list(limits)[:named]
    assert bool(limits) == named


def test_values_are_judged_bucket_by_bucket() -> None:
    good, bad = write(HMI, PLC_1, 100, [5], events=9, bucket=1), write(HMI, PLC_1, 100, [5, 1500], bucket=2)
    judged = verdicts(good | {"object_count": 1}, bad | {"object_count": 1}).rows
    assert [(row.decision.verdict, row.seen.events) for row in judged] == [("allowed", 9), ("violation", 1)]


def test_whole_events_tell_what_coalesced_aggregates_hide() -> None:
    coalesced = write(HMI, PLC_1, 0, [5], coalesced=True) | {"object_count": 2000}
    assessment = assess([coalesced], events=[write_event(HMI, PLC_1, 7, [5], [4])])
    assert sorted(row.decision.verdict for row in assessment.verdicts) == ["cannot_conclude", "violation"]


def test_many_aggregates_are_judged_in_a_second() -> None:
    count = 50_000
    base: dict[str, Any] = dict(POLL)
    table = rows(schemas.AGGREGATES, [base]).take(pa.array([0] * count))
    columns: dict[str, list[Any]] = {
        "object_start": [100 + index % 5000 for index in range(count)],
        "bucket": [index // 5000 for index in range(count)],
        "operation": ["write" if index % 50 == 0 else "read" for index in range(count)],
        "value_min": [float(index % 2000) for index in range(count)],
        "value_max": [float(index % 2000) for index in range(count)],
    }
    for name, values in columns.items():
        field = table.schema.field(name)
        kind = field.type.value_type if isinstance(field.type, pa.DictionaryType) else field.type
        table = table.set_column(table.schema.get_field_index(name), field, pa.array(values, kind).cast(field.type))
    known = inventory([POLL])
    started = time.process_time()
    judged = judge(policy(), known, table, schemas.EVENTS.empty_table(), day(2026, 6, 1))
    spent = time.process_time() - started
    assert sum(row.seen.events for row in judged.rows) == count * 100
    assert spent < 3, spent  # about 0.5 s on an idle core
