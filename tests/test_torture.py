"""Hand-made captures that a dissector stumbles over, beside what is known to be in them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import pytest

from tests.oracles.compare import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

TORTURE: Final = CAPTURES.parent / "torture"
TRUTH: Final[dict[str, dict[str, Any]]] = (
    json.loads((TORTURE / "truth.json").read_text(encoding="utf-8")) if TORTURE.is_dir() else {}
)
CASES: Final = list(TRUTH)

pytestmark = pytest.mark.skipif(not TRUTH, reason="the torture captures are not here")

Key = tuple[Any, ...]


def decode(case: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The PDUs and the oddities of a case, as rows."""
    source = Source("torture", (CaptureFile(case, TORTURE / f"{case}.pcap"),))
    decoder = Decoder([source], detail="pdus", hash_inputs=False)
    while decoder.advance():
        pass
    return decoder.take("pdus").to_pylist(), decoder.take("oddities").to_pylist()


def true_key(pdu: dict[str, Any]) -> Key:
    """A PDU of `truth.json`."""
    ends = (pdu["proto"], pdu["src"], pdu["dst"])
    if pdu["proto"] == "dnp3":
        return (*ends, pdu["func"], pdu["al_seq"])
    if pdu["proto"] == "bacnet":
        return (*ends, pdu["pdu_type"], pdu["service"], pdu["invoke_id"])
    request = pdu["dir"] == "req"
    start, count = (pdu["addr"], pdu["qty"]) if request else (None, None)
    return (*ends, request, pdu["tid"], pdu["unit"], pdu["fc"], start, count, pdu["complete"])


def our_key(row: dict[str, Any]) -> Key:
    """A decoded PDU, in the same terms."""
    ends = (row["protocol"], row["source_address"], row["destination_address"])
    if row["protocol"] == "dnp3":
        return (*ends, row["function"], row["transaction"])
    if row["protocol"] == "bacnet":
        return (*ends, row["message_type"], row["function"], row["transaction"])
    request = row["kind"] in ("request", "unconfirmed")
    unit = row["destination_unit"] if request else row["source_unit"]
    start, count = (row["object_start"], row["object_count"]) if request else (None, None)
    return (*ends, request, row["transaction"], int(unit), row["function"], start, count, row["complete"])


@pytest.mark.parametrize("case", CASES)
def test_every_pdu_and_nothing_extra(case: str) -> None:
    pdus, _ = decode(case)
    here = Counter(our_key(row) for row in pdus if row["kind"] != "link")
    there = Counter(map(true_key, TRUTH[case]["pdus"]))
    assert (list((there - here).elements()), list((here - there).elements())) == ([], []), "missing, extra"
    assert sum(row["complete"] for row in pdus if row["kind"] != "link") == TRUTH[case]["n_complete"]


@pytest.mark.parametrize("case", CASES)
def test_conflict_is_flagged_where_there_is_one(case: str) -> None:
    _, oddities = decode(case)
    flagged = "conflicting_overlap" in {row["code"] for row in oddities}
    assert flagged == TRUTH[case].get("conflict_expected", False)
