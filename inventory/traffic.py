"""Traffic as few rows: distinct OT conversations, and links for everything else, with scans folded up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.inventory.addresses import UNSPECIFIED, is_group, is_group_mac, subnet
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import grouped, in_order, plain

Place = tuple[str, str]
"""Source and address (or MAC address)."""

UNANSWERED_PORTS: Final = 32
"""More unanswered ports than this between one pair are one link: a scan."""

UNNAMED_PORTS: Final = 256
"""More answered ports without a known service than this between one pair are one link: dynamic ports."""

SERVER_PORTS: Final = 8
"""More server ports than this of one OT protocol between one pair are dynamic: they are told as port 0."""

SILENT_SERVERS: Final = 8
"""More servers that never sent anything than this, asked for one service by one client, are one link per subnet."""

STATES: Final = ("", "attempted", "one_way", "refused", "reset", "two_way", "closed", "established")
"""Flow states, the best last."""

ANSWERED_STATES: Final = frozenset(("reset", "two_way", "closed", "established"))
ANSWERS: Final = frozenset(("ok", "error", "response_only"))
"""Statuses of events that something answered."""


class Conversation(NamedTuple):
    """OT events that differ in time and value only."""

    source: str
    client: str
    server: str
    protocol: str
    transport: str
    server_port: int
    server_unit: str | None
    kind: str
    function: int | None
    function_name: str
    operation: Operation
    status: str
    object_kind: str | None
    property_name: str
    object_start: int | None
    object_count: int
    events: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int
    last_capture: str
    sample_frames: list[int]

    @property
    def answered(self) -> bool:
        """True where the server was seen to send: an answer, or of its own accord."""
        return self.status in ANSWERS or self.kind == "unsolicited"

    @property
    def evidence(self) -> Evidence:
        """Its first frame."""
        return Evidence(self.source, self.capture, self.first_frame)


class FlowGroup(NamedTuple):
    """Flows that differ in client port and time only."""

    source: str
    transport: str
    client: str
    server: str
    server_port: int
    service: str
    basis: str
    state: str
    ot: bool  # its events are in a conversation with the same client, server and port
    packets_out: int
    packets_in: int
    bytes_out: int
    bytes_in: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int


class Link(NamedTuple):
    """Traffic from one client to one service of one server, or to many (`server` is then a subnet)."""

    source: str
    client: str
    server: str
    protocol: str
    transport: str
    server_port: int
    ot: bool
    many: bool  # a sweep over addresses that never answered
    basis: str
    state: str
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


def conversations(aggregates: pa.Table) -> tuple[Conversation, ...]:
    """The distinct rows of the aggregates without their time buckets and values, by first time."""
    ordered = in_order(plain(aggregates), "first_time", "source", "capture", "first_frame")
    rows = grouped(
        ordered,
        Conversation._fields[:16],
        (("events", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame", "last_capture", "sample_frames"),
    )
    return tuple(Conversation(*row) for row in rows)


def flow_groups(flows: pa.Table, ot: Iterable[Conversation]) -> tuple[FlowGroup, ...]:
    """The distinct flows without client ports, by first time.

    A flow that carries a conversation the other way round (an outstation that opened the connection, both ends on
    47808) is turned, so that client and server are protocol roles.
    """
    table = _turned(_named_by_mac(plain(flows)), ot)
    rows = grouped(
        in_order(table, "first_time", "source", "capture", "first_frame"),
        FlowGroup._fields[:9],
        (
            ("packets_out", "sum"),
            ("packets_in", "sum"),
            ("bytes_out", "sum"),
            ("bytes_in", "sum"),
            ("first_time", "min"),
            ("last_time", "max"),
        ),
        ("capture", "first_frame"),
    )
    return tuple(FlowGroup(*row) for row in rows)


def _named_by_mac(table: pa.Table) -> pa.Table:
    """A client without an address yet (DHCP, duplicate address detection) is known by its MAC address."""
    client = table["client"]
    unspecified = pc.is_in(client, value_set=pa.array(UNSPECIFIED))
    column = pc.if_else(unspecified, table["client_mac"], client)
    return table.set_column(table.schema.get_field_index("client"), "client", column)


def _turned(table: pa.Table, ot: Iterable[Conversation]) -> pa.Table:
    keys = sorted({_KEY.join((c.source, c.transport, c.client, c.server, str(c.server_port))) for c in ot})
    known = pa.array(keys, pa.utf8())

    def covered(*names: str) -> Any:
        words: list[Any] = [table[name].cast(pa.utf8()) for name in names]
        return pc.is_in(pc.binary_join_element_wise(*words, _KEY), value_set=known)

    forward = covered("source", "transport", "client", "server", "server_port")
    backward = pc.and_not(covered("source", "transport", "server", "client", "client_port"), forward)
    swaps = (
        ("client", "server"),
        ("server_port", "client_port"),
        ("packets_out", "packets_in"),
        ("bytes_out", "bytes_in"),
    )
    columns = {name: table[name] for name in table.column_names}
    for one, other in swaps:
        columns[one] = pc.if_else(backward, table[other], table[one])
        columns[other] = pc.if_else(backward, table[one], table[other])
    return pa.table({**columns, "ot": pc.or_(forward, backward)})


_KEY: Final = "\x1f"


def speakers(ot: Iterable[Conversation], flows: Iterable[FlowGroup], senders: Collection[Place]) -> frozenset[Place]:
    """Everyone who was seen to send. `senders` are those of the engine's address table."""
    found = set(senders)
    for talk in ot:
        found.add((talk.source, talk.client))
        if talk.answered:
            found.add((talk.source, talk.server))
    for flow in flows:
        if flow.packets_out:
            found.add((flow.source, flow.client))
        if flow.packets_in:
            found.add((flow.source, flow.server))
    return frozenset(place for place in found if place[1] and place[1] not in UNSPECIFIED and not is_group(place[1]))


