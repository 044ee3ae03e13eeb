"""What both readers tell of a message, brought to the same keys; and the reasons where they differ."""

from __future__ import annotations

import shutil
from array import array
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.sensor.second_opinion.counts import Counts
from zonewatch.sensor.second_opinion.facts import FIELDS, MAIN, Key, of_fields, of_message
from zonewatch.sensor.second_opinion.ours import Ours
from zonewatch.sensor.second_opinion.reasons import reason_of
from zonewatch.sensor.second_opinion.run import second_opinion
from zonewatch.sensor.second_opinion.theirs import CUT, ICMP, LOST, MALFORMED, PIECES, REPEATED, Theirs, top

PCAPS: Final = Path(__file__).resolve().parents[3] / "pcaps"
ENDS = ("10.0.0.1", "10.0.0.2")
EMPTY: dict[str, Any] = {
    "source_address": ENDS[0],
    "destination_address": ENDS[1],
    "kind": "request",
    "link_code": None,
    "message_type": None,
    "function": None,
    "status_code": None,
    "source_unit": None,
    "destination_unit": None,
}


def told(**cells: str) -> list[str]:
    values = {name.replace("__", "."): value for name, value in cells.items()}
    assert set(values) <= set(FIELDS)
    found = of_fields([values.get(name, "") for name in FIELDS], ENDS)
    return sorted(f"{key.protocol} {key.fact} {key.code}" for key in found)


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        (
            {"modbus__func_code": "3", "mbtcp__unit_id": "7"},
            {"protocol": "modbus", "function": 3, "destination_unit": "7"},
        ),
        (
            {"modbus__func_code": "3", "mbtcp__unit_id": "7", "modbus__exception_code": "2"},
            {"protocol": "modbus", "kind": "error", "function": 3, "source_unit": "7", "status_code": 2},
        ),
        (
            {"dnp3__ctl": "0xc4", "dnp3__al__func": "3"},
            {"protocol": "dnp3", "function": 3, "link_code": 0x44},
        ),
        (
            {"dnp3__ctl": "0xc9"},
            {"protocol": "dnp3", "kind": "link", "function": 9, "link_code": 0x49},
        ),
        (
            {"dnp3__ctl": "0x0b"},
            {"protocol": "dnp3", "kind": "link", "function": 11, "link_code": 0x0B},
        ),
        (
            {
                "bvlc__function": "0x0b",
                "bacnet__control": "0x20",
                "bacapp__type": "1",
                "bacapp__unconfirmed_service": "8",
            },
            {"protocol": "bacnet", "link_code": 11, "message_type": 1, "function": 8},
        ),
        (
            {
                "bvlc__function": "0x0a",
                "bacnet__control": "0x04",
                "bacapp__type": "0",
                "bacapp__confirmed_service": "12",
            },
            {"protocol": "bacnet", "link_code": 10, "message_type": 0, "function": 12},
        ),
        ({"bacnet__control": "0x80"}, {"protocol": "bacnet", "kind": "network", "function": 1}),
        (
            {"s7comm__header__rosctr": "1", "s7comm__param__func": "0x04"},
            {"protocol": "s7comm", "link_code": 0xF0, "message_type": 1, "function": 4},
        ),
        (
            {"s7comm__header__rosctr": "7", "s7comm__param__userdata__funcgroup": "4"},
            {"protocol": "s7comm", "link_code": 0xF0, "message_type": 7, "function": 0x4401},
        ),
        ({}, {"protocol": "s7comm", "link_code": 0xE0, "message_type": None, "function": None}),
        ({}, {"protocol": "s7comm", "link_code": 0xF0, "message_type": 49, "function": 0x04CA}),
    ],
)
def test_both_tell_the_same_of_the_same_message(cells: dict[str, str], row: dict[str, Any]) -> None:
    ours = sorted(f"{key.protocol} {key.fact} {key.code}" for key in of_message({**EMPTY, **row}))
    assert told(**cells) == ours


def test_several_messages_of_a_frame_are_counted_each() -> None:
    assert told(modbus__func_code="3,16,3", mbtcp__unit_id="1,1,2") == [
        "modbus function 16", "modbus function 3", "modbus function 3", "modbus unit 1", "modbus unit 1",
        "modbus unit 2",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["x", ",", "3;4", "", "0x", "\x00", "٣x"])
