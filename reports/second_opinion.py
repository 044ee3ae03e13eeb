"""What a second dissector counted in the same captures, beside our own counts. Rows are frozen and sorted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from zonewatch.reports.rows import Cell, Column, Rows
from zonewatch.reports.speech import Speech
from zonewatch.reports.words import port

__all__ = [
    "REASONS",
    "Compared",
    "Count",
    "Difference",
    "Named",
    "SecondOpinion",
    "difference_rows",
    "named_rows",
    "opinion_rows",
    "opinion_tables",
    "protocol_rows",
    "reason_rows",
    "sentences",
    "unexplained_rows",
]

MOST_ROWS: Final = 2_000
"""Rows of each list that a result keeps; how many more there are is said."""

REASONS: Final = {
    "icmp_quote": "an ICMP error quotes the message, which was sent once; tshark counts the quotation too",
    "retransmission_dissected": "octets that were sent again; tshark dissects them once more, here a message counts "
    "once",
    "reordered_capture": "tshark takes the segment for one sent again and does not dissect it, though the capture has "
    "no other copy, or has it out of order",
    "damaged_sequence_numbers": "TCP sequence numbers do not fit together, and the two put the stream together "
    "otherwise",
    "other_dissector": "tshark gives the frame to another dissector",
    "not_dissected": "tshark knows the protocol by its port and leaves this one undissected; here content decides",
    "by_port": "tshark goes by the port; the content is no message of this protocol",
    "mislabelled_link_layout": "the packets of this link have another layout than their file says, which tshark "
    "follows",
    "mirror_copy": "the mirror port sent packets twice; tshark counts both copies, here one is told",
    "malformed": "the message breaks its protocol: one of the two gives it up earlier",
    "lost_segment": "the capture lacks segments before it, and the two take up the stream again at different octets",
    "fragments": "the message came in fragments or several segments, which the two put together otherwise",
    "cut_packet": "the packet was not captured whole",
    "several_in_frame": "a frame holds several messages between different addresses of the link",
    "link_without_user_data": "user data in a link function that carries none (IEEE 1815, 9.2.4)",
    "transport_wrap": "the DNP3 transport sequence starts anew at 0, where tshark joins segments of different "
    "fragments",
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


def protocol_rows(opinion: SecondOpinion) -> Rows:
    """Messages by protocol, for people."""
    columns = (Column("protocol"), Column("ours", "here", right=True), Column("theirs", opinion.tool, right=True))
    return Rows(columns, tuple((row.protocol, row.ours, row.theirs) for row in opinion.protocols))


def reason_rows(opinion: SecondOpinion) -> Rows:
    """The known reasons of differences, for people, each once."""
    found: dict[tuple[str, str], list[Difference]] = {}
    for row in opinion.differences:
        if row.reason:
            found.setdefault((row.protocol, row.reason), []).append(row)
    columns = (
        Column("protocol", "differs"),
        Column("reason", "why"),
        Column("counts", right=True, rank=1),
        Column("example", "for example", rank=2),
    )
    return Rows(
        columns,
        tuple(
            (protocol, REASONS.get(reason, reason), len(rows), frames_of(rows[0]))
            for (protocol, reason), rows in sorted(found.items())
        ),
    )


def unexplained_rows(opinion: SecondOpinion) -> Rows:
    """Counts that differ and that nobody can explain, for people."""
    rows = difference_rows(replace(opinion, differences=opinion.unexplained))
    return replace(rows, columns=(replace(rows.columns[0], title="differs, not explained"), *rows.columns[1:]))


def difference_rows(opinion: SecondOpinion) -> Rows:
    """Counts that differ, for people: those that nobody can explain first."""
    columns = (
        Column("what"),
        Column("between", rank=1),
        Column("ours", "here", right=True),
        Column("theirs", opinion.tool, right=True),
        Column("frames", rank=2),
        Column("reason", "why"),
    )
    return Rows(columns, tuple(_told(row) for row in opinion.differences))


def _told(row: Difference) -> tuple[Cell, ...]:
    what = " ".join(part for part in (row.protocol, row.fact, row.code, row.name) if part)
    reason = REASONS.get(row.reason, row.reason) or "not known"
    return (what, f"{row.sender} to {row.receiver}", row.ours, row.theirs, frames_of(row), reason)


def frames_of(row: Difference) -> str:
    """The first frames of either side: `plant.pcap: 12, 14 here; 17 there`."""
    return frames_told(row, "here", "there")


def frames_told(row: Difference, here: str, there: str) -> str:
    """The same with the words of a language for either side."""
    sides = ((row.only_ours, here), (row.only_theirs, there))
    told = "; ".join(f"{', '.join(map(str, frames))} {side}" for frames, side in sides if frames)
    return f"{row.capture}: {told}" if told else row.capture


def named_rows(opinion: SecondOpinion) -> Rows:
    """What is not decoded here, by the other's word, for people."""
    columns = (
        Column("to", "not decoded, to"),
        Column("ours", "here"),
        Column("theirs", f"{opinion.tool}'s word"),
        Column("conversations", rank=2, right=True),
        Column("packets", rank=1, right=True),
        Column("frames", rank=3),
    )
    return Rows(
        columns,
        tuple(
            (
                port(row.transport, row.port),
                row.ours or "unknown",
                row.theirs,
                row.conversations,
                row.packets,
                f"{row.capture}: {', '.join(map(str, row.frames))}",
            )
            for row in opinion.named
        ),
    )


