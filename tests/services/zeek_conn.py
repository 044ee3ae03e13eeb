"""Flows beside Zeek's `conn` log: who opened it, service, state, packets and octets of both directions.

Zeek starts another connection after a minute of UDP's silence and where TCP goes on after an attempt; ours is one flow.
So all rows of the same ends are taken together: their packets and octets are added, and of their states the one that
got furthest counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.services.zeek_logs import Fact, Line

Row = dict[str, Any]
End = tuple[str, int]
ANY: Final = "any"
"""Whose a row is that was cut to fields without its ends."""
_PORTS: Final = ("tcp", "udp")
_STATES: Final = ("one_way", "two_way", "attempted", "refused", "established", "closed", "reset")
"""In the order in which a flow gets to them."""
_TCP: Final = {
    "S0": "attempted",
    "REJ": "refused",
    "S1": "established",
    "S2": "closed",
    "S3": "closed",
    "SF": "closed",
    "SH": "closed",
    "SHR": "closed",
    "RSTO": "reset",
    "RSTR": "reset",
    "RSTRH": "reset",
}
"""Zeek's states of TCP; `OTH`, without a SYN, says nothing. Ours is `closed` from the first FIN on."""
_OTHERS: Final = {"S0": "one_way", "SHR": "one_way", "SF": "two_way"}
_THEIR_SERVICES: Final = {
    "dce_rpc": "dce-rpc",
    "dnp3_tcp": "dnp3",
    "genisys_tcp": "genisys",
    "opcua-binary": "opcua",
    "spicy_hart_ip_tcp": "hart-ip",
    "spicy_hart_ip_udp": "hart-ip",
    "spicy_profinet_io_cm": "profinet-cm",
    "ssl": "tls",
    "synchrophasor_tcp": "synchrophasor",
    "cotp,s7comm": "s7comm",
}
"""Their words for services that have another one here."""
_OUR_SERVICES: Final = {"llmnr": "dns", "mdns": "dns", "netbios-ns": "dns"}
"""What is one service of theirs."""
HEADERS: Final = {"0": 4, "1": 14, "101": 0, "228": 0, "229": 0}
"""Octets of the link layer before the packet, by link type."""
_TAG: Final = 4
_PADDING: Final = 46
"""The most that a short frame is filled up with."""


def conn_theirs(lines: Iterable[Line]) -> Counter[Fact]:
    """The facts of a `conn` log."""
    found: dict[str, list[Line]] = defaultdict(list)
    facts: Counter[Fact] = Counter()
    for line in lines:
        if "id.orig_h" in line:
            found[_name(line["proto"], *_ends(line))].append(line)
        elif "service" in line:
            facts[ANY, "service", line["service"]] += 1
    facts.update(fact for name, rows in found.items() for fact in _their_facts(name, rows))
    return facts


def _ends(line: Line) -> tuple[End, End]:
    has_ports = line["proto"] in _PORTS
    one, other = ((line[f"id.{side}_h"], int(line[f"id.{side}_p"]) if has_ports else 0) for side in ("orig", "resp"))
    return one, other


def _name(transport: str, one: End, other: End) -> str:
    return " ".join((transport, *(_spell(end) for end in sorted((one, other)))))


def _spell(end: End) -> str:
    return f"{end[0]}/{end[1]}" if end[1] else end[0]


def _their_facts(name: str, rows: list[Line]) -> Iterator[Fact]:
    yield name, "seen", "yes"
    first = rows[0]
    for service in {row["service"] for row in rows if "service" in row}:
        yield name, "service", _THEIR_SERVICES.get(service, service)
    openers = {_ends(row)[0] for row in rows if row["proto"] == "tcp" and "S" in row.get("history", "")}
    for opener in openers:
        yield name, "opened by", _spell(opener)
    words = _TCP if first["proto"] == "tcp" else _OTHERS
    states = {words[row["conn_state"]] for row in rows if row.get("conn_state") in words}
    if states:
        yield name, "state", max(states, key=_STATES.index)
    if "orig_pkts" in first:
        sent: Counter[tuple[End, str]] = Counter()
        for row in rows:
            for end, side in zip(_ends(row), ("orig", "resp"), strict=True):
                sent[end, "packets"] += int(row[f"{side}_pkts"])
                sent[end, "octets"] += int(row[f"{side}_ip_bytes"])
        for (end, what), number in sent.items():
            yield name, f"{what} of {_spell(end)}", str(number)


def conn_ours(flows: Iterable[Row], theirs: Counter[Fact], header: int) -> Counter[Fact]:
    """The same facts of our flows. Ours counts octets on the wire, theirs without the link layer: what is between them
    must be the header of each packet, and may be padding."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in flows:
        if row["transport"] in (*_PORTS, "icmp"):
            found[_name(row["transport"], *_our_ends(row))].append(row)
    seen = {name for name, field, _ in theirs if field == "seen"}
    facts: Counter[Fact] = Counter()
    if not seen:
        facts.update((ANY, "service", row["service"]) for rows in found.values() for row in rows)
        return facts
    octets = {(name, field): int(value) for name, field, value in theirs if field.startswith("octets of ")}
    for name, rows in found.items():
        facts.update(_our_facts(name, rows, octets, header) if name in seen else [(name, "seen", "yes")])
    return facts


def _our_ends(row: Row) -> tuple[End, End]:
    has_ports = row["transport"] in _PORTS
    one, other = ((row[side], row[f"{side}_port"] if has_ports else 0) for side in ("client", "server"))
    return one, other


def _our_facts(name: str, rows: list[Row], octets: dict[tuple[str, str], int], header: int) -> Iterator[Fact]:
    yield name, "seen", "yes"
    for service in {row["service"] for row in rows}:
        yield name, "service", _OUR_SERVICES.get(service, service or "unknown")
    for opener in {_our_ends(row)[0] for row in rows}:
        yield name, "opened by", _spell(opener)
    yield name, "state", max((row["state"] for row in rows), key=_STATES.index)
    sent: Counter[tuple[End, str]] = Counter()
    for row in rows:
        before = header + (_TAG if row["vlan"] is not None else 0)
        for end, way in zip(_our_ends(row), ("out", "in"), strict=True):
            sent[end, "packets"] += row[f"packets_{way}"]
            sent[end, "octets"] += row[f"bytes_{way}"] - before * row[f"packets_{way}"]
    for (end, what), number in sent.items():
        field = f"{what} of {_spell(end)}"
        told = octets.get((name, field), number)
        is_padded = what == "octets" and 0 <= number - told <= _PADDING * sent[end, "packets"]
        yield name, field, str(told if is_padded else number)
