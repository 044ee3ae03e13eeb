from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.model import Evidence
from zonewatch.reports.collect import captures, limits, oddity_counts, unread
from zonewatch.reports.result import Capture, OddityCount, Undecoded, Unknown, totals
from zonewatch.reports.words import SECOND

REST = Unknown("", None, 1, 1, 1_000)
FIELDS = ("source", "capture", "frame", "protocol", "layer", "code", "expected")


def test_captures_are_the_rows_of_the_coverage_table() -> None:
    table = rows(
        schemas.COVERAGE,
        [
            {"source": "span", "capture": "b.pcap", "status": "whole", "packets": 5, "first_time": 7, "last_time": 9},
            {"source": "span", "capture": "a.pcap", "status": "partial", "problem": "cut", "gaps": 2},
        ],
    )
    assert captures(table) == (
        Capture("span", "b.pcap", packets=5, first_time=7, last_time=9),
        Capture("span", "a.pcap", status="partial", problem="cut", gaps=2),
    )
    assert captures(rows(schemas.COVERAGE, [])) == ()


def test_totals_add_counters_and_span_times() -> None:
    one = Capture("s", "a", packets=2, gaps=1, first_time=5, last_time=9)
    other = Capture("s", "b", status="partial", packets=3, first_time=3, last_time=4)
    unknown = Capture("s", "c")
    assert totals((one, other, unknown)) == Capture(
        "", "", status="partial", packets=5, gaps=1, first_time=3, last_time=9
    )
    assert totals(()) == Capture("", "")


def test_totals_join_what_is_nested_and_keep_what_nobody_said_apart_from_none() -> None:
    one = Capture(
        "s", "a", silence=5, silence_start_time=70, reported_drops=0, unknown=(Unknown("tcp", 9, 1, 1, 10), REST)
    )
    other = Capture(
        "s",
        "b",
        silence=9,
        silence_start_time=80,
        undecoded=(Undecoded("modbus", 4, 1),),
        unknown=(Unknown("udp", 7, 1, 2, 90), Unknown("tcp", 9, 2, 2, 20), REST),
    )
    total = totals((one, other, other))
    assert (total.silence, total.silence_start_time, total.reported_drops) == (9, 80, 0)
    assert total.undecoded == (Undecoded("modbus", 8, 2),)
    assert total.unknown == (
        Unknown("udp", 7, 2, 4, 180),
        Unknown("tcp", 9, 5, 5, 50),
        Unknown("", None, 3, 3, 3_000),
    )
    assert totals((other,)).reported_drops is None


def test_oddities_are_counted_with_their_first_frames() -> None:
    given = [
        ("span", "a.pcap", 9, "modbus", "modbus", "bad_length", "6"),
        ("span", "a.pcap", 4, "modbus", "modbus", "bad_length", "6"),
        ("span", "b.pcap", 2, "modbus", "modbus", "bad_length", "6"),
        ("span", "a.pcap", 1, "", "tcp", "gap", ""),
    ]
    table = rows(schemas.ODDITIES, [dict(zip(FIELDS, row, strict=True)) for row in given])
    assert oddity_counts(table) == (
        OddityCount("", "tcp", "gap", 1, "", (Evidence("span", "a.pcap", 1),)),
        OddityCount(
            "modbus", "modbus", "bad_length", 3, "6", (Evidence("span", "a.pcap", 4), Evidence("span", "b.pcap", 2))
        ),
    )
    assert oddity_counts(rows(schemas.ODDITIES, [])) == ()


