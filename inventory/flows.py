"""Flows as few rows: one link per client, server and service, with scans folded up.

Rows are marked and folded as columns; only what is left becomes Python values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.addresses import UNSPECIFIED, is_group, is_group_mac, subnet
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import grouped, in_order, plain
from zonewatch.inventory.traffic import Conversation, Place

UNANSWERED_PORTS: Final = 32
"""More unanswered ports than this between one pair are one link: a scan."""

UNNAMED_PORTS: Final = 256
"""More answered ports without a known service than this between one pair are one link: dynamic ports."""

SILENT_SERVERS: Final = 8
"""More servers that never sent anything than this, asked for one service by one client, are one link per subnet."""

STATES: Final = ("", "attempted", "one_way", "refused", "reset", "two_way", "closed", "established")
"""Flow states, the best last."""

LINKS: Final = ("ethernet", "arcnet", "mstp", "serial", "profibus")
"""Transports without an internet layer: their port is an EtherType or a service access point, or 0 for neither."""

ARP_TYPES: Final = (0x0806, 0x8035)
"""EtherTypes of ARP and RARP (RFC 826, RFC 903)."""

ANSWERED_STATES: Final = ("reset", "two_way", "closed", "established")

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

_SIDES: Final = (
    ("client", "server"),
    ("client_mac", "server_mac"),
    ("server_port", "client_port"),
    ("packets_out", "packets_in"),
)
_SEPARATOR: Final = "\x1f"
_MAY_BE_GROUP: Final = r"^2[23]\d\.|^[fF][fF]|\.255$|^[0-9a-fA-F]{2}:.{14}$|^mstp:255$|^arcnet:0$|^(rtu|dnp3|profibus):"


class Link(NamedTuple):
    """Traffic from one client to one service of one server, or to many (`server` is then a subnet)."""

    source: str
    transport: str
    client: str
    server: str
    server_port: int
    protocol: str
    basis: str
    state: str
    ot: bool  # carries a conversation with the same client, server and port
    many: bool  # a sweep over addresses that never answered
    packets: int
    bytes: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int

    @property
    def evidence(self) -> Evidence:
        """Its first frame."""
        return Evidence(self.source, self.capture, self.first_frame)

    @property
    def answered(self) -> bool:
        """True where both sides were seen to take part."""
        return self.state in ANSWERED_STATES


@dataclass(frozen=True, slots=True)
class Traffic:
    """Links by first time, everyone who was seen to send, and the destinations that mean many."""

    links: tuple[Link, ...]
    speaking: frozenset[Place]
    many: frozenset[Place]


def traffic(flows: pa.Table, talks: Sequence[Conversation], senders: Collection[Place]) -> Traffic:
    """What the flows show beside the conversations `talks`. `senders` are those of the engine's address table.

    A flow that carries a conversation the other way round (an outstation that opened the connection, both ends on
    47808) is turned, so that client and server are protocol roles. So is what a server sends to a group (an offer of
    DHCP to everybody): a group asks for nothing. A folded port scan has protocol `tcp/*` and port 0;
    a folded sweep has a subnet as server and `many` set.
    """
    table = _turned(_from_senders(_named_by_mac(_without_arp(plain(flows)))), talks)
    many = _many(table, talks, senders)
    speaking = _speaking(table, talks, senders)
    folded = _without_sweeps(_without_scans(_with_protocol(table)), [*speaking, *many])
    links = grouped(
        in_order(folded, "first_time", "source", "capture", "first_frame"),
        Link._fields[:10],
        (("packets", "sum"), ("bytes", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame"),
    )
    return Traffic(tuple(link for row in links if (link := Link(*row)).client and link.server), speaking, many)


def _set(table: pa.Table, **columns: Any) -> pa.Table:
    return pa.table({**{name: table[name] for name in table.column_names}, **columns})


def _key(table: pa.Table, *names: str) -> Any:
    words: list[Any] = [table[name].cast(pa.utf8()) for name in names]
    return pc.binary_join_element_wise(*words, _SEPARATOR)


def _keys(rows: Iterable[tuple[object, ...]]) -> Any:
    return pa.array(sorted({_SEPARATOR.join(map(str, row)) for row in rows}), pa.utf8())


def _among(column: Any, words: Iterable[str]) -> Any:
    return pc.is_in(column, value_set=pa.array(list(words), pa.utf8()))


def _without_arp(table: pa.Table) -> pa.Table:
    """ARP is no communication of its own; what it tells is in the engine's `addresses`."""
    return table.filter(pc.invert(pc.and_(pc.equal(table["transport"], "ethernet"), _among_numbers(table, ARP_TYPES))))


