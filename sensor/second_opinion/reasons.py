"""Why two readers count differently, told by the frames themselves.

Every frame that one of them alone counts is classed by what both say of it; a row has a reason where all its frames
have one, the most common. Keys are those of `reports.second_opinion.REASONS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from zonewatch.sensor.second_opinion.facts import Key
from zonewatch.sensor.second_opinion.ours import Ours
from zonewatch.sensor.second_opinion.theirs import CUT, ICMP, LOST, MALFORMED, PIECES, REPEATED, WRAP, Theirs, top

__all__ = ["reason_of"]

MOST_FRAMES: Final = 500
"""Frames of a row that are looked at."""
_LAYERS: Final = {
    "modbus": frozenset(("mbtcp", "mbudp", "modbus", "mbrtu")),
    "dnp3": frozenset(("dnp3",)),
    "bacnet": frozenset(("bvlc", "bacnet", "bacapp")),
    "s7comm": frozenset(("tpkt", "cotp", "s7comm")),
}
_STREAM: Final = frozenset(("", "lost_segment", "fragments", "reordered_capture", "retransmission_dissected"))
"""Reasons that are but one where the sequence numbers of the whole conversation are damaged."""
_TRANSPORTS: Final = ("tcp", "udp")


def reason_of(key: Key, only_ours: Sequence[int], only_theirs: Sequence[int], ours: Ours, theirs: Theirs) -> str:
    """The reason of a row; empty where a frame has none."""
    found: Counter[str] = Counter()
    for frame in only_theirs[:MOST_FRAMES]:
        found[_theirs_alone(key, frame, ours, theirs)] += 1
    for frame in only_ours[:MOST_FRAMES]:
        found[_ours_alone(key, frame, ours, theirs)] += 1
    if {"", "lost_segment"} & found.keys() and theirs.is_out_of_joint(key.sender, key.receiver):
        found = Counter({reason: count for reason, count in found.items() if reason not in _STREAM})
        found["damaged_sequence_numbers"] = len(only_ours) + len(only_theirs)
    if not found or found[""]:
        return ""
    return max(sorted(found), key=lambda reason: found[reason])


def _theirs_alone(key: Key, frame: int, ours: Ours, theirs: Theirs) -> str:
    mark = theirs.mark(frame)
    if mark & ICMP:
        return "icmp_quote"
    if mark & REPEATED:
        return "retransmission_dissected"
    if mark & MALFORMED or frame in ours.odd_frames:
        return "malformed"
    if mark & WRAP:
        return "transport_wrap"
    if mark & CUT:
        return "cut_packet"
    if ours.duplicates:
        return "mirror_copy"
    if not any(
        name.protocol == key.protocol and name.sender in (key.sender, key.receiver) for name in ours.counts.total
    ):
        return "by_port"  # nothing of the protocol is spoken there
    return "lost_segment" if mark & LOST else "fragments" if mark & PIECES else ""


def _ours_alone(key: Key, frame: int, ours: Ours, theirs: Theirs) -> str:
    mark, chain = theirs.mark(frame), theirs.chain(frame)
    layers = _LAYERS[key.protocol]
    if not layers & set(chain):
        if "arcnet" in chain:
            return "mislabelled_link_layout"
        if mark & REPEATED:
            return "reordered_capture"
        if mark & CUT:
            return "cut_packet"
        ports = [at for at, name in enumerate(chain) if name in _TRANSPORTS]
        return "other_dissector" if ports and top(list(chain[ports[-1] + 1 :])) else "not_dissected"
    if mark & MALFORMED or frame in ours.odd_frames:
        return "malformed"
    if mark & REPEATED:
        return "reordered_capture"
    if mark & WRAP:
        return "transport_wrap"
    if mark & CUT:
        return "cut_packet"
    return "lost_segment" if mark & LOST else "fragments" if mark & PIECES else ""
