"""Scans: one client that asks many address and port pairs which do not answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.inventory.addresses import is_group, order
from zonewatch.inventory.model import Edge, Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import ANSWERED, MOST_EVIDENCE, Context, Detector, Fact, Told, bounded, listing, times

FEWEST_TARGETS: Final = 15
MOST_PACKETS: Final = 5
"""A probe is a packet and its repetitions. More than this unanswered is traffic whose answers were not captured."""

MOST_PACKETS_ANSWERED: Final = 4
"""SYN, SYN and ACK, ACK, RST: a probe that found an open port. More is a session, and told apart."""

SURROUNDINGS: Final = 60_000_000_000
"""A minute before and after the unanswered probes belongs to the scan (nanoseconds)."""

_UNANSWERED: Final = ("attempted", "refused", "one_way")


@dataclass(frozen=True, slots=True)
class Scan:
    """What one client probed."""

    client: str  # asset id, or address
    servers: tuple[str, ...]
    ports: tuple[int, ...]
    targets: int  # distinct address and port pairs
    probes: int
    first_time: int
    last_time: int
    evidence: tuple[Evidence, ...]


def scans(flows: pa.Table, ids: dict[tuple[str, str], str]) -> tuple[Scan, ...]:
    """Clients with at least 15 distinct unanswered or refused address and port pairs, by client."""
    probes = _probes(flows)
    if not probes.num_rows:
        return ()
    targets = probes.group_by(["source", "client", "server", "transport", "server_port"]).aggregate([([], "count_all")])
    counts = targets.group_by(["source", "client"]).aggregate([([], "count_all")])
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in counts.filter(pc.field("count_all") >= FEWEST_TARGETS).to_pylist():
        place = (row["source"], row["client"])
        found[ids.get(place, row["client"])].append(place)
    return tuple(_scan(client, sorted(places), probes) for client, places in sorted(found.items()))


def _probes(flows: pa.Table) -> pa.Table:
    table = plain(flows)
    words: list[Any] = [
        pc.is_in(table["state"], value_set=pa.array(_UNANSWERED)),
        pc.is_in(table["transport"], value_set=pa.array(["tcp", "udp", "icmp", "icmpv6"])),
        pc.less_equal(table["packets_out"], pa.scalar(MOST_PACKETS, pa.uint64())),
    ]
    table = table.filter(pc.and_(pc.and_(words[0], words[1]), words[2]))
    servers: list[Any] = table["server"].unique().to_pylist()
    groups = [address for address in servers if is_group(address) or address.endswith(".255")]
    to_one: Any = pc.invert(pc.is_in(table["server"], value_set=pa.array(groups, pa.utf8())))
    return table.filter(to_one)


def _scan(client: str, places: list[tuple[str, str]], probes: pa.Table) -> Scan:
    parts = [
        probes.filter((pc.field("source") == source) & (pc.field("client") == address)) for source, address in places
    ]
    rows = pa.concat_tables(parts).sort_by([("first_time", "ascending"), ("first_frame", "ascending")])
    pairs = rows.group_by(["server", "transport", "server_port"]).aggregate([])
    servers: list[Any] = pairs["server"].unique().to_pylist()
    ports: list[Any] = pairs["server_port"].unique().to_pylist()
    starts: list[Any] = rows["first_time"].to_pylist()
    ends: list[Any] = rows["last_time"].to_pylist()
    first = rows.slice(0, MOST_EVIDENCE).select(["source", "capture", "first_frame"]).to_pylist()
    return Scan(
        client=client,
        servers=tuple(sorted(servers, key=order)),
        ports=tuple(sorted(ports)),
        targets=pairs.num_rows,
        probes=rows.num_rows,
        first_time=min(starts),
        last_time=max(ends),
        evidence=tuple(Evidence(row["source"], row["capture"], row["first_frame"]) for row in first),
    )


def _belongs(edge: Edge, seen: Scan) -> bool:
    """True for what is part of the scan: probes, answered or not, and discovery at the same time, with its answers."""
    near = seen.first_time - SURROUNDINGS <= edge.first_time and edge.last_time <= seen.last_time + SURROUNDINGS
    if edge.ot:
        return seen.client in (edge.client, edge.server) and edge.operations == ("discover",) and near
    if edge.client != seen.client:
        return False
    return edge.state not in ANSWERED or (near and edge.packets <= MOST_PACKETS_ANSWERED)


def _facts(edges: Iterable[Edge]) -> frozenset[Fact]:
    return frozenset((edge.client, edge.server, edge.protocol) for edge in edges)


def scan(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """A client that looks for what is there."""
    for seen in scans(context.flows, context.inventory.by_address):
        edges = [edge for edge in context.inventory.edges if _belongs(edge, seen)]
        facts = _facts(edges) - _facts(edge for edge in context.inventory.edges if not _belongs(edge, seen))
        found = sorted(
            {(edge.server, edge.protocol) for edge in edges if edge.state in ANSWERED and edge.server != seen.client}
        )
        sources = {item.source for item in seen.evidence}
        asked = {
            context.inventory.by_address.get((source, address), "") for source in sources for address in seen.servers
        }
        process = sorted(asset for asset in asked if asset and context.is_process(asset))
        reasons = [f"{seen.targets:,} address and port pairs without an answer, {FEWEST_TARGETS} are a scan"]
        reasons += [f"at {source}: {context.blind[source]}" for source in sorted(sources) if source in context.blind]
        if process:
            reasons.append(f"process devices among them: {context.names(process)}")
        ports = listing((str(port) for port in seen.ports), 16)
        seconds = (seen.last_time - seen.first_time) / 1e9
        where = "one address" if len(seen.servers) == 1 else f"{len(seen.servers):,} addresses"
        services = [f"{service} of {context.name(server)}" for server, service in found]
        answered = f" It found: {listing(services)}." if services else ""
        asset = context.assets.get(seen.client)
        finding = detector.finding(
            (("client", seen.client),),
            f"{context.name(seen.client)} scans the network",
            "high" if process else detector.severity,
            reasons,
            f"{times(seen.probes, 'probe')} in {seconds:,.0f} s at {where}"
            f" ({listing(seen.servers, 6)}), ports {ports}.{answered}",
            bounded(seen.evidence),
            assets=(seen.client, *process[:20]),
            zones=(asset.zone if asset else "",),
            count=seen.probes,
            when=(seen.first_time, seen.last_time),
        )
        yield Told(finding, facts - told)