WHOLE = Capture("span", "a.pcap", packets=10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "partial", "problem": "ends in a packet"}, "a.pcap could be read only in part: ends in a packet."),
        ({"cut_packets": 1}, "1 packet had been cut short"),
        ({"undecoded_packets": 2}, "2 packets could not be decoded"),
        ({"gaps": 2, "gap_bytes": 3_000}, "2 holes in TCP streams (3.0 kB)"),
        ({"one_sided_flows": 4}, "Of 4 connections only one direction"),
        ({"incomplete_fragments": 1}, "1 fragmented packet never became whole"),
        ({"clock_jumps": 1}, "clock jumped 1 time"),
        ({"long_packets": 2}, "2 packets came longer than Ethernet carries"),
        ({"flows_evicted": 5}, "5 connections were let go"),
        ({"messages_dropped": 3}, "given up 3 times to keep memory bounded"),
        ({"units_folded": 1}, "1 time one of the further ones was seen"),
        ({"combinations_coalesced": 7}, "7 combinations"),
        ({"events_thinned": 8}, "not kept one by one: value changes among them are not listed one by one"),
        ({"oddities_dropped": 9}, "9 malformed messages"),
        ({"claims_dropped": 2}, "2 statements about devices"),
        ({"activities_coalesced": 1}, "1 activity of IT services"),
        ({"activities_dropped": 2}, "2 activities of IT services"),
        ({"addresses_dropped": 2}, "2 pairs of IP and MAC address"),
        ({"recognitions_dropped": 3}, "3 packets of unknown conversations"),
        ({"exchanges_dropped": 1}, "open at once: 1 request, told as unanswered"),
        ({"reported_drops": 12}, "reported 12 dropped packets"),
        ({"cut_packets": 1, "cut_bytes": 1_200}, "behind the cut (1.2 kB)"),
        ({"duplicates": 15}, "gave 15 packets a second time"),
        ({"repeats": 1}, "cannot be told from a replay"),
        ({"untimed_packets": 4}, "holds no time for 4 packets"),
        (
            {"silence": 720 * SECOND, "silence_start_time": 60 * SECOND},
            "Nothing was captured for 12 minutes from 1970-01-01 00:01:00 UTC",
        ),
        ({"undecoded": (Undecoded("modbus", 12),)}, "12 bytes in recognised conversations"),
        ({"undecoded": (Undecoded("dnp3", 0, 3),)}, "unknown size: 3 messages."),
        (
            {"unknown": (Unknown("tcp", 4444, 1, 9, 900), Unknown("", None, 3, 3, 300))},
            "1.2 kB of traffic were recognised neither by content nor by port (tcp 4444 900 bytes and other ports",
        ),
    ],
)
def test_each_limit_is_said_where_it_was_met(change: dict[str, object], said: str) -> None:
    assert len(limits([WHOLE])) == 1
    told = limits([replace(WHOLE, **change)])  # type: ignore[arg-type]
    assert len(told) == 2
    assert said in told[1]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("span", "a", "11"), ("span", "b", "22")], []),
        ([("span", "a", ""), ("span", "b", "")], []),
        ([("span", "a", "11"), ("span", "b", "22"), ("span", "x/a", "11")], ["a and x/a have the same content"]),
        ([("north", "a", "11"), ("south", "a", "11")], ["a at north and a at south have the same content"]),
        ([("span", "a", "11"), ("span", "b", "11"), ("span", "c", "11")], ["a, b and c have the same content"]),
    ],
    ids=["differ", "not asked for", "same", "at two points", "three"],
)
def test_the_same_content_twice_is_said(rows: list[tuple[str, str, str]], said: list[str]) -> None:
    told = limits([replace(WHOLE, source=source, name=name, sha256=sha256) for source, name, sha256 in rows])[1:]
    assert [line.split(" (SHA-256)")[0] for line in told] == said


@pytest.mark.parametrize(
    ("flows", "said"),
    [
        ([], ""),
        ([("modbus", "content", "established", 3), ("https", "port", "closed", 1), ("", "", "two_way", 1)], ""),
        ([("enip", "port", "attempted", 4), ("enip", "port", "refused", 1)], ""),
        (
            [("iec104", "content", "closed", 1), ("enip", "port", "established", 2), ("enip", "content", "reset", 3)],
            "enip (5 conversations) and iec104 (1 conversation).",
        ),
        (
            [("fins", "port", "two_way", 2), ("goose", "content", "one_way", 1)],
            "fins (2 conversations, by its port alone) and goose (1 conversation).",
        ),
    ],
    ids=["nothing", "decoded or no control protocol", "never spoken", "counted together", "by port"],
)
def test_control_protocols_that_are_not_decoded_are_named(flows: list[tuple[str, str, str, int]], said: str) -> None:
    table = rows(schemas.FLOWS, [dict(zip(("service", "basis", "state", "flows"), row, strict=True)) for row in flows])
    told = unread(table)
    assert told.startswith("Control protocols whose content was not read: " + said) if said else told == ""
