"""Service, packets and octets per flow, against nDPI's expected outputs (see tests/services/ndpi.py)."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.oracles.compare import CAPTURES, ROOT
from tests.services.ndpi import (
    DIFFERENCES,
    FOLDER,
    GUESS,
    VOCABULARY_OF,
    Key,
    Told,
    captures,
    differences,
    figures,
    listed,
    read,
    theirs,
    word,
)

PAGE = (
    (ROOT / "docs" / "services.md")
    .read_text(encoding="utf-8")
    .partition("## Service per flow")[2]
    .partition("\n## ")[0]
)
here = pytest.mark.skipif(not (CAPTURES / FOLDER).is_dir(), reason="the public captures are not here")

LINES = """\
Unknown	9	1819	1

	1	TCP [2001:db8::1]:993 <-> [2001:db8:0:0:0:0:0:2]:35610 [VLAN: 7][proto: 51/IMAPS][IP: 0/Unknown]\
[Encrypted][Confidence: DPI][FPC: 51/IMAPS, Confidence: DPI][1 pkts/152 bytes <-> 2 pkts/106 bytes][Goodput]
	2	UDP 10.0.0.9:7 -> 10.0.0.10:443 [proto: GTP:91.126/TLS.Google][IP: 126/Google][Confidence: Match by port]\
[FPC: 0/Unknown, Confidence: Unknown][DPI packets: 6][3 pkts/30 bytes -> 0 pkts/0 bytes][< 1 sec]
	3	not a flow
"""


def test_a_line_is_a_flow(tmp_path: Path) -> None:
    output = tmp_path / "some.out"
    output.write_text(LINES, encoding="utf-8")
    assert list(read(output)) == [
        (Key("tcp", ("[2001:db8::1]:993", "[2001:db8::2]:35610")), Told("imaps", (1, 2), (152, 106))),
        (Key("udp", ("10.0.0.10:443", "10.0.0.9:7")), Told("tls?", (0, 3), (0, 30))),
    ]


@pytest.mark.parametrize(
    ("words", "is_guess", "expected"),
    [
        ("TLS.Google", False, "tls"),
        ("TLS.RDP", False, "rdp"),
        ("NetBIOS.SMBv1", False, "smb"),
        ("Unknown", False, "none"),
        ("Kerberos", True, "kerberos?"),
        ("TLS", True, "https?"),
    ],
)
def test_their_words_are_ours(words: str, is_guess: bool, expected: str) -> None:
    assert word("tcp", words, is_guess=is_guess) == expected


@here
def test_every_word_is_needed() -> None:
    seen = {told.service.rstrip(GUESS) for capture in captures() for told in theirs(capture).values()}
    assert {name.rstrip(GUESS) for name in VOCABULARY_OF.values()} == seen


@here
@pytest.mark.parametrize("capture", captures())
def test_flows_equal_the_other_but_for_the_listed_differences(capture: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    assert sorted(differences(capture)) == sorted(listed().get(capture, {}))


def test_every_reason_is_explained_and_counted() -> None:
    reasons = Counter(reason for found in listed().values() for reason in found.values())
    explained = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)
    assert {name: int(count) for name, count in explained} == reasons
    assert sum(map(len, listed().values())) == len(DIFFERENCES.read_text(encoding="utf-8").splitlines()) - 1


@here
def test_the_page_has_the_figures() -> None:
    lines = [f"| {what} | {compared} | {equal} |" for what, (compared, equal) in figures().items()]
    assert [line for line in lines if line not in PAGE.splitlines()] == []