def opinion_rows(opinion: SecondOpinion) -> Rows:
    """`second-opinion.csv`: every count by protocol, function and edge, every difference, every name."""
    names = (
        "level", "source", "capture", "protocol", "fact", "code", "name", "operation", "sender", "receiver", "ours",
        "theirs", "equal", "frames_only_ours", "frames_only_theirs", "reason", "reader",
    )  # fmt: skip
    reader = f"{opinion.tool} {opinion.version}"
    levels = (("protocol", opinion.protocols), ("function", opinion.functions), ("edge", opinion.edges))
    rows: list[tuple[Cell, ...]] = []
    for level, counts in levels:
        for row in counts:
            what = (row.protocol, row.fact, row.code, row.name, row.operation, row.sender, row.receiver)
            rows.append((level, "", "", *what, row.ours, row.theirs, row.ours == row.theirs, (), (), "", reader))
    for one in opinion.differences:
        what = (one.protocol, one.fact, one.code, one.name, "", one.sender, one.receiver)
        frames = (tuple(map(str, one.only_ours)), tuple(map(str, one.only_theirs)))
        rows.append(
            ("difference", one.source, one.capture, *what, one.ours, one.theirs, False, *frames, one.reason, reader)
        )
    for name in opinion.named:
        what = (name.ours, "transport", f"{name.transport}/{name.port}", name.theirs, "", "", "")
        frames = ((), tuple(map(str, name.frames)))
        rows.append(("named", "", name.capture, *what, name.packets, name.packets, name.agrees, *frames, "", reader))
    return Rows(tuple(Column(name) for name in names), tuple(rows))


def opinion_tables(opinion: SecondOpinion | None, speech: Speech) -> tuple[Rows, ...]:
    """The tables of a page, each with its title."""
    if opinion is None:
        return ()
    here, there = speech.say("opinion.here"), speech.say("opinion.there")

    def difference(row: Difference) -> tuple[Cell, ...]:
        what, _, ours, theirs, _, reason = _told(row)
        between = speech.say("opinion.between", sender=row.sender, receiver=row.receiver)
        if speech.foreign:
            reason = speech.word("second_reason", row.reason) if row.reason else speech.say("opinion.not_known")
        return (what, between, ours, theirs, frames_told(row, here, there), reason)

    def name(row: Named) -> tuple[Cell, ...]:
        place = f"{row.capture}: {', '.join(map(str, row.frames))}"
        ours = row.ours or speech.say("unknown")
        return (speech.port(row.transport, row.port), ours, row.theirs, row.conversations, row.packets, place)

    def table(title: str, columns: tuple[Column, ...], rows: Iterable[tuple[Cell, ...]], theirs: str) -> Rows:
        heads = (theirs if one.name == "theirs" else speech.word("opinion_head", one.name) for one in columns)
        titled = tuple(replace(one, title=head) for one, head in zip(columns, heads, strict=True))
        return Rows(titled, tuple(rows), title=speech.say(title))

    protocols, by_reader = protocol_rows(opinion), speech.say("opinion.by_reader", reader=opinion.tool)
    differences = map(difference, opinion.differences)
    return (
        table("opinion.protocols", protocols.columns, protocols.rows, opinion.tool),
        table("opinion.differences", difference_rows(opinion).columns, differences, opinion.tool),
        table("opinion.named", named_rows(opinion).columns, map(name, opinion.named), by_reader),
    )
