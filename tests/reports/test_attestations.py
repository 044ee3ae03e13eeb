"""Attestations: read, and every fault told with its place."""

from __future__ import annotations

import pytest

from zonewatch.reports.attestations import Attestation, attestation_of, parse_attestations
from zonewatch.rules.policy.load import PolicyErrors

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
WHOLE = f"{{requirement: SR 1.3, by: N. N., on: 2026-03-01, document: D-4, sha256: {HASH}}}"


def test_they_are_read_in_their_order() -> None:
    text = f"attested:\n  - {WHOLE}\n  - {WHOLE.replace('SR 1.3', 'SR 1.7, zone: cell')}\n"
    first, second = parse_attestations(text, "a.yaml", ("cell",))
    assert first == Attestation("SR 1.3", "", "", "N. N.", "2026-03-01", "D-4", HASH)
    assert (second.requirement, second.zone) == ("SR 1.7", "cell")


FAULTS = [
    ("", "a.yaml:1:1: holds no attestations: it needs attested: [...]"),
    ("attested: [", "a.yaml:1:12: expected the node content, but found '<stream end>'"),
    ("attestd: []", "a.yaml:1:1: unknown key 'attestd'; did you mean 'attested'?"),
    ("attested: x", "a.yaml:1:11: attested must be a list"),
    (WHOLE.replace("SR 1.3", "SR 1.33"), "a.yaml:2:19: unknown requirement 'SR 1.33'; did you mean 'SR 1.3'?"),
    (WHOLE.replace("SR 1.3", "'4.2'"), "a.yaml:2:19: 4.2 needs a framework: iec62443-3-3, nis2-annex"),
    (WHOLE.replace("SR 1.3", "SR 1.3, framework: nis2"), "a.yaml:2:38: SR 1.3 is one of iec62443-3-3, not of 'nis2'"),
    (WHOLE.replace("SR 1.3", "SR 1.3, zone: cel"), "a.yaml:2:33: unknown zone 'cel'; did you mean 'cell'?"),
    (WHOLE.replace(HASH, "9F86"), "a.yaml:2:77: sha256 must be 64 digits 0-9 and a-f"),
    (WHOLE.replace("by: N. N., ", ""), "a.yaml:2:5: key 'by' is missing"),
    (WHOLE.replace("document: D-4", "documnt: D-4"), "a.yaml:2:54: unknown key 'documnt'; did you mean 'document'?"),
    (WHOLE.replace("2026-03-01", "soon"), "a.yaml:2:42: on 'soon' must be a valid date"),
    (f"{WHOLE}\n  - {WHOLE}", "a.yaml:3:19: SR 1.3 is attested twice for the same zone"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_are_told_with_their_place(text: str, message: str) -> None:
    given = f"attested:\n  - {text}\n" if text.startswith("{") else text
    with pytest.raises(PolicyErrors) as told:
        parse_attestations(given, "a.yaml", ("cell",))
    assert any(str(error).startswith(message) for error in told.value.errors), [*map(str, told.value.errors)]


def test_the_one_of_the_zone_comes_first() -> None:
    every = Attestation("SR 1.3", "", "", "A", "2026-03-01", "D-1", HASH)
    own = Attestation("SR 1.3", "", "cell", "B", "2026-03-01", "D-2", HASH)
    assert attestation_of((every, own), "iec62443-3-3", "SR 1.3", "cell") is own
    assert attestation_of((every, own), "iec62443-3-3", "SR 1.3", "office") is every
    assert attestation_of((own,), "iec62443-3-3", "SR 1.3", "office") is None
