"""`evidence/`: which packets stand behind each finding, in files named by the finding's id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain
from zonewatch.reports.context import beginnings
from zonewatch.reports.words import counted, size, visible
from zonewatch.rules.findings import Finding

__all__ = ["FOLDER", "MANIFEST", "MOST_OCTETS", "Behind", "file_name", "limits", "packets_behind", "shown"]

FOLDER: Final = "evidence"
MANIFEST: Final = "manifest.json"
"""Beside the folder, in that of a result."""
MOST_PACKETS: Final = 200
"""Packets of one finding that are written."""
MOST_OCTETS: Final = 32_000_000
"""Size of all mini captures; they are held in memory. The least severe findings go without first."""
_REORDERED: Final = 1_000
"""A part of a message that comes so much later than its end is from the end of the file before."""
_LISTS: Final = {"request_frames": ("capture",), "response_frames": ("response_capture",)}
"""Lists of frames, with the column that names their capture."""
_FRAMES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "events": _LISTS,
    "aggregates": {
        "sample_frames": ("capture", "last_capture"),
        "first_frame": ("capture",),
        "last_frame": ("last_capture",),
    },
    "activities": {"request_frame": ("capture",), "first_frame": ("capture",), "last_frame": ("last_capture",)},
}
"""Columns of frames by table, with the columns that may name their capture."""
_OPEN: Final = frozenset(
    ("arp", "llmnr", "netbios-ns", "netbios-dgm", "dhcp", "dhcpv6", "ntp", "tls", "dtls", "quic", "ssh")
)
"""Services that send no secret in the clear. Texts of DNS may be one, which a packet that is cut does not tell."""
_COLUMNS: Final = ("source", *_LISTS, *(capture for captures in _LISTS.values() for capture in captures))


_SECRET: Final[Mapping[str, int]] = {"bacnet": 10, "dnp3": 13, "s7comm": 29, "modbus": 8, "opcua": 28}
"""Octets before the password in a message that may carry one: headers, function, the state asked for."""
_CREDENTIAL: Final = "credential.kind"
"""The field of an activity in which a secret was sent."""
_WITH_PASSWORD: Final = ("reinitialize_device", "device_communication_control", "authenticate_file", "call")
"""Functions that carry a password, beside those whose operation is `authenticate`."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The packets behind a finding."""

    finding: str  # its id
    packets: tuple[Evidence, ...]  # in order
    left_out: int = 0  # more than are written


def file_name(finding: str) -> str:
    """The mini capture of a finding, as the result folder names it."""
    return f"{FOLDER}/{finding}.pcapng"


def packets_behind(findings: Iterable[Finding], tables: Mapping[str, pa.Table]) -> tuple[Behind, ...]:
    """The frames that each finding names, all of the exchanges they belong to, and how their conversations began, in
    the order of the findings.

    Events are those kept whole: of a frame that no such event has, there is no exchange.
    """
    named = {finding.id: finding.evidence for finding in findings if finding.evidence}
    every = frozenset(row for rows in named.values() for row in rows)
    exchanges, began = _exchanges(every, tables["events"]), beginnings(every, tables)
    return tuple(_behind(finding, rows, exchanges, began) for finding, rows in named.items())


def shown(packets: Collection[Evidence], tables: Mapping[str, pa.Table]) -> dict[Evidence, int | None]:
    """How many octets of what TCP or UDP carries are shown of each packet: none for all.

    All of a control system's message, but for those that may carry a password, and of services that carry none; of
    whatever else it may be, nothing. Of a message in several packets the first alone starts before its password.
    """
    wanted = {packet.frame for packet in packets}
    rows = [row for name, lists in _FRAMES.items() for row in _told(tables[name], lists, wanted)]
    starts = {row.packet for row in rows if row.is_start}
    found: dict[Evidence, int | None] = {}
    for row in rows:
        if row.protocol not in PROTOCOLS and row.protocol not in _OPEN:
            continue
        keep = None
        if row.is_secret:
            keep = _SECRET.get(row.protocol, 0) if row.packet in starts and not row.goes_on else 0
        known = found.get(row.packet)
        found[row.packet] = keep if known is None else known if keep is None else min(known, keep)
    return {packet: found.get(packet, 0) for packet in packets}


class _Told(NamedTuple):
    """What a row of a table says of a packet."""

    packet: Evidence
    protocol: str
    is_secret: bool  # the message may carry a password
    is_start: bool  # the message starts in the packet
    goes_on: bool  # the message started in an earlier one


