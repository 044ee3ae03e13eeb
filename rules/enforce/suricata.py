"""The plan as Suricata rules: what is permitted whole passes; alert or drop for every other connection and message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from netaddr import IPSet

from zonewatch.rules.enforce.cells import cells, served
from zonewatch.rules.enforce.messages import DECODED, Denial, conditional
from zonewatch.rules.enforce.plan import Export, Limit, Permit, Plan, by_port_alone, midnight, unexpressed
from zonewatch.rules.enforce.services import Service, ports_text
from zonewatch.rules.enforce.space import GROUPS, Space, texts
from zonewatch.rules.enforce.text import header, plain
from zonewatch.rules.policy.model import PolicyException

_FIRST_SID: Final = 1_000_000_000  # up to 1,999,999,999: far from published rule sets
_CHECKED: Final = frozenset(("operations", "function_codes", "objects", "values"))
_TRANSPORTS: Final = ("tcp", "udp", "icmp")


class Area(NamedTuple):
    """These addresses, or all others."""

    space: Space
    others: bool = False

    def without(self, space: Space) -> Area:
        """Less these."""
        return Area(self.space | space if self.others else self.space - space, self.others)

    def __str__(self) -> str:
        found = texts(self.space)
        if not found:
            return "any" if self.others else ""
        text = found[0] if len(found) == 1 else f"[{','.join(found)}]"
        return f"!{text}" if self.others else text


class Rule(NamedTuple):
    """One rule; its number comes from what it is about."""

    action: str
    head: str  # `tcp 10.1.0.10 any -> 10.2.0.11 502`
    told: str
    options: tuple[str, ...]


def suricata(plan: Plan, action: Literal["alert", "drop"] = "alert") -> Export:
    """`zonewatch.rules`, for `suricata -S` or `rule-files`."""
    writer = _Writer(plan, action)
    blocks = [
        ("What a flow permits whole", [*writer.passes()]),
        ("What messages may not be", [*writer.messages()]),
        ("Connections that no flow permits", [*writer.connections()]),
    ]
    limits = (*plan.limits, *dict.fromkeys(writer.limits))
    lines = [f"# {line}" for line in header(plan, "Suricata", limits)]
    lines.append(
        "# Modbus, DNP3 and EtherNet/IP are off in Suricata by default: app-layer.protocols.modbus.enabled: yes"
    )
    used: set[int] = set()
    for title, rules in blocks:
        lines += ["", f"# {title}"]
        for rule in rules:
            options = (f'msg:"{plain(f"zonewatch {rule.told}")}"', *rule.options, f"sid:{_sid(rule, used)}", "rev:1")
            lines.append(f"{rule.action} {rule.head} ({'; '.join(options)};)")
    return Export({"zonewatch.rules": "\n".join(lines) + "\n"}, limits)


def _sid(rule: Rule, used: set[int]) -> int:
    """The same for the same rule, whatever else the policy says."""
    about = "\n".join((rule.head, *rule.options))
    number = int.from_bytes(hashlib.sha256(about.encode()).digest()[:8]) % 1_000_000_000
    while _FIRST_SID + number in used:
        number = (number + 1) % 1_000_000_000
    used.add(_FIRST_SID + number)
    return _FIRST_SID + number


class _Writer:
    """The rules of a plan, and what they do not hold."""

    def __init__(self, plan: Plan, action: str) -> None:
        self.plan = plan
        self.action = action
        self.limits: list[Limit] = []
        self.whole: list[Permit] = []  # passed by rules
        self.checked: list[tuple[str, int, Permit]] = []  # protocol, port: each message is checked
        for permit in plan.permits:
            self._sort(permit)

    def _sort(self, permit: Permit) -> None:
        if (
            isinstance(permit.part, PolicyException)
            and permit.start
            and permit.start >= midnight(self.plan.day) + 86_400
        ):
            self.limits.append(Limit("narrower", permit.label, "has not begun; left out: export again then"))
            return
        if not conditional(permit):
            self.limits += unexpressed(permit, frozenset(), by_port_alone(permit))
            self.whole.append(permit)
            return
        self.limits += unexpressed(permit, _CHECKED)
        tcp = [service for service in permit.services if service.transport == "tcp"]
        for first, last in (span for service in tcp for span in service.ports):
            self.checked += [(permit.traffic.protocol, port, permit) for port in range(first, last + 1)[:16]]
            if last - first >= 16:
                self.limits.append(Limit("narrower", permit.label, f"ports above {first + 15} are left out"))
        if any(service.transport == "udp" for service in permit.services):
            told = f"over UDP it is left out: Suricata decodes {permit.traffic.protocol} over TCP alone"
            self.limits.append(Limit("narrower", permit.label, told))

    def passes(self) -> Iterator[Rule]:
        for permit in self.whole:
            for service in permit.services:
                head = (
                    f"{_transport(service)} {Area(permit.source)} any -> {Area(permit.destination)} {_ports(service)}"
                )
                options: tuple[str, ...] = ("flow:to_server",) if service.transport in _TRANSPORTS else ()
                if service.transport not in (*_TRANSPORTS, "any"):
                    options = (f"ip_proto:{service.transport}",)
                yield Rule("pass", head, f"{permit.label}: {permit.told}", options)

    def messages(self) -> Iterator[Rule]:
        for protocol, port in dict.fromkeys((protocol, port) for protocol, port, _ in self.checked):
            name, denials = DECODED[protocol]
            permits = [permit for word, number, permit in self.checked if (word, number) == (protocol, port)]
            for cell in cells(permits):
                about = "+".join(dict.fromkeys(permit.label for permit in cell.permits))
                ends = f"{Area(cell.clients)} any -> {Area(cell.servers)} {port}"
                for found in denials(cell.permits):
                    if isinstance(found, Denial):
                        options = ("flow:to_server", found.options)
                        yield Rule(self.action, f"{name} {ends}", f"not in {about}: {found.told}", options)
                    else:
                        self.limits.append(found)
                options = ("flow:to_server,established", f"app-layer-protocol:!{name}")
                yield Rule(self.action, f"tcp {ends}", f"not in {about}: no {protocol}", options)
        if self.checked:
            told = "a connection is known as another protocol only with its second message"
            self.limits.append(Limit("wider", "", told))

    def connections(self) -> Iterator[Rule]:
        zones = self.plan.zones
        every = IPSet()
        for space in zones.values():
            every |= space
        beyond = Area(every | IPSet(GROUPS), others=True)
        denied = self.plan.policy.defaults.within_zone == "deny"
        if not self.plan.shield:
            for zone, space in zones.items():
                yield from self._into(f"into zone {zone}", Area(IPSet() if denied else space, others=True), space)
            yield from self._plain("out of all zones", Area(every), beyond, "any")
            return
        asset, home = self.plan.shielded, IPSet() if denied else zones[self.plan.shielded_zone]
        yield from self._into(f"to {self.plan.shield}", Area(home, others=True), asset)
        for zone, space in zones.items():
            if zone != self.plan.shielded_zone or denied:
                yield from self._into(f"from {self.plan.shield} to zone {zone}", Area(asset), space - asset)
        yield from self._plain(f"from {self.plan.shield} out of all zones", Area(asset), beyond, "any")

    def _into(self, told: str, sources: Area, space: Space) -> Iterator[Rule]:
        """Everything into a space but what is checked message by message; `pass` rules go before."""
        if not space:
            return
        ports = sorted({port for _, port, permit in self.checked if permit.destination & space})
        free = "any" if not ports else f"![{','.join(map(str, ports))}]" if len(ports) > 1 else f"!{ports[0]}"
        yield from self._plain(told, sources, Area(space), free)
        for port in ports:
            permits = [permit for _, number, permit in self.checked if number == port]
            for part in served(permits, space):
                others = sources.without(part.clients)
                if str(others):
                    head = f"tcp {others} any -> {Area(part.servers)} {port}"
                    yield Rule(self.action, head, f"denied {told}", ("flow:to_server",))

    def _plain(self, told: str, sources: Area, destination: Area, tcp_ports: str) -> Iterator[Rule]:
        if not str(sources) or not str(destination):
            return
        for transport in _TRANSPORTS:
            ports = tcp_ports if transport == "tcp" else "any"
            head = f"{transport} {sources} any -> {destination} {ports}"
            yield Rule(self.action, head, f"denied {told}", ("flow:to_server",))
        other = ("ip_proto:!6", "ip_proto:!17", "ip_proto:!1", "ip_proto:!58")
        yield Rule(self.action, f"ip {sources} any -> {destination} any", f"denied {told}", other)


def _transport(service: Service) -> str:
    return service.transport if service.transport in _TRANSPORTS else "ip"


def _ports(service: Service) -> str:
    ports = ports_text(service.ports, ":")
    return "any" if not ports else ports[0] if len(ports) == 1 else f"[{','.join(ports)}]"
