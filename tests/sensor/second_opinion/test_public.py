"""The reasons that frames tell by themselves, beside those found by hand in public captures.

`tests/oracles/differences.csv` says why counts of these captures differ; every difference that the product finds there
has a reason of its own, and one of those that the list has for the capture.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from typing import Final

import pytest

from tests.oracles.compare import CAPTURES, DIFFERENCES, INDEX
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.second_opinion import REASONS
from zonewatch.sensor.second_opinion.run import second_opinion

SAME: Final = {
    # Told of a frame: a message that the listed reason makes break its protocol here, an oddity.
    "link_without_user_data": {"malformed"},
    "retransmission_dissected": {"malformed", "reordered_capture"},
    "damaged_sequence_numbers": {"reordered_capture", "lost_segment"},
    # Rows of the list are told apart by link addresses, which the product counts each for itself.
    "several_in_frame": {"reordered_capture", "retransmission_dissected"},
}
"""What a frame may say where the list has another word for it."""


def listed() -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            found[line["capture"]].add(line["reason"])
    return dict(found)


def test_every_listed_reason_is_one_of_the_product() -> None:
    reasons = {reason for found in listed().values() for reason in found}
    assert reasons <= REASONS.keys()
    assert SAME.keys() <= reasons


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.skipif(
    not (CAPTURES / "oracle").is_dir(), reason=f"the public captures are not here; {INDEX.name} names them"
)
@pytest.mark.parametrize("capture", sorted(listed()))
def test_the_frames_tell_the_reasons_that_were_found_by_hand(capture: str) -> None:
    opinion = second_opinion([Source("point", (CaptureFile(capture, CAPTURES / capture),))])
    if not opinion.version.startswith("4.0."):
        pytest.skip(f"the list was made with tshark 4.0, this is {opinion.version}")
    assert opinion.captures[0].problem == ""
    assert opinion.differences
    assert opinion.unexplained == ()
    allowed = set().union(*({reason, *SAME.get(reason, ())} for reason in listed()[capture]))
    assert {row.reason for row in opinion.differences} <= allowed
    assert all(row.only_ours or row.only_theirs for row in opinion.differences)
