"""Malformed and protocol-violating messages: what each code means, and the findings made of them.

The table below is the documentation too: `python -m zonewatch.rules.oddities > docs/oddities.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.vocabulary import OddityCode
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context, Detector, Fact, Told, bounded, listing, span, times
from zonewatch.rules.findings import Finding, Severity

MOST_EDGES: Final = 10
"""Findings of one code; the edges with fewer oddities are told together."""

MOST_EXPECTATIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """One code of the engine's list."""

    code: OddityCode
    layers: tuple[str, ...]
    severity: Severity | None  # of the finding; none: counted in the coverage, no finding
    expects: str  # the standard, with its clause
    means: str
    action: str


KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        "bad_length",
        (
            "mbap",
            "modbus",
            "dnp3-link",
            "dnp3-transport",
            "dnp3-application",
            "bvlc",
            "apdu",
            "cotp",
            "s7comm",
            "profibus",
            "opcua",
        ),
        "low",
        "The length field counts the octets that follow (Modbus Messaging Guide 1.0b, 3.1.3; IEEE 1815, 9.2.4; "
        "ASHRAE 135, J.2) and a function's data has its length (Modbus Application Protocol 1.1b3, 6).",
        "A faulty stack or gateway; a tool that crafts messages; an attempt to make a device read beyond its buffer.",
        "Look which device sends it and since when. From a host that is no known client it is an attack until shown "
        "otherwise; from a device, ask its vendor.",
    ),
    Kind(
        "bad_checksum",
        ("modbus-rtu", "dnp3-link", "serial", "profibus"),
        "low",
        "The CRC fits the octets (Modbus over Serial Line 1.02, 2.5.1.2; IEEE 1815, 9.2.4).",
        "Noise on a serial line behind a gateway; octets changed on the way by somebody who forgot the CRC.",
        "Check the serial line. On Ethernet alone, where frames have checksums of their own, look for what rewrites "
        "the messages.",
    ),
    Kind(
        "invalid_value",
        ("modbus", "dnp3-link", "dnp3-application", "npdu", "apdu", "s7comm", "profibus", "opcua"),
        "low",
        "A field holds one of the values that the standard allows (Modbus Application Protocol 1.1b3, 6; "
        "IEEE 1815, 4.2 and 9.2; ASHRAE 135, 6.2 and 20).",
        "A client that is configured wrongly; a scanner or fuzzer that tries what a device does.",
        "See who asks and what the device answers; correct the client, or find the person behind the tool.",
    ),
    Kind(
        "truncated",
        ("modbus", "dnp3-application", "npdu", "apdu", "s7comm", "profibus", "opcua"),
        "low",
        "A message holds all fields of its function (Modbus Application Protocol 1.1b3, 6; IEEE 1815, 11; "
        "ASHRAE 135, 20 and 21).",
        "A faulty implementation; a crafted message that ends early.",
        "As for a wrong length.",
    ),
    Kind(
        "trailing_octets",
        ("modbus", "dnp3-link", "dnp3-application", "bvlc", "npdu", "apdu", "s7comm", "opcua"),
        "low",
        "A message ends where its last field ends (the same clauses as for `truncated`).",
        "Padding by a gateway, an extension of a vendor, or data hidden behind a message.",
        "Look at the octets once; if a vendor's device adds them always, nothing is to be done.",
    ),
    Kind(
        "undecoded_object",
        ("dnp3-application", "apdu"),
        None,
        "Objects have the size that their group and variation, or their tag, says (IEEE 1815, 11; ASHRAE 135, 20.2).",
        "An object of a vendor, or of a later edition, whose size is not known here: the rest of the message is not "
        "decoded.",
        "Nothing in the plant. What such messages do is not in the report; the coverage counts them.",
    ),
    Kind(
        "bad_sequence",
        ("dnp3-transport", "dnp3-application", "apdu", "opcua"),
        "low",
        "Segments and fragments follow one another in number (IEEE 1815, 8.2; ASHRAE 135, 5.4).",
        "Loss in the capture or on the way; two senders under one address; an injected fragment.",
        "See whether the capture has gaps at that time. If not, look for a second sender: another MAC address, "
        "another time to live.",
    ),
    Kind(
        "conflicting_overlap",
        ("tcp", "ip-fragment", "apdu"),
        "high",
        "Octets that are sent again are the same (RFC 9293, 3.8.1; RFC 8200, 4.5 with RFC 5722; ASHRAE 135, 5.4).",
        "Evasion: a sensor reads one command and the device obeys another. Rarely a faulty middle box.",
        "Compare both versions in the capture, find which one the device obeyed, and find the sender by its MAC "
        "address and time to live.",
    ),
    Kind(
        "gap",
        ("tcp", "serial"),
        None,
        "Octets of a stream are there, one after the other (RFC 9293, 3.4).",
        "The capture lost packets: a mirror port that is overloaded, a slow disk.",
        "Mend the capture; the coverage counts gaps and the octets in them.",
    ),
    Kind(
        "not_the_protocol",
        (
            "mbap",
            "modbus",
            "modbus-rtu",
            "dnp3",
            "dnp3-link",
            "bacnet",
            "bvlc",
            "s7comm",
            "serial",
            "profibus",
            "opcua",
        ),
        "medium",
        "A conversation keeps to its protocol from start to end (Modbus Messaging Guide 1.0b, 3.1.3; IEEE 1815, "
        "9.2.4; ASHRAE 135, J.2).",
        "Another protocol on the same connection, a tunnel or a shell on an allowed port; a fuzzer; loss that the "
        "stream did not recover from.",
        "Look at the octets. If they are no message of the protocol and nothing was lost, find the program on the "
        "client.",
    ),
    Kind(
        "bad_header",
        ("link", "ethernet", "ip", "ipv4", "ipv6", "tcp", "udp"),
        None,
        "Headers below the protocols have their length and version (IEEE 802.3; RFC 791, 3.1; RFC 8200, 3; "
        "RFC 9293, 3.1; RFC 768).",
        "A capture cut too short; rarely a crafted packet.",
        "See whether the capture cuts packets; the coverage counts those that could not be read.",
    ),
    Kind(
        "mismatch",
        ("modbus", "dnp3-application", "apdu"),
        "medium",
        "An answer fits its request: the same function, as many values as were asked for (Modbus Application "
        "Protocol 1.1b3, 6; IEEE 1815, 4.2; ASHRAE 135, 5.4).",
        "Two requests under one number; a gateway that mixes up answers; an answer forged by somebody between the two.",
        "Check the gateway and the client's time-outs. Where neither explains it, look for a second sender of the "
        "answers.",
    ),
    Kind(
        "incomplete_fragments",
        ("ip-fragment",),
        None,
        "All fragments of a packet come within a minute (RFC 791, 3.2; RFC 8200, 4.5).",
        "Loss in the capture, or fragments sent to fill memory.",
        "The coverage counts them; many from one sender deserve a look.",
    ),
    Kind(
        "too_deep",
        ("gre", "vxlan", "mpls", "opcua"),
        "medium",
        "Packets inside one another are few: a tunnel, in a mirror's tunnel (RFC 2473, 4.1.1 limits them).",
        "An attempt to hide traffic, or to make sensors work; rarely tunnels that are configured to feed themselves.",
        "Find the two ends of the outer tunnel and see who set it up. What is inside is not in the report.",
    ),
    Kind(
        "ring_changed",
        ("profibus",),
        "low",
        "Masters pass the token by rising addresses, each to its successor (IEC 61158 type 3).",
        "A master joined the ring: a programming device, or one that nobody knows. Or a master left it: it was "
        "switched off, or is silent.",
        "Find the station by its address. A ring is planned: who is in it is in the project of the bus.",
    ),
)


