"""Which flow allows an observation; where none does, which one comes nearest and in what it differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.addresses import parse
from zonewatch.rules.calendar import IN, OUT, UNCLEAR, Calendar
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import Conduit, Network, Policy, Traffic, parse_mac, parse_network
from zonewatch.rules.policy.values import ObjectRange, merged
from zonewatch.rules.policy.words import ANY, NAMED_KINDS, TRANSPORTS, canonical_service, is_unknown
from zonewatch.rules.policy.zones import aliases
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
    "rate": 1,
    "expiry": 1,
}
"""How far a difference takes a flow from being the one that was meant."""
OF_TIME: Final = ("schedule", "expiry")


@dataclass(frozen=True, slots=True)
class Ends:
    """The clients or the servers of a flow; empty: anyone of the zone."""

    names: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str], assets: Mapping[str, str]) -> Ends:
        """What these words of a policy mean; `assets` are the names that stand for ids (`aliases`)."""
        names, networks = set(), []
        for text in (assets.get(entry, entry) for entry in entries):
            network = parse_network(text)
            if network is not None:
                networks.append(network)
            else:
                names.add(parse_mac(text) or text)
        return cls(frozenset(names), tuple(networks))

    def has(self, end: End) -> bool:
        """True where the flow speaks of this end."""
        if not self.names and not self.networks:
            return True
        if end.names & self.names or end.zone in self.names:
            return True
        address = parse(end.address) if self.networks else None
        return address is not None and any(address in network for network in self.networks)


Sort = Literal["flow", "exception", "maintenance"]
_NOUNS: Final[dict[Sort, str]] = {"flow": "flow", "exception": "exception", "maintenance": "maintenance window"}


@dataclass(frozen=True, slots=True)
class Line:
    """What lets something pass from one zone to another, ready to be compared."""

    sort: Sort
    name: str  # its id
    conduit: str  # empty: inside a zone
    traffic: Traffic
    protocol: str
    clients: Ends
    servers: Ends
    ranges: dict[str, tuple[ObjectRange, ...]]  # object kind → merged ranges
    ended: dt.date | None = None  # the last day, where that is over
    when: int | None = None  # number of its times in the calendar; none: always
    times: str = ""  # these times in words
    rate: float | None = None  # events per second
    turned: bool = False  # the conduit's server opens the connection

    @property
    def label(self) -> str:
        """`flow poll of conduit scada-to-filtration`."""
        return f"{_NOUNS[self.sort]} {self.name}" + (
            f" of conduit {self.conduit}" if self.conduit and self.sort != "maintenance" else ""
        )

    @property
    def opens(self) -> bool:
        """False for one that names operations but no protocol: of a connection alone nobody knows if it is meant."""
        return self.sort == "flow" or self.protocol != ANY or not self.traffic.operations


def _ranges(traffic: Traffic) -> dict[str, tuple[ObjectRange, ...]]:
    return {kind: tuple(ranges) for kind, ranges in groupby(merged(traffic.objects), key=attrgetter("kind"))}


Pair = tuple[str, str]
"""The zone of the client and the zone of the server."""


def lines(policy: Policy, today: dt.date, calendar: Calendar) -> Iterator[tuple[Pair, Conduit | None, Line]]:
    """All that lets traffic pass, as it is on a day (UTC): flows in file order, exceptions, maintenance windows."""
    assets = aliases(policy)
    for conduit in policy.conduits:
        for flow in conduit.flows:
            last = flow.last_day
            line = _line("flow", flow.id, conduit.id, flow, flow.clients, flow.servers, assets)
            yield (
                (conduit.from_, conduit.to),
                conduit,
                replace(
                    line,
                    ended=last if last is not None and last < today else None,
                    when=calendar.number(flow.schedule),
                    times=f"outside its schedule ({flow.schedule})",
                    rate=flow.rate_max_per_s,
                ),
            )
    for conduit in policy.conduits:
        for item in conduit.exceptions:
            if item.span is not None:
                ends = (item.match.all_clients, item.match.all_servers)
                line = _line("exception", item.id, conduit.id, item.match, *ends, assets)
                times = _outside(item.from_, item.to)
                yield (
                    (conduit.from_, conduit.to),
                    conduit,
                    replace(line, when=calendar.number(item.span), times=times),
                )
    for window in policy.maintenance_windows:
        ways = [((conduit.from_, conduit.to), conduit) for conduit in policy.conduits if conduit.to in window.zones]
        for protocol in window.protocols or (ANY,):
            traffic = Traffic(protocol=protocol, operations=window.allow)
            for pair, way in (*ways, *(((zone, zone), None) for zone in window.zones)):
                line = _line("maintenance", window.id, way.id if way else "", traffic, window.clients, (), assets)
                times = _outside(window.from_, window.to)
                yield pair, way, replace(line, when=calendar.number(window.span), times=times)


def _line(
    sort: Sort,
    name: str,
    conduit: str,
    traffic: Traffic,
    clients: Iterable[str],
    servers: Iterable[str],
    assets: Mapping[str, str],
) -> Line:
    return Line(
        sort=sort,
        name=name,
        conduit=conduit,
        traffic=traffic,
        protocol=canonical_service(traffic.protocol),
        clients=Ends.of(clients, assets),
        servers=Ends.of(servers, assets),
        ranges=_ranges(traffic),
    )


def _outside(start: dt.datetime | None, end: dt.datetime | None) -> str:
    since = f"from {start:%Y-%m-%d %H:%M} " if start is not None else ""
    until = f"until {end:%Y-%m-%d %H:%M} UTC" if end is not None else ""
    return f"outside its time ({since}{until})"


def use_differences(line: Line, seen: Observation) -> tuple[Difference, ...]:
    """Differences that hold for every event with one function of one protocol, whoever takes part."""
    checks = (_protocol(line, seen), _port(line, seen), _operation(line, seen), _function(line, seen))
    return tuple(difference for difference in checks if difference is not None)


def object_differences(line: Line, seen: Observation) -> tuple[Difference, ...]:
    """Differences in what is addressed, in values, and in time."""
    checks = (_object(line, seen), _value(line, seen), _times(line, seen), _expiry(line))
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
    unnamed = "/" in seen_as or is_unknown(seen_as)
    if is_unknown(seen_as) and line.protocol == f"{seen.transport}/{seen.server_port}":
        return None
    if unnamed and line.traffic.ports and _port(line, seen) is None:
        return None  # the service could not be told, and its port is the one that is allowed
    return Difference("protocol", f"protocol {seen.protocol}")


def _port(line: Line, seen: Observation) -> Difference | None:
    for ports in line.traffic.ports:
        if ports.first <= seen.server_port <= ports.last and ports.transport in ("", seen.transport):
            return None
    return Difference("port", f"port {seen.server_port}/{seen.transport}") if line.traffic.ports else None


def _is_housekeeping(seen: Observation) -> bool:
    return seen.operation in HOUSEKEEPING or (seen.kind == "link" and seen.operation not in STATE_CHANGING)


def _operation(line: Line, seen: Observation) -> Difference | None:
    allowed = line.traffic.operations
    if not seen.operation or not allowed or seen.operation in allowed or _is_housekeeping(seen):
        return None
    if is_hidden(seen):
        return Difference("operation", "what encrypted messages do", certain=False)
    return Difference("operation", f"operation {seen.operation}")


def is_hidden(seen: Observation) -> bool:
    """Messages that only their two ends can read: what they do is not known."""
    return seen.protocol == "opcua" and seen.function is None and seen.function_name == "encrypted"


def is_folded(seen: Observation) -> bool:
    """Stands for many functions and objects: which they were is not known."""
    return seen.coalesced and seen.function is None and seen.object_kind is None


def _function(line: Line, seen: Observation) -> Difference | None:
    allowed = line.traffic.function_codes
    if not seen.operation or not allowed or seen.function in allowed or _is_housekeeping(seen):
        return None
    if is_hidden(seen):
        return Difference("function", "the functions of encrypted messages", certain=False)
    name = f" ({seen.function_name})" if seen.function_name else ""
    told = f"function code {'none' if seen.function is None else seen.function}{name}"
    return Difference("function", told, certain=not is_folded(seen))


def _object(line: Line, seen: Observation) -> Difference | None:
    if not line.ranges or not seen.operation or _is_housekeeping(seen):
        return None
    if is_hidden(seen):
        return Difference("object", "the nodes of encrypted messages", certain=False)
    if seen.protocol == "opcua" and seen.object_kind not in NAMED_KINDS and seen.operation not in STATE_CHANGING:
        return None  # subscriptions, pages of a list, endpoints: they are no nodes, and their operation limits them
    if seen.object_kind is None:
        told = f"{seen.function_name or 'a function'} without an object"
        return Difference("object", told, certain=not is_folded(seen))
    ranges = line.ranges.get(seen.object_kind, ())
    asked = ObjectRange.of(seen.object_kind, seen.object_start, seen.object_count, seen.property_name)
    if any(item.covers(asked) for item in ranges):
        return None
    is_named = seen.object_kind in NAMED_KINDS
    first, last = asked.start, asked.end
    unknown = is_named and asked.is_all  # an answer of which the question was not captured
    overlaps = unknown or any(_touch(item, first, last) for item in ranges if not is_named)
    name = seen.property_name if is_named else ""
    told = target_text(seen.object_kind, seen.object_start, seen.object_count, name)
    return Difference("object", told, certain=not (overlaps and (unknown or seen.coalesced)))


def _touch(item: ObjectRange, first: int | None, last: int | None) -> bool:
    if item.start is None or item.end is None or first is None or last is None:
        return False
    return item.start <= last and first <= item.end


def _value(line: Line, seen: Observation) -> Difference | None:
    limits = line.traffic.values
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


def _times(line: Line, seen: Observation) -> Difference | None:
    held = seen.when[line.when] if line.when is not None else IN
    if held == IN:
        return None
    if held == UNCLEAR:
        return Difference("schedule", f"some of it may be {line.times}", certain=False)
    return Difference("schedule", line.times if held == OUT else f"some of it {line.times}")


def _expiry(line: Line) -> Difference | None:
    return Difference("expiry", f"ended on {line.ended.isoformat()}") if line.ended else None


def told(differences: Iterable[Difference], line: Line) -> str:
    """`client eng-1, operation write not in flow poll of conduit scada-to-filtration`."""
    listed = list(differences)
    if any(difference.aspect == "protocol" for difference in listed):
        listed = [difference for difference in listed if difference.aspect in ("protocol", "client", "server")]
    doubts = [difference.text for difference in listed if not difference.certain]
    sure = [difference for difference in listed if difference.certain]
    plain = [difference.text for difference in sure if difference.aspect not in OF_TIME]
    timely = [difference.text for difference in sure if difference.aspect in OF_TIME]
    parts = []
    if plain:
        parts.append(f"{', '.join(plain)} not in {line.label}")
    if timely:
        parts.append(f"which {_verb(timely[0])}" if plain else f"{line.label} {_verb(timely[0])}")
    if doubts:
        parts.append(f"cannot tell: {', '.join(doubts)}" + ("" if sure else f" in {line.label}"))
    return "; ".join(parts).replace("; which", ", which")


def _verb(text: str) -> str:
    return text if text.startswith("ended") else f"does not hold: {text}"
