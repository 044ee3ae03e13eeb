"""tshark's counts of one capture, and what else it says of each frame."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zonewatch.sensor.second_opinion.counts import Counts
from zonewatch.sensor.second_opinion.facts import FIELDS, of_fields
from zonewatch.sensor.wireshark.tshark import Output, Tshark, running

__all__ = ["CUT", "ICMP", "LOST", "MALFORMED", "PIECES", "REPEATED", "WRAP", "Conversation", "Theirs", "count"]

MOST_FRAMES: Final = 20_000_000
MOST_OCTETS: Final = 8_000_000_000
MOST_CONVERSATIONS: Final = 100_000
_SECONDS: Final = 120
_OCTETS_A_SECOND: Final = 50_000
"""By which the time that tshark may take grows with the file: a twentieth of what it does on a machine of today."""

_HEAD: Final = (
    "frame.number", "frame.protocols", "frame.len", "frame.cap_len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
    "eth.src", "eth.dst", "eth.type", "vlan.etype", "arcnet.src", "arcnet.dst", "mstp.src", "mstp.dst",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.analysis.retransmission",
    "tcp.analysis.out_of_order", "tcp.analysis.lost_segment", "_ws.malformed", "tcp.segment", "ip.fragment",
    "dnp3.tr.seq",
)  # fmt: skip

REPEATED: Final = 1  # tshark takes it for a retransmission, or out of order
LOST: Final = 2
MALFORMED: Final = 4
ICMP: Final = 8  # quotes a packet
CUT: Final = 16
PIECES: Final = 32  # ends a message that came in several packets
WRAP: Final = 64  # DNP3: the transport sequence starts anew at 0

CARRIERS: Final = frozenset((
    "tpkt", "cotp", "ses", "pres", "acse", "nbss", "gssapi", "spnego", "llc", "data", "data-text-lines",
    "_ws.malformed", "_ws.short", "_ws.expert", "_ws.lua", "tcp.segments", "tcp", "udp", "ip", "ipv6",
    "ethertype", "vlan", "eth", "frame", "icmp", "icmpv6", "gre", "sctp", "mpls", "pppoes", "ppp",
    "vssmonitoring", "_ws.unreassembled", "osi", "clnp",
))  # fmt: skip
"""Protocols that carry others: they name nothing."""

_FEW_MISFITS: Final = 4
_SHARE: Final = 4
"""One segment in so many that does not fit is more than any network loses."""

Conversation = tuple[str, frozenset[tuple[str, int]]]
"""Transport with both ends: address and port; on Ethernet the EtherType is the port."""


@dataclass(slots=True)
class Talk:
    """What tshark calls a conversation."""

    names: Counter[str] = field(default_factory=Counter)
    frames: list[int] = field(default_factory=list)  # the first few
    packets: int = 0
    misfits: int = 0  # of these, segments that do not follow the ones before


@dataclass(slots=True)
class Theirs:
    """What tshark says of a capture."""

    counts: Counts = field(default_factory=Counts)
    frames: int = 0
    problem: str = ""  # why not all
    marks: bytearray = field(default_factory=lambda: bytearray(1))  # by frame
    chains: list[str] = field(default_factory=lambda: [""])
    chain_of: array[int] = field(default_factory=lambda: array("H", (0,)))  # by frame, index of chains
    talks: dict[Conversation, Talk] = field(default_factory=dict)
    _chains: dict[str, int] = field(default_factory=dict)

    def chain(self, frame: int) -> tuple[str, ...]:
        """The names of the frame's protocols, outermost first."""
        return tuple(self.chains[self.chain_of[frame]].split(":")) if frame < len(self.chain_of) else ()

    def is_out_of_joint(self, sender: str, receiver: str) -> bool:
        """Whether the TCP sequence numbers between two hosts fit together so badly that no order can be known."""
        talks = [
            talk
            for (transport, ends), talk in self.talks.items()
            if transport == "tcp" and {address for address, _ in ends} == {sender, receiver}
        ]
        packets, misfits = sum(talk.packets for talk in talks), sum(talk.misfits for talk in talks)
        return misfits >= _FEW_MISFITS and misfits * _SHARE >= packets

    def mark(self, frame: int) -> int:
        """Marks of a frame; 0 of one that was not read."""
        return self.marks[frame] if frame < len(self.marks) else 0


def count(tshark: Tshark, path: Path) -> Theirs:
    """Counts the facts of all frames, as far as tshark comes within its time. Raises OSError."""
    theirs = Theirs()
    fields = [part for name in (*_HEAD, *FIELDS) for part in ("-e", name)]
    arguments = (
        "-n",
        "-r",
        str(path.absolute()),
        "-c",
        str(MOST_FRAMES),
        "-T",
        "fields",
        "-E",
        "aggregator=,",
        *fields,
    )
    seconds = _SECONDS + path.stat().st_size // _OCTETS_A_SECOND
    with running(tshark.path, arguments, seconds=seconds, most_octets=MOST_OCTETS) as output:
        for line in output:
            _frame(theirs, line.decode(errors="replace").rstrip("\n").split("\t"))
    theirs.problem = _problem(output, theirs)
    return theirs


