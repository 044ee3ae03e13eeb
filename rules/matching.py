"""Which flow allows an observation; where none does, which one comes nearest and in what it differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.addresses import parse
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import Conduit, Flow, Network, Policy, parse_mac, parse_network
from zonewatch.rules.policy.words import ANY, TRANSPORTS, canonical_service
from zonewatch.rules.targets import target_text, value_text

HOUSEKEEPING: Final = frozenset(("session", "authenticate"))
"""Operations that come with every use of a protocol; a flow of that protocol allows them unasked."""


class Difference(NamedTuple):
    """What keeps a flow from allowing something. Where not certain, the data is too coarse to tell."""

    aspect: str
    text: str
    certain: bool = True


WEIGHTS: Final = {
    "protocol": 8,
    "client": 4,
    "server": 4,
    "port": 4,
    "operation": 2,
    "function": 2,
    "object": 2,
    "value": 1,
    "schedule": 1,
    "expiry": 1,
}
"""How far a difference takes a flow from being the one that was meant."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The clients or the servers of a flow; empty: anyone of the zone."""

    names: frozenset[str]
    networks: tuple[Network, ...]

    def has(self, end: End) -> bool:
        """True where the flow speaks of this end."""
        if not self.names and not self.networks:
            return True
        if end.names & self.names or end.zone in self.names:
            return True
        address = parse(end.address) if self.networks else None
        return address is not None and any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Line:
    """A flow of a conduit, ready to be compared."""

    conduit: Conduit
    flow: Flow
    protocol: str
    clients: Ends
    servers: Ends
    ranges: dict[str, tuple[tuple[int, int], ...] | None]  # object kind → merged ranges; None: all of the kind
    ended: dt.date | None  # the last day, where that is over
    turned: bool = False  # the conduit's server opens the connection


def _ends(entries: Iterable[str]) -> Ends:
    names, networks = set(), []
    for text in entries:
        network = parse_network(text)
        if network is not None:
            networks.append(network)
        else:
            names.add(parse_mac(text) or text)
    return Ends(frozenset(names), tuple(networks))


def _ranges(flow: Flow) -> dict[str, tuple[tuple[int, int], ...] | None]:
    merged: dict[str, list[tuple[int, int]] | None] = {}
    for item in sorted(flow.objects, key=lambda item: (item.kind, item.start or 0, item.end or 0)):
        known = merged.setdefault(item.kind, [])
        if item.start is None or item.end is None or known is None:
            merged[item.kind] = None
        elif known and item.start <= known[-1][1] + 1:
            known[-1] = (known[-1][0], max(known[-1][1], item.end))
        else:
            known.append((item.start, item.end))
    return {kind: None if ranges is None else tuple(ranges) for kind, ranges in merged.items()}


def lines(policy: Policy, today: dt.date) -> tuple[Line, ...]:
    """All flows of a policy in file order, as they are on a day (UTC)."""
    found = []
    for conduit in policy.conduits:
        for flow in conduit.flows:
            last = flow.last_day
            line = Line(
                conduit,
                flow,
                canonical_service(flow.protocol),
                _ends(flow.clients),
                _ends(flow.servers),
                _ranges(flow),
                last if last is not None and last < today else None,
            )
            found.append(line)
    return tuple(found)


def fixed_differences(line: Line, seen: Observation, client: End, server: End) -> tuple[Difference, ...]:
    """Differences that hold for every event between two ends with one function of one protocol."""
    return tuple(
        difference
        for difference in (
            _protocol(line, seen),
            _port(line, seen),
            None if line.clients.has(client) else Difference("client", f"client {client.label}"),
            None if line.servers.has(server) else Difference("server", f"server {server.label}"),
            _operation(line, seen),
            _function(line, seen),
        )
        if difference is not None
    )


def object_differences(line: Line, seen: Observation) -> tuple[Difference, ...]:
    """Differences in what is addressed, in values, and in time."""
    checks = (_object(line, seen), _value(line, seen), _schedule(line), _expiry(line))
    return tuple(difference for difference in checks if difference is not None)


def distance(differences: Iterable[Difference]) -> int:
    """How far a flow with these differences is from what was seen."""
    return sum(WEIGHTS[difference.aspect] for difference in differences)


def _protocol(line: Line, seen: Observation) -> Difference | None:
    seen_as = canonical_service(seen.protocol)
    if line.protocol in (ANY, seen_as):
        return None
    if line.protocol in TRANSPORTS and seen.transport.removesuffix("v6") == line.protocol:
        return None
    unnamed = "/" in seen_as
    if unnamed and line.flow.ports and _port(line, seen) is None:
        return None  # the service could not be told, and its port is the one that is allowed
    return Difference("protocol", f"protocol {seen.protocol}")


