"""Rows of the result made from the engine's tables: captures, oddities, and the limits in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.schemas import COVERAGE
from zonewatch.inventory.model import Evidence
from zonewatch.reports.result import Capture, OddityCount, totals
from zonewatch.reports.words import counted, listed, size, visible

__all__ = ["captures", "limits", "oddity_counts"]

_WORDS: Final = ("source", "capture", "protocol", "layer", "code")


def captures(coverage: pa.Table) -> tuple[Capture, ...]:
    """The rows of the coverage table, in their order."""
    columns = {}
    for field in COVERAGE:
        values: Any = coverage.column(field.name)
        if pa.types.is_timestamp(field.type):
            values = pc.fill_null(values.cast(pa.int64()), 0)
        columns["name" if field.name == "capture" else field.name] = values.to_pylist()
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
    total = totals(rows)
    sentences += [sentence for test, say in _SENTENCES if (count := test(total)) and (sentence := say(count, total))]
    return tuple(sentences)


_SENTENCES: Final[tuple[tuple[Callable[[Capture], int], Callable[[int, Capture], str]], ...]] = (
    (
        lambda row: row.cut_packets,
        lambda count, _: (
            f"{counted(count, 'packet')} had been cut short by the capture's snap length; "
            "what was behind the cut is unknown."
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
        lambda row: row.flows_evicted,
        lambda count, _: f"{counted(count, 'connection')} were let go to keep memory bounded.",
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
        lambda count, _: f"{counted(count, 'event')} were counted, and not kept one by one.",
    ),
    (
        lambda row: row.oddities_dropped,
        lambda count, _: f"{counted(count, 'malformed message')} more were counted, and not kept.",
    ),
)