def broadcasts(flows: pa.Table, ot: Iterable[Conversation], senders: Collection[Place]) -> frozenset[Place]:
    """Destinations that mean many: multicast, limited broadcast, and subnet broadcasts.

    A subnet broadcast is an address that never sent, and either was sent to with a group MAC address or ends in .255.
    """
    macs = flows["server_mac"].unique().cast(pa.utf8())
    group_macs = pa.array([mac for mac in macs.to_pylist() if mac and is_group_mac(mac)], pa.utf8())
    to_group = pc.is_in(flows["server_mac"].cast(pa.utf8()), value_set=group_macs)
    by_mac = {(row["source"], row["server"]) for row in _distinct(flows.filter(to_group), "source", "server")}
    named = {(row["source"], row["server"]) for row in _distinct(flows, "source", "server")}
    named |= {(talk.source, address) for talk in ot for address in (talk.client, talk.server)}
    return frozenset(
        place
        for place in named
        if is_group(place[1]) or (place not in senders and (place in by_mac or place[1].endswith(".255")))
    )


def _distinct(table: pa.Table, *columns: str) -> list[dict[str, str]]:
    words = pa.table({name: table[name].cast(pa.utf8()) for name in columns})
    return words.group_by(list(columns)).aggregate([]).to_pylist()