def _among_numbers(table: pa.Table, numbers: Sequence[int]) -> Any:
    port = table["server_port"]
    return pc.is_in(port, value_set=pa.array(numbers, port.type))


def _named_by_mac(table: pa.Table) -> pa.Table:
    """A client without an address yet (DHCP, duplicate address detection) is known by its MAC address."""
    unspecified = _among(table["client"], UNSPECIFIED)
    return _set(table, client=pc.if_else(unspecified, table["client_mac"], table["client"]))


def _from_senders(table: pa.Table) -> pa.Table:
    groups = [place for place in pc.unique(table["client"]).to_pylist() if is_group(place)]
    targets = [place for place in pc.unique(table["server"]).to_pylist() if is_group(place)]
    return _swapped(table, pc.and_not(_among(table["client"], groups), _among(table["server"], targets)))


def _swapped(table: pa.Table, backward: Any) -> pa.Table:
    columns = {}
    for one, other in _SIDES:
        columns[one] = pc.if_else(backward, table[other], table[one])
        columns[other] = pc.if_else(backward, table[one], table[other])
    return _set(table, **columns)


def _turned(table: pa.Table, talks: Iterable[Conversation]) -> pa.Table:
    known = _keys((talk.source, talk.transport, talk.client, talk.server, talk.server_port) for talk in talks)
    ways = (("client", "server", "server_port"), ("server", "client", "client_port"))
    forward, covered = (pc.is_in(_key(table, "source", "transport", *way), value_set=known) for way in ways)
    backward = pc.and_not(covered, forward)
    return _set(_swapped(table, backward), ot=pc.or_(forward, backward))


def _with_protocol(table: pa.Table) -> pa.Table:
    """The service, or else transport and port. The port of ICMP is its type, which makes no service of its own."""
    port = table["server_port"]
    has_ports = _among(table["transport"], ("tcp", "udp"))
    on_link = pc.and_(_among(table["transport"], LINKS), pc.greater(port, pa.scalar(0, port.type)))
    numbers = pc.unique(port).to_pylist()
    hexadecimal = pa.array([f"0x{number:04x}" for number in numbers], pa.utf8())
    positions: Any = pc.index_in(port, value_set=pa.array(numbers, port.type))
    text = pc.if_else(on_link, hexadecimal.take(positions.combine_chunks()), port.cast(pa.utf8()))
    numbered = pc.or_(has_ports, on_link)
    by_port = pc.if_else(numbered, pc.binary_join_element_wise(table["transport"], text, "/"), table["transport"])
    unnamed = pc.equal(table["service"], "")
    return _set(
        table,
        protocol=pc.if_else(unnamed, by_port, table["service"]),
        basis=pc.if_else(unnamed, "", table["basis"]),
        server_port=pc.if_else(numbered, port, pa.scalar(0, port.type)),
        packets=pc.add(table["packets_out"], table["packets_in"]),
        bytes=pc.add(table["bytes_out"], table["bytes_in"]),
    )