def _told(table: pa.Table, lists: Mapping[str, Sequence[str]], frames: Collection[int]) -> Iterator[_Told]:
    """The packets of events, aggregates or activities among those frames."""
    function = "action" if "action" in table.column_names else "function_name"
    about = ["source", "protocol", "operation", function, *(name for name in ("fields",) if name in table.column_names)]
    wanted = pa.array(sorted(frames), pa.uint64())
    for name, captures in lists.items():
        values: Any = table.column(name).combine_chunks()
        in_lists = lists is _LISTS
        is_list = pa.types.is_list(values.type)
        numbers: Any = pc.list_flatten(values) if is_list else values
        held_by: Any = pc.list_parent_indices(values) if is_list else pa.array(range(len(values)), pa.int64())
        mask: Any = pc.is_in(numbers, value_set=wanted)
        holders = held_by.filter(mask)
        rows = plain(table.select([*about, *captures]).take(holders)).to_pylist()
        firsts = pc.list_element(values.take(holders), 0).to_pylist() if in_lists else [None] * len(rows)
        for row, frame, first in zip(rows, numbers.filter(mask).to_pylist(), firsts, strict=True):
            secret = (
                row["operation"] == "authenticate"
                or row[function] in _WITH_PASSWORD
                or any(field["name"] == _CREDENTIAL for field in row.get("fields") or ())
            )
            for capture in captures:
                if row[capture]:
                    place = Evidence(row["source"], row[capture], frame)
                    is_start = in_lists and frame == first
                    yield _Told(place, row["protocol"], secret, is_start, in_lists and not is_start)


def limits(unread: Iterable[tuple[str, str]], left_out: int) -> tuple[str, ...]:
    """What `evidence/` lacks, one sentence each. `unread` are names of captures with what went wrong."""
    sentences = [f"evidence/ lacks packets of {visible(name)}: {visible(problem)}." for name, problem in unread]
    if left_out:
        bounds = f"it holds at most {counted(MOST_PACKETS, 'packet')} a finding and {size(MOST_OCTETS)} in all"
        sentences.append(f"evidence/ lacks {counted(left_out, 'packet')} behind findings: {bounds}.")
    return tuple(sentences)


def _behind(
    finding: str,
    named: tuple[Evidence, ...],
    exchanges: Mapping[Evidence, set[Evidence]],
    began: Mapping[Evidence, tuple[Evidence, ...]],
) -> Behind:
    # What is named comes before what belongs to it, should there be too many.
    others = {packet for row in named for packet in exchanges.get(row, ())} - set(named)
    packets = (*sorted(set(named)), *sorted(others))
    context = sorted({packet for row in named for packet in began.get(row, ())}.difference(packets))
    kept = (*packets, *context)[:MOST_PACKETS]
    return Behind(finding, tuple(sorted(kept)), max(len(packets) - MOST_PACKETS, 0))


def _exchanges(named: frozenset[Evidence], events: pa.Table) -> dict[Evidence, set[Evidence]]:
    """All packets of the events that a named frame belongs to."""
    found: dict[Evidence, set[Evidence]] = {}
    for event in _touched(events, {row.frame for row in named}):
        packets = set(_packets(event))
        for row in packets & named:
            found.setdefault(row, set()).update(packets)
    return found


def _touched(events: pa.Table, frames: set[int]) -> list[dict[str, Any]]:
    """The events that have one of these frames, in whatever capture."""
    wanted = pa.array(sorted(frames), pa.uint64())
    rows: set[int] = set()
    for column in _LISTS:
        lists: Any = events.column(column).combine_chunks()
        mask: Any = pc.is_in(pc.list_flatten(lists), value_set=wanted)
        rows.update(pc.list_parent_indices(lists).filter(mask).to_pylist())
    return plain(events.select(_COLUMNS).take(pa.array(sorted(rows), pa.int64()))).to_pylist()


def _packets(event: Mapping[str, Any]) -> Iterator[Evidence]:
    """The packets of an event, each side in the capture where its first message ended.

    Frame numbers begin anew in each file of a source, and a message may go over from one to the next.
    """
    for name, (capture,) in _LISTS.items():
        frames = event[name]
        yield from (
            Evidence(event["source"], event[capture], frame) for frame in frames if frame <= frames[-1] + _REORDERED
        )
