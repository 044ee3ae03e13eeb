"""Rules as searches of Zeek's logs with the ICSNPP parsers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaTransformationError

pytest.importorskip("sigma.backends.elasticsearch")
from sigma.backends.elasticsearch import LuceneBackend

from zonewatch.rules.siem.document import bundled
from zonewatch.rules.siem.pipeline import zonewatch_icsnpp

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "pcaps"
RULE = """\
title: one
status: test
logsource: {{product: zonewatch, category: {category}}}
detection:
{detection}
"""


def converted(detection: str, category: str = "ot_operation") -> str:
    lines = "\n".join(f"  {line}" for line in detection.splitlines())
    rule = SigmaCollection.from_yaml(RULE.format(category=category, detection=lines))
    return str(LuceneBackend(processing_pipeline=zonewatch_icsnpp()).convert(rule)[0])


SELECTION = "a: {ot.protocol: modbus, modbus.function_code: 5}\n"


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("b: {policy.approved: true}\ncondition: a and not b", ""),
        ("b: {policy.approved: true, modbus.unit_id: 3}\ncondition: a and not b", ""),
        ("b: [{ot.status: error}, {modbus.unit_id: 3}]\ncondition: a and not b", "NOT zeek.modbus_detailed.unit_id:3"),
        ("b: {ot.status: error}\nc: {modbus.unit_id: 3}\ncondition: a and not (b or c)", "NOT zeek.modbus_detailed"),
        ("b: {dnp3.function_code: 5}\ncondition: a and not b", ""),
    ],
)
def test_a_filter_by_what_zeek_does_not_know_is_dropped_whole_and_no_more(condition: str, kept: str) -> None:
    query = converted(SELECTION + condition)
    assert "zeek.modbus_detailed.func:WRITE_SINGLE_COIL" in query
    assert (kept in query) if kept else ("NOT" not in query)


@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        ("a: {ot.protocol: modbus, conduit.verdict: violation}\ncondition: a", "needs conduit.verdict"),
        (SELECTION + "b: {source.asset.role: historian}\ncondition: a and b", "needs source.asset.role"),
        (SELECTION + "b: {source.asset.role: rtu}\ncondition: a and not (not b)", "needs source.asset.role"),
        ("a: {ot.protocol: dnp3, modbus.unit_id: 3}\ncondition: a", "do not tell"),
        ("a: {modbus.function_code: 90, ot.operation: mode}\ncondition: a", "to tell the operation"),
        ("a: {s7comm.function: mode_transition_stop}\ncondition: a", "needs s7comm.function mode_transition_stop"),
    ],
)
def test_a_rule_that_needs_more_than_the_logs_hold_is_refused(detection: str, reason: str) -> None:
    with pytest.raises(SigmaTransformationError, match=reason):
        converted(detection)


def test_rules_on_other_records_are_refused() -> None:
    with pytest.raises(SigmaTransformationError, match="only rules on ot_operation"):
        converted("a: {network.protocol: ssh}\ncondition: a", "network_session")


def test_an_operation_is_looked_for_in_the_logs_of_every_protocol() -> None:
    query = converted("a: {ot.operation: stop}\ncondition: a")
    assert "event.dataset:dnp3" in query
    assert "zeek.dnp3.fc_request:STOP_APPL" in query
    assert "zeek.s7comm.function_code:0x29" in query
    assert "modbus" not in query, "no function of Modbus stops a device"


@pytest.mark.parametrize(
    ("name", "log", "least"),
    [
        ("modbus.file_record", "modbus_detailed", 2),
        ("modbus.fifo_read", "modbus_detailed", 1),
        ("modbus.report_server_id", "modbus_detailed", 1),
        ("modbus.read_device_identification", "modbus_detailed", 1),
        ("bacnet.file_read", "bacnet", 1),
        ("bacnet.virtual_terminal", "bacnet", 1),
        ("bacnet.identity_assigned", "bacnet", 1),
        ("s7comm.plc_stop", "s7comm", 1),
        ("s7comm.memory_stored", "s7comm", 2),
        ("s7comm.clock_set", "s7comm", 1),
        ("s7comm.block_upload", "s7comm", 3),
        ("opcua.anonymous_session", "opcua_binary_activate_session", 1),
        ("opcua.deprecated_policy", "opcua_binary", 1),
    ],
)
def test_the_words_of_a_search_are_those_of_real_logs(name: str, log: str, least: int) -> None:
    """Values that a search asks for stand in the logs that ICSNPP's own tests expect."""
    logs = [path for path in TRUTH.glob(f"cisagov__icsnpp-*/*/traces/*.truth/*/{log}.log") if path.is_file()]
    if not logs:
        pytest.skip("no logs of ICSNPP")
    found = {cell for path in logs for line in path.read_text().splitlines() for cell in line.split("\t")}
    query = next(one.query for one in bundled("lucene", "zonewatch_icsnpp") if one.name == name)
    asked = {word.replace("\\", "").strip('"') for word in re.findall(r'"[^"]+"|[^\s():"]+', query)} - {
        "bacnet",
        "s7comm",
    }
    assert len({word for word in asked if word in found and not word.startswith("zeek.")}) >= least, asked
    if log == "s7comm":
        assert asked & {"0x29", "_MODU", "_GARB", "0x02", "0x1d", "0x1e", "0x1f"} <= found
