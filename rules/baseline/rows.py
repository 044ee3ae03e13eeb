"""Traffic as the rows that a baseline is made of and compared with: both ends by their names, words as plain text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.vocabulary import STATE_CHANGING, Operation
from zonewatch.inventory.model import Asset, Edge, Evidence, Inventory
from zonewatch.inventory.tables import Total, grouped, in_order, plain
from zonewatch.inventory.traffic import ANSWERS
from zonewatch.rules.baseline.model import EXTERNAL, FunctionKey, KnownAsset, Points
from zonewatch.rules.policy.words import is_unknown

DYNAMIC: Final = 32_768
"""From here on operating systems take the ports of clients; a service is not known by one."""


class Row(NamedTuple):
    """Messages of one function about one range of objects, within a quarter of an hour."""

    source: str
    client: str
    server: str
    protocol: str
    client_unit: str
    unit: str
    kind: str
    code: int | None
    name: str
    operation: Operation
    status: str
    points: Points | None
    coalesced: bool
    bucket: int
    events: int
    times: int
    first: int
    last: int
    low: float | None
    high: float | None
    changes: int
    evidence: Evidence

    @property
    def edge(self) -> tuple[str, str, str]:
        """The key of its edge."""
        return self.client, self.server, self.protocol

    @property
    def function(self) -> FunctionKey:
        """The key of its function."""
        return self.code, self.name, self.operation, self.unit

    @property
    def label(self) -> str:
        """How people are told its function."""
        return self.name or ("" if self.code is None else f"function {self.code}") or self.operation

    @property
    def changing(self) -> bool:
        """True where it can alter the process, the device or its program."""
        return self.operation in STATE_CHANGING

    @property
    def answered(self) -> bool:
        """True where the server was seen to send."""
        return self.status in ANSWERS or self.kind == "unsolicited"


class Talk(NamedTuple):
    """Connections of one edge of which no messages are decoded."""

    client: str
    server: str
    protocol: str
    transport: str
    answered: bool
    spans: tuple[tuple[int, int], ...]
    connections: int
    evidence: tuple[Evidence, ...]


class Names:
    """Names of both ends, the same from capture to capture: those of the assets that are known already."""

    def __init__(self, inventory: Inventory, known: Iterable[KnownAsset] = ()) -> None:
        self._by_address = inventory.by_address
        self._names: dict[str, str] = {}
        ids: set[str] = set()
        addresses: dict[str, str] = {}
        macs: dict[str, str] = {}
        for one in known:
            ids.add(one.id)
            addresses.update((address, one.id) for address in one.addresses)
            macs.update((mac, one.id) for mac in one.macs)
        for asset in inventory.assets:
            by_address = next((addresses[item] for item in asset.addresses if item in addresses), "")
            by_mac = next((macs[item] for item in asset.macs if item in macs), "")
            # A device whose address is leased anew is known by its MAC address.
            found = asset.id if asset.id in ids else by_address or by_mac or asset.id
            self._names[asset.id] = EXTERNAL if asset.kind == "external" else found

    def ids(self) -> dict[str, str]:
        """The inventory's id of each named device; of several with one name the first."""
        found: dict[str, str] = {}
        for asset, name in self._names.items():
            if name != EXTERNAL:
                found.setdefault(name, asset)
        return found

    def of(self, end: str) -> str:
        """The name of an asset's id; any other end is named as it is."""
        return self._names.get(end, end)

    def at(self, source: str, address: str) -> str:
        """The name of who has this address at a capture point."""
        asset = self._by_address.get((source, address))
        return self.of(asset) if asset is not None else f"broadcast:{address}"

    def assets(self, inventory: Inventory) -> Iterator[tuple[str, Asset]]:
        """Devices with their names; hosts of the internet are none."""
        for asset in inventory.assets:
            if asset.kind != "external":
                yield self.of(asset.id), asset