def with_few_ports(talks: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """Folds the many server ports of one pair (an outstation that opens connections) into port 0."""
    ports: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for talk in talks:
        ports[talk[:5]].add(talk.server_port)
    return tuple(talk._replace(server_port=0) if len(ports[talk[:5]]) > SERVER_PORTS else talk for talk in talks)


def links(flows: Iterable[FlowGroup], speaking: Collection[Place], many: Collection[Place]) -> tuple[Link, ...]:
    """One link per client, server and service. Port scans and sweeps over silent addresses are folded up.

    A folded port scan has protocol `tcp/*` and port 0; a folded sweep has a subnet as server and `many` set.
    """
    merged: dict[tuple[str, str, str, str, str, int, bool], Link] = {}
    for link in _swept(_scanned(_link(flow) for flow in flows), speaking, many):
        key = (link.source, link.client, link.server, link.protocol, link.transport, link.server_port, link.ot)
        earlier = merged.get(key)
        merged[key] = link if earlier is None else _sum(earlier, link)
    return tuple(merged.values())


def _link(flow: FlowGroup) -> Link:
    protocol, port = _protocol(flow.service, flow.transport, flow.server_port)
    return Link(
        source=flow.source,
        client=flow.client,
        server=flow.server,
        protocol=protocol,
        transport=flow.transport,
        server_port=port,
        ot=flow.ot,
        many=False,
        basis=flow.basis if flow.service else "",
        state=flow.state,
        packets=flow.packets_out + flow.packets_in,
        bytes=flow.bytes_out + flow.bytes_in,
        first_time=flow.first_time,
        last_time=flow.last_time,
        capture=flow.capture,
        first_frame=flow.first_frame,
    )


@lru_cache(maxsize=1 << 17)
def _protocol(service: str, transport: str, port: int) -> tuple[str, int]:
    """Name and port of a service. The port of ICMP is its type, which makes no service of its own."""
    if transport in ("tcp", "udp"):
        return service or f"{transport}/{port}", port
    if transport == "ethernet":
        return service or f"ethernet/0x{port:04x}", port
    return service or transport, 0


def _sum(one: Link, other: Link) -> Link:
    first, last = (one, other) if one.first_time <= other.first_time else (other, one)
    return first._replace(
        basis="content" if "content" in (one.basis, other.basis) else first.basis or last.basis,
        state=max(one.state, other.state, key=_rank),
        packets=one.packets + other.packets,
        bytes=one.bytes + other.bytes,
        last_time=max(one.last_time, other.last_time),
    )


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else 0


def _scanned(given: Iterable[Link]) -> Iterator[Link]:
    """Folds the many ports of one pair: those without an answer, and those without a name."""
    rows = tuple(given)
    ports: defaultdict[tuple[str, str, str, str, bool], set[int]] = defaultdict(set)
    for row in rows:
        if _foldable(row):
            ports[_pair(row)].add(row.server_port)
    for row in rows:
        limit = UNNAMED_PORTS if row.answered else UNANSWERED_PORTS
        if _foldable(row) and len(ports[_pair(row)]) > limit:
            yield row._replace(protocol=f"{row.transport}/*", server_port=0, basis="")
        else:
            yield row


def _foldable(row: Link) -> bool:
    return not row.ot and row.transport in ("tcp", "udp") and (not row.answered or not row.basis)


def _pair(row: Link) -> tuple[str, str, str, str, bool]:
    return row.source, row.client, row.server, row.transport, row.answered


def _swept(given: Iterable[Link], speaking: Collection[Place], many: Collection[Place]) -> Iterator[Link]:
    """Folds the many silent servers that one client asked for one service."""
    rows = tuple(given)
    silent = [not row.ot and _is_silent((row.source, row.server), speaking, many) for row in rows]
    counts = Counter(
        service
        for service, _ in {(_asked(row), row.server) for row, unheard in zip(rows, silent, strict=True) if unheard}
    )
    for row, unheard in zip(rows, silent, strict=True):
        if unheard and counts[_asked(row)] > SILENT_SERVERS:
            yield row._replace(server=subnet(row.server), many=True)
        else:
            yield row


def _is_silent(place: Place, speaking: Collection[Place], many: Collection[Place]) -> bool:
    return place not in speaking and place not in many


def _asked(row: Link) -> tuple[str, str, str, str, int]:
    return row.source, row.client, row.protocol, row.transport, row.server_port