def _without_scans(table: pa.Table) -> pa.Table:
    """Folds the many ports of one pair: those without an answer, and those without a name."""
    answered = _among(table["state"], ANSWERED_STATES)
    nameless = pc.or_(pc.invert(answered), pc.equal(table["basis"], ""))
    foldable = pc.and_(pc.and_not(_among(table["transport"], ("tcp", "udp")), table["ot"]), nameless)
    pair = _key(_set(table, answered=answered), "source", "client", "server", "transport", "answered")
    rows = pa.table({"pair": pair, "answered": answered, "port": table["server_port"]}).filter(foldable)
    ports = rows.group_by(["pair", "answered"]).aggregate([("port", "count_distinct")])
    limits = pc.if_else(ports["answered"], UNNAMED_PORTS, UNANSWERED_PORTS)
    scanned = ports.filter(pc.greater(ports["port_count_distinct"], limits))["pair"].combine_chunks()
    fold = pc.and_(foldable, pc.is_in(pair, value_set=scanned))
    stars = pc.binary_join_element_wise(table["transport"], "*", "/")
    port = table["server_port"]
    return _set(
        table,
        protocol=pc.if_else(fold, stars, table["protocol"]),
        basis=pc.if_else(fold, "", table["basis"]),
        server_port=pc.if_else(fold, pa.scalar(0, port.type), port),
    )


def _without_sweeps(table: pa.Table, known: Iterable[Place]) -> pa.Table:
    """Folds the many silent servers that one client asked for one service."""
    heard = pc.is_in(_key(table, "source", "server"), value_set=_keys(known))
    silent = pc.invert(pc.or_(heard, table["ot"]))
    asked = _key(table, "source", "client", "protocol", "transport", "server_port")
    rows = pa.table({"asked": asked, "server": table["server"]}).filter(silent)
    servers = rows.group_by(["asked"]).aggregate([("server", "count_distinct")])
    swept = servers.filter(pc.greater(servers["server_count_distinct"], SILENT_SERVERS))["asked"].combine_chunks()
    fold = pc.and_(silent, pc.is_in(asked, value_set=swept))
    found = pc.unique(table["server"].filter(fold)).to_pylist()
    subnets = pa.array([subnet(server) for server in found], pa.utf8())
    positions: Any = pc.index_in(table["server"], value_set=pa.array(found, pa.utf8()))
    server = pc.if_else(fold, subnets.take(positions.combine_chunks()), table["server"])
    return _set(table, server=server, many=fold)


def _speaking(table: pa.Table, talks: Iterable[Conversation], senders: Collection[Place]) -> frozenset[Place]:
    found = set(senders)
    for end, packets in (("client", "packets_out"), ("server", "packets_in")):
        found.update(_places(table.filter(pc.greater(table[packets], 0)), end))
    for talk in talks:
        found.add((talk.source, talk.client))
        if talk.answered:
            found.add((talk.source, talk.server))
    return frozenset(place for place in found if place[1] and place[1] not in UNSPECIFIED and not is_group(place[1]))


def _many(table: pa.Table, talks: Iterable[Conversation], senders: Collection[Place]) -> frozenset[Place]:
    """Destinations that mean many: multicast, limited broadcast, and subnet broadcasts.

    A subnet broadcast is an address that never sent, and either was sent to with a group MAC address or ends in .255.
    """
    macs = [mac for mac in pc.unique(table["server_mac"]).to_pylist() if is_group_mac(mac)]
    by_mac = _places(table.filter(_among(table["server_mac"], macs)), "server")
    named = _places(table.filter(pc.match_substring_regex(table["server"], _MAY_BE_GROUP)), "server")
    spoken_of = {(talk.source, address) for talk in talks for address in (talk.client, talk.server)}
    return frozenset(
        place
        for place in by_mac | named | spoken_of
        if is_group(place[1]) or (place not in senders and (place in by_mac or place[1].endswith(".255")))
    )


def _places(table: pa.Table, end: str) -> set[Place]:
    rows = table.select(["source", end]).group_by(["source", end]).aggregate([])
    columns: list[list[Any]] = [rows[name].to_pylist() for name in ("source", end)]
    return set(zip(*columns, strict=True))