class _Edge(NamedTuple):
    client: str
    server: str
    protocol: str


@dataclass(slots=True)
class _Found:
    """The oddities of one code on one edge."""

    edge: _Edge
    count: int
    senders: set[str]
    expected: dict[str, None]
    evidence: list[Evidence]
    when: list[tuple[int, int]]


_KEYS: Final = ("code", "protocol", "source", "source_address", "destination_address", "capture", "expected")


def malformed(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Oddities by code and edge, those with most oddities one by one, the others of a code together."""
    edges = frozenset(_Edge(edge.client, edge.server, edge.protocol) for edge in context.inventory.edges)
    by_code: defaultdict[str, dict[_Edge, _Found]] = defaultdict(dict)
    for row in _rows(context.oddities):
        _add(row, context.inventory.by_address, edges, by_code[row["code"]])
    for kind in KINDS:
        ranked = sorted(by_code[kind.code].values(), key=lambda found: (-found.count, found.edge))
        for found in ranked[:MOST_EDGES]:
            yield Told(_finding(context, detector, kind, found))
        if len(ranked) > MOST_EDGES:
            yield Told(_others(context, detector, kind, ranked[MOST_EDGES:]))


def _rows(oddities: pa.Table) -> list[dict[str, Any]]:
    table = plain(oddities)
    if not table.num_rows:
        return []
    totals: list[Any] = [("frame", "count"), ("frame", "min"), ("time", "min"), ("time", "max")]
    groups = table.group_by(list(_KEYS)).aggregate(totals)
    rows: list[dict[str, Any]] = groups.sort_by([(key, "ascending") for key in _KEYS]).to_pylist()
    told = {kind.code for kind in KINDS if kind.severity}
    return [row for row in rows if row["code"] in told and row["source_address"] and row["destination_address"]]


def _add(
    row: dict[str, Any], ids: dict[tuple[str, str], str], edges: frozenset[_Edge], by_edge: dict[_Edge, _Found]
) -> None:
    sender, receiver = (
        ids.get((row["source"], address), address) for address in (row["source_address"], row["destination_address"])
    )
    there, back = _Edge(sender, receiver, row["protocol"]), _Edge(receiver, sender, row["protocol"])
    edge = back if back in edges and there not in edges else there
    found = by_edge.setdefault(edge, _Found(edge, 0, set(), {}, [], []))
    found.count += row["frame_count"]
    found.senders.add(sender)
    found.expected[row["expected"]] = None
    found.evidence.append(Evidence(row["source"], row["capture"], row["frame_min"]))
    found.when.append((row["time_min"], row["time_max"]))


def _finding(context: Context, detector: Detector, kind: Kind, found: _Found) -> Finding:
    client, server, protocol = found.edge
    what = kind.code.replace("_", " ")
    return detector.finding(
        (("client", client), ("server", server), ("protocol", protocol), ("code", kind.code)),
        f"{context.name(client)} and {context.name(server)}: {what}{f' in {protocol}' if protocol else ''}",
        kind.severity or detector.severity,
        (f"{times(found.count, 'message')} with this oddity, sent by {context.names(sorted(found.senders))}",),
        f"{kind.means} Expected: {listing(found.expected, MOST_EXPECTATIONS)}.",
        bounded(found.evidence),
        remedy=kind.action,
        assets=(client, server),
        protocol=protocol,
        zones=(context.zone(client), context.zone(server)),
        technique=_TECHNIQUES.get(kind.code, ()),
        count=found.count,
        when=span(found.when),
    )


def _others(context: Context, detector: Detector, kind: Kind, rest: list[_Found]) -> Finding:
    what = kind.code.replace("_", " ")
    names = (f"{context.name(found.edge.client)} and {context.name(found.edge.server)}" for found in rest)
    return detector.finding(
        (("code", kind.code), ("edges", "others")),
        f"{times(len(rest), 'further connection')}: {what}",
        kind.severity or detector.severity,
        (f"{times(sum(found.count for found in rest), 'message')} with this oddity",),
        f"{kind.means} Between {listing(names)}.",
        bounded(item for found in rest for item in found.evidence),
        remedy=kind.action,
        assets=[end for found in rest[:MOST_EDGES] for end in found.edge[:2]],
        count=sum(found.count for found in rest),
        when=span(item for found in rest for item in found.when),
    )


_TECHNIQUES: Final = {"conflicting_overlap": ("T0820",)}
"""Exploitation for Evasion."""

_HEAD: Final = """\
# Oddities

A message that is malformed or breaks its protocol is kept as far as it could be read, and told in the table `oddities`
with its layer, the offset within the message or header, and what was expected there. The codes are a closed list; the
rules make findings (`protocol.malformed`) of those that have a severity, by code and connection.

`python -m zonewatch.rules.oddities` writes this page.

| code | layers | severity | the standard expects | it can mean | what to do |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The documentation of all codes, as Markdown."""
    rows = (
        f"| `{kind.code}` | {', '.join(kind.layers)} | {kind.severity or 'no finding'} | {kind.expects} | {kind.means} "
        f"| {kind.action} |\n"
        for kind in KINDS
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")