def _port(line: Line, seen: Observation) -> Difference | None:
    for ports in line.flow.ports:
        if ports.first <= seen.server_port <= ports.last and ports.transport in ("", seen.transport):
            return None
    return Difference("port", f"port {seen.server_port}/{seen.transport}") if line.flow.ports else None


def _is_housekeeping(seen: Observation) -> bool:
    return seen.operation in HOUSEKEEPING or (seen.kind == "link" and seen.operation not in STATE_CHANGING)


def _operation(line: Line, seen: Observation) -> Difference | None:
    allowed = line.flow.operations
    if not seen.operation or not allowed or seen.operation in allowed or _is_housekeeping(seen):
        return None
    return Difference("operation", f"operation {seen.operation}")


def _is_folded(seen: Observation) -> bool:
    """Stands for many functions and objects: which they were is not known."""
    return seen.coalesced and seen.function is None and seen.object_kind is None


def _function(line: Line, seen: Observation) -> Difference | None:
    allowed = line.flow.function_codes
    if not seen.operation or not allowed or seen.function in allowed or _is_housekeeping(seen):
        return None
    name = f" ({seen.function_name})" if seen.function_name else ""
    told = f"function code {'none' if seen.function is None else seen.function}{name}"
    return Difference("function", told, certain=not _is_folded(seen))


def _object(line: Line, seen: Observation) -> Difference | None:
    if not line.ranges or not seen.operation or _is_housekeeping(seen):
        return None
    if seen.object_kind is None:
        told = f"{seen.function_name or 'a function'} without an object"
        return Difference("object", told, certain=not _is_folded(seen))
    told = target_text(seen.object_kind, seen.object_start, seen.object_count)
    if seen.object_kind not in line.ranges:
        return Difference("object", told)
    ranges = line.ranges[seen.object_kind]
    if ranges is None:
        return None
    if seen.object_start is None:
        return Difference("object", told)
    first, last = seen.object_start, seen.object_start + max(seen.object_count, 1) - 1
    if any(low <= first and last <= high for low, high in ranges):
        return None
    overlaps = any(low <= last and first <= high for low, high in ranges)
    return Difference("object", told, certain=not (seen.coalesced and overlaps))


def _value(line: Line, seen: Observation) -> Difference | None:
    limits = line.flow.values
    if limits is None or seen.operation not in STATE_CHANGING:
        return None
    low, high = limits.min, limits.max
    if low is None and high is None:
        return None
    between = f"{'…' if low is None else value_text(None, low)} to {'…' if high is None else value_text(None, high)}"
    if seen.value_not_finite:
        return Difference("value", f"value that is no finite number (allowed: {between})")
    if seen.value_min is None or seen.value_max is None:
        return Difference("value", f"value not known (allowed: {between})", certain=False)
    if high is not None and seen.value_max > high:
        return Difference("value", f"value {value_text(None, seen.value_max)} (allowed: {between})")
    if low is not None and seen.value_min < low:
        return Difference("value", f"value {value_text(None, seen.value_min)} (allowed: {between})")
    return None


def _schedule(line: Line) -> Difference | None:
    if line.flow.schedule in ("", "always"):
        return None
    return Difference("schedule", f"schedule {line.flow.schedule!r} is not judged by this version", certain=False)


def _expiry(line: Line) -> Difference | None:
    return Difference("expiry", f"ended on {line.ended.isoformat()}") if line.ended else None


def told(differences: Iterable[Difference], line: Line) -> str:
    """`client eng-1, operation write not in flow poll of conduit scada-to-filtration`."""
    listed = list(differences)
    if any(difference.aspect == "protocol" for difference in listed):
        listed = [difference for difference in listed if difference.aspect in ("protocol", "client", "server")]
    flow = f"flow {line.flow.id} of conduit {line.conduit.id}"
    doubts = [difference.text for difference in listed if not difference.certain]
    plain = [difference.text for difference in listed if difference.certain and difference.aspect != "expiry"]
    ended = [difference.text for difference in listed if difference.aspect == "expiry"]
    parts = []
    if plain:
        parts.append(f"{', '.join(plain)} not in {flow}")
    if ended:
        parts.append(f"which {ended[0]}" if plain else f"{flow} {ended[0]}")
    if doubts:
        parts.append(f"cannot tell: {', '.join(doubts)}" + ("" if plain or ended else f" in {flow}"))
    return "; ".join(parts).replace("; which", ", which")
