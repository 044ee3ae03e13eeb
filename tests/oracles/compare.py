"""PDUs per (source, destination, function code), ours beside an independent dissector's, on public captures.

A row is (protocol, source, destination, …). The oracle's rows are in `oracle/*.json` of the captures' folder; what
differs is listed in `differences.csv` with a frame that proves it and one of the reasons explained in
`docs/decoding.md`.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

ROOT: Final = Path(__file__).resolve().parents[2]
CAPTURES: Final = Path(os.environ.get("ZONEWATCH_CAPTURES", ROOT.parent / "shared" / "pcaps"))
DIFFERENCES: Final = Path(__file__).with_name("differences.csv")
INDEX: Final = Path(__file__).with_name("captures.csv")
FACTS: Final = ("modbus", "dnp3.link", "dnp3.app", "bacnet", "s7comm", "opcua")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One row that is counted otherwise."""

    capture: str
    row: str
    ours: int
    theirs: int


def oracles() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every capture with its oracle, sorted by name."""
    for path in sorted((CAPTURES / "oracle").glob("*.json")):
        oracle = json.loads(path.read_text(encoding="utf-8"))
        yield oracle["file"], oracle


def theirs(oracle: dict[str, Any]) -> Counter[Row]:
    """The oracle's rows of the protocols that are decoded here."""
    rows: Counter[Row] = Counter()
    for fact in FACTS:
        for *row, count in oracle["facts"].get(fact, {"rows": []})["rows"]:
            if fact == "dnp3.link" and row[5] in _WITH_USER_DATA and row[4] == "pri":
                continue  # their payload is counted as an application fragment
            rows[(fact, *row)] += count
    return rows


_WITH_USER_DATA: Final = (3, 4)


def pdus(path: Path) -> list[dict[str, Any]]:
    """All PDUs of a capture, as rows."""
    decoder = Decoder([Source("x", (CaptureFile(path.name, path),))], detail="pdus", hash_inputs=False)
    found: list[dict[str, Any]] = []
    going = True
    while going:
        going = decoder.advance()
        found += decoder.take("pdus").to_pylist()
    return found


def ours(found: list[dict[str, Any]]) -> Counter[Row]:
    """Our PDUs, counted as the oracle counts."""
    rows = (_KEYS[row["protocol"]](row) for row in found)
    return Counter(row for row in rows if row is not None)


def _modbus(row: dict[str, Any]) -> Row:
    request = row["kind"] in ("request", "unconfirmed")
    unit = row["destination_unit"] if request else row["source_unit"]
    ends = (row["source_address"], row["destination_address"])
    exception = row["status_code"] if row["kind"] == "error" else None
    return ("modbus", *ends, "req" if request else "rsp", _number(unit), row["function"], exception)


def _dnp3(row: dict[str, Any]) -> Row:
    units = (_number(row["source_unit"]), _number(row["destination_unit"]))
    ends = (row["source_address"], row["destination_address"], *units)
    if row["kind"] == "link":
        return ("dnp3.link", *ends, "pri" if row["link_code"] & 0x40 else "sec", row["function"])
    return ("dnp3.app", *ends, row["function"])


def _bacnet(row: dict[str, Any]) -> Row:
    known = _ENDS_TOLD.get(row["transport"], ())
    ends = (row[end] if end in known else "?" for end in ("source_address", "destination_address"))
    function = row["function"] if row["message_type"] is not None else None
    return ("bacnet", *ends, row["link_code"], row["message_type"], function)


_ENDS_TOLD: Final = {"udp": ("source_address", "destination_address"), "ethernet": ("source_address",)}
"""Which ends of a link the oracle names."""


def _s7comm(row: dict[str, Any]) -> Row | None:
    """None for what the oracle's rows leave out: the transport connection, and S7comm-plus."""
    rosctr, function = row["message_type"], row["function"]
    plus = rosctr not in _ROSCTR or (function or 0) in _PLUS_FUNCTIONS
    if row["link_code"] != _COTP_DATA or plus:
        return None
    ends = ("s7comm", row["source_address"], row["destination_address"], rosctr)
    if rosctr != _USERDATA or function is None:
        return (*ends, function, None, None)
    group, subfunction = function >> 8 & 0x0F, function & 0xFF
    # The oracle has no subfunction of a mode transition, where it is the mode.
    return (*ends, None, group, subfunction if group else None)


PLUS: Final = {
    "zeek__zeek/testing/btest/Traces/modbus/modbusBig.pcap": 1101,
    "ITI__ICS-Security-Tools/pcaps/s7/S7-1200-Uploading-OB1-TIAV12.pcap": 86,
    "ITI__ICS-Security-Tools/pcaps/s7/S7-1511-opc-request-all-types.pcap": 18,
    "ITI__ICS-Security-Tools/pcaps/s7/V13_1200_TP1200sim_MW100_Int_SPS_5s_MW102_Int_SPS_10s_MW102_ab_1000_Timer_sync_"
    "FehlerbeiMW100.pcapng": 66,
    "ntop__nDPI/tests/cfgs/default/pcap/s7comm-plus.pcap": 24,
}
"""Messages of S7comm-plus, which has no oracle: units of COTP data that start with 0x72 and end with its trailer."""


def s7comm_plus(found: list[dict[str, Any]]) -> int:
    """Our messages of S7comm-plus."""
    return sum(row["protocol"] == "s7comm" and row["link_code"] == _COTP_DATA and _s7comm(row) is None for row in found)


_COTP_DATA: Final = 0xF0
_ROSCTR: Final = (1, 2, 3, 7)
_USERDATA: Final = 7
_PLUS_FUNCTIONS: Final = range(0x0400, 0x0600)  # a short response has the type of an Ack


def _opcua(row: dict[str, Any]) -> Row:
    return ("opcua", row["source_address"], row["destination_address"], _TYPES[row["message_type"]])


_TYPES: Final = {ord(word[0]): word for word in ("HEL", "ACK", "ERR", "RHE", "OPN", "MSG", "CLO")}

_Key = Callable[[dict[str, Any]], Row | None]
_KEYS: Final[dict[str, _Key]] = {
    "modbus": _modbus,
    "dnp3": _dnp3,
    "bacnet": _bacnet,
    "s7comm": _s7comm,
    "opcua": _opcua,
}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def key(row: dict[str, Any]) -> str:
    """The row of one PDU, as text."""
    return spell(_KEYS[row["protocol"]](row) or ())


def spell(row: Row) -> str:
    """A row as text, as it stands in the list of differences."""
    return " ".join("-" if cell is None else str(cell) for cell in row)


def differences(capture: str, oracle: dict[str, Any], found: list[dict[str, Any]]) -> list[Difference]:
    """Rows counted otherwise, sorted."""
    here, there = ours(found), theirs(oracle)
    rows = sorted({*here, *there}, key=spell)
    return [Difference(capture, spell(row), here[row], there[row]) for row in rows if here[row] != there[row]]


def listed() -> dict[tuple[str, str], dict[str, str]]:
    """The committed list, by capture and row."""
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        return {(line["capture"], line["row"]): line for line in csv.DictReader(file)}
