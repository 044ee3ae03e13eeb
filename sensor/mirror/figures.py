"""The figures by which a mirror port is judged, out of the engine's tables. Nothing is asked of a machine here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.dissectors.vocabulary import OT_SERVICES
from zonewatch.reports.collect import captures
from zonewatch.reports.result import totals
from zonewatch.sensor.mirror.ways import LEAST, conversations

__all__ = ["Seen", "seen"]

_SPOKEN: Final = frozenset(("established", "closed", "reset"))
"""States of a TCP connection in which both sides must have sent."""
_LAN: Final = 24
"""Length of the prefix by which networks are told apart, where nobody says their masks."""
_HOSTS: Final = 2
"""Hosts of a network that must have been heard asking by ARP, before it counts."""
_FLOW: Final = (
    "transport", "client", "server", "server_port", "vlan", "client_mac", "server_mac", "service", "state",
    "packets_out", "packets_in", "flows",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What came from a mirror port. Counts are packets unless said otherwise."""

    packets: int = 0
    unicast: int = 0  # between two stations
    group: int = 0  # broadcast and multicast
    own: int = 0  # unicast to or from this machine
    busiest: str = ""  # the station at one end of most unicast packets
    busiest_packets: int = 0
    stations: int = 0  # that sent
    both_ways: int = 0  # TCP connections
    one_way: int = 0  # TCP connections of which one side was heard alone, though both must have sent
    one_way_sample: str = ""
    udp_both_ways: int = 0  # pairs of hosts and a protocol over UDP that asks and answers
    udp_answers: int = 0  # of them, answers alone were heard
    udp_asked: int = 0  # requests alone: so it is, too, where the one who is asked is switched off
    duplicates: int = 0
    repeats: int = 0
    gaps: int = 0  # holes in TCP streams
    cut: int = 0
    long: int = 0
    checksums_tried: int = 0
    checksums_wrong: int = 0
    drops: int | None = None  # none: nobody says
    undecoded: int = 0
    clock_jumps: int = 0
    untimed: int = 0
    silence: int = 0  # longest time without a packet, nanoseconds
    first_time: int = 0
    last_time: int = 0
    now: int | None = None  # when listening ended; none: a file
    vlans: tuple[int, ...] = ()
    untagged_networks: tuple[str, ...] = ()  # of hosts that were heard asking by ARP, without a tag
    protocols: tuple[tuple[str, int], ...] = ()  # control protocols, and how many stations speak each


def seen(
    tables: Mapping[str, pa.Table],
    *,
    own: frozenset[str] = frozenset(),
    drops: int | None = None,
    now: int | None = None,
) -> Seen:
    """The figures of one capture point. `own` are this machine's MAC addresses there."""
    total = totals(captures(tables["coverage"]))
    flows = _rows(tables["flows"], _FLOW)
    unicast = [row for row in flows if not _to_group(row["server_mac"], row["server"])]
    ends = Counter[str]()
    for row in unicast:
        for end in {row["client_mac"] or row["client"], row["server_mac"] or row["server"]}:
            ends[end] += _packets(row)
    busiest, most = max(ends.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    tcp = [row for row in unicast if row["transport"] == "tcp" and row["state"] in _SPOKEN]
    tcp = [row for row in tcp if _packets(row) >= LEAST]
    one_way = [row for row in tcp if not (row["packets_out"] and row["packets_in"])]
    udp = conversations(tables).to_pylist()
    count = sum(map(_packets, unicast))
    return Seen(
        packets=total.packets,
        unicast=count,
        group=sum(map(_packets, flows)) - count,
        own=sum(_packets(row) for row in unicast if own & {row["client_mac"], row["server_mac"]}),
        busiest=busiest,
        busiest_packets=most,
        stations=len(_senders(flows)),
        both_ways=sum(row["flows"] for row in tcp) - sum(row["flows"] for row in one_way),
        one_way=sum(row["flows"] for row in one_way),
        one_way_sample=_sample(one_way or [row for row in udp if not (row["packets_out"] and row["packets_in"])]),
        udp_both_ways=sum(bool(row["packets_out"] and row["packets_in"]) for row in udp),
        udp_answers=sum(not row["packets_out"] for row in udp),
        udp_asked=sum(not row["packets_in"] for row in udp),
        duplicates=total.duplicates,
        repeats=total.repeats,
        gaps=total.gaps,
        cut=total.cut_packets,
        long=total.long_packets,
        checksums_tried=total.checksums_tried,
        checksums_wrong=total.checksums_wrong,
        drops=drops if drops is not None else total.reported_drops,
        undecoded=total.undecoded_packets,
        clock_jumps=total.clock_jumps,
        untimed=total.untimed_packets,
        silence=total.silence,
        first_time=total.first_time,
        last_time=total.last_time,
        now=now,
        vlans=tuple(sorted({row["vlan"] for row in flows if row["vlan"]})),
        untagged_networks=_networks(tables["addresses"]),
        protocols=_protocols(flows),
    )


def _rows(table: pa.Table, names: Iterable[str]) -> list[dict[str, Any]]:
    return table.select(list(names)).to_pylist()


def _packets(row: Mapping[str, Any]) -> int:
    return int(row["packets_out"]) + int(row["packets_in"])


def _to_group(mac: str, address: str) -> bool:
    """Whether it is for many: by the group bit of the receiver's MAC address, else by the IP address."""
    place = mac or address
    if len(place) == 17 and place[2] == ":":
        return bool(int(place[:2], 16) & 1)
    try:
        known = ip_address(place)
    except ValueError:
        return False
    return known.is_multicast or str(known) == "255.255.255.255"


def _senders(flows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Stations that sent, by MAC address where there is one."""
    found = set()
    for row in flows:
        for end, packets in (("client", "packets_out"), ("server", "packets_in")):
            if row[packets]:
                found.add(row[f"{end}_mac"] or row[end])
    return found


def _sample(rows: list[dict[str, Any]]) -> str:
    """The longest of one-sided connections, in words."""
    if not rows:
        return ""
    row = max(rows, key=lambda row: (_packets(row), row["client"], row["server"], row["service"]))
    sender, receiver = ("client", "server") if row["packets_out"] else ("server", "client")
    return f"{row[sender]} to {row[receiver]} (port {row['server_port']}): {_packets(row):,} packets, none back"


def _networks(addresses: pa.Table) -> tuple[str, ...]:
    """Networks whose hosts asked by ARP without a tag."""
    asked = _rows(
        addresses.filter(
            pc.and_(pc.equal(addresses["via"].cast(pa.utf8()), pa.scalar("arp")), pc.is_null(addresses["vlan"]))
        ),
        ("address",),
    )
    hosts = Counter[IPv4Network]()
    for address in {row["address"] for row in asked}:
        known = ip_address(address)
        if known.version == 4 and not known.is_link_local:
            network = ip_network(f"{known}/{_LAN}", strict=False)
            assert isinstance(network, IPv4Network)
            hosts[network] += 1
    return tuple(str(network) for network, count in sorted(hosts.items()) if count >= _HOSTS)


def _protocols(flows: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    speakers: dict[str, set[str]] = {}
    for row in flows:
        if row["service"] in OT_SERVICES:
            ends = [row["client"]] if _to_group(row["server_mac"], row["server"]) else [row["client"], row["server"]]
            speakers.setdefault(row["service"], set()).update(ends)
    return tuple((name, len(found)) for name, found in sorted(speakers.items()))
