"""Numbers in the public captures, beside those that tshark 4.0.17 shows.

`oracles/values.csv` has, of each capture and fact, how many numbers tshark shows and their sum; and ours, where a
reason says why they differ. A fact is what one field holds in all messages of a kind (`FACTS` says which of tshark's).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.oracles.compare import CAPTURES, INDEX, pdus
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

LISTED: Final = Path(__file__).parent / "oracles" / "values.csv"
FACTS: Final = {
    "modbus start": "modbus.reference_num of requests",
    "modbus quantity": "modbus.word_cnt, modbus.bit_cnt of requests",
    "modbus value read": "modbus.regval_uint16, modbus.bitval of answers, the first 256 of each",
    "modbus register written": "modbus.regval_uint16 of requests of function 16",
    "modbus exception": "modbus.exception_code",
    "dnp3 indications": "dnp3.al.iin",
    "s7comm start": "s7comm.param.item.address.byte, .number of read and write requests",
    "s7comm data block": "s7comm.param.item.db of the same, where it is not 0",
    "s7comm return code": "s7comm.data.returncode of answers to read and write",
    "s7comm status list": "s7comm.data.userdata.szl_id of requests",
    "bacnet present value": "bacapp.present_value.real, .uint, .enum_index of Complex-ACKs",
    "bacnet vendor": "bacapp.vendor_identifier of I-Am",
    "bacnet name length": "characters of bacapp.object_name of Complex-ACKs",
    "bacnet error": "bacapp.error_code, bacapp.reject_reason and bacapp.abort_reason of Error, Reject and Abort",
}
REASONS: Final = {
    # As in differences.csv.
    "damaged_sequence_numbers",
    "icmp_quote",
    "other_dissector",
    "reordered_capture",
    "retransmission_dissected",
    "transport_wrap",
    # Their dissection does not show the field: IIN of Authenticate Response (131), the parts of one data block
    # (DBREAD), the status list that a request for the next data unit goes on with.
    "unknown_to_the_oracle",
}
SUCCESS: Final = 0xFF  # return code of an S7 item
MODBUS_RANGES: Final = (1, 2, 3, 4, 15, 16)
Numbers = dict[str, list[float]]

if not (CAPTURES / "oracle").is_dir():
    pytest.skip(f"the public captures are not here; {INDEX.name} names them", allow_module_level=True)


def _lines() -> list[dict[str, str]]:
    with LISTED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _events(path: Path) -> Iterator[dict[str, Any]]:
    decoder = Decoder([Source("x", (CaptureFile(path.name, path),))], detail="events", hash_inputs=False)
    going = True
    while going:
        going = decoder.advance()
        yield from decoder.take("events").to_pylist()


def _modbus(event: dict[str, Any], facts: Numbers) -> None:
    function, objects = event["function"], event["objects"]
    if event["request_frames"] and objects:
        asked = objects[0]
        if function in (*MODBUS_RANGES, 5, 6):
            facts["modbus start"].append(asked["start"])
        if function in MODBUS_RANGES:
            facts["modbus quantity"].append(asked["count"])
        if function == 16:
            facts["modbus register written"] += asked["values"]
    if event["status"] == "error" or (not event["request_frames"] and event["kind"] == "error"):
        facts["modbus exception"].append(event["status_code"])
    elif event["response_frames"] and function in (1, 2, 3, 4):
        facts["modbus value read"] += [value for part in objects for value in part["values"]]


def _s7comm(event: dict[str, Any], facts: Numbers) -> None:
    for part in event["objects"]:
        if event["function"] in (4, 5):
            if event["request_frames"]:
                facts["s7comm start"].append(part["start"])
                facts["s7comm data block"] += [part["property"]] if part["property"] else []
            if event["response_frames"]:
                facts["s7comm return code"].append(SUCCESS if part["status"] is None else part["status"])
        elif part["kind"] == "system-status-list" and event["request_frames"]:
            facts["s7comm status list"].append(part["start"])


def _bacnet(event: dict[str, Any], facts: Numbers) -> None:
    if event["response_frames"] and event["status_code"] is not None and event["kind"] not in ("link", "network"):
        facts["bacnet error"].append(event["status_code"])
    for part in event["objects"]:
        if event["response_frames"] and event["function"] in (12, 14):
            facts["bacnet present value"] += part["values"] if part["property_name"] == "present-value" else []
            is_name = part["property_name"] == "object-name" and part["status"] is None and part["text"]
            facts["bacnet name length"] += [len(part["text"])] if is_name else []
        if event["function_name"] == "i_am" and part["property_name"] == "vendor-identifier":
            facts["bacnet vendor"] += part["values"]


OF_PROTOCOL: Final = {"modbus": _modbus, "s7comm": _s7comm, "bacnet": _bacnet}


def numbers(path: Path) -> Numbers:
    """Ours, by fact."""
    facts: Numbers = defaultdict(list)
    protocols = set()
    for event in _events(path):
        protocols.add(event["protocol"])
        if event["protocol"] in OF_PROTOCOL:
            OF_PROTOCOL[event["protocol"]](event, facts)
    for pdu in pdus(path) if "dnp3" in protocols else ():  # events have no indications
        if pdu["indications"] is not None:
            low, high = pdu["indications"] & 0xFF, pdu["indications"] >> 8  # tshark shows IIN1 as the high octet
            facts["dnp3 indications"].append(low << 8 | high)
    return facts


def totals(facts: Numbers) -> dict[str, tuple[int, float]]:
    """How many, and their sum, rounded."""
    return {fact: (len(found), round(float(sum(found)), 1)) for fact, found in facts.items() if found}


@pytest.mark.parametrize("capture", sorted({line["capture"] for line in _lines()}))
def test_numbers_equal_the_oracle_but_for_the_listed_differences(capture: str) -> None:
    expected = {}
    for line in _lines():
        if line["capture"] == capture:
            whose = "ours_" if line["reason"] else ""
            expected[line["fact"]] = (int(line[whose + "count"]), float(line[whose + "sum"]))
    found = totals(numbers(CAPTURES / capture))
    assert found.keys() == {fact for fact, (count, _) in expected.items() if count}
    for fact, (count, total) in found.items():
        assert count == expected[fact][0], fact
        assert total == pytest.approx(expected[fact][1], rel=1e-5), fact


def test_every_difference_has_a_reason() -> None:
    for line in _lines():
        assert line["fact"] in FACTS
        assert bool(line["ours_count"]) == bool(line["reason"])
        assert line["reason"] in {"", *REASONS}
    assert {line["fact"] for line in _lines()} == set(FACTS)
