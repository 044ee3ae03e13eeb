"""`weird`: messages that Zeek's parsers found odd. Those of control protocols become oddities, as does what concerns
headers and overlapping octets; the rest (there is much of it, mostly about lost packets) is counted."""

from __future__ import annotations

import re
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.dissectors.zeek.flows import service_of, usual
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import ENDS, Found, Kind, Lines, ends

LAYER: Final = "zeek"
_OF_PROTOCOLS: Final = (
    (r"checksum|crc", "bad_checksum"),
    (r"out_of_bound|truncated|too_short|insufficient", "truncated"),
    (r"length|size|too_(long|large|many)", "bad_length"),
    (r"unmatched|unexpected_response|mismatch", "mismatch"),
    (r"sequence|out_of_order", "bad_sequence"),
    (r"depth|recursion|nested", "too_deep"),
    (r"unknown|invalid|bad|illegal|unexpected|incorrect", "invalid_value"),
    (r"", "not_the_protocol"),
)
"""What the name of an oddity in a control protocol has in it, the first that fits."""
_OF_PACKETS: Final = (
    (r"inconsistency", "conflicting_overlap"),
    (r"truncated|bad_\w+_checksum|bad_header|header_len|internally_truncated", "bad_header"),
    (r"fragment_size|fragment_with_df|excessively_(small|large)_fragment", "incomplete_fragments"),
)
"""The same below the protocols; what fits none is counted."""


def _weird(lines: Lines) -> Found:
    rows, known = lines.rows, ends(lines)
    name = pc.fill_null(rows.words("name"), "")
    port = pc.binary_join_element_wise("tcp/", known["server_port"].cast(pa.utf8()), "")
    words = pc.binary_join_element_wise(pc.fill_null(rows.text("source"), ""), name, port, "\x1f")
    table = pa.table(
        {
            "frame": rows.line,
            "time": lines.time,
            "protocol": mapped(words, _protocol, pa.utf8()),
            "source_address": known["client"],
            "destination_address": known["server"],
            "layer": pa.repeat(pa.scalar(LAYER), len(lines)),
            "code": mapped(words, _code, pa.utf8()),
            "expected": pc.utf8_slice_codeunits(
                pc.binary_join_element_wise("what Zeek knows, found ", name, _addition(rows), ""), 0, 200
            ),
        }
    )
    return Found(odd=table)


def _addition(rows: Any) -> Any:
    said = rows.words("addl")
    return pc.if_else(pc.is_null(said), "", pc.binary_join_element_wise(" (", pc.fill_null(said, ""), ")", ""))


def _protocol(words: str) -> str:
    """By the parser that says so, by the name, else by the server's port."""
    source, name, port = words.split("\x1f")[:3]
    begins = name.partition("_")[0]
    for word in (source, begins, usual(port) if name.startswith("binpac") else ""):
        found = service_of(word.lower())
        if found in PROTOCOLS:
            return found
    return ""


def _code(words: str) -> str | None:
    name = words.split("\x1f")[1].lower()
    told = _OF_PROTOCOLS if _protocol(words) else _OF_PACKETS
    return next((code for pattern, code in told if re.search(pattern, name)), None)


KINDS: Final = (Kind("weird", (*ENDS, "name", "addl", "source"), _weird, needs=(("ts",), ("name",))),)