_KEYS: Final = (
    *("source", "client", "server", "protocol", "client_unit", "server_unit", "kind", "function", "function_name"),
    *("operation", "status", "object_kind", "object_start", "object_count", "property_name", "coalesced", "bucket"),
)


def rows(aggregates: pa.Table, names: Names) -> list[Row]:
    """The aggregates, by first time."""
    table = in_order(plain(aggregates), "first_time", "source", "capture", "first_frame")
    totals: tuple[tuple[str, Total], ...] = (
        *(("events", "sum"), ("count", "sum"), ("first_time", "min"), ("last_time", "max")),
        *(("value_min", "min"), ("value_max", "max"), ("changes", "sum")),
    )
    found = []
    for item in grouped(table, _KEYS, totals, ("capture", "first_frame")):
        known = dict(zip(_KEYS, item, strict=False))
        events, times, first, last, low, high, changes, capture, frame = item[len(_KEYS) :]
        kind = known["object_kind"]
        found.append(
            Row(
                source=known["source"],
                client=names.at(known["source"], known["client"]),
                server=names.at(known["source"], known["server"]),
                protocol=known["protocol"],
                client_unit=known["client_unit"] or "",
                unit=known["server_unit"] or "",
                kind=known["kind"],
                code=known["function"],
                name=known["function_name"],
                operation=known["operation"],
                status=known["status"],
                points=Points.of(kind, known["object_start"], known["object_count"], known["property_name"])
                if kind
                else None,
                coalesced=known["coalesced"],
                bucket=known["bucket"],
                events=events,
                times=times,
                first=first,
                last=last,
                low=low,
                high=high,
                changes=changes,
                evidence=Evidence(known["source"], capture, frame),
            )
        )
    return found


def talks(inventory: Inventory, flows: pa.Table, names: Names) -> list[Talk]:
    """The edges of which no messages are decoded, with the times of their connections."""
    spans: defaultdict[tuple[str, str, str, int], list[tuple[int, int, int]]] = defaultdict(list)
    columns = ("source", "client", "server", "transport", "server_port", "first_time", "last_time", "flows")
    table = plain(flows.select(columns))
    by_address = inventory.by_address
    for source, client, server, transport, port, first, last, count in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        ends = (by_address.get((source, client), ""), by_address.get((source, server), f"broadcast:{server}"))
        spans[(*ends, transport, port)].append((first, last, count))
    found = []
    for edge in inventory.edges:
        if edge.ot:
            continue
        own = spans.get((edge.client, edge.server, edge.transport, edge.server_port), [])
        found.append(
            Talk(
                client=names.of(edge.client),
                server=names.of(edge.server),
                protocol=protocol_of(edge),
                transport=edge.transport,
                answered=edge.state not in ("attempted", "refused"),
                spans=tuple(sorted((first, last) for first, last, _ in own)) or ((edge.first_time, edge.last_time),),
                connections=sum(count for *_, count in own) or 1,
                evidence=edge.evidence,
            )
        )
    return found


def protocol_of(edge: Edge) -> str:
    """The word for what an edge speaks; ports that were handed out for once are told as one. What nobody decodes is
    told by its port, whatever name a policy gives it: a baseline outlasts the name."""
    protocol = edge.protocol
    if is_unknown(protocol):
        port = f"0x{edge.server_port:04x}" if edge.transport == "ethernet" else edge.server_port
        protocol = f"{edge.transport}/{port}" if edge.server_port else edge.transport
    head, _, port_ = protocol.partition("/")
    if head in ("tcp", "udp") and port_.isdigit() and int(port_) >= DYNAMIC:
        return f"{head}/dynamic"
    return protocol


def oriented(talk: Talk, known: Mapping[tuple[str, str, str], object]) -> tuple[str, str, str]:
    """The key of a connection. Who began is a guess for datagrams and nameless ports: a known edge settles it."""
    key = (talk.client, talk.server, talk.protocol)
    other = (talk.server, talk.client, talk.protocol)
    if key not in known and other in known and (talk.transport == "udp" or "/" in talk.protocol):
        return other
    return key
