"""Values as each language says them; English as the terminal and the tables do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.model import Activity, Evidence
from zonewatch.reports import words
from zonewatch.reports.speech import english, speech

EVIDENCE = st.builds(
    Evidence, st.just("tap"), st.sampled_from(["a.pcap", "b.pcap", "zeek:conn.log"]), st.integers(1, 9)
)


@given(st.integers(0, 2**60), st.lists(st.text(max_size=9), max_size=6), st.lists(EVIDENCE), st.integers(0, 4))
def test_english_is_what_the_terminal_says(value: int, items: list[str], rows: list[Evidence], limit: int) -> None:
    said = english()
    assert said.size(value) == words.size(value)
    assert said.number(value) == words.number(value)
    assert said.short_number(value) == words.short_number(value)
    assert said.duration(value) == words.duration(value)
    assert said.listed(items, limit) == words.listed(items, limit)
    assert said.frames(rows, limit) == words.frames(rows, limit)
    assert said.tally("modbus", [("read", value)]) == words.tally("modbus", [("read", value)])
    assert said.port("tcp", value % 65536) == words.port("tcp", value % 65536)


@given(st.integers(0, 4_102_444_800 * 10**9), st.integers(0, 4_102_444_800 * 10**9))
def test_english_times_are_those_of_the_terminal(first: int, last: int) -> None:
    assert english().period(first, last) == words.period(first, last)
    assert english().clock(first) == words.clock(first)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (speech("de").size(1_500), "1,5 kB"),
        (speech("de").size(1), "1 Byte"),
        (speech("de").short_number(12_345), "12,3k"),
        (speech("de").fixed(1234.56), "1.234,6"),
        (speech("de").general(3.5), "3,5"),
        (speech("de").listed(["a", "b", "c", "d"], 3), "a, b und 2 weitere"),
        (speech("de").frames([Evidence("tap", "a.pcap", 3), Evidence("tap", "a.pcap", 4)]), "a.pcap Frames 3, 4"),
        (speech("de").frames([Evidence("tap", "zeek:conn.log", 3)]), "zeek:conn.log Zeile 3"),
        (speech("de").counted(1, "packet"), "1 Paket"),
        (speech("de").port("udp", None), "sonstige Ports"),
        (speech("de").quoted("the policy allows it"), "die Richtlinie erlaubt es"),
        (speech("de").quoted("a rule of one's own"), "a rule of one's own"),
    ],
)
def test_german_values(told: str, wanted: str) -> None:
    assert told == wanted


def test_how_an_activity_ended() -> None:
    for status in ("ok", "error", "no_response", "one_way", "cut"):
        for code in ("", "STATUS_LOGON_FAILURE"):
            row = Activity(
                *("a", "b", "smb", "tcp", 445, "login", "authenticate", status, code, (), False, 1, 1, 1),
                evidence=Evidence("tap", "a", 1),
            )
            assert english().outcome(row) == words.outcome(row)