def _problem(output: Output, theirs: Theirs) -> str:
    if output.long_lines:
        return f"{output.long_lines} frames say too much to be compared"
    if theirs.frames >= MOST_FRAMES:
        return f"no more than {MOST_FRAMES:,} frames are compared"
    return output.stopped or output.said


def _frame(theirs: Theirs, cells: list[str]) -> None:
    if len(cells) != len(_HEAD) + len(FIELDS) or not cells[0].isdecimal():
        return
    frame, chain = int(cells[0]), cells[1]
    theirs.frames = frame
    head = dict(zip(_HEAD, cells, strict=False))
    while len(theirs.marks) <= frame:
        theirs.marks.append(0)
        theirs.chain_of.append(0)
    theirs.marks[frame] = _marks(head)
    theirs.chain_of[frame] = _known(theirs, chain)
    ends = _ends(head, chain)
    for key in of_fields(cells[len(_HEAD) :], ends):
        theirs.counts.add(key, [frame])
    _talk(theirs, head, chain, ends, frame)


def _marks(head: dict[str, str]) -> int:
    repeated = head["tcp.analysis.retransmission"] or head["tcp.analysis.out_of_order"]
    names = head["frame.protocols"].split(":")
    quotes = any(
        name in ("icmp", "icmpv6") and names[at + 1 : at + 2] in (["ip"], ["ipv6"]) for at, name in enumerate(names)
    )
    return (
        (REPEATED if repeated else 0)
        | (LOST if head["tcp.analysis.lost_segment"] else 0)
        | (MALFORMED if head["_ws.malformed"] or "_ws.malformed" in names else 0)
        | (ICMP if quotes else 0)
        | (CUT if head["frame.len"] != head["frame.cap_len"] else 0)
        | (PIECES if head["tcp.segment"] or head["ip.fragment"] else 0)
        | (WRAP if "0" in head["dnp3.tr.seq"].split(",") else 0)
    )


def _known(theirs: Theirs, chain: str) -> int:
    number = theirs._chains.get(chain)
    if number is None:
        if len(theirs.chains) >= 0xFFFF:
            return 0
        number = theirs._chains[chain] = len(theirs.chains)
        theirs.chains.append(chain)
    return number


def _ends(head: dict[str, str], chain: str) -> tuple[str, str]:
    """The innermost addresses, as the engine writes them."""
    names = chain.split(":")
    inner = [name for name in names if name in ("ip", "ipv6")][-1:]
    if inner:
        return _last(head[f"{inner[0]}.src"]), _last(head[f"{inner[0]}.dst"])
    for link, form in (("mstp", "mstp:{}"), ("arcnet", "arcnet:{}")):
        if link in names and head[f"{link}.src"]:
            source, destination = (int(_last(head[f"{link}.{end}"]) or "0", 0) for end in ("src", "dst"))
            return form.format(source), form.format(destination)
    return _last(head["eth.src"]), _last(head["eth.dst"])


def _last(values: str) -> str:
    return values.rpartition(",")[2]


def _talk(theirs: Theirs, head: dict[str, str], chain: str, ends: tuple[str, str], frame: int) -> None:
    """Counts the frame's name for its conversation."""
    names = chain.split(":")
    transport = next((name for name in reversed(names) if name in ("tcp", "udp")), "")
    if transport:
        ports = (_last(head[f"{transport}.srcport"]), _last(head[f"{transport}.dstport"]))
        name = top(names[len(names) - names[::-1].index(transport) :])
    elif "ethertype" in names and not {"ip", "ipv6"} & set(names):
        transport = "ethernet"
        kind = _last(head["vlan.etype"]) or _last(head["eth.type"])
        ports = (kind, kind)
        name = top(names[names.index("ethertype") + 1 :])
    else:
        return
    try:
        numbers = [int(port or "0", 0) for port in ports]
    except ValueError:
        return
    key = (transport, frozenset(zip(ends, numbers, strict=True)))
    talk = theirs.talks.get(key)
    if talk is None:
        if len(theirs.talks) >= MOST_CONVERSATIONS:
            return
        talk = theirs.talks[key] = Talk()
    talk.packets += 1
    talk.misfits += bool(theirs.marks[frame] & (REPEATED | LOST))
    if name:
        talk.names[name] += 1
        if len(talk.frames) < _FIRST:
            talk.frames.append(frame)


_FIRST: Final = 3


def top(names: list[str]) -> str:
    """The first protocol that says something; of carriers alone none."""
    return next((name for name in names if name not in CARRIERS), "")