def test_what_is_no_number_is_no_fact(value: str) -> None:
    assert told(modbus__func_code=value) == []


KEY = Key("modbus", "function", *ENDS, "3")


def theirs(chain: str, mark: int = 0) -> Theirs:
    return Theirs(frames=1, marks=bytearray((0, mark)), chains=["", chain], chain_of=array("H", (0, 1)))


def ours(*keys: Key, odd: bool = False, duplicates: int = 0) -> Ours:
    counts = Counts()
    for key in keys:
        counts.add(key, [1])
    return Ours(counts=counts, odd_frames={1} if odd else set(), duplicates=duplicates)


MODBUS = "eth:ethertype:ip:tcp:mbtcp:modbus"
TCP = "eth:ethertype:ip:tcp"


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        (ours(KEY), theirs(MODBUS, ICMP), "icmp_quote"),
        (ours(KEY), theirs(MODBUS, REPEATED), "retransmission_dissected"),
        (ours(KEY), theirs(MODBUS, MALFORMED), "malformed"),
        (ours(KEY, odd=True), theirs(MODBUS), "malformed"),
        (ours(KEY), theirs(MODBUS, CUT), "cut_packet"),
        (ours(KEY, duplicates=4), theirs(MODBUS), "mirror_copy"),
        (ours(), theirs(MODBUS), "by_port"),
        (ours(KEY), theirs(MODBUS, LOST), "lost_segment"),
        (ours(KEY), theirs(MODBUS, PIECES), "fragments"),
        (ours(KEY), theirs(MODBUS), ""),
    ],
)
def test_why_tshark_alone_counts_a_frame(here: Ours, there: Theirs, reason: str) -> None:
    assert reason_of(KEY, (), (1,), here, there) == reason


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        (ours(KEY), theirs(TCP), "not_dissected"),
        (ours(KEY), theirs(f"{TCP}:data"), "not_dissected"),
        (ours(KEY), theirs(f"{TCP}:dcerpc"), "other_dissector"),
        (ours(KEY), theirs(TCP, REPEATED), "reordered_capture"),
        (ours(KEY), theirs(TCP, CUT), "cut_packet"),
        (ours(KEY), theirs("arcnet:data"), "mislabelled_link_layout"),
        (ours(KEY), theirs(MODBUS, MALFORMED), "malformed"),
        (ours(KEY), theirs(MODBUS, LOST), "lost_segment"),
        (ours(KEY), theirs(MODBUS), ""),
    ],
)
def test_why_we_alone_count_a_frame(here: Ours, there: Theirs, reason: str) -> None:
    assert reason_of(KEY, (1,), (), here, there) == reason


def test_one_frame_without_a_reason_leaves_the_row_without() -> None:
    there = Theirs(frames=2, marks=bytearray((0, REPEATED, 0)), chains=["", MODBUS], chain_of=array("H", (0, 1, 1)))
    assert reason_of(KEY, (), (1,), ours(KEY), there) == "retransmission_dissected"
    assert reason_of(KEY, (), (1, 2), ours(KEY), there) == ""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["enip", "cip", "cipcm"], "enip"),
        (["tpkt", "cotp", "ses", "pres", "mms"], "mms"),
        (["data"], ""),
        ([], ""),
        (["nbss", "smb2"], "smb2"),
    ],
)
def test_the_name_of_a_conversation_is_no_carrier(names: list[str], said: str) -> None:
    assert top(names) == said


@pytest.mark.parametrize("protocol", sorted(set(PROTOCOLS) - MAIN.keys()))
def test_protocols_that_are_not_compared_have_no_facts(protocol: str) -> None:
    assert list(of_message({**EMPTY, "protocol": protocol, "function": 3})) == []


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", ["opcua/*.pcap", "profibus/plant.pcap"])
def test_captures_of_what_is_not_compared_have_an_opinion(name: str) -> None:
    path = next(iter(sorted(PCAPS.glob(name))))
    opinion = second_opinion([Source("point", (CaptureFile(path.name, path),))])
    assert (opinion.problem, opinion.rows) == ("", 0)
