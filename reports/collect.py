"""Rows of the result made from the engine's tables: captures, oddities, and the limits in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.schemas import COVERAGE
from zonewatch.dissectors.vocabulary import OT_SERVICES, PROTOCOLS
from zonewatch.dissectors.zeek import NOT_READ
from zonewatch.inventory.flows import ANSWERED_STATES
from zonewatch.inventory.model import Evidence
from zonewatch.reports.result import Capture, OddityCount, Undecoded, Unknown, totals
from zonewatch.reports.words import clock, counted, duration, listed, port, size, visible

__all__ = ["captures", "limits", "oddity_counts", "unread"]

_NESTED: Final[dict[str, type[Undecoded | Unknown]]] = {"undecoded": Undecoded, "unknown": Unknown}
_LONG_SILENCE: Final = 60_000_000_000
_WORDS: Final = ("source", "capture", "protocol", "layer", "code")


def captures(coverage: pa.Table) -> tuple[Capture, ...]:
    """The rows of the coverage table, in their order."""
    columns = {}
    for field in COVERAGE:
        values: Any = coverage.column(field.name)
        if pa.types.is_timestamp(field.type):
            values = pc.fill_null(values.cast(pa.int64()), 0)
        kind = _NESTED.get(field.name)
        cells = values.to_pylist()
        columns["name" if field.name == "capture" else field.name] = (
            [tuple(kind(**item) for item in items) for items in cells] if kind else cells
        )
    return tuple(Capture(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True))


def oddity_counts(oddities: pa.Table, samples: int = 3) -> tuple[OddityCount, ...]:
    """Oddities counted by protocol, layer, code and expectation, with the first frames of each."""
    if not oddities.num_rows:
        return ()
    kept = ("source", "capture", "frame", "protocol", "layer", "code", "expected")
    table = pa.table(
        {name: oddities.column(name).cast(pa.utf8()) if name in _WORDS else oddities.column(name) for name in kept}
    )
    keys = ["protocol", "layer", "code", "expected"]
    places = table.group_by([*keys, "source", "capture"]).aggregate([("frame", "count"), ("frame", "min")])
    found: dict[tuple[str, ...], tuple[int, list[Evidence]]] = {}
    for row in places.sort_by([(name, "ascending") for name in (*keys, "source", "capture")]).to_pylist():
        count, evidence = found.get(key := tuple(row[name] for name in keys), (0, []))
        first = Evidence(row["source"], row["capture"], row["frame_min"])
        found[key] = (count + row["frame_count"], [*evidence, first][:samples])
    return tuple(
        OddityCount(protocol, layer, code, count, expected, tuple(evidence))
        for (protocol, layer, code, expected), (count, evidence) in sorted(found.items())
    )


def limits(rows: Iterable[Capture]) -> tuple[str, ...]:
    """What the captures did not let us see, one sentence each; what is not limited is not said."""
    rows = tuple(rows)
    points = sorted({row.source for row in rows})
    sentences = [
        f"The traffic was seen at {counted(len(points), 'point')} ({listed(map(visible, points), 6)}): "
        "what does not pass there is not in this report, and a device that stayed silent is not either."
    ]
    for row in rows:
        if row.status != "whole":
            sentences.append(
                f"{visible(row.name)} could be read only in part: {visible(row.problem) or 'reason unknown'}."
            )
    sentences += _copies(rows)
    sentences += _from_logs([row for row in rows if row.is_log])
    total = totals(replace(row, untimed_packets=0, clock_jumps=0) if row.is_log else row for row in rows)
    sentences += [sentence for test, say in _SENTENCES if (count := test(total)) and (sentence := say(count, total))]
    return tuple(sentences)


def _from_logs(rows: Sequence[Capture]) -> Iterator[str]:
    """What stands in place of packets, and what it cannot show."""
    if not rows:
        return
    used = sorted({_kind(row) for row in rows if not row.format.endswith(NOT_READ)})
    passed = sorted({_kind(row) for row in rows if row.format.endswith(NOT_READ)})
    yield (
        f"From Zeek logs, not from packets: {counted(len(rows), 'log')} ({listed(used, 8) or 'none that is read'}); "
        "a line of a log stands where a frame would be. What Zeek did not write down is unknown here: protocols "
        "without a parser, messages that it could not read, octets that nobody decoded, frames that were lost or "
        "damaged, values before a change; no mini captures can be made."
    )
    if passed:
        yield f"Logs that nothing was taken from: {listed(passed, 12)}."
    if untimed := sum(row.untimed_packets for row in rows):
        yield f"{counted(untimed, 'line')} of logs had no time that can be read: that of the line before counts."
    if jumps := sum(row.clock_jumps for row in rows):
        yield f"Times of logs stepped back by over an hour {counted(jumps, 'time')}: times around it are uncertain."


def _kind(row: Capture) -> str:
    """`Zeek log conn (tabs), 12 lines` → `conn`."""
    return visible(row.format.removeprefix("Zeek log ").partition(" ")[0])


def unread(flows: pa.Table) -> str:
    """Which control protocols were seen that nobody decodes here, in a sentence; empty where none was."""
    names = ("service", "basis", "state")
    words: dict[str, Any] = {name: flows[name].cast(pa.utf8()) for name in names}
    table = pa.table({**words, "flows": flows["flows"]})
    # Who was asked and never answered need not speak the protocol; on many links nobody ever answers.
    spoken = pc.is_in(table["state"], value_set=pa.array((*ANSWERED_STATES, "one_way")))
    unread = pc.is_in(table["service"], value_set=pa.array(sorted(OT_SERVICES.difference(PROTOCOLS))))
    counts: dict[str, int] = {}
    by_content = set()
    groups = table.filter(pc.and_(spoken, unread)).group_by(["service", "basis"]).aggregate([("flows", "sum")])
    for row in groups.to_pylist():
        counts[row["service"]] = counts.get(row["service"], 0) + row["flows_sum"]
        if row["basis"] == "content":
            by_content.add(row["service"])
    if not counts:
        return ""
    named = (
        f"{visible(name)} ({counted(count, 'conversation')}{'' if name in by_content else ', by its port alone'})"
        for name, count in sorted(counts.items())
    )
    return (
        f"Control protocols whose content was not read: {listed(named)}. "
        "Who spoke them with whom is known, not what was said."
    )


def _unknown(item: Unknown) -> str:
    return f"{port(item.transport, item.port)} {size(item.bytes)}"


def _copies(rows: tuple[Capture, ...]) -> Iterator[str]:
    """Files of one content: dropping one could lose what a point really saw, so all are counted and it is said."""
    alike: dict[str, list[Capture]] = {}
    for row in rows:
        if row.sha256 and row.packets:
            alike.setdefault(row.sha256, []).append(row)
    for same in alike.values():
        if len(same) > 1:
            several = len({row.source for row in same}) > 1
            names = [f"{visible(row.name)} at {visible(row.source)}" if several else visible(row.name) for row in same]
            yield (
                f"{listed(names, 6)} have the same content (SHA-256): their {counted(same[0].packets, 'packet')} "
                f"went into every count {counted(len(same), 'time')}."
            )


_SENTENCES: Final[tuple[tuple[Callable[[Capture], int], Callable[[int, Capture], str]], ...]] = (
    (
        lambda row: row.reported_drops or 0,
        lambda count, _: (
            f"The capturing machine reported {counted(count, 'dropped packet')}: what was in them is unknown."
        ),
    ),
    (
        lambda row: row.cut_packets,
        lambda count, row: (
            f"{counted(count, 'packet')} had been cut short by the capture's snap length; "
            f"what was behind the cut ({size(row.cut_bytes)}) is unknown."
        ),
    ),
    (
        lambda row: row.long_packets,
        lambda count, _: (
            f"{counted(count, 'packet')} came longer than Ethernet carries: unless the network has jumbo frames, the "
            "capturing machine joined segments, and counts and times of packets are not those of the wire."
        ),
    ),
    (
        lambda row: row.duplicates,
        lambda count, _: f"The mirror gave {counted(count, 'packet')} a second time; each packet is told once.",
    ),
    (
        lambda row: row.repeats,
        lambda count, _: (
            f"{counted(count, 'packet')} came again within milliseconds and no mirror explains it: "
            "both are told, because a repetition cannot be told from a replay."
        ),
    ),
    (
        lambda row: row.undecoded_packets,
        lambda count, row: (
            f"{counted(count, 'packet')} could not be decoded at all: "
            f"{row.unknown_link_packets} of a link type that is not known, the others with an unreadable header."
        ),
    ),
    (
        lambda row: row.gaps,
        lambda count, row: (
            f"{counted(count, 'hole')} in TCP streams ({size(row.gap_bytes)}): "
            "messages in them were lost to the capture."
        ),
    ),
    (
        lambda row: row.one_sided_flows,
        lambda count, _: (
            f"Of {counted(count, 'connection')} only one direction was captured: whether the other side "
            "answered cannot be said."
        ),
    ),
    (
        lambda row: row.incomplete_fragments,
        lambda count, _: f"{counted(count, 'fragmented packet')} never became whole.",
    ),
    (
        lambda row: row.clock_jumps,
        lambda count, _: (
            f"The capture's clock jumped {counted(count, 'time')}: times and durations around it are uncertain."
        ),
    ),
    (
        lambda row: row.untimed_packets,
        lambda count, _: f"The file holds no time for {counted(count, 'packet')}: that of the packet before counts.",
    ),
    (
        lambda row: row.silence if row.silence >= _LONG_SILENCE else 0,
        lambda count, row: (
            f"Nothing was captured for {duration(count)} from {clock(row.silence_start_time)}: "
            "a silent network and a capture that stood still look the same."
        ),
    ),
    (
        lambda row: sum(item.bytes for item in row.undecoded),
        lambda count, row: (
            f"{size(count)} in recognised conversations belong to no message that could be decoded "
            f"({listed(f'{item.protocol} {size(item.bytes)}' for item in row.undecoded if item.bytes)})."
        ),
    ),
    (
        lambda row: sum(item.messages for item in row.undecoded),
        lambda count, _: f"Decoded in part, up to an object of unknown size: {counted(count, 'message')}.",
    ),
    (
        lambda row: sum(item.bytes for item in row.unknown),
        lambda count, row: (
            f"{size(count)} of traffic were recognised neither by content nor by port "
            f"({listed(map(_unknown, row.unknown), 6)}): what it does is not in this report."
        ),
    ),
    (
        lambda row: row.flows_evicted,
        lambda count, _: f"{counted(count, 'connection')} were let go to keep memory bounded.",
    ),
    (
        lambda row: row.flows_folded,
        lambda count, _: (
            f"{counted(count, 'connection')} were too many to tell each: they are counted together by their addresses "
            "and port, or by their networks."
        ),
    ),
    (
        lambda row: row.recognitions_dropped,
        lambda count, _: (
            f"Not kept until their protocol showed, to bound memory: {counted(count, 'packet')} "
            "of unknown conversations."
        ),
    ),
    (
        lambda row: row.exchanges_dropped,
        lambda count, _: (
            f"No longer waited for, because too many were open at once: {counted(count, 'request')}, "
            "told as unanswered."
        ),
    ),
    (
        lambda row: row.messages_dropped,
        lambda count, _: (
            f"Messages of which only a part had come were given up {counted(count, 'time')} to keep memory bounded: "
            "they are told as cut, or not at all."
        ),
    ),
    (
        lambda row: row.units_folded,
        lambda count, _: (
            f"Too many units were behind other addresses to tell each: {counted(count, 'time')} "
            "one of the further ones was seen, and they are told together as “units/0”."
        ),
    ),
    (
        lambda row: row.combinations_coalesced,
        lambda count, _: (
            f"{counted(count, 'combination')} of addresses and points were merged into ranges; "
            "where a range is too coarse for the policy, the verdict is “cannot conclude”."
        ),
    ),
    (
        lambda row: row.events_thinned,
        lambda count, _: (
            f"{counted(count, 'event')} were counted, and not kept one by one: "
            "value changes among them are not listed one by one either."
        ),
    ),
    (
        lambda row: row.oddities_dropped,
        lambda count, _: f"{counted(count, 'malformed message')} more were counted, and not kept.",
    ),
    (
        lambda row: row.claims_dropped,
        lambda count, _: f"Not kept, to bound memory: {counted(count, 'statement')} about devices.",
    ),
    (
        lambda row: row.activities_coalesced,
        lambda count, _: (
            f"{counted(count, 'activity', 'activities')} of IT services were counted without their names and outcomes: "
            "too many of one pair of hosts differ."
        ),
    ),
    (
        lambda row: row.activities_dropped,
        lambda count, _: f"Not kept, to bound memory: {counted(count, 'activity', 'activities')} of IT services.",
    ),
    (
        lambda row: row.addresses_dropped,
        lambda count, _: f"Not kept, to bound memory: {counted(count, 'pair')} of IP and MAC address.",
    ),
)
