"""Objects and properties of every BACnet/IP PDU of the public captures, against an independent dissector's.

`oracles/bacnet_objects.csv` has, of each capture, how many PDUs of an APDU type and service have a first object of
this type and this many property identifiers: `theirs` by tshark 4.0.17 (`bacapp.objectType`,
`bacapp.property_identifier`), `ours` the same but for the rows with a reason.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.oracles.compare import CAPTURES, INDEX, ROOT, pdus

LISTED: Final = Path(__file__).parent / "oracles" / "bacnet_objects.csv"
REASONS: Final = {
    # An object's property named inside a value (log-device-object-property) is words of that value here.
    "reference_in_value",
    # Their heuristics take BACnet/IP datagrams on port 47808 for RPC (see differences.csv).
    "other_dissector",
}
SERVICES: Final = frozenset({12, 14, 15, 16, 26, 28})
Row = tuple[int, int, str, int]

if not (CAPTURES / "oracle").is_dir():
    pytest.skip(f"the public captures are not here; {INDEX.name} names them", allow_module_level=True)


def _lines() -> list[dict[str, str]]:
    with LISTED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _object_types() -> dict[int, str]:
    tables = tomllib.loads((ROOT / "dissectors" / "tables" / "bacnet.toml").read_text(encoding="utf-8"))
    return {int(code): entry["name"] for code, entry in tables["object_types"].items()}


def _rows(path: Path) -> Iterator[Row]:
    for pdu in pdus(path):
        is_property_service = pdu["message_type"] in (0, 3) and pdu["function"] in SERVICES
        if pdu["protocol"] == "bacnet" and pdu["link_code"] is not None and is_property_service and pdu["objects"]:
            yield (pdu["message_type"], pdu["function"], pdu["object_kind"], pdu["objects"])


@pytest.mark.parametrize("capture", sorted({line["capture"] for line in _lines()}))
def test_objects_and_properties_equal_the_oracle_but_for_the_listed_differences(capture: str) -> None:
    types = _object_types()
    expected: Counter[Row] = Counter()
    for line in _lines():
        if line["capture"] == capture:
            kind = types.get(int(line["object_type"]), "object")
            row = (int(line["apdu_type"]), int(line["service"]), kind, int(line["properties"]))
            expected[row] += int(line["ours"])
    assert Counter(_rows(CAPTURES / capture)) == +expected


def test_every_difference_has_a_reason() -> None:
    for line in _lines():
        assert (line["ours"] == line["theirs"]) == (line["reason"] == "")
        assert line["reason"] in {"", *REASONS}
