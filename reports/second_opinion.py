"""What a second dissector counted in the same captures, beside our own counts. Rows are frozen and sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = [
    "REASONS",
    "Compared",
    "Count",
    "Difference",
    "Named",
    "SecondOpinion",
    "sentences",
]

MOST_ROWS: Final = 2_000
"""Rows of each list that a result keeps; how many more there are is said."""

REASONS: Final = {
    "icmp_quote": "an ICMP error quotes the message, which was sent once; tshark counts the quotation too",
    "retransmission_dissected": "octets that were sent again; tshark dissects them once more, here a message counts once",
    "reordered_capture": "tshark takes the segment for one sent again and does not dissect it, though the capture has "
    "no other copy, or has it out of order",
    "damaged_sequence_numbers": "TCP sequence numbers do not fit together, and the two put the stream together otherwise",
    "other_dissector": "tshark gives the frame to another dissector",
    "not_dissected": "tshark knows the protocol by its port and leaves this one undissected; here content decides",
    "by_port": "tshark goes by the port; the content is no message of this protocol",
    "mislabelled_link_layout": "the packets of this link have another layout than their file says, which tshark follows",
    "mirror_copy": "the mirror port sent packets twice; tshark counts both copies, here one is told",
    "malformed": "the message breaks its protocol: one of the two gives it up earlier",
    "lost_segment": "the capture lacks segments before it, and the two take up the stream again at different octets",
    "fragments": "the message came in fragments or several segments, which the two put together otherwise",
    "cut_packet": "the packet was not captured whole",
    # What tests/oracles/differences.csv has beside these: seen in public captures, not told by single frames.
    "several_in_frame": "a frame holds several messages between different addresses of the link",
    "link_without_user_data": "user data in a link function that carries none (IEEE 1815, 9.2.4)",
    "transport_wrap": "the transport sequence starts anew within a fragment",
}
"""Why two readers may count differently, in words."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A capture as the second reader took it."""

    source: str
    capture: str
    frames: int = 0  # read by both
    problem: str = ""  # why not all, or not at all


@dataclass(frozen=True, slots=True)
class Count:
    """Messages of one kind, by both. Empty fields are not told apart."""

    protocol: str
    fact: str = ""  # function, exception, link function, service, message type … ; empty: all messages
    code: str = ""
    name: str = ""
    operation: str = ""
    sender: str = ""
    receiver: str = ""
    ours: int = 0
    theirs: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Messages of one sender, receiver and code in one capture that are counted otherwise."""

    source: str
    capture: str
    protocol: str
    fact: str
    code: str
    name: str
    sender: str
    receiver: str
    ours: int
    theirs: int
    only_ours: tuple[int, ...] = ()  # the first frames
    only_theirs: tuple[int, ...] = ()
    reason: str = ""  # a key of REASONS; empty: not known


@dataclass(frozen=True, slots=True)
class Named:
    """Traffic that is not decoded here, with the second reader's word for it."""

    transport: str
    port: int
    ours: str  # service, where it has a name here; empty: unknown
    theirs: str  # as tshark's filters name it
    agrees: bool  # both name the same
    conversations: int
    packets: int
    capture: str  # where it is first seen
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """All of it. `version` is empty where the second reader was not to be had."""

    tool: str = "tshark"
    version: str = ""
    problem: str = ""  # why there is none
    captures: tuple[Compared, ...] = ()
    protocols: tuple[Count, ...] = ()
    functions: tuple[Count, ...] = ()
    edges: tuple[Count, ...] = ()
    rows: int = 0  # compared: one capture, sender, receiver and code each
    equal_rows: int = 0
    differences: tuple[Difference, ...] = ()
    named: tuple[Named, ...] = ()
    left_out: int = 0  # rows of these lists beyond what is kept

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Differences without a reason."""
        return tuple(row for row in self.differences if not row.reason)


def sentences(opinion: SecondOpinion) -> Iterator[str]:
    """The whole in words, for limits and headlines."""
    if not opinion.version:
        yield f"No second opinion: {opinion.problem}."
        return
    who = f"{opinion.tool} {opinion.version}"
    if opinion.rows:
        differing = opinion.rows - opinion.equal_rows
        known = sum(1 for row in opinion.differences if row.reason)
        told = f"; of {differing:,} that differ {known:,} have a known reason" if differing else ""
        yield (
            f"Second opinion by {who}: {opinion.equal_rows:,} of {opinion.rows:,} counts (messages of one code between "
            f"two addresses in one capture) are equal{told}."
        )
    else:
        yield f"Second opinion by {who}: neither reader found messages of the protocols that are decoded here."
    for row in opinion.captures:
        if row.problem:
            yield f"{who} read {row.frames:,} frames of {row.capture}: {row.problem}."
    if opinion.named:
        names = list(dict.fromkeys(row.theirs for row in opinion.named))
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        count = sum(row.conversations for row in opinion.named)
        yield f"By {who}'s word, not decoded here: {shown} ({count:,} conversations)."
